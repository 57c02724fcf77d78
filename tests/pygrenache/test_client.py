"""The RPC client: choosing, falling back, and what it makes of replies."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest

from pygrenache import wire
from pygrenache.address import Address
from pygrenache.client import RpcClient
from pygrenache.errors import (
    BadCall,
    ConnectFailed,
    ConnectionLost,
    GrenacheError,
    LookupEmpty,
    ProtocolError,
    RemoteError,
    RequestTimeout,
)
from pygrenache.link import Link
from pygrenache.server import Request, RpcServer
from tests.pygrenache.sockets import CLOSE, http, refusing_address, scripted_server

HERE = Address("127.0.0.1", 1)


@pytest.fixture
async def client() -> AsyncIterator[RpcClient]:
    client = RpcClient()
    yield client
    await client.close()


@contextlib.asynccontextmanager
async def echo_server() -> AsyncIterator[Address]:
    async def echo(request: Request) -> Any:
        return request.payload

    server = RpcServer(echo)
    yield Address("127.0.0.1", await server.start("127.0.0.1"))
    await server.stop(1)


@contextlib.asynccontextmanager
async def looking_up(*addresses: Address, **options: Any) -> AsyncIterator[RpcClient]:
    """A client whose Grape lists these addresses under every name."""
    listed = json.dumps([str(address) for address in addresses]).encode()
    async with scripted_server(lambda body: http(listed)) as grape:
        link = Link([f"http://{grape.address}"])
        client = RpcClient(link, rng=random.Random(1), **options)
        try:
            yield client
        finally:
            await client.close()
            await link.close()


def reply(make: Callable[[str], Any]) -> Callable[[bytes], bytes]:
    """A worker that answers with what `make` makes of the rid."""
    return lambda body: http(json.dumps(make(json.loads(body)[0])).encode())


async def test_a_result_comes_back(client: RpcClient) -> None:
    async with echo_server() as address:
        assert await client.request_at(address, "k", {"hello": "wörld"}) == {"hello": "wörld"}


async def test_every_request_has_a_uuid_of_its_own(client: RpcClient) -> None:
    async with scripted_server(reply(lambda rid: [rid, None, rid])) as server:
        rids = [await client.request_at(server.address, "k", None) for _ in range(3)]
    assert len(set(rids)) == 3
    assert [list(map(len, rid.split("-"))) for rid in rids] == [[8, 4, 4, 4, 12]] * 3


async def test_a_workers_error_is_exactly_its_text(client: RpcClient) -> None:
    async with scripted_server(reply(lambda rid: [rid, "ERR_X: no", None])) as server:
        with pytest.raises(RemoteError) as caught:
            await client.request_at(server.address, "k", None)
    assert str(caught.value) == "ERR_X: no"


async def test_an_error_without_a_rid_is_still_the_workers(client: RpcClient) -> None:
    async with scripted_server(lambda body: http(b'[null,"ERR_HEADER_PARSE_GR",null]', "500 X")) as server:
        with pytest.raises(RemoteError, match=r"^ERR_HEADER_PARSE_GR$"):
            await client.request_at(server.address, "k", None)


@pytest.mark.parametrize("body", [b"", b"{}", b"garbage", b'["another",null,1]', b"[null,null,1]", b'{"a":1}'])
async def test_anything_else_is_a_protocol_error(client: RpcClient, body: bytes) -> None:
    async with scripted_server(lambda _: http(body)) as server:
        with pytest.raises(ProtocolError) as caught:
            await client.request_at(server.address, "k", None)
    assert not caught.value.definite


async def test_a_payload_that_json_cannot_say_is_never_sent(client: RpcClient) -> None:
    with pytest.raises(BadCall):
        await client.request_at(HERE, "k", float("nan"))


async def test_compression_covers_request_and_reply() -> None:
    client = RpcClient(compress=True)
    async with echo_server() as address:
        assert await client.request_at(address, "k", "x" * 10_000) == "x" * 10_000
    await client.close()


async def test_a_reply_that_unzips_to_too_much_is_an_error() -> None:
    client = RpcClient(compress=True, max_reply_bytes=10_000)
    async with scripted_server(lambda body: http(wire.gzip(bytes(1 << 20)))) as server:
        with pytest.raises(ProtocolError, match="more than 10000 bytes"):
            await client.request_at(server.address, "k", None)
    await client.close()


async def test_numbers_stay_exact_where_asked() -> None:
    client = RpcClient(parse_float=Decimal)
    async with scripted_server(lambda body: http(b'["%s",null,0.10]' % json.loads(body)[0].encode())) as server:
        assert str(await client.request_at(server.address, "k", None)) == "0.10"
    await client.close()


async def test_without_a_link_nothing_can_be_looked_up(client: RpcClient) -> None:
    with pytest.raises(BadCall, match="no Link"):
        await client.request("k", None)


async def test_nobody_announced_is_definite() -> None:
    async with looking_up() as client:
        with pytest.raises(LookupEmpty) as caught:
            await client.request("k", None)
    assert caught.value.definite


async def test_workers_are_chosen_at_random() -> None:
    says_two = reply(lambda rid: [rid, None, "two"])
    async with echo_server() as one, scripted_server(says_two) as two, looking_up(one, two.address) as client:
        results = {await client.request("k", "one") for _ in range(30)}
    assert results == {"one", "two"}


async def test_a_worker_that_refuses_is_passed_over_and_forgotten() -> None:
    dead = await refusing_address()
    async with echo_server() as alive, looking_up(dead, alive) as client:
        for number in range(10):
            assert await client.request("k", number) == number
        assert client._link is not None
        assert await client._link.lookup("k") == [alive]


async def test_when_all_refuse_the_failure_is_definite() -> None:
    async with looking_up(await refusing_address(), await refusing_address()) as client:
        with pytest.raises(ConnectFailed) as caught:
            await client.request("k", None)
    assert caught.value.definite


async def test_a_call_of_unknown_fate_is_not_tried_elsewhere() -> None:
    async with scripted_server(lambda body: CLOSE) as one, scripted_server(lambda body: CLOSE) as two:
        async with looking_up(one.address, two.address) as client:
            with pytest.raises(ConnectionLost):
                await client.request("k", None)
        assert len(one.bodies) + len(two.bodies) == 1


async def test_more_attempts_are_made_where_asked() -> None:
    replies: list[Callable[[bytes], bytes]] = [lambda body: CLOSE, reply(lambda rid: [rid, None, "done"])]
    async with scripted_server(lambda body: replies.pop(0)(body)) as worker, looking_up(worker.address) as client:
        assert await client.request("k", None, attempts=2) == "done"


async def test_a_failure_is_definite_only_if_every_attempts_was() -> None:
    dead = await refusing_address()
    answers = [json.dumps([str(dead)]).encode()] * 5
    async with scripted_server(lambda body: b"") as silent:
        answers.insert(0, json.dumps([str(silent.address)]).encode())
        async with scripted_server(lambda body: http(answers.pop(0))) as grape:
            link = Link([f"http://{grape.address}"], cache_s=0)
            client = RpcClient(link, timeout_s=0.1)
            with pytest.raises(ConnectFailed) as caught:
                await client.request("k", None, attempts=2)
            assert not caught.value.definite
            with pytest.raises(ConnectFailed) as caught:
                await client.request("k", None, attempts=2)
            assert caught.value.definite
            await client.close()
            await link.close()


async def test_a_workers_own_error_is_not_asked_for_again() -> None:
    async with scripted_server(reply(lambda rid: [rid, "ERR_X", None])) as worker, looking_up(worker.address) as client:
        with pytest.raises(RemoteError):
            await client.request("k", None, attempts=3)
        assert len(worker.bodies) == 1


async def test_a_lookup_that_hangs_is_definite() -> None:
    async with scripted_server(lambda body: b"") as grape:
        link = Link([f"http://{grape.address}"])
        client = RpcClient(link, timeout_s=0.05)
        with pytest.raises(RequestTimeout) as caught:
            await client.request("k", None)
        assert caught.value.definite
        await client.close()
        await link.close()


async def test_map_gives_each_workers_result_or_error() -> None:
    dead = await refusing_address()
    async with echo_server() as alive, looking_up(dead, alive) as client:
        (first, error), (second, result) = await client.map("k", "all")
    assert (first, second, result) == (dead, alive, "all")
    assert isinstance(error, ConnectFailed)


async def test_map_may_be_limited() -> None:
    async with looking_up(*[await refusing_address() for _ in range(5)]) as client:
        outcomes = await client.map("k", None, limit=2)
    assert len(outcomes) == 2
    assert all(isinstance(outcome, GrenacheError) for _, outcome in outcomes)


async def test_map_over_nobody_is_empty() -> None:
    async with looking_up() as client:
        assert await client.map("k", None) == []
