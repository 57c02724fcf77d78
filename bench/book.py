"""The order book alone: 200,000 mixed operations, every fill recorded; `python -m bench.book [rounds]`.

About half of all limit orders cross and one operation in ten is a cancel, which is what a liquid market looks like.
Bars: 700,000 operations a second, and three times the package `matching-engine` 0.1.1 where it can be imported. It is
no dependency of this project and wants Python 3.12; to have its column as well:

    pip install --target build/engines matching-engine==0.1.1
    PYTHONPATH=build/engines python -m bench.book

The engines take turns, round by round, and each one's best round counts. Time is the process's own, so that others on
the machine count little; garbage is collected as seldom as in a peer.
"""

from __future__ import annotations

import gc
import importlib
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from peer.__main__ import GARBAGE_THRESHOLDS
from peer.book import Book, Quote

OPERATIONS = 200_000
ROUNDS = 7
CANCEL_SHARE = 0.10
TAKER_SHARE = 0.63
BAR_PER_S = 700_000
BAR_RATIO = 3.0

# (is_buy, price, quantity) of an order, or the number of an earlier operation that is to be cancelled.
Flow = list[tuple[bool, int, int] | int]
Fills = list[tuple[int, int, int, int]]


def flow(seed: int, operations: int = OPERATIONS) -> Flow:
    """Return orders around a price that wanders, and cancels of any earlier one."""
    rng = random.Random(seed)
    made: Flow = []
    orders: list[int] = []
    middle = 10_000.0
    for number in range(operations):
        if orders and rng.random() < CANCEL_SHARE:
            made.append(orders[rng.randrange(len(orders))])
            continue
        middle += rng.gauss(0, 0.3)
        is_buy, takes = rng.random() < 0.5, rng.random() < TAKER_SHARE
        # Takers reach over the middle and are small, makers stand back from it and are large.
        away = -rng.randint(0, 60) if takes else rng.randint(1, 100)
        orders.append(number)
        made.append((is_buy, int(middle) + (-away if is_buy else away), rng.randint(1, 40 if takes else 100)))
    return made


def run_book(operations: Flow) -> tuple[Fills, int]:
    """Run the flow through our book; the fills (taker, maker, price, quantity), and how many orders rest."""
    book, orders, fills = Book[Quote](), dict[int, Quote](), Fills()
    for number, operation in enumerate(operations):
        if isinstance(operation, int):
            order = orders[operation]
            if order.open:
                order.open = 0
                book.drop(order)
            continue
        is_buy, price, quantity = operation
        orders[number] = taker = Quote(is_buy, price, quantity, (number, "a"))
        for maker, traded in book.match(taker):
            taker.open -= traded
            maker.open -= traded
            fills.append((number, maker.key[0], maker.price, traded))
            if not maker.open:
                book.drop(maker)
        if taker.open:
            book.add(taker)
    return fills, sum(1 for is_buy in (True, False) for _ in book.ranked(is_buy))


def matching_engine() -> Callable[[Flow], tuple[Fills, int]] | None:
    """Return a runner of the same flow through the package matching-engine, if it is there."""
    try:
        domain: Any = importlib.import_module("matching_engine.domain")
        events: Any = importlib.import_module("matching_engine.events")
        make: Any = importlib.import_module("matching_engine.engine").MatchingEngine
    except (ImportError, SyntaxError):
        return None

    def run(operations: Flow) -> tuple[Fills, int]:
        engine, fills = make(), Fills()
        buy, sell, none = domain.Side.BUY, domain.Side.SELL, domain.SelfTradePrevention.NONE
        for number, operation in enumerate(operations):
            if isinstance(operation, int):
                command = domain.CancelOrder(operation, 1)
            else:
                is_buy, price, quantity = operation
                command = domain.NewOrder(number, 1, buy if is_buy else sell, price, quantity, stp=none)
            for event in engine.process(domain.SequencedCommand(number + 1, number, command)):
                if type(event) is events.Trade:
                    fills.append((number, event.maker_order_id, event.price, event.qty))
        return fills, len(engine.book.orders)

    return run


def main() -> None:
    """Measure and print."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    operations = flow(seed=1)
    engines: dict[str, Callable[[Flow], tuple[Fills, int]]] = {"grapevine": run_book}
    if (other := matching_engine()) is not None:
        engines["matching-engine"] = other
    best = dict.fromkeys(engines, 0.0)
    results = {}
    for _ in range(rounds):
        for name, run in engines.items():
            start = time.process_time()
            results[name] = run(operations)
            best[name] = max(best[name], len(operations) / (time.process_time() - start))
    fills, resting = results["grapevine"]
    assert all(result == results["grapevine"] for result in results.values()), "the engines disagree"
    orders = sum(1 for operation in operations if not isinstance(operation, int))
    crossing = len({taker for taker, _, _, _ in fills})
    print(f"{len(operations):,} operations, {orders:,} orders of which {crossing / orders:.0%} cross,")
    print(f"{len(fills):,} trades, {resting:,} orders left; best of {rounds} rounds")
    for name, rate in best.items():
        print(f"  {name:<16} {rate:>10,.0f} operations/s")
    met = best["grapevine"] >= BAR_PER_S
    if "matching-engine" in best:
        ratio = best["grapevine"] / best["matching-engine"]
        print(f"  ratio {ratio:.2f}")
        met = met and ratio >= BAR_RATIO
    print(
        f"  {'met' if met else 'missed'}: {BAR_PER_S:,} operations/s, and {BAR_RATIO} times the other where it is there"
    )


if __name__ == "__main__":
    main()
