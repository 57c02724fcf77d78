"""A frozen peer misses a cancel and a trade, then trades at once by its stale picture."""

from __future__ import annotations

from testbed.script import Buy, Cancel, Expect, ExpectTrades, Pause, Quiet, Resume, Script, Sell, Together

PEERS = 3


def script() -> Script:
    """Of three offers that peer-3 has seen, one is cancelled and one is bought while it is frozen."""
    cancelled = yield Sell("peer-1", "1", "BTC-USD", at="100")
    sold = yield Sell("peer-2", "1", "BTC-USD", at="101")
    left = yield Sell("peer-1", "1", "BTC-USD", at="102")
    yield Quiet()

    yield Pause("peer-3")
    yield Cancel(cancelled)
    early = yield Buy("peer-1", "1", "BTC-USD", at="101")
    # This order waits at the frozen peer's door: the first thing that it does is to match it by what it remembers.
    late, _ = yield Together(Buy("peer-3", "1", "BTC-USD", at="102"), Resume("peer-3"))

    yield Expect(early, filled="1", remaining="0", status="filled")
    yield Expect(late, filled="1", remaining="0", status="filled")
    yield Expect(cancelled, filled="0", remaining="0", status="cancelled")
    yield Expect(sold, filled="1")
    yield Expect(left, filled="1")
    yield ExpectTrades("BTC-USD", [("1", "101"), ("1", "102")])
