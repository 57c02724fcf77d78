"""What is known of fills beside their events: decisions, holds, trades. Pure."""

from __future__ import annotations

from typing import NamedTuple

from peer.schema import Prevention

# A fill's id and its maker: a decision counts for the maker that was asked, whoever else writes one.
TradeKey = tuple[str, str]


class Grant(NamedTuple):
    """The written decision of a fill; `time` in microseconds, `sequence` in the maker's ledger.

    Of what was held, the time is that of holding it: both sides know that one.
    """

    granted: int
    price: int
    time: int
    sequence: int
    prevented: Prevention | None = None
    decremented: int = 0


class Hold(NamedTuple):
    """What of a maker is reserved for a fill until the taker's owner closes it."""

    taker: str
    quantity: int
    price: int
    time: int


class Trade(NamedTuple):
    """Two orders traded; `id` is the fill's, or of the entry that traded both."""

    id: str
    item: str
    price: int
    quantity: int
    maker: str
    taker: str
    time: int
