"""Two real Grapes, and a Node.js client and service on them, shared by the conformance tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from pygrenache import Link, Request, RpcClient, RpcError, RpcServer
from tests.conformance import processes
from tests.requirements import require_node


@pytest.fixture(scope="session")
def installed() -> None:
    """The npm packages, upstream and pinned."""
    require_node()
    processes.install(processes.NODE)
    processes.install(processes.ROOT / "grape")


@pytest.fixture(scope="session")
def grapes(installed: None) -> Iterator[tuple[processes.Grape, processes.Grape]]:
    """Two Grapes for all tests that leave them as they are."""
    with processes.two_grapes() as pair:
        yield pair


@pytest.fixture
def own_grapes(installed: None) -> Iterator[tuple[processes.Grape, processes.Grape]]:
    """Two Grapes for one test that ends or restarts them."""
    with processes.two_grapes() as pair:
        yield pair


@pytest.fixture(scope="session")
def node_client(grapes: tuple[processes.Grape, processes.Grape]) -> Iterator[processes.NodeClient]:
    """A Node.js client."""
    with processes.node_client(grapes[0]) as client:
        yield client


@pytest.fixture(scope="session")
def node_service(grapes: tuple[processes.Grape, processes.Grape]) -> Iterator[str]:
    """The name of a Node.js echo service."""
    with processes.node_server(grapes[0], "node:echo"):
        yield "node:echo"


@pytest.fixture
async def link(grapes: tuple[processes.Grape, processes.Grape]) -> AsyncIterator[Link]:
    """A Link to both Grapes."""
    link = Link([grape.url for grape in grapes])
    yield link
    await link.close()


@pytest.fixture
async def client(link: Link) -> AsyncIterator[RpcClient]:
    """Our client."""
    client = RpcClient(link, timeout_s=15.0)
    yield client
    await client.close()


@pytest.fixture
async def service(link: Link, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The name of our own echo service, which refuses {error} with that text; a new name for each test."""

    async def echo(request: Request) -> Any:
        if isinstance(request.payload, dict) and "error" in request.payload:
            raise RpcError(request.payload["error"])
        return request.payload

    name = f"our:{request.node.name}"
    server = RpcServer(echo, max_body_bytes=4 << 20)
    await link.announce(name, await server.start("127.0.0.1"))
    yield name
    await server.stop()
