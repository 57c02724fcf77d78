"""The simulated disk: what it shows of what its peer has forgotten, and how much it gives at once."""

from __future__ import annotations

from itertools import accumulate
from random import Random

from peer.journal import Aside
from peer.ledger import chained
from peer.ledgers import Record
from peer.schema import Head
from testbed.simulation.disk import Disk

OWNER = "a" * 24


def records(first: int, last: int) -> list[Record]:
    """Return entries of one ledger, of which nothing counts but their numbers."""
    texts = [f'{{"sequence": {number}, "time": {number}, "event": {{}}}}' for number in range(1, last + 1)]
    heads = list(accumulate(texts, chained, initial=Head()))[1:]
    return [Record(OWNER, "00", head, text, "ff") for head, text in zip(heads, texts, strict=True)][first - 1 :]


def test_a_disk_shows_what_its_peer_has_forgotten() -> None:
    disk = Disk(Random(1))
    disk.append(records(1, 4), durable=False)
    disk.append(records(5, 6), durable=False, aside=Aside(bases={OWNER: records(3, 3)[0].head}))
    copy = disk.copies()[OWNER]
    assert (len(disk.read(OWNER, 0)), len(copy.texts), copy.bases) == (3, 6, {})


def test_what_a_copy_started_over_with_and_forgot_at_once_was_never_on_the_disk() -> None:
    disk, base = Disk(Random(1)), records(7, 7)[0].head
    disk.append(records(1, 2), durable=False)
    # It started over after entry 4; by the time of the commit it had read so much more that it forgot up to 7.
    disk.append(records(5, 9), durable=False, aside=Aside(bases={OWNER: base}))
    copy = disk.copies()[OWNER]
    assert [line.sequence for line in copy.lines()] == [1, 2, 8, 9]
    assert copy.bases == {8: base.hash}


def test_a_disk_gives_no_more_at_once_than_it_was_told_to() -> None:
    disk = Disk(Random(1))
    disk.append(records(1, 9), durable=False)
    disk.max_batch = 4
    assert [record.head.sequence for _, record in disk.read(OWNER, 2)] == [3, 4, 5, 6]
    assert len(disk.read(OWNER, 2, limit=1)) == 1
