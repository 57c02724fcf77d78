"""One peer after the other is killed and restarted, as in an upgrade; the others trade on."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Kill, Quiet, Restart, Script, Sell, Together
from testbed.targets import all_but

PEERS = 3


def script(peers: tuple[str, ...]) -> Script:
    """Before each restart an order is placed at the peer; while it is down, others trade; then its order is taken."""
    trades = []
    for peer in peers:
        buyer, seller, *_ = all_but(peer, peers)
        offer = yield Sell(peer, "1", "BTC-USD", at="100")
        yield Quiet()
        yield Kill(peer)
        yield Together(Buy(buyer, "2", "ETH-USD", at="10"), Sell(seller, "2", "ETH-USD", at="10"))
        yield Restart(peer)

        yield Quiet()
        yield Buy(seller, "1", "BTC-USD", at="100")
        yield Expect(offer, filled="1", remaining="0", status="filled")
        trades.append(("2", "10"))
    yield ExpectTrades("ETH-USD", trades)
    yield ExpectBook("BTC-USD", buys=[], sells=[])
    yield ExpectBook("ETH-USD", buys=[], sells=[])
