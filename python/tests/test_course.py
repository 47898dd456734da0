"""The course of a job, step by step, without any server."""

from types import SimpleNamespace

import assay
import grpc
import pytest
from assay.blocks import Block
from assay.course import Answer, Close, Describe, Fetch, Give, Open, Send, Wait, course
from assay.job import ScoreJob
from assay.servers import Access, Servers
from assay.v1 import scoring_service_pb2 as pb

MODEL = SimpleNamespace(model_name="m", model_version="1", labels=[], sha256="a")
LOST = assay.AssayError("SERVER_UNREACHABLE", "gone")


class Rows(Block):
    def fill(self, request, rows):
        request.features.extend([1.0] * len(rows))


@pytest.fixture
def begin():
    """Starts a course over some servers, of which the first is asked first."""
    made = []

    def start(count, deadline=None):
        servers = Servers([f"http://127.0.0.1:{port}" for port in range(1, count + 1)], Access(), grpc, turn=0)
        made.append(servers)
        job = ScoreJob(MODEL, [], 2, "keep", assay.RetryPolicy(first_delay=0.01, longest_delay=0.01))
        return course(job, servers, deadline), servers.all

    yield start
    for servers in made:
        for server in servers.all:
            server.channel.close()


def answer(message):
    count = len(message.request.features)
    return pb.PredictStreamResponse(item_id=message.item_id, response=pb.PredictResponse(scores=[0.5] * count))


def test_one_server_is_asked_at_once_and_several_only_where_their_file_is_the_jobs(begin):
    steps, [only] = begin(1)
    assert next(steps) == Fetch()
    assert steps.send(Rows(1)) == Fetch()
    assert steps.send(None) == Open(only)
    steps, [first, _] = begin(2)
    next(steps)
    steps.send(Rows(1))
    assert steps.send(None) == Describe(first)
    assert steps.send(MODEL) == Open(first)
    steps, [first, _] = begin(2)
    next(steps)
    steps.send(Rows(1))
    assert steps.send(None) == Describe(first)
    with pytest.raises(assay.AssayError, match="another file"):
        steps.send(SimpleNamespace(**{**vars(MODEL), "sha256": "b"}))


def test_what_a_lost_server_left_is_sent_to_the_next_and_batches_come_out_whole(begin):
    steps, [first, second] = begin(2)
    next(steps)
    steps.send(Rows(3))
    assert steps.send(None) == Describe(first)
    assert steps.send(MODEL) == Open(first)
    sent = [next(steps).message, next(steps).message]
    assert next(steps) == Answer()
    assert steps.send(answer(sent[0])) == Answer()
    assert steps.throw(LOST) == Close()
    assert next(steps) == Wait(0.0)
    assert next(steps) == Describe(second)
    assert steps.send(MODEL) == Open(second)
    again = next(steps)
    assert isinstance(again, Send) and again.message.item_id == sent[1].item_id
    assert next(steps) == Answer()
    given = steps.send(answer(again.message))
    assert isinstance(given, Give) and given.scores.scores == [0.5] * 3
    with pytest.raises(StopIteration):
        next(steps)


def test_a_server_that_cannot_be_asked_is_passed_and_the_job_ends_at_its_deadline(begin):
    steps, [first, second] = begin(2)
    next(steps)
    steps.send(Rows(1))
    assert steps.send(None) == Describe(first)
    assert steps.throw(LOST) == Wait(0.0)
    assert next(steps) == Describe(second)
    steps, _ = begin(1, deadline=0.0)
    next(steps)
    steps.send(Rows(1))
    assert isinstance(steps.send(None), Open)
    next(steps)
    next(steps)
    assert steps.throw(LOST) == Close()
    with pytest.raises(assay.AssayError, match="the time that was given"):
        next(steps)


def test_no_rows_ask_nobody(begin):
    steps, _ = begin(2)
    assert next(steps) == Fetch()
    with pytest.raises(StopIteration):
        steps.send(None)
