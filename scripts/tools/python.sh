# Virtual environments: one with gRPC clients, one with the training libraries of examples/training and docs/exporting.md,
# one with the libraries that write tables, one with clients of the Open Inference Protocol.
# shellcheck shell=bash disable=SC2154
clients_requirements="$root/test/conformance/python/requirements.txt"
training_requirements="$root/examples/training/requirements"

tool python-clients "$(requirements_version "$clients_requirements")" python
install_python_clients() { python_install "$1" python-clients "$clients_requirements"; }

tool python-training "$(requirements_version "$training_requirements.txt" "$training_requirements-torch.txt")" python
install_python_training() { python_install "$1" python-training "$training_requirements-torch.txt"; }

tables_requirements="$root/test/conformance/python/tables-requirements.txt"
tool python-tables "$(requirements_version "$tables_requirements")" python
install_python_tables() { python_install "$1" python-tables "$tables_requirements"; }

inference_requirements="$root/test/conformance/python/inference-requirements.txt"
tool python-inference "$(requirements_version "$inference_requirements")" python
install_python_inference() { python_install "$1" python-inference "$inference_requirements"; }

kserve_requirements="$root/test/conformance/python/kserve-requirements.txt"
tool python-kserve "$(requirements_version "$kserve_requirements")" python
install_python_kserve() { python_install "$1" python-kserve "$kserve_requirements"; }

mlflow_requirements="$root/test/conformance/python/mlflow-requirements.txt"
tool python-mlflow "$(requirements_version "$mlflow_requirements")" python
install_python_mlflow() { python_install "$1" python-mlflow "$mlflow_requirements"; }

# perf_analyzer is a program in a wheel; the wheel's own Python packages are not used.
perf_requirements="$root/test/conformance/python/perf-requirements.txt"
tool perf-analyzer "$(requirements_version "$perf_requirements")" python
install_perf_analyzer() {
  local python libraries
  python="$(find_python)" || fail "perf-analyzer needs Python 3.11 or newer with the venv module (Debian: python3-venv)."
  "$python" -m venv "$1/venv"
  nice "$1/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$perf_requirements"
  libraries="$(dirname "$(find "$1/venv" -name 'libcudart.so*' -print -quit)")"
  if ! ldconfig -p | grep -q 'libb64\.so\.0d'; then
    command -v apt-get >/dev/null || fail "libb64 is missing. Install it with your system's package tool (Debian: libb64-0d)."
    (cd "$1" && { apt-get download -qq libb64-0d || { apt-get update -qq && apt-get download -qq libb64-0d; }; }) 2>/dev/null
    dpkg-deb -x "$1"/libb64-0d_*.deb "$1/libb64"
    libraries="$libraries:$(dirname "$(find "$1/libb64" -name 'libb64.so*' -print -quit)")"
  fi
  printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s/venv/bin/perf_analyzer" "$@"\n' "$libraries" "$1" >"$1/perf-analyzer"
  chmod +x "$1/perf-analyzer"
}

# The client of python/, with what generates, builds and tests it.
assay_requirements="$root/test/conformance/python/assay-client-requirements.txt"
tool python-assay "$(requirements_version "$assay_requirements")" python
install_python_assay() { python_install "$1" python-assay "$assay_requirements"; }
