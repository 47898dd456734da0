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
