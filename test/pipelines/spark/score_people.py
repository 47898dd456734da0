"""Scores made-up people by Spark over some servers, then compares all scores with what one server says of the same rows by itself.

Arguments: the address of the server that is compared with, rows, partitions, a folder for the scores, and the addresses that Spark
asks. Prints a line of JSON with what was compared, and seconds of processor time of Spark and its Python workers.
"""

import glob
import json
import os
import sys
import time

import assay
import pyarrow.compute as pc
import pyarrow.dataset
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

truth_url, rows, partitions, folder, *urls = sys.argv[1:]
os.environ["PYSPARK_PYTHON"] = sys.executable
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.memory", "512m")
    .config("spark.ui.enabled", "false")
    .config("spark.local.dir", folder)
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def one_of(salt, *values):
    return f.element_at(f.array(*map(f.lit, values)), (f.abs(f.xxhash64("id", f.lit(salt))) % len(values) + 1).cast("int"))


people = spark.range(0, int(rows), 1, int(partitions)).select(
    "id",
    (17 + f.col("id") % 70).alias("age"),
    (1 + f.col("id") % 16).alias("education_num"),
    (5 + f.col("id") % 60).alias("hours_per_week"),
    f.when(f.col("id") % 9 == 0, 7688).otherwise(0).cast("long").alias("capital_gain"),
    f.lit(0).cast("long").alias("capital_loss"),
    one_of(1, "Private", "State-gov", "Self-emp-inc").alias("workclass"),
    one_of(2, "Married-civ-spouse", "Never-married").alias("marital_status"),
    one_of(3, "Sales", "Exec-managerial", "Craft-repair").alias("occupation"),
    one_of(4, "Husband", "Not-in-family").alias("relationship"),
    # A model of texts does not take a missing one: this row fails, and no other.
    f.when(f.col("id") == 77, f.lit(None)).otherwise(one_of(5, "Male", "Female")).alias("sex"),
)


def cpu_seconds(pid):
    """Of a process, those that it started, and those of them that have ended."""
    with open(f"/proc/{pid}/stat") as file:
        ticks = sum(map(int, file.read().rpartition(")")[2].split()[11:15]))
    children = [int(child) for path in glob.glob(f"/proc/{pid}/task/*/children") for child in open(path).read().split()]
    return ticks / os.sysconf("SC_CLK_TCK") + sum(map(cpu_seconds, children))


scored = assay.score(people, model="census", url=urls)
assert scored.columns == [*people.columns, "score", "label", "model_version", "score_error"]
before, started = cpu_seconds(os.getpid()), time.monotonic()
scored.write.parquet(f"{folder}/scores")
seconds, cpu = time.monotonic() - started, cpu_seconds(os.getpid()) - before
spark.stop()

found = pyarrow.dataset.dataset(f"{folder}/scores").to_table().sort_by("id")
results = ("score", "label", "model_version", "score_error")
with assay.Client(truth_url) as client:
    truth = [one.to_arrow() for one in client.score([found.drop_columns(results)], "census")][0]
print(
    json.dumps(
        {
            "ids": found["id"].equals(pyarrow.chunked_array([range(int(rows))])),
            "farthest": pc.max(pc.abs(pc.subtract(found["score"], truth["score"]))).as_py(),
            "unscored": found.filter(pc.is_null(found["score"]))["id"].to_pylist(),
            "others": [name for name in results[1:] if not found[name].equals(truth[name])],
            "rows": int(rows),
            "seconds": round(seconds, 2),
            "cpu_seconds": round(cpu, 2),
        }
    )
)
