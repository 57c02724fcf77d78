"""Peers that start before any Grape begin to trade by themselves when the Grapes come."""

from __future__ import annotations

from testbed.script import Buy, Expect, KillGrape, Quiet, RestartGrape, Script, Sell, Start, Together

PEERS = 3
LATE = ("peer-1", "peer-2", "peer-3")


def script() -> Script:
    """No Grape is up when the peers start; orders accepted meanwhile trade when the peers have found each other."""
    yield Together(KillGrape("grape-1"), KillGrape("grape-2"))
    yield Together(Start("peer-1"), Start("peer-2"), Start("peer-3"))
    bid = yield Buy("peer-1", "3", "BTC-USD", at="100")
    ask = yield Sell("peer-2", "3", "BTC-USD", at="100")

    yield Together(RestartGrape("grape-1"), RestartGrape("grape-2"))
    yield Quiet()
    yield Expect(bid, filled="3", remaining="0", status="filled")
    yield Expect(ask, filled="3", remaining="0", status="filled")
