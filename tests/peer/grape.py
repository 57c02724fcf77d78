"""A Grape that lists whatever a test puts on it, and everything that waits without a clock."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
from collections.abc import AsyncIterator, Callable

from pygrenache import Address
from tests.pygrenache.sockets import http, scripted_server


class ListingGrape:
    """Answers every lookup with `listed`, or with an error while it is `dead`."""

    def __init__(self) -> None:
        self.url = ""
        self.listed: list[Address] = []
        self.dead = False
        self.asked = 0

    def respond(self, request: bytes) -> bytes:
        """Answer one request."""
        self.asked += 1
        if self.dead:
            return http(b"down", "503 Service Unavailable")
        return http(json.dumps([str(address) for address in self.listed]).encode())


@contextlib.asynccontextmanager
async def listing_grape() -> AsyncIterator[ListingGrape]:
    """A ListingGrape on a free port."""
    grape = ListingGrape()
    async with scripted_server(grape.respond) as server:
        grape.url = f"http://{server.address}"
        yield grape


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition, which may be awaited for its answer, holds."""
    async with asyncio.timeout(30):
        while True:
            found = condition()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(0.005)
