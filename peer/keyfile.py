"""The file that holds a peer's private key: made at the first start, read ever after."""

from __future__ import annotations

import os
from pathlib import Path

from peer.identity import Ed25519Identity


def load_identity(path: Path) -> Ed25519Identity:
    """Read the private key at `path`, or make one there (mode 0600) if there is none."""
    if not path.exists():
        _write_durably(path, os.urandom(32))
    return Ed25519Identity.from_seed(path.read_bytes())


def _write_durably(path: Path, content: bytes) -> None:
    # A key that a crash could take back would orphan a ledger that others have already seen.
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
