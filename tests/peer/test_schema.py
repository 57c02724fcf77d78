"""Schema: ids and heads."""

from __future__ import annotations

from peer.schema import Head, owner_of
from tests.peer.actors import identity


def test_an_id_names_its_owner() -> None:
    assert owner_of(f"{identity(1).peer_id}-12") == identity(1).peer_id


def test_a_ledger_begins_at_nothing() -> None:
    assert Head() == Head(0, "00" * 32)
