"""Where a worker or a Grape listens: a host and a port. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Address(NamedTuple):
    """A host (IPv4 address or name) and a TCP or UDP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `host:port`. Raises ValueError for anything else."""
        host, colon, port = text.rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"not host:port: {text[:100]!r}")
        return cls(host, int(port))
