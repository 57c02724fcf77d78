"""Who could reach whom: what was done to peers and links tells it, and when an entry was written the clients tell."""

from __future__ import annotations

import math
from typing import Any

from testbed.history import History
from testbed.reach import TALK_AGAIN_S, Reach

LONG = TALK_AGAIN_S + 1.0


def history(*done: tuple[float, str, dict[str, Any]]) -> History:
    """Write a history of operations that each take a tenth of a second."""
    found = History()
    for start_s, what, asked in done:
        number = found.invoke("testbed", what, asked, start_s)
        found.end(number, "testbed", what, "ok", {"id": f"x-{asked.get('sequence', 0)}"}, start_s + 0.1)
    return found


def surely(done: History, one: str, other: str, at_s: float) -> bool:
    return Reach(done).surely(one, other, (at_s, at_s + 1.0))


def link(sender: str = "peer-1", receiver: str = "peer-2") -> dict[str, str]:
    return {"sender": sender, "receiver": receiver}


def weather(loss: float = 0.0, latest_s: float = 0.002) -> dict[str, float]:
    return {"loss": loss, "latest_s": latest_s}


def submit(sequence: int, label: str) -> dict[str, Any]:
    return {"peer": "peer-1", "order": {"clientOrderId": label}, "sequence": sequence}


def test_nothing_is_in_the_way_where_nothing_was_done() -> None:
    assert Reach(History()).surely("peer-1", "peer-2", (-math.inf, math.inf))


def test_a_peer_is_out_of_reach_from_its_end_until_it_has_had_time_to_be_found_again() -> None:
    done = history((10.0, "kill", {"peer": "peer-1"}), (20.0, "restart", {"peer": "peer-1"}))
    found = {at_s: surely(done, "peer-1", "peer-2", at_s) for at_s in (8.0, 9.5, 15.0, 21.0, 20.2 + TALK_AGAIN_S)}
    assert list(found.values()) == [True, False, False, False, True]
    assert surely(done, "peer-2", "peer-1", 8.0)
    assert surely(done, "peer-2", "peer-3", 15.0)


def test_a_peer_that_starts_late_was_not_there_before() -> None:
    done = history((10.0, "start", {"peer": "peer-1"}))
    assert [surely(done, "peer-2", "peer-1", at_s) for at_s in (1.0, 11.0, 10.2 + TALK_AGAIN_S)] == [False, False, True]


def test_a_cut_of_either_direction_parts_these_two_and_nobody_else() -> None:
    done = history((10.0, "cut", link()), (12.0, "mend", link()))
    assert not surely(done, "peer-1", "peer-2", 11.0)
    assert not surely(done, "peer-2", "peer-1", 11.0)
    assert surely(done, "peer-1", "peer-3", 11.0)
    assert surely(done, "peer-1", "peer-2", 12.2 + TALK_AGAIN_S)


def test_a_link_that_was_cut_twice_is_whole_when_it_has_been_mended_twice() -> None:
    done = history((10.0, "cut", link()), (11.0, "cut", link()), (12.0, "mend", link()), (90.0, "mend", link()))
    assert not surely(done, "peer-1", "peer-2", 60.0)
    assert surely(done, "peer-1", "peer-2", 90.2 + TALK_AGAIN_S)


def test_where_messages_are_lost_or_slow_anybody_may_be_out_of_reach() -> None:
    for bad in (weather(loss=0.1), weather(latest_s=1.5)):
        done = history((10.0, "weather", bad), (12.0, "weather", weather()))
        assert [surely(done, "peer-1", "peer-2", at_s) for at_s in (8.0, 11.0, LONG + 12.0)] == [True, False, True]
    assert surely(history((10.0, "weather", weather(latest_s=0.5))), "peer-1", "peer-2", 11.0)


def test_whoever_lies_is_believed_by_nobody() -> None:
    lie = {"peer": "peer-1", "lies": ["old envelopes"]}
    done = history((10.0, "lie", lie), (12.0, "lie", {**lie, "lies": []}))
    assert [surely(done, "peer-2", "peer-1", at_s) for at_s in (8.0, 11.0, LONG + 12.0)] == [True, False, True]


def test_without_a_grape_nobody_is_found_again() -> None:
    killed = [(10.0, "kill", {"peer": name}) for name in ("peer-1", "grape-1")]
    back = [(12.0, "restart", {"peer": "peer-1"}), (90.0, "restart", {"peer": "grape-1"})]
    done = history(*killed, *back)
    assert not surely(done, "peer-1", "peer-2", 60.0)
    assert surely(done, "peer-2", "peer-3", 60.0)
    assert surely(done, "peer-1", "peer-2", 90.2 + TALK_AGAIN_S)


def test_who_is_cut_off_from_a_grape_is_not_found_again_either() -> None:
    down = [(10.0, "kill", {"peer": "peer-1"}), (11.0, "cut", link("peer-1", "grape-2"))]
    back = [(12.0, "restart", {"peer": "peer-1"}), (90.0, "mend", link("peer-1", "grape-2"))]
    done = history(*down, *back)
    assert not surely(done, "peer-1", "peer-2", 60.0)
    assert surely(done, "peer-1", "peer-2", 90.2 + TALK_AGAIN_S)


def test_an_entry_lies_between_the_requests_and_the_answers_around_it() -> None:
    done = history((1.0, "submit", submit(2, "a")), (5.0, "submit", submit(7, "b")), (9.0, "submit", submit(8, "c")))
    writing = Reach(done).writing("peer-1")
    assert [writing.span(sequence) for sequence in (1, 2, 3, 7, 9)] == [
        (-math.inf, 1.1),
        (1.0, 1.1),
        (1.0, 5.1),
        (5.0, 5.1),
        (9.0, math.inf),
    ]
    assert Reach(done).writing("peer-2").span(1) == (-math.inf, math.inf)


def test_an_order_that_is_submitted_again_may_have_been_written_at_first() -> None:
    done = History()
    done.invoke("client", "submit", submit(2, "a"), 1.0)
    again = done.invoke("client", "submit", submit(2, "a"), 5.0)
    done.end(again, "client", "submit", "ok", {"id": "x-2"}, 5.1)
    assert Reach(done).writing("peer-1").span(2) == (1.0, 5.1)
