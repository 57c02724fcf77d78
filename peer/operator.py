"""`python -m peer.operator evict PEER --at HOST:PORT`: what only an operator may ask of a peer.

The rule: it needs the network's key and a peer's address, and keeps nothing; asked again, it shows how far things are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence

from peer.admission import eviction_mac
from peer.config import key_of, tell_of_the_key
from peer.requests import EvictPeer
from pygrenache import Address, GrenacheError, RpcClient


def main(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Ask; print the answer and return 0, or the refusal and 1."""
    parser = argparse.ArgumentParser(prog="peer.operator", description="Asks a peer what only an operator may.")
    commands = parser.add_subparsers(dest="command", required=True)
    evict = commands.add_parser("evict", help="go on without a peer that is lost for good")
    evict.add_argument("peer", help="id of the lost peer")
    evict.add_argument("--at", required=True, metavar="HOST:PORT", help="where a living peer answers")
    evict.add_argument("--force", action="store_true", help="vouch for the peers that cannot be reached as well")
    tell_of_the_key(evict, environment)
    found = parser.parse_args(arguments)
    host, _, port = found.at.rpartition(":")
    if not host or not port.isdecimal():
        parser.error(f"--at must be HOST:PORT, not {found.at}")
    try:
        request = EvictPeer(peer_id=found.peer, force=found.force)
    except ValueError:
        parser.error(f"{found.peer} is no peer id")
    try:
        answer = asyncio.run(_evict(Address(host, int(port)), request, key_of(parser, found)))
    except GrenacheError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{json.dumps(answer)}\n")
    return 0


async def _evict(address: Address, request: EvictPeer, key: bytes) -> object:
    client = RpcClient()
    try:
        status = await client.request_at(address, "exchange", {"type": "GET_STATUS"})
        mac = eviction_mac(key, status["peerId"], request)
        return await client.request_at(address, "exchange", {**request.json_object(), "mac": mac})
    finally:
        await client.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
