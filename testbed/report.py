"""The account of a run, for people: who was there, what was ordered and traded, what holds and what does not. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from testbed.accounts import Account, Accounts, Trade
from testbed.checkers import CRASHED, HOLDS, NO_QUIET, UNKNOWN, VIOLATED
from testbed.evidence import Evidence, Verdict
from testbed.history import HEALS, HURTS, LINK_WORDS, History
from testbed.trace import told

MAX_ROWS = 10
MAX_EVIDENCE = 5
FAULT_WORDS = (*HURTS, *HEALS, *LINK_WORDS, "start", "skew", "free_disk")

_NUMBER = re.compile(r"(peer-[0-9]+)-[0-9]+")
_MARKS = {"valid": ("✓", "32"), "violated": ("✗", "31"), "unknown": ("?", "33")}
ENDINGS = {
    HOLDS: "everything holds",
    VIOLATED: "VIOLATED: a promise was broken",
    UNKNOWN: "unknown: not everything could be judged",
    NO_QUIET: "NO QUIET: the peers did not come to rest",
    CRASHED: "CRASHED: a process ended by itself",
}


def account(history: History, evidence: Evidence, verdicts: list[Verdict], code: int, *, colour: bool = False) -> str:
    """Tell of a run in a screen or two; long lists are cut, the files of the run have them whole."""
    return "\n".join(
        [
            *_section("peers", [_peer(evidence, name) for name in evidence.peer_ids]),
            *_told_by_ledgers(evidence),
            *_section("faults", _faults(history, evidence)),
            *_books(evidence),
            *_section("crashed", evidence.crashed),
            *_section("checks", _checks(verdicts, colour), limit=100),
            *_concerned(history, evidence, verdicts),
            _paint(ENDINGS[code], "32" if code == HOLDS else "31", colour),
        ]
    )


def _section(title: str, rows: Iterable[str], limit: int = MAX_ROWS) -> list[str]:
    lines = list(rows)
    if not lines:
        return []
    if len(lines) > limit:
        lines = [*lines[:limit], f"... and {len(lines) - limit} more"]
    return [f"{title if not number else '':8} {line}" for number, line in enumerate(lines)] + [""]


def _peer(evidence: Evidence, name: str) -> str:
    id_ = evidence.peer_ids[name]
    entries = len(evidence.best_copies()[id_].texts) if id_ in evidence.best_copies() else 0
    gone = "" if name in evidence.living else ", down at the end"
    return f"{name}  {id_[:6]}…  {entries} ledger entries{gone}"


def _told_by_ledgers(evidence: Evidence) -> list[str]:
    try:
        accounts = evidence.accounts()
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        return _section("ledgers", [f"cannot be read: {type(error).__name__}: {error}"])
    orders = sorted(accounts.orders.values(), key=lambda order: order.stamp)
    trades = accounts.trades().values()
    told = [_order(evidence, order, order.owner in accounts.fences) for order in orders]
    return [
        *_section("orders", _aligned(_counted(told))),
        *_section("trades", _aligned(_counted([_trade(evidence, accounts, trade) for trade in trades]))),
    ]


def _counted(rows: list[list[str]]) -> list[list[str]]:
    """Put what is alike but for the number of the order in one row, where there are too many rows to read."""
    if len(rows) <= MAX_ROWS:
        return rows
    alike = Counter(tuple(_NUMBER.sub(r"\1", cell) for cell in row) for row in rows)
    return [[f"{count} x", *row] for row, count in alike.items()]


def _order(evidence: Evidence, order: Account, is_void: bool) -> list[str]:
    stands = [
        f"{_short(amount)} {what}"
        for amount, what in (
            (order.filled, "filled"),
            (order.available, "void" if is_void else "open"),
            (order.reserved, "reserved"),
            (order.cancelled, "cancelled"),
        )
        if amount
    ]
    does = f"{order.side}s"
    return [
        evidence.tell(order.id),
        does,
        f"{_short(order.original)} {order.item} at {order.limit}",
        ", ".join(stands),
    ]


def _trade(evidence: Evidence, accounts: Accounts, trade: Trade) -> list[str]:
    taker, maker = evidence.tell(trade.taker), evidence.tell(trade.maker)
    known = accounts.orders.get(trade.taker) or accounts.orders.get(trade.maker)
    # A snapshot may have come between the trade and both its orders, which are long settled.
    what = f"{_short(trade.quantity)} {known.item}" if known is not None else _short(trade.quantity)
    return [taker, "took", f"{what} at {_short(trade.price)}", f"from {maker}"]


def _faults(history: History, evidence: Evidence) -> Iterable[str]:
    for operation in history.operations():
        if operation.what in FAULT_WORDS:
            took = f", took {operation.end_s - operation.start_s:.2f} s" if operation.end_s is not None else ""
            whom = " ".join(f"{value:g}" if isinstance(value, float) else value for value in operation.asked.values())
            yield f"{operation.start_s:6.2f} s  {operation.what} {whom}{took}"
        elif operation.what == "evict":
            lost, came = evidence.name_of(operation.asked["peerId"]), operation.error or operation.outcome
            yield f"{operation.start_s:6.2f} s  evict {lost} at {operation.peer}: {came}"


def _books(evidence: Evidence) -> list[str]:
    lines: list[str] = []
    for item in sorted({item for books in evidence.books.values() for item in books}):
        shown = {peer: _book(evidence, books[item]) for peer, books in evidence.books.items() if item in books}
        first = next(iter(shown.values()))
        if all(book == first for book in shown.values()):
            lines += _section("book", [f"{item}, the same on all {len(shown)} peers", *first])
        else:
            for peer, book in shown.items():
                lines += _section("book", [f"{item} on {peer}", *book])
    return lines


def _book(evidence: Evidence, book: dict[str, Any]) -> list[str]:
    # Asks above bids, and the best of both next to each other, as on any trading screen.
    asks = [("sell", order) for order in reversed(book["sellOrders"])]
    bids = [("buy", order) for order in book["buyOrders"]]
    rows = [
        [f"  {side}", order["quantity"], f"at {order['price']}", evidence.tell(order["id"])]
        for side, order in asks + bids
    ]
    return list(_aligned(rows)) or ["  empty"]


def _checks(verdicts: list[Verdict], colour: bool) -> Iterable[str]:
    for verdict in verdicts:
        mark, shade = _MARKS[verdict.kind]
        yield f"{_paint(mark, shade, colour)} {verdict.name:16} {verdict.sentence}"
        rest = verdict.evidence[1:]
        yield from (f"{'':18} {line}" for line in rest[:MAX_EVIDENCE])
        if len(rest) > MAX_EVIDENCE:
            yield f"{'':18} ... and {len(rest) - MAX_EVIDENCE} more in verdict.json"


def _concerned(history: History, evidence: Evidence, verdicts: list[Verdict]) -> Iterable[str]:
    for name, lines in told(history, evidence, verdicts):
        yield from _section("cause", [f"what there is about the first line of {name}:", *lines], limit=100)


def _aligned(rows: Iterable[list[str]]) -> Iterable[str]:
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _short(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _paint(text: str, shade: str, colour: bool) -> str:
    return f"\x1b[{shade}m{text}\x1b[0m" if colour else text
