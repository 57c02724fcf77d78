"""What peers say to each other. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, with_config

from peer.schema import MAX_BATCH, MAX_PEERS, STRICT, Hex, Id, Lots, Message, PeerId, Sequence, Vector


class GetLedger(Message):
    """Show the entries of a ledger after a sequence number; asked by clients and by peers that fell behind."""

    type: Literal["GET_LEDGER"] = "GET_LEDGER"
    peer_id: PeerId
    after: Sequence = 0


class LedgerBatch(Message):
    """Entries of one ledger from number `first` on, as the texts that were chained; the last one is signed.

    `base` is the hash before the first of them. Where a snapshot begins, it may follow on a gap.
    """

    peer_id: PeerId
    public_key: Hex
    first: Sequence = Field(ge=1)
    entries: list[str] = Field(min_length=1, max_length=MAX_BATCH)
    signature: Hex
    base: Hex | None = None


class Fork(Message):
    """Two batches of one ledger, both signed by its owner, that differ at entry `sequence`: proof against the owner.

    Where they differ from their very beginning, `sequence` is the entry before it, and the bases differ.
    """

    type: Literal["FORK"] = "FORK"
    peer_id: PeerId
    sequence: Sequence
    ours: LedgerBatch
    theirs: LedgerBatch


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


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Contents:
    """All that one peer has to say to another now, and how far its copy of each ledger reaches."""

    clock: Sequence
    vector: Annotated[Vector, Field(max_length=MAX_PEERS)]
    messages: Annotated[list[PeerMessage], Field(max_length=4 * MAX_BATCH)]


class Envelope(Message):
    """Contents as they travel: a text, from whom, to whom, and the proof that a member of the network sent it.

    `port` is where the sender listens; `mac` is checked before the body is read, see `peer.admission`.
    """

    type: Literal["ENVELOPE"] = "ENVELOPE"
    sender: PeerId
    to: PeerId
    port: int = Field(ge=0, le=65535)
    mac: Hex
    body: str
