"""A market order takes at whatever price there is, best first, and never rests."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Quiet, Script, Sell

PEERS = 3


def script() -> Script:
    """One market order is filled at three prices of two peers; the next one finds no book at all, and expires."""
    yield Buy("peer-1", "2", "BTC-USD", at="100")
    yield Buy("peer-2", "2", "BTC-USD", at="99")
    yield Buy("peer-2", "2", "BTC-USD", at="0.00000001")
    yield Quiet()
    taker = yield Sell("peer-3", "5", "BTC-USD", at=None)
    yield Expect(taker, filled="5", remaining="0", status="filled")
    yield ExpectTrades("BTC-USD", [("2", "100"), ("2", "99"), ("1", "0.00000001")])

    late = yield Buy("peer-1", "1", "BTC-USD", at=None)
    yield Expect(late, filled="0", remaining="0", status="expired")
    yield ExpectBook("BTC-USD", buys=[("1", "0.00000001")])
