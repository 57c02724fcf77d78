"""An immediate-or-cancel order takes what it can get at once from two peers; nothing of it rests."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Quiet, Script, Sell

PEERS = 3


def script() -> Script:
    """10 are wanted at 101 or less, and 3 and 4 are there: the other 3 expire, and the dearer order is left alone."""
    cheap = yield Sell("peer-1", "3", "BTC-USD", at="100")
    fair = yield Sell("peer-2", "4", "BTC-USD", at="101")
    yield Sell("peer-2", "5", "BTC-USD", at="102")
    yield Quiet()
    taker = yield Buy("peer-3", "10", "BTC-USD", at="101", time_in_force="IOC")

    yield Expect(cheap, remaining="0", status="filled")
    yield Expect(fair, remaining="0", status="filled")
    yield Expect(taker, filled="7", remaining="0", status="expired")
    yield ExpectTrades("BTC-USD", [("3", "100"), ("4", "101")])
    yield ExpectBook("BTC-USD", sells=[("5", "102")])
