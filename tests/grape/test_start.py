"""Upstream Grape as we start it, on a local process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.requirements import require_node

pytestmark = pytest.mark.node

GRAPE = Path(__file__).parents[2] / "grape"


@pytest.fixture(scope="module", autouse=True)
def upstream() -> None:
    """Upstream Grape, installed as locked."""
    require_node()
    if not (GRAPE / "node_modules").exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=GRAPE, check=True)


@pytest.fixture
def ports() -> dict[str, str]:
    """A free port for each of a Grape's two sockets, as its environment."""
    with socket.socket(type=socket.SOCK_DGRAM) as dht, socket.socket() as api:
        dht.bind(("127.0.0.1", 0))
        api.bind(("127.0.0.1", 0))
        return {"GRAPE_DHT_PORT": str(dht.getsockname()[1]), "GRAPE_API_PORT": str(api.getsockname()[1])}


@pytest.fixture
def grape(ports: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A Grape that has said that it listens; the other one that it is told of is not there."""
    with node("start.js", GRAPE_BOOTSTRAP="127.0.0.1:9", **ports) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("grape: DHT on udp")
            yield process
        finally:
            process.kill()


def node(script: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["node", script],
        cwd=GRAPE,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_grape_that_is_told_of_no_other_says_so_and_ends() -> None:
    with node("start.js", GRAPE_BOOTSTRAP=" , ") as process:
        _said, complaint = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "GRAPE_BOOTSTRAP names no other Grape" in complaint


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_grape_ends_without_complaint_when_asked_to(grape: subprocess.Popen[str], asked: signal.Signals) -> None:
    grape.send_signal(asked)
    assert grape.communicate(timeout=20)[1] == ""
    assert grape.returncode == 0


def test_a_grape_is_healthy_while_it_answers_even_if_the_other_is_down(
    grape: subprocess.Popen[str], ports: dict[str, str]
) -> None:
    with node("health.js", **ports) as check:
        assert check.wait(timeout=20) == 0
    grape.kill()
    grape.wait(timeout=20)
    with node("health.js", **ports) as check:
        assert check.wait(timeout=20) == 1
