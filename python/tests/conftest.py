"""A server of the checkout. TESTED_COMMAND: the command that starts one, as a JSON list; TESTED_MODELS: its models."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

PERSON = {
    "age": 39,
    "education_num": 13,
    "hours_per_week": 40,
    "capital_gain": 2174,
    "capital_loss": 0,
    "workclass": "State-gov",
    "marital_status": "Never-married",
    "occupation": "Adm-clerical",
    "relationship": "Not-in-family",
    "sex": "Male",
}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Server:
    def __init__(self, *flags, models=("--models", os.environ["TESTED_MODELS"])):
        self.models = models
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.flags = flags
        self.start()

    def start(self):
        command = [*json.loads(os.environ["TESTED_COMMAND"]), *self.models]
        command += ["--port", str(self.port), "--devices", "cpu", *self.flags]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while not self.is_ready():
            assert self.process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server is not ready within 60 s"
            time.sleep(0.05)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def children(self):
        """Processes that the server started, such as those of its sessions."""
        found, todo = [], [self.process.pid]
        while todo:
            for tasks in Path(f"/proc/{todo.pop()}/task").glob("*/children"):
                some = [int(one) for one in tasks.read_text().split()]
                found += some
                todo += some
        return found

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()


@pytest.fixture(scope="session")
def server():
    one = Server()
    yield one
    one.end()


@pytest.fixture
def own_server():
    """Starts servers of iris alone that a test may end; they are gone after it."""
    started = []

    def start(*flags, models=(f"iris={os.environ['TESTED_MODELS']}/iris",)):
        started.append(Server(*flags, models=models))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)
