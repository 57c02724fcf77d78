"""One of the two Grapes dies for good: trading goes on, and a newcomer is found all the same."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, KillGrape, Quiet, Script, Sell, Start

PEERS = 4
LATE = ("peer-4",)


def script() -> Script:
    """A trade among those who know each other, and one with a peer that comes when one Grape is left."""
    bid = yield Buy("peer-1", "3", "BTC-USD", at="100")
    yield KillGrape("grape-1")
    yield Sell("peer-2", "1", "BTC-USD", at="100")
    yield Expect(bid, filled="1", remaining="2")

    yield Start("peer-4")
    yield Quiet()
    yield Sell("peer-4", "1", "BTC-USD", at="100")
    yield Expect(bid, filled="2", remaining="1")
    yield ExpectBook("BTC-USD", buys=[("1", "100")], sells=[])
