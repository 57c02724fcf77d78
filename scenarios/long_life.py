"""What is long settled is forgotten, yet nothing happens twice; a latecomer starts from a snapshot."""

from __future__ import annotations

from testbed.script import Again, Buy, Cancel, Expect, ExpectBook, Kill, Quiet, Restart, Script, Sell, Start

PEERS = 4
LATE = ("peer-4",)
SNAPSHOT_EVERY = 10


def script() -> Script:
    """Two peers trade until all that came first has been summed up; one joins late, and one wakes up with a past."""
    first = yield Sell("peer-1", "1", "BTC-USD", at="100")
    yield Buy("peer-2", "1", "BTC-USD", at="100")
    left = yield Sell("peer-1", "5", "BTC-USD", at="120")
    for _ in range(12):
        yield Sell("peer-1", "2", "BTC-USD", at="100")
        yield Buy("peer-2", "2", "BTC-USD", at="100")
    yield Quiet()

    yield Start("peer-4")
    yield ExpectBook("BTC-USD", buys=[], sells=[("5", "120")])
    yield Buy("peer-4", "2", "BTC-USD", at="120")
    yield Expect(left, filled="2", remaining="3", status="partially_filled")

    yield Kill("peer-1")
    yield Restart("peer-1")
    yield Again(first)
    yield Quiet()
    yield Cancel(left)
    yield ExpectBook("BTC-USD", buys=[], sells=[])
