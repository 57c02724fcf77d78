"""HTTP from the client's side of the socket: raw bytes in, raw bytes out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pygrenache.http_server import Call, HttpServer, Reply
from tests.pygrenache.sockets import converse

TOO_LARGE = b"too large"


def respond(call: Call) -> bytes | Reply:
    """Echo at once, or a turn of the loop later for a body that begins with "later"."""
    if call.too_large:
        return TOO_LARGE
    body = bytes(call.body)
    return echo_later(body) if body.startswith(b"later") else body


async def echo_later(body: bytes) -> bytes:
    await asyncio.sleep(0)
    return body


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    server = HttpServer(respond, max_body_bytes=1000, idle_timeout_s=20, max_connections=4)
    yield server
    await server.stop(1)


@pytest.fixture
async def port(server: HttpServer) -> int:
    return await server.start("127.0.0.1", 0)


async def ended(writer: asyncio.StreamWriter) -> None:
    """Close our side of a connection that the server may have cut off."""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def post(body: bytes, *headers: bytes, version: bytes = b"1.1") -> bytes:
    lines = [b"POST / HTTP/" + version, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def bodies(heard: bytes) -> list[bytes]:
    """The bodies of all replies, each of them checked to be a 200."""
    found = []
    while heard:
        head, _, rest = heard.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        length = int(head.partition(b"Content-Length: ")[2])
        found.append(rest[:length])
        heard = rest[length:]
    return found


async def test_a_request_in_pieces_is_one_request(port: int) -> None:
    request = post(b"hello")
    assert bodies(await converse(port, *(request[i : i + 1] for i in range(len(request))))) == [b"hello"]


async def test_pipelined_requests_are_answered_in_their_order(port: int) -> None:
    sent = [b"later %d" % number if number % 3 else b"%d" % number for number in range(200)]
    assert bodies(await converse(port, b"".join(map(post, sent)))) == sent


async def test_a_chunked_request_is_put_together(port: int) -> None:
    head = b"PUT /any?path HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert bodies(await converse(port, head, b"5\r\nhello\r\n", b"6\r\n world\r\n0\r\n\r\n")) == [b"hello world"]


async def test_a_get_without_a_body_is_answered(port: int) -> None:
    assert bodies(await converse(port, b"GET / HTTP/1.1\r\n\r\n")) == [b""]


async def test_a_head_request_gets_no_body(port: int) -> None:
    heard = await converse(port, b"HEAD / HTTP/1.1\r\n\r\n")
    assert heard.endswith(b"\r\n\r\n")


async def test_a_client_that_expects_100_is_told_to_continue(port: int) -> None:
    request = post(b"hello", b"Expect: 100-continue")
    heard = await converse(port, request[:-5], request[-5:])
    assert heard.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


async def test_a_continue_does_not_cut_into_an_earlier_reply(port: int) -> None:
    assert bodies(await converse(port, post(b"later 1") + post(b"2", b"Expect: 100-continue"))) == [b"later 1", b"2"]


async def test_a_client_that_sends_no_more_is_closed_with_its_reply() -> None:
    server = HttpServer(respond, max_body_bytes=1000, idle_timeout_s=20, max_connections=1)
    port = await server.start("127.0.0.1", 0)
    for body in (b"later 1", b"2"):
        assert bodies(await converse(port, post(body, b"Connection: close"))) == [body]
    await server.stop(1)


@pytest.mark.parametrize(("limit", "value"), [("_LINGER_BYTES", 100_000), ("_LINGER_S", 0.05)])
async def test_a_refused_client_that_goes_on_sending_is_cut_off(
    port: int, limit: str, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"pygrenache.http_server.{limit}", value)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n")
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(4):
            while True:
                writer.write(b"x" * 10_000)
                await writer.drain()
                await asyncio.sleep(0.001)
    await ended(writer)


async def test_connection_close_is_kept_to(port: int) -> None:
    heard = await converse(port, post(b"1", b"Connection: close") + post(b"2"), end=False)
    assert bodies(heard) == [b"1"]
    assert b"Connection: close" in heard


async def test_http_1_0_is_answered_and_closed(port: int) -> None:
    assert bodies(await converse(port, post(b"old", version=b"1.0"), end=False)) == [b"old"]


async def test_a_kept_connection_says_for_how_long(port: int) -> None:
    assert b"Connection: keep-alive\r\nKeep-Alive: timeout=20\r\n" in await converse(port, post(b"1") + post(b"2"))


async def test_an_offer_to_upgrade_is_answered_as_the_last_request(port: int) -> None:
    assert bodies(await converse(port, post(b"", b"Connection: Upgrade", b"Upgrade: h2c"), end=False)) == [b""]


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00", b"hello\r\n\r\n", b"POST / HTTP/1.1\r\n: \r\n\r\n"])
async def test_bytes_that_are_not_http_get_a_400(port: int, garbage: bytes) -> None:
    assert (await converse(port, garbage)).startswith(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n")


async def test_garbage_after_requests_gets_its_400_after_their_replies(port: int) -> None:
    heard = await converse(port, post(b"later 1") + b"\x00garbage\r\n\r\n")
    replies, bad, _ = heard.partition(b"HTTP/1.1 400")
    assert bad
    assert bodies(replies) == [b"later 1"]


async def test_an_endless_head_gets_a_400(port: int) -> None:
    endless = b"POST / HTTP/1.1\r\nX: " + b"x" * 100_000
    assert (await converse(port, endless)).startswith(b"HTTP/1.1 400 ")


async def test_an_endless_trailer_gets_a_400(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: "
    assert (await converse(port, head, b"x" * 600_000)).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("size", [1001, 10 << 20])
async def test_a_body_that_is_too_large_is_refused_and_the_refusal_arrives(port: int, size: int) -> None:
    heard = await converse(port, post(b"x" * size))
    assert bodies(heard) == [TOO_LARGE]
    assert b"Connection: close" in heard


async def test_a_chunked_body_that_is_too_large_is_refused(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert bodies(await converse(port, head, b"400\r\n" + b"x" * 1024 + b"\r\n")) == [TOO_LARGE]


async def test_the_largest_body_is_taken(port: int) -> None:
    assert bodies(await converse(port, post(b"x" * 1000))) == [b"x" * 1000]


async def test_a_refusal_waits_for_earlier_replies(port: int) -> None:
    assert bodies(await converse(port, post(b"later 1") + post(b"x" * 2000))) == [b"later 1", TOO_LARGE]


@pytest.mark.parametrize("begun", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhal"])
async def test_a_client_that_goes_silent_is_closed(begun: bytes) -> None:
    server = HttpServer(respond, max_body_bytes=1000, idle_timeout_s=0.1, max_connections=4)
    port = await server.start("127.0.0.1", 0)
    assert await converse(port, begun, end=False) == b""
    await server.stop(1)


async def test_a_client_that_only_drips_is_closed() -> None:
    server = HttpServer(respond, max_body_bytes=1000, idle_timeout_s=0.2, max_connections=4)
    reader, writer = await asyncio.open_connection("127.0.0.1", await server.start("127.0.0.1", 0))
    writer.write(b"POST / HTTP/1.1\r\nX: ")
    while not reader.at_eof():
        writer.write(b"x")
        await asyncio.sleep(0.01)
        if reader.exception() is not None:
            break
    await ended(writer)
    await server.stop(1)


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    server = HttpServer(lambda call: b"x" * 100_000, max_body_bytes=1000, idle_timeout_s=0.1, max_connections=4)
    _, writer = await asyncio.open_connection("127.0.0.1", await server.start("127.0.0.1", 0), limit=1000)
    writer.write(post(b"") * 1000)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        async with asyncio.timeout(30):
            while True:
                await asyncio.sleep(0.05)
                writer.write(post(b""))
                await writer.drain()
    await ended(writer)
    await server.stop(1)


async def test_one_connection_too_many_is_closed(port: int) -> None:
    kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
    for reader, writer in kept:
        writer.write(post(b"1"))
        await reader.readuntil(b"\r\n\r\n1")
    with pytest.raises((ConnectionError, AssertionError)):
        assert await converse(port, post(b"5"), end=False)
    for _, writer in kept:
        await ended(writer)


def test_who_connects_among_many_does_not_wait_a_turn_for_each_of_them() -> None:
    async def crowd(count: int) -> int:
        heard: list[bytes] = []

        def listen(call: Call) -> bytes:
            heard.append(bytes(call.body))
            return b""

        server, turns = HttpServer(listen, max_body_bytes=10, idle_timeout_s=20, max_connections=count), 0
        address = ("127.0.0.1", await server.start("127.0.0.1", 0))
        with contextlib.ExitStack() as clients:
            for _ in range(count):
                clients.enter_context(socket.create_connection(address)).sendall(post(b"1"))
            while len(heard) < count:
                await asyncio.sleep(0)
                turns += 1
        await server.stop(1)
        return turns

    assert uvloop.run(crowd(64)) < 16


async def test_stop_answers_what_is_under_way_and_closes_the_rest() -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def wait(call: Call) -> bytes:
        begun.set()
        await go.wait()
        return bytes(call.body)

    server = HttpServer(wait, max_body_bytes=1000, idle_timeout_s=20, max_connections=4)
    port = await server.start("127.0.0.1", 0)
    busy = asyncio.create_task(converse(port, post(b"1") + post(b"2"), end=False))
    await begun.wait()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    stopping = asyncio.create_task(server.stop(20))
    assert await reader.read() == b""
    await ended(writer)
    go.set()
    assert bodies(await busy) == [b"1", b"2"]
    await stopping


async def test_stop_cuts_off_what_does_not_end() -> None:
    begun = asyncio.Event()

    async def hang(call: Call) -> bytes:
        begun.set()
        await asyncio.Event().wait()
        return b""

    server = HttpServer(hang, max_body_bytes=1000, idle_timeout_s=20, max_connections=4)
    client = asyncio.create_task(converse(await server.start("127.0.0.1", 0), post(b"1"), end=False))
    await begun.wait()
    await server.stop(0.05)
    assert await client == b""


async def test_work_goes_on_when_its_client_leaves(server: HttpServer) -> None:
    begun, go, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(call: Call) -> bytes:
        begun.set()
        await go.wait()
        done.set()
        return b""

    server.respond = work
    _, writer = await asyncio.open_connection("127.0.0.1", await server.start("127.0.0.1", 0))
    writer.write(post(b"1"))
    await begun.wait()
    writer.transport.abort()
    go.set()
    await done.wait()
    await ended(writer)


async def test_a_stopped_server_can_be_started_again(server: HttpServer) -> None:
    for _ in range(2):
        port = await server.start("127.0.0.1", 0)
        assert bodies(await converse(port, post(b"1"))) == [b"1"]
        await server.stop(1)


PIECES = st.sampled_from(
    [
        b"POST / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
        b"Expect: 100-continue\r\n",
        b"\r\n",
        b"3\r\nabc\r\n",
        b"0\r\n\r\n",
        b"abc",
        b"\x00",
    ]
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES | st.binary(max_size=10), max_size=12), st.booleans())
async def test_whatever_comes_in_only_whole_replies_come_out(port: int, pieces: list[bytes], bytewise: bool) -> None:
    sent = [bytes([byte]) for byte in b"".join(pieces)] if bytewise else [b"".join(pieces)]
    heard = (await converse(port, *sent)).replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    replies, bad, rest = heard.partition(b"HTTP/1.1 400 Bad Request\r\n")
    bodies(replies)
    assert not bad or rest == b"Connection: close\r\nContent-Length: 0\r\n\r\n"
