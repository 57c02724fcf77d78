"""The checker of single entries: what cannot follow from the ledger before it is found, in the owner's words alone."""

from __future__ import annotations

from testbed.entry_checks import follows
from testbed.history import History
from tests.testbed.world import IDS, Placed, World


def crossing(world: World) -> tuple[Placed, Placed]:
    return world.place("peer-1", "buy", "10", "100"), world.place("peer-2", "sell", "4", "99")


def sentence(world: World) -> str:
    return follows(History(), world.evidence()).sentence


def test_every_way_that_an_order_can_go_follows() -> None:
    world = World()
    bid, ask = crossing(world)
    world.fill(ask, bid, "3", taker_left="1", maker_left="7")
    fill = world.open(ask, bid, "1")
    world.write("peer-2", "ORDER_CANCELLED", {"id": ask.id, "remaining": "1"})
    world.grant(fill, ask, bid, "0", "7")
    world.close(fill, ask, bid, "0", "0")
    world.write("peer-1", "ORDER_CANCELLED", {"id": bid.id, "remaining": "0"})
    assert sentence(world) == "each of 10 ledger entries follows from those before it"


def test_a_fill_that_is_still_in_doubt_follows() -> None:
    world = World()
    bid, ask = crossing(world)
    world.open(ask, bid, "4")
    assert follows(History(), world.evidence(quiet=False)).kind == "valid"


def test_what_remains_must_add_up_in_every_entry_and_not_only_at_the_end() -> None:
    world = World()
    bid, ask = crossing(world)
    world.grant(world.open(ask, bid, "2"), ask, bid, "2", "2")
    world.grant(world.open(ask, bid, "2"), ask, bid, "2", "6")
    assert sentence(world) == "entry 2 of peer-1 says that 2 of peer-1-1 remain, and 8 do"


def test_a_cancel_leaves_what_is_reserved_and_nothing_else() -> None:
    world = World()
    bid, _ = crossing(world)
    world.write("peer-1", "ORDER_CANCELLED", {"id": bid.id, "remaining": "4"})
    assert sentence(world) == "entry 2 of peer-1 says that 4 of peer-1-1 remain, and 0 do"


def test_a_cancelled_order_trades_no_more() -> None:
    world = World()
    bid, ask = crossing(world)
    world.write("peer-1", "ORDER_CANCELLED", {"id": bid.id, "remaining": "0"})
    world.grant(world.open(ask, bid, "4"), ask, bid, "4", "0")
    assert sentence(world) == "entry 3 of peer-1 trades peer-1-1 beyond the 0 that its cancel left to it"


def test_an_order_bears_the_name_of_its_entry() -> None:
    world = World()
    bid, _ = crossing(world)
    world.write("peer-1", "ORDER_PLACED", {"id": bid.id, "item": "X", "side": "buy", "price": "1", "quantity": "1"})
    assert sentence(world) == "peer-1-1 was made by entry 2 of peer-1"


def test_the_clock_of_a_ledger_never_goes_back() -> None:
    world = World()
    crossing(world)
    world.time = 0
    crossing(world)
    assert "the clock went back in entry 2 of peer-1" in sentence(world)


def test_a_refusal_says_truly_what_there_is() -> None:
    world = World()
    bid, ask = crossing(world)
    fill = world.open(ask, bid, "4")
    world.grant(fill, ask, bid, "0", "9")
    assert sentence(world) == "entry 2 of peer-1 says that 9 of peer-1-1 remain, and 10 do"


def test_what_is_reduced_or_held_leaves_what_it_says() -> None:
    world = World()
    bid, ask = world.place("peer-1", "buy", "9", "100"), world.place("peer-2", "sell", "3", "100")
    world.write("peer-1", "ORDER_REDUCED", {"id": bid.id, "remaining": "5"})
    fill = world.open(ask, bid, "3")
    terms = {"fillId": fill, "taker": ask.id, "maker": bid.id, "price": "100"}
    world.write("peer-1", "FILL_HELD", {**terms, "held": "3"})
    refused = {**terms, "fillId": f"{IDS['peer-3']}-9", "held": "0"}
    world.write("peer-1", "FILL_HELD", refused)
    world.grant(fill, ask, bid, "3", "2")
    assert follows(History(), world.evidence()).kind == "valid"


def test_a_reduction_below_what_is_reserved_is_found() -> None:
    world = World()
    bid, ask = world.place("peer-1", "buy", "9", "100"), world.place("peer-2", "sell", "5", "100")
    world.open(ask, bid, "3")
    world.write("peer-2", "ORDER_REDUCED", {"id": ask.id, "remaining": "2"})
    assert "leaves 2 of peer-2-1, of which 3 is reserved" in follows(History(), world.evidence()).sentence


def test_a_closing_needs_an_opening_between_the_same_orders() -> None:
    world = World()
    bid, ask = crossing(world)
    other = world.place("peer-1", "buy", "10", "100")
    world.close(world.open(ask, bid, "4"), ask, other, "4", "0")
    assert "was not open between these two orders" in sentence(world)


def test_what_is_held_is_granted_whole_or_not_at_all_and_at_the_makers_price() -> None:
    for held, granted, price, told in (("4", "3", "100", "grants 3 of 4"), ("4", "4", "101", "holds at 101")):
        world = World()
        bid, ask = crossing(world)
        fill = world.open(ask, bid, "4")
        terms = {"fillId": fill, "taker": ask.id, "maker": bid.id, "price": price}
        world.write("peer-1", "FILL_HELD", {**terms, "held": held})
        world.grant(fill, ask, bid, granted, str(10 - int(granted)))
        assert told in sentence(world)


def test_a_reduction_leaves_less() -> None:
    world = World()
    bid, _ = crossing(world)
    world.write("peer-1", "ORDER_REDUCED", {"id": bid.id, "remaining": "10"})
    assert "no less than before" in sentence(world)
