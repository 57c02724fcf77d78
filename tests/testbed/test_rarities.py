"""What few runs have: it is drawn apart from all else, is what it says, and is survived."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from peer.contacts import FIRST_HOLD_S, HEARTBEAT_S, SILENT_AFTER_FAILURES
from peer.ledgers import MAX_SKEW_US
from testbed.simulation import rarities
from testbed.simulation.cluster import REQUEST_TIMEOUT_S
from testbed.simulation.steps import Down, Frozen, Lessen, Lost, Order, Parted, Renew, Repeat, Step, Withdraw
from testbed.simulation.swarm import Plan, draw
from testbed.simulation.trial import Trial, attempt
from testbed.simulation.world import CALL_TIMEOUT_S, LOOKUP_EVERY_S

PEERS = ("peer-1", "peer-2", "peer-3")
BID = Order(0.0, "bid", "peer-1", "buy", "3", "X", "100")
ASK = Order(2.0, "ask", "peer-2", "sell", "1", "X", "100")
LOST = Lost(0.0, 0.1, "peer-3", "peer-1", returns=False, force=True)
SHARES = ("CROWDS", "SILENCES", "SMALL_BATCHES", "STRAYS")


def played(*steps: Step, peers: int = 3, max_batch: int | None = None) -> Trial:
    trial = attempt(Plan(1, peers, steps, None, max_batch))
    assert trial.wrong == {}
    return trial


def test_without_what_is_rare_a_seed_draws_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = range(60)
    drawn = [draw(seed) for seed in seeds]
    for share in SHARES:
        monkeypatch.setattr(rarities, share, 0.0)
    plain = [draw(seed) for seed in seeds]
    assert [plan for plan in drawn if plan not in plain], "no seed had anything rare"
    for plan, without in zip(drawn, plain, strict=True):
        if plan.peers < rarities.CROWD[0]:
            assert [step for step in plan.steps if step in without.steps] == list(without.steps)


def test_only_what_was_to_be_a_run_of_many_peers_becomes_one_of_a_crowd() -> None:
    dice = Random(1)
    assert {rarities.crowd(dice, rarities.MANY - 1) for _ in range(200)} == {rarities.MANY - 1}
    assert {rarities.crowd(dice, rarities.MANY) for _ in range(200)} == {rarities.MANY, *rarities.CROWD}


def test_a_crowd_comes_to_rest() -> None:
    orders = [Order(0.1, f"order-{n}", f"peer-{n}", ("buy", "sell")[n % 2], "1", "X", "100") for n in range(1, 10)]
    trial = played(*orders, peers=9)
    assert (trial.seen["runs of a crowd"], trial.seen["fills across peers"]) == (1, 4)


def silences(steps: Sequence[Step], count: int = 300) -> list[Step]:
    dice, busy = Random(1), {"peer-1": 0.0, "peer-2": 3.0, "peer-3": float("inf")}
    return [step for _ in range(count) for step in rarities.silence(dice, steps, busy, 1.0)]


def test_silence_lasts_longer_than_anybody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rarities, "SILENCES", 1.0)
    until_silent_s = sum(CALL_TIMEOUT_S + FIRST_HOLD_S * 2**n for n in range(1, SILENT_AFTER_FAILURES + 1))
    longest_s = max(until_silent_s, HEARTBEAT_S, LOOKUP_EVERY_S, REQUEST_TIMEOUT_S, MAX_SKEW_US / 1e6)
    drawn = silences([])
    assert {type(step) for step in drawn} == {Down, Frozen, Parted}
    assert min(step.for_s for step in drawn if isinstance(step, Down | Frozen | Parted)) > longest_s


def test_nobody_is_silent_who_is_hurt_or_lost_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rarities, "SILENCES", 1.0)
    hurt = [step for step in silences([]) if isinstance(step, Down | Frozen)]
    assert {step.peer for step in hurt} == {"peer-1", "peer-2"}
    assert all(step.at_s >= 3.0 for step in hurt if step.peer == "peer-2")


def test_nobody_is_silent_while_a_peer_is_evicted_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rarities, "SILENCES", 1.0)
    assert silences([LOST]) == []


@pytest.mark.parametrize(
    "silence", [Down(0.5, 20.0, "peer-1"), Frozen(0.5, 20.0, "peer-1"), Parted(0.5, 20.0, ("peer-1",), PEERS[1:], True)]
)
def test_who_was_silent_for_long_trades_when_it_is_back(silence: Step) -> None:
    trial = played(BID, silence, ASK)
    assert (trial.seen["long silences"], trial.seen["fills across peers"]) == (1, 1)


def test_the_wrong_peer_refuses_to_change_an_order() -> None:
    wrong: list[Step] = [
        Withdraw(1.0, "bid", "peer-2"),
        Lessen(1.0, "bid", "0.5", "peer-3"),
        Renew(1.0, "bid", ASK.submit(), "peer-2"),
    ]
    trial = played(BID, *wrong, ASK)
    assert trial.seen["changes refused by a peer that is not the owner"] == 3
    assert (trial.seen["submit ok"], trial.seen["fills across peers"]) == (2, 1)


def test_submitted_again_at_another_peer_it_is_another_order() -> None:
    trial = played(BID, Repeat(1.0, "bid", "peer-3"), Withdraw(1.5, "bid"), ASK)
    # The label goes on to name the first of the two: the second is still there to be taken.
    assert trial.seen["orders submitted again at another peer"] == 1
    assert (trial.seen["cancel ok"], trial.seen["fills across peers"]) == (1, 1)


def test_strays_ask_another_peer_than_the_one_that_accepted_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rarities, "STRAYS", 1.0)
    asked = list(rarities.strays(Random(1), [BID, ASK] * 200, PEERS))
    assert {type(step) for step in asked} == {Withdraw, Lessen, Renew, Repeat}
    owners = {BID.label: BID.peer, ASK.label: ASK.peer}
    strayed = [step for step in asked if isinstance(step, Withdraw | Lessen | Renew | Repeat)]
    assert all(step.at not in (None, owners[step.label]) for step in strayed)


def test_small_batches_bring_a_late_peer_everything_in_several_rounds() -> None:
    orders = [Order(0.1, f"order-{n}", "peer-1", "buy", "1", "X", str(90 + n)) for n in range(20)]
    trial = played(Down(0.05, 2.0, "peer-3"), *orders, max_batch=3)
    assert trial.seen["small batches that are full"] >= 2 * (len(orders) // 3)


def test_a_batch_is_small_in_few_runs_only() -> None:
    dice = Random(1)
    drawn = [rarities.max_batch(dice) for _ in range(2_000)]
    assert {bound for bound in drawn if bound is not None} == set(range(1, rarities.SMALL_BATCH[1] + 1))
    assert 0.5 < sum(bound is not None for bound in drawn) / 2_000 / rarities.SMALL_BATCHES < 1.5
