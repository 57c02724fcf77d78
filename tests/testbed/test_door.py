"""The client's door, seen from the testbed."""

from __future__ import annotations

from peer.admission import Network
from peer.requests import EvictPeer, read_request
from pygrenache import ConnectFailed, ConnectionLost, RemoteError, RequestTimeout
from testbed.door import eviction_of, outcome_of
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
