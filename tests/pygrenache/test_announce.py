"""The UDP announcer against a scripted Grape: the datagrams, byte for byte, and all that may go wrong with them."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from typing import cast

import pytest

from pygrenache import bencode
from pygrenache.announce import UdpAnnouncer
from pygrenache.errors import BadCall

TOKEN = b"\x00token\xff"


class ScriptedGrape(asyncio.DatagramProtocol):
    """Answers each datagram with those that `respond` gives."""

    def __init__(self, respond: Callable[[bytes], list[bytes]]) -> None:
        self.heard: list[bytes] = []
        self.address = ""
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._respond = respond

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.address = "127.0.0.1:{}".format(transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, source: tuple[str | object, int]) -> None:
        self.heard.append(data)
        self._queue.put_nowait(data)
        for answer in self._respond(data):
            self._transport.sendto(answer, source)

    async def hear(self, count: int) -> None:
        """Wait for so many datagrams more."""
        for _ in range(count):
            await self._queue.get()


@contextlib.asynccontextmanager
async def scripted_grape(respond: Callable[[bytes], list[bytes]]) -> AsyncIterator[ScriptedGrape]:
    transport, grape = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: ScriptedGrape(respond), local_addr=("127.0.0.1", 0)
    )
    yield grape
    transport.close()


def accept(query: bytes) -> list[bytes]:
    """What a healthy Grape answers."""
    message = bencode.decode(query)
    assert isinstance(message, dict)
    return [bencode.encode({b"r": {b"id": bytes(20), b"token": TOKEN}, b"t": message[b"t"], b"y": b"r"})]


async def test_an_announce_is_two_datagrams_without_a_node_id() -> None:
    async with scripted_grape(accept) as grape:
        rng = random.Random(7)
        assert await UdpAnnouncer([grape.address], ["svc4"], 5004, rng=rng).announce() == 1
    rng = random.Random(7)
    first, second = rng.randbytes(2), rng.randbytes(2)
    assert grape.heard == [
        b"d1:ad9:info_hash4:svc4e1:q9:get_peers1:t2:" + first + b"1:y1:qe",
        b"d1:ad12:implied_porti0e9:info_hash4:svc44:porti5004e5:token7:"
        + TOKEN
        + b"e1:q13:announce_peer1:t2:"
        + second
        + b"1:y1:qe",
    ]


async def test_every_name_is_announced_at_every_grape() -> None:
    async with scripted_grape(accept) as one, scripted_grape(accept) as two:
        assert await UdpAnnouncer([one.address, two.address], ["first", "wörld"], 5004).announce() == 2
        for grape in (one, two):
            for name in ("first", "wörld"):
                assert sum(bencode.encode(name.encode()) in datagram for datagram in grape.heard) == 2


async def test_a_lost_datagram_is_sent_again() -> None:
    async with scripted_grape(lambda query: accept(query) if len(grape.heard) > 1 else []) as grape:
        assert await UdpAnnouncer([grape.address], ["a"], 5004).announce() == 1
        assert len(grape.heard) == 3


async def test_noise_and_strangers_replies_are_passed_over() -> None:
    noise = [b"", b"garbage", b"i1e", b"de", b"d1:t1:xe", b"d1:rde1:t2:zze"]
    async with scripted_grape(lambda query: noise + accept(query)) as grape:
        assert await UdpAnnouncer([grape.address], ["a"], 5004).announce() == 1


async def test_a_grape_that_refuses_counts_as_none() -> None:
    def refuse(query: bytes) -> list[bytes]:
        message = bencode.decode(query)
        assert isinstance(message, dict)
        if message[b"q"] == b"get_peers":
            return accept(query)
        return [bencode.encode({b"e": [203, b"bad token"], b"t": message[b"t"], b"y": b"e"})]

    async with scripted_grape(refuse) as bad, scripted_grape(accept) as good:
        assert await UdpAnnouncer([bad.address, good.address], ["a"], 5004).announce() == 1


async def test_dead_and_unknown_grapes_count_as_none() -> None:
    async with scripted_grape(accept) as grape:
        dead = grape.address
    async with scripted_grape(accept) as alive:
        announcer = UdpAnnouncer([dead, "no-such-host.invalid:20001", f"{'x' * 300}:1", alive.address], ["a"], 5004)
        assert await announcer.announce() == 1


async def test_it_announces_again_and_again_until_stopped() -> None:
    async with scripted_grape(accept) as grape:
        announcer = UdpAnnouncer([grape.address], ["a"], 5004, interval_s=0.01)
        await announcer.start()
        await grape.hear(6)
        await announcer.stop()
        await announcer.stop()


async def test_a_round_that_fails_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    class Dice(random.Random):
        """Fails the first roll."""

        failed = False

        def randbytes(self, n: int) -> bytes:
            if not self.failed:
                self.failed = True
                raise RuntimeError("no dice")
            return super().randbytes(n)

    async with scripted_grape(accept) as grape:
        announcer = UdpAnnouncer([grape.address], ["a"], 5004, interval_s=0.01, rng=Dice(1))
        await announcer.start()
        await grape.hear(2)
        await announcer.stop()
    assert "an announcing round failed" in caplog.text


@pytest.mark.parametrize(
    ("grapes", "names", "port"),
    [(["grape"], ["a"], 1), (["grape:1"], [""], 1), (["grape:1"], ["a"], 0), (["grape:1"], ["a"], 65536)],
)
def test_what_a_grape_would_ignore_is_a_bad_call(grapes: list[str], names: list[str], port: int) -> None:
    with pytest.raises(BadCall):
        UdpAnnouncer(grapes, names, port)
