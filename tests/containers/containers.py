"""Containers as the tests start them, and the questions the tests ask them over HTTP."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import HealthcheckWaitStrategy

GRAPE_API_PORT = 30001
PEER_PORT = 4000
USER_ID = "10001"


def grape(network: Network, name: str, bootstrap: str) -> DockerContainer:
    """A Grape called `name` on `network`; started, it is waited for until it is healthy."""
    return (
        DockerContainer("grapevine-grape", network=network, network_aliases=[name])
        .with_env("GRAPE_BOOTSTRAP", bootstrap)
        .with_exposed_ports(GRAPE_API_PORT)
        .waiting_for(HealthcheckWaitStrategy())
    )


def peer(network: Network) -> DockerContainer:
    """A peer on `network` that knows both Grapes; started, it is waited for until it is healthy."""
    return (
        DockerContainer("grapevine-peer", network=network)
        .with_env("GRAPEVINE_GRAPES", "http://grape-1:30001,http://grape-2:30001")
        .with_env("GRAPEVINE_DHT", "grape-1:20001,grape-2:20001")
        .with_exposed_ports(PEER_PORT)
        .waiting_for(HealthcheckWaitStrategy())
    )


def ask_grape(container: DockerContainer, endpoint: str, data: object) -> Any:
    """What the Grape answers, its error strings included."""
    return _post(f"http://{published(container, GRAPE_API_PORT)}/{endpoint}", {"data": data})


def ask_peer(address: str, payload: object) -> Any:
    """What the peer at `address` answers on the key `exchange`; an error string fails the test."""
    _rid, error, answer = _post(f"http://{address}/", ["a-test", "exchange", payload])
    assert error is None, error
    return answer


def published(container: DockerContainer, port: int) -> str:
    """The address on this machine of a container's port; a restart may change it."""
    return f"{container.get_container_host_ip()}:{container.get_exposed_port(port)}"


def eventually(claim: Callable[[], object], within_s: float = 30.0) -> None:
    """Call `claim` until it no longer fails; a refused or broken connection counts as "not yet"."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            claim()
            return
        except (AssertionError, OSError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _post(url: str, body: object) -> Any:
    with urllib.request.urlopen(url, data=json.dumps(body).encode(), timeout=5) as answer:
        return json.loads(answer.read())
