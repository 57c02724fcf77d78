"""The directory: an address counts once somebody there has said who it is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from peer.directory import Directory
from pygrenache import Address, Link, Request, RpcClient, RpcError, RpcServer
from tests.peer.actors import identity
from tests.peer.grape import ListingGrape, listing_grape, until
from tests.pygrenache.sockets import refusing_address

ME, OTHER, THIRD = (identity(number).peer_id for number in (1, 2, 3))


@dataclass
class Search:
    grape: ListingGrape
    directory: Directory
    found: list[str]


@contextlib.asynccontextmanager
async def search() -> AsyncIterator[Search]:
    """A directory that looks around, and what it finds."""
    async with listing_grape() as grape:
        link = Link([grape.url])
        client = RpcClient(link)
        found: list[str] = []
        directory = Directory(ME, link, client, found.append)
        looking = asyncio.create_task(directory.run())
        try:
            yield Search(grape, directory, found)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await client.close()
            await link.close()


@contextlib.asynccontextmanager
async def answering(status: Any) -> AsyncIterator[tuple[Address, list[Any]]]:
    """Somebody who answers every question with a status; its address, and what it was asked."""
    asked: list[Any] = []

    async def handle(request: Request) -> Any:
        asked.append(request.payload)
        if isinstance(status, RpcError):
            raise status
        return status

    server = RpcServer(handle)
    port = await server.start("127.0.0.1")
    try:
        yield Address("127.0.0.1", port), asked
    finally:
        await server.stop(0.0)


async def test_whoever_is_listed_is_asked_who_it_is() -> None:
    async with search() as looking, answering({"type": "STATUS", "peerId": OTHER}) as (address, asked):
        looking.grape.listed = [address]
        await until(lambda: looking.found)
        assert looking.found == [OTHER]
        assert looking.directory.address_of(OTHER) == address
        assert asked == [{"type": "GET_STATUS"}]


async def test_a_peer_does_not_find_itself() -> None:
    async with (
        search() as looking,
        answering({"type": "STATUS", "peerId": ME}) as (own, asked),
        answering({"type": "STATUS", "peerId": OTHER}) as (other, _),
    ):
        looking.grape.listed = [own, other]
        await until(lambda: looking.found and asked)
        assert looking.found == [OTHER]
        assert looking.directory.address_of(ME) is None


@pytest.mark.parametrize("nonsense", [None, "STATUS", [], {}, {"peerId": 7}, RpcError("ERR_STOPPING: soon")], ids=str)
async def test_nonsense_and_dead_addresses_do_not_keep_others_from_being_found(nonsense: Any) -> None:
    async with (
        search() as looking,
        answering(nonsense) as (strange, asked),
        answering({"type": "STATUS", "peerId": OTHER}) as (address, _),
    ):
        looking.grape.listed = [strange, await refusing_address(), address]
        await until(lambda: looking.found and asked)
        assert looking.found == [OTHER]


async def test_without_a_grape_it_says_so_once_and_goes_on_looking(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "peer.directory")
    async with search() as looking, answering({"type": "STATUS", "peerId": OTHER}) as (address, _):
        looking.grape.dead = True
        looking.grape.listed = [address]
        await until(lambda: looking.grape.asked > 2)
        looking.grape.dead = False
        await until(lambda: looking.found)
    first, second = caplog.messages
    assert first.startswith("no Grape answers")
    assert second == "a Grape answers again"


async def test_a_peer_that_is_forgotten_is_found_where_it_answers_now() -> None:
    async with search() as looking, answering({"type": "STATUS", "peerId": OTHER}) as (address, _):
        moved_from = await refusing_address()
        looking.directory.learn(OTHER, moved_from)
        looking.directory.learn(THIRD, moved_from)
        assert looking.directory.address_of(OTHER) == moved_from
        looking.directory.forget(OTHER)
        assert looking.directory.address_of(OTHER) is None
        assert looking.directory.address_of(THIRD) == moved_from
        looking.grape.listed = [address]
        await until(lambda: looking.found)
        assert looking.directory.address_of(OTHER) == address
