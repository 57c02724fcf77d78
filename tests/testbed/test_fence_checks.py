"""The checkers of evictions: each must reject a run that breaks its promise, and must not reject one that only may."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from testbed.accounts import Copy
from testbed.entry_checks import follows
from testbed.evidence import Evidence
from testbed.fence_checks import fenced
from testbed.history import History
from testbed.ledger_checks import agreed_trades, conservation
from testbed.promises import durable, exactly_once
from tests.testbed.world import IDS, Placed, World, from_its_snapshot, head

LOST = "peer-3"
LIVING = ("peer-1", "peer-2")
NOTHING = History()


def fence(world: World, at: int | None = None, by: tuple[str, ...] = LIVING, *, forced: bool = False) -> None:
    """Evict peer-3, as far as these peers have read."""
    texts = world.ledgers[LOST]
    end = {"peerId": IDS[LOST], "sequence": len(texts) if at is None else at, "hash": head(texts[:at])}
    proposal = {"peerId": IDS[LOST], "voters": [IDS[name] for name in LIVING], "forced": forced}
    world.write(LIVING[0], "EVICTION_PROPOSED", proposal)
    for peer in LIVING:
        world.write(peer, "EVICTION_JOINED", end)
    for peer in by:
        world.write(peer, "PEER_FENCED", end)


def crossing(world: World) -> tuple[Placed, Placed, str]:
    """A fill that peer-1 has opened towards the lost peer: maker, taker, fill."""
    maker = world.place(LOST, "sell", "5", "10")
    taker = world.place("peer-1", "buy", "3", "10")
    return maker, taker, world.open(taker, maker, "3")


def shown(world: World) -> Evidence:
    """What the living show when all is over; what the trades beyond a fence are, is left to the test."""
    return world.evidence(living=LIVING)


def cut(evidence: Evidence, holder: str, last: int) -> Evidence:
    """The same, but for one holder's copy of the lost ledger, which ends sooner."""
    copy = evidence.ledgers[holder][IDS[LOST]]
    mine = {**evidence.ledgers[holder], IDS[LOST]: Copy(copy.owner, copy.texts[:last], copy.positions[:last])}
    return replace(evidence, ledgers={**evidence.ledgers, holder: mine})


def test_where_nobody_is_evicted_and_where_all_is_as_it_should_be_nothing_is_wrong() -> None:
    assert fenced(NOTHING, World().evidence()).kind == "valid"
    world = World()
    maker, taker, fill = crossing(world)
    fence(world)
    world.close(fill, taker, maker, "0", "3")
    for checker in (fenced, agreed_trades, conservation, follows):
        assert checker(NOTHING, shown(world)).kind == "valid", checker.__name__


SAID = ("EVICTION_PROPOSED", "EVICTION_JOINED", "PEER_FENCED")


def forgetful(world: World, *repeated: str, **told: list[dict[str, str]]) -> Evidence:
    """What the living show that have summed up this of what they said of evictions, and forgotten all before."""
    for peer in LIVING:
        events = [json.loads(text)["event"] for text in world.ledgers[peer]]
        world.sum_up(peer, evictions=[event for event in events if event["type"] in repeated], **told)
    evidence = shown(world)
    for copies in evidence.ledgers.values():
        copies.update({IDS[peer]: from_its_snapshot(copies[IDS[peer]]) for peer in LIVING})
    return evidence


@pytest.mark.parametrize(
    ("repeated", "sentence"),
    [
        (SAID, "the living agree"),
        (("EVICTION_PROPOSED", "PEER_FENCED"), "peer-1 has never said how far it held"),
        (("EVICTION_JOINED", "PEER_FENCED"), "peer-3 is fenced, and nobody has proposed"),
    ],
)
def test_of_an_eviction_that_is_long_past_what_snapshots_repeat_counts(
    repeated: tuple[str, ...], sentence: str
) -> None:
    world = World()
    world.place(LOST, "sell", "5", "10")
    fence(world)
    assert fenced(NOTHING, forgetful(world, *repeated)).sentence.startswith(sentence)


@pytest.mark.parametrize(("remembers", "sentence"), [(True, "the living agree"), (False, "peer-2 has never decided")])
def test_a_decision_for_a_lost_taker_is_told_of_by_snapshots_for_ever(remembers: bool, sentence: str) -> None:
    world = World()
    maker = world.place("peer-2", "sell", "5", "10")
    taker = world.place(LOST, "buy", "5", "10")
    fill = world.open(taker, maker, "5")
    world.grant(fill, taker, maker, "0", "5")
    fence(world)
    evidence = forgetful(world, *SAID, grants=[{"fillId": fill}] if remembers else [])
    assert fenced(NOTHING, evidence).sentence.startswith(sentence)


@pytest.mark.parametrize(("is_its_own", "kind"), [(True, "valid"), (False, "violated")])
def test_a_copy_of_a_lost_ledger_that_begins_with_a_snapshot_is_held_against_the_fence_too(
    is_its_own: bool, kind: str
) -> None:
    world = World()
    world.place(LOST, "sell", "5", "10")
    world.sum_up(LOST)
    fence(world, 2)
    evidence = shown(world)
    copy = from_its_snapshot(evidence.ledgers["peer-2"][IDS[LOST]])
    evidence.ledgers["peer-2"][IDS[LOST]] = copy if is_its_own else replace(copy, bases={2: "00" * 32})
    assert fenced(NOTHING, evidence).kind == kind


def test_at_unrest_nothing_is_known() -> None:
    world = World()
    fence(world, by=("peer-1",))
    assert fenced(NOTHING, world.evidence(quiet=False, living=LIVING)).kind == "unknown"


def test_an_eviction_that_came_to_nothing_is_found_and_one_that_may_have_is_not() -> None:
    for outcome, kind in (("ok", "violated"), ("fail", "valid"), (None, "valid")):
        world = World()
        world.say("evict", outcome, {"peer": "peer-1", "peerId": IDS[LOST]}, {})  # type: ignore[arg-type]
        assert fenced(world.history, shown(world)).kind == kind


def test_a_living_peer_that_has_not_fenced_is_found() -> None:
    world = World()
    fence(world, by=("peer-1",))
    assert fenced(NOTHING, shown(world)).sentence == "peer-2 has not fenced peer-3"


def test_a_peer_that_speaks_twice_of_an_end_is_found() -> None:
    for by, said in ((("peer-1", "peer-1"), "peer-1 fenced peer-3 2 times"), (LIVING, "")):
        world = World()
        fence(world, by=by)
        assert exactly_once(world.history, shown(world)).sentence.startswith(said or "0 orders")


def test_two_fences_that_differ_are_a_violation_unless_somebody_vouched_for_one() -> None:
    for forced, kind in ((False, "violated"), (True, "unknown")):
        world = World()
        world.place(LOST, "sell", "5", "10")
        fence(world, 0, by=("peer-1",), forced=forced)
        further = {"peerId": IDS[LOST], "sequence": 1, "hash": head(world.ledgers[LOST][:1])}
        world.write("peer-2", "PEER_FENCED", further)
        verdict = fenced(NOTHING, shown(world))
        assert (verdict.kind, verdict.sentence) == (kind, "peer-3 is fenced in two ways: peer-1 at 0, peer-2 at 1")


def test_a_copy_that_goes_beyond_the_fence_or_is_another_one_is_found() -> None:
    world = World()
    world.place(LOST, "sell", "5", "10")
    fence(world, 0)
    assert fenced(NOTHING, shown(world)).sentence == "peer-1 holds 1 entries of peer-3, which is fenced at 0"
    world = World()
    world.place(LOST, "sell", "5", "10")
    fence(world)
    other = World()
    other.place(LOST, "sell", "6", "10")
    evidence = shown(world)
    evidence.ledgers["peer-2"][IDS[LOST]] = other.evidence().ledgers["peer-2"][IDS[LOST]]
    assert "peer-2's copy of peer-3's ledger does not hash to the fence" in fenced(NOTHING, evidence).sentence


def test_who_still_waits_for_the_evicted_peer_or_has_never_decided_what_it_asked_is_found() -> None:
    world = World()
    crossing(world)
    fence(world)
    assert "peer-1 still waits for peer-3 to decide" in fenced(NOTHING, shown(world)).sentence
    world = World()
    maker = world.place("peer-2", "sell", "5", "10")
    fill = world.open(world.place(LOST, "buy", "5", "10"), maker, "5")
    fence(world)
    assert f"peer-2 has never decided {shown(world).tell(fill)}" in fenced(NOTHING, shown(world)).sentence


def test_a_trade_whose_taker_is_void_is_told_and_conserves() -> None:
    world = World()
    maker = world.place("peer-2", "sell", "5", "10")
    taker = world.place(LOST, "buy", "5", "10")
    fill = world.open(taker, maker, "5")
    world.grant(fill, taker, maker, "5", "0")
    fence(world)
    agreed = agreed_trades(NOTHING, shown(world))
    assert (agreed.kind, "one side is void behind a fence" in agreed.sentence) == ("valid", True)
    assert "1 trade void behind a fence" in conservation(NOTHING, shown(world)).sentence


def test_an_evicted_peer_excuses_no_other_imbalance() -> None:
    world = World()
    maker = world.place("peer-2", "sell", "5", "10")
    taker = world.place("peer-1", "buy", "5", "10")
    fill = world.open(taker, maker, "5")
    world.grant(fill, taker, maker, "5", "0")
    fence(world)
    assert agreed_trades(NOTHING, shown(world)).kind == "violated"
    assert conservation(NOTHING, shown(world)).kind == "violated"


@pytest.mark.parametrize(("forced", "kind"), [(False, "violated"), (True, "valid")])
def test_a_decision_that_was_lost_behind_a_fence_is_a_violation_unless_somebody_vouched_for_that(
    forced: bool, kind: str
) -> None:
    world = World()
    maker, taker, fill = crossing(world)
    world.grant(fill, taker, maker, "3", "2")
    world.close(fill, taker, maker, "3", "0")
    fence(world, 1, forced=forced)
    evidence = cut(cut(shown(world), "peer-1", 1), "peer-2", 1)
    verdict = agreed_trades(NOTHING, evidence)
    assert verdict.kind == kind
    assert ("void behind a fence" in verdict.sentence) == forced


def test_what_was_acknowledged_beyond_the_fence_is_told_and_what_stood_before_it_is_missed() -> None:
    world = World()
    for label in ("order-1", "order-2"):
        order = world.place(LOST, "sell", "5", "10", clientId="client", clientOrderId=label)
        world.submit(order, label)
    fence(world, 1)
    before = cut(cut(shown(world), "peer-1", 1), "peer-2", 1)
    verdict = durable(world.history, before)
    assert "the order peer-3-2 was acknowledged and is void: it lay beyond the fence of peer-3" in verdict.evidence
    nothing_left = cut(cut(shown(world), "peer-1", 0), "peer-2", 0)
    gone = durable(world.history, nothing_left)
    assert gone.kind == "violated"
    assert "peer-3-1 was acknowledged, stood before the fence, and is gone" in gone.sentence


def test_a_fence_without_a_proposal_or_without_the_word_of_a_voter_is_found() -> None:
    end = {"peerId": IDS[LOST], "sequence": 0, "hash": head([])}
    world = World()
    for peer in LIVING:
        world.write(peer, "PEER_FENCED", end)
    assert "nobody has proposed" in fenced(NOTHING, shown(world)).sentence
    proposal = {"peerId": IDS[LOST], "voters": [IDS[name] for name in LIVING], "forced": False}
    world.write("peer-1", "EVICTION_PROPOSED", proposal)
    world.write("peer-1", "EVICTION_JOINED", end)
    assert "peer-2 has never said" in fenced(NOTHING, shown(world)).sentence
    world.write("peer-2", "EVICTION_JOINED", end)
    assert fenced(NOTHING, shown(world)).kind == "valid"


def test_a_fence_before_what_a_voter_held_is_found() -> None:
    world = World()
    world.place(LOST, "sell", "5", "10")
    proposal = {"peerId": IDS[LOST], "voters": [IDS[name] for name in LIVING], "forced": False}
    world.write("peer-1", "EVICTION_PROPOSED", proposal)
    for peer, held in (("peer-1", 0), ("peer-2", 1)):
        terms = {"peerId": IDS[LOST], "sequence": held, "hash": head(world.ledgers[LOST][:held])}
        world.write(peer, "EVICTION_JOINED", terms)
    for peer in LIVING:
        world.write(peer, "PEER_FENCED", {"peerId": IDS[LOST], "sequence": 0, "hash": head([])})
    assert "1 entries were held" in " ".join(fenced(NOTHING, shown(world)).evidence)


@pytest.mark.parametrize("again", ["EVICTION_JOINED", "PEER_FENCED"])
def test_what_is_said_twice_of_an_eviction_is_found(again: str) -> None:
    world = World()
    fence(world)
    end = {"peerId": IDS[LOST], "sequence": 0, "hash": head([])}
    world.write("peer-1", again, end)
    assert "2 times" in exactly_once(NOTHING, shown(world)).sentence
