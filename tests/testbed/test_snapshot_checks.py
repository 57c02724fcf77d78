"""The checker of snapshots: what a ledger was summed up to, held against what it had come to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from testbed.accounts import Account, Accounts
from testbed.evidence import Evidence
from testbed.snapshot_checks import summed_up
from tests.testbed.world import IDS, Placed, World, from_its_snapshot


def story() -> tuple[World, Placed, Placed, str]:
    """A sale of 2 of 5 that is over, and one of 1 more that waits for its taker; maker at peer-1, taker at peer-2."""
    world = World()
    maker = world.place("peer-1", "sell", "5", "10")
    taker = world.place("peer-2", "buy", "4", "10")
    world.fill(taker, maker, "2", taker_left="2", maker_left="3")
    waits = world.open(taker, maker, "1")
    world.grant(waits, taker, maker, "1", remaining="2")
    return world, maker, taker, waits


def accounts(world: World) -> Accounts:
    return Accounts().read(line for copy in world.evidence().best_copies().values() for line in copy.lines())


def told(account: Account) -> dict[str, Any]:
    placed = {"id": account.id, "item": account.item, "side": account.side, "price": str(account.price)}
    return {
        "placed": {"type": "ORDER_PLACED", **placed, "quantity": str(account.original)},
        "time": account.stamp[0],
        **{name: str(getattr(account, name)) for name in ("filled", "remaining", "reserved")},
        "cancelled": account.is_cancelled,
        "trades": [],
    }


def sum_up(world: World, peer: str, **other: Any) -> None:
    """Let a peer write the snapshot that its ledger comes to, or another one."""
    read = accounts(world)
    owned = [one for one in read.orders.values() if one.owner == IDS[peer] and one.remaining]
    waiting = [line.event for line in read.opened.values() if line.owner == IDS[peer]]
    grants = [
        {
            "fillId": trade.id,
            "maker": trade.maker,
            "granted": str(trade.quantity),
            "price": "10",
            "time": 1,
            "sequence": 3,
        }
        for trade in read.granted.values()
        if trade.id not in read.closed and trade.maker.startswith(IDS[peer])
    ]
    empty: dict[str, Any] = {"holds": [], "closings": [], "evictions": []}
    true = {"part": 1, "parts": 1, "orders": [*map(told, owned)], "fills": waiting, "grants": grants, **empty}
    world.write(peer, "SNAPSHOT", {**true, **other})


def test_what_a_ledger_comes_to_may_be_written_into_it() -> None:
    world, *_ = story()
    sum_up(world, "peer-1")
    sum_up(world, "peer-2")
    verdict = summed_up(world.history, world.evidence())
    assert (verdict.kind, verdict.sentence[-7:]) == ("valid", "6 times")


def test_a_snapshot_may_come_in_parts() -> None:
    world, maker, *_ = story()
    other = world.place("peer-1", "sell", "1", "20")
    read = accounts(world)
    sum_up(world, "peer-1", parts=2, orders=[told(read.orders[maker.id])], grants=[])
    assert summed_up(world.history, world.evidence()).kind == "valid"
    sum_up(world, "peer-1", part=2, parts=2, orders=[told(read.orders[other.id])])
    assert summed_up(world.history, world.evidence()).kind == "valid"


@pytest.mark.parametrize("field", ["remaining", "reserved", "filled"])
def test_an_amount_that_is_wrong_is_found(field: str) -> None:
    world, maker, *_ = story()
    wrong = told(accounts(world).orders[maker.id]) | {field: "1"}
    sum_up(world, "peer-1", orders=[wrong])
    verdict = summed_up(world.history, world.evidence())
    assert verdict.kind == "violated"
    assert "tells of peer-1-1" in verdict.sentence


@pytest.mark.parametrize(("peer", "field"), [("peer-1", "orders"), ("peer-2", "orders"), ("peer-2", "fills")])
def test_what_is_left_out_is_found(peer: str, field: str) -> None:
    world, *_ = story()
    sum_up(world, peer, **{field: []})
    assert summed_up(world.history, world.evidence()).kind == "violated"


def test_a_decision_that_is_told_otherwise_is_found() -> None:
    world, maker, _, waits = story()
    wrong = {"fillId": waits, "maker": maker.id, "granted": "2", "price": "10", "time": 1, "sequence": 3}
    sum_up(world, "peer-1", grants=[wrong])
    assert "tells wrongly of the decision" in summed_up(world.history, world.evidence()).sentence


def test_a_decision_must_not_be_forgotten_before_its_owner_has_read_that_the_fill_is_closed() -> None:
    world, maker, taker, waits = story()
    sum_up(world, "peer-1", grants=[])
    world.close(waits, taker, maker, "1", remaining="1")
    verdict = summed_up(world.history, world.evidence())
    assert verdict.sentence.endswith("forgets the decision of peer-2-4, which its taker may still ask for")


def test_a_decision_may_be_forgotten_after_it() -> None:
    world, maker, taker, waits = story()
    world.close(waits, taker, maker, "1", remaining="1")
    sum_up(world, "peer-1", grants=[])
    assert summed_up(world.history, world.evidence()).kind == "valid"


def test_a_copy_that_starts_over_is_not_judged_by_what_it_never_held() -> None:
    world, *_ = story()
    sum_up(world, "peer-1")
    evidence = world.evidence()
    whole = evidence.ledgers["peer-3"][IDS["peer-1"]]
    evidence.ledgers["peer-3"][IDS["peer-1"]] = from_its_snapshot(whole)
    assert summed_up(world.history, evidence).kind == "valid"


def test_what_its_owner_had_read_and_has_forgotten_since_is_not_held_against_a_snapshot() -> None:
    world, maker, taker, waits = story()
    world.close(waits, taker, maker, "1", remaining="1")
    sum_up(world, "peer-1", grants=[])
    sum_up(world, "peer-2")
    evidence = world.evidence()
    mine = evidence.ledgers["peer-1"]
    assert summed_up(world.history, evidence).kind == "valid"
    mine[IDS["peer-2"]] = from_its_snapshot(mine[IDS["peer-2"]])
    assert summed_up(world.history, evidence).kind == "valid"


def test_what_a_peer_has_forgotten_since_counts_where_it_is_known() -> None:
    world, *_ = story()
    sum_up(world, "peer-1", orders=[])
    evidence = world.evidence()
    shown = {
        holder: {owner: from_its_snapshot(copy) if owner == IDS["peer-1"] else copy for owner, copy in copies.items()}
        for holder, copies in evidence.ledgers.items()
    }
    forgetful = Evidence(**{**_fields(evidence), "ledgers": shown})
    assert summed_up(world.history, forgetful).kind == "valid"
    assert summed_up(world.history, replace(forgetful, disks=evidence.ledgers)).kind == "violated"


def test_accounts_that_start_over_say_the_same_of_what_is_open() -> None:
    world, *_ = story()
    sum_up(world, "peer-2")
    whole = accounts(world)
    late = Accounts().read(from_its_snapshot(world.evidence().best_copies()[IDS["peer-2"]]).lines())
    open_here = {id_: one for id_, one in whole.orders.items() if one.owner == IDS["peer-2"] and one.remaining}
    assert late.orders == {id_: replace(one, client=None) for id_, one in open_here.items()}
    assert list(late.opened) == list(whole.opened)


def _fields(evidence: Evidence) -> dict[str, Any]:
    return {name: getattr(evidence, name) for name in evidence.__slots__}


def test_what_is_written_is_json() -> None:
    world, *_ = story()
    sum_up(world, "peer-1")
    assert json.loads(world.ledgers["peer-1"][-1])["event"]["type"] == "SNAPSHOT"
