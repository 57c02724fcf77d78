"""The health check: 0 if a peer answers, 1 if nobody does or somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from peer import health
from pygrenache import Request, RpcError, RpcServer
from tests.pygrenache.sockets import CLOSE, http, refusing_address, scripted_server


async def check(monkeypatch: pytest.MonkeyPatch, port: int) -> int:
    monkeypatch.setenv("GRAPEVINE_PORT", str(port))
    return await asyncio.to_thread(health.main)


async def answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[[Request], Awaitable[Any]]) -> int:
    server = RpcServer(answer)
    try:
        return await check(monkeypatch, await server.start("127.0.0.1"))
    finally:
        await server.stop(0.0)


async def test_a_peer_that_answers_is_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(request: Request) -> dict[str, str]:
        assert (request.key, request.payload) == ("exchange", {"type": "GET_STATUS"})
        return {"type": "STATUS"}

    assert await answering(monkeypatch, answer) == 0


async def test_a_peer_that_refuses_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(request: Request) -> None:
        raise RpcError("ERR_STOPPING: this peer is shutting down")

    assert await answering(monkeypatch, refuse) == 1


async def test_somebody_else_is_not_a_healthy_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_server(lambda request: http(b"hello") + CLOSE) as server:
        assert await check(monkeypatch, server.address.port) == 1


async def test_where_nobody_listens_nobody_is_healthy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await check(monkeypatch, (await refusing_address()).port) == 1
    assert capsys.readouterr().err.startswith("health: ")
