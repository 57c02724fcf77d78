"""compose.yaml: what a stranger gets from `docker compose up`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from testcontainers.compose import ComposeContainer, DockerCompose

from tests.conformance.processes import NODE, install
from tests.containers.containers import GRAPE_API_PORT, PEER_PORT, ask_peer, eventually
from tests.requirements import require_node

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


def test_a_node_client_from_outside_trades_and_reads_the_same_book_everywhere(compose: DockerCompose) -> None:
    require_node()
    install(NODE)
    seller, buyer, *_ = ids = [status(peer)["peerId"] for peer in peers(compose)]
    grape = compose.get_container("grape-1").get_publisher(by_port=GRAPE_API_PORT)
    node = ["node", "client.js", f"http://{grape.URL}:{grape.PublishedPort}"]
    with subprocess.Popen(node, cwd=NODE, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:

        def ask(peer_id: str, payload: dict[str, Any]) -> Any:
            assert client.stdin is not None
            assert client.stdout is not None
            call = {"id": 1, "key": f"exchange:{peer_id}", "payload": payload}
            print(json.dumps(call), file=client.stdin, flush=True)
            answer = json.loads(client.stdout.readline())
            assert answer["error"] is None
            return answer["result"]

        def submit(peer_id: str, side: str, quantity: float) -> Any:
            order = {"item": "BTC-USD", "type": side, "price": 100.5, "quantity": quantity}
            return ask(peer_id, {"type": "SUBMIT_ORDER", "order": order})["order"]

        resting = submit(seller, "sell", 0.3)
        assert (resting["peerId"], resting["quantity"]) == (seller, "0.3")
        eventually(lambda: is_shown(ask, buyer, resting["id"]))
        submit(buyer, "buy", 0.1)

        def the_same_book_on_all() -> None:
            books = [ask(peer_id, {"type": "GET_ORDERBOOK", "item": "BTC-USD"}) for peer_id in ids]
            assert [order["quantity"] for order in books[0]["sellOrders"]] == ["0.2"]
            assert all(book == books[0] for book in books)

        eventually(the_same_book_on_all)


def is_shown(ask: Callable[[str, dict[str, Any]], Any], peer_id: str, order_id: str) -> None:
    book = ask(peer_id, {"type": "GET_ORDERBOOK", "item": "BTC-USD"})
    assert order_id in [order["id"] for order in book["sellOrders"]]


def peers(compose: DockerCompose) -> list[ComposeContainer]:
    return [container for container in compose.get_containers() if container.Service == "peer"]


def status(peer: ComposeContainer) -> Any:
    publisher = peer.get_publisher(by_port=PEER_PORT)
    return ask_peer(f"{publisher.URL}:{publisher.PublishedPort}", {"type": "GET_STATUS"})
