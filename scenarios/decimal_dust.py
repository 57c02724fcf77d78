"""0.1 and 0.2 are bought from 0.3, and nothing is left; the smallest quantity there is trades, too."""

from __future__ import annotations

from testbed.script import Buy, Expect, ExpectBook, ExpectTrades, Quiet, Script, Sell

PEERS = 3
DUST = "0.00000001"


def script() -> Script:
    """With binary fractions 0.3 - 0.1 - 0.2 would leave something; here amounts are whole lots of 0.00000001."""
    ask = yield Sell("peer-1", "0.3", "BTC-USD", at="0.7")
    yield Quiet()
    yield Buy("peer-2", "0.1", "BTC-USD", at="0.7")
    yield Buy("peer-3", "0.2", "BTC-USD", at="0.7")
    yield Expect(ask, filled="0.3", remaining="0", status="filled")

    speck = yield Sell("peer-1", "0.10000001", "BTC-USD", at=DUST)
    yield Quiet()
    yield Buy("peer-2", "0.1", "BTC-USD", at=DUST)
    yield Expect(speck, filled="0.1", remaining=DUST, status="partially_filled")
    yield ExpectTrades("BTC-USD", [("0.1", "0.7"), ("0.2", "0.7"), ("0.1", DUST)])
    yield ExpectBook("BTC-USD", buys=[], sells=[(DUST, DUST)])
