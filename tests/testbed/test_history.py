"""Histories: pairs of invocations and ends, also when some are missing."""

from __future__ import annotations

import math

from testbed.history import History, read_history


def test_an_operation_that_never_ended_is_unknown() -> None:
    history = History()
    history.invoke("client", "submit", {"peer": "peer-1"}, 1.0)
    (operation,) = history.operations()
    assert (operation.outcome, operation.end_s, operation.peer) == ("info", None, "peer-1")


def test_concurrent_operations_keep_their_own_ends() -> None:
    history = History()
    first = history.invoke("client.1", "submit", {}, 1.0)
    second = history.invoke("client.2", "submit", {}, 1.1)
    history.end(second, "client.2", "submit", "fail", {"error": "ERR_BUSY: later"}, 1.2)
    history.end(first, "client.1", "submit", "ok", {"id": "a-1"}, 1.3)
    one, two = history.operations()
    assert (one.outcome, one.answer, one.error) == ("ok", {"id": "a-1"}, "")
    assert (two.outcome, two.error) == ("fail", "ERR_BUSY: later")


def test_a_history_is_written_as_it_happens_and_reads_back_the_same() -> None:
    lines: list[str] = []
    history = History(lines.append)
    number = history.invoke("client", "show", {"id": "ä\n"}, 0.5)
    assert len(lines) == 1
    history.end(number, "client", "show", "info", {"error": "timeout"}, 5.5)
    again = read_history(lines)
    assert again.operations() == history.operations()
    assert again.invoke("client", "show", {}, 6.0) == 2


def test_a_last_line_that_was_cut_off_is_left_out() -> None:
    lines: list[str] = []
    history = History(lines.append)
    history.end(history.invoke("client", "show", {}, 0.5), "client", "show", "ok", {}, 0.6)
    (operation,) = read_history([lines[0], lines[1][:20]]).operations()
    assert operation.outcome == "info"


def test_a_peer_is_hurt_from_the_fault_until_the_healing_has_ended() -> None:
    history = History()
    for what, start, end in (("kill", 1.0, 1.1), ("restart", 2.0, 2.5), ("pause", 4.0, 4.1)):
        history.end(history.invoke("testbed", what, {"peer": "peer-1"}, start), "testbed", what, "ok", None, end)
    assert history.hurt() == {"peer-1": [(1.0, 2.5), (4.0, math.inf)]}


def test_a_peer_that_joins_late_is_not_there_before() -> None:
    history = History()
    history.end(history.invoke("testbed", "start", {"peer": "peer-1"}, 2.0), "testbed", "start", "ok", None, 2.5)
    assert history.hurt() == {"peer-1": [(-math.inf, 2.5)]}


def test_a_full_disk_hurts_until_the_restart() -> None:
    history = History()
    for at, what in enumerate(("fill_disk", "free_disk", "restart")):
        history.end(history.invoke("testbed", what, {"peer": "peer-1"}, at), "testbed", what, "ok", None, at)
    assert history.hurt() == {"peer-1": [(0, 2)]}
