"""An order is cancelled at the instant that others take it, 30 times: what is gone stays gone."""

from __future__ import annotations

from testbed.script import Buy, Cancel, Expect, ExpectBook, Quiet, Script, Sell, Together

PEERS = 3
ROUNDS = 30


def script() -> Script:
    """Whoever wins a race, the bid is sold to once or cancelled, and never both. Then the losers' orders go, too."""
    bids, asks = [], []
    for _ in range(ROUNDS):
        bid = yield Buy("peer-1", "2", "BTC-USD", at="100")
        _, first, second = yield Together(
            Cancel(bid),
            Sell("peer-2", "1", "BTC-USD", at="100"),
            Sell("peer-3", "1", "BTC-USD", at="100"),
        )
        yield Quiet()
        # A seller who came too late must not meet the next bid.
        yield Together(Cancel(first), Cancel(second))
        bids.append(bid)
        asks += [first, second]

    for order in bids + asks:
        yield Expect(order, remaining="0")
    yield ExpectBook("BTC-USD", buys=[], sells=[])
