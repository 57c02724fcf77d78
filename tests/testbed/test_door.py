"""The client's door, seen from the testbed."""

from __future__ import annotations

import json
from typing import Any

from peer.admission import Network
from peer.requests import EvictPeer, read_request
from pygrenache import Address, ConnectFailed, ConnectionLost, RemoteError, RequestTimeout
from testbed.door import Door, eviction_of, outcome_of
from testbed.driver import Driver
from testbed.observer import Observer
from testbed.script import Buy, Script


async def test_a_ledger_is_read_to_its_last_page(driver: Driver, observer: Observer) -> None:
    def script() -> Script:
        for _ in range(3):
            yield Buy("peer-1", "1", "X", at="1")

    await driver.play(script())
    copy = await observer.door("peer-2").ledger("peer-1")
    assert [line.sequence for line in copy.lines()] == [1, 2, 3]
    assert copy.positions == (1, 2, 3)
    assert copy.is_whole


def test_an_operators_request_is_one_that_a_peer_of_the_same_network_takes() -> None:
    for force in (False, True):
        asked = eviction_of("a" * 24, "b" * 24, force=force, key=b"ours")
        request = read_request(asked)
        assert isinstance(request, EvictPeer)
        assert Network(b"ours").authorises("b" * 24, request)
        assert not Network(b"theirs").authorises("b" * 24, request)


def test_only_a_refusal_or_a_failed_connection_surely_had_no_effect() -> None:
    assert outcome_of(RemoteError("ERR_INVALID_PRICE: no")) == "fail"
    assert outcome_of(ConnectFailed("refused")) == "fail"
    for doubtful in (RemoteError("ERR_INTERNAL: a bug"), ConnectionLost("reset"), RequestTimeout("late")):
        assert outcome_of(doubtful) == "info"


class Forgetful:
    """A peer that holds four entries of a ledger, and has forgotten the first two when the second page is asked."""

    async def request_at(self, address: Address, key: str, payload: Any) -> Any:
        """Return a page of one entry."""
        after = payload["after"] if payload["after"] == 0 else max(payload["after"], 2)
        text = json.dumps({"sequence": after + 1, "time": 1, "event": {}})
        batch = {"first": after + 1, "base": "aa" * 32, "entries": [text]}
        return {"ledger": batch, "positions": [after + 7]} if after < 4 else {}

    async def close(self) -> None:
        """Hold nothing."""


async def test_what_is_forgotten_while_a_ledger_is_read_is_left_out() -> None:
    copy = await Door(Forgetful(), Address("nowhere", 1)).ledger("peer-1")
    assert [line.sequence for line in copy.lines()] == [3, 4]
    assert (copy.positions, copy.bases, copy.is_whole) == ((9, 10), {3: "aa" * 32}, False)
