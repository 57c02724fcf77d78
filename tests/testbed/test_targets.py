"""Symbolic targets."""

from __future__ import annotations

import pytest

from testbed.script import Answer
from testbed.targets import all_but, majority, minority, owner

PEERS = ("peer-1", "peer-2", "peer-3", "peer-4", "peer-5")


def test_the_owner_of_an_order_is_who_was_asked() -> None:
    assert owner(Answer("peer-2", {}, "info")) == "peer-2"


@pytest.mark.parametrize(("peers", "fewer"), [(2, 0), (3, 1), (4, 1), (5, 2)])
def test_a_minority_is_less_than_half_and_the_majority_is_the_rest(peers: int, fewer: int) -> None:
    some = PEERS[:peers]
    assert minority(some) == some[:fewer]
    assert minority(some) + majority(some) == some


def test_all_but_one_are_the_others() -> None:
    assert all_but("peer-2", PEERS) == ("peer-1", "peer-3", "peer-4", "peer-5")


def test_who_is_not_there_cannot_be_left_out() -> None:
    with pytest.raises(ValueError, match="peer-9 is none of"):
        all_but("peer-9", PEERS)
