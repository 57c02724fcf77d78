"""Clients at all peers order and cancel at random, from a seed: the same orders everywhere."""

from __future__ import annotations

from random import Random

from testbed.script import Buy, Cancel, Quiet, Script, Sell, Together, Wish

PEERS = 5
CLIENTS = 4  # at each peer
ORDERS = 15  # of each client
ITEMS = ("BTC-USD", "ETH-USD")


def script(peers: tuple[str, ...], dice: Random) -> Script:
    """Whoever trades with whom is left to chance, so there is nothing to expect but what must always hold."""
    clients = [[drawn(peer, dice) for _ in range(ORDERS)] for peer in peers for _ in range(CLIENTS)]
    yield Together(*(client(orders) for orders in clients))
    yield Quiet()


def drawn(peer: str, dice: Random) -> tuple[Wish, bool]:
    """Draw an order, and whether its client will think better of it."""
    word = dice.choice((Buy, Sell))
    order = word(peer, str(dice.randint(1, 20)), dice.choice(ITEMS), at=str(100 + dice.randint(-5, 5)))
    return order, dice.random() < 0.2


def client(orders: list[tuple[Wish, bool]]) -> Script:
    """Submit one order after the other, and cancel those that are not meant to stay."""
    for order, unwanted in orders:
        answer = yield order
        if unwanted:
            yield Cancel(answer)
