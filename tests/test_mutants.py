"""Planted bugs are found by drawn runs. All of them are hunted by `make mutants`; here, those that show at once."""

from __future__ import annotations

import pytest

from peer.node import Node
from testbed.simulation.guards import GUARDS
from testbed.simulation.hunt import hunt, hunt_unguarded
from testbed.simulation.mutants import MUTANTS, Mutant
from testbed.simulation.swarm import draw
from testbed.simulation.trial import attempt

# What finds each, with no guard of the peers to help: the checkers named here must be among those that speak.
QUICK = {
    "releases_on_a_timer": "agreed_trades",
    "takes_a_timeout_for_a_no": "agreed_trades",
    "decides_a_repeated_question_anew": "exactly_once",
    "serves_the_latest_first": "priority",
    "takes_later_makers": "limits_kept",
    "writes_differences": "follows",
    "cancels_what_is_reserved": "durable",
    "cancels_in_memory_only": "durable",
    "grants_what_is_asked": "follows",
    "does_not_reserve": "no_overfill",
    "fills_what_it_can_of_all_or_nothing": "whole_or_nothing",
    "lets_immediate_orders_rest": "never_rests",
    "takes_with_post_only_orders": "only_makes",
    "lets_self_trades_through": "no_self_trade",
    "reduces_nothing": "durable",
}
SEEDS = 50


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found_by_the_checker_it_offends(name: str) -> None:
    catch = hunt_unguarded(name, SEEDS)
    assert catch.seeds, f"{name} was not found in {SEEDS} seeds"
    assert QUICK[name] in catch.found_by, catch


@pytest.mark.parametrize("name", ["does_not_reserve", "grants_what_is_asked"])
def test_a_planted_bug_is_met_by_the_guards_of_the_peers_too(name: str) -> None:
    assert "crashed" in hunt(name, SEEDS).found_by


@pytest.mark.parametrize("name", GUARDS)
def test_peers_without_a_guard_keep_their_promises_as_long_as_nothing_breaks_them(name: str) -> None:
    with Mutant(name, "nothing wrong", list).planted(guarded=False):
        assert attempt(draw(0)).wrong == {}


def test_there_are_enough_bugs_and_each_says_what_it_does() -> None:
    assert len(MUTANTS) >= 15
    assert GUARDS.keys() <= MUTANTS.keys()
    assert all(mutant.does for mutant in MUTANTS.values())


def test_a_bug_is_taken_out_again() -> None:
    receive = Node.receive
    with MUTANTS["releases_on_a_timer"].planted():
        assert Node.receive is not receive
    assert Node.receive is receive
