"""The seller's peer is frozen across a fill request: the order waits, and others trade on."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Pause, Quiet, Resume, Script, Sell, UntilTrades
from testbed.targets import owner

PEERS = 3


def script() -> Script:
    """A buyer asks a frozen maker; only that maker can say whether it sells, so nobody else gets the same coins."""
    ask = yield Sell("peer-1", "3", "BTC-USD", at="100")
    yield Quiet()
    yield Pause(owner(ask))
    yield Buy("peer-2", "2", "BTC-USD", at="100")
    yield Buy("peer-3", "2", "BTC-USD", at="100")

    # Those who are awake do not wait for the one who sleeps.
    yield Sell("peer-2", "5", "ETH-USD", at="10")
    yield Buy("peer-3", "5", "ETH-USD", at="10")
    yield UntilTrades("peer-2", "ETH-USD", count=1)
    yield UntilTrades("peer-3", "ETH-USD", count=1)
    yield Resume(owner(ask))

    yield Expect(ask, filled="3", remaining="0", status="filled")
    yield ExpectTrades("BTC-USD", [("2", "100"), ("1", "100")])
    yield ExpectBook("BTC-USD", buys=[("1", "100")], sells=[])
    yield ExpectTrades("ETH-USD", [("5", "10")])
