"""A clock runs ahead, then falls back while its peer is down: orders keep their turn."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Kill, Quiet, Restart, Script, Sell, Skew

PEERS = 3


def script() -> Script:
    """Peer-2 is three seconds ahead, which nobody minds; its next life begins in the past of its own ledger."""
    yield Skew("peer-2", ahead_s=3.0)
    first = yield Buy("peer-2", "1", "BTC-USD", at="100")
    yield Quiet()
    second = yield Buy("peer-1", "1", "BTC-USD", at="100")
    yield Quiet()

    yield Kill("peer-2")
    yield Skew("peer-2", ahead_s=-3.0)
    yield Restart("peer-2")
    third = yield Buy("peer-2", "1", "BTC-USD", at="100")
    yield Quiet()
    yield Sell("peer-3", "2", "BTC-USD", at="100")

    yield Expect(first, filled="1", status="filled")
    yield Expect(second, filled="1", status="filled")
    yield Expect(third, filled="0", remaining="1", status="open")
    yield ExpectTrades("BTC-USD", [("1", "100"), ("1", "100")])
    yield ExpectBook("BTC-USD", buys=[("1", "100")], sells=[])
