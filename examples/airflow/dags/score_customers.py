"""A DAG of Airflow: each day's customers are scored, and a day whose rows fail more often than those before it fails."""

import json
import math
import os
from datetime import datetime, timedelta
from pathlib import Path

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

ROOT = Path(os.environ.get("CUSTOMERS_DIR", Path(__file__).parents[1]))
DAYS_BEFORE = 7
LEAST_DRIFT = 0.01


def write(path: Path, content: bytes) -> None:
    """Readers see the old file or the new one, and never a part."""
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)


@dag(schedule="@daily", start_date=datetime(2024, 1, 1), catchup=False, max_active_runs=1)
def score_customers():
    @task(retries=2, retry_delay=timedelta(seconds=30))
    def score(ds: str | None = None) -> dict:
        """Writes the day's customers with `score`, `label`, `model_version` and `score_error`; a repeated run writes them anew."""
        # Imported here, since the scheduler reads this file often.
        import assay
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.parquet

        if ds is None:
            raise AirflowFailException("the run has no logical date, which says the day whose customers are scored")
        customers = pyarrow.csv.read_csv(ROOT / "customers" / f"{ds}.csv")
        # The servers are those of ASSAY_URL.
        scored = assay.score(customers, model="census")
        sink = pa.BufferOutputStream()
        pyarrow.parquet.write_table(scored, sink)
        write(ROOT / "scores" / f"{ds}.parquet", sink.getvalue())
        failed = scored.num_rows - scored["score_error"].null_count
        summary = {"day": ds, "rows": scored.num_rows, "failed": failed, "model_version": scored["model_version"][0].as_py()}
        write(ROOT / "scores" / f"{ds}.json", json.dumps(summary).encode())
        return summary

    @task
    def check_error_rate(today: dict) -> None:
        """Fails where the share of rows without a score has drifted from that of the days before: by more than chance, and a point."""
        names = sorted((ROOT / "scores").glob("*.json"))
        before = [json.loads(name.read_text()) for name in names if name.stem < today["day"]][-DAYS_BEFORE:]
        usual = sum(one["failed"] for one in before) / max(1, sum(one["rows"] for one in before))
        rate = today["failed"] / max(1, today["rows"])
        chance = 3 * math.sqrt(usual * (1 - usual) / max(1, today["rows"]))
        if rate > usual + max(LEAST_DRIFT, chance):
            raise AirflowFailException(
                f"{today['failed']} of {today['rows']} rows of {today['day']} have no score ({rate:.1%}); of the {len(before)} days "
                f"before it was {usual:.1%}: scores/{today['day']}.parquet has the reason of each, in score_error"
            )

    check_error_rate(score())


score_customers()
