"""All peers are killed at the same time amid their trades: they take up where they were."""

from __future__ import annotations

from testbed.script import Again, Buy, ExpectBook, ExpectTrades, Kill, Restart, Script, Sell, Together, UntilTrades

PEERS = 3
EACH = 40


def script(peers: tuple[str, ...]) -> Script:
    """Peer-1 sells and peer-2 buys the same amount; nobody is left to tell, but all the disks."""
    sells = [Sell("peer-1", "1", "BTC-USD", at="100") for _ in range(EACH)]
    buys = [Buy("peer-2", "1", "BTC-USD", at="100") for _ in range(EACH)]
    *orders, _ = yield Together(*sells, *buys, all_killed(peers))
    yield Together(*(Restart(peer) for peer in peers))

    yield Together(*(Again(order) for order in orders if order.outcome != "ok"))
    yield ExpectTrades("BTC-USD", [("1", "100")] * EACH)
    yield ExpectBook("BTC-USD", buys=[], sells=[])


def all_killed(peers: tuple[str, ...]) -> Script:
    """Kill everybody, when the first trades are seen."""
    yield UntilTrades("peer-3", "BTC-USD", count=2)
    yield Together(*(Kill(peer) for peer in peers))
