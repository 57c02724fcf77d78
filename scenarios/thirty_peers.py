"""Thirty peers trade in fifteen pairs: everybody meets everybody, and all thirty books end alike."""

from __future__ import annotations

from testbed.script import Buy, Expect, Quiet, Script, Sell, Together

PEERS = 30


def script(peers: tuple[str, ...]) -> Script:
    """Every other peer sells coins of its own, and its neighbour buys half of them."""
    pairs = list(zip(peers[::2], peers[1::2], strict=False))
    asks = yield Together(*(Sell(seller, "2", f"{seller}-USD", at="100") for seller, _ in pairs))
    yield Quiet()
    yield Together(*(Buy(buyer, "1", f"{seller}-USD", at="100") for seller, buyer in pairs))

    # That all books are alike is checked in any case; to ask thirty peers for all of them once more takes its time.
    for ask in (asks[0], asks[-1]):
        yield Expect(ask, filled="1", remaining="1")
