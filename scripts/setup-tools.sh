#!/usr/bin/env bash
# Installs the foreign tools that `npm run conformance` calls, each kept by version in a cache folder.
#
#   scripts/setup-tools.sh                     everything but the groups peers (for benchmarks) and pipelines
#   scripts/setup-tools.sh python grpcurl      tools or groups by name
#   scripts/setup-tools.sh --list              what there is, and what is installed
#
# ASSAY_TOOLS_DIR   the cache folder (default: ${XDG_CACHE_HOME:-$HOME/.cache}/assay-tools)
#
# Commands end up in $ASSAY_TOOLS_DIR/bin, under the name of their tool. A tool that is there in the version wanted is
# left alone, so a second run takes a moment. scripts/tools/*.sh add tools; each says so with
#   tool NAME VERSION GROUP            and a function
#   install_NAME FOLDER VERSION        (dashes in NAME become underscores) that leaves the command FOLDER/NAME.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cache="${ASSAY_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/assay-tools}"
# Else a system tool would be found where it is linked to, and linked to itself.
PATH="${PATH//"$cache/bin:"/}"
names=()
declare -A version_of group_of

fail() {
  echo "setup-tools: $*" >&2
  exit 1
}

tool() {
  if [ -z "${version_of[$1]:-}" ]; then names+=("$1"); fi
  version_of[$1]=$2
  group_of[$1]=$3
}

# go_install FOLDER COMMAND MODULE@VERSION [BINARY]: BINARY is what Go calls it, where that is not COMMAND.
go_install() {
  command -v go >/dev/null || fail "$2 is built with Go, and there is no go command. Install Go 1.24 or newer."
  GOBIN="$1" GOFLAGS=-buildvcs=false CGO_ENABLED=0 nice go install "$3"
  if [ -n "${4:-}" ]; then mv "$1/$4" "$1/$2"; fi
}

# cargo_install FOLDER COMMAND CRATE: COMMAND is the binary that the crate in the folder CRATE builds.
cargo_install() {
  command -v cargo >/dev/null || fail "$2 is built with Cargo, and there is no cargo command. Install Rust 1.88 or newer."
  nice cargo build --release --locked --quiet --manifest-path "$3/Cargo.toml" --target-dir "$1/target"
  mv "$1/target/release/$2" "$1/$2"
  rm -r "$1/target"
}

# python_install FOLDER COMMAND REQUIREMENTS: a virtual environment whose python is called COMMAND.
python_install() {
  local python
  python="$(find_python)" || fail "$2 needs Python 3.11 or newer with the venv module (Debian: python3-venv)."
  "$python" -m venv "$1/venv"
  nice "$1/venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$3"
  printf '#!/bin/sh\nexec "%s/venv/bin/python" "$@"\n' "$1" >"$1/$2"
  chmod +x "$1/$2"
}

find_python() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

# A virtual environment's version: a digest of the requirements, so that a changed pin makes a new one.
requirements_version() {
  cat "$@" | sha256sum | cut -c1-12
}

# debian_install FOLDER COMMAND PACKAGE: links the command that is there, or installs the package first.
debian_install() {
  if ! command -v "$2" >/dev/null; then
    command -v apt-get >/dev/null || fail "$2 is missing. Install it with your system's package tool (Debian: $3)."
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then sudo=(sudo -n); fi
    "${sudo[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "$3" >/dev/null
  fi
  ln -s "$(command -v "$2")" "$1/$2"
}

for file in "$root"/scripts/tools/*.sh; do
  # shellcheck source=/dev/null
  if [ -e "$file" ]; then . "$file"; fi
done

# The folder of a tool in the version wanted.
folder_of() {
  echo "$cache/$1/${version_of[$1]}"
}

# The stamp is written last, so a broken install is made anew; a link whose target is gone counts as broken.
is_installed() {
  [ -e "$(folder_of "$1")/.installed" ] && [ -x "$(folder_of "$1")/$1" ]
}

install() {
  local name=$1 folder started state code
  folder="$(folder_of "$name")"
  started=$SECONDS
  state=cached
  if ! is_installed "$name"; then
    rm -rf "$folder"
    mkdir -p "$folder"
    # Not `install_… || fail`: that would switch off `set -e` inside the function.
    set +e
    (set -e && "install_${name//-/_}" "$folder" "${version_of[$name]}")
    code=$?
    set -e
    [ "$code" -eq 0 ] || fail "$name ${version_of[$name]} could not be installed."
    [ -x "$folder/$name" ] || fail "the install of $name left no command $folder/$name."
    touch "$folder/.installed"
    state="installed in $((SECONDS - started)) s"
  fi
  mkdir -p "$cache/bin"
  ln -sfn "$folder/$name" "$cache/bin/$name"
  printf '%-24s %-14s %s (%s)\n' "$name" "${version_of[$name]}" "$cache/bin/$name" "$state"
}

if [ "${1:-}" = --help ]; then
  sed -n '2,/^set -/{s/^# \{0,1\}//;/^set -/!p;}' "${BASH_SOURCE[0]}"
  exit
fi
if [ "${1:-}" = --list ]; then
  for name in "${names[@]}"; do
    state=missing
    if is_installed "$name"; then state=installed; fi
    printf '%-24s %-14s %-10s %s\n' "$name" "${version_of[$name]}" "${group_of[$name]}" "$state"
  done
  exit
fi

wanted=()
for argument in "${@:-all}"; do
  found=
  for name in "${names[@]}"; do
    if [ "$argument" = all ] && [[ "${group_of[$name]}" = peers || "${group_of[$name]}" = pipelines ]]; then continue; fi
    case "$argument" in
      "$name" | "${group_of[$name]}" | all)
        wanted+=("$name")
        found=yes
        ;;
    esac
  done
  if [ -z "$found" ]; then fail "there is no tool or group $argument; --list shows them."; fi
done

mkdir -p "$cache"
# Two runs at once (two checkouts, one cache) would install into the same folder.
if command -v flock >/dev/null; then
  exec 9>"$cache/.lock"
  flock 9
fi
for name in "${wanted[@]}"; do install "$name"; done
echo "PATH=$cache/bin:\$PATH"
