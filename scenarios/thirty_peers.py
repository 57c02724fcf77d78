"""Thirty peers trade in fifteen pairs: everybody meets everybody, and all thirty books end alike."""

from __future__ import annotations

from testbed.script import Buy, ExpectBook, ExpectTrades, Quiet, Script, Sell, Together

PEERS = 30


def script(peers: tuple[str, ...]) -> Script:
    """Every other peer sells coins of its own, and its neighbour buys half of them."""
    pairs = list(zip(peers[::2], peers[1::2], strict=False))
    yield Together(*(Sell(seller, "2", f"{seller}-USD", at="100") for seller, _ in pairs))
    yield Quiet()
    yield Together(*(Buy(buyer, "1", f"{seller}-USD", at="100") for seller, buyer in pairs))

    for seller, _ in pairs:
        yield ExpectTrades(f"{seller}-USD", [("1", "100")])
        yield ExpectBook(f"{seller}-USD", buys=[], sells=[("1", "100")])
