"""Watching peers: what counts as up, as quiet, as evidence."""

from __future__ import annotations

import math
from functools import partial

import pytest

from pygrenache import RpcClient
from testbed.driver import Driver
from testbed.observer import NoQuiet, Observer, machine_overload
from testbed.script import Buy, Script
from tests.testbed.little import LittleCluster


def one_order() -> Script:
    yield Buy("peer-1", "1", "X", at="1")


async def test_peers_that_show_the_same_are_quiet(driver: Driver, observer: Observer) -> None:
    await driver.play(one_order())
    await observer.quiet()


async def test_a_peer_that_has_read_less_is_not_quiet(
    driver: Driver, observer: Observer, little: LittleCluster
) -> None:
    await driver.play(one_order())
    little.lags = "peer-2"
    with pytest.raises(NoQuiet, match="all living peers have come to rest"):
        await observer.quiet()


async def test_a_fill_in_doubt_is_not_quiet(driver: Driver, observer: Observer, little: LittleCluster) -> None:
    little.in_doubt = ["a fill"]
    with pytest.raises(NoQuiet):
        await observer.quiet()


async def test_a_peer_that_another_does_not_reach_is_not_quiet(
    driver: Driver, observer: Observer, little: LittleCluster
) -> None:
    little.states["peer-2"] = "silent"
    with pytest.raises(NoQuiet):
        await observer.quiet()
    with pytest.raises(NoQuiet, match="found each other"):
        await observer.acquainted()


async def test_nobody_waits_for_a_process_that_has_crashed(observer: Observer, little: LittleCluster) -> None:
    await little.start("peer-1")
    await little.kill("peer-1")
    little.ended = ["peer-1 ended by itself with exit code 1"]
    with pytest.raises(NoQuiet, match="peer-1 ended by itself"):
        await observer.up("peer-1")


async def test_the_evidence_is_what_each_living_peer_shows(driver: Driver, observer: Observer) -> None:
    await driver.play(one_order())
    evidence = await observer.collect(quiet=True)
    assert evidence.living == ("peer-1", "peer-2")
    assert [order.id for order in evidence.accounts().orders.values()] == ["peer-1-1"]
    assert set(evidence.books["peer-2"]) == {"X"}


async def test_a_peer_that_shows_nothing_in_the_end_is_not_at_rest(
    driver: Driver, observer: Observer, little: LittleCluster
) -> None:
    await little.kill("peer-2")
    evidence = await observer.collect(quiet=True)
    assert (evidence.quiet, evidence.living, set(evidence.ledgers)) == (False, ("peer-1",), {"peer-1"})


async def test_many_peers_are_given_more_time(little: LittleCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.observer.BOUND_S", 0.02)

    async def never() -> bool:
        return False

    client = RpcClient()
    for peers, bound in ((5, "in 0.02 s"), (30, "in 0.06 s")):
        with pytest.raises(NoQuiet, match=bound):
            await Observer(little, client, peers=peers).until("it is so", never)
    await client.close()


async def test_a_machine_that_cannot_keep_up_is_given_more_time_but_not_for_ever(little: LittleCluster) -> None:
    async def never() -> bool:
        return False

    client = RpcClient()
    for overload, bound in ((1.0, "in 0.02 s"), (3.0, "in 0.06 s"), (50.0, "in 0.08 s")):
        observer = Observer(little, client, bound_s=0.02, overload=partial(float, overload))
        with pytest.raises(NoQuiet, match=bound):
            await observer.until("it is so", never)
    await client.close()


def test_a_machine_is_never_less_than_busy() -> None:
    assert 1.0 <= machine_overload() < math.inf
