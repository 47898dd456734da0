"""Tables with the columns of their scores, and functions for the engines that call them."""

import concurrent.futures
import pickle

import assay
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import PERSON, free_port
from polars.testing import assert_frame_equal

RESULTS = ["score", "label", "model_version", "score_error"]
AWAY = f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def people():
    """People of all ages, with their row and one whose age is missing a value that the model needs."""
    frame = pl.DataFrame([{**PERSON, "age": 17 + at % 60, "id": at} for at in range(5000)])
    return frame.with_columns(sex=pl.when(pl.col("id") == 7).then(None).otherwise("sex"))


@pytest.fixture(scope="module")
def truth(server, people):
    return assay.score(people, model="census", url=server.url)


def test_tables_get_the_columns_of_their_scores(server):
    frame = pd.DataFrame([PERSON] * 3, index=[7, 8, 9])
    scored = assay.score(frame, model="census", url=server.url)
    assert list(scored.columns) == [*PERSON, *RESULTS]
    assert list(scored.index) == [7, 8, 9]
    table = assay.score(pa.Table.from_pandas(frame, preserve_index=False), model="census", url=server.url)
    assert table["label"].to_pylist() == ["<=50K"] * 3
    with pytest.raises(assay.AssayError, match='a column "score" already'):
        assay.score(scored, model="census", url=server.url)


def test_the_same_rows_have_the_same_scores_from_every_kind_of_table(server, people, truth):
    assert truth["score_error"].null_count() == len(people) - 1
    assert truth["score"].null_count() == 1
    of_pandas = assay.score(pd.DataFrame(people.to_dicts()), model="census", url=server.url)
    of_arrow = assay.score(people.to_arrow(), model="census", url=server.url)
    of_batch = assay.score(people.to_arrow().combine_chunks().to_batches()[0], model="census", url=server.url)
    for scored in (pl.from_pandas(of_pandas), pl.from_arrow(of_arrow), pl.from_arrow(of_batch)):
        assert_frame_equal(scored.select(RESULTS), truth.select(RESULTS), rel_tol=1e-5)


def test_arrow_columns_are_those_of_lists(server):
    rows = np.random.default_rng(3).random((3000, 4), "f4") * 6
    rows[[0, 2999], 1] = np.inf
    with assay.Client(server.url) as client:
        [scores] = client.score([rows], "iris", probabilities=True)
    table = scores.to_arrow()
    assert table.to_pydict() == scores.to_columns()
    assert [str(one) for one in table.schema.types] == ["double", "string", *["double"] * 3, "string", "string"]


def test_a_model_without_labels_has_all_columns_in_engines(server):
    columns = [one for one in assay.Client(server.url).describe("housing").inputs[0].feature_names]
    batch = pa.RecordBatch.from_pydict({name: [1.0, 2.0] for name in columns})
    [found] = assay.map_in_arrow("housing", server.url)([batch])
    assert found.schema.names == [*columns, *RESULTS]
    assert found["label"].null_count == 2 and found["score"].null_count == 0


def test_a_function_of_polars_scores_structs(server, people, truth):
    scored = assay.udf("census", server.url)
    column = pl.struct(pl.all()).map_batches(scored, return_dtype=scored.dtype)
    assert_frame_equal(people.with_columns(column.struct.unnest()), truth, rel_tol=1e-5)
    named = people.select(column.alias("result"), "id")
    assert named.schema["result"] == scored.dtype
    assert named["result"].struct.field("score_error")[7] == truth["score_error"][7]


def test_a_function_of_polars_scores_vectors_and_single_columns(server):
    rows = np.random.default_rng(4).random((100, 4)).round(2) * 6
    expected = assay.Client(server.url).predict("iris", rows).labels
    scored = assay.udf("iris", server.url)
    arrays = pl.DataFrame({"x": rows}, schema={"x": pl.Array(pl.Float64, 4)})
    for frame in (arrays, arrays.select(pl.col("x").arr.to_list())):
        found = frame.select(pl.col("x").map_batches(scored, return_dtype=scored.dtype).struct.field("label"))
        assert found["label"].to_list() == expected


def test_a_lazy_frame_stays_lazy_and_may_be_filtered_by_its_scores(server, people, truth):
    with_nobody = assay.score(people.lazy(), model="census", url=AWAY)
    assert with_nobody.collect_schema().names() == truth.columns
    lazy = assay.score(people.lazy(), model="census", url=server.url)
    for engine in ("in-memory", "streaming"):
        found = lazy.filter(pl.col("score") < 0.5).select("id", "label").sort("id").collect(engine=engine)
        assert_frame_equal(found, truth.filter(pl.col("score") < 0.5).select("id", "label"))
    with pytest.raises(assay.AssayError, match='a column "score" already'):
        assay.score(truth.lazy(), model="census", url=server.url)
    with pytest.raises(ValueError, match="probabilities=True"):
        assay.score(people.lazy(), model="census", url=server.url, probabilities=True)


def test_a_function_of_polars_may_be_called_by_threads_and_sent_to_processes(server, people, truth):
    scored = pickle.loads(pickle.dumps(assay.udf("census", server.url)))
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        parts = list(threads.map(scored, [people[at : at + 500] for at in range(0, 5000, 500)]))
    assert_frame_equal(pl.concat(parts), truth, rel_tol=1e-5)


def test_no_rows_ask_nobody():
    scored = assay.udf("census", AWAY)
    empty = pl.DataFrame(schema=dict.fromkeys(PERSON, pl.Int64))
    assert scored(empty).columns == [*PERSON, *RESULTS]
    assert scored(empty.to_struct("x")).dtype == scored.dtype
    assert list(assay.map_in_arrow("census", AWAY)(iter([]))) == []
    assert list(assay.map_in_arrow("census", AWAY)([pa.RecordBatch.from_pylist([], pa.schema([("age", pa.int64())]))])) == []


def test_record_batches_of_spark_keep_their_rows_and_get_scores(server):
    batches = [pa.RecordBatch.from_pylist([PERSON] * count) for count in (2, 70_000, 0, 1)]
    found = list(assay.map_in_arrow("census", server.url)(iter(batches)))
    assert sum(one.num_rows for one in found) == 70_003
    assert found[0].schema.names == [*PERSON, *RESULTS]
    assert {type(one) for one in found} == {pa.RecordBatch}


def test_servers_may_be_named_by_the_environment(server, people, truth, monkeypatch):
    monkeypatch.setenv("ASSAY_URL", f"{AWAY}, {server.url}")
    found = assay.score(people, model="census")
    assert_frame_equal(found, truth, rel_tol=1e-5)
    function, scored = assay.map_in_arrow("census"), assay.udf("census")
    # They name the servers of where they were made.
    monkeypatch.setenv("ASSAY_URL", AWAY)
    assert_frame_equal(scored(people), truth, rel_tol=1e-5)
    assert sum(batch.num_rows for batch in function(people.to_arrow().to_batches())) == len(people)
    monkeypatch.setenv("ASSAY_URL", "")
    with assay.Client() as client:
        assert client._servers.all[0].origin == "http://127.0.0.1:8080"


def test_rows_that_are_lists_fail_alone_where_their_length_is_another(server):
    rows = [[5.1, 3.5, 1.4, 0.2], None, [1.0, 2.0], [6.0, 3.0, 5.0, 2.0]]
    reasons = ["the value is missing", "2 values came; 4 were expected"]
    arrow = pa.table({"features": pa.array(rows, pa.list_(pa.float64()))})
    sliced = pa.table({"features": pa.array([[0.0]] + rows, pa.large_list(pa.float32()))}).slice(1)
    for table in (arrow, sliced, pl.DataFrame({"features": rows}), pd.DataFrame({"features": rows})):
        scored = pl.DataFrame(assay.score(table, model="iris", url=server.url))
        assert scored["label"].to_list() == ["setosa", None, None, "virginica"]
        assert scored["score_error"].to_list() == [None, *(f'column "features": {one}' for one in reasons), None]
    function = assay.udf("iris", server.url)
    found = pl.DataFrame({"any": rows}).select(pl.col("any").map_batches(function, return_dtype=function.dtype).struct.unnest())
    assert found["score_error"].to_list() == [None, *reasons, None]
    with assay.Client(server.url) as client:
        [scores] = client.score([rows], "iris")
        assert scores.errors == {1: reasons[0], 2: reasons[1]}
        with pytest.raises(assay.AssayError) as refused:
            client.predict("iris", rows)
        assert [one.row for one in refused.value.violations] == [1, 2]
        for wrong in ([[1.0, 2.0]] * 3, {"features": [[1.0, 2.0]] * 3}, pl.DataFrame({"features": [[1.0, 2.0]] * 3})):
            with pytest.raises(assay.AssayError, match="4"):
                client.predict("iris", wrong)


def test_images_may_be_lists_of_lists(server):
    with assay.Client(server.url) as client:
        spec = client.describe("digits").inputs[0]
        images = np.random.default_rng(5).random((3, *spec.shape[1:]), "f4")
        expected = client.predict("digits", images).labels
        assert client.predict("digits", images.tolist()).labels == expected
        for table in (pa.table({spec.name: images.tolist()}), pl.DataFrame({spec.name: images.tolist()})):
            assert client.predict("digits", table).labels == expected


def test_an_error_reaches_the_caller_through_polars(server):
    function = assay.udf("census", server.url)
    with pytest.raises(Exception, match='INVALID_REQUEST.*the column "age"'):
        pl.DataFrame([PERSON]).select(pl.struct("sex").map_batches(function, return_dtype=function.dtype))
    again = assay.AssayError(str(assay.AssayError("QUEUE_FULL", "later: perhaps")))
    assert (again.reason, again.message) == ("QUEUE_FULL", "later: perhaps")
    assert assay.AssayError("it broke: why").reason == "INTERNAL"
