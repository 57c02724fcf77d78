"""Calls between pygrenache and the Node.js implementation, in both directions, through real Grapes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pygrenache import Link, RemoteError, RpcClient
from tests.conformance.processes import NodeClient

pytestmark = pytest.mark.node

_PAYLOADS: list[Any] = [{"hello": "wörld", "n": 1}, [1, 2.5, None, True], "text", 0, None, {}]
_MEGABYTE = "m" * (1 << 20)


@pytest.fixture
async def compressing(link: Link) -> AsyncIterator[RpcClient]:
    client = RpcClient(link, timeout_s=15.0, compress=True)
    yield client
    await client.close()


async def call(client: NodeClient, key: str, *payloads: Any, **options: Any) -> list[tuple[Any, Any]]:
    return await asyncio.to_thread(client.call, key, *payloads, **options)


async def test_a_node_client_gets_our_results(node_client: NodeClient, service: str) -> None:
    assert await call(node_client, service, *_PAYLOADS) == [(None, payload) for payload in _PAYLOADS]


async def test_a_node_client_gets_our_error_texts(node_client: NodeClient, service: str) -> None:
    assert await call(node_client, service, {"error": "ERR_BOOM: it did"}) == [("ERR_BOOM: it did", None)]


async def test_a_node_client_may_compress(node_client: NodeClient, service: str) -> None:
    payloads = [{"n": 1}, {"error": "ERR_BOOM: it did"}, _MEGABYTE]
    expected = [(None, {"n": 1}), ("ERR_BOOM: it did", None), (None, _MEGABYTE)]
    assert await call(node_client, service, *payloads, compress=True) == expected


async def test_a_node_client_may_send_a_megabyte(node_client: NodeClient, service: str) -> None:
    assert await call(node_client, service, _MEGABYTE) == [(None, _MEGABYTE)]


async def test_a_node_client_is_told_that_its_body_is_too_large(node_client: NodeClient, service: str) -> None:
    [(error, result)] = await call(node_client, service, "x" * (10 << 20))
    assert (error, result) == ("ERR_TOO_LARGE: a body of more than 4194304 bytes", None)


async def test_a_node_client_may_have_many_calls_under_way(node_client: NodeClient, service: str) -> None:
    numbers = list(range(100))
    assert await call(node_client, service, *numbers) == [(None, number) for number in numbers]


async def test_a_node_client_maps_over_our_workers(node_client: NodeClient, service: str) -> None:
    assert await call(node_client, service, "to all", map_all=True) == [(None, ["to all"])]


async def test_we_get_a_node_servers_results(client: RpcClient, node_service: str) -> None:
    for payload in _PAYLOADS:
        assert await client.request(node_service, payload) == payload


async def test_we_get_a_node_servers_error_texts(client: RpcClient, node_service: str) -> None:
    with pytest.raises(RemoteError) as caught:
        await client.request(node_service, {"error": "ERR_BOOM: it did"})
    assert str(caught.value) == "ERR_BOOM: it did"


async def test_we_may_compress_for_a_node_server(compressing: RpcClient, node_service: str) -> None:
    assert await compressing.request(node_service, {"hello": "wörld"}) == {"hello": "wörld"}
    with pytest.raises(RemoteError, match="ERR_BOOM"):
        await compressing.request(node_service, {"error": "ERR_BOOM"})


async def test_we_may_send_a_node_server_a_megabyte(client: RpcClient, node_service: str) -> None:
    assert await client.request(node_service, _MEGABYTE) == _MEGABYTE


async def test_we_may_get_a_long_chunked_reply(client: RpcClient, node_service: str) -> None:
    assert await client.request(node_service, {"repeat": 3 << 20}) == "x" * (3 << 20)


async def test_we_may_have_many_calls_under_way(client: RpcClient, node_service: str) -> None:
    numbers = list(range(100))
    assert await asyncio.gather(*(client.request(node_service, number) for number in numbers)) == numbers


async def test_we_map_over_node_workers(client: RpcClient, node_service: str) -> None:
    [(address, result)] = await client.map(node_service, "to all")
    assert (address.host, result) == ("127.0.0.1", "to all")
