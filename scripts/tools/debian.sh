# What the system brings. Its version is the system's own, so none is pinned here.
# shellcheck shell=bash
tool curl system debian
install_curl() {
  debian_install "$1" curl curl
  "$1/curl" --version | grep -q HTTP2 || fail "curl was built without HTTP/2."
}

tool nghttp system debian
install_nghttp() { debian_install "$1" nghttp nghttp2-client; }

tool h2load system debian
install_h2load() { debian_install "$1" h2load nghttp2-client; }

tool chromium system debian
install_chromium() { debian_install "$1" chromium chromium; }

tool prometheus system debian
install_prometheus() { debian_install "$1" prometheus prometheus; }

tool promtool system debian
install_promtool() { debian_install "$1" promtool prometheus; }
