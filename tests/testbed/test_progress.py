"""The line that a terminal shows while a run plays."""

from __future__ import annotations

import asyncio
import io

from testbed.driver import Driver
from testbed.history import History
from testbed.observer import Observer
from testbed.progress import ERASE, TICK_S, Progress
from testbed.script import Buy, Script
from tests.testbed.little import LittleCluster


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_line_tells_of_requests_and_of_faults_that_last() -> None:
    clock = Clock()
    progress = Progress(io.StringIO(), clock)
    history = History(lambda line: progress.note(history.events[-1]))
    history.invoke("client", "submit", {"peer": "peer-1"}, 0.0)
    number = history.invoke("client", "submit", {"peer": "peer-1"}, 0.0)
    history.end(number, "client", "submit", "ok", {}, 0.1)
    for what in ("kill", "pause", "restart"):
        peer = "peer-2" if what == "pause" else "peer-1"
        history.end(history.invoke("testbed", what, {"peer": peer}, 0.2), "testbed", what, "ok", None, 0.3)
    clock.now = 1.25
    assert progress.line() == "1.2 s  1 answered, 1 waiting  pause peer-2"


def test_it_writes_over_itself_and_not_with_every_event() -> None:
    clock, terminal = Clock(), io.StringIO()
    progress = Progress(terminal, clock)
    history = History(lambda line: progress.note(history.events[-1]))
    for _ in range(100):
        clock.now += TICK_S / 9.5
        history.invoke("client", "submit", {}, clock.now)
    progress.erase()
    lines = terminal.getvalue().split(ERASE)
    assert len(lines) == 12
    assert lines[0] == lines[-1] == ""
    assert "\n" not in terminal.getvalue()


async def test_it_asks_a_living_peer_for_trades_and_leaves_no_mark_in_the_history(
    little: LittleCluster, observer: Observer, driver: Driver, history: History
) -> None:
    def script() -> Script:
        yield Buy("peer-1", "1", "X", at="1")

    little.trades = [{"id": "1"}, {"id": "2"}]
    terminal = io.StringIO()
    progress = Progress(terminal)
    with progress.watching(observer):
        await driver.play(script())
        async with asyncio.timeout(10):
            while "2 trades" not in terminal.getvalue():  # noqa: ASYNC110 - a terminal sets no event
                await asyncio.sleep(0.01)
    assert [operation.what for operation in history.operations()] == ["submit"]
