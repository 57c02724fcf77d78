"""Forty buyers at four peers want the same twenty coins of one seller: twenty get one each."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Quiet, Script, Sell, Together
from testbed.targets import all_but, owner

PEERS = 5
EACH = 10
OFFERED = 20


def script(peers: tuple[str, ...]) -> Script:
    """All takers ask at once; the maker's peer alone decides, and whoever comes too late keeps its order."""
    ask = yield Sell("peer-1", str(OFFERED), "BTC-USD", at="100")
    yield Quiet()
    takers = [peer for peer in all_but(owner(ask), peers[:PEERS]) for _ in range(EACH)]
    yield Together(*(Buy(peer, "1", "BTC-USD", at="100") for peer in takers))

    yield Expect(ask, filled=str(OFFERED), remaining="0", status="filled")
    yield ExpectTrades("BTC-USD", [("1", "100")] * OFFERED)
    yield ExpectBook("BTC-USD", buys=[("1", "100")] * (len(takers) - OFFERED), sells=[])
