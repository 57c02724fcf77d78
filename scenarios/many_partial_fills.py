"""One large order is filled by sixty small ones of all peers, a piece at a time."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Quiet, Script, Sell, Together

PEERS = 4
EACH = 15
PIECE = "0.25"


def script(peers: tuple[str, ...]) -> Script:
    """Clients at every peer, the seller's own among them, buy at the same time."""
    ask = yield Sell("peer-1", "20", "BTC-USD", at="100")
    yield Quiet()
    yield Together(*(buys(peer) for peer in peers[:PEERS]))

    yield Expect(ask, filled="15", remaining="5", status="partially_filled")
    yield ExpectTrades("BTC-USD", [(PIECE, "100")] * (PEERS * EACH))
    yield ExpectBook("BTC-USD", buys=[], sells=[("5", "100")])


def buys(peer: str) -> Script:
    """A client buys a small piece again and again."""
    for _ in range(EACH):
        yield Buy(peer, PIECE, "BTC-USD", at="100")
