# A virtual environment for each system of test/pipelines that is Python's: what one of them pins, another refuses.
# shellcheck shell=bash disable=SC2154
dbt_requirements="$root/examples/dbt/requirements.txt"
tool python-dbt "$(requirements_version "$dbt_requirements")" pipelines
install_python_dbt() { python_install "$1" python-dbt "$dbt_requirements"; }

dagster_requirements="$root/examples/dagster/requirements.txt"
tool python-dagster "$(requirements_version "$dagster_requirements")" pipelines
install_python_dagster() { python_install "$1" python-dagster "$dagster_requirements"; }

airflow_requirements="$root/examples/airflow/requirements.txt"
tool python-airflow "$(requirements_version "$airflow_requirements")" pipelines
install_python_airflow() { python_install "$1" python-airflow "$airflow_requirements"; }

# Spark itself comes in the wheel; it runs on the machine's Java, 17 or newer.
spark_requirements="$root/test/pipelines/spark/requirements.txt"
tool python-spark "$(requirements_version "$spark_requirements")" pipelines
install_python_spark() { python_install "$1" python-spark "$spark_requirements"; }
