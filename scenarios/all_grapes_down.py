"""All Grapes die: peers that know each other trade on, and a newcomer is found when one is back."""

from __future__ import annotations

from testbed.script import (
    Buy,
    Expect,
    ExpectBook,
    KillGrape,
    Quiet,
    RestartGrape,
    Script,
    Sell,
    Start,
)

PEERS = 4
LATE = ("peer-4",)


def script() -> Script:
    """Peers 1 to 3 trade without any Grape; peer-4 starts without any, and trades when one is back."""
    bid = yield Buy("peer-1", "10", "BTC-USD", at="100")
    yield Quiet()
    yield KillGrape("grape-1")
    yield KillGrape("grape-2")
    yield Sell("peer-2", "4", "BTC-USD", at="100")
    yield Expect(bid, filled="4", remaining="6")

    yield Start("peer-4")
    yield RestartGrape("grape-2")
    yield RestartGrape("grape-1")
    yield Quiet()
    yield Sell("peer-4", "5", "BTC-USD", at="99")
    yield Expect(bid, filled="9", remaining="1")
    yield ExpectBook("BTC-USD", buys=[("1", "100")], sells=[])
