"""Ledgers: numbered, hash-chained, signed lists of events, each with a single writer. Pure.

The rule: an entry is the exact text that its owner wrote. It is chained, signed, stored and relayed as that text, so
that nobody needs to write it again to check it. A signature covers the last entry of a batch and, through the chain,
all before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from pydantic import ValidationError

from peer.events import Entry, Event, Snapshot, read_entry, write_event
from peer.identity import Identity, peer_id_of
from peer.messages import LedgerBatch
from peer.schema import Head

Verify = Callable[[str, bytes, str], bool]


class BadLedger(Exception):
    """A batch that its owner cannot have written: forged, altered, out of order, or nonsense."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """What of a batch was new: entries, their texts, and the head that each leads to.

    `base` is the head before the first of them if they do not continue the copy but start it over from a snapshot.
    """

    entries: list[Entry]
    texts: list[str]
    heads: list[Head]
    base: Head | None = None


def chained(head: Head, text: str) -> Head:
    """Return the head after one more entry: its hash is SHA-256 of the previous hash (hex) and the entry's text."""
    return Head(head.sequence + 1, hashlib.sha256(head.hash.encode() + text.encode()).hexdigest())


def write_entry(sequence: int, time: int, event: Event) -> tuple[Entry, str]:
    """Make an entry and its text."""
    text = f'{{"sequence":{sequence},"time":{time},"event":{write_event(event)}}}'
    return Entry(sequence, time, event), text


def seal(identity: Identity, head: Head) -> str:
    """Sign a head: the owner's word for every entry up to it."""
    return identity.sign(_sealed(identity.peer_id, head))


def continuation(head: Head, batch: LedgerBatch, verify: Verify) -> Continuation:
    """Return what of the batch continues a copy that reaches `head`; nothing if it is old or leaves a gap.

    Over a gap a copy may only start over, where a snapshot begins.

    Raises:
        BadLedger: the key is not the peer's, the chain or the signature does not fit, or an entry makes no sense.
    """
    skip, base = head.sequence + 1 - batch.first, None
    if skip < 0 and batch.base is not None and _begins_snapshot(batch):
        skip, base = 0, Head(batch.first - 1, batch.base)
    if skip < 0 or skip >= len(batch.entries):
        return Continuation([], [], [])
    texts, head = batch.entries[skip:], base or head
    heads = list(accumulate(texts, chained, initial=head))[1:]
    if peer_id_of(batch.public_key) != batch.peer_id:
        raise BadLedger("the public key is not this peer's")
    if not is_sealed(batch, heads[-1], verify):
        raise BadLedger(f"the signature does not fit the chain at entry {heads[-1].sequence}")
    return Continuation([_read(text) for text in texts], texts, heads, base)


def is_sealed(batch: LedgerBatch, head: Head, verify: Verify) -> bool:
    """Tell whether the batch carries its owner's signature of this head."""
    signed = verify(batch.public_key, _sealed(batch.peer_id, head), batch.signature)
    return signed and peer_id_of(batch.public_key) == batch.peer_id


def _read(text: str) -> Entry:
    try:
        return read_entry(text)
    except ValidationError as error:
        raise BadLedger(f"an entry makes no sense: {error.errors()[0]['msg']}") from error


def _begins_snapshot(batch: LedgerBatch) -> bool:
    try:
        event = _read(batch.entries[0]).event
    except BadLedger:
        return False
    return isinstance(event, Snapshot) and event.part == 1


def _sealed(peer_id: str, head: Head) -> bytes:
    return f"grapevine ledger {peer_id} {head.sequence} {head.hash}".encode()
