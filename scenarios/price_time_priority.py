"""The cheapest seller is served first, and of equal prices the one who came first."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Quiet, Script, Sell

PEERS = 3


def script() -> Script:
    """Four sellers at two prices; a buyer takes half of what they offer, and then the other half."""
    dear = yield Sell("peer-1", "1", "BTC-USD", at="101")
    yield Quiet()
    first = yield Sell("peer-2", "1", "BTC-USD", at="100")
    yield Quiet()
    second = yield Sell("peer-3", "1", "BTC-USD", at="100")
    yield Quiet()
    third = yield Sell("peer-1", "1", "BTC-USD", at="100")
    yield Quiet()

    yield Buy("peer-3", "1.5", "BTC-USD", at="101")
    yield Expect(first, filled="1", remaining="0", status="filled")
    yield Expect(second, filled="0.5", remaining="0.5", status="partially_filled")
    yield ExpectBook("BTC-USD", sells=[("0.5", "100"), ("1", "100"), ("1", "101")])

    yield Buy("peer-2", "2.2", "BTC-USD", at="101")
    yield Expect(third, filled="1", remaining="0", status="filled")
    yield Expect(dear, filled="0.7", remaining="0.3", status="partially_filled")
    yield ExpectTrades("BTC-USD", [("1", "100"), ("0.5", "100"), ("0.5", "100"), ("1", "100"), ("0.7", "101")])
