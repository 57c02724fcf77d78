"""What a ledger holds: every event of an owner's own orders, and the entry that carries it. Pure.

The rule: amounts are absolute (what remains now), never differences, so that each entry can be checked by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, with_config

from peer.schema import Id, Item, Label, Lots, Message, Sequence, Side, TimeInForce


class OrderPlaced(Message):
    """The owner accepted an order; the entry's time is the order's stamp."""

    type: Literal["ORDER_PLACED"] = "ORDER_PLACED"
    id: Id
    item: Item
    side: Side
    price: Lots
    quantity: Lots
    time_in_force: TimeInForce = "GTC"
    client_id: Label | None = None
    client_order_id: Label | None = None


class OrderCancelled(Message):
    """Nothing more may trade but `remaining`, which fills in doubt have reserved."""

    type: Literal["ORDER_CANCELLED"] = "ORDER_CANCELLED"
    id: Id
    remaining: Lots


class FillOpened(Message):
    """The taker's owner reserved `quantity` of its order and asks the maker's owner for it."""

    type: Literal["FILL_OPENED"] = "FILL_OPENED"
    fill_id: Id
    taker: Id
    maker: Id
    quantity: Lots
    limit: Lots


class FillGranted(Message):
    """The maker's owner decided a fill, once: `granted` (0 or more) at `price`; `remaining` of the maker is left."""

    type: Literal["FILL_GRANTED"] = "FILL_GRANTED"
    fill_id: Id
    taker: Id
    maker: Id
    granted: Lots
    price: Lots
    remaining: Lots


class FillClosed(Message):
    """The taker's owner learned the decision made at `time`; `remaining` of the taker is left."""

    type: Literal["FILL_CLOSED"] = "FILL_CLOSED"
    fill_id: Id
    taker: Id
    maker: Id
    granted: Lots
    price: Lots
    time: Sequence
    remaining: Lots


class OrdersTraded(Message):
    """Two orders of one owner traded: one event for both sides."""

    type: Literal["ORDERS_TRADED"] = "ORDERS_TRADED"
    id: Id
    taker: Id
    maker: Id
    quantity: Lots
    price: Lots
    taker_remaining: Lots
    maker_remaining: Lots


Event = Annotated[
    OrderPlaced | OrderCancelled | FillOpened | FillGranted | FillClosed | OrdersTraded,
    Field(discriminator="type"),
]


@with_config(ConfigDict(strict=True, extra="forbid"))
@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ledger: its number, its owner's clock when it was written, and what happened."""

    sequence: Sequence
    time: Sequence
    event: Event


_ENTRY = TypeAdapter(Entry)


def read_entry(text: str) -> Entry:
    """Read an entry's text.

    Raises:
        pydantic.ValidationError: it is none.
    """
    return _ENTRY.validate_json(text)
