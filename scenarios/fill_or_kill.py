"""A fill-or-kill order is filled by two other peers and its own, all together, or not at all."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Quiet, Script, Sell, Together

PEERS = 4


def script() -> Script:
    """9 lie in three books: 10 are killed, 9 are filled; of two who want 6 of the next 9 at once, one at most."""
    yield from _offers("100")
    too_much = yield Buy("peer-3", "10", "BTC-USD", at="100", time_in_force="FOK")
    yield Expect(too_much, filled="0", remaining="0", status="expired")
    all_of_it = yield Buy("peer-3", "9", "BTC-USD", at="100", time_in_force="FOK")
    yield Expect(all_of_it, filled="9", remaining="0", status="filled")
    yield ExpectTrades("BTC-USD", [("3", "100"), ("3", "100"), ("3", "100")])
    yield ExpectBook("BTC-USD")

    yield from _offers("101")
    yield Together(
        Buy("peer-3", "6", "BTC-USD", at="101", time_in_force="FOK"),
        Buy("peer-4", "6", "BTC-USD", at="101", time_in_force="FOK"),
    )
    yield Quiet()


def _offers(price: str) -> Script:
    for peer in ("peer-1", "peer-2", "peer-3"):
        yield Sell(peer, "3", "BTC-USD", at=price)
    yield Quiet()
