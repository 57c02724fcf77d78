"""Every message between peers and clients, and every event of a ledger: the one vocabulary. Pure.

The rule: what crosses a wire or a disk is one of these, frozen and strict. JSON names are camelCase, amounts are
decimal strings outside and integers of 10^-8 (lots) inside, times are microseconds of the hybrid logical clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    with_config,
)
from pydantic.alias_generators import to_camel

from peer.amounts import MAX_LOTS, as_lots, format_lots, parse_amount
from peer.codes import Code, Refusal

MAX_BATCH = 512
MAX_PEERS = 256

Side = Literal["buy", "sell"]
TimeInForce = Literal["GTC"]

# A client's decimal, text or number, and the same as a ledger holds it.
DecimalInput = Annotated[int, BeforeValidator(parse_amount)]
Lots = Annotated[int, BeforeValidator(as_lots), Field(ge=0, le=MAX_LOTS), PlainSerializer(format_lots, return_type=str)]
Item = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=128)]
PeerId = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{24}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{24}-[1-9][0-9]{0,15}$")]
Hex = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f]{2}){1,64}$")]
Sequence = Annotated[int, Field(ge=0, le=10**16)]


class Message(BaseModel):
    """Frozen, strict, camelCase in JSON, no unknown fields."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        serialize_by_alias=True,
    )

    def json_object(self) -> dict[str, Any]:
        """Return this message as the JSON object that goes on the wire, absent fields left out."""
        return self.model_dump(mode="json", exclude_none=True)


def owner_of(id_: str) -> str:
    """Return the peer whose ledger holds the order or fill: an id is `<peerId>-<sequence of its entry>`."""
    return id_.rpartition("-")[0]


# What a client may ask -----------------------------------------------------------------------------------------


class NewOrder(Message):
    """An order as a client submits it."""

    item: Item
    type: Side
    price: DecimalInput
    quantity: DecimalInput
    time_in_force: TimeInForce = "GTC"
    client_id: Label | None = None
    client_order_id: Label | None = None


class SubmitOrder(Message):
    """Accept this order and trade it."""

    type: Literal["SUBMIT_ORDER"] = "SUBMIT_ORDER"
    order: NewOrder


class CancelOrder(Message):
    """Cancel what is left of an order of this peer."""

    type: Literal["CANCEL_ORDER"] = "CANCEL_ORDER"
    id: Label


class GetOrder(Message):
    """Show one order, of whatever peer."""

    type: Literal["GET_ORDER"] = "GET_ORDER"
    id: Label


class GetOrderbook(Message):
    """Show the book of an item: at most `limit` orders of each list."""

    type: Literal["GET_ORDERBOOK"] = "GET_ORDERBOOK"
    item: Item
    limit: int = Field(default=1000, ge=1, le=10_000)


class GetTrades(Message):
    """Show the latest trades, newest last."""

    type: Literal["GET_TRADES"] = "GET_TRADES"
    item: Item | None = None
    limit: int = Field(default=100, ge=1, le=10_000)


class GetStatus(Message):
    """Show what this peer knows of itself and of the others."""

    type: Literal["GET_STATUS"] = "GET_STATUS"


class GetLedger(Message):
    """Show the entries of a ledger after a sequence number; asked by clients and by peers that fell behind."""

    type: Literal["GET_LEDGER"] = "GET_LEDGER"
    peer_id: PeerId
    after: Sequence = 0


ClientRequest = Annotated[
    SubmitOrder | CancelOrder | GetOrder | GetOrderbook | GetTrades | GetStatus | GetLedger,
    Field(discriminator="type"),
]
_CLIENT_REQUEST: TypeAdapter[ClientRequest] = TypeAdapter(ClientRequest)


# What a ledger holds -------------------------------------------------------------------------------------------


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


# What peers say to each other ----------------------------------------------------------------------------------


class LedgerBatch(Message):
    """Entries of one ledger from number `first` on, as the texts that were chained; the last one is signed."""

    peer_id: PeerId
    public_key: Hex
    first: Sequence
    entries: list[str] = Field(min_length=1, max_length=MAX_BATCH)
    signature: Hex


class OrderSubmitted(Message):
    """The sender's new ledger entries: orders, cancels, fills."""

    type: Literal["ORDER_SUBMITTED"] = "ORDER_SUBMITTED"
    ledger: LedgerBatch


class Offer(Message):
    """A maker of the answering peer, and what of it is available now."""

    id: Id
    price: Lots
    available: Lots


class OrderMatched(Message):
    """The answering peer's own earlier orders that cross a newcomer."""

    type: Literal["ORDER_MATCHED"] = "ORDER_MATCHED"
    order_id: Id
    offers: list[Offer] = Field(max_length=MAX_BATCH)


class FillOrder(Message):
    """Ask the maker's owner for its decision of a fill that the sender's ledger has opened."""

    type: Literal["FILL_ORDER"] = "FILL_ORDER"
    fill_id: Id
    maker: Id
    taker: Id
    quantity: Lots
    limit: Lots


class OrderFilled(Message):
    """The written decision of a fill, and where in the answering peer's ledger it stands."""

    type: Literal["ORDER_FILLED"] = "ORDER_FILLED"
    fill_id: Id
    granted: Lots
    price: Lots
    time: Sequence
    sequence: Sequence


class Ledger(Message):
    """Entries of any ledger, for one that asked GET_LEDGER; without `ledger` there are none after the asked number.

    `positions` tells clients when each entry reached this peer's journal, counted over all ledgers: in this order
    the peer saw the market, which is what price-time priority is judged by.
    """

    type: Literal["LEDGER"] = "LEDGER"
    ledger: LedgerBatch | None = None
    positions: list[int] | None = None


PeerMessage = Annotated[
    OrderSubmitted | OrderMatched | FillOrder | OrderFilled | GetLedger | Ledger,
    Field(discriminator="type"),
]


class Head(NamedTuple):
    """How far a ledger reaches: the number of its last entry, and that entry's hash; `[sequence, hash]` in JSON."""

    sequence: Sequence = 0
    hash: Hex = "00" * 32


Vector = dict[
    PeerId, Annotated[Head, BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)]
]


class Envelope(Message):
    """All that one peer has to say to another now, and how far its copy of each ledger reaches."""

    type: Literal["ENVELOPE"] = "ENVELOPE"
    sender: PeerId
    to: PeerId
    port: int = Field(ge=0, le=65535)
    clock: Sequence
    vector: Vector = Field(max_length=MAX_PEERS)
    messages: list[PeerMessage] = Field(max_length=4 * MAX_BATCH)


def read_request(payload: object) -> ClientRequest | Envelope | Refusal:
    """Read what arrived at a peer's door, or say in one sentence why it is none of ours."""
    if not isinstance(payload, dict):
        return Refusal(Code.BAD_REQUEST, "the payload must be an object with a `type`")
    try:
        if payload.get("type") == "ENVELOPE":
            return Envelope.model_validate(payload)
        return _CLIENT_REQUEST.validate_python(payload)
    except ValidationError as error:
        return _refusal(error, str(payload.get("type")))


def _refusal(error: ValidationError, tag: str) -> Refusal:
    first = error.errors(include_url=False, include_input=False)[0]
    kind = first["type"]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return Refusal(Code.UNKNOWN_TYPE, "`type` must name a request")
    path = [str(part) for part in first["loc"]]
    # The tag of the union stands first in the path, where a caller does not see a place.
    field = ".".join(path[1:] if path[0] == tag else path)
    if kind == "missing":
        return Refusal(Code.MISSING_FIELD, f"`{field}` is missing")
    if kind == "extra_forbidden":
        return Refusal(Code.UNKNOWN_FIELD, f"`{field}` is not a field of this request")
    codes = {"price": Code.INVALID_PRICE, "quantity": Code.INVALID_QUANTITY}
    code = codes.get(path[-1], Code.INVALID_FIELD)
    reason = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return Refusal(code, f"`{field}` {reason}")
