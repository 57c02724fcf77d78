"""Identities: a signature needs the private key, and nothing but the public one to check it."""

from __future__ import annotations

import re

import pytest

from peer.identity import peer_id_of, verify
from tests.peer.actors import identity


def test_a_signature_fits_its_message_and_its_signer_only() -> None:
    one, other = identity(1), identity(2)
    signature = one.sign(b"entry")
    assert verify(one.public_key, b"entry", signature)
    assert not verify(one.public_key, b"entrx", signature)
    assert not verify(other.public_key, b"entry", signature)
    assert not verify(one.public_key, b"entry", other.sign(b"entry"))


@pytest.mark.parametrize("garbage", ["", "zz", "abc", "00", "00" * 32, "00" * 64, "ff" * 500])
def test_garbage_is_no_key_and_no_signature(garbage: str) -> None:
    assert not verify(identity(1).public_key, b"entry", garbage)
    assert not verify(garbage, b"entry", identity(1).sign(b"entry"))


def test_a_peer_id_follows_from_the_public_key() -> None:
    assert peer_id_of(identity(1).public_key) == identity(1).peer_id
    assert re.fullmatch(r"[a-z2-7]{24}", identity(1).peer_id)
    assert identity(1).peer_id != identity(2).peer_id
