"""The peer image: what an operator relies on, whatever the exchange inside does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import HealthcheckWaitStrategy

from tests.containers.containers import PEER_PORT, USER_ID, ask_peer, peer, published

pytestmark = pytest.mark.docker


@pytest.fixture
def lone_peer(network: Network) -> Iterator[DockerContainer]:
    """A healthy peer, although none of the Grapes that it is told of is there."""
    with peer(network) as container:
        yield container


def test_a_peer_is_healthy_before_any_grape_is(lone_peer: DockerContainer) -> None:
    assert status(lone_peer)["type"] == "STATUS"


def test_a_peer_is_not_root(lone_peer: DockerContainer) -> None:
    assert lone_peer.exec("id -u").output.decode().strip() == USER_ID


def test_a_peer_ends_by_itself_on_sigterm_even_without_an_init_process(lone_peer: DockerContainer) -> None:
    lone_peer.get_wrapped_container().stop(timeout=20)
    assert lone_peer.wait() == 0, "137 would mean that it had to be killed"


def test_a_killed_peer_that_is_started_again_is_the_same_peer(lone_peer: DockerContainer) -> None:
    before = status(lone_peer)["peerId"]
    lone_peer.get_wrapped_container().kill()
    lone_peer.wait()
    lone_peer.get_wrapped_container().start()
    HealthcheckWaitStrategy().wait_until_ready(lone_peer)
    assert status(lone_peer)["peerId"] == before


def test_two_peers_are_two_identities(lone_peer: DockerContainer, network: Network) -> None:
    with peer(network) as other:
        ids = [status(each)["peerId"] for each in (lone_peer, other)]
    assert ids[0] != ids[1]


def status(container: DockerContainer) -> Any:
    return ask_peer(published(container, PEER_PORT), {"type": "GET_STATUS"})
