"""An order that is reduced keeps its place in time; what is left of it is filled first."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, Quiet, Reduce, Script, Sell

PEERS = 3


def script() -> Script:
    """Of two asks at one price the earlier is reduced from 5 to 2: a buyer of 3 gets these 2, and 1 of the later."""
    first = yield Sell("peer-1", "5", "BTC-USD", at="100")
    yield Quiet()
    second = yield Sell("peer-2", "5", "BTC-USD", at="100")
    yield Reduce(first, to="2")
    yield ExpectBook("BTC-USD", sells=[("2", "100"), ("5", "100")])
    yield Buy("peer-3", "3", "BTC-USD", at="100")

    yield Expect(first, filled="2", remaining="0", status="filled")
    yield Expect(second, filled="1", remaining="4", status="partially_filled")
