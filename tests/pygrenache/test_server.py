"""The RPC server: bodies in, bodies out, through a real socket."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from pygrenache import wire
from pygrenache.errors import RpcError
from pygrenache.server import Request, RpcServer
from tests.pygrenache.sockets import converse

SEEN: list[Request] = []


async def answer(request: Request) -> Any:
    """Echo, or do what the payload says."""
    SEEN.append(request)
    match request.payload:
        case {"refuse": text}:
            raise RpcError(text)
        case "crash":
            raise KeyError("secret")
        case "unsayable":
            return object()
    return request.payload


@pytest.fixture
async def port() -> AsyncIterator[int]:
    SEEN.clear()
    server = RpcServer(answer, max_body_bytes=1000)
    yield await server.start("127.0.0.1")
    await server.stop(1)


async def ask(port: int, body: bytes, **headers: str) -> list[Any]:
    lines = [f"{name.replace('__', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join(["POST / HTTP/1.1", f"Content-Length: {len(body)}", *lines, "", ""])
    heard = await converse(port, head.encode() + body)
    first, _, reply = heard.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"gzip" not in reply
    plain = wire.gunzip(reply, 10_000)
    assert plain is not None
    parts = json.loads(plain)
    assert isinstance(parts, list)
    return parts


async def test_a_request_reaches_the_handler_and_its_result_the_client(port: int) -> None:
    assert await ask(port, '["r","k",{"hello":"wörld"}]'.encode()) == ["r", None, {"hello": "wörld"}]
    assert (SEEN[0].rid, SEEN[0].key, SEEN[0].payload) == ("r", "k", {"hello": "wörld"})
    assert SEEN[0].peer.host == "127.0.0.1"


@pytest.mark.parametrize("rid", ["text", 17, 1.5, None, [1], {"a": 1}])
async def test_the_rid_is_echoed_whatever_it_is(port: int, rid: Any) -> None:
    assert await ask(port, json.dumps([rid, "k", 1]).encode()) == [rid, None, 1]


async def test_a_refusal_is_the_handlers_text(port: int) -> None:
    assert await ask(port, b'["r","k",{"refuse":"ERR_X: no"}]') == ["r", "ERR_X: no", None]


async def test_an_empty_refusal_is_still_an_error(port: int) -> None:
    assert await ask(port, b'["r","k",{"refuse":""}]') == ["r", "ERR_INTERNAL", None]


@pytest.mark.parametrize("payload", ["crash", "unsayable"])
async def test_a_failing_handler_is_logged_and_not_told(
    port: int, payload: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "pygrenache.server"):
        reply = await ask(port, json.dumps(["r", "k", payload]).encode())
    assert reply == ["r", "ERR_INTERNAL: the request could not be served", None]
    assert "the handler failed" in caplog.text


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"\xff", b"garbage", b"[NaN]", b"[" * 900])
async def test_a_body_that_is_no_request_is_told_so(port: int, body: bytes) -> None:
    rid, error, result = await ask(port, body)
    assert (rid, result) == (None, None)
    assert error.startswith("ERR_BAD_JSON: ")


async def test_a_broken_body_is_answered_under_its_rid(port: int) -> None:
    rid, error, _ = await ask(port, b'["r-1","k",{"cut": ')
    assert rid == "r-1"
    assert error.startswith("ERR_BAD_JSON: ")


async def test_a_body_that_is_too_large_is_answered_under_its_rid(port: int) -> None:
    refusal = "ERR_TOO_LARGE: a body of more than 1000 bytes"
    assert await ask(port, b'["r-1","k","' + b"x" * 2000) == ["r-1", refusal, None]
    assert await ask(port, b"x" * 2000) == [None, refusal, None]


async def test_a_gzipped_request_gets_a_gzipped_reply(port: int) -> None:
    body = wire.gzip(b'["r","k","x"]')
    heard = await converse(
        port, b"POST / HTTP/1.1\r\nGRC-Compress: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    assert wire.gunzip(heard.partition(b"\r\n\r\n")[2], 100) == b'["r",null,"x"]'
    assert heard.partition(b"\r\n\r\n")[2].startswith(b"\x1f\x8b")


async def test_a_plain_request_under_a_gzip_header_gets_a_gzipped_reply(port: int) -> None:
    assert await ask(port, b'["r","k",1]', grc__compress="gzip") == ["r", None, 1]


async def test_a_gzip_bomb_is_refused(port: int) -> None:
    bomb = wire.gzip(b'["r","k","' + b"x" * 100_000 + b'"]')
    assert len(bomb) < 1000
    assert await ask(port, bomb, grc__compress="gzip") == ["r", "ERR_TOO_LARGE: a body of more than 1000 bytes", None]


async def test_gzip_without_its_header_is_told_so(port: int) -> None:
    assert (await ask(port, wire.gzip(b'["r","k",1]')))[1].startswith("ERR_BAD_JSON: ")


async def test_the_gr_header_overrules_rid_and_key(port: int) -> None:
    assert await ask(port, b'["r","k",1]', _gr='["header-rid","header-key"]') == ["header-rid", None, 1]
    assert SEEN[0].key == "header-key"


async def test_a_malformed_gr_header_is_told_so(port: int) -> None:
    rid, error, result = await ask(port, b'["r","k",1]', _gr="[")
    assert error.startswith("ERR_HEADER_PARSE_GR: ")
    assert (rid, result) == (None, None)


async def test_a_broken_body_is_answered_under_the_rid_of_the_gr_header(port: int) -> None:
    rid, error, _ = await ask(port, b"raw bytes", _gr='["header-rid","header-key"]')
    assert rid == "header-rid"
    assert error.startswith("ERR_BAD_JSON: ")


async def test_numbers_stay_exact_where_asked() -> None:
    async def tell(request: Request) -> Any:
        assert isinstance(request.payload, Decimal)
        return str(request.payload)

    server = RpcServer(tell, parse_float=Decimal)
    port = await server.start("127.0.0.1")
    assert await ask(port, b'[1.5,"k",0.10000000000000000000001]') == [1.5, None, "0.10000000000000000000001"]
    await server.stop(1)
