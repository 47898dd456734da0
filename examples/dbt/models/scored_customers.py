"""The customers with their scores: a table, made anew by each run."""

import assay


def model(dbt, session):
    dbt.config(materialized="table")
    customers = dbt.ref("customers").to_arrow_table()
    url, name = dbt.config.meta_get("assay_url"), dbt.config.meta_get("assay_model")
    return assay.score(customers, model=name, url=url, version=dbt.config.meta_get("assay_version"))
