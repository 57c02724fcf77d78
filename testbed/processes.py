"""A cluster of local processes: peers as `python -m peer`, two upstream Grapes on Node.js.

Everything is on loopback, unless links are to be hurt: then each peer and each Grape has a network namespace of its
own, and only then, since that needs root and takes its time.
"""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from pygrenache import Address
from testbed.accounts import Copy
from testbed.cluster import ROOT, STOP_TIMEOUT_S, CannotRun
from testbed.leash import Leash
from testbed.namespaces import (
    Site,
    make_namespaces,
    mount_disk,
    remove_leftovers,
    why_no_disks,
    why_no_namespaces,
)
from testbed.sabotage import Means, Obstacles, Sabotage
from testbed.script import GRAPES, Fault, FillDisk, Torment

HOST = "127.0.0.1"
PEER_COMMAND = (sys.executable, "-m", "peer")
HERE = Path(__file__).resolve().parent
PYTHON = (sys.executable, "-I", "-S")

# libfaketime moves the wall clock alone, and reads its file anew each time.
FAKE_CLOCK = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1", "NO_FAKE_STAT": "1"}


def node_is_here() -> bool:
    """Tell whether upstream Grape can be run."""
    return shutil.which("node") is not None


@functools.cache
def faketime() -> str | None:
    """Return the path of libfaketime, if it is installed."""
    return next(map(str, Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)


class ProcessCluster:
    """Peers and Grapes as processes of this machine; logs go to `directory`/logs, disks to `directory`/data.

    `peer` is the command that runs one peer.
    """

    name = "processes"

    def __init__(self, directory: Path, peer: Sequence[str] = PEER_COMMAND, snapshot_every: int | None = None) -> None:
        self.network_key = secrets.token_hex(32).encode()
        self._snapshot_every = snapshot_every
        self._directory = directory
        self._peer = list(peer)
        self._ports: dict[str, int] = {}
        self._programs: dict[str, tuple[list[str], dict[str, str]]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._leash: Leash | None = None
        self._sites: dict[str, Site] = {}
        self._sabotage = Sabotage(())
        self._full: dict[str, None] = {}

    @property
    def supports(self) -> frozenset[type[Fault]]:
        """What this machine lets us do: much of it needs root."""
        return self._obstacles().supports

    def why_not(self, fault: Fault) -> str:
        """Say what is in the way of a fault."""
        return self._obstacles().why_not(fault)

    async def open(self, peers: Sequence[str], faults: Collection[type[Fault]] = ()) -> None:
        """Start the Grapes, and give every peer a port and a disk of its own."""
        await _install_grape()
        await remove_leftovers()
        self._leash = Leash()
        self._sabotage = Sabotage(faults)
        for folder in ("logs", "clocks", *(f"data/{peer}" for peer in peers)):
            (self._directory / folder).mkdir(parents=True)
        await self._prepare_faults(peers)
        dht = dict(zip(GRAPES, _free_ports(socket.SOCK_DGRAM, len(GRAPES)), strict=True))
        ports = _free_ports(socket.SOCK_STREAM, len(GRAPES) + len(peers))
        self._ports = dict(zip([*GRAPES, *peers], ports, strict=True))
        hosts = {place: self.door(place).host for place in (*GRAPES, *peers)}
        for grape in GRAPES:
            others = ",".join(f"{hosts[other]}:{dht[other]}" for other in GRAPES if other != grape)
            api = {"GRAPE_DHT_PORT": str(dht[grape]), "GRAPE_API_PORT": str(self._ports[grape])}
            self._programs[grape] = (["node", "grape/start.js"], {**api, "GRAPE_BOOTSTRAP": others})
            await self.start(grape)
        for peer in peers:
            environment = {
                "GRAPEVINE_GRAPES": ",".join(f"http://{hosts[grape]}:{self._ports[grape]}" for grape in GRAPES),
                "GRAPEVINE_DHT": ",".join(f"{hosts[grape]}:{port}" for grape, port in dht.items()),
                "GRAPEVINE_HOST": hosts[peer],
                "GRAPEVINE_DATA": str(self._directory / "data" / peer),
                "GRAPEVINE_PORT": str(self._ports[peer]),
                "GRAPEVINE_NETWORK_KEY": self.network_key.decode(),
                "GRAPEVINE_SNAPSHOT_EVERY": str(self._snapshot_every or ""),
                **self._clock(peer),
            }
            self._programs[peer] = (self._peer, environment)

    async def start(self, peer: str) -> None:
        """Start the process of a peer, or of a Grape."""
        if peer in self._full:
            # It should have ended by now, or may never have come to write.
            del self._full[peer]
            await self._end(peer)
        self._run(peer, *self._programs[peer])

    async def kill(self, peer: str) -> None:
        """Kill a peer's process group, and wait until it is gone."""
        await self._end(peer)

    async def stop(self, peer: str) -> int:
        """Ask a peer's process to end (SIGTERM); one that does not is killed, and its exit code tells."""
        self._running[peer].terminate()
        await asyncio.to_thread(_wait, self._running[peer])
        return await self._end(peer)

    async def pause(self, peer: str) -> None:
        """Stop a peer's processes (SIGSTOP)."""
        os.killpg(self._running[peer].pid, signal.SIGSTOP)

    async def resume(self, peer: str) -> None:
        """Let a peer's processes go on (SIGCONT)."""
        os.killpg(self._running[peer].pid, signal.SIGCONT)

    async def torment(self, fault: Torment) -> None:
        """Hurt links, clocks and disks."""
        if isinstance(fault, FillDisk):
            self._full[fault.peer] = None
        await self._sabotage.torment(fault)

    def door(self, peer: str) -> Address:
        """Return the peer's own port."""
        host = self._sites[peer].address if peer in self._sites else HOST
        return Address(host, self._ports[peer])

    def process_id(self, peer: str) -> int:
        """Return the id of a peer's process."""
        return self._running[peer].pid

    def disk(self, peer: str) -> dict[str, Copy]:
        """Leave it to the peer to show what it holds."""
        return {}

    async def crashed(self) -> list[str]:
        """Tell of every process that has ended."""
        codes = {name: process.poll() for name, process in self._running.items() if name not in self._full}
        return [f"{name} ended by itself with exit code {code}" for name, code in codes.items() if code is not None]

    async def logs(self) -> dict[str, str]:
        """Read what has been written to the logs."""
        logs = sorted((self._directory / "logs").glob("*.log"))
        return {path.stem: path.read_text(errors="replace") for path in logs}

    async def close(self) -> None:
        """Kill everything, and take away namespaces and disks; the logs are where they were written."""
        await asyncio.gather(*(self._end(name) for name in list(self._running)))
        await self._sabotage.close()
        if self._leash is not None:
            await asyncio.to_thread(self._leash.close)
            self._leash = None

    def _obstacles(self) -> Obstacles:
        no_faketime = "" if faketime() else "libfaketime is not installed (Debian has it as a package of that name)"
        return Obstacles(links=why_no_namespaces(), disks=why_no_disks(), clocks=no_faketime)

    async def _prepare_faults(self, peers: Sequence[str]) -> None:
        assert self._leash is not None
        data = self._directory / "data"
        if self._sabotage.does_links:
            self._sites = await make_namespaces(self._leash, [*GRAPES, *peers])
        if self._sabotage.does_disks:
            for peer in peers:
                await mount_disk(self._leash, data / peer)
        means = Means(
            command=(*PYTHON, str(HERE / "saboteur.py")),
            proxy=(*PYTHON, str(HERE / "delay.py")),
            disks=str(data),
            clocks=str(self._directory / "clocks"),
        )
        await self._sabotage.open(means, peers, self._directory / "logs" / "saboteur.log")
        for place, site in self._sites.items():
            await self._sabotage.enter(place, site.address, site.net)

    def _clock(self, peer: str) -> dict[str, str]:
        if not self._sabotage.does_clocks:
            return {}
        file = self._directory / "clocks" / peer
        return {"LD_PRELOAD": faketime() or "", "FAKETIME_TIMESTAMP_FILE": str(file), **FAKE_CLOCK}

    def _run(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        assert self._leash is not None
        inside = ["nsenter", f"--net={self._sites[name].net}", "--"] if name in self._sites else []
        with (self._directory / "logs" / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*inside, *command],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        self._leash.hold(process.pid)
        self._running[name] = process

    async def _end(self, name: str) -> int:
        process = self._running.pop(name)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        code = await asyncio.to_thread(process.wait)
        if self._leash is not None:
            self._leash.release(process.pid)
        return code


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        pass


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
