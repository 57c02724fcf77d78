"""The images, and two Grapes in containers of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from tests.containers.containers import grape
from tests.requirements import require_docker

ROOT = Path(__file__).parents[2]
# What is published on this network is published on loopback, whatever the engine's default.
LOOPBACK_ONLY = {"options": {"com.docker.network.bridge.host_binding_ipv4": "127.0.0.1"}}


@pytest.fixture(scope="session")
def images() -> None:
    """The images as the checkout has them."""
    require_docker()
    subprocess.run(["bin/images"], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def network(images: None) -> Iterator[Network]:
    with Network(docker_network_kw=LOOPBACK_ONLY) as network:
        yield network


@pytest.fixture(scope="module")
def grapes(network: Network) -> Iterator[list[DockerContainer]]:
    """Two healthy Grapes that bootstrap from each other by name; a test leaves them so."""
    with ExitStack() as stack:
        pair = [grape(network, "grape-1", "grape-2:20001"), grape(network, "grape-2", "grape-1:20001")]
        yield [stack.enter_context(each) for each in pair]
