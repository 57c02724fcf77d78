"""A buyer goes through three peers' offers from the cheapest on, and pays each its price."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Quiet, Script, Sell

PEERS = 4


def script() -> Script:
    """The dearest offer comes first and the cheapest last; the buyer's price reaches all but one of them."""
    offers = {}
    for peer, price in (("peer-1", "104"), ("peer-2", "103"), ("peer-3", "101"), ("peer-1", "102")):
        offers[price] = yield Sell(peer, "1", "BTC-USD", at=price)
    yield Quiet()
    bid = yield Buy("peer-4", "2.5", "BTC-USD", at="103")

    yield Expect(bid, filled="2.5", remaining="0", status="filled")
    for price, filled in (("101", "1"), ("102", "1"), ("103", "0.5"), ("104", "0")):
        yield Expect(offers[price], filled=filled)
    yield ExpectTrades("BTC-USD", [("1", "101"), ("1", "102"), ("0.5", "103")])
    yield ExpectBook("BTC-USD", buys=[], sells=[("0.5", "103"), ("1", "104")])
