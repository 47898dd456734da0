"""An asset of Dagster: each day's customers with their scores, as a Parquet file."""

import os
import time
from pathlib import Path

import assay
import dagster as dg
import pyarrow.csv
import pyarrow.parquet

HERE = Path(__file__).parent
MOST_FAILED = 0.01
days = dg.DailyPartitionsDefinition(start_date="2024-01-01")


class Scorer(dg.ConfigurableResource):
    """A model, and the servers that have it: addresses with commas between. A version pins one; empty is the newest."""

    url: str
    model: str
    version: str = ""

    def describe(self):
        with assay.Client(self.url) as client:
            return client.describe(self.model, self.version)


@dg.asset(
    partitions_def=days,
    check_specs=[dg.AssetCheckSpec("few_rows_fail", asset="scored_customers", blocking=True)],
)
def scored_customers(context: dg.AssetExecutionContext, scorer: Scorer) -> dg.MaterializeResult:
    """The customers of a day with `score`, `label`, `model_version` and `score_error`; each run writes the day's file anew."""
    started = time.monotonic()
    day = context.partition_key
    # All rows of a run are scored by the version that its metadata names.
    described = scorer.describe()
    scored = assay.map_in_arrow(scorer.model, scorer.url, version=described.model_version)
    target = HERE / "scores" / f"{day}.parquet"
    target.parent.mkdir(exist_ok=True)
    unfinished = target.with_suffix(f".{context.run_id}")
    rows = failed = 0
    writer = None
    try:
        # Batch by batch: a day may be larger than memory.
        for batch in scored(pyarrow.csv.open_csv(HERE / "customers" / f"{day}.csv")):
            writer = writer or pyarrow.parquet.ParquetWriter(unfinished, batch.schema)
            writer.write_batch(batch)
            rows += batch.num_rows
            failed += batch.num_rows - batch["score_error"].null_count
        if writer is None:
            raise dg.Failure(f"customers/{day}.csv has no rows")
        writer.close()
        # Readers see the old file or the new one, and never a part.
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    share = failed / rows
    return dg.MaterializeResult(
        metadata={
            "rows": rows,
            "failed": failed,
            "seconds": round(time.monotonic() - started, 3),
            "model": f"{described.model_name}:{described.model_version}",
            "model_digest": f"sha256:{described.sha256}",
            "path": dg.MetadataValue.path(str(target)),
        },
        check_results=[dg.AssetCheckResult(passed=share <= MOST_FAILED, metadata={"failed_share": share})],
    )


defs = dg.Definitions(
    assets=[scored_customers],
    resources={"scorer": Scorer(url=dg.EnvVar("ASSAY_URL"), model="census")},
)
