"""The words of scripts."""

from __future__ import annotations

from testbed.script import Answer, Buy, Sell, Submit, Together


def test_buying_and_selling_are_submissions() -> None:
    assert Buy("peer-1", "2", "X", at="100") == Submit("peer-1", "buy", "2", "X", "100")
    assert Sell("peer-1", "2", "X", at="100") == Submit("peer-1", "sell", "2", "X", "100")


def test_together_keeps_its_parts_in_order() -> None:
    first, second = Buy("peer-1", "1", "X", at="1"), Sell("peer-2", "1", "X", at="1")
    assert Together(first, second).parts == (first, second)


def test_only_an_accepted_order_has_an_id() -> None:
    assert Answer("peer-1", {}, "ok", {"id": "a-1"}).order_id == "a-1"
    assert Answer("peer-1", {}, "info", why="the connection was lost").order_id is None
