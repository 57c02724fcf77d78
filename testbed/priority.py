"""The checker of price-time priority: every taker is judged by what its own owner had seen when it took. Pure.

A peer's journal says in which order all entries, its own and copies, reached it. Reading them in that order shows the
book that it had in view at each of its takings.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from testbed.accounts import ZERO, Account, Accounts, Copy, Line, Stamp, owner_of
from testbed.evidence import Evidence, Verdict, many
from testbed.history import History
from testbed.reach import Reach
from testbed.snapshot_checks import as_they_came


def priority(history: History, evidence: Evidence) -> Verdict:
    """No taker passed over a better or earlier maker that its owner's book showed available.

    A maker may be passed over while its owner may have been out of this peer's reach, and as far as the peer has
    claims on it whose decisions it has not seen: then it knows that the maker has less to give than its ledger shows.
    Of an evicted owner's orders nobody can tell: what this peer had read of them beyond the fence is gone.
    To fill or kill an order, its owner asks others for what the own makers in the book leave to be asked for, and takes
    from these only when all have answered: those are two rankings.
    """
    reach, fenced = Reach(history), evidence.accounts().fences
    wrong: list[str] = []
    takings = 0
    for holder in evidence.ledgers:
        me, copies = evidence.peer_ids[holder], evidence.held_by(holder)
        writing = reach.writing(holder)
        for view, line, claimed in _takings(me, copies):
            takings += 1
            taker, maker = view.accounts.orders[line.event["taker"]], view.accounts.orders.get(line.event["maker"])
            if maker is None:
                # What lies around a fence may have been forgotten and read again, or was void when all was over.
                if owner_of(line.event["maker"]) not in fenced and not evidence.is_forgotten(line.event["maker"]):
                    name = evidence.tell(line.event["maker"])
                    wrong.append(f"{holder} took from {name} before it had seen that order")
                continue
            during = writing.span(line.sequence)
            wrong += [
                f"{holder} took {evidence.tell(maker.id)} for {evidence.tell(taker.id)} "
                f"and passed over {evidence.tell(better.id)} ({better.available} at {better.price})"
                for better in view.passed_over(maker, taker)
                if better.available > claimed[better.id]
                and (better.owner == me or reach.surely(holder, evidence.name_of(better.owner), during))
                # This peer may have read of its end where it was void when all was over.
                and better.owner not in fenced
                # Of who ended by itself, nobody knows when.
                and not (evidence.crashed and not evidence.is_living(better.owner))
                and (taker.lasts != "FOK" or (better.owner == me) == (maker.owner == me))
            ]
    if wrong:
        return Verdict("priority", "violated", wrong[0], tuple(wrong))
    return Verdict("priority", "valid", f"{many(takings, 'taking')} went to the best and earliest order in view")


class _View:
    """The book as one peer had it in view: all accounts, and the orders that may still trade, best first.

    The rule: an order is ranked until nothing of it is left; what it has reserved meanwhile is looked at when asked.
    """

    def __init__(self) -> None:
        self.accounts = Accounts()
        self._ranked: defaultdict[tuple[str, str], list[tuple[Decimal, Stamp, str]]] = defaultdict(list)

    def apply(self, line: Line) -> None:
        """Read one more line."""
        for order in self.accounts.apply(line):
            if order.is_immediate:
                # It takes, and rests in no book.
                continue
            ranked, place = self._ranked[order.item, order.side], _rank(order)
            at = bisect_left(ranked, place)
            is_there = at < len(ranked) and ranked[at] == place
            if is_there and (order.is_cancelled or order.remaining <= 0):
                del ranked[at]
            elif not is_there and not order.is_cancelled and order.remaining > 0:
                insort(ranked, place)

    def passed_over(self, maker: Account, taker: Account) -> Iterator[Account]:
        """Yield the orders that this taker should have taken before this maker."""
        ranked = self._ranked[maker.item, maker.side]
        for *_, id_ in ranked[: bisect_left(ranked, _rank(maker))]:
            order = self.accounts.orders.get(id_)
            # A ledger that was started over tells no more of what had been settled.
            if order is not None and order.available > 0 and order.crosses(taker) and order.stamp < taker.stamp:
                yield order


def _takings(me: str, copies: dict[str, Copy]) -> Iterator[tuple[_View, Line, dict[str, Decimal]]]:
    """Yield, just before each taking of a peer: what it had in view, the taking, its open claims on makers."""
    view = _View()
    claims: dict[tuple[str, str], Decimal] = {}
    claimed: dict[str, Decimal] = defaultdict(Decimal)
    for line in as_they_came(copies):
        event = line.event
        if line.owner == me and event["type"] in ("FILL_OPENED", "ORDERS_TRADED"):
            yield view, line, claimed
        if line.owner == me and event["type"] in ("FILL_OPENED", "SNAPSHOT"):
            for fill in _opened(line, copies[me]):
                quantity = claims[fill["fillId"], fill["maker"]] = Decimal(fill["quantity"])
                claimed[fill["maker"]] += quantity
        elif event["type"] in ("FILL_GRANTED", "FILL_HELD") or (event["type"] == "FILL_CLOSED" and line.owner == me):
            claimed[event["maker"]] -= claims.pop((event["fillId"], event["maker"]), ZERO)
        view.apply(line)


def _opened(line: Line, copy: Copy) -> list[dict[str, Any]]:
    """Return the fills that a line opens; one that follows on what has been forgotten tells of those opened there."""
    if line.event["type"] == "FILL_OPENED":
        return [line.event]
    follows_a_gap = line.sequence - line.event["part"] + 1 in copy.bases
    return list(line.event["fills"]) if follows_a_gap else []


def _rank(order: Account) -> tuple[Decimal, Stamp, str]:
    return (-order.price if order.side == "buy" else order.price, order.stamp, order.id)
