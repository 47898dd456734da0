"""One call: what it takes, what it answers, and its errors."""

import asyncio
import pickle

import assay
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import PERSON, free_port

FLOWERS = [[5.1, 3.5, 1.4, 0.2], [6.0, 3.0, 5.0, 2.0]]


@pytest.fixture(scope="module")
def client(server):
    with assay.Client(server.url) as one:
        yield one


@pytest.fixture(scope="module")
def person(client):
    return client.predict("census", PERSON).scores[0]


FORMS = {
    "a list of dicts": lambda: [PERSON] * 3,
    "a pandas DataFrame": lambda: pd.DataFrame([PERSON] * 3),
    "a pandas DataFrame with categories and nullable types": lambda: (
        pd.DataFrame([PERSON] * 3).convert_dtypes().astype({"sex": "category"})
    ),
    "a polars DataFrame": lambda: pl.DataFrame([PERSON] * 3),
    "a polars DataFrame with categories": lambda: pl.DataFrame([PERSON] * 3).with_columns(pl.col("sex").cast(pl.Categorical)),
    "a polars LazyFrame": lambda: pl.LazyFrame([PERSON] * 3),
    "a pyarrow table": lambda: pa.Table.from_pylist([PERSON] * 3),
    "a pyarrow record batch": lambda: pa.RecordBatch.from_pylist([PERSON] * 3),
    "a pyarrow table with dictionaries": lambda: pa.table(
        {name: pa.array([value] * 3).dictionary_encode() for name, value in PERSON.items()}
    ),
    "a dict of lists": lambda: {name: [value] * 3 for name, value in PERSON.items()},
    "a dict of arrays": lambda: {name: np.array([value] * 3) for name, value in PERSON.items()},
    "columns in another order, with one that the model does not have": lambda: (
        pd.DataFrame([PERSON] * 3).assign(id=7)[["id", *reversed(PERSON)]]
    ),
    "integers as whole floats": lambda: pd.DataFrame([PERSON] * 3).astype({"age": float}),
    "names with dashes, as exporters spell them": lambda: (
        pd.DataFrame([PERSON] * 3).rename(columns=lambda name: name.replace("_", "-"))
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_scores_a_model_of_columns_from(form, client, person):
    scores = client.predict("census", FORMS[form]())
    assert scores.scores == pytest.approx([person] * 3, rel=1e-6)
    assert scores.labels == ["<=50K"] * 3
    assert (len(scores), scores.model_name, scores.model_version) == (3, "census", "1")


@pytest.mark.parametrize(
    "rows", [FLOWERS, np.array(FLOWERS), np.array(FLOWERS, "f4"), {"features": np.array(FLOWERS)}, tuple(map(tuple, FLOWERS))]
)
def test_scores_a_vector_from(rows, client):
    assert client.predict("iris", rows).labels == ["setosa", "virginica"]


def test_takes_one_row_as_a_list(client):
    assert client.predict("iris", FLOWERS[0]).labels == ["setosa"]


def test_scores_images(client):
    spec = client.describe("digits").inputs[0]
    images = np.zeros((2, *spec.shape[1:]), "f4")
    assert len(client.predict("digits", images)) == 2
    with pytest.raises(assay.AssayError, match=r"an array of shape \[2, 3\] came"):
        client.predict("digits", np.zeros((2, 3)))


def test_more_rows_than_a_message_should_have_come_in_order(client):
    rows = np.random.default_rng(1).random((10_000, 4), "f4") * 5
    many = client.predict("iris", rows)
    assert many.to_numpy()[[0, 5000, 9999]] == pytest.approx(client.predict("iris", rows[[0, 5000, 9999]]).to_numpy(), rel=1e-5)


def test_probabilities_and_what_scores_become(client):
    scores = client.predict("iris", FLOWERS, probabilities=True)
    assert scores.classes == ("setosa", "versicolor", "virginica")
    assert scores.probabilities.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)
    names = ["score", "label", *(f"probability_{name}" for name in scores.classes), "model_version", "score_error"]
    assert scores.to_arrow().schema.names == names
    assert list(scores.to_pandas().columns) == names
    assert scores.to_polars().columns == names
    assert [one.label for one in scores] == ["setosa", "virginica"]


def test_columns_that_are_missing_or_of_another_type_are_told_at_once(client):
    frame = pd.DataFrame([PERSON]).rename(columns={"age": "agee"}).assign(sex=1)
    with pytest.raises(assay.AssayError) as refused:
        client.predict("census", frame)
    error = refused.value
    assert error.reason == "INVALID_REQUEST"
    assert {one.column for one in error.violations} == {"age", "sex"}
    assert '"agee" is there' in str(error)
    assert pickle.loads(pickle.dumps(error)).violations == error.violations


def test_rows_that_cannot_be_scored_are_named(client):
    frame = pd.DataFrame([PERSON] * 3).astype({"age": object})
    frame.loc[1, "age"] = "x"
    frame.loc[2, "sex"] = None
    with pytest.raises(assay.AssayError) as refused:
        client.predict("census", frame)
    assert [(one.row, one.column) for one in refused.value.violations] == [(1, "age"), (2, "sex")]
    with pytest.raises(assay.AssayError) as refused:
        client.predict("iris", [*FLOWERS, [1, 2, float("inf"), 4]])
    assert [(one.row, one.rule) for one in refused.value.violations] == [(2, "value.finite")]
    with pytest.raises(assay.AssayError, match='did you mean "age"'):
        client.predict("census", {**PERSON, "agee": 1})


@pytest.mark.parametrize("name", ["irsi", "no such model"])
def test_a_model_that_is_not_there_is_told_with_the_nearest_name(name, client):
    with pytest.raises(assay.AssayError) as refused:
        client.predict(name, FLOWERS)
    assert (refused.value.reason, refused.value.code) == ("MODEL_NOT_FOUND", "NOT_FOUND")


def test_a_call_ends_at_its_deadline_and_says_so():
    # Accepts connections and never answers.
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        with assay.Client(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.3) as client:
            with pytest.raises(assay.AssayError) as refused:
                client.predict("census", PERSON)
    assert refused.value.reason in ("DEADLINE_EXCEEDED", "SERVER_UNREACHABLE")


def test_another_server_answers_where_one_is_away(server):
    with assay.Client([f"http://127.0.0.1:{free_port()}", server.url]) as client:
        for _ in range(4):
            assert client.predict("iris", FLOWERS).labels == ["setosa", "virginica"]


def test_nobody_there_is_told_with_the_address():
    url = f"http://127.0.0.1:{free_port()}"
    with assay.Client(url, retry=assay.RetryPolicy(attempts=2, first_delay=0.01)) as client:
        with pytest.raises(assay.AssayError, match=url) as refused:
            client.predict("census", PERSON)
    assert refused.value.reason == "SERVER_UNREACHABLE"


def test_addresses_that_are_none_are_refused():
    for url in ["ftp://x", "http://", "http://host/path", []]:
        with pytest.raises(ValueError, match="expected"):
            assay.Client(url)


def test_asyncio_scores_side_by_side(server, person):
    async def calls():
        async with assay.AsyncClient(server.url) as client:
            return await asyncio.gather(*(client.predict("census", pd.DataFrame([PERSON])) for _ in range(20)))

    assert [one.scores[0] for one in asyncio.run(calls())] == pytest.approx([person] * 20, rel=1e-6)
