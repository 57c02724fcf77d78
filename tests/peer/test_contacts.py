"""Contacts: one envelope at a time, a heartbeat, and silence only after several failures."""

from __future__ import annotations

from math import inf

from peer.contacts import HEARTBEAT_S, SILENT_AFTER_FAILURES, STRANGER_EVERY_S, Contact
from peer.schema import Head


def known(now: float = 100.0) -> Contact:
    contact = Contact("b")
    contact.heard({})
    contact.called(now)
    contact.answered()
    return contact


def silent() -> Contact:
    contact = known()
    for _ in range(SILENT_AFTER_FAILURES):
        contact.failed(100.0)
    return contact


def test_a_newcomer_is_called_at_once() -> None:
    assert Contact("b").next_call(news=False, fills=False) == 0.0


def test_a_stranger_is_tried_seldom_whoever_finds_it_again_and_is_one_no_more_once_heard() -> None:
    contact = Contact("b")
    contact.called(100.0)
    contact.failed(100.0)
    contact.turned_away(100.0, "ERR_NOT_ADMITTED: no")
    contact.discovered()
    assert contact.next_call(news=True, fills=True) == 100.0 + STRANGER_EVERY_S
    assert (contact.reachable, contact.refused) == (False, "ERR_NOT_ADMITTED: no")
    contact.heard({})
    assert (contact.reachable, contact.refused) == (True, None)


def test_at_most_one_envelope_is_under_way() -> None:
    contact = known()
    contact.called(100.0)
    assert contact.next_call(news=True, fills=True) == inf
    contact.answered()
    assert contact.next_call(news=True, fills=True) < 101.0


def test_without_anything_to_say_a_heartbeat_is_due() -> None:
    contact = known(100.0)
    assert contact.next_call(news=False, fills=False) == 100.0 + HEARTBEAT_S
    assert not contact.is_due(100.0 + HEARTBEAT_S / 2)
    assert contact.is_due(100.0 + HEARTBEAT_S)


def test_news_waits_a_little_for_more_of_it_and_a_fill_less() -> None:
    contact = known(100.0)
    news, fills = (contact.next_call(news=True, fills=asked) for asked in (False, True))
    assert 100.0 < fills < news < 100.0 + HEARTBEAT_S


def test_one_failure_is_not_silence_but_several_are() -> None:
    contact = known()
    for _ in range(SILENT_AFTER_FAILURES):
        assert contact.reachable
        contact.called(100.0)
        contact.failed(100.0)
    assert not contact.reachable


def test_only_failures_in_a_row_count() -> None:
    contact = known()
    for _ in range(SILENT_AFTER_FAILURES * 2):
        contact.failed(100.0)
        contact.heard({})
        assert contact.reachable
    contact.failed(100.0)
    assert contact.reachable


def test_after_a_failure_there_is_a_pause_that_grows_and_is_bounded() -> None:
    contact, pauses = known(), []
    for _ in range(20):
        contact.failed(100.0)
        pauses.append(contact.next_call(news=True, fills=True) - 100.0)
    assert 0 < pauses[0] < pauses[1]
    assert pauses[-1] <= HEARTBEAT_S


def test_to_a_silent_peer_only_heartbeats_leave() -> None:
    contact = silent()
    contact.called(200.0)
    contact.under_way = False
    assert contact.next_call(news=True, fills=True) == 200.0 + HEARTBEAT_S


def test_whoever_is_heard_is_reachable_again() -> None:
    contact = silent()
    contact.heard({})
    assert contact.reachable
    assert contact.next_call(news=True, fills=False) < 101.0


def test_a_silent_peer_that_is_found_again_is_called_at_once() -> None:
    contact = silent()
    contact.discovered()
    assert contact.next_call(news=False, fills=False) == 0.0


def test_finding_a_reachable_peer_again_does_not_hurry() -> None:
    contact = known(100.0)
    contact.discovered()
    assert contact.next_call(news=False, fills=False) == 100.0 + HEARTBEAT_S


def test_its_own_word_is_how_far_it_has_read() -> None:
    contact = Contact("b")
    assert contact.has("a") == 0
    contact.heard({"a": Head(7, "00")})
    assert contact.has("a") == 7
    contact.told("a", 9)
    assert contact.has("a") == 9
    contact.heard({"a": Head(7, "00")})
    assert contact.has("a") == 7


def test_on_a_failure_and_on_a_heartbeat_fills_may_be_asked_again() -> None:
    contact = known(100.0)
    contact.asked["a-1"] = None
    contact.called(100.5)
    assert "a-1" in contact.asked
    contact.called(100.0 + 2 * HEARTBEAT_S)
    assert contact.asked == {}
    contact.asked["a-1"] = None
    contact.failed(103.0)
    assert contact.asked == {}
