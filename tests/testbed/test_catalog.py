"""The catalogue of scenarios."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from types import ModuleType
from typing import Any

import pytest

from testbed.catalog import load, names, scenario_of
from testbed.script import BadScript, Script, Trades


def test_the_scenarios_are_found_by_their_names() -> None:
    assert {"partial_fill", "full_fill", "simultaneous_cross", "late_joiner", "killed_peer"} <= set(names())


def test_a_scenario_says_what_it_is_and_what_it_needs() -> None:
    scenario = load("late_joiner")
    assert scenario.title.startswith("A peer that joins late")
    assert (scenario.peers, scenario.late) == (("peer-1", "peer-2", "peer-3", "peer-4"), ("peer-4",))


def test_every_title_fits_on_a_line() -> None:
    assert [name for name in names() if len(load(name).title) > 100] == []


def test_more_peers_than_needed_may_look_on() -> None:
    assert len(load("partial_fill", 5).peers) == 5


@pytest.mark.parametrize("peers", [2, 31])
def test_too_few_and_too_many_peers_are_refused(peers: int) -> None:
    with pytest.raises(BadScript, match="runs with 3 to 30 peers"):
        load("partial_fill", peers)


def test_an_unknown_name_is_answered_with_those_that_exist() -> None:
    with pytest.raises(BadScript, match=r"no scenario 'parital_fill'; there are .*partial_fill"):
        load("parital_fill")


def module(script: Callable[..., Any]) -> ModuleType:
    made = ModuleType("made", "A scenario of this test.")
    made.__dict__["script"] = script
    return made


def asks_everybody(peers: tuple[str, ...], dice: Random) -> Script:
    for peer in peers:
        yield Trades(peer, f"item-{dice.randint(1, 1_000_000)}")


def test_a_script_may_ask_for_its_peers_and_for_dice() -> None:
    scenario = scenario_of("made", module(asks_everybody), peers=4, seed=7)
    wishes = list(scenario.script())
    assert [wish.peer for wish in wishes if isinstance(wish, Trades)] == list(scenario.peers)
    assert list(scenario.script()) == wishes
    assert list(scenario_of("made", module(asks_everybody), peers=4, seed=8).script()) != wishes


def test_a_script_that_asks_for_anything_else_is_refused() -> None:
    def wants_a_clock(clock: float) -> Script:
        yield Trades("peer-1", "X")

    with pytest.raises(BadScript, match="wants clock; it can be given `peers` and `dice`"):
        scenario_of("made", module(wants_a_clock))
