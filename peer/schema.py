"""What every message and every event is made of: names, amounts, ids, heads. Pure.

The rule: what crosses a wire or a disk is frozen and strict. JSON names are camelCase, amounts are decimal strings
outside and integers of 10^-8 (lots) inside, times are microseconds of the hybrid logical clock.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, PlainValidator, StringConstraints
from pydantic.alias_generators import to_camel

from peer.amounts import as_lots, format_lots, parse_amount

MAX_BATCH = 512
MAX_BATCH_CHARACTERS = 1 << 18
MAX_PEERS = 256

Side = Literal["buy", "sell"]
TimeInForce = Literal["GTC", "IOC", "FOK"]
Prevention = Literal["CANCEL_NEWEST", "CANCEL_OLDEST", "CANCEL_BOTH", "DECREMENT"]

# A client's decimal, text or number, and the same as a ledger holds it.
DecimalInput = Annotated[int, BeforeValidator(parse_amount)]
Lots = Annotated[int, PlainValidator(as_lots), PlainSerializer(format_lots, return_type=str)]
Item = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=128)]
PeerId = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{24}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{24}-[1-9][0-9]{0,15}$")]
Hex = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f]{2}){1,64}$")]
Sequence = Annotated[int, Field(ge=0, le=10**16)]


STRICT = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel, serialize_by_alias=True)


class Message(BaseModel):
    """Frozen, strict, camelCase in JSON, no unknown fields."""

    model_config = ConfigDict(**STRICT, frozen=True, validate_by_name=True)

    def json_object(self) -> dict[str, Any]:
        """Return this message as the JSON object that goes on the wire, absent fields left out."""
        return self.model_dump(mode="json", exclude_none=True)


def owner_of(id_: str) -> str:
    """Return the peer whose ledger holds the order or fill: an id is `<peerId>-<sequence of its entry>`."""
    return id_.rpartition("-")[0]


def sequence_of(id_: str) -> int:
    """Return the number of the ledger entry that made the order or the fill."""
    return int(id_.rpartition("-")[2])


class Head(NamedTuple):
    """How far a ledger reaches: the number of its last entry, and that entry's hash; `[sequence, hash]` in JSON."""

    sequence: Sequence = 0
    hash: Hex = "00" * 32


NOTHING = Head()

Vector = dict[PeerId, Head]
