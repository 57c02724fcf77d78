"""Rehearsals: what is wrong with a script is known before anything starts."""

from __future__ import annotations

from testbed.catalog import load, names
from testbed.rehearsal import MAX_WISHES, faults, problems, rehearse, unsupported
from testbed.script import (
    Buy,
    Cut,
    Evict,
    Expect,
    Fault,
    Kill,
    Pause,
    Restart,
    Script,
    Sell,
    Show,
    Start,
    Together,
    Trades,
)

PEERS = ("peer-1", "peer-2", "peer-3")


def test_all_wishes_are_found_also_those_made_together_and_by_inner_scripts() -> None:
    def inner() -> Script:
        order = yield Sell("peer-2", "1", "X", at="1")
        return order

    def script() -> Script:
        bid, ask = yield Together(Buy("peer-1", "1", "X", at="1"), inner())
        yield Show("peer-3", ask)
        yield Expect(bid, filled="1")

    assert [type(wish).__name__ for wish in rehearse(script())] == ["Submit", "Submit", "Show", "Expect"]


def test_peers_that_are_not_there_are_told() -> None:
    def script() -> Script:
        yield Kill("peer-4")
        yield Start("peer-1")
        yield Evict("peer-1", at="peer-5")

    wrong = problems(rehearse(script()), PEERS, late=())
    assert wrong == [
        "Kill names 'peer-4', but the peers are peer-1, peer-2, peer-3",
        "Start names 'peer-1', which is not LATE: it runs from the beginning",
        "Evict names 'peer-5', but the peers are peer-1, peer-2, peer-3",
    ]


def test_amounts_that_no_peer_would_take_are_told() -> None:
    for amount in ("0", "-1", "1e3", "0.123456789", "", "0.00"):

        def script(amount: str = amount) -> Script:
            yield Buy("peer-1", amount, "X", at="1")

        assert len(problems(rehearse(script()), PEERS, late=())) == 1, amount


def test_a_script_that_needs_real_answers_is_rehearsed_as_far_as_it_goes() -> None:
    def script() -> Script:
        order = yield Buy("peer-1", "1", "X", at="1")
        yield Buy("peer-1", order.value["quantity"], "X", at="1")

    assert len(rehearse(script())) == 1


def test_a_script_that_waits_in_a_loop_ends_all_the_same() -> None:
    def script() -> Script:
        while not (yield Trades("peer-1", "X")).value:
            pass

    assert len(rehearse(script())) == MAX_WISHES


def test_faults_that_a_cluster_cannot_do_are_named() -> None:
    def script() -> Script:
        yield Kill("peer-1")
        yield Pause("peer-2")
        yield Restart("peer-1")

    def why_not(fault: Fault) -> str:
        return "it has no brakes" if isinstance(fault, Pause) else ""

    wishes = rehearse(script())
    assert faults(wishes) == (Kill, Pause, Restart)
    assert unsupported(wishes, why_not) == ["Pause (it has no brakes)"]


def test_links_have_two_ends_and_one_may_be_a_grape() -> None:
    def script() -> Script:
        yield Cut("peer-1", "grape-1")
        yield Cut("peer-1", "peer-9")
        yield Kill("grape-1")

    assert problems(rehearse(script()), PEERS, late=()) == [
        "Cut names 'peer-9', but the peers are peer-1, peer-2, peer-3",
        "Kill names 'grape-1', but the peers are peer-1, peer-2, peer-3",
    ]


def test_every_scenario_can_be_rehearsed_without_a_problem() -> None:
    for name in names():
        scenario = load(name)
        wishes = rehearse(scenario.script())
        assert wishes
        assert problems(wishes, scenario.peers, scenario.late) == [], name
