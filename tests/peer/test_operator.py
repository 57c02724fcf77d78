"""The operator's command: what it asks, with which key, and what it says when it must not or cannot."""

from __future__ import annotations

import asyncio

import pytest

from peer.admission import Network
from peer.codes import Refusal
from peer.journal import MemoryJournal
from peer.node import Asked, Node
from peer.operator import _evict, main
from peer.requests import EvictPeer
from pygrenache import Address, GrenacheError, Request, RpcError, RpcServer
from tests.peer.actors import NOW, identity
from tests.pygrenache.sockets import refusing_address

KEY = b"a key"
LOST = identity(9).peer_id


async def asked(key: bytes, peer_id: str = LOST) -> object:
    """Ask a peer in a network with a key, which has heard of the lost one, over a socket."""
    node = Node(identity(1), MemoryJournal(), Network(KEY))
    node.exchange.discover(LOST)

    async def answer(request: Request) -> object:
        (reply,) = node.receive([Asked(request.payload)], NOW).replies
        if isinstance(reply, Refusal):
            raise RpcError(str(reply))
        return reply

    server = RpcServer(answer)
    port = await server.start("127.0.0.1", 0)
    try:
        return await _evict(Address("127.0.0.1", port), EvictPeer(peer_id=peer_id), key)
    finally:
        await server.stop(0)


async def test_with_the_networks_key_it_evicts() -> None:
    answer = await asked(KEY)
    assert isinstance(answer, dict)
    assert (answer["type"], answer["peerId"], answer["state"]) == ("EVICTION", LOST, "fenced")


@pytest.mark.parametrize("key", [b"", b"another key"])
async def test_without_the_networks_key_it_is_refused(key: bytes) -> None:
    with pytest.raises(GrenacheError, match="ERR_NOT_AUTHORISED"):
        await asked(key)


async def test_a_refusal_is_told() -> None:
    with pytest.raises(GrenacheError, match="ERR_UNKNOWN_PEER"):
        await asked(KEY, identity(8).peer_id)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["evict", LOST, "--at", "nowhere"], "--at must be HOST:PORT"),
        (["evict", "nobody", "--at", "127.0.0.1:1"], "nobody is no peer id"),
        (["evict", LOST], "--at"),
        ([], "command"),
    ],
)
def test_what_cannot_be_asked_ends_with_a_sentence(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments, {})
    assert why in capsys.readouterr().err


def test_where_nobody_answers_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    nobody = asyncio.run(refusing_address())
    assert main(["evict", LOST, "--at", str(nobody)], {}) == 1
    assert str(nobody) in capsys.readouterr().err
