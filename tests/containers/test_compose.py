"""compose.yaml: what a stranger gets from `docker compose up`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from testcontainers.compose import ComposeContainer, DockerCompose

from tests.containers.containers import PEER_PORT, ask_peer, eventually

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
PEERS = 4


@pytest.fixture(scope="module")
def compose(images: None) -> Iterator[DockerCompose]:
    """The whole project under a name of its own and on free ports, beside whatever else is up."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COMPOSE_PROJECT_NAME", "grapevine-test")
        environment.setenv("GRAPEVINE_GRAPE1_PORT", "")
        environment.setenv("GRAPEVINE_GRAPE2_PORT", "")
        environment.setenv("GRAPEVINE_PEERS", str(PEERS))
        with DockerCompose(ROOT) as compose:
            yield compose


def test_compose_starts_two_grapes_and_as_many_peers_as_asked_for(compose: DockerCompose) -> None:
    services = sorted(str(container.Service) for container in compose.get_containers())
    assert services == ["grape-1", "grape-2"] + ["peer"] * PEERS
    assert {container.Health for container in compose.get_containers()} == {"healthy"}


def test_ports_are_published_on_loopback_only(compose: DockerCompose) -> None:
    publishers = [publisher for container in compose.get_containers() for publisher in container.Publishers]
    urls = {publisher.URL for publisher in publishers if publisher.PublishedPort}
    assert urls == {"127.0.0.1"}


def test_peers_in_containers_of_their_own_find_each_other(compose: DockerCompose) -> None:
    ids = {status(peer)["peerId"] for peer in peers(compose)}
    assert len(ids) == PEERS

    def everybody_knows_everybody() -> None:
        for peer in peers(compose):
            answer = status(peer)
            known = {other["peerId"] for other in answer["peers"] if other["state"] == "reachable"}
            assert known | {answer["peerId"]} == ids

    eventually(everybody_knows_everybody)


def peers(compose: DockerCompose) -> list[ComposeContainer]:
    return [container for container in compose.get_containers() if container.Service == "peer"]


def status(peer: ComposeContainer) -> Any:
    publisher = peer.get_publisher(by_port=PEER_PORT)
    return ask_peer(f"{publisher.URL}:{publisher.PublishedPort}", {"type": "GET_STATUS"})
