"""What the page of a run is given: everything that is stored of the run, as one JSON object. Pure.

The rule: the page shows, it does not judge; verdicts are those of the checkers. Whole texts are kept within a bound,
first of what the violations name, then of what happened last; every row stays, so that nothing vanishes from the
picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from testbed.accounts import Account, Accounts, Copy
from testbed.evidence import Evidence
from testbed.history import History
from testbed.report import ENDINGS
from testbed.timeline import Index, Row, arrows, bands, entry_rows, index, message_rows, operation_rows

Level: TypeAlias = tuple[str, str, str, str]  # side, order, price, what is left of it

MAX_ROWS = 100_000
MAX_CHARACTERS = 6_000_000
MAX_BOOK_ROWS = 400
MAX_LOG_LINES = 2_000

# What no program says that is well.
PANIC = re.compile(
    r"Traceback \(most recent call last\)|\"level\": \"critical\"|\bCRITICAL\b|Task exception was never retrieved"
    r"|\bAssertionError\b|Uncaught|UnhandledPromiseRejection|\bSegmentation fault\b"
)
_NAMED = re.compile(r"\bpeer-[0-9]+-[0-9]+\b")
_NUMBERED = re.compile(r"#([0-9]+)\b")


@dataclass(frozen=True, slots=True)
class Stored:
    """A run as it lies on disk: `about` is its scenario.json, `judgement` its verdict.json, `logs` are lines by name.

    Only a simulation records `messages` and `commits`.
    """

    about: Mapping[str, Any]
    judgement: Mapping[str, Any]
    history: History
    evidence: Evidence
    messages: Sequence[Mapping[str, Any]] = ()
    commits: Sequence[Mapping[str, Any]] = ()
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)


def page_of(run: Stored) -> dict[str, Any]:
    """Return everything that the page shows of a run, as a JSON object."""
    found = index(run.evidence)
    lanes = {name: number for number, name in enumerate(_lane_names(run))}
    checks = [_check(found, verdict) for verdict in run.judgement["verdicts"]]
    wanted = {number for check in checks if check["kind"] != "valid" for number in check["orders"]}
    accounts = _accounts(run.evidence)
    page: dict[str, Any] = {
        "about": _about(run),
        "lanes": list(lanes),
        "peers": [_peer(run.evidence, name) for name in run.evidence.peer_ids],
        "checks": checks,
        "orders": _orders(found, run.evidence, accounts),
        "entries": entry_rows(found, lanes, run.about["began_s"], run.commits),
        "arrows": arrows(found),
        "operations": _last(operation_rows(found, run.history, lanes)),
        "messages": message_rows(found, run.messages, lanes),
        "bands": bands(run.history, run.about["peers"], run.about["late"]),
        "trades": _trades(run.evidence, accounts),
        "books": _books(run.evidence),
        "copies": list(_differing_copies(found, run.evidence)),
        "logs": [_log(name, lines) for name, lines in run.logs.items()],
    }
    _fit(page["entries"], (5,), lambda row: not wanted.isdisjoint(row[4]))
    _fit(page["operations"], (9, 8), lambda row: not wanted.isdisjoint(row[7]))
    _fit(page["messages"], (7,), lambda row: not wanted.isdisjoint(row[5]))
    return page


def _lane_names(run: Stored) -> list[str]:
    struck = [operation.peer for operation in run.history.operations() if operation.process == "testbed"]
    known = [*run.about["peers"], *sorted({peer for peer in struck if peer})]
    return list(dict.fromkeys(known))


def _about(run: Stored) -> dict[str, Any]:
    about, judgement = run.about, run.judgement
    told = {name: about[name] for name in ("name", "title", "on", "seed", "began_s", "command")}
    times = [event.time_s for event in run.history.events]
    ending = {"exit": judgement["exit"], "ending": ENDINGS[judgement["exit"]], "why": judgement["why"]}
    return {**told, **ending, "lasted_s": max(times, default=0.0), "crashed": list(run.evidence.crashed)}


def _peer(evidence: Evidence, name: str) -> dict[str, Any]:
    best = evidence.best_copies().get(evidence.peer_ids[name])
    written = len(best.texts) if best else 0
    return {"name": name, "id": evidence.peer_ids[name], "living": name in evidence.living, "entries": written}


def _check(found: Index, verdict: Mapping[str, Any]) -> dict[str, Any]:
    """Return a verdict with the orders and the operations that its sentences name."""
    told = "\n".join([verdict["sentence"], *verdict["evidence"]])
    ids = {name: id_ for id_, name in found.names.items()}
    numbers: dict[int, None] = {}
    for name in _NAMED.findall(told):
        peer, _, sequence = name.rpartition("-")
        numbers |= dict.fromkeys(found.by_key.get((ids.get(peer, ""), int(sequence)), ()))
    operations = [int(number) for number in dict.fromkeys(_NUMBERED.findall(told))]
    return {**verdict, "evidence": list(verdict["evidence"]), "orders": list(numbers), "operations": operations}


def _orders(found: Index, evidence: Evidence, accounts: Accounts) -> list[Row]:
    """Rows of `name, peer, side, item, price, original, filled, reserved, open, cancelled`; null if nobody can tell."""
    return [_order(evidence, id_, accounts.orders.get(id_)) for id_ in found.orders]


def _order(evidence: Evidence, id_: str, order: Account | None) -> Row:
    name = evidence.tell(id_)
    peer = name.rpartition("-")[0]
    if order is None:
        return [name, peer, *[None] * 8]
    amounts = (order.original, order.filled, order.reserved, order.available, order.cancelled)
    return [name, peer, order.side, order.item, order.limit, *(f"{amount.normalize():f}" for amount in amounts)]


def _accounts(evidence: Evidence) -> Accounts:
    accounts = Accounts()
    try:
        return accounts.read(evidence.lines())
    except (ArithmeticError, LookupError, TypeError, ValueError):
        # What was read until then is better than nothing.
        return accounts


def _trades(evidence: Evidence, accounts: Accounts) -> list[dict[str, Any]]:
    """Return every trade that a ledger or a peer tells of, with the living peers that do not show it once."""
    decided = accounts.trades()
    shown: dict[str, dict[str, int]] = {}
    terms: dict[str, tuple[Any, ...]] = {
        id_: (trade.taker, trade.maker, f"{trade.quantity.normalize():f}", f"{trade.price.normalize():f}")
        for id_, trade in decided.items()
    }
    for peer, items in evidence.trades.items():
        for trade in (trade for trades in items.values() for trade in trades):
            id_ = trade["id"]
            times = shown.setdefault(id_, {})
            times[peer] = times.get(peer, 0) + 1
            terms.setdefault(id_, (trade["takerOrderId"], trade["makerOrderId"], trade["quantity"], trade["price"]))
    return [
        {
            "id": evidence.tell(id_),
            "taker": evidence.tell(taker),
            "maker": evidence.tell(maker),
            "quantity": quantity,
            "price": price,
            "decided": id_ in decided,
            "not_once": [peer for peer in evidence.trades if shown.get(id_, {}).get(peer, 0) != 1],
        }
        for id_, (taker, maker, quantity, price) in terms.items()
    ]


def _books(evidence: Evidence) -> list[dict[str, Any]]:
    """Return each item's book, once for all peers that show the same: rows of `side, order, price, [left, ...]`."""
    return [_book(evidence, item) for item in sorted({item for books in evidence.books.values() for item in books})]


def _book(evidence: Evidence, item: str) -> dict[str, Any]:
    alike: dict[tuple[Level, ...], list[str]] = {}
    for peer, books in evidence.books.items():
        alike.setdefault(tuple(_shown(evidence, books.get(item))), []).append(peer)
    variants = [{level[:3]: level[3] for level in book} for book in alike]
    # The best of both sides stand next to each other; within a price, the order is that of the first who shows it.
    keys = sorted(dict.fromkeys(key for book in variants for key in book), key=lambda key: -Decimal(key[2]))
    rows = [[*key, [book.get(key) for book in variants]] for key in sorted(keys, key=lambda key: key[0] == "buy")]
    kept = sorted(range(len(rows)), key=lambda number: len(set(rows[number][3])) == 1)[:MAX_BOOK_ROWS]
    shown = [rows[number] for number in sorted(kept)]
    return {"item": item, "peers": list(alike.values()), "rows": shown, "left_off": len(rows) - len(shown)}


def _shown(evidence: Evidence, book: Mapping[str, Any] | None) -> Iterable[Level]:
    for side in ("sell", "buy"):
        orders = book[f"{side}Orders"] if book is not None else []
        for order in reversed(orders) if side == "sell" else orders:
            yield side, evidence.tell(order["id"]), order["price"], _left(order)


def _left(order: Mapping[str, Any]) -> str:
    status = order.get("status", "open")
    halted = ", halted" if order.get("halted") else ""
    return f"{order['quantity']}{f' {status}' if status not in ('open', 'partially_filled') else ''}{halted}"


def _differing_copies(found: Index, evidence: Evidence) -> Iterable[dict[str, Any]]:
    """Tell of each copy of a ledger that is not its owner's: where it parts from it, and both texts there."""
    best = evidence.best_copies()
    for holder, copies in evidence.ledgers.items():
        for owner, copy in copies.items():
            if copy.texts != best[owner].texts:
                at = _parting(copy, best[owner])
                texts = [found.told(each.texts[at]) if at < len(each.texts) else "" for each in (copy, best[owner])]
                told = {"holder": holder, "owner": evidence.name_of(owner), "sequence": at + 1}
                yield {**told, "here": texts[0], "there": texts[1]}


def _parting(copy: Copy, other: Copy) -> int:
    shorter = min(len(copy.texts), len(other.texts))
    return next((at for at in range(shorter) if copy.texts[at] != other.texts[at]), shorter)


def _log(name: str, lines: Sequence[str]) -> dict[str, Any]:
    """Return the last lines of a log and every panic before them; each with whether it is one."""
    marked = [(line, PANIC.search(line) is not None) for line in lines]
    first = len(marked) - MAX_LOG_LINES
    kept = [(line[:MAX_LOG_LINES], panic) for number, (line, panic) in enumerate(marked) if panic or number >= first]
    return {"name": name, "lines": kept[-2 * MAX_LOG_LINES :], "left_off": len(marked) - len(kept)}


def _last(rows: list[Row]) -> list[Row]:
    return rows[-MAX_ROWS:]


def _fit(rows: list[Row], columns: tuple[int, ...], first: Callable[[Row], bool]) -> None:
    """Take texts away where all of them are too much; those of the `first` rows stay longest, then the last ones."""
    left = MAX_CHARACTERS
    for row in sorted(reversed(rows), key=lambda row: not first(row)):
        for column in columns:
            left -= len(row[column])
            if left < 0:
                row[column] = None
