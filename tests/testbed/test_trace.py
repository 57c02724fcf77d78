"""What concerns a violation."""

from __future__ import annotations

from testbed.accounts import Copy
from testbed.evidence import Verdict
from testbed.history import History
from testbed.trace import MAX_LINES, concerned, told
from tests.testbed.world import IDS, World


def violated(line: str) -> Verdict:
    return Verdict("no_overfill", "violated", line, (line,))


def test_the_entries_and_requests_of_a_named_order_are_told_and_no_others() -> None:
    world = World()
    bid = world.place("peer-1", "buy", "10", "100")
    other = world.place("peer-3", "sell", "1", "200")
    world.submit(bid)
    world.submit(other)
    ask = world.place("peer-2", "sell", "4", "99")
    world.fill(ask, bid, "4", taker_left="0", maker_left="6")
    lines = concerned(world.history, world.evidence(), violated("peer-1-1: 12 filled and 0 reserved of 10"))
    assert lines == [
        "3.000 s  client: submit at peer-1: ok peer-1-1",
        "peer-1 #1  ORDER_PLACED id peer-1-1 item X side buy price 100 quantity 10",
        "peer-2 #1  ORDER_PLACED id peer-2-1 item X side sell price 99 quantity 4",
        "peer-2 #2  FILL_OPENED fillId peer-2-2 taker peer-2-1 maker peer-1-1 quantity 4 limit 99",
        "peer-1 #2  FILL_GRANTED fillId peer-2-2 taker peer-2-1 maker peer-1-1 granted 4 price 100 remaining 6",
        "peer-2 #3  FILL_CLOSED fillId peer-2-2 taker peer-2-1 maker peer-1-1 granted 4 price 100 time 7 remaining 0",
    ]


def test_of_a_long_story_the_end_is_told() -> None:
    world = World()
    bid = world.place("peer-1", "buy", "100", "100")
    for left in range(99, 79, -1):
        ask = world.place("peer-2", "sell", "1", "100")
        world.fill(ask, bid, "1", taker_left="0", maker_left=str(left))
    lines = concerned(world.history, world.evidence(), violated("peer-1-1: 101 filled"))
    assert len(lines) == MAX_LINES + 1
    assert lines[0] == "... 65 earlier ones"
    assert lines[-1].endswith("remaining 0")


def test_only_violations_are_told_of() -> None:
    world = World()
    world.place("peer-1", "buy", "1", "1")
    verdicts = [Verdict("a", "valid", "peer-1-1 is fine"), violated("peer-1-1: wrong"), violated("bought is not sold")]
    assert [name for name, _ in told(world.history, world.evidence(), verdicts)] == ["no_overfill"]


def test_ledgers_that_make_no_sense_concern_nobody() -> None:
    evidence = World().evidence()
    evidence.ledgers["peer-1"][IDS["peer-1"]] = Copy(IDS["peer-1"], ("{",), (1,))
    assert concerned(History(), evidence, violated("peer-1-1: wrong")) == []
