"""A post-only order only ever makes: one that would take is refused, one that rests is taken."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Quiet, Script, Sell

PEERS = 2


def script() -> Script:
    """A post-only ask at 100 would take the bid there; the same ask at 101 rests until a bid comes to it."""
    yield Buy("peer-1", "5", "BTC-USD", at="100")
    yield Quiet()
    yield Sell("peer-2", "5", "BTC-USD", at="100", post_only=True)
    yield ExpectTrades("BTC-USD", [])
    yield ExpectBook("BTC-USD", buys=[("5", "100")], sells=[])
    maker = yield Sell("peer-2", "5", "BTC-USD", at="101", post_only=True)
    yield Expect(maker, remaining="5", status="open")
    yield Buy("peer-1", "2", "BTC-USD", at="101")

    yield Expect(maker, filled="2", remaining="3", status="partially_filled")
    yield ExpectTrades("BTC-USD", [("2", "101")])
    yield ExpectBook("BTC-USD", buys=[("5", "100")], sells=[("3", "101")])
