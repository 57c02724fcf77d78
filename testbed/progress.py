"""One line in the terminal while a run plays: for how long, what was answered and traded, which faults last.

The rule: it is for somebody who looks on, and leaves nothing behind: no file, no request that a history would hold.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from pygrenache import GrenacheError
from testbed.history import Event, History
from testbed.observer import Observer
from testbed.timeline import bands

TICK_S = 0.2
TRADES_EVERY = 5
MAX_TRADES = 1_000
ERASE = "\r\x1b[K"


class Progress:
    """The line of one run on one terminal; `clock` is in seconds."""

    def __init__(self, terminal: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._terminal = terminal
        self._clock = clock
        self._began = self._shown = clock()
        self._asked = self._answered = 0
        self._trades = ""
        self._faults = History()

    def note(self, event: Event) -> None:
        """Take in what has happened, and show it, though not more often than anybody can read."""
        if event.process == "testbed":
            self._faults.events.append(event)
        elif event.kind == "invoke":
            self._asked += 1
        else:
            self._answered += 1
        if self._clock() - self._shown >= TICK_S:
            self.show()

    def line(self) -> str:
        """Return what there is to say now."""
        waiting = f", {waits:,} waiting" if (waits := self._asked - self._answered) else ""
        hurt = [what for _, _, _, end_s, what in bands(self._faults, [], []) if end_s is None]
        parts = [f"{self._clock() - self._began:.1f} s", f"{self._answered:,} answered{waiting}", self._trades, *hurt]
        return "  ".join(part for part in parts if part)

    def show(self) -> None:
        """Write the line over the one before."""
        self._shown = self._clock()
        width = shutil.get_terminal_size().columns - 1
        self._terminal.write(f"{ERASE}{self.line()[:width]}")
        self._terminal.flush()

    def erase(self) -> None:
        """Give the terminal back."""
        self._terminal.write(ERASE)
        self._terminal.flush()

    @contextmanager
    def watching(self, observer: Observer) -> Iterator[None]:
        """Meanwhile, show also that nothing happens, and ask a living peer now and then what trades it has seen."""
        watch = asyncio.get_running_loop().create_task(self._watch(observer))
        try:
            yield
        finally:
            watch.cancel()

    async def _watch(self, observer: Observer) -> None:
        ticks = 0
        while True:
            if ticks % TRADES_EVERY == 0:
                self._trades = await _trades(observer) or self._trades
            self.show()
            ticks += 1
            await asyncio.sleep(TICK_S)


async def _trades(observer: Observer) -> str:
    """Say how many trades the first living peer shows; nothing if it does not answer."""
    for peer in observer.living:
        try:
            shown = await observer.door(peer).ask({"type": "GET_TRADES", "limit": MAX_TRADES})
            count = len(shown["trades"])
        except (GrenacheError, LookupError, TypeError):
            return ""
        return f"{count:,}{'+' if count == MAX_TRADES else ''} trades"
    return ""
