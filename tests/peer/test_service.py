"""A peer on real sockets: it serves, finds others, trades with them, ends when told to, and rather than lie."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from peer.config import Config
from peer.service import Clock, Service
from peer.sqlite_journal import SqliteJournal
from pygrenache import Address, GrenacheError, RemoteError, RpcClient
from tests.peer.actors import Author, new_order, sealed
from tests.peer.grape import ListingGrape, listing_grape, until
from tests.pygrenache.sockets import converse, refusing_address


class Running:
    """A service under way, asked as a client would."""

    def __init__(self, service: Service, client: RpcClient) -> None:
        self.service = service
        self.address = Address("127.0.0.1", 0)
        self.task = asyncio.create_task(service.run())
        self._client = client

    async def listening(self) -> None:
        """Wait until it has a port."""
        node = self.service._node
        await until(lambda: node.port or self.task.done())
        self.address = Address("127.0.0.1", node.port)

    async def ask(self, payload: Any) -> Any:
        """Ask it one thing; the text of its refusal if it refuses."""
        try:
            return await self._client.request_at(self.address, "exchange", payload)
        except RemoteError as error:
            return str(error)

    async def knows(self, order_id: str) -> bool:
        """Whether it has read of an order."""
        return isinstance(await self.ask({"type": "GET_ORDER", "id": order_id}), dict)

    async def shows(self, other: Running, state: str) -> bool:
        """Whether it shows another peer in this state."""
        found = (await self.ask({"type": "GET_STATUS"}))["peers"]
        return any((peer["peerId"], peer["state"]) == (other.service.peer_id, state) for peer in found)

    async def end(self) -> None:
        """Stop it and wait for its end."""
        self.service.stop()
        await self.task


@contextlib.asynccontextmanager
async def peers(grape: ListingGrape, *folders: Path, keys: Sequence[bytes] = ()) -> AsyncIterator[list[Running]]:
    """A service on each folder, all listed at the Grape; `keys` are their networks', open ones if not said."""
    client, running = RpcClient(), list[Running]()
    nobody = str(await refusing_address())
    try:
        for folder, key in zip_longest(folders, keys, fillvalue=b""):
            assert isinstance(folder, Path) and isinstance(key, bytes)
            running.append(Running(Service(Config("127.0.0.1", 0, folder, (grape.url,), (nobody,), key)), client))
        for each in running:
            await each.listening()
        grape.listed = [each.address for each in running]
        yield running
    finally:
        for each in running:
            each.service.stop()
        await asyncio.gather(*(each.task for each in running), return_exceptions=True)
        await client.close()


async def agree(one: Running, two: Running, maker: str) -> bool:
    """Whether the maker has traded, and both show the same books."""
    shown = await one.ask({"type": "GET_ORDER", "id": maker})
    digests = [(await peer.ask({"type": "GET_STATUS"}))["digest"] for peer in (one, two)]
    return bool(shown["order"]["filledQuantity"] == "3" and digests[0] == digests[1])


async def test_two_peers_find_each_other_and_trade(tmp_path: Path) -> None:
    async with listing_grape() as grape, peers(grape, tmp_path / "a", tmp_path / "b") as (one, two):
        maker = (await one.ask(new_order("sell", "10", "5")))["order"]["id"]
        await until(lambda: two.knows(maker))
        taker = (await two.ask(new_order("buy", "11", "3")))["order"]["id"]
        await until(lambda: agree(one, two, maker))
        assert (await one.ask({"type": "GET_ORDER", "id": taker}))["order"]["status"] == "filled"


async def test_a_peer_of_another_network_is_refused_and_harms_nobody(tmp_path: Path) -> None:
    folders, keys = [tmp_path / name for name in "abc"], [b"ours", b"ours", b"theirs"]
    async with listing_grape() as grape, peers(grape, *folders, keys=keys) as (one, two, stranger):
        maker = (await one.ask(new_order("sell", "10", "5")))["order"]["id"]
        crossing = (await stranger.ask(new_order("buy", "10", "5")))["order"]["id"]
        await until(lambda: two.knows(maker))
        await two.ask(new_order("buy", "11", "3"))
        await until(lambda: agree(one, two, maker))
        for each, other in ((one, stranger), (two, stranger), (stranger, one), (stranger, two)):
            await until(lambda each=each, other=other: each.shows(other, "stranger"))  # type: ignore[misc]
        assert not await one.knows(crossing)
        assert not await stranger.knows(maker)
        assert await one.shows(two, "reachable")


async def test_a_stranger_cannot_speak_as_a_peer_over_a_socket(tmp_path: Path) -> None:
    async with listing_grape() as grape, peers(grape, tmp_path, keys=[b"ours"]) as (peer,):
        author = Author(2)
        author.place("sell", 10, 5)
        news = {"type": "ORDER_SUBMITTED", "ledger": author.batch().json_object()}
        contents = {"clock": 0, "vector": {}, "messages": [news]}
        for key, answer in ((b"", "ERR_NOT_ADMITTED: "), (b"theirs", "ERR_NOT_ADMITTED: ")):
            assert (await peer.ask(sealed(author.id, peer.service.peer_id, contents, key=key))).startswith(answer)
        assert (await peer.ask({"type": "GET_STATUS"}))["vector"] == {}
        admitted = await peer.ask(sealed(author.id, peer.service.peer_id, contents, key=b"ours"))
        assert admitted["type"] == "ENVELOPE"
        assert (await peer.ask(new_order("buy", "10", "1")))["type"] == "ORDER_ACCEPTED"


async def test_an_evicted_peer_that_returns_is_told_and_logs_what_is_void(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a, b, lost = (tmp_path / name for name in "abc")
    async with listing_grape() as grape:
        async with peers(grape, a, b, lost) as (one, two, three):
            maker = (await three.ask(new_order("sell", "10", "5")))["order"]["id"]
            for each in (one, two):
                await until(lambda each=each: each.knows(maker))  # type: ignore[misc]
        async with peers(grape, lost) as (three,):
            beyond = (await three.ask(new_order("sell", "9", "1")))["order"]["id"]
            evict = {"type": "EVICT_PEER", "peerId": three.service.peer_id}
        async with peers(grape, a, b) as (one, two):
            await until(lambda: one.shows(two, "reachable"))

            async def fenced() -> bool:
                return bool((await one.ask(evict))["state"] == "fenced")

            await until(fenced)
        async with peers(grape, a, b, lost) as (one, two, three):

            async def told() -> bool:
                return bool((await three.ask({"type": "GET_STATUS"})).get("fenced") == {"sequence": 1, "voided": 1})

            await until(told)
            assert (await three.ask(new_order("sell", "8", "1"))).startswith("ERR_FENCED: ")
            assert not await one.knows(beyond)
    assert [beyond in text for text in caplog.messages if text.startswith("void: ")] == [True]


async def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: Path) -> None:
    async with listing_grape() as grape:
        async with peers(grape, tmp_path) as (first,):
            accepted = await first.ask(new_order("sell", "10", "5", clientOrderId="7"))
        async with peers(grape, tmp_path) as (second,):
            assert second.service.peer_id == first.service.peer_id
            assert await second.ask(new_order("sell", "10", "5", clientOrderId="7")) == accepted


async def test_bad_input_is_answered_and_the_peer_lives_on(tmp_path: Path) -> None:
    async with listing_grape() as grape, peers(grape, tmp_path) as (peer,):
        assert (await peer.ask({"type": "BUY"})).startswith("ERR_UNKNOWN_TYPE: ")
        assert (await peer.ask(new_order("buy", 1e30, "1"))).startswith("ERR_INVALID_PRICE: ")
        assert (await peer.ask(["x" * 5_000_000])).startswith("ERR_TOO_LARGE: ")
        assert b"ERR_BAD_JSON" in await converse(
            peer.address.port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n\xff\x00\xfe[{"
        )
        await converse(peer.address.port, b"\x00\x01 garbage\r\n\r\n")
        assert (await peer.ask(new_order("buy", 1.5, 1)))["order"]["price"] == "1.5"


async def test_requests_beyond_the_bound_are_refused_and_nothing_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peer.service.MAX_WAITING", 0)
    async with listing_grape() as grape, peers(grape, tmp_path) as (peer,):
        assert (await peer.ask(new_order("buy", "1", "1"))).startswith("ERR_BUSY: ")
        monkeypatch.setattr("peer.service.MAX_WAITING", 10)
        assert (await peer.ask({"type": "GET_STATUS"}))["vector"] == {}


async def test_a_peer_that_is_told_to_stop_ends_and_lets_go_of_its_disk(tmp_path: Path) -> None:
    async with listing_grape() as grape, peers(grape, tmp_path) as (peer,):
        await peer.ask(new_order("buy", "1", "1"))
        await peer.end()
        journal = SqliteJournal(tmp_path / "ledgers.sqlite")
        assert len(list(journal.records())) == 1
        journal.close()


async def test_a_peer_whose_disk_refuses_ends_without_an_acknowledgement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any, **options: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    async with listing_grape() as grape, peers(grape, tmp_path) as (peer,):
        monkeypatch.setattr(SqliteJournal, "append", full)
        with pytest.raises(GrenacheError):
            await peer._client.request_at(peer.address, "exchange", new_order("buy", "1", "1"))
        with pytest.raises(sqlite3.OperationalError, match="full"):
            await peer.task


async def test_a_second_peer_on_one_folder_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    async with listing_grape() as grape, peers(grape, tmp_path):
        # Not to wait for the lock as long as a peer does.
        monkeypatch.setattr(sqlite3, "connect", lambda path, **options: connect(path, **{**options, "timeout": 0.01}))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            Service(Config("127.0.0.1", 0, tmp_path, (grape.url,), ()))


async def test_a_peer_starts_before_any_grape(tmp_path: Path) -> None:
    async with listing_grape() as grape:
        grape.dead = True
        async with peers(grape, tmp_path) as (peer,):
            assert (await peer.ask(new_order("buy", "1", "1")))["type"] == "ORDER_ACCEPTED"


def test_the_clock_follows_the_wall_clock_but_for_its_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, steady = 1_000.0, 50.0
    monkeypatch.setattr("peer.service.time.time_ns", lambda: int(wall * 1e9))
    monkeypatch.setattr("peer.service.time.monotonic", lambda: steady)
    clock = Clock()
    seen = [clock.now()]
    for wall_step, steady_step in ((1.0, 1.0), (-600.0, 1.0), (1.0, 1.0), (3_600.0, 1.0)):
        wall, steady = wall + wall_step, steady + steady_step
        seen.append(clock.now())
    assert seen == [1_000.0, 1_001.0, 1_002.0, 1_003.0, 4_002.0]
