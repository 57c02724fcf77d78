"""What several tests of the testbed use."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pygrenache import RpcClient
from testbed.driver import Driver
from testbed.history import History
from testbed.observer import Observer
from tests.testbed.little import LittleCluster


@pytest.fixture
async def little() -> AsyncIterator[LittleCluster]:
    """A cluster of toy peers, none of them started."""
    cluster = LittleCluster()
    yield cluster
    await cluster.close()


@pytest.fixture
async def observer(little: LittleCluster) -> AsyncIterator[Observer]:
    """An observer of the toys that does not wait long for what will never be."""
    client = RpcClient()
    yield Observer(little, client, bound_s=0.3)
    await client.close()


@pytest.fixture
def history() -> History:
    """An empty history."""
    return History()


@pytest.fixture
async def driver(little: LittleCluster, observer: Observer, history: History) -> Driver:
    """A driver of two toys that are up."""
    driver = Driver(little, observer, history)
    await driver.start(["peer-1", "peer-2"])
    return driver
