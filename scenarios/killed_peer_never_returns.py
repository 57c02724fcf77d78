"""A peer is killed and never comes back: the others evict it, and what waited for it is free again."""

from __future__ import annotations

from testbed.script import (
    Buy,
    Evict,
    Expect,
    ExpectBook,
    ExpectTrades,
    Kill,
    Quiet,
    Script,
    Sell,
    Together,
    UntilTrades,
)

PEERS = 3
EACH = 60


def script() -> Script:
    """Peer-3 sells, dies amid its decisions, and is evicted; what it had decided stands, the rest of it is gone."""
    yield Sell("peer-3", "5", "ETH-USD", at="10")
    yield Together(*(Sell("peer-3", "1", "BTC-USD", at="100") for _ in range(2 * EACH)))
    yield Together(buys("peer-1", EACH), buys("peer-2", EACH), killed_in_the_middle())
    yield Evict("peer-3", at="peer-1")
    yield Quiet()

    yield ExpectBook("ETH-USD", buys=[], sells=[])
    bid = yield Buy("peer-1", "2", "ETH-USD", at="10")
    yield Quiet()
    yield Sell("peer-2", "1", "ETH-USD", at="10")
    yield Expect(bid, filled="1", remaining="1", status="partially_filled")
    yield ExpectTrades("ETH-USD", [("1", "10")])


def buys(peer: str, times: int) -> Script:
    """A client buys one after the other, whatever happens to the seller."""
    for _ in range(times):
        yield Buy(peer, "1", "BTC-USD", at="100")


def killed_in_the_middle() -> Script:
    """Kill peer-3 when ten trades are seen."""
    yield UntilTrades("peer-2", "BTC-USD", count=10)
    yield Kill("peer-3")
