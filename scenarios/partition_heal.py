"""The network falls into two parts; both want one order, and in the end all books are equal."""

from __future__ import annotations

from testbed.script import Buy, Cut, Expect, ExpectBook, ExpectTrades, Mend, Quiet, Script, Sell, Together, UntilTrades
from testbed.targets import majority, minority

PEERS = 5


def script(peers: tuple[str, ...]) -> Script:
    """Peer-1 bids before the parting; peer-2, on its side, and peer-3, on the other, both sell to that bid."""
    ways = [(one, other) for one in minority(peers) for other in majority(peers)]
    links = ways + [(other, one) for one, other in ways]
    bid = yield Buy("peer-1", "10", "BTC-USD", at="100")
    yield Quiet()
    yield Together(*(Cut(*link) for link in links))

    near = yield Sell("peer-2", "4", "BTC-USD", at="100")
    far = yield Sell("peer-3", "8", "BTC-USD", at="100")
    yield Buy("peer-4", "5", "ETH-USD", at="20")
    yield Sell("peer-5", "5", "ETH-USD", at="20")
    yield UntilTrades("peer-1", "BTC-USD", count=1)
    yield UntilTrades("peer-3", "ETH-USD", count=1)

    yield Together(*(Mend(*link) for link in links))
    yield Expect(bid, filled="10", remaining="0", status="filled")
    yield Expect(near, filled="4", status="filled")
    yield Expect(far, filled="6", remaining="2", status="partially_filled")
    yield ExpectTrades("BTC-USD", [("4", "100"), ("6", "100")])
    yield ExpectTrades("ETH-USD", [("5", "20")])
    yield ExpectBook("BTC-USD", buys=[], sells=[("2", "100")])
