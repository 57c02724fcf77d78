"""A peer is deaf to another one, which still hears it: they trade by way of the third."""

from __future__ import annotations

from testbed.script import Buy, Cut, Expect, ExpectTrades, Mend, Quiet, Script, Sell, UntilTrades

PEERS = 3


def script() -> Script:
    """Peer-1 is deaf to peer-2. Each sells to the other's bid; both fills are settled while the link is cut."""
    bid = yield Buy("peer-1", "5", "BTC-USD", at="100")
    other_bid = yield Buy("peer-2", "3", "ETH-USD", at="20")
    yield Quiet()
    yield Cut("peer-2", "peer-1")

    ask = yield Sell("peer-2", "5", "BTC-USD", at="100")
    other_ask = yield Sell("peer-1", "3", "ETH-USD", at="20")
    for peer in ("peer-1", "peer-2", "peer-3"):
        yield UntilTrades(peer, "BTC-USD", count=1)
        yield UntilTrades(peer, "ETH-USD", count=1)

    yield Mend("peer-2", "peer-1")
    for order in (bid, ask, other_bid, other_ask):
        yield Expect(order, remaining="0", status="filled")
    yield ExpectTrades("BTC-USD", [("5", "100")])
    yield ExpectTrades("ETH-USD", [("3", "20")])
