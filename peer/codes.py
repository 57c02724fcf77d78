"""Every refusal a peer can answer, each with the sentence that documents it. Pure.

An RPC that is refused carries `ERR_<CODE>: <sentence>` as its error string; `docs/protocol.md` holds this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """What a refusal is about; the value is the text on the wire."""

    BAD_REQUEST = "ERR_BAD_REQUEST"
    UNKNOWN_TYPE = "ERR_UNKNOWN_TYPE"
    MISSING_FIELD = "ERR_MISSING_FIELD"
    UNKNOWN_FIELD = "ERR_UNKNOWN_FIELD"
    INVALID_FIELD = "ERR_INVALID_FIELD"
    INVALID_PRICE = "ERR_INVALID_PRICE"
    INVALID_QUANTITY = "ERR_INVALID_QUANTITY"
    UNKNOWN_ORDER = "ERR_UNKNOWN_ORDER"
    NOT_OWNER = "ERR_NOT_OWNER"
    ORDER_FILLED = "ERR_ORDER_FILLED"
    ORDER_CANCELLED = "ERR_ORDER_CANCELLED"
    ORDER_ID_USED = "ERR_ORDER_ID_USED"
    CONTRADICTORY_TERMS = "ERR_CONTRADICTORY_TERMS"
    WOULD_TAKE = "ERR_WOULD_TAKE"
    RESERVED = "ERR_RESERVED"
    UNKNOWN_FORK = "ERR_UNKNOWN_FORK"
    TOO_MANY_ORDERS = "ERR_TOO_MANY_ORDERS"
    UNKNOWN_PEER = "ERR_UNKNOWN_PEER"
    NOT_EVICTABLE = "ERR_NOT_EVICTABLE"
    PEERS_SILENT = "ERR_PEERS_SILENT"
    NOT_AUTHORISED = "ERR_NOT_AUTHORISED"
    FENCED = "ERR_FENCED"
    WRONG_PEER = "ERR_WRONG_PEER"
    NOT_ADMITTED = "ERR_NOT_ADMITTED"
    BUSY = "ERR_BUSY"
    STOPPING = "ERR_STOPPING"


MEANINGS: dict[Code, str] = {
    Code.BAD_REQUEST: "The payload is not an object.",
    Code.UNKNOWN_TYPE: "The payload's `type` is missing or names no request.",
    Code.MISSING_FIELD: "A required field is missing; the sentence names it.",
    Code.UNKNOWN_FIELD: "A field that this request does not have; the sentence names it.",
    Code.INVALID_FIELD: "A field has the wrong type, form or length; the sentence names it.",
    Code.INVALID_PRICE: "Not a decimal above 0 with at most 12 digits before and 8 after the point.",
    Code.INVALID_QUANTITY: "Not a decimal above 0 with at most 12 digits before and 8 after the point.",
    Code.UNKNOWN_ORDER: (
        "This peer knows no order of this id; those of other peers it forgets when they have long been settled."
    ),
    Code.NOT_OWNER: "Only the peer that accepted an order may change it; the sentence names that peer.",
    Code.ORDER_FILLED: "The order has been filled completely: nothing is left to cancel or replace.",
    Code.ORDER_CANCELLED: "The order has been cancelled or has expired: nothing is left to replace.",
    Code.ORDER_ID_USED: "The client order id of the new order names another order, which does not replace the old one.",
    Code.CONTRADICTORY_TERMS: "The terms of the order contradict each other; the sentence says how.",
    Code.WOULD_TAKE: "The order is post-only and would trade at once; nothing was placed.",
    Code.RESERVED: "Fills have reserved more of the order than the request would leave; nothing was changed.",
    Code.UNKNOWN_FORK: "This peer has no proof that the ledger of that peer is forked.",
    Code.TOO_MANY_ORDERS: "The peer holds as many open orders of its own as it may.",
    Code.UNKNOWN_PEER: "This peer has never heard of that peer.",
    Code.NOT_EVICTABLE: "That peer cannot be evicted: it is the asked one, or its ledger is forked.",
    Code.PEERS_SILENT: "Other peers cannot be asked what they hold of that ledger; the sentence names them.",
    Code.NOT_AUTHORISED: "The request carries no code made with the network's key, as an operator's must.",
    Code.FENCED: "This peer has been evicted: it trades no more, and has to come back under a new identity.",
    Code.WRONG_PEER: "The message was meant for a peer that no longer answers at this address.",
    Code.NOT_ADMITTED: "The envelope carries no code made with this network's key: its sender is none of its peers.",
    Code.BUSY: "More requests are waiting than the peer will hold; nothing was done, try again.",
    Code.STOPPING: "The peer is shutting down; nothing was done.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A business "no": a value with a code, never an exception."""

    code: Code
    sentence: str

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"
