"""The connection pool against servers that answer well, badly, late or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pygrenache.address import Address
from pygrenache.errors import ConnectFailed, ConnectionLost, GrenacheError, ProtocolError, RequestTimeout
from pygrenache.http_server import Call, HttpServer
from pygrenache.pool import Pool, Response
from tests.pygrenache.sockets import CLOSE, http, refusing_address, scripted_server


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool(max_reply_bytes=1000)
    yield pool
    await pool.close()


async def test_a_post_has_a_host_a_length_and_a_body(pool: Pool) -> None:
    async with scripted_server(lambda body: http(b"yes")) as server:
        assert await pool.post(server.address, b"body", path=b"/x", headers=b"A: b\r\n", timeout_s=5) == Response(
            200, bytearray(b"yes")
        )
        assert server.heads == [
            b"POST /x HTTP/1.1\r\nHost: %s\r\nA: b\r\nContent-Length: 4\r\n\r\n" % str(server.address).encode()
        ]
        assert server.bodies == [b"body"]


async def test_a_connection_is_used_again(pool: Pool) -> None:
    async with scripted_server(http) as server:
        for body in (b"1", b"2", b"3"):
            assert await pool.post(server.address, body, timeout_s=5) == Response(200, bytearray(body))
        assert server.connections == 1


async def test_calls_at_once_use_a_connection_each(pool: Pool) -> None:
    async with scripted_server(http) as server:
        bodies = [b"%d" % number for number in range(50)]
        replies = await asyncio.gather(*(pool.post(server.address, body, timeout_s=5) for body in bodies))
        assert replies == [Response(200, bytearray(body)) for body in bodies]


async def test_a_connection_idle_for_too_long_is_not_used_again() -> None:
    pool = Pool(max_reply_bytes=1000, idle_s=0.0)
    async with scripted_server(http) as server:
        for _ in range(2):
            await pool.post(server.address, b"1", timeout_s=5)
        assert server.connections == 2
        await pool.close()


async def test_an_idle_connection_is_retired() -> None:
    pool = Pool(max_reply_bytes=1000, idle_s=0.02)
    async with scripted_server(http) as server:
        await pool.post(server.address, b"1", timeout_s=5)
        await server.ended.wait()
    await pool.close()


async def test_a_reused_connection_has_the_later_calls_timeout(pool: Pool) -> None:
    replies = [http(b"1"), b""]
    async with scripted_server(lambda body: replies.pop(0)) as server:
        await pool.post(server.address, b"", timeout_s=100)
        with pytest.raises(RequestTimeout):
            await pool.post(server.address, b"", timeout_s=0.05)


async def test_an_earlier_calls_timeout_does_not_end_a_later_call(pool: Pool) -> None:
    async def answer(call: Call) -> bytes:
        await asyncio.sleep(float(call.body))
        return b"done"

    server = HttpServer(answer, max_body_bytes=10, idle_timeout_s=20, max_connections=2)
    address = Address("127.0.0.1", await server.start("127.0.0.1", 0))
    await pool.post(address, b"0", timeout_s=0.2)
    assert await pool.post(address, b"0.4", timeout_s=20) == Response(200, bytearray(b"done"))
    await server.stop(1)


async def test_whoever_finds_all_connections_taken_waits(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pygrenache.pool._MAX_CONNECTIONS", 2)
    async with scripted_server(http) as server:
        bodies = [b"%d" % number for number in range(10)]
        replies = await asyncio.gather(*(pool.post(server.address, body, timeout_s=5) for body in bodies))
        assert replies == [Response(200, bytearray(body)) for body in bodies]
        assert server.connections == 2


async def test_whoever_waits_too_long_for_a_connection_has_sent_nothing(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pygrenache.pool._MAX_CONNECTIONS", 1)
    async with scripted_server(lambda body: b"") as server:
        holder = asyncio.create_task(pool.post(server.address, b"1", timeout_s=20))
        await server.heard.wait()
        with pytest.raises(RequestTimeout) as caught:
            await pool.post(server.address, b"2", timeout_s=0.05)
        assert caught.value.definite
        holder.cancel()
        await asyncio.gather(holder, return_exceptions=True)


async def test_a_reply_may_be_chunked_and_follow_a_continue(pool: Pool) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nye\r\n1\r\ns\r\n0\r\n\r\n"
    async with scripted_server(lambda body: b"HTTP/1.1 100 Continue\r\n\r\n" + chunked) as server:
        assert await pool.post(server.address, b"", timeout_s=5) == Response(200, bytearray(b"yes"))


async def test_a_status_is_passed_on_and_no_redirect_followed(pool: Pool) -> None:
    async with scripted_server(lambda body: http(b"no", "302 Found")) as server:
        assert await pool.post(server.address, b"", timeout_s=5) == Response(302, bytearray(b"no"))
        assert len(server.bodies) == 1


async def test_a_refused_connection_is_definite(pool: Pool) -> None:
    with pytest.raises(ConnectFailed) as caught:
        await pool.post(await refusing_address(), b"", timeout_s=5)
    assert caught.value.definite


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 300, "a..b"])
async def test_a_host_that_is_not_found_is_definite(pool: Pool, host: str) -> None:
    with pytest.raises(ConnectFailed):
        await pool.post(Address(host, 1), b"", timeout_s=5)


async def test_all_addresses_of_a_name_are_tried(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(None, None, None, "", (each, port)) for each in ("127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    async with scripted_server(http) as server:
        reply = await pool.post(Address("a.name", server.address.port), b"1", timeout_s=5)
        assert reply == Response(200, bytearray(b"1"))


def test_a_name_whose_lookup_is_given_up_leaves_no_failure_behind() -> None:
    untold: list[str] = []

    async def give_up() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: untold.append(context["message"]))
        pool = Pool(max_reply_bytes=1000, connect_s=0.0)
        with pytest.raises(ConnectFailed, match="in time"):
            await pool.post(Address("no-such-host.invalid", 1), b"", timeout_s=5)
        # Names are looked up in turn, a few at a time: behind these, that one has been too.
        later = [loop.getaddrinfo("no-such-host.invalid", 1) for _ in range(20)]
        await asyncio.gather(*later, return_exceptions=True)
        gc.collect()
        await pool.close()

    uvloop.run(give_up())
    assert untold == []


async def test_a_reply_that_does_not_come_is_unknown(pool: Pool) -> None:
    async with scripted_server(lambda body: b"") as server:
        with pytest.raises(RequestTimeout) as caught:
            await pool.post(server.address, b"", timeout_s=0.05)
        assert not caught.value.definite


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal"])
async def test_a_connection_lost_before_the_reply_is_unknown(pool: Pool, begun: bytes) -> None:
    async with scripted_server(lambda body: begun + CLOSE) as server:
        with pytest.raises(ConnectionLost) as caught:
            await pool.post(server.address, b"", timeout_s=5)
        assert not caught.value.definite
        assert len(server.bodies) == 1


async def test_a_reused_connection_that_died_before_any_reply_is_replaced_once(pool: Pool) -> None:
    replies: list[bytes] = [http(b"1"), CLOSE, http(b"2")]
    async with scripted_server(lambda body: replies.pop(0)) as server:
        await pool.post(server.address, b"a", timeout_s=5)
        assert await pool.post(server.address, b"b", timeout_s=5) == Response(200, bytearray(b"2"))
        assert server.bodies == [b"a", b"b", b"b"]
        assert server.connections == 2


async def test_a_reused_connection_that_died_within_its_reply_is_not_replaced(pool: Pool) -> None:
    replies: list[bytes] = [http(b"1"), b"HTTP/1.1 200" + CLOSE, http(b"never")]
    async with scripted_server(lambda body: replies.pop(0)) as server:
        await pool.post(server.address, b"a", timeout_s=5)
        with pytest.raises(ConnectionLost):
            await pool.post(server.address, b"b", timeout_s=5)
        assert server.bodies == [b"a", b"b"]


async def test_a_replacement_that_dies_too_is_unknown(pool: Pool) -> None:
    replies: list[bytes] = [http(b"1"), CLOSE, CLOSE, http(b"never")]
    async with scripted_server(lambda body: replies.pop(0)) as server:
        await pool.post(server.address, b"a", timeout_s=5)
        with pytest.raises(ConnectionLost):
            await pool.post(server.address, b"b", timeout_s=5)
        assert len(server.bodies) == 3


async def test_a_refused_replacement_proves_nothing(pool: Pool) -> None:
    async with contextlib.AsyncExitStack() as listening:
        server = await listening.enter_async_context(scripted_server(http))
        await pool.post(server.address, b"a", timeout_s=5)
    # The listening socket is gone; the connection is still there, and the server carries out one request more.
    server.respond = lambda body: CLOSE
    with pytest.raises(ConnectionLost, match="then") as caught:
        await pool.post(server.address, b"b", timeout_s=5)
    assert server.bodies == [b"a", b"b"]
    assert not caught.value.definite


async def test_a_reply_that_is_too_long_is_an_error(pool: Pool) -> None:
    async with scripted_server(lambda body: http(b"x" * 1001)) as server:
        with pytest.raises(ProtocolError, match="over 1000 bytes"):
            await pool.post(server.address, b"", timeout_s=5)


async def test_bytes_nobody_asked_for_end_the_connection(pool: Pool) -> None:
    async with scripted_server(lambda body: http(b"1") + http(b"stray")) as server:
        for _ in range(2):
            assert await pool.post(server.address, b"", timeout_s=5) == Response(200, bytearray(b"1"))
        assert server.connections == 2


async def test_a_cancelled_call_leaves_no_reply_for_the_next_one(pool: Pool) -> None:
    replies = [b"", http(b"2")]
    async with scripted_server(lambda body: replies.pop(0)) as server:
        call = asyncio.create_task(pool.post(server.address, b"1", timeout_s=5))
        await server.heard.wait()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await server.ended.wait()
        assert await pool.post(server.address, b"2", timeout_s=5) == Response(200, bytearray(b"2"))
        assert server.connections == 2


async def test_closing_ends_calls_under_way(pool: Pool) -> None:
    async with scripted_server(lambda body: b"") as server:
        call = asyncio.create_task(pool.post(server.address, b"1", timeout_s=5))
        await server.heard.wait()
        await pool.close()
        with pytest.raises(ConnectionLost):
            await call


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([b"HTTP/1.1 200 OK\r\n", b"Content-Length: 3\r\n", b"\r\n", b"abc", b"HTTP/1.1 101 X\r\n"])
        | st.binary(max_size=10),
        max_size=6,
    )
)
async def test_garbage_is_a_response_or_an_error(pool: Pool, pieces: list[bytes]) -> None:
    async with scripted_server(lambda body: b"".join(pieces)) as server:
        try:
            status, _ = await pool.post(server.address, b"", timeout_s=0.02)
            assert 0 <= status < 1000
        except GrenacheError:
            pass
