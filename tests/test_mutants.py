"""Planted bugs are found by drawn runs. All of them are hunted by `make mutants`; here, those that show at once."""

from __future__ import annotations

import pytest

from peer.node import Node
from testbed.simulation.hunt import hunt
from testbed.simulation.mutants import MUTANTS

# What finds each: the checkers named here must be among those that speak.
QUICK = {
    "releases_on_a_timer": "agreed_trades",
    "takes_a_timeout_for_a_no": "agreed_trades",
    "decides_a_repeated_question_anew": "no quiet",
    "serves_the_latest_first": "priority",
    "writes_differences": "conservation",
    "cancels_what_is_reserved": "durable",
    "cancels_in_memory_only": "durable",
    "does_not_reserve": "no_overfill",
}
SEEDS = 20


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found_by_the_checker_it_offends(name: str) -> None:
    catch = hunt(name, SEEDS)
    assert catch.seeds, f"{name} was not found in {SEEDS} seeds"
    assert QUICK[name] in catch.found_by, catch


def test_there_are_enough_bugs_and_each_says_what_it_does() -> None:
    assert len(MUTANTS) >= 15
    assert all(mutant.does for mutant in MUTANTS.values())


def test_a_bug_is_taken_out_again() -> None:
    receive = Node.receive
    with MUTANTS["releases_on_a_timer"].planted():
        assert Node.receive is not receive
    assert Node.receive is receive
