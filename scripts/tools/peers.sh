# Servers beside which `node bench/unary.ts` and `node bench/inference.ts` measure; built only where they are asked for by name or as the group `peers`.
# shellcheck shell=bash disable=SC2154
tonic_ort="$root/bench/peers/tonic-ort"
axum_echo="$root/bench/peers/axum-echo"
triton_requirements="$root/bench/peers/triton/requirements.txt"
fastapi_requirements="$root/bench/peers/fastapi/requirements.txt"

tool tonic-ort "$(cat "$tonic_ort"/Cargo.* "$tonic_ort"/src/*.rs | sha256sum | cut -c1-12)" peers
install_tonic_ort() { cargo_install "$1" tonic-ort "$tonic_ort"; }

tool axum-echo "$(cat "$axum_echo"/Cargo.* "$axum_echo"/src/*.rs | sha256sum | cut -c1-12)" peers
install_axum_echo() { cargo_install "$1" axum-echo "$axum_echo"; }

tool fastapi "$(requirements_version "$fastapi_requirements")" peers
install_fastapi() { python_install "$1" fastapi "$fastapi_requirements"; }

# Triton with its Python backend; the wheel that has both is about 370 MiB with what it needs.
tool triton "$(requirements_version "$triton_requirements")" peers
install_triton() { python_install "$1" triton "$triton_requirements"; }
