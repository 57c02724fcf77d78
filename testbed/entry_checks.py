"""The checker of single entries: each must follow from its own ledger before it. Pure.

The rule: a ledger is judged by itself, so this holds at every instant, however much of the others has arrived, and also
where peers no longer hold each other to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from testbed.accounts import ZERO, Account, Accounts, Copy, Line
from testbed.evidence import Evidence, Verdict, many
from testbed.history import History

# The events that make something, and the field in which each bears the name of its own entry.
NAMED = {"ORDER_PLACED": "id", "ORDERS_TRADED": "id", "FILL_OPENED": "fillId"}


def follows(history: History, evidence: Evidence) -> Verdict:
    """Every entry is named after its place, later than the one before, and says truly what it leaves of its orders."""
    wrong: list[str] = []
    entries = 0
    for copy in evidence.best_copies().values():
        entries += len(copy.texts)
        wrong += _out_of_place(evidence, copy)
        wrong += _untrue(evidence, copy)
    if wrong:
        return Verdict("follows", "violated", wrong[0], tuple(wrong))
    counted = many(entries, "ledger entry", "ledger entries")
    return Verdict("follows", "valid", f"each of {counted} follows from those before it")


def _out_of_place(evidence: Evidence, copy: Copy) -> Iterator[str]:
    clock = 0
    for line in copy.lines():
        where = _where(evidence, line)
        if line.time <= clock:
            yield f"the clock went back in {where}"
        clock = line.time
        field = NAMED.get(line.event["type"])
        if field is not None and line.event[field] != f"{line.owner}-{line.sequence}":
            yield f"{evidence.tell(line.event[field])} was made by {where}"


def _untrue(evidence: Evidence, copy: Copy) -> Iterator[str]:
    """Read one ledger by itself, and yield what its entries should not have done to its own orders."""
    accounts = Accounts()
    most: dict[str, Decimal] = {}
    for line in copy.lines():
        where = _where(evidence, line)
        wrong = _unfounded(accounts, line)
        if wrong:
            yield f"{where} {wrong}"
        for account, remaining in _stated(accounts, line):
            name = evidence.tell(account.id)
            left = account.reserved if account.is_cancelled else account.original - account.filled - account.reduced
            if account.remaining < account.reserved:
                yield f"{where} leaves {account.remaining} of {name}, of which {account.reserved} is reserved"
            if remaining != left:
                yield f"{where} says that {remaining} of {name} remain, and {left} do"
            if not account.is_cancelled:
                continue
            # What is reserved when an order is cancelled is all that may still trade of it.
            bound = most.setdefault(account.id, account.filled + account.reserved)
            if account.filled + account.reserved > bound:
                yield f"{where} trades {name} beyond the {bound} that its cancel left to it"


def _unfounded(accounts: Accounts, line: Line) -> str:
    """Say what an entry does that nothing before it in its ledger gives a reason for; empty if nothing."""
    event = line.event
    match event["type"]:
        case "FILL_CLOSED":
            opened = accounts.opened.get(event["fillId"])
            asked = (opened.event["taker"], opened.event["maker"]) if opened is not None else None
            if asked != (event["taker"], event["maker"]):
                return "closes a fill that was not open between these two orders"
        case "FILL_HELD" if Decimal(event["held"]):
            price = accounts.orders[event["maker"]].price
            if Decimal(event["price"]) != price:
                return f"holds at {event['price']} what is offered at {price}"
        case "FILL_GRANTED" if event["fillId"] in accounts.held:
            held = accounts.held[event["fillId"]]
            if (event["taker"], event["maker"]) != (held.taker, held.maker):
                return "grants what was held for another fill"
            if Decimal(event["granted"]) not in (ZERO, held.quantity):
                return f"grants {event['granted']} of {held.quantity} that was held"
        case "ORDER_REDUCED":
            if not ZERO < Decimal(event["remaining"]) < accounts.orders[event["id"]].remaining:
                return f"reduces an order to {event['remaining']}, which is nothing, or no less than before"
    return ""


def _stated(accounts: Accounts, line: Line) -> list[tuple[Account, Decimal]]:
    """Read a line; return the accounts it speaks of, and what it says of each that remains."""
    changed = accounts.apply(line)
    if not changed and "remaining" in line.event and line.event.get("maker") in accounts.orders:
        # A refusal changes nothing, but says what there is.
        return [(accounts.orders[line.event["maker"]], Decimal(line.event["remaining"]))]
    return [(account, account.remaining) for account in changed]


def _where(evidence: Evidence, line: Line) -> str:
    return f"entry {line.sequence} of {evidence.name_of(line.owner)}"
