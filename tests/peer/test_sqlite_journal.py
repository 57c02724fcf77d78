"""The journal's file: one process at a time, all of a commit or nothing, and the same ledgers after each start."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from peer.journal import Archived, Aside
from peer.ledgers import Record
from peer.sqlite_journal import CLEARED_AT_ONCE, RECENT, SqliteJournal
from tests.peer.actors import Peer, ledger


def test_a_file_that_is_opened_again_holds_what_was_kept(tmp_path: Path) -> None:
    kept = ledger(1, 3, {3})
    first = SqliteJournal(tmp_path / "ledgers.sqlite")
    first.append(kept[:1], durable=False)
    first.append(kept[1:], durable=True)
    first.close()
    second = SqliteJournal(tmp_path / "ledgers.sqlite")
    assert list(second.records()) == kept
    more = ledger(2, 1, {1})
    second.append(more, durable=True)
    assert second.read(more[0].peer_id, 0) == [(4, more[0])]
    second.close()


def test_one_process_at_a_time_holds_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = SqliteJournal(tmp_path / "ledgers.sqlite")
    connect = sqlite3.connect
    # Not to wait for the lock as long as a peer does.
    monkeypatch.setattr(sqlite3, "connect", lambda path, **options: connect(path, **{**options, "timeout": 0.01}))
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        SqliteJournal(tmp_path / "ledgers.sqlite")
    first.close()
    SqliteJournal(tmp_path / "ledgers.sqlite").close()


def test_a_commit_that_fails_keeps_nothing(tmp_path: Path) -> None:
    kept = ledger(1, 3, {3})
    journal = SqliteJournal(tmp_path / "ledgers.sqlite")
    journal.append(kept[:1], durable=True)
    with pytest.raises(sqlite3.IntegrityError):
        journal.append([kept[1], kept[0]], durable=True)
    journal.close()
    again = SqliteJournal(tmp_path / "ledgers.sqlite")
    assert list(again.records()) == kept[:1]
    again.close()


def test_nothing_rests_on_the_log_that_a_killed_process_left(tmp_path: Path) -> None:
    kept = ledger(1, 3, {3})
    killed = SqliteJournal(tmp_path / "ledgers.sqlite")
    killed.append(kept, durable=True)
    for name in ("ledgers.sqlite", "ledgers.sqlite-wal"):
        shutil.copy(tmp_path / name, tmp_path / f"next-{name}")
    killed.close()
    log = tmp_path / "next-ledgers.sqlite-wal"
    assert log.stat().st_size > 0
    journal = SqliteJournal(tmp_path / "next-ledgers.sqlite")
    assert log.stat().st_size == 0
    assert list(journal.records()) == kept
    journal.close()


def test_what_is_no_journal_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "ledgers.sqlite").write_bytes(b"my holiday photographs" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        SqliteJournal(tmp_path / "ledgers.sqlite")
    assert (tmp_path / "ledgers.sqlite").read_bytes().startswith(b"my holiday")


@pytest.mark.parametrize("restarted", [False, True])
def test_old_entries_are_read_as_well_as_recent_ones(tmp_path: Path, restarted: bool) -> None:
    length = RECENT + 300
    kept = ledger(1, length, {length})
    journal = SqliteJournal(tmp_path / "ledgers.sqlite")
    journal.append(kept[:1000], durable=False)
    if restarted:
        journal.close()
        journal = SqliteJournal(tmp_path / "ledgers.sqlite")
    journal.append(kept[1000:], durable=False)
    read: list[tuple[int, Record]] = []
    while found := journal.read(kept[0].peer_id, len(read)):
        read += found
    assert read == list(enumerate(kept, 1))
    for after in (*range(295, 305), *range(995, 1005)):
        assert journal.read(kept[0].peer_id, after)[0] == (after + 1, kept[after])
    journal.close()


def test_a_peer_comes_back_from_its_file(tmp_path: Path) -> None:
    first = Peer(1, SqliteJournal(tmp_path / "ledgers.sqlite"))
    id = first.submit("buy", "10", "5")
    first.submit("sell", "10", "2")
    before = first.order(id)
    first.journal.close()
    second = Peer(1, SqliteJournal(tmp_path / "ledgers.sqlite"))
    assert second.order(id) == before
    second.journal.close()


def test_forgotten_entries_leave_the_file_a_few_at_a_time_also_after_a_restart(tmp_path: Path) -> None:
    kept, more = ledger(1, 4 * CLEARED_AT_ONCE, {4 * CLEARED_AT_ONCE}), ledger(2, 4, {4})
    base = kept[3 * CLEARED_AT_ONCE].head
    path = tmp_path / "ledgers.sqlite"
    journal = SqliteJournal(path)
    journal.append(kept, durable=True)
    journal.append(more[:1], durable=True, aside=Aside({kept[0].peer_id: base}))
    left = [_rows(journal)]
    assert len(kept) - 2 * CLEARED_AT_ONCE < left[0] < len(kept)
    journal.close()
    journal = SqliteJournal(path)
    assert list(journal.records()) == [*kept[base.sequence :], *more[:1]]
    for record in more[1:]:
        journal.append([record], durable=False)
    assert _rows(journal) == len(kept) - base.sequence + len(more)
    assert journal.bases() == {kept[0].peer_id: base}
    journal.close()


def test_a_commit_that_fails_forgets_nothing_either(tmp_path: Path) -> None:
    kept = ledger(1, 3, {3})
    journal = SqliteJournal(tmp_path / "ledgers.sqlite")
    journal.append(kept[:2], durable=True)
    aside = Aside({kept[0].peer_id: kept[0].head}, archive=[Archived("a-1", None, None, "text")])
    with pytest.raises(sqlite3.IntegrityError):
        journal.append([kept[1]], durable=True, aside=aside)
    journal.close()
    again = SqliteJournal(tmp_path / "ledgers.sqlite")
    assert (list(again.records()), again.bases(), again.find("a-1")) == (kept[:2], {}, None)
    again.close()


def test_a_full_disk_ends_the_commit_that_puts_aside(tmp_path: Path) -> None:
    kept = ledger(1, 3, {3})
    journal = SqliteJournal(tmp_path / "ledgers.sqlite")
    journal.append(kept[:2], durable=True)
    (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    archive = [Archived(f"a-{number}", None, None, "x" * 4000) for number in range(100)]
    with pytest.raises(sqlite3.OperationalError, match="full"):
        journal.append(kept[2:], durable=True, aside=Aside({kept[0].peer_id: kept[0].head}, archive=archive))
    journal.close()
    again = SqliteJournal(tmp_path / "ledgers.sqlite")
    assert (list(again.records()), again.bases()) == (kept[:2], {})
    again.close()


def _rows(journal: SqliteJournal) -> int:
    (count,) = journal._db.execute("SELECT count(*) FROM entries").fetchone()
    return int(count)
