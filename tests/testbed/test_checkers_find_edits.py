"""A true run, and every lie that can be told about it by one edit of a ledger: some checker must reject each of them.

The rule: a lie is told as well as it can be. The owner has written it so, chained it, and all peers hold it alike, so
that only its sense can give it away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from testbed import runner
from testbed.accounts import Copy
from testbed.checkers import HOLDS, exit_code, judge
from testbed.evidence import Evidence
from testbed.history import History
from testbed.simulation import virtual_time
from testbed.simulation.cluster import SimulationCluster
from testbed.simulation.swarm import draw

# Of the drawn runs, the first that has all of these and is small.
KINDS = {
    "ORDER_PLACED",
    "ORDER_CANCELLED",
    "FILL_OPENED",
    "FILL_GRANTED",
    "FILL_GRANTED of nothing",
    "FILL_CLOSED",
    "FILL_CLOSED of nothing",
    "ORDERS_TRADED",
    "ORDER_REDUCED",
    "FILL_HELD",
}
MAX_ENTRIES = 80
Entry = dict[str, Any]
# A fill may ask for more or less, if it gets no more than it asked for; the limit that counts is the order's own;
# and the price of a refusal is nobody's.
HARMLESS = {
    ("FILL_OPENED", "quantity"),
    ("FILL_OPENED", "limit"),
    ("FILL_GRANTED of nothing", "price"),
    ("FILL_CLOSED of nothing", "price"),
    ("FILL_HELD of nothing", "price"),
}
AMOUNTS = ("quantity", "granted", "price", "remaining", "takerRemaining", "makerRemaining", "limit", "held")
REFERENCES = ("id", "fillId", "taker", "maker")


@cache
def true_run() -> tuple[History, Evidence]:
    for seed in range(100):
        cluster, history = SimulationCluster(seed), History()
        evidence, _ = virtual_time.run(cluster.world.agenda, runner.play(draw(seed).scenario(), cluster, history))
        entries = [entry for of in entries_of(evidence).values() for entry in of]
        kinds = {kind_of(entry) for entry in entries}
        # What can be wrong with an eviction is told in test_fence_checks.
        if len(entries) <= MAX_ENTRIES and kinds >= KINDS and "EVICTION_PROPOSED" not in kinds:
            return history, evidence
    raise AssertionError("no small run has a bit of everything")


def entries_of(evidence: Evidence) -> dict[str, list[Entry]]:
    return {owner: [json.loads(text) for text in copy.texts] for owner, copy in evidence.best_copies().items()}


def ledgers() -> dict[str, list[Entry]]:
    return entries_of(true_run()[1])


def told(owner: str, entries: list[Entry], came_from: list[int]) -> Evidence:
    """Let everybody hold these entries as the ledger of their owner; each arrived when entry `came_from` did."""
    _, evidence = true_run()
    texts = tuple(json.dumps({**entry, "sequence": number}) for number, entry in enumerate(entries, 1))
    head = "00" * 32
    for text in texts:
        head = hashlib.sha256(f"{head}{text}".encode()).hexdigest()
    copies, statuses = {}, {}
    for holder, held in evidence.ledgers.items():
        positions = tuple(held[owner].positions[number] for number in came_from)
        copies[holder] = {**held, owner: Copy(owner, texts, positions)}
        status = evidence.statuses[holder]
        statuses[holder] = {**status, "vector": {**status["vector"], owner: [len(texts), head]}}
    return replace(evidence, ledgers=copies, statuses=statuses, disks={})


def rejected(evidence: Evidence) -> bool:
    history, _ = true_run()
    return any(verdict.kind == "violated" for verdict in judge(history, evidence))


def kind_of(entry: Entry) -> str:
    event = entry["event"]
    return f"{event['type']} of nothing" if "0" in (event.get("granted"), event.get("held")) else event["type"]


def altered(field: str, change: Callable[[Any, list[Entry]], Any]) -> Iterator[tuple[str, Evidence]]:
    """Change one field of each entry that has it."""
    for owner, entries in ledgers().items():
        for number, entry in enumerate(entries):
            if field in entry["event"] and (kind_of(entry), field) not in HARMLESS:
                lie = deepcopy(entries)
                lie[number]["event"][field] = change(entry["event"][field], entries)
                yield f"{field} of {entry}", told(owner, lie, list(range(len(lie))))


def test_the_true_run_holds() -> None:
    history, evidence = true_run()
    assert exit_code(judge(history, evidence), evidence) == HOLDS


def test_the_truth_told_in_the_way_of_the_lies_is_no_lie() -> None:
    for owner, entries in ledgers().items():
        assert not rejected(told(owner, entries, list(range(len(entries)))))


@pytest.mark.parametrize("field", AMOUNTS)
@pytest.mark.parametrize("difference", ["1", "-0.00000001"])
def test_no_amount_can_be_altered(field: str, difference: str) -> None:
    lies = altered(field, lambda amount, _: str(Decimal(amount) + Decimal(difference)))
    assert [what for what, lie in lies if not rejected(lie)] == []


@pytest.mark.parametrize("field", REFERENCES)
def test_no_entry_can_be_made_to_speak_of_another_order_or_fill(field: str) -> None:
    def another(name: str, entries: list[Entry]) -> str:
        names = [entry["event"][field] for entry in entries if field in entry["event"]]
        return next((other for other in names if other != name), f"{name}0")

    assert [what for what, lie in altered(field, another) if not rejected(lie)] == []


@pytest.mark.parametrize("field", ["item", "side", "clientId", "clientOrderId"])
def test_no_order_can_be_turned_into_another(field: str) -> None:
    def another(value: str, _: list[Entry]) -> str:
        return {"buy": "sell", "sell": "buy"}.get(value, f"{value}0")

    assert [what for what, lie in altered(field, another) if not rejected(lie)] == []


def test_no_entry_can_be_forgotten() -> None:
    for owner, entries in ledgers().items():
        for number, entry in enumerate(entries):
            rest = [other for other in range(len(entries)) if other != number]
            assert rejected(told(owner, [entries[other] for other in rest], rest)), entry


def test_no_entry_can_be_written_twice() -> None:
    for owner, entries in ledgers().items():
        for number, entry in enumerate(entries):
            last = entries[-1]["time"]
            came_from = [*range(len(entries)), len(entries) - 1]
            assert rejected(told(owner, [*entries, {**entries[number], "time": last + 1}], came_from)), entry


def test_no_order_can_be_cancelled_that_nobody_has_cancelled() -> None:
    for owner, entries in ledgers().items():
        cancelled = {entry["event"]["id"] for entry in entries if entry["event"]["type"] == "ORDER_CANCELLED"}
        for entry in entries:
            if entry["event"]["type"] == "ORDER_PLACED" and entry["event"]["id"] not in cancelled:
                event = {"type": "ORDER_CANCELLED", "id": entry["event"]["id"], "remaining": "0"}
                lie = [*entries, {"time": entries[-1]["time"] + 1, "event": event}]
                assert rejected(told(owner, lie, [*range(len(entries)), len(entries) - 1])), entry


def test_no_order_can_be_placed_that_nobody_has_submitted() -> None:
    for owner, entries in ledgers().items():
        placed = next(entry["event"] for entry in entries if entry["event"]["type"] == "ORDER_PLACED")
        event = {**placed, "id": f"{owner}-{len(entries) + 1}", "clientOrderId": "order-1000"}
        lie = [*entries, {"time": entries[-1]["time"] + 1, "event": event}]
        assert rejected(told(owner, lie, [*range(len(entries)), len(entries) - 1]))


@pytest.mark.parametrize("by_us", [-10_000_000, 10_000_000])
def test_no_order_and_no_decision_can_be_stamped_anew(by_us: int) -> None:
    for owner, entries in ledgers().items():
        for number, entry in enumerate(entries):
            acknowledged = kind_of(entry) in ("ORDER_PLACED", "FILL_GRANTED", "ORDERS_TRADED")
            if acknowledged:
                lie = [{**one, "time": one["time"] + by_us * (at == number)} for at, one in enumerate(entries)]
                assert rejected(told(owner, lie, list(range(len(entries))))), entry
