"""The Link against a scripted Grape: every kind of answer a Grape has, and what must never be sent."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tenacity import stop_after_attempt

from pygrenache import retry
from pygrenache.address import Address
from pygrenache.errors import BadCall, ConnectFailed, GrapeError, ProtocolError, RequestTimeout
from pygrenache.link import Link
from tests.pygrenache.sockets import ScriptedServer, http, refusing_address, scripted_server

HASH = "6d33adc2b6b2c14c3036feefb7fedbca1a880527"  # of "hello world"
ONCE = retry.GRAPES_UNREACHABLE.copy(stop=stop_after_attempt(1))
ONE, TWO = Address("10.0.0.1", 1), Address("10.0.0.2", 2)


@contextlib.asynccontextmanager
async def linked(*replies: bytes, **options: Any) -> AsyncIterator[tuple[Link, ScriptedServer]]:
    """A Link to a Grape that gives these replies, one after the other."""
    left = list(replies)
    async with scripted_server(lambda body: left.pop(0)) as grape:
        link = Link([f"http://{grape.address}"], retrying=ONCE, **options)
        try:
            yield link, grape
        finally:
            await link.close()


def says(value: Any) -> bytes:
    return http(json.dumps(value).encode())


async def test_a_lookup_drops_doubles_and_the_address_that_is_none() -> None:
    async with linked(says(["10.0.0.1:1", "0.0.0.0:1", "10.0.0.1:1", "10.0.0.2:2"])) as (link, grape):
        assert await link.lookup("name") == [ONE, TWO]
        assert grape.heads[0].startswith(b"POST /lookup HTTP/1.1\r\n")
        assert json.loads(grape.bodies[0]) == {"data": "name"}


async def test_a_lookup_is_remembered_for_a_while() -> None:
    async with linked(says(["10.0.0.1:1"])) as (link, _):
        for _ in range(3):
            assert await link.lookup("name") == [ONE]


async def test_an_empty_lookup_is_not_remembered() -> None:
    async with linked(says([]), says(["10.0.0.1:1"])) as (link, _):
        assert await link.lookup("name") == []
        assert await link.lookup("name") == [ONE]


async def test_a_lookup_may_pass_the_memory_by() -> None:
    async with linked(says(["10.0.0.1:1"]), says(["10.0.0.2:2"])) as (link, _):
        assert await link.lookup("name") == [ONE]
        assert await link.lookup("name", fresh=True) == [TWO]


async def test_without_a_cache_every_lookup_is_asked() -> None:
    async with linked(says(["10.0.0.1:1"]), says(["10.0.0.2:2"]), cache_s=0) as (link, _):
        assert await link.lookup("name") == [ONE]
        assert await link.lookup("name") == [TWO]


async def test_a_forgotten_address_is_left_out() -> None:
    async with linked(says(["10.0.0.1:1", "10.0.0.2:2"]), says(["10.0.0.1:1"])) as (link, _):
        await link.lookup("name")
        link.forget(ONE)
        assert await link.lookup("name") == [TWO]
        link.forget(TWO)
        assert await link.lookup("name") == [ONE]


async def test_a_grapes_text_is_an_error() -> None:
    async with linked(says("ERR_GRAPE_LOOKUP")) as (link, _):
        with pytest.raises(GrapeError, match=r"^ERR_GRAPE_LOOKUP$"):
            await link.lookup("name")


@pytest.mark.parametrize("status", ["500 X", "413 X", "302 X"])
async def test_another_status_is_an_error_with_the_bodys_text(status: str) -> None:
    async with linked(http(b"ERR_BARE", status)) as (link, _):
        with pytest.raises(GrapeError, match=r"^ERR_BARE$"):
            await link.lookup("name")


@pytest.mark.parametrize("body", [b"garbage", b"17", b'["nonsense"]', b"[17]", b'{"a":1}'])
async def test_a_lookup_answered_with_anything_else_is_a_protocol_error(body: bytes) -> None:
    async with linked(http(body)) as (link, _):
        with pytest.raises(ProtocolError):
            await link.lookup("name")


@pytest.mark.parametrize("name", ["", "\ud800"])
async def test_a_name_that_could_end_a_grape_is_not_sent(name: str) -> None:
    async with linked() as (link, _):
        with pytest.raises(BadCall):
            await link.lookup(name)
        with pytest.raises(BadCall):
            await link.announce(name, 1)


@pytest.mark.parametrize("port", [0, -1, 65536, True])
async def test_a_port_that_a_grape_would_misread_is_not_sent(port: int) -> None:
    async with linked() as (link, _):
        with pytest.raises(BadCall):
            await link.announce("name", port)


async def test_an_announce_is_counted() -> None:
    async with linked(says(2)) as (link, grape):
        assert await link.announce("name", 4000) == 2
        assert json.loads(grape.bodies[0]) == {"data": ["name", 4000]}


async def test_a_refused_announce_is_made_again_after_a_lookup() -> None:
    async with linked(says("No nodes to query"), says([]), says(1)) as (link, grape):
        assert await link.announce("name", 4000) == 1
        assert [head.split()[1] for head in grape.heads] == [b"/announce", b"/lookup", b"/announce"]


@pytest.mark.parametrize("answer", ["All queries failed", 0, True, None])
async def test_an_announce_that_nobody_took_is_an_error(answer: Any) -> None:
    async with linked(says(answer), says([]), says(answer)) as (link, _):
        with pytest.raises(GrapeError):
            await link.announce("name", 4000)


async def test_a_put_is_checked_against_the_texts_own_hash() -> None:
    async with linked(says(HASH), says("00" * 20), says("All queries failed")) as (link, grape):
        assert await link.put("hello world") == HASH
        assert json.loads(grape.bodies[0]) == {"data": {"v": "hello world"}}
        with pytest.raises(ProtocolError):
            await link.put("hello world")
        with pytest.raises(GrapeError, match="All queries failed"):
            await link.put("hello world")


@pytest.mark.parametrize("text", ["", "x" * 1000, "ü" * 501, "😀" * 500, "\ud800"])
async def test_a_text_that_no_grape_stores_is_not_sent(text: str) -> None:
    async with linked() as (link, _):
        with pytest.raises(BadCall):
            await link.put(text)


async def test_a_get_is_checked_against_its_hash() -> None:
    async with linked(says({"v": "hello world"}), says({"v": "another"}), says({}), says("ERR_X")) as (link, grape):
        assert await link.get(HASH.upper()) == "hello world"
        assert json.loads(grape.bodies[0]) == {"data": HASH}
        for _ in range(2):
            with pytest.raises(ProtocolError):
                await link.get(HASH)
        with pytest.raises(GrapeError, match="ERR_X"):
            await link.get(HASH)


async def test_a_get_of_nothing_is_none() -> None:
    async with linked(http(b"")) as (link, _):
        assert await link.get(HASH) is None


@pytest.mark.parametrize("hash_", ["", "zz" * 20, "00" * 19, "00" * 21, "0x" + "00" * 19])
async def test_a_hash_that_could_end_a_grape_is_not_sent(hash_: str) -> None:
    async with linked() as (link, _):
        with pytest.raises(BadCall):
            await link.get(hash_)


async def test_a_dead_grape_is_passed_over_and_then_asked_last() -> None:
    dead = await refusing_address()
    async with scripted_server(lambda body: says(["10.0.0.1:1"])) as alive:
        link = Link([f"http://{dead}", f"http://{alive.address}"], retrying=ONCE)
        assert await link.lookup("name") == [ONE]
        assert link._grapes == [alive.address, dead]
        await link.close()


async def test_a_silent_grape_is_passed_over() -> None:
    async with scripted_server(lambda body: b"") as silent, scripted_server(lambda body: says(["10.0.0.1:1"])) as alive:
        link = Link([f"http://{silent.address}", f"http://{alive.address}"], timeout_s=0.1)
        assert await link.lookup("name") == [ONE]
        await link.close()


async def test_another_grape_may_know_more_than_nothing() -> None:
    async with (
        scripted_server(lambda body: says([])) as empty,
        scripted_server(lambda body: says(["10.0.0.1:1"])) as full,
    ):
        link = Link([f"http://{empty.address}", f"http://{full.address}"])
        assert await link.lookup("name") == [ONE]
        await link.close()


async def test_when_all_grapes_are_dead_the_failure_is_definite_after_retries() -> None:
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)

    link = Link([f"http://{await refusing_address()}"], retrying=retry.GRAPES_UNREACHABLE.copy(sleep=nap))
    with pytest.raises(ConnectFailed) as caught:
        await link.lookup("name")
    assert caught.value.definite
    assert len(naps) == 2


async def test_when_all_grapes_are_silent_the_call_times_out() -> None:
    async with linked(b"", timeout_s=0.05) as (link, _):
        with pytest.raises(RequestTimeout):
            await link.lookup("name")


@pytest.mark.parametrize(
    "grapes", [[], ["10.0.0.1:30001"], ["https://grape:1"], ["http://grape"], ["http://grape:1/x"]]
)
def test_a_link_needs_grapes_with_addresses(grapes: list[str]) -> None:
    with pytest.raises(BadCall):
        Link(grapes)
