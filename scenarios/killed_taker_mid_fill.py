"""The buyers' peer is killed while it takes, and comes back: each order is filled once."""

from __future__ import annotations

from testbed.script import (
    Again,
    Buy,
    Expect,
    ExpectBook,
    ExpectTrades,
    Kill,
    Quiet,
    Restart,
    Script,
    Sell,
    Together,
    UntilTrades,
)

PEERS = 3
OFFERS = 60


def script() -> Script:
    """Peer-1 sells; clients of peer-2 buy all at once, and peer-2 is killed when the first trades are seen."""
    yield Together(*(Sell("peer-1", "1", "BTC-USD", at="100") for _ in range(OFFERS)))
    yield Quiet()
    *bids, _ = yield Together(*(Buy("peer-2", "1", "BTC-USD", at="100") for _ in range(OFFERS)), killed())
    yield Restart("peer-2")

    # Who was not answered cannot know what became of the order, and asks again for the very same one.
    for bid in bids:
        known = bid if bid.outcome == "ok" else (yield Again(bid))
        yield Expect(known, filled="1", remaining="0", status="filled")
    yield ExpectTrades("BTC-USD", [("1", "100")] * OFFERS)
    yield ExpectBook("BTC-USD", buys=[], sells=[])


def killed() -> Script:
    """Kill the takers' peer among its takings."""
    yield UntilTrades("peer-3", "BTC-USD", count=3)
    yield Kill("peer-2")
