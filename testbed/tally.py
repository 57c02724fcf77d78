"""A run in numbers: requests, fills, faults, fills under fault, and what became of the unanswered. Pure.

The rule: an operation whose outcome nobody knew is resolved by the ledgers, where everything that happened stands.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from math import inf
from typing import Any

from testbed.accounts import Accounts
from testbed.evidence import Evidence
from testbed.history import History, Operation
from testbed.script import GRAPES, Weather

# What begins a fault, and what ends it.
_BEGINS = ("kill", "stop", "pause", "crash", "fill_disk", "cut", "weather", "skew")
_ENDS = ("restart", "resume", "mend", "weather", "skew")
_CALM = {"weather": asdict(Weather()), "skew": {"ahead_s": 0.0}}


@dataclass(slots=True)
class Tally:
    """Numbers of a run; `resolved` counts unanswered requests by what the ledgers say became of them."""

    accepted: int = 0
    fills: int = 0
    fills_under_fault: int = 0
    within: int = 0
    refused: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    resolved: Counter[str] = field(default_factory=Counter)

    def rows(self) -> dict[str, int]:
        """Return every number with what it counts."""
        return {
            "orders accepted": self.accepted,
            **{what: count for what, count in sorted(self.requests.items())},
            **{what: count for what, count in sorted(self.resolved.items())},
            "fills across peers": self.fills,
            "of these while something was hurt": self.fills_under_fault,
            "fills refused": self.refused,
            "trades within a peer": self.within,
            **{f"faults: {what}": count for what, count in sorted(self.faults.items())},
        }


def tally(history: History, evidence: Evidence, began_s: float) -> Tally:
    """Count; `began_s` is when the history begins, by the clock that stamps the ledgers."""
    accounts, operations, found = evidence.accounts(), history.operations(), Tally()
    spans = _hurt(operations)
    for trade in accounts.granted.values():
        at_s = trade.time / 1e6 - began_s
        found.fills += trade.quantity > 0
        found.refused += trade.quantity <= 0
        found.fills_under_fault += trade.quantity > 0 and any(start <= at_s <= end for start, end in spans)
    found.within = len(accounts.within)
    found.accepted = len(accounts.orders)
    for operation in operations:
        if _begins(operation):
            found.faults[f"{operation.what} of a Grape" if operation.peer in GRAPES else operation.what] += 1
        elif operation.what in ("submit", "cancel", "trades"):
            found.requests[f"{operation.what}: {operation.outcome}"] += 1
            if operation.outcome == "info":
                found.resolved[f"{operation.what} without an answer, {_became(evidence, accounts, operation)}"] += 1
    return found


def _hurt(operations: list[Operation]) -> list[tuple[float, float]]:
    """Return when anything was hurt: from the moment that a fault began until it had been taken back."""
    spans: list[tuple[float, float]] = []
    since: dict[Any, float] = {}
    for operation in operations:
        key = _place(operation)
        if _begins(operation):
            since.setdefault(key, operation.start_s)
        elif operation.what in _ENDS and key in since:
            spans.append((since.pop(key), operation.end_s if operation.end_s is not None else inf))
    return spans + [(start, inf) for start in since.values()]


def _place(operation: Operation) -> Any:
    """Tell which fault belongs to which healing."""
    asked = operation.asked if isinstance(operation.asked, dict) else {}
    if operation.what in ("cut", "mend"):
        return asked["sender"], asked["receiver"]
    return "clock" if operation.what == "skew" else "links" if operation.what == "weather" else "life", asked.get(
        "peer"
    )


def _begins(operation: Operation) -> bool:
    if operation.what not in _BEGINS:
        return False
    calm = _CALM.get(operation.what)
    return calm is None or any(operation.asked.get(name) != value for name, value in calm.items())


def _became(evidence: Evidence, accounts: Accounts, operation: Operation) -> str:
    match operation.what:
        case "submit":
            order = operation.asked["order"]
            label = (order["clientId"], order["clientOrderId"])
            placed = (account.owner for account in accounts.orders.values() if account.client == label)
            happened = any(evidence.name_of(owner) == operation.peer for owner in placed)
        case "cancel":
            account = accounts.orders.get(operation.asked["id"])
            is_its_own = account is not None and evidence.name_of(account.owner) == operation.peer
            happened = account is not None and is_its_own and account.is_cancelled
        case _:
            return "nothing to happen"
    return "had happened" if happened else "had not happened"
