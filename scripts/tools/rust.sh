# The client of test/conformance/rust-client, built with Cargo.
# shellcheck shell=bash disable=SC2154
rust_client="$root/test/conformance/rust-client"

# Its version is a digest of its sources and its lock, so that a changed line builds it anew.
tool rust-client "$(cat "$rust_client"/Cargo.* "$rust_client"/src/*.rs | sha256sum | cut -c1-12)" rust
install_rust_client() { cargo_install "$1" rust-client "$rust_client"; }
