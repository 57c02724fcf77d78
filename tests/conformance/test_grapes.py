"""What real Grapes do with our lookups, announces, texts and datagrams, and when one of them dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pygrenache import Address, GrapeError, Link, LookupEmpty, RpcClient, UdpAnnouncer
from tests.conformance.processes import Grape, free_port, until

pytestmark = pytest.mark.node

Grapes = tuple[Grape, Grape]


@pytest.fixture
async def own_link(own_grapes: Grapes) -> AsyncIterator[Link]:
    link = Link([grape.url for grape in own_grapes])
    yield link
    await link.close()


async def lookup_at(grape: Grape, name: str) -> list[Address]:
    link = Link([grape.url])
    try:
        return await link.lookup(name)
    finally:
        await link.close()


async def test_an_announce_is_found_at_the_other_grape(grapes: Grapes, link: Link) -> None:
    assert await link.announce("found:wörld", 4001) == 1
    assert await lookup_at(grapes[1], "found:wörld") == [Address("127.0.0.1", 4001)]


async def test_nobody_is_an_empty_list_at_first_and_found_once_announced(link: Link) -> None:
    assert await link.lookup("late") == []
    await link.announce("late", 4002)
    assert await link.lookup("late") == [Address("127.0.0.1", 4002)]


async def test_a_text_comes_back_from_the_other_grape(grapes: Grapes, link: Link) -> None:
    assert await link.put("hello world") == "6d33adc2b6b2c14c3036feefb7fedbca1a880527"
    other = Link([grapes[1].url])
    assert await other.get("6D33ADC2B6B2C14C3036FEEFB7FEDBCA1A880527") == "hello world"
    await other.close()


async def test_the_longest_texts_are_stored(link: Link) -> None:
    for text in ("x" * 999, "ü" * 500, "😀" * 250):
        assert await link.get(await link.put(text)) == text


async def test_a_text_that_nobody_stored_is_none(link: Link) -> None:
    assert await link.get("00" * 20) is None


async def test_a_grapes_refusal_is_an_error_with_its_text(grapes: Grapes) -> None:
    link = Link([grapes[0].url])
    with pytest.raises(GrapeError, match=r"^ERR_GRAPE_PAYLOAD_SIZE$"):
        await link.lookup("n" * 9000)
    await link.close()


async def test_a_datagram_announce_is_found_at_both_grapes(grapes: Grapes) -> None:
    names = ["udp:one", "udp:wörld"]
    assert await UdpAnnouncer([grape.dht for grape in grapes], names, 4003).announce() == 2
    for grape in grapes:
        for name in names:
            assert await lookup_at(grape, name) == [Address("127.0.0.1", 4003)]


async def test_a_datagram_announce_goes_around_a_dead_grape(grapes: Grapes) -> None:
    dead = f"127.0.0.1:{free_port()}"
    announcer = UdpAnnouncer([dead, grapes[0].dht, "no-such-host.invalid:20001"], ["udp:around"], 4004)
    assert await announcer.announce() == 1
    assert await lookup_at(grapes[0], "udp:around") == [Address("127.0.0.1", 4004)]


async def test_the_announcer_announces_in_the_background(grapes: Grapes, link: Link) -> None:
    announcer = UdpAnnouncer([grape.dht for grape in grapes], ["udp:background"], 4005, interval_s=0.2)
    await announcer.start()

    async def is_found() -> bool:
        return await link.lookup("udp:background") == [Address("127.0.0.1", 4005)]

    await until(is_found)
    await announcer.stop()


async def test_a_link_goes_around_a_dead_grape(own_grapes: Grapes, own_link: Link) -> None:
    await UdpAnnouncer([grape.dht for grape in own_grapes], ["survivor"], 4006).announce()
    own_grapes[0].kill()
    assert await own_link.lookup("survivor") == [Address("127.0.0.1", 4006)]


async def test_a_restarted_grape_learns_of_a_worker_again(own_grapes: Grapes, own_link: Link) -> None:
    announcer = UdpAnnouncer([grape.dht for grape in own_grapes], ["again"], 4007)
    assert await announcer.announce() == 2
    own_grapes[1].kill()
    assert await announcer.announce() == 1
    await asyncio.to_thread(own_grapes[1].start)
    assert await announcer.announce() == 2
    for grape in own_grapes:
        assert Address("127.0.0.1", 4007) in await lookup_at(grape, "again")


async def test_an_http_announce_recovers_after_the_other_grape_was_restarted(
    own_grapes: Grapes, own_link: Link
) -> None:
    link = Link([own_grapes[0].url])
    await link.announce("name-that-is-remembered", 4008)
    own_grapes[1].kill()
    with pytest.raises(GrapeError):
        await link.announce("name-that-is-remembered", 4008)
    await asyncio.to_thread(own_grapes[1].start)

    async def is_accepted() -> bool:
        try:
            return await link.announce("name-that-is-remembered", 4008) == 1
        except GrapeError:
            return False

    await until(is_accepted)
    await link.close()


async def test_a_call_to_nobody_says_so(client: RpcClient) -> None:
    with pytest.raises(LookupEmpty) as caught:
        await client.request("nobody:at:all", None)
    assert caught.value.definite
