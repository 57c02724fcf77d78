"""Who is meant, told by what they are to the story instead of by their names. Pure.

The rule: the same peers and the same order always mean the same peers, so that a run can be repeated.
"""

from __future__ import annotations

from collections.abc import Sequence

from testbed.script import Answer


def owner(order: Answer) -> str:
    """Return the peer that an order was submitted to: the maker's peer or the taker's, as the order is the one's."""
    return order.peer


def minority(peers: Sequence[str]) -> tuple[str, ...]:
    """Return the first peers, as many as are still fewer than half: 1 of 3, 2 of 5, 1 of 4."""
    return tuple(peers[: (len(peers) - 1) // 2])


def majority(peers: Sequence[str]) -> tuple[str, ...]:
    """Return all who are not of the minority."""
    return tuple(peers[(len(peers) - 1) // 2 :])


def all_but(left_out: str, peers: Sequence[str]) -> tuple[str, ...]:
    """Return all peers but one. Raises ValueError if it is none of them."""
    if left_out not in peers:
        raise ValueError(f"{left_out} is none of {', '.join(peers)}")
    return tuple(peer for peer in peers if peer != left_out)
