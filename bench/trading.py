"""Three peers and two Grapes on local processes: orders, fills and bursts, all durable. `python -m bench.trading`

Orders are counted when they are acknowledged, fills when the taker's own peer shows them. Peers, Grapes and the
clients share this machine's cores, so a figure says as much about the machine: compare runs of one machine.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import uvloop

from pygrenache import GrenacheError, RpcClient
from testbed.door import Door
from testbed.processes import ProcessCluster

PEERS = ("peer-1", "peer-2", "peer-3")
ORDERS = 12_000
IN_FLIGHT = 64
FILLS = 300
BURST = 400
ROUNDS = 3


async def _measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        cluster = ProcessCluster(Path(folder))
        client = RpcClient()
        try:
            await cluster.open(PEERS)
            for peer in PEERS:
                await cluster.start(peer)
            doors = [Door(client, cluster.door(peer)) for peer in PEERS]
            await _until(lambda: _all_reach_all(doors))
            for measurement in (_acknowledged, _fill_latency, _burst):
                for turn in range(ROUNDS):
                    print(await measurement(doors, f"{measurement.__name__.strip('_')}-{turn}"), flush=True)
                    await _until(lambda: _quiet(doors))
        finally:
            await client.close()
            await cluster.close()


async def _acknowledged(doors: Sequence[Door], item: str) -> str:
    async def client(number: int) -> None:
        door = doors[number % len(doors)]
        for turn in range(ORDERS // IN_FLIGHT):
            buys = (turn + number // len(doors)) % 2 == 0
            price = 100 + (turn * 7 + number) % 11 + (5 if buys else -5)
            await _submit(door, item, "buy" if buys else "sell", price)

    start = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(IN_FLIGHT)))
    rate = ORDERS / (time.perf_counter() - start)
    return f"acknowledged orders, {IN_FLIGHT} in flight    {rate:8,.0f} /s"


async def _fill_latency(doors: Sequence[Door], item: str) -> str:
    maker, taker = doors[0], doors[1]
    for _ in range(FILLS):
        await _submit(maker, item, "sell", 100)
    await _until(lambda: _quiet(doors))
    waits = []
    for _ in range(FILLS):
        start = time.perf_counter()
        order = await _submit(taker, item, "buy", 100)
        while (await taker.order(order))["status"] != "filled":
            pass
        waits.append((time.perf_counter() - start) * 1e3)
        await asyncio.sleep(0.01)
    cuts = statistics.quantiles(waits, n=100)
    return f"fill across peers, one at a time     p50 {cuts[49]:6.2f} ms   p99 {cuts[98]:6.2f} ms"


async def _burst(doors: Sequence[Door], item: str) -> str:
    maker, taker = doors[0], doors[1]
    await asyncio.gather(*(_submit(maker, item, "sell", 100) for _ in range(BURST)))
    await _until(lambda: _quiet(doors))
    start = time.perf_counter()
    await asyncio.gather(*(_submit(taker, item, "buy", 100) for _ in range(BURST)))
    await _until(lambda: _all_filled(taker, item))
    rate = BURST / (time.perf_counter() - start)
    return f"burst of {BURST} buys into {BURST} sells     {rate:8,.0f} fills/s"


async def _submit(door: Door, item: str, side: str, price: int) -> str:
    order = {"item": item, "type": side, "price": price, "quantity": 1}
    answer = await door.ask({"type": "SUBMIT_ORDER", "order": order})
    return str(answer["order"]["id"])


async def _all_filled(door: Door, item: str) -> bool:
    book = await door.ask({"type": "GET_ORDERBOOK", "item": item, "limit": 1})
    return not book["buyOrders"] and not book["sellOrders"]


async def _all_reach_all(doors: Sequence[Door]) -> bool:
    statuses = [await door.status() for door in doors]
    return all(sum(peer["state"] == "reachable" for peer in status["peers"]) == len(doors) - 1 for status in statuses)


async def _quiet(doors: Sequence[Door]) -> bool:
    statuses = [await door.status() for door in doors]
    first = statuses[0]
    return all(not s["inDoubt"] and s["vector"] == first["vector"] for s in statuses)


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while True:
            if await _holds(holds):
                return
            await asyncio.sleep(0.005)


async def _holds(holds: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await holds()
    except GrenacheError:
        return False


def main() -> None:
    """Measure and print."""
    gc.set_threshold(100_000, 50, 100)
    uvloop.run(_measure())


if __name__ == "__main__":
    main()
