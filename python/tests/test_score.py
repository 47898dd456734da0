"""Streams: order, rows that fail, and what is gone on from."""

import asyncio
import os
import shutil
import signal
import threading

import assay
import numpy as np
import pandas as pd
import pytest
from conftest import PERSON

RETRY = assay.RetryPolicy(stream_timeout=60)


def flowers(count, seed=1):
    return np.random.default_rng(seed).random((count, 4), "f4") * 6


def expected(server, rows):
    with assay.Client(server.url) as client:
        return client.predict("iris", rows).to_numpy()


def test_batches_come_in_their_order_with_their_rows(server):
    batches = [flowers(count, count) for count in (1, 3000, 0, 17, 9000, 2)]
    with assay.Client(server.url) as client:
        found = list(client.score(iter(batches), "iris"))
    assert [len(one) for one in found] == [len(one) for one in batches]
    for scores, batch in zip(found, batches, strict=True):
        if len(batch):
            assert scores.to_numpy() == pytest.approx(expected(server, batch), rel=1e-4, abs=1e-5)
        assert scores.errors == {}


def test_batches_are_read_as_they_are_needed(server):
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield flowers(10)

    with assay.Client(server.url) as client:
        found = client.score(endless(), "iris")
        for _ in range(5):
            next(found)
        found.close()
    assert read < 100


def test_rows_that_fail_have_an_error_and_all_others_a_score(server):
    rows = flowers(5000)
    bad = [0, 7, 1023, 1024, 4999]
    rows[bad, 2] = np.inf
    with assay.Client(server.url) as client:
        [scores] = client.score([rows], "iris", probabilities=True)
    assert sorted(scores.errors) == bad
    assert "Infinity" in scores.errors[7]
    assert np.flatnonzero(np.isnan(scores.to_numpy())).tolist() == bad
    assert scores.labels[7] is None and scores.labels[8] is not None
    assert scores.to_arrow()["score"].null_count == len(bad)


def test_rows_that_never_leave_fail_alone_too(server):
    frame = pd.DataFrame([PERSON] * 100).astype({"age": object, "hours_per_week": float})
    frame.loc[5, "age"] = "old"
    frame.loc[6, "sex"] = None
    frame.loc[7, "hours_per_week"] = 2.5
    with assay.Client(server.url) as client:
        [scores] = client.score([frame], "census")
        assert sorted(scores.errors) == [5, 6, 7]
        with pytest.raises(assay.AssayError, match="batch 1, row 5: column \"age\": 'old' is not a number"):
            list(client.score([frame[:5], frame], "census", on_error="fail"))


def test_rows_as_dicts_are_found_by_their_row(server):
    rows = [dict(PERSON) for _ in range(50)]
    rows[3]["agee"] = 1
    rows[9]["age"] = 2.5
    with assay.Client(server.url) as client:
        [scores] = client.score([rows], "census")
    assert sorted(scores.errors) == [3, 9]


def test_a_model_that_is_not_there_ends_the_job(server):
    with assay.Client(server.url) as client, pytest.raises(assay.AssayError) as refused:
        list(client.score([flowers(1)], "irsi"))
    assert refused.value.reason == "MODEL_NOT_FOUND"


def broken(server, break_it, count=25):
    """Scores while the server is broken after some batches; every row has to come out once."""
    batches = [flowers(2048, seed) for seed in range(count)]
    found = []
    with assay.Client(server.url, retry=RETRY) as client:
        for scores in client.score(iter(batches), "iris"):
            found.append(scores)
            if len(found) == 5:
                break_it()
    assert [len(one) for one in found] == [2048] * count
    for scores, batch in zip(found[::6], batches[::6], strict=True):
        assert scores.to_numpy() == pytest.approx(expected(server, batch), rel=1e-4, abs=1e-5)
        assert scores.errors == {}


def test_a_server_that_is_killed_and_started_again_loses_no_row(own_server):
    server = own_server()

    def restart():
        server.end(signal.SIGKILL)
        threading.Thread(target=server.start).start()

    broken(server, restart)


def test_a_server_that_drains_and_is_started_again_loses_no_row(own_server):
    server = own_server()

    def restart():
        def again():
            server.end()
            server.start()

        threading.Thread(target=again).start()

    broken(server, restart)


def test_a_worker_that_is_killed_loses_no_row(own_server):
    server = own_server("--isolation", "process")

    def kill():
        for child in server.children():
            os.kill(child, signal.SIGKILL)

    broken(server, kill)


@pytest.mark.parametrize("turn", [0, 1])
def test_the_next_server_goes_on_where_one_is_lost(turn, own_server, server):
    lost = own_server()
    batches = [flowers(2048, seed) for seed in range(15)]
    found = []
    # One of the two turns describes the model at the server that is lost, and the other has its stream there.
    with assay.Client([lost.url, server.url], retry=RETRY, turn=turn) as client:
        for scores in client.score(batches, "iris"):
            found.append(scores)
            if len(found) == 2:
                lost.end(signal.SIGKILL)
    for scores, batch in zip(found, batches, strict=True):
        assert scores.errors == {}
        assert scores.to_numpy() == pytest.approx(expected(server, batch), rel=1e-4, abs=1e-5)


def test_a_server_that_has_another_file_of_the_version_is_refused(own_server, server, tmp_path):
    shutil.copytree(os.path.join(os.environ["TESTED_MODELS"], "iris"), tmp_path / "iris")
    model = tmp_path / "iris/1/model.onnx"
    # An unknown field at the end of an ONNX file: another file, the same graph.
    model.write_bytes(model.read_bytes() + b"\xfa\x3e\x01x")
    other = own_server(models=(f"iris={tmp_path}/iris",))
    for urls in ([other.url, server.url], [server.url, other.url]):
        with assay.Client(urls, turn=0) as client, pytest.raises(assay.AssayError) as refused:
            list(client.score([flowers(10)], "iris"))
        assert "another file for iris version 1" in str(refused.value)


def test_many_clients_of_one_list_begin_at_different_servers():
    urls = [f"http://127.0.0.1:{port}" for port in range(1, 5)]

    def first(**options):
        return assay.Client(urls, **options)._servers.next().origin

    assert {first() for _ in range(100)} == set(urls)
    assert [first(turn=turn) for turn in range(5)] == [*urls, urls[0]]


def test_asyncio_goes_on_where_a_server_is_lost(own_server, server):
    lost = own_server()

    async def scored():
        found = []
        async with assay.AsyncClient([lost.url, server.url], retry=RETRY, turn=1) as client:
            async for scores in client.score([flowers(2048, seed) for seed in range(15)], "iris"):
                found.append(scores)
                if len(found) == 2:
                    lost.end(signal.SIGKILL)
        return found

    found = asyncio.run(scored())
    assert [(len(one), one.errors) for one in found] == [(2048, {})] * 15
    assert found[-1].to_numpy() == pytest.approx(expected(server, flowers(2048, 14)), rel=1e-4, abs=1e-5)


def test_a_server_that_stays_away_ends_the_job(own_server):
    server = own_server()
    retry = assay.RetryPolicy(stream_timeout=0.5)
    with assay.Client(server.url, retry=retry) as client:
        found = client.score((flowers(2048) for _ in range(100)), "iris")
        next(found)
        server.end(signal.SIGKILL)
        with pytest.raises(assay.AssayError, match="no answer for"):
            list(found)


def test_asyncio_scores_batches_that_come_asynchronously(server):
    rows = flowers(3000)
    rows[5, 0] = np.inf

    async def scored():
        async def batches():
            for _ in range(10):
                await asyncio.sleep(0)
                yield rows

        async with assay.AsyncClient(server.url) as client:
            return [scores async for scores in client.score(batches(), "iris")]

    found = asyncio.run(scored())
    assert [(len(one), list(one.errors)) for one in found] == [(3000, [5])] * 10
