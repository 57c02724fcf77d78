"""A full disk: a peer ends rather than promise what it cannot keep, and comes back."""

from __future__ import annotations

from testbed.script import (
    Again,
    Buy,
    Expect,
    ExpectBook,
    ExpectTrades,
    FillDisk,
    FreeDisk,
    Quiet,
    Restart,
    Script,
    Sell,
    UntilTrades,
)

PEERS = 3


def script() -> Script:
    """Peer-1 cannot write an order, so it may not accept it; the others trade on, and its client asks again."""
    bid = yield Buy("peer-1", "5", "BTC-USD", at="100")
    yield Quiet()
    yield FillDisk("peer-1")
    unwritten = yield Sell("peer-1", "3", "BTC-USD", at="110")

    yield Buy("peer-2", "2", "BTC-USD", at="101")
    yield Sell("peer-3", "2", "BTC-USD", at="101")
    yield UntilTrades("peer-2", "BTC-USD", count=1)

    yield FreeDisk("peer-1")
    yield Restart("peer-1")
    once = yield Again(unwritten)
    yield Expect(once, filled="0", remaining="3", status="open")
    yield Expect(bid, filled="0", remaining="5", status="open")
    yield ExpectTrades("BTC-USD", [("2", "101")])
    yield ExpectBook("BTC-USD", buys=[("5", "100")], sells=[("3", "110")])
