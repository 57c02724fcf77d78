"""The account of a run: what people are told."""

from __future__ import annotations

from dataclasses import replace

from testbed.checkers import judge
from testbed.evidence import Verdict
from testbed.history import History
from testbed.report import MAX_EVIDENCE, account
from tests.testbed.world import World


def traded(times: int = 1) -> World:
    world = World()
    for _ in range(times):
        bid = world.place("peer-1", "buy", "10", "100")
        ask = world.place("peer-2", "sell", "4", "99.5")
        world.fill(ask, bid, "4", taker_left="0", maker_left="6")
    return world


def test_an_account_tells_of_orders_trades_and_checks() -> None:
    evidence = traded().evidence()
    told = account(History(), evidence, judge(History(), evidence), 0)
    assert "orders   peer-1-1  buys   10 X at 100  4 filled, 6 open\n" in told
    assert "         peer-2-1  sells  4 X at 99.5  4 filled\n" in told
    assert "trades   peer-2-1  took  4 X at 100  from peer-1-1\n" in told
    assert "✓ conservation " in told
    assert told.endswith("everything holds")


def test_an_eviction_is_told_and_what_it_made_void() -> None:
    world = traded()
    lost = world.evidence().peer_ids["peer-1"]
    world.write("peer-2", "PEER_FENCED", {"peerId": lost, "sequence": 2, "hash": "00" * 32})
    world.say("evict", "ok", {"peer": "peer-2", "peerId": lost}, {"state": "fenced"})
    told = account(world.history, world.evidence(living=("peer-2", "peer-3")), [], 0)
    assert "evict peer-1 at peer-2: ok\n" in told
    assert "4 filled, 6 void\n" in told


def test_the_book_is_told_once_where_all_peers_show_the_same() -> None:
    evidence = traded().evidence()
    order = {"id": f"{evidence.peer_ids['peer-1']}-1", "quantity": "6", "price": "100"}
    for books in evidence.books.values():
        books["X"]["buyOrders"].append(order)
    told = account(History(), evidence, [], 0)
    assert "book     X, the same on all 3 peers\n           buy  6  at 100  peer-1-1\n" in told
    evidence.books["peer-3"]["X"]["buyOrders"].clear()
    told = account(History(), evidence, [], 1)
    assert "X on peer-2" in told
    assert "X on peer-3\n           empty" in told


def test_many_orders_that_are_alike_are_counted() -> None:
    told = account(History(), traded(20).evidence(), [], 0)
    assert "orders   20 x  peer-1  buys   10 X at 100  4 filled, 6 open\n" in told
    assert "trades   20 x  peer-2  took  4 X at 100  from peer-1\n" in told


def test_a_violation_is_told_with_its_evidence() -> None:
    lines = tuple(f"peer-1-{number}: wrong" for number in range(MAX_EVIDENCE + 3))
    told = account(History(), World().evidence(), [Verdict("no_overfill", "violated", lines[0], lines)], 1)
    assert "✗ no_overfill      peer-1-0: wrong\n" in told
    assert "... and 2 more in verdict.json" in told
    assert told.endswith("VIOLATED: a promise was broken")


def test_faults_and_crashes_are_told() -> None:
    world = World()
    world.say("kill", "ok", {"peer": "peer-1"})
    evidence = replace(world.evidence(living=("peer-2",)), crashed=("peer-3 ended by itself with exit code 1",))
    told = account(world.history, evidence, [], 4)
    assert "faults     1.00 s  kill peer-1, took 0.50 s\n" in told
    assert "crashed  peer-3 ended by itself with exit code 1\n" in told
    assert "peer-1  aaaaaa…  0 ledger entries, down at the end\n" in told


def test_ledgers_that_make_no_sense_do_not_stop_the_account() -> None:
    world = World()
    world.write("peer-1", "GIFT", {})
    assert "ledgers  cannot be read: ValueError" in account(History(), world.evidence(), [], 1)


def test_colour_is_only_where_it_is_wanted() -> None:
    verdicts = [Verdict("x", "valid", "y")]
    assert "\x1b[32m✓\x1b[0m" in account(History(), World().evidence(), verdicts, 0, colour=True)
    assert "\x1b" not in account(History(), World().evidence(), verdicts, 0)
