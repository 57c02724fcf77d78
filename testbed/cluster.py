"""What the testbed needs of a place where peers run. Peers are known by the names of the scenario."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from pygrenache import Address
from testbed.accounts import Copy
from testbed.script import Fault, Torment

ROOT = Path(__file__).resolve().parent.parent
STOP_TIMEOUT_S = 10.0


class CannotRun(Exception):
    """This machine cannot run such a cluster; the text says why, in one line."""


class Cluster(Protocol):
    """Two Grapes and some peers. What was never started, or has ended, may be killed and closed all the same.

    A Grape is killed and started like a peer, by its name. `supports` names the faults it can do; a scenario that
    needs another one is not run at all. `network_key` is what its peers share, a new one for each run.
    """

    name: str
    network_key: bytes

    @property
    def supports(self) -> frozenset[type[Fault]]:
        """The kinds of faults that it can do on this machine."""

    def why_not(self, fault: Fault) -> str:
        """Say why it cannot do this fault; empty if it can."""

    async def open(self, peers: Sequence[str], faults: Collection[type[Fault]] = ()) -> None:
        """Start the Grapes, and prepare these peers without starting them, and for these faults. Raises CannotRun."""

    async def start(self, peer: str) -> None:
        """Start a peer, on its old disk if it had one; it may take a while until it answers."""

    async def kill(self, peer: str) -> None:
        """End a peer at once, so that it writes and says nothing more; its disk stays."""

    async def stop(self, peer: str) -> int:
        """Ask a peer to end, wait until it has, and return its exit code; one that will not end is killed."""

    async def pause(self, peer: str) -> None:
        """Freeze a peer."""

    async def resume(self, peer: str) -> None:
        """Let a paused peer go on."""

    async def torment(self, fault: Torment) -> None:
        """Hurt links, clocks or disks, or heal them; a peer whose disk is full may end by itself."""

    def door(self, peer: str) -> Address:
        """Return where clients reach a peer that was started; it may change with each start."""

    def disk(self, peer: str) -> dict[str, Copy]:
        """Return all that a peer's disk ever held, by owner; nothing where only the peer itself can tell."""

    async def crashed(self) -> list[str]:
        """Tell, in a line each, of everything that has ended without being told to."""

    async def logs(self) -> dict[str, str]:
        """Return what each peer and each Grape has said, by its name."""

    async def close(self) -> None:
        """Keep all logs, then end and remove everything, whatever state it is in."""


def is_alive(pid: int) -> bool:
    """Tell whether there is a process of this number, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
