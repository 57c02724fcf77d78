"""A sell order is filled by two orders of two other peers, and every book ends empty."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Quiet, Script, Sell

PEERS = 3


def script() -> Script:
    """Two clients buy at different prices; then a third sells as much as both want."""
    high = yield Buy("peer-1", "2.5", "BTC-USD", at="101")
    low = yield Buy("peer-2", "1.5", "BTC-USD", at="100")
    yield Quiet()
    ask = yield Sell("peer-3", "4", "BTC-USD", at="100")

    for order, quantity in ((high, "2.5"), (low, "1.5"), (ask, "4")):
        yield Expect(order, filled=quantity, remaining="0", status="filled")
    yield ExpectTrades("BTC-USD", [("2.5", "101"), ("1.5", "100")])
    yield ExpectBook("BTC-USD", buys=[], sells=[])
