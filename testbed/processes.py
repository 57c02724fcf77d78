"""A cluster of local processes: peers as `python -m peer`, two upstream Grapes on Node.js, everything on loopback."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from pygrenache import Address
from testbed.cluster import ROOT, CannotRun
from testbed.leash import Leash
from testbed.script import GRAPE_STRIKES, GRAPES, STRIKES, Fault

HOST = "127.0.0.1"


def node_is_here() -> bool:
    """Tell whether upstream Grape can be run."""
    return shutil.which("node") is not None


class ProcessCluster:
    """Peers and Grapes as processes of this machine; logs go to `directory`/logs, disks to `directory`/data.

    `peer` is the command that runs one peer.
    """

    name = "processes"
    supports: frozenset[type[Fault]] = frozenset({*STRIKES, *GRAPE_STRIKES})

    def __init__(self, directory: Path, peer: Sequence[str] = (sys.executable, "-m", "peer")) -> None:
        self.network_key = secrets.token_hex(32).encode()
        self._directory = directory
        self._peer = list(peer)
        self._ports: dict[str, int] = {}
        self._programs: dict[str, tuple[list[str], dict[str, str]]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._leash: Leash | None = None

    async def open(self, peers: Sequence[str]) -> None:
        """Start the Grapes, and give every peer a port and a disk of its own."""
        await _install_grape()
        self._leash = Leash()
        (self._directory / "logs").mkdir()
        dht = dict(zip(GRAPES, _free_ports(socket.SOCK_DGRAM, len(GRAPES)), strict=True))
        ports = _free_ports(socket.SOCK_STREAM, len(GRAPES) + len(peers))
        self._ports = dict(zip([*GRAPES, *peers], ports, strict=True))
        for grape in GRAPES:
            others = ",".join(f"{HOST}:{dht[other]}" for other in GRAPES if other != grape)
            api = {"GRAPE_DHT_PORT": str(dht[grape]), "GRAPE_API_PORT": str(self._ports[grape])}
            self._programs[grape] = (["node", "grape/start.js"], {**api, "GRAPE_BOOTSTRAP": others})
            await self.start(grape)
        for peer in peers:
            (self._directory / "data" / peer).mkdir(parents=True)
            environment = {
                "GRAPEVINE_GRAPES": ",".join(f"http://{HOST}:{self._ports[grape]}" for grape in GRAPES),
                "GRAPEVINE_DHT": ",".join(f"{HOST}:{port}" for port in dht.values()),
                "GRAPEVINE_DATA": str(self._directory / "data" / peer),
                "GRAPEVINE_PORT": str(self._ports[peer]),
                "GRAPEVINE_NETWORK_KEY": self.network_key.decode(),
            }
            self._programs[peer] = (self._peer, environment)

    async def start(self, peer: str) -> None:
        """Start the process of a peer, or of a Grape."""
        self._run(peer, *self._programs[peer])

    async def kill(self, peer: str) -> None:
        """Kill a peer's process group, and wait until it is gone."""
        await self._end(peer)

    async def pause(self, peer: str) -> None:
        """Stop a peer's processes (SIGSTOP)."""
        os.killpg(self._running[peer].pid, signal.SIGSTOP)

    async def resume(self, peer: str) -> None:
        """Let a peer's processes go on (SIGCONT)."""
        os.killpg(self._running[peer].pid, signal.SIGCONT)

    def door(self, peer: str) -> Address:
        """Return the peer's own port."""
        return Address(HOST, self._ports[peer])

    async def crashed(self) -> list[str]:
        """Tell of every process that has ended."""
        codes = {name: process.poll() for name, process in self._running.items()}
        return [f"{name} ended by itself with exit code {code}" for name, code in codes.items() if code is not None]

    async def close(self) -> None:
        """Kill everything; the logs are where they were written."""
        await asyncio.gather(*(self._end(name) for name in list(self._running)))
        if self._leash is not None:
            self._leash.close()
            self._leash = None

    def _run(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        assert self._leash is not None
        with (self._directory / "logs" / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        self._leash.hold(process.pid)
        self._running[name] = process

    async def _end(self, name: str) -> None:
        process = self._running.pop(name)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        await asyncio.to_thread(process.wait)
        if self._leash is not None:
            self._leash.release(process.pid)


async def _install_grape() -> None:
    folder = ROOT / "grape"
    if not node_is_here():
        raise CannotRun("processes need Node.js for upstream Grape, and there is no `node` on the PATH")
    if (folder / "node_modules" / "grenache-grape").is_dir():
        return
    if shutil.which("npm") is None:
        raise CannotRun("upstream Grape is not installed, and there is no `npm` on the PATH to install it with")
    npm = await asyncio.create_subprocess_exec("npm", "ci", "--silent", cwd=folder, stdin=subprocess.DEVNULL)
    if await npm.wait() != 0:
        raise CannotRun("`npm ci` in grape/ failed, so there is no Grape to run")


def _free_ports(kind: socket.SocketKind, count: int) -> list[int]:
    # All are held until the last is found, so that none is found twice.
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket(socket.AF_INET, kind)) for _ in range(count)]
        for one in sockets:
            one.bind((HOST, 0))
        return [int(one.getsockname()[1]) for one in sockets]
