"""Thirty peers sell to each other: everybody meets everybody, and all thirty books end alike."""

from __future__ import annotations

from testbed.script import Buy, ExpectBook, ExpectTrades, Quiet, Script, Sell, Together

PEERS = 30


def script(peers: tuple[str, ...]) -> Script:
    """Every other peer sells, at prices that reach exactly one buyer each; then all buyers come at once."""
    pairs = list(zip(peers[::2], peers[1::2], strict=False))
    yield Together(*(Sell(seller, "1", "BTC-USD", at="100") for seller, _ in pairs))
    yield Quiet()
    yield Together(*(Buy(buyer, "1", "BTC-USD", at="100") for _, buyer in pairs))

    yield ExpectTrades("BTC-USD", [("1", "100")] * len(pairs))
    yield ExpectBook("BTC-USD", buys=[], sells=[])
