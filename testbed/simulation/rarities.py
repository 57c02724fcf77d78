"""What only few runs have: a crowd, a silence longer than any patience, small batches, clients who ask the wrong peer.

The rule: all of it is thrown with a dice of its own, so whatever is added here, a seed draws the rest as it always did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from random import Random

from testbed.simulation.steps import Down, Frozen, Lessen, Lost, Order, Parted, Renew, Repeat, Step, Withdraw

# In how many of the runs of many peers there are even more: what peers say grows with the square of their number.
MANY, CROWDS, CROWD = 6, 0.2, (8, 9)
# A peer counts as silent within seven seconds, and nothing else is waited for any longer.
SILENCES, SILENT_S = 0.025, (12.0, 30.0)
# Small enough that few orders are more than one batch.
SMALL_BATCHES, SMALL_BATCH = 0.12, (1, 12)
# In how many of the runs clients ask wrong peers at all, and for how many of the orders they do so there.
STRAYS, STRAYED = 0.2, 0.15


def crowd(dice: Random, peers: int) -> int:
    """Draw how many peers a run has that was to have so many."""
    is_crowd = dice.random() < CROWDS
    return dice.randint(*CROWD) if is_crowd and peers >= MANY else peers


def max_batch(dice: Random) -> int | None:
    """Draw how many entries a batch may hold, if they are to be fewer than a peer would put into one."""
    return dice.randint(*SMALL_BATCH) if dice.random() < SMALL_BATCHES else None


def strays(dice: Random, orders: Sequence[Order], peers: Sequence[str]) -> Iterator[Step]:
    """Ask peers to change the orders of others, and submit orders again where nobody knows them."""
    if dice.random() >= STRAYS:
        return
    for order in orders:
        if dice.random() < STRAYED:
            yield _stray(dice, order, dice.choice([peer for peer in peers if peer != order.peer]))


def _stray(dice: Random, order: Order, at: str) -> Step:
    # Late enough for the order to be known at the wrong peer, most of the time.
    at_s = round(order.at_s + dice.choice([0.002, 0.1, 1.0]), 4)
    less = Lessen(at_s, order.label, "0.5", at)
    renewed = Renew(at_s, order.label, replace(order.submit(), peer=at), at)
    kinds: list[Step] = [Withdraw(at_s, order.label, at), less, renewed, Repeat(at_s, order.label, at)]
    return dice.choice(kinds)


def silence(dice: Random, steps: Sequence[Step], busy: Mapping[str, float], lasts_s: float) -> Iterator[Step]:
    """Let one peer be down, frozen or cut off for so long that all others have long given up waiting for it.

    `busy` tells until when each peer is hurt by something else. Not where a peer is evicted by force: its operator
    vouches that whoever is silent holds no more of that ledger, and then it might well.
    """
    if dice.random() >= SILENCES or any(isinstance(step, Lost) and step.force for step in steps):
        return
    there = [peer for peer, until in busy.items() if isfinite(until)]
    peer, for_s = dice.choice(there), round(dice.uniform(*SILENT_S), 4)
    at_s = round(max(dice.uniform(0.0, lasts_s), busy[peer]), 4)
    others = tuple(other for other in busy if other != peer)
    apart = Parted(at_s, for_s, (peer,), others, both_ways=True)
    kinds: list[Step] = [Down(at_s, for_s, peer), Frozen(at_s, for_s, peer), apart]
    yield dice.choice(kinds)
