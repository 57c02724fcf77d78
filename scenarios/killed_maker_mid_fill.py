"""The seller's peer is killed while others take from it: what it has decided stands."""

from __future__ import annotations

from testbed.script import Buy, ExpectBook, ExpectTrades, Kill, Quiet, Restart, Script, Sell, Together, UntilTrades
from testbed.targets import owner

PEERS = 3
OFFERS = 60


def script() -> Script:
    """Peers 2 and 3 take all at once what peer-1 offers; peer-1 is killed when the first trades are seen."""
    offer = yield Sell("peer-1", str(OFFERS), "BTC-USD", at="100")
    yield Quiet()
    bids = (Buy(peer, "1", "BTC-USD", at="100") for peer in ("peer-2", "peer-3") for _ in range(OFFERS // 2))
    yield Together(*bids, killed(owner(offer)))
    # Until it is back, nobody knows what it had decided, and what the takers have reserved stays reserved.
    yield Restart(owner(offer))

    yield ExpectTrades("BTC-USD", [("1", "100")] * OFFERS)
    yield ExpectBook("BTC-USD", buys=[], sells=[])


def killed(maker: str) -> Script:
    """Kill the maker's peer among its decisions."""
    yield UntilTrades("peer-3", "BTC-USD", count=3)
    yield Kill(maker)
