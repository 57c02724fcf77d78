"""The runner's end of the saboteur: does to links, clocks and disks of real peers what a script wishes.

Processes and containers differ only in how the saboteur is started, and under which paths it finds things.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.cluster import CannotRun
from testbed.links import DELAY_MARK, DELAY_PORT, PREPARATION, Links
from testbed.script import (
    FAULTS,
    GRAPES,
    BadScript,
    Crash,
    Cut,
    Fault,
    FillDisk,
    FreeDisk,
    Lie,
    Mend,
    Skew,
    Torment,
    Weather,
)

LINK_FAULTS: tuple[type[Fault], ...] = (Cut, Mend, Weather)
DISK_FAULTS: tuple[type[Fault], ...] = (FillDisk, FreeDisk)


@dataclass(frozen=True, slots=True)
class Obstacles:
    """What is in the way of faults on a cluster of real peers, in a line for each kind; empty where nothing is."""

    links: str
    disks: str
    clocks: str

    @property
    def supports(self) -> frozenset[type[Fault]]:
        """The kinds of faults that nothing is in the way of."""
        return frozenset(kind for kind in FAULTS if not self._of(kind))

    def why_not(self, fault: Fault) -> str:
        """Say what is in the way of this very fault."""
        if isinstance(fault, Weather) and fault.duplication:
            return "nothing comes twice over a real link: TCP takes what is repeated for one"
        return self._of(type(fault))

    def _of(self, kind: type[Fault]) -> str:
        if kind is Crash:
            return "only a simulation can end a peer at an exact point"
        if kind is Lie:
            return "only simulated links have somebody who alters what they carry"
        if kind is Skew:
            return self.clocks
        return self.links if kind in LINK_FAULTS else self.disks if kind in DISK_FAULTS else ""


@dataclass(frozen=True, slots=True)
class Means:
    """How the saboteur of a cluster works.

    `command` runs it, and `proxy` one delaying proxy (with arguments added). `disks` and `clocks` are the folders in
    which it finds, by its name, each peer's disk and the file that its clock is read from.
    """

    command: Sequence[str]
    proxy: Sequence[str]
    disks: str
    clocks: str


class Sabotage:
    """Faults around the peers of one cluster, as far as they have been prepared for: those in `faults`."""

    def __init__(self, faults: Collection[type[Fault]]) -> None:
        self.prepared = frozenset(faults) & {*LINK_FAULTS, *DISK_FAULTS, Skew}
        self.does_links = any(fault in faults for fault in LINK_FAULTS)
        self.does_disks = any(fault in faults for fault in DISK_FAULTS)
        self.does_clocks = Skew in faults
        self._links = Links(delayed=Weather in faults)
        self._rules: dict[str, str] = {}
        self._means: Means | None = None
        self._saboteur: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def open(self, means: Means, peers: Sequence[str], log: Path) -> None:
        """Start the saboteur if there is anything for it to do, and set all clocks right. Raises CannotRun."""
        if not self.prepared:
            return
        self._means = means
        with log.open("ab") as errors:
            # A session of its own: a Ctrl-C at the terminal is the runner's, which still has to clean up.
            self._saboteur = await asyncio.create_subprocess_exec(
                *means.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
            )
        if self.does_clocks:
            for peer in peers:
                await self.torment(Skew(peer, 0.0))

    async def enter(self, place: str, address: str, net: str) -> None:
        """Take over the network of a place that has just got it, `net` being its namespace, with all that is cut."""
        if not self.does_links:
            return
        assert self._means is not None
        delayed = Weather in self.prepared and place not in GRAPES
        proxy = [*self._means.proxy, str(DELAY_PORT), str(DELAY_MARK)] if delayed else None
        async with self._turn:
            await self._ask("enter", place=place, net=net, rules=PREPARATION, proxy=proxy)
            self._links.addresses[place] = address
            self._rules.pop(place, None)
            await self._write_rules()

    async def torment(self, fault: Torment) -> None:
        """Do it.

        Raises:
            BadScript: nobody has prepared for it.
            CannotRun: the machine refuses.
        """
        if type(fault) not in self.prepared:
            raise BadScript(f"{type(fault).__name__} was not foreseen when the script was rehearsed")
        # One at a time: two that write the rules of a place would overtake each other.
        async with self._turn:
            await self._do(fault)

    async def close(self) -> None:
        """End the saboteur, and with it its proxies; what it has done to networks ends with them."""
        if self._saboteur is not None:
            self._saboteur.kill()
            await self._saboteur.wait()
            self._saboteur = None

    async def _do(self, fault: Torment) -> None:
        assert self._means is not None
        match fault:
            case Cut() | Mend():
                self._links.change(fault)
                await self._write_rules()
            case Weather(soonest_s=soonest_s, latest_s=latest_s):
                self._links.change(fault)
                await self._write_rules()
                await self._ask("delay", soonest_s=soonest_s, latest_s=latest_s)
            case Skew(peer, ahead_s):
                await self._ask("clock", file=f"{self._means.clocks}/{peer}", ahead_s=ahead_s)
            case FillDisk(peer):
                await self._ask("fill", folder=f"{self._means.disks}/{peer}")
            case FreeDisk(peer):
                await self._ask("free", folder=f"{self._means.disks}/{peer}")

    async def _write_rules(self) -> None:
        for place in self._links.addresses:
            rules = self._links.rules(place)
            if self._rules.get(place) != rules:
                await self._ask("rules", place=place, rules=rules)
                self._rules[place] = rules

    async def _ask(self, do: str, **asked: Any) -> None:
        assert self._saboteur is not None
        assert self._saboteur.stdin is not None
        assert self._saboteur.stdout is not None
        self._saboteur.stdin.write(f"{json.dumps({'do': do, **asked})}\n".encode())
        answer = await self._saboteur.stdout.readline()
        failed = json.loads(answer).get("error") if answer else "the saboteur has ended"
        if failed:
            raise CannotRun(f"{do} failed: {failed}")
