"""The catalogue of scenarios."""

from __future__ import annotations

import pytest

from testbed.catalog import load, names
from testbed.script import BadScript


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


@pytest.mark.parametrize("peers", [2, 11])
def test_too_few_and_too_many_peers_are_refused(peers: int) -> None:
    with pytest.raises(BadScript, match="runs with 3 to 10 peers"):
        load("partial_fill", peers)


def test_an_unknown_name_is_answered_with_those_that_exist() -> None:
    with pytest.raises(BadScript, match=r"no scenario 'parital_fill'; there are .*partial_fill"):
        load("parital_fill")
