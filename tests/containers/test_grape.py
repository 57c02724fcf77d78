"""The Grape image, alone and as a network of two."""

from __future__ import annotations

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from tests.containers.containers import USER_ID, ask_grape, eventually, grape

pytestmark = pytest.mark.docker

# Which names a restart hits depends on where the first letter falls between the ids of the two Grapes.
NAMES = ["broadcast", "exchange", "exchange:k1", "Alpha", "0", "kilo", "papa", "zulu"]


def test_a_healthy_grape_answers_a_lookup(grapes: list[DockerContainer]) -> None:
    assert ask_grape(grapes[0], "lookup", "nobody") == []


def test_a_grape_is_not_root(grapes: list[DockerContainer]) -> None:
    assert grapes[0].exec("id -u").output.decode().strip() == USER_ID


def test_a_grape_ends_by_itself_on_sigterm_even_without_an_init_process(network: Network) -> None:
    with grape(network, "grape-3", bootstrap="nobody:20001") as ending:
        ending.get_wrapped_container().stop(timeout=20)
        assert ending.wait() == 0, "137 would mean that it had to be killed"


def test_what_is_announced_at_one_grape_is_found_at_the_other(grapes: list[DockerContainer]) -> None:
    eventually(lambda: announce(grapes[0], "somebody"))
    assert [found.rpartition(":")[2] for found in ask_grape(grapes[1], "lookup", "somebody")] == ["4321"]


@pytest.mark.parametrize("restarted", [0, 1])
def test_two_grapes_survive_the_restart_of_either(grapes: list[DockerContainer], restarted: int) -> None:
    eventually(lambda: announce_all(grapes))
    grapes[restarted].get_wrapped_container().restart(timeout=5)
    eventually(lambda: announce_all(grapes))


def test_a_grape_that_is_told_of_no_other_says_so_and_ends(images: None) -> None:
    with DockerContainer("grapevine-grape") as lonely:
        assert lonely.wait() == 2
        assert b"GRAPE_BOOTSTRAP names no other Grape" in lonely.get_logs()[1]


def announce(container: DockerContainer, name: str) -> None:
    """The other Grape stores what is announced; the lookup before clears the memory of a failed announce."""
    ask_grape(container, "lookup", name)
    assert ask_grape(container, "announce", [name, 4321]) == 1


def announce_all(grapes: list[DockerContainer]) -> None:
    for container in grapes:
        for name in NAMES:
            announce(container, name)
