"""A peer dies again and again while others buy from it: each return takes up what was left."""

from __future__ import annotations

from testbed.script import Buy, ExpectBook, ExpectTrades, Kill, Quiet, Restart, Script, Sell, Together, UntilTrades

PEERS = 3
DEATHS = 4
A_LIFE = 10


def script() -> Script:
    """Two clients buy from peer-1 all the time, and in each of its lives it sees a few trades."""
    yield Sell("peer-1", str(DEATHS * A_LIFE * 2), "BTC-USD", at="100")
    yield Quiet()
    for life in range(DEATHS):
        yield Together(buys("peer-2"), buys("peer-3"), dies(after=life * A_LIFE * 2 + 3))
        yield Restart("peer-1")

    yield ExpectTrades("BTC-USD", [("1", "100")] * (DEATHS * A_LIFE * 2))
    yield ExpectBook("BTC-USD", buys=[], sells=[])


def buys(peer: str) -> Script:
    """A client buys one after the other, whoever is there to sell."""
    for _ in range(A_LIFE):
        yield Buy(peer, "1", "BTC-USD", at="100")


def dies(after: int) -> Script:
    """Kill peer-1 when so many trades have been seen."""
    yield UntilTrades("peer-3", "BTC-USD", count=after)
    yield Kill("peer-1")
