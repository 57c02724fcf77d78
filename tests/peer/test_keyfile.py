"""The key's file: made once, for this user's eyes, and never changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from peer.keyfile import load_identity


def test_the_first_start_makes_a_key_and_the_next_ones_find_it(tmp_path: Path) -> None:
    first = load_identity(tmp_path / "identity.key")
    assert load_identity(tmp_path / "identity.key").peer_id == first.peer_id
    assert load_identity(tmp_path / "another.key").peer_id != first.peer_id


def test_only_its_owner_may_read_the_key(tmp_path: Path) -> None:
    load_identity(tmp_path / "identity.key")
    assert (tmp_path / "identity.key").stat().st_mode & 0o777 == 0o600


def test_a_start_that_was_cut_short_leaves_no_half_key(tmp_path: Path) -> None:
    (tmp_path / "identity.part").write_bytes(b"half")
    load_identity(tmp_path / "identity.key")
    assert len((tmp_path / "identity.key").read_bytes()) == 32


def test_a_broken_key_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "identity.key").write_bytes(b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        load_identity(tmp_path / "identity.key")
    assert (tmp_path / "identity.key").read_bytes() == b"short"
