"""A peer that has lived long: what its restart and a late join cost. `python -m bench.long_life [EVENTS]`

The life itself is one process: the peer's own node writes its ledger through its own journal, 200 requests to a commit,
first the orders that stay open, then pairs that trade at once. Then a real peer starts on that disk, and another one,
with an empty disk, joins it by way of two Grapes; both are over when they answer their clients with all that there is.
Megabytes are the peaks of whole processes. The last row is of a peer that never sums up its ledger.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from peer.keyfile import load_identity
from peer.node import Asked, Node
from peer.picture import Past
from peer.service import Clock
from peer.sqlite_journal import SqliteJournal
from pygrenache import GrenacheError, RpcClient
from testbed.door import Door
from testbed.processes import ProcessCluster

EVENTS = 1_000_000
OPEN_ORDERS = 10_000
AT_ONCE = 200
BOUND_S = 900.0
NEVER = 10**9
OLD, YOUNG = "old", "young"
HEADINGS = """\
                              life                          restart         late join       on disk
   events  open orders  summed  events/s  longest turn    MB  entries     s     MB      s     MB    old  young"""


@dataclass(frozen=True, slots=True)
class Life:
    """What a peer has been through: its process's peak, and how many entries its disk has not forgotten."""

    events_per_s: float
    longest_turn_s: float
    peak_mb: float
    entries_left: int


@dataclass(frozen=True, slots=True)
class Start:
    """What it took a process to answer its clients with all that there is; its files as they are then."""

    took_s: float
    peak_mb: float
    disk_mb: float


def _live(folder: Path, events: int, open_orders: int, snapshot_every: int) -> Life:
    journal = SqliteJournal(folder / "ledgers.sqlite")
    node = Node(load_identity(folder / "identity.key"), journal, past=Past(snapshot_every=snapshot_every))
    clock = Clock()
    node.recover(clock.now())
    began, longest, number = time.perf_counter(), 0.0, 0
    while node.exchange.ledgers.own.sequence < events:
        requests = [_request(number + each, open_orders) for each in range(AT_ONCE)]
        number += AT_ONCE
        turn = time.perf_counter()
        node.receive(requests, clock.now())
        longest = max(longest, time.perf_counter() - turn)
    took_s = time.perf_counter() - began
    assert node.exchange.market.open_orders(node.exchange.me) == open_orders
    left = sum(1 for _ in journal.records())
    journal.close()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Life(events / took_s, longest, peak_mb, left)


def _request(number: int, open_orders: int) -> Asked:
    """Return the next order: one that stays, or the next half of a pair that trades."""
    stays = number < open_orders
    side, price = ("sell", 1_000 + number % 500) if stays else ("buy" if number % 2 else "sell", 100)
    order = {"item": "ACME", "type": side, "price": str(price), "quantity": "1"}
    return Asked({"type": "SUBMIT_ORDER", "order": {**order, "clientId": "bench", "clientOrderId": str(number)}})


async def _measure(events: int, open_orders: int, snapshot_every: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        cluster, client = ProcessCluster(Path(folder), snapshot_every=snapshot_every), RpcClient()
        disks = {peer: Path(folder) / "data" / peer for peer in (OLD, YOUNG)}
        doors: dict[str, Door] = {}
        try:
            await cluster.open((OLD, YOUNG))
            doors |= {peer: Door(client, cluster.door(peer)) for peer in disks}
            life = await asyncio.to_thread(_in_its_own_process, disks[OLD], events, open_orders, snapshot_every)

            async def is_back() -> bool:
                return bool(await doors[OLD].status())

            async def has_joined() -> bool:
                old, young = await doors[OLD].status(), await doors[YOUNG].status()
                return bool(old["vector"] == young["vector"] and old["digest"] == young["digest"])

            restart = await _started(cluster, OLD, disks[OLD], is_back)
            join = await _started(cluster, YOUNG, disks[YOUNG], has_joined)
        finally:
            await client.close()
            await cluster.close()
    return (
        f"{events:9,} {open_orders:12,} {'never' if snapshot_every == NEVER else '':>7}"
        f" {life.events_per_s:9,.0f} {life.longest_turn_s:11.2f} s {life.peak_mb:5.0f} {life.entries_left:8,}"
        f" {restart.took_s:5.1f} {restart.peak_mb:6.0f} {join.took_s:6.1f} {join.peak_mb:6.0f}"
        f" {restart.disk_mb:6.0f} {join.disk_mb:6.0f}"
    )


def _in_its_own_process(disk: Path, *terms: int) -> Life:
    command = [sys.executable, "-m", "bench.long_life", "live", str(disk), *map(str, terms)]
    return Life(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


async def _started(cluster: ProcessCluster, peer: str, disk: Path, is_done: Callable[[], Awaitable[bool]]) -> Start:
    began = time.perf_counter()
    await cluster.start(peer)
    async with asyncio.timeout(BOUND_S):
        await _until(is_done)
    took_s = time.perf_counter() - began
    return Start(took_s, _peak_mb(cluster.process_id(peer)), _size_mb(disk))


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    while True:
        if await _holds(holds):
            return
        await asyncio.sleep(0.02)


async def _holds(holds: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await holds()
    except GrenacheError:
        return False


def _peak_mb(process_id: int) -> float:
    status: dict[str, Any] = dict(
        line.split(":", 1) for line in Path(f"/proc/{process_id}/status").read_text().splitlines()
    )
    return int(status["VmHWM"].split()[0]) / 1024


def _size_mb(disk: Path) -> float:
    return sum(file.stat().st_size for file in disk.iterdir()) / 2**20


async def _compare(events: int) -> None:
    print(HEADINGS)
    sizes = [0, *(size for size in (10_000, 100_000) if size < events), events]
    rows = [(size, min(size, OPEN_ORDERS), Past().snapshot_every) for size in sizes]
    for row in [*rows, (min(events, 100_000), min(events, OPEN_ORDERS), NEVER)]:
        print(await _measure(*row), flush=True)


def main() -> None:
    """Measure and print, or live one life."""
    gc.set_threshold(100_000, 50, 100)
    match sys.argv[1:]:
        case ["live", disk, *terms]:
            events, open_orders, snapshot_every = map(int, terms)
            print(json.dumps(asdict(_live(Path(disk), events, open_orders, snapshot_every))))
        case arguments:
            uvloop.run(_compare(int(arguments[0]) if arguments else EVENTS))


if __name__ == "__main__":
    main()
