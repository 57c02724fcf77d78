"""Ten thousand orders come at once to five peers, half of them to buy and half to sell."""

from __future__ import annotations

from testbed.script import Buy, ExpectBook, ExpectTrades, Script, Sell, Together

PEERS = 5
CLIENTS = 20  # at each peer
ORDERS = 100  # of each client


def script(peers: tuple[str, ...]) -> Script:
    """Every client submits one order after the other, all clients at the same time; in the end all have traded."""
    somebody = [(peer, number) for peer in peers[:PEERS] for number in range(CLIENTS)]
    yield Together(*(client(peer, sells=number % 2 == 0) for peer, number in somebody))

    yield ExpectTrades("BTC-USD", [("1", "100")] * (len(somebody) * ORDERS // 2))
    yield ExpectBook("BTC-USD", buys=[], sells=[])


def client(peer: str, sells: bool) -> Script:
    """A client of one opinion submits its orders."""
    for _ in range(ORDERS):
        yield Sell(peer, "1", "BTC-USD", at="100") if sells else Buy(peer, "1", "BTC-USD", at="100")
