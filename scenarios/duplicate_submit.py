"""A client submits one order again and again, also after a kill: there is one order."""

from __future__ import annotations

from testbed.script import Again, Buy, Expect, ExpectBook, ExpectTrades, Kill, Quiet, Restart, Script, Sell, Together

PEERS = 3


def script() -> Script:
    """The order is repeated while it is new, half sold, sold, and after a kill of its peer."""
    ask = yield Sell("peer-1", "2", "BTC-USD", at="100")
    yield Together(*(Again(ask) for _ in range(20)))
    yield Quiet()
    yield Buy("peer-2", "1", "BTC-USD", at="100")
    yield Together(Again(ask), Again(ask))
    yield Expect(ask, filled="1", remaining="1")

    yield Kill("peer-1")
    yield Restart("peer-1")
    yield Again(ask)
    yield Buy("peer-3", "1", "BTC-USD", at="100")
    yield Again(ask)
    yield Expect(ask, filled="2", remaining="0", status="filled")
    yield ExpectTrades("BTC-USD", [("1", "100"), ("1", "100")])
    yield ExpectBook("BTC-USD", buys=[], sells=[])
