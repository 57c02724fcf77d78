"""What a client may ask of a peer, and reading it: whatever arrives is a request, or is refused with a code. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from peer.amounts import parse_amount
from peer.codes import Code, Refusal
from peer.messages import GetLedger
from peer.schema import DecimalInput, Hex, Item, Label, Message, PeerId, Prevention, Side, TimeInForce


def _something(value: object) -> int:
    try:
        return parse_amount(value)
    except ValueError as error:
        raise ValueError(f"{error}; to leave nothing of an order, cancel it") from error


class NewOrder(Message):
    """An order as a client submits it; without a price it is a market order."""

    item: Item
    type: Side
    price: Annotated[int | None, BeforeValidator(parse_amount)] = None
    quantity: DecimalInput
    time_in_force: TimeInForce | None = None
    post_only: bool = False
    self_trade_prevention: Prevention | None = None
    client_id: Label | None = None
    client_order_id: Label | None = None

    @property
    def lasts(self) -> TimeInForce:
        """How long it is in force: what is not said depends on whether there is a price to rest at."""
        return self.time_in_force or ("GTC" if self.price is not None else "IOC")

    @model_validator(mode="after")
    def _agrees(self) -> NewOrder:
        for holds, why in (
            (self.price is not None or self.lasts != "GTC", "without a `price` it cannot rest: use IOC or FOK"),
            (not self.post_only or self.lasts == "GTC", "`postOnly` means that it rests: use GTC and a `price`"),
            (
                self.self_trade_prevention is None or self.client_id is not None,
                "`selfTradePrevention` needs `clientId`",
            ),
            (
                self.lasts != "FOK" or self.self_trade_prevention in (None, "CANCEL_NEWEST"),
                "FOK is filled or killed itself: of `selfTradePrevention` it may have CANCEL_NEWEST",
            ),
        ):
            if not holds:
                raise PydanticCustomError("contradictory_terms", "{why}", {"why": why})
        return self


class SubmitOrder(Message):
    """Accept this order and trade it."""

    type: Literal["SUBMIT_ORDER"] = "SUBMIT_ORDER"
    order: NewOrder


class CancelOrder(Message):
    """Cancel what is left of an order of this peer."""

    type: Literal["CANCEL_ORDER"] = "CANCEL_ORDER"
    id: Label


class ReduceOrder(Message):
    """Leave at most `quantity` of an order of this peer; it keeps its place."""

    type: Literal["REDUCE_ORDER"] = "REDUCE_ORDER"
    id: Label
    quantity: Annotated[int, BeforeValidator(_something)]


class ReplaceOrder(Message):
    """Cancel an order of this peer and place another one, both or neither."""

    type: Literal["REPLACE_ORDER"] = "REPLACE_ORDER"
    id: Label
    order: NewOrder


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


class GetFork(Message):
    """Show the proof that a peer's ledger is forked."""

    type: Literal["GET_FORK"] = "GET_FORK"
    peer_id: PeerId


class EvictPeer(Message):
    """Go on without a peer that is lost for good; `mac` shows that an operator asks, see `peer.admission`."""

    type: Literal["EVICT_PEER"] = "EVICT_PEER"
    peer_id: PeerId
    force: bool = False
    mac: Hex | None = None


ClientRequest = Annotated[
    SubmitOrder
    | CancelOrder
    | ReduceOrder
    | ReplaceOrder
    | GetOrder
    | GetOrderbook
    | GetTrades
    | GetStatus
    | GetFork
    | GetLedger
    | EvictPeer,
    Field(discriminator="type"),
]
_CLIENT_REQUEST: TypeAdapter[ClientRequest] = TypeAdapter(ClientRequest)


def read_request(payload: object) -> ClientRequest | Refusal:
    """Read what arrived at a peer's door, or say in one sentence why it is none of ours."""
    if not isinstance(payload, dict):
        return Refusal(Code.BAD_REQUEST, "the payload must be an object with a `type`")
    try:
        return _CLIENT_REQUEST.validate_python(payload)
    except ValidationError as error:
        return refusal_of(error, str(payload.get("type")))


def refusal_of(error: ValidationError, tag: str) -> Refusal:
    """Say what is wrong first with a payload of the type `tag`."""
    first = error.errors(include_url=False, include_input=False)[0]
    kind = first["type"]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return Refusal(Code.UNKNOWN_TYPE, "`type` must name a request")
    path = [str(part) for part in first["loc"]]
    if not path:
        return Refusal(Code.BAD_REQUEST, "this must be a JSON object")
    # The tag of the union stands first in the path, where a caller does not see a place.
    field = ".".join(path[1:] if path[0] == tag else path)
    if kind == "missing":
        return Refusal(Code.MISSING_FIELD, f"`{field}` is missing")
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return Refusal(Code.UNKNOWN_FIELD, f"`{field}` is not a field of this request")
    if kind == "contradictory_terms":
        return Refusal(Code.CONTRADICTORY_TERMS, first["msg"])
    codes = {"price": Code.INVALID_PRICE, "quantity": Code.INVALID_QUANTITY}
    code = codes.get(path[-1], Code.INVALID_FIELD)
    reason = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return Refusal(code, f"`{field}` {reason}")
