"""Two peers submit orders that cross at the same instant, 50 times: each trades once."""

from __future__ import annotations

from testbed.script import Buy, ExpectBook, ExpectTrades, Script, Sell, Together

PEERS = 3
ROUNDS = 50


def script() -> Script:
    """Either order may turn out to be the later one; whichever it is takes, and the price is the same."""
    for _ in range(ROUNDS):
        yield Together(
            Buy("peer-1", "1", "BTC-USD", at="100"),
            Sell("peer-2", "1", "BTC-USD", at="100"),
        )

    yield ExpectTrades("BTC-USD", [("1", "100")] * ROUNDS)
    yield ExpectBook("BTC-USD", buys=[], sells=[])
