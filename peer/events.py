"""What a ledger holds: every event of an owner's own orders, and the entry that carries it. Pure.

The rule: amounts are absolute (what remains now), never differences, so that each entry can be checked by itself.
What is read is validated; what is made here is not: the same state that makes it also folds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Literal, TypeVar, dataclass_transform

from pydantic import Field, TypeAdapter, with_config

from peer.schema import (
    MAX_PEERS,
    STRICT,
    Hex,
    Id,
    Item,
    Label,
    Lots,
    PeerId,
    Prevention,
    Sequence,
    Side,
    TimeInForce,
)

Reason = Literal["expired", "post_only", "self_trade", "replaced"]
T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(kind: type[T]) -> type[T]:
    """Make a class a kind of event: a frozen value, whose JSON is strict, in camelCase and without unknown fields."""
    return with_config(STRICT)(dataclass(frozen=True, slots=True, kw_only=True)(kind))


@event
class OrderPlaced:
    """The owner accepted an order; the entry's time is the order's stamp. Without a price it takes at any."""

    type: Literal["ORDER_PLACED"] = "ORDER_PLACED"
    id: Id
    item: Item
    side: Side
    price: Lots | None = None
    quantity: Lots
    time_in_force: TimeInForce = "GTC"
    post_only: Literal[True] | None = None
    self_trade_prevention: Prevention | None = None
    client_id: Label | None = None
    client_order_id: Label | None = None
    replaces: Id | None = None


@event
class OrderCancelled:
    """Nothing more may trade but `remaining`, which fills in doubt have reserved; no `reason` but its client's wish."""

    type: Literal["ORDER_CANCELLED"] = "ORDER_CANCELLED"
    id: Id
    remaining: Lots
    reason: Reason | None = None


@event
class OrderReduced:
    """Only `remaining` may still trade, less than before; the order keeps its place."""

    type: Literal["ORDER_REDUCED"] = "ORDER_REDUCED"
    id: Id
    remaining: Lots


@event
class FillOpened:
    """The taker's owner reserved `quantity` of its order and asks the maker's owner for it.

    With `hold` not to trade it, but to keep it for this fill until the taker's owner closes that.
    """

    type: Literal["FILL_OPENED"] = "FILL_OPENED"
    fill_id: Id
    taker: Id
    maker: Id
    quantity: Lots
    limit: Lots
    hold: Literal[True] | None = None


@event
class FillHeld:
    """The maker's owner answered a fill that asked to hold, once: `held` of the maker is reserved for it at `price`.

    With 0 that is the decision; else the taker's owner decides, by closing the fill.
    """

    type: Literal["FILL_HELD"] = "FILL_HELD"
    fill_id: Id
    taker: Id
    maker: Id
    held: Lots
    price: Lots


@event
class FillGranted:
    """The maker's owner decided a fill, once: `granted` (0 or more) at `price`; `remaining` of the maker is left.

    `prevented` tells that nothing was granted because both orders are one client's, and by what instruction of the
    taker; `decremented` is by how much that has reduced the maker, and is to reduce the taker.
    """

    type: Literal["FILL_GRANTED"] = "FILL_GRANTED"
    fill_id: Id
    taker: Id
    maker: Id
    granted: Lots
    price: Lots
    remaining: Lots
    prevented: Prevention | None = None
    decremented: Lots | None = None


@event
class FillClosed:
    """The taker's owner learned the decision made at `time`; `remaining` of the taker is left."""

    type: Literal["FILL_CLOSED"] = "FILL_CLOSED"
    fill_id: Id
    taker: Id
    maker: Id
    granted: Lots
    price: Lots
    time: Sequence
    remaining: Lots


@event
class OrdersTraded:
    """Two orders of one owner traded: one event for both sides."""

    type: Literal["ORDERS_TRADED"] = "ORDERS_TRADED"
    id: Id
    taker: Id
    maker: Id
    quantity: Lots
    price: Lots
    taker_remaining: Lots
    maker_remaining: Lots


@event
class EvictionProposed:
    """An operator wants to go on without a peer that is lost for good: the voters are to say what they hold of it.

    `forced`: peers that could not be reached are not asked, and the operator vouches for them.
    """

    type: Literal["EVICTION_PROPOSED"] = "EVICTION_PROPOSED"
    peer_id: PeerId
    voters: Annotated[tuple[PeerId, ...], Field(min_length=1, max_length=MAX_PEERS)]
    forced: bool


@event
class EvictionJoined:
    """A voter's word, once: so far it holds the lost ledger, and it takes nothing more from its owner."""

    type: Literal["EVICTION_JOINED"] = "EVICTION_JOINED"
    peer_id: PeerId
    sequence: Sequence
    hash: Hex


@event
class PeerFenced:
    """The lost ledger ends here for good, and the writer holds it up to here; what lies beyond is void."""

    type: Literal["PEER_FENCED"] = "PEER_FENCED"
    peer_id: PeerId
    sequence: Sequence
    hash: Hex


EvictionEvent = Annotated[EvictionProposed | EvictionJoined | PeerFenced, Field(discriminator="type")]


@event
class TradeState:
    """A trade of an order that a snapshot tells of."""

    id: Id
    maker: Id
    taker: Id
    quantity: Lots
    price: Lots
    time: Sequence


@event
class OrderState:
    """An order as it stands: as it was placed, and when, what has become of it, and its latest trades."""

    placed: OrderPlaced
    time: Sequence
    filled: Lots
    remaining: Lots
    reserved: Lots
    cancelled: bool = False
    reason: Reason | None = None
    trades: list[TradeState] = field(default_factory=list)


@event
class GrantState:
    """A decision of the owner's that the taker's ledger, as far as the owner has read it, has not closed."""

    fill_id: Id
    maker: Id
    granted: Lots
    price: Lots
    time: Sequence
    sequence: Sequence
    prevented: Prevention | None = None
    decremented: Lots = 0


@event
class HoldState:
    """What of a maker of the owner's is reserved for a fill, since `time`, until the taker's owner closes it."""

    fill_id: Id
    maker: Id
    taker: Id
    quantity: Lots
    price: Lots
    time: Sequence


@event
class Snapshot:
    """One part of all that is left of the ledger before it: open orders, own open fills, what is held for others',
    decisions and closings that are still needed, and all that its owner has said of evictions.

    The parts of a snapshot stand one after the other, from 1 to `parts`.
    """

    type: Literal["SNAPSHOT"] = "SNAPSHOT"
    part: Sequence
    parts: Sequence
    orders: list[OrderState] = field(default_factory=list)
    fills: list[FillOpened] = field(default_factory=list)
    holds: list[HoldState] = field(default_factory=list)
    grants: list[GrantState] = field(default_factory=list)
    closings: list[FillClosed] = field(default_factory=list)
    evictions: list[EvictionEvent] = field(default_factory=list)


Event = Annotated[
    OrderPlaced
    | OrderCancelled
    | OrderReduced
    | FillOpened
    | FillHeld
    | FillGranted
    | FillClosed
    | OrdersTraded
    | EvictionProposed
    | EvictionJoined
    | PeerFenced
    | Snapshot,
    Field(discriminator="type"),
]


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ledger: its number, its owner's clock when it was written, and what happened."""

    sequence: Sequence
    time: Sequence
    event: Event


_ENTRY = TypeAdapter(Entry)
_STATE = TypeAdapter(OrderState)
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


# Batches that are held back, or that several peers relay, come more than once.
@lru_cache(4096)
def read_entry(text: str) -> Entry:
    """Read an entry's text.

    Raises:
        pydantic.ValidationError: it is none.
    """
    return _ENTRY.validate_json(text)


def write_event(event: Event) -> str:
    """Return an event as its JSON text, absent fields left out."""
    return _EVENT.dump_json(event, exclude_none=True).decode()


def read_state(text: str) -> OrderState:
    """Read what `write_state` wrote."""
    return _STATE.validate_json(text)


def write_state(state: OrderState) -> str:
    """Return an order's state as a JSON text, absent fields left out."""
    return _STATE.dump_json(state, exclude_none=True).decode()
