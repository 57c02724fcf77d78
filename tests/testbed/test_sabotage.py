"""Links of two places that are no peers at all: what is cut, lost and delayed between them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from testbed.leash import Leash
from testbed.namespaces import Site, make_namespaces
from testbed.processes import HERE, PYTHON
from testbed.sabotage import LINK_FAULTS, Means, Obstacles, Sabotage
from testbed.script import FAULTS, BadScript, Crash, Cut, Kill, Lie, Mend, Skew, Torment, Weather
from tests.requirements import require_namespaces

# Tells each datagram that arrives.
LISTEN = """
import socket
heard = socket.socket(type=socket.SOCK_DGRAM)
heard.bind(("0.0.0.0", 5000))
while True: print(heard.recv(99).decode(), flush=True)
"""
SAY = "import socket, sys; socket.socket(type=socket.SOCK_DGRAM).sendto(sys.argv[2].encode(), (sys.argv[1], 5000))"
# Sends back what comes, and where it comes from.
ECHO = """
import socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(self.client_address[0].encode() + b" says " + line)
server = socketserver.ThreadingTCPServer(("0.0.0.0", 5000), Echo)
print("up", flush=True)
server.serve_forever()
"""
CALL = """
import socket, sys
with socket.create_connection((sys.argv[1], 5000)) as call, call.makefile("rw") as stream:
    for line in sys.stdin:
        stream.write(line); stream.flush()
        print(stream.readline().strip() or "the connection has ended", flush=True)
"""


@dataclass(frozen=True, slots=True)
class Program:
    """A Python program in the namespace of a place."""

    process: asyncio.subprocess.Process

    async def line(self) -> str:
        """Return what it prints next."""
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()

    async def asked(self, line: str) -> str:
        """Tell it a line, and return what it prints."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        return await self.line()


class Pair:
    """Two places, and what goes between them."""

    def __init__(self, sites: dict[str, Site], sabotage: Sabotage, stack: AsyncExitStack) -> None:
        self.sites, self.sabotage, self._stack = sites, sabotage, stack

    async def run(self, place: str, program: str, *arguments: str) -> Program:
        """Start a program in a place; it ends with the test."""
        inside = ("nsenter", f"--net={self.sites[place].net}", sys.executable, "-I", "-c", program, *arguments)
        pipe = subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*inside, stdin=pipe, stdout=pipe)

        async def end() -> None:
            if process.returncode is None:
                process.kill()
            await process.wait()

        self._stack.push_async_callback(end)
        return Program(process)

    async def say(self, place: str, other: str, text: str) -> None:
        """Send a datagram from one place to the other."""
        said = await self.run(place, SAY, self.sites[other].address, text)
        assert await said.process.wait() == 0


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """Two places, a and b, whose links can be hurt."""
    require_namespaces()
    leash, sabotage = Leash(), Sabotage(LINK_FAULTS)
    async with AsyncExitStack() as stack:
        stack.callback(leash.close)
        sites = await make_namespaces(leash, ["a", "b"])
        means = Means((*PYTHON, str(HERE / "saboteur.py")), (*PYTHON, str(HERE / "delay.py")), "", "")
        await sabotage.open(means, [], tmp_path / "log")
        stack.push_async_callback(sabotage.close)
        for place, site in sites.items():
            await sabotage.enter(place, site.address, site.net)
        yield Pair(sites, sabotage, stack)


@pytest.mark.parametrize(("hurt", "heal"), [(Cut("a", "b"), Mend("a", "b")), (Weather(loss=1.0), Weather())])
async def test_what_is_said_meanwhile_never_arrives_and_what_is_said_later_does(
    hurt: Torment, heal: Torment, pair: Pair
) -> None:
    listener = await pair.run("b", LISTEN)
    # It may be that it does not listen yet.
    hello = asyncio.create_task(listener.line())
    while not hello.done():
        await pair.say("a", "b", "hello")
    await pair.sabotage.torment(hurt)
    await pair.say("a", "b", "lost")
    await pair.sabotage.torment(heal)
    await pair.say("a", "b", "found")
    told = [await listener.line()]
    while told[-1] == "hello":
        told.append(await listener.line())
    assert told[-1] == "found"


async def test_the_other_direction_of_a_cut_link_is_whole(pair: Pair) -> None:
    listener = await pair.run("a", LISTEN)
    await pair.sabotage.torment(Cut("a", "b"))
    heard = asyncio.create_task(listener.line())
    while not heard.done():
        await pair.say("b", "a", "still here")
    assert await heard == "still here"


async def test_what_is_delayed_comes_from_its_own_sender_and_only_through_the_proxy(pair: Pair) -> None:
    assert await (await pair.run("b", ECHO)).line() == "up"
    caller = await pair.run("a", CALL, pair.sites["b"].address)
    assert await caller.asked("one") == f"{pair.sites['a'].address} says one"
    await pair.sabotage.torment(Weather(soonest_s=1000.0, latest_s=1000.0))
    waiting = asyncio.create_task(caller.asked("two"))
    # All that keeps this connection alive is the proxy.
    await pair.sabotage.close()
    assert await waiting == "the connection has ended"


async def test_a_fault_that_nobody_prepared_for_is_the_scripts_mistake(tmp_path: Path) -> None:
    sabotage = Sabotage((Cut, Kill))
    with pytest.raises(BadScript, match="Weather was not foreseen"):
        await sabotage.torment(Weather())


def test_only_faults_that_nothing_is_in_the_way_of_are_supported() -> None:
    obstacles = Obstacles(links="no root", disks="", clocks="no library")
    assert set(FAULTS) - obstacles.supports == {Cut, Mend, Weather, Skew, Crash, Lie}
    assert obstacles.why_not(Skew("peer-1", 1.0)) == "no library"
    assert obstacles.why_not(Kill("peer-1")) == ""


def test_nothing_comes_twice_over_a_real_link() -> None:
    obstacles = Obstacles(links="", disks="", clocks="")
    assert Weather in obstacles.supports
    assert obstacles.why_not(Weather(loss=0.1)) == ""
    assert "TCP" in obstacles.why_not(Weather(duplication=0.1))
