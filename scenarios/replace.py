"""An order that is replaced loses its place in time, and the old one is gone in the same instant."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, Quiet, Replace, Script, Sell

PEERS = 3


def script() -> Script:
    """Of two asks at one price the earlier is replaced by one of the same terms: a buyer meets the other one first."""
    first = yield Sell("peer-1", "5", "BTC-USD", at="100")
    yield Quiet()
    second = yield Sell("peer-2", "5", "BTC-USD", at="100")
    yield Quiet()
    third = yield Replace(first, by=Sell("peer-1", "4", "BTC-USD", at="100"))
    yield ExpectBook("BTC-USD", sells=[("5", "100"), ("4", "100")])
    yield Buy("peer-3", "6", "BTC-USD", at="100")

    yield Expect(first, filled="0", remaining="0", status="cancelled")
    yield Expect(second, filled="5", remaining="0", status="filled")
    yield Expect(third, filled="1", remaining="3", status="partially_filled")
