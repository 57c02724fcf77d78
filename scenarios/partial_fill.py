"""A buy order meets a smaller sell order of another peer; what remains stays in every book."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Quiet, Script, Sell

PEERS = 3


def script() -> Script:
    """A client of peer-1 buys 10; a client of peer-2 sells 4 at a lower price, and gets the buyer's price."""
    bid = yield Buy("peer-1", "10", "BTC-USD", at="100")
    yield Quiet()
    ask = yield Sell("peer-2", "4", "BTC-USD", at="99.5")

    yield Expect(bid, filled="4", remaining="6", status="partially_filled")
    yield Expect(ask, filled="4", remaining="0", status="filled")
    yield ExpectTrades("BTC-USD", [("4", "100")])
    yield ExpectBook("BTC-USD", buys=[("6", "100")], sells=[])
