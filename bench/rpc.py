"""RPC round trips per second: pygrenache beside the Node.js implementation, in one run on one machine.

    python -m bench.rpc [seconds a measurement] [rounds]

Each side is a server process and a client process, a small JSON payload echoed over loopback, found through real
Grapes. The rounds are interleaved, so that whatever else the machine does hits both sides alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from pygrenache import Link, Request, RpcClient, RpcServer
from tests.conformance import processes

_IN_FLIGHT = (1, 16, 64)
_PAYLOAD = {"hello": "x" * 20}
_BAR = 2.0


class Client:
    """A client process that measures on command."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def measure(self, in_flight: int, seconds: float) -> float:
        """Calls answered per second."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{in_flight} {seconds}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline()) / seconds


def main(seconds: float = 1.0, rounds: int = 5) -> None:
    """Measure and print the table."""
    processes.install(processes.NODE)
    processes.install(processes.ROOT / "grape")
    rates: dict[tuple[str, int], list[float]] = {}
    with processes.two_grapes() as (grape, _), contextlib.ExitStack() as stack:
        clients = {"node": _node_pair(stack, grape), "ours": _our_pair(stack, grape)}
        for client in clients.values():
            client.measure(16, 1.0)  # Warm up: compilers, connections, lookups.
        for _ in range(rounds):
            for in_flight in _IN_FLIGHT:
                for side, client in clients.items():
                    rates.setdefault((side, in_flight), []).append(client.measure(in_flight, seconds))
    _print_table(rates, rounds, seconds)


def _print_table(rates: dict[tuple[str, int], list[float]], rounds: int, seconds: float) -> None:
    print(f"round trips per second, median of {rounds} rounds of {seconds:g} s (best in brackets)\n")
    print(f"{'in flight':>9}  {'grenache-nodejs-http':>22}  {'pygrenache':>22}  {'ratio':>6}")
    for in_flight in _IN_FLIGHT:
        node, ours = rates["node", in_flight], rates["ours", in_flight]
        ratio = statistics.median(ours) / statistics.median(node)
        mark = f"  (bar: {_BAR:g})" if in_flight == 16 else ""
        print(f"{in_flight:>9}  {_cell(node):>22}  {_cell(ours):>22}  {ratio:>6.2f}{mark}")


def _cell(rates: list[float]) -> str:
    return f"{statistics.median(rates):,.0f} ({max(rates):,.0f})"


def _node_pair(stack: contextlib.ExitStack, grape: processes.Grape) -> Client:
    stack.enter_context(processes.node_server(grape, "bench:node"))
    script = str(Path(__file__).parent / "node" / "client.js")
    return Client(
        stack.enter_context(
            _started("node", script, grape.url, "bench:node", NODE_PATH=str(processes.NODE / "node_modules"))
        )
    )


def _our_pair(stack: contextlib.ExitStack, grape: processes.Grape) -> Client:
    ourselves = (sys.executable, "-m", "bench.rpc")
    server = stack.enter_context(_started(*ourselves, "server", grape.url, "bench:ours"))
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    return Client(stack.enter_context(_started(*ourselves, "client", grape.url, "bench:ours")))


@contextlib.contextmanager
def _started(*command: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        ["env", *(f"{name}={value}" for name, value in environment.items()), *command],
        cwd=processes.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def _serve(grape_url: str, name: str) -> None:
    async def echo(request: Request) -> object:
        return request.payload

    server = RpcServer(echo)
    link = Link([grape_url])
    await link.announce(name, await server.start("127.0.0.1"))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(0.0)
    await link.close()


async def _call(grape_url: str, name: str) -> None:
    link = Link([grape_url])
    client = RpcClient(link)
    while line := await asyncio.to_thread(sys.stdin.readline):
        in_flight, seconds = line.split()
        until = time.perf_counter() + float(seconds)
        counts = await asyncio.gather(*(_call_until(client, name, until) for _ in range(int(in_flight))))
        print(sum(counts), flush=True)
    await client.close()
    await link.close()


async def _call_until(client: RpcClient, name: str, until: float) -> int:
    calls = 0
    while time.perf_counter() < until:
        await client.request(name, _PAYLOAD)
        calls += 1
    return calls


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["server", grape_url, name]:
            uvloop.run(_serve(grape_url, name))
        case ["client", grape_url, name]:
            uvloop.run(_call(grape_url, name))
        case [*numbers]:
            main(*(convert(number) for convert, number in zip((float, int), numbers, strict=False)))
