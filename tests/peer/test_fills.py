"""What is known of fills: the same trade, whichever side's word arrives first."""

from __future__ import annotations

from peer.events import read_entry
from peer.fills import Trade
from peer.market import Market
from tests.peer.actors import ITEM, UNIT, Author, identity


def test_what_was_held_and_then_traded_is_one_trade_with_one_time_by_either_sides_word() -> None:
    makers, takers = Author(1), Author(2)
    maker = makers.place("sell", 10, 5)
    taker = takers.place("buy", 10, 5, time_in_force="FOK")
    fill = takers.open_fill(taker, maker, 5, 10, hold=True)
    makers.hold(fill.fill_id, taker, maker, 5, price=10)
    held_at = read_entry(makers.texts[-1]).time
    makers.grant(fill.fill_id, taker, maker, 5, price=10, remaining=0)
    takers.close(fill, 5, price=10, remaining=0, time=held_at)
    known = []
    for order in ((makers, takers), (takers, makers)):
        market = Market(identity(3).peer_id)
        for author in order:
            for text in author.texts:
                market.apply(author.id, read_entry(text))
        known.append(market.trades)
    assert known[0] == known[1]
    assert list(known[0].values()) == [Trade(fill.fill_id, ITEM, 10 * UNIT, 5 * UNIT, maker, taker, held_at)]
