"""Who a peer is: an Ed25519 key pair; the peer's id is derived from the public key.

Pure. The rule: whoever holds a ledger can check its owner's signature with nothing but the ledger.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class Identity(Protocol):
    """Signs for one peer. Keys and signatures are lower-case hex."""

    @property
    def peer_id(self) -> str: ...
    @property
    def public_key(self) -> str: ...
    def sign(self, message: bytes) -> str: ...


class Ed25519Identity:
    """An identity that holds its private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes_raw().hex()
        self.peer_id = peer_id_of(self.public_key)

    @classmethod
    def from_seed(cls, seed: bytes) -> Ed25519Identity:
        """Make the identity of a 32-byte private key."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    def sign(self, message: bytes) -> str:
        """Return the Ed25519 signature (RFC 8032) of a message."""
        return self._key.sign(message).hex()


@lru_cache(1024)
def peer_id_of(public_key: str) -> str:
    """Return the id that belongs to a public key: 24 base-32 characters of its SHA-256."""
    return base64.b32encode(hashlib.sha256(bytes.fromhex(public_key)).digest()[:15]).decode().lower()


def verify(public_key: str, message: bytes, signature: str) -> bool:
    """Tell whether this is the key owner's signature of the message."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True
