"""Each Grape dies and comes back empty: trading goes on, and a newcomer finds everybody."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectTrades, KillGrape, Quiet, RestartGrape, Script, Sell, Start

PEERS = 4
LATE = ("peer-4",)


def script() -> Script:
    """A trade after each blow, and one with a peer that joins after them all."""
    bid = yield Buy("peer-1", "4", "BTC-USD", at="100")
    for grape in ("grape-1", "grape-2"):
        yield KillGrape(grape)
        yield Sell("peer-2", "1", "BTC-USD", at="100")
        yield RestartGrape(grape)
        yield Sell("peer-3", "1", "BTC-USD", at="100")
    yield Expect(bid, filled="4", remaining="0", status="filled")

    yield Start("peer-4")
    yield Quiet()
    yield Buy("peer-4", "1", "BTC-USD", at="101")
    yield Sell("peer-1", "1", "BTC-USD", at="101")
    yield ExpectTrades("BTC-USD", [("1", "100")] * 4 + [("1", "101")])
