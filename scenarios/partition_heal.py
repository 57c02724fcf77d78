"""A network falls into two parts that trade on: one order is wanted in both, and in the end all books are equal."""

from __future__ import annotations

from testbed.script import Buy, Cut, Expect, ExpectBook, ExpectTrades, Mend, Quiet, Script, Sell, Together, UntilTrades

PEERS = 5
MINORITY = ("peer-1", "peer-2")
MAJORITY = ("peer-3", "peer-4", "peer-5")
LINKS = [link for one in MINORITY for other in MAJORITY for link in ((one, other), (other, one))]


def script() -> Script:
    """Peer-1 bids before the parting; peer-2, on its side, and peer-3, on the other, both sell to that bid."""
    bid = yield Buy("peer-1", "10", "BTC-USD", at="100")
    yield Quiet()
    yield Together(*(Cut(*link) for link in LINKS))

    near = yield Sell("peer-2", "4", "BTC-USD", at="100")
    far = yield Sell("peer-3", "8", "BTC-USD", at="100")
    yield Buy("peer-4", "5", "ETH-USD", at="20")
    yield Sell("peer-5", "5", "ETH-USD", at="20")
    yield UntilTrades("peer-1", "BTC-USD", count=1)
    yield UntilTrades("peer-3", "ETH-USD", count=1)

    yield Together(*(Mend(*link) for link in LINKS))
    yield Expect(bid, filled="10", remaining="0", status="filled")
    yield Expect(near, filled="4", status="filled")
    yield Expect(far, filled="6", remaining="2", status="partially_filled")
    yield ExpectTrades("BTC-USD", [("4", "100"), ("6", "100")])
    yield ExpectTrades("ETH-USD", [("5", "20")])
    yield ExpectBook("BTC-USD", buys=[], sells=[("2", "100")])
