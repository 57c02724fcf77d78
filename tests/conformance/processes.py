"""The real things as processes on loopback: upstream Grapes, and the Node.js client and server.

Whoever starts one here ends it, whatever happens in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NODE = Path(__file__).resolve().parent / "node"
GRAPE = ROOT / "grape" / "node_modules" / ".bin" / "grape"
_START_S = 20.0


def install(folder: Path) -> None:
    """Run `npm ci` in a folder, once."""
    if not (folder / "node_modules").exists():
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True, timeout=110
        )


def free_port() -> int:
    """A port of 127.0.0.1 that is free for TCP and for UDP."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        ):
            stream.bind(("127.0.0.1", 0))
            port = int(stream.getsockname()[1])
            with contextlib.suppress(OSError):
                datagram.bind(("127.0.0.1", port))
                return port


class Grape:
    """One upstream Grape on fixed ports, so that it can be ended and started again where it was."""

    def __init__(self, port: int, others: list[int]) -> None:
        self.port = port
        self.http_port = free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.dht = f"127.0.0.1:{port}"
        # Several times, since a bootstrap query is what gets through to a Grape that was restarted.
        self._bootstrap = ",".join([f"127.0.0.1:{other}" for other in others] * 5)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.spawn()
        self.await_up()

    def spawn(self) -> None:
        """Start it."""
        ports = ["--dp", str(self.port), "--aph", str(self.http_port), "--bn", self._bootstrap]
        limits = ["--dpa", "30000", "--dnl", "60000", "--check_maxPayloadSize", "8192"]
        self._process = subprocess.Popen([GRAPE, *ports, *limits], stdin=subprocess.DEVNULL)

    def await_up(self) -> None:
        """Wait until it answers."""
        await_true(lambda: ask(self.url, "lookup", "grapes:up") is not None)

    def kill(self) -> None:
        """End it; a second time does nothing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def two_grapes() -> Iterator[tuple[Grape, Grape]]:
    """Two Grapes that know each other."""
    ports = free_port(), free_port()
    first, second = Grape(ports[0], [ports[1]]), Grape(ports[1], [ports[0]])
    try:
        # Both at once: a Grape that finds the other silent waits two seconds for it.
        first.spawn()
        second.spawn()
        for grape in (first, second):
            grape.await_up()
            await_true(functools.partial(_knows_another, grape.url))
        yield first, second
    finally:
        first.kill()
        second.kill()


@contextlib.contextmanager
def node_server(grape: Grape, name: str) -> Iterator[int]:
    """A Node.js echo service announced under `name`; its port."""
    port = free_port()
    with _node("server.js", grape.url, name, str(port)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield port


class NodeClient:
    """A Node.js client; `call` begins calls, all at once, and returns their (error, result) in order."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def call(self, key: str, *payloads: Any, map_all: bool = False, **options: Any) -> list[tuple[Any, Any]]:
        """Make one call for each payload."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for number, payload in enumerate(payloads):
            call = {"id": number, "key": key, "payload": payload, "options": options, "map": map_all}
            self._process.stdin.write(json.dumps(call).encode() + b"\n")
        self._process.stdin.flush()
        answers = [json.loads(self._process.stdout.readline()) for _ in payloads]
        answers.sort(key=lambda answer: int(answer["id"]))
        return [(answer["error"], answer.get("result")) for answer in answers]


@contextlib.contextmanager
def node_client(grape: Grape) -> Iterator[NodeClient]:
    """A Node.js client that looks names up at `grape`."""
    with _node("client.js", grape.url) as process:
        yield NodeClient(process)


def ask(grape_url: str, endpoint: str, data: Any) -> Any:
    """One call of a Grape's HTTP API, without pygrenache; None when the Grape does not answer."""
    request = urllib.request.Request(f"{grape_url}/{endpoint}", json.dumps({"data": data}).encode())
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return json.loads(reply.read() or b"null")
    except OSError:
        return None


def await_true(condition: Callable[[], bool]) -> None:
    """Ask again and again until the condition holds."""
    deadline = time.monotonic() + _START_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come about"
        time.sleep(0.02)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until the condition holds."""
    async with asyncio.timeout(60):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)


def _knows_another(url: str) -> bool:
    name = "grapes:known"
    # A refused announce is remembered for minutes, unless the name is looked up.
    ask(url, "lookup", name)
    return isinstance(ask(url, "announce", [name, 9]), int)


@contextlib.contextmanager
def _node(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["node", *arguments], cwd=NODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
