"""Grenache for Python: find services through Grapes, call them, serve them, over HTTP.

Knows nothing of exchanges. The event loop is the caller's choice.
"""

from __future__ import annotations

from pygrenache.address import Address
from pygrenache.announce import UdpAnnouncer
from pygrenache.client import RpcClient
from pygrenache.errors import (
    BadCall,
    ConnectFailed,
    ConnectionLost,
    GrapeError,
    GrenacheError,
    LookupEmpty,
    ProtocolError,
    RemoteError,
    RequestTimeout,
    RpcError,
)
from pygrenache.link import Link
from pygrenache.server import Request, RpcServer

__all__ = [
    "Address",
    "BadCall",
    "ConnectFailed",
    "ConnectionLost",
    "GrapeError",
    "GrenacheError",
    "Link",
    "LookupEmpty",
    "ProtocolError",
    "RemoteError",
    "Request",
    "RequestTimeout",
    "RpcClient",
    "RpcError",
    "RpcServer",
    "UdpAnnouncer",
]
