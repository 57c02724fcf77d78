"""The maker's answers are lost, and the taker asks again and again: the fill happens once."""

from __future__ import annotations

from testbed.script import Buy, Cut, Expect, ExpectBook, ExpectTrades, Mend, Quiet, Script, Sell, Wait

PEERS = 2


def script() -> Script:
    """Peer-1 makes, peer-2 takes, and nothing that peer-1 says arrives for longer than three calls take."""
    bid = yield Buy("peer-1", "10", "BTC-USD", at="100")
    yield Quiet()
    yield Cut("peer-1", "peer-2")
    ask = yield Sell("peer-2", "4", "BTC-USD", at="100")
    yield Wait(7.0)
    yield Mend("peer-1", "peer-2")

    yield Expect(bid, filled="4", remaining="6")
    yield Expect(ask, filled="4", remaining="0", status="filled")
    yield ExpectTrades("BTC-USD", [("4", "100")])
    yield ExpectBook("BTC-USD", buys=[("6", "100")], sells=[])
