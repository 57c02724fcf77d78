"""A newcomer is killed while it still catches up, comes again, and knows all in the end."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectTrades, Kill, Quiet, Restart, Script, Sell, Start, Together

PEERS = 4
LATE = ("peer-4",)
EACH = 300


def script() -> Script:
    """There are many orders to catch up with; peer-4 answers clients long before it has them all."""
    yield Together(*(offers(peer, price) for peer in ("peer-1", "peer-2") for price in ("101", "102", "103")))
    last = yield Sell("peer-3", "1", "BTC-USD", at="100")
    yield Quiet()

    yield Start("peer-4")
    yield Kill("peer-4")
    yield Restart("peer-4")
    yield Kill("peer-4")
    yield Restart("peer-4")
    yield Quiet()
    yield Buy("peer-4", "2", "BTC-USD", at="101")
    yield Expect(last, filled="1", remaining="0", status="filled")
    yield ExpectTrades("BTC-USD", [("1", "100"), ("1", "101")])


def offers(peer: str, price: str) -> Script:
    """A client offers a coin again and again."""
    for _ in range(EACH):
        yield Sell(peer, "1", "BTC-USD", at=price)
