"""Time that passes when there is nothing left to do: one agenda of events, and an asyncio loop that lives on it.

The rule: whoever waits here waits on the agenda. So a minute of the run takes as long as its events take to compute,
and two runs with the same events are the same run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from heapq import heappop, heappush
from math import inf
from typing import Any, TypeVar

EPOCH_S = 1_000.0
RESOLUTION_S = 1e-9
# The largest of sixty drawn runs that were measured took 16,000.
MAX_EFFORT = 40_000

T = TypeVar("T")


class Endless(Exception):
    """So much has happened that this run will not come to rest in any time that somebody would wait for."""


class Agenda:
    """What happens when; of what happens at the same time, what was put down first.

    `now` is in seconds; `effort` counts what has happened: whoever does more than an event's work adds to it. More
    than `max_effort` is Endless.
    """

    def __init__(self, max_effort: int = MAX_EFFORT) -> None:
        self.now = EPOCH_S
        self.effort = 0
        self.max_effort = max_effort
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def after(self, delay_s: float, act: Callable[[], None]) -> None:
        """Put something on the agenda."""
        self._count += 1
        heappush(self._events, (self.now + delay_s, self._count, act))

    def pass_time(self, until: float, awaited: list[Any]) -> None:
        """Let things happen until a point in time, or until there is something in `awaited`."""
        events = self._events
        while not awaited and events and events[0][0] <= until:
            self.now, _, act = heappop(events)
            self.effort += 1
            if self.effort > self.max_effort:
                raise Endless(f"so much has happened in {self.now - EPOCH_S:.1f} s, and still no rest")
            act()
        if not awaited and until < inf:
            self.now = until
        assert awaited or until < inf, "somebody waits, and nothing will ever happen"


class VirtualLoop(asyncio.BaseEventLoop):
    """An asyncio loop on an agenda: where others wait for sockets, this one lets virtual time pass."""

    def __init__(self, agenda: Agenda) -> None:
        super().__init__()
        self._agenda = agenda
        self._handles: Any = self._ready  # type: ignore[attr-defined]
        # The base class asks its selector to wait, and takes the resolution of the machine's clock for its own.
        self._selector = self
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        """Return the agenda's time."""
        return self._agenda.now

    def select(self, timeout: float | None) -> list[Any]:
        """Wait as a selector does: until the time is over, or something on the agenda has woken a task."""
        self._agenda.pass_time(inf if timeout is None else self._agenda.now + timeout, self._handles)
        return []

    def _process_events(self, events: list[Any]) -> None:
        assert not events

    def _write_to_self(self) -> None:
        """Wake nobody: there is one thread, and it does not sleep."""


def run(agenda: Agenda, main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    found: list[T] = []

    async def keep() -> None:
        found.append(await main)

    # A runner prints its task, for an error that it then ignores: let there be no whole run to print.
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(agenda)) as runner:
        runner.run(keep())
    return found[0]
