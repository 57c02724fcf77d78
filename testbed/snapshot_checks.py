"""The checker of snapshots: what a ledger is summed up to must be what it comes to, and forget nothing too early. Pure.

The rule: each journal is read in its own order, so that every snapshot is judged by what its writer, and each of its
readers, had read by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from testbed.accounts import WORST, ZERO, Account, Accounts, Copy, Line, owner_of
from testbed.evidence import Evidence, Verdict, many
from testbed.history import History


@dataclass(slots=True)
class _Sum:
    """What the parts of one snapshot say together."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    fills: list[dict[str, Any]] = field(default_factory=list)
    holds: list[dict[str, Any]] = field(default_factory=list)
    grants: list[dict[str, Any]] = field(default_factory=list)
    closings: list[dict[str, Any]] = field(default_factory=list)
    fences: dict[str, None] = field(default_factory=dict)

    def add(self, event: dict[str, Any]) -> None:
        """Take one more part."""
        self.orders += event["orders"]
        self.fills += event["fills"]
        self.holds += event["holds"]
        self.grants += event["grants"]
        self.closings += event["closings"]
        self.fences |= {said["peerId"]: None for said in event["evictions"] if said["type"] == "PEER_FENCED"}


def summed_up(history: History, evidence: Evidence) -> Verdict:
    """Every snapshot says what its ledger comes to, and forgets no decision before its fill is closed."""
    wrong: list[str] = []
    read = 0
    for holder in evidence.ledgers:
        copies = evidence.held_by(holder)
        if any('"SNAPSHOT"' in text for copy in copies.values() for text in copy.texts):
            for found in _judged(evidence, evidence.peer_ids[holder], copies):
                read += 1
                wrong += [f"{holder} has read: {one}" for one in found]
    if wrong:
        return Verdict("summed_up", "violated", wrong[0], tuple(wrong))
    if not read:
        return Verdict("summed_up", "valid", "nobody has read a snapshot after all that it sums up")
    return Verdict("summed_up", "valid", f"what ledgers were summed up to is what they came to, {many(read, 'time')}")


def as_they_came(copies: dict[str, Copy]) -> list[Line]:
    """Return the lines of all of a peer's copies in the order of its journal."""
    placed = [
        (position, line)
        for copy in copies.values()
        for position, line in zip(copy.positions, copy.lines(), strict=True)
    ]
    return [line for _, line in sorted(placed, key=lambda pair: pair[0])]


def _judged(evidence: Evidence, me: str, copies: dict[str, Copy]) -> Iterator[list[str]]:
    """Yield what is wrong with each whole snapshot that was read after all that it sums up."""
    accounts = Accounts()
    sums: dict[str, _Sum] = {}
    for line in as_they_came(copies):
        accounts.apply(line)
        event = line.event
        if event["type"] != "SNAPSHOT":
            continue
        if event["part"] == 1:
            sums[line.owner] = _Sum()
        sums[line.owner].add(event)
        follows_a_gap = line.sequence - event["part"] + 1 in copies[line.owner].bases
        if event["part"] == event["parts"] and not follows_a_gap:
            where = f"entry {line.sequence} of {evidence.name_of(line.owner)}"
            found = [f"{where} {what}" for what in _wrong_with(evidence, accounts, line.owner, sums[line.owner])]
            if line.owner == me:
                unread = {owner for owner, copy in copies.items() if owner not in accounts.read_up_to and copy.bases}
                found += [f"{where} {what}" for what in _forgotten_too_early(evidence, accounts, me, sums[me], unread)]
            yield found


def _wrong_with(evidence: Evidence, accounts: Accounts, owner: str, told: _Sum) -> Iterator[str]:
    is_open = {one.id: _terms(one) for one in accounts.orders.values() if one.owner == owner and one.remaining > ZERO}
    says = {order["placed"]["id"]: _told_terms(order) for order in told.orders}
    for id_ in {**is_open, **says}:
        if says.get(id_) != is_open.get(id_):
            yield f"tells of {evidence.tell(id_)} {_tell(says.get(id_))}, which is {_tell(is_open.get(id_))}"
    waiting = {id_: line.event for id_, line in accounts.opened.items() if line.owner == owner}
    asked = {fill["fillId"]: fill for fill in told.fills}
    for id_ in {**waiting, **asked}:
        if _fill(waiting.get(id_)) != _fill(asked.get(id_)):
            yield f"tells wrongly of the open fill {evidence.tell(id_)}"
    held = {id_: one for id_, one in accounts.held.items() if owner_of(one.maker) == owner}
    if {hold["fillId"]: Decimal(hold["quantity"]) for hold in told.holds} != {id_: held[id_].quantity for id_ in held}:
        yield "tells wrongly of what is held"
    if told.fences.keys() != {evicted for evicted, by in accounts.fences.items() if owner in by}:
        yield "tells wrongly of whom its owner has fenced"
    for grant in told.grants:
        known = accounts.granted.get(grant["fillId"])
        said = (grant["maker"], Decimal(grant["granted"]))
        if known is not None and (known.maker, known.quantity) != said:
            yield f"tells wrongly of the decision of {evidence.tell(grant['fillId'])}"


def _forgotten_too_early(
    evidence: Evidence, accounts: Accounts, me: str, told: _Sum, unread: set[str]
) -> Iterator[str]:
    """Tell of what somebody may still ask for; what this peer had read by then of the `unread` has been forgotten."""
    kept = {grant["fillId"] for grant in told.grants}
    # Of what lay beyond a fence, and how that was closed, nobody knows any more when all is over.
    fenced = evidence.accounts().fences
    for id_, decision in accounts.granted.items():
        taker, _, sequence = id_.rpartition("-")
        has_read = int(sequence) <= accounts.read_up_to.get(taker, 0) and taker not in accounts.adopting
        is_closed = id_ in accounts.closed or (has_read and id_ not in accounts.opened)
        is_known = taker not in fenced and taker not in unread
        if owner_of(decision.maker) == me and id_ not in kept and not is_closed and is_known:
            yield f"forgets the decision of {evidence.tell(id_)}, which its taker may still ask for"
    told_of = {closing["fillId"] for closing in told.closings}
    for id_, closing in accounts.closed.items():
        # What is held for a fill is released by its closing alone: that must be there for whoever holds.
        is_held = id_ in accounts.held and closing.quantity > 0
        if owner_of(closing.taker) == me and is_held and id_ not in told_of:
            yield f"forgets how {evidence.tell(id_)} was closed, for which its maker still holds"


def _terms(account: Account) -> tuple[Any, ...]:
    amounts = (account.original, account.filled, account.remaining, account.reserved)
    return (account.item, account.side, account.price, account.stamp, *amounts, account.is_cancelled)


def _told_terms(order: dict[str, Any]) -> tuple[Any, ...]:
    placed = order["placed"]
    amounts = (placed["quantity"], order["filled"], order["remaining"], order["reserved"])
    stamp = (order["time"], placed["id"].rpartition("-")[0])
    price = Decimal(placed["price"]) if "price" in placed else WORST[placed["side"]]
    terms = (placed["item"], placed["side"], price, stamp, *map(Decimal, amounts))
    return (*terms, order["cancelled"])


def _fill(event: dict[str, Any] | None) -> tuple[Any, ...] | None:
    return None if event is None else (event["taker"], event["maker"], Decimal(event["quantity"]))


def _tell(terms: tuple[Any, ...] | None) -> str:
    return "not at all" if terms is None else f"with {terms[6]} of {terms[4]} left and {terms[7]} reserved"
