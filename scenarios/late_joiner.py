"""A peer that joins late learns all that happened before it came, and trades."""

from __future__ import annotations

from testbed.script import Buy, Cancel, Expect, ExpectBook, ExpectTrades, Quiet, Script, Sell, Start

PEERS = 4
LATE = ("peer-4",)


def script() -> Script:
    """Three peers trade and leave orders behind; then peer-4 starts with nothing, and takes one of them."""
    bid = yield Buy("peer-1", "10", "BTC-USD", at="100")
    yield Sell("peer-2", "4", "BTC-USD", at="100")
    unwanted = yield Sell("peer-3", "5", "BTC-USD", at="105")
    yield Cancel(unwanted)
    ask = yield Sell("peer-3", "2", "BTC-USD", at="103")
    yield Quiet()

    yield Start("peer-4")
    yield Expect(unwanted, filled="0", remaining="0", status="cancelled")
    yield ExpectBook("BTC-USD", buys=[("6", "100")], sells=[("2", "103")])

    yield Buy("peer-4", "3", "BTC-USD", at="103")
    yield Expect(ask, filled="2", remaining="0", status="filled")
    yield Expect(bid, filled="4", remaining="6")
    yield ExpectTrades("BTC-USD", [("4", "100"), ("2", "103")])
    yield ExpectBook("BTC-USD", buys=[("1", "103"), ("6", "100")], sells=[])
