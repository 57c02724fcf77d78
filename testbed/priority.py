"""The checker of price-time priority: every taker is judged by what its own owner had seen when it took. Pure.

A peer's journal says in which order all entries, its own and copies, reached it. Reading them in that order shows the
book that it had in view at each of its takings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from testbed.accounts import ZERO, Account, Accounts, Copy, Line
from testbed.evidence import Evidence, Verdict, many
from testbed.history import History
from testbed.reach import Reach


def priority(history: History, evidence: Evidence) -> Verdict:
    """No taker passed over a better or earlier maker that its owner's book showed available.

    A maker may be passed over while its owner may have been out of this peer's reach, and as far as the peer has
    claims on it whose decisions it has not seen: then it knows that the maker has less to give than its ledger shows.
    To fill or kill an order, its owner asks others for what the own makers in the book leave to be asked for, and takes
    from these only when all have answered: those are two rankings.
    """
    reach = Reach(history)
    wrong: list[str] = []
    takings = 0
    for holder, copies in evidence.ledgers.items():
        me = evidence.peer_ids[holder]
        writing = reach.writing(holder)
        for book, line, claimed in _takings(me, copies):
            takings += 1
            taker, maker = book.orders[line.event["taker"]], book.orders.get(line.event["maker"])
            if maker is None:
                wrong.append(f"{holder} took from {evidence.tell(line.event['maker'])} before it had seen that order")
                continue
            during = writing.span(line.sequence)
            wrong += [
                f"{holder} took {evidence.tell(maker.id)} for {evidence.tell(taker.id)} "
                f"and passed over {evidence.tell(better.id)} ({better.available} at {better.price})"
                for better in book.orders.values()
                if _outranks(better, maker, taker)
                and better.available > claimed[better.id]
                and (better.owner == me or reach.surely(holder, evidence.name_of(better.owner), during))
                and (taker.lasts != "FOK" or (better.owner == me) == (maker.owner == me))
            ]
    if wrong:
        return Verdict("priority", "violated", wrong[0], tuple(wrong))
    return Verdict("priority", "valid", f"{many(takings, 'taking')} went to the best and earliest order in view")


def _takings(me: str, copies: dict[str, Copy]) -> Iterator[tuple[Accounts, Line, dict[str, Decimal]]]:
    """Yield, just before each taking of a peer: the accounts in its view, the taking, its open claims on makers."""
    accounts = Accounts()
    claims: dict[tuple[str, str], Decimal] = {}
    claimed: dict[str, Decimal] = defaultdict(Decimal)
    for line in _as_they_came(copies):
        event = line.event
        if line.owner == me and event["type"] in ("FILL_OPENED", "ORDERS_TRADED"):
            yield accounts, line, claimed
            if event["type"] == "FILL_OPENED":
                quantity = claims[event["fillId"], event["maker"]] = Decimal(event["quantity"])
                claimed[event["maker"]] += quantity
        elif event["type"] in ("FILL_GRANTED", "FILL_HELD") or (event["type"] == "FILL_CLOSED" and line.owner == me):
            claimed[event["maker"]] -= claims.pop((event["fillId"], event["maker"]), ZERO)
        accounts.apply(line)


def _as_they_came(copies: dict[str, Copy]) -> list[Line]:
    placed = [
        (position, line)
        for copy in copies.values()
        for position, line in zip(copy.positions, copy.lines(), strict=True)
    ]
    return [line for _, line in sorted(placed, key=lambda pair: pair[0])]


def _outranks(order: Account, maker: Account, taker: Account) -> bool:
    """Tell whether an order should have been taken before this maker."""
    if (
        order.id == maker.id
        or order.available <= 0
        or order.is_immediate
        or not order.crosses(taker)
        or not order.stamp < taker.stamp
    ):
        return False
    if order.price != maker.price:
        return order.price > maker.price if order.side == "buy" else order.price < maker.price
    return order.stamp < maker.stamp
