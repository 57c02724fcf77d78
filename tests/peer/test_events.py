"""Events: what an entry of a ledger may say."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from peer.events import (
    Entry,
    Event,
    EvictionJoined,
    EvictionProposed,
    FillClosed,
    FillGranted,
    FillOpened,
    GrantState,
    HoldState,
    OrderCancelled,
    OrderPlaced,
    OrderState,
    OrdersTraded,
    PeerFenced,
    Snapshot,
    TradeState,
    read_entry,
    read_state,
    write_state,
)
from peer.ledger import write_entry
from tests.peer.actors import identity

ME, OTHER = identity(1).peer_id, identity(2).peer_id
PAIR = f'"taker":"{ME}-1","maker":"{OTHER}-1"'

# Every kind of event, and the text that it has in a ledger: what was once written must be readable for ever.
TEXTS: list[tuple[Event, str]] = [
    (
        OrderPlaced(id=f"{ME}-7", item="X", side="buy", price=150_000_000, quantity=1),
        f'"type":"ORDER_PLACED","id":"{ME}-7","item":"X","side":"buy","price":"1.5","quantity":"0.00000001",'
        '"timeInForce":"GTC"',
    ),
    (
        OrderPlaced(
            id=f"{ME}-7", item="X", side="sell", price=10**8, quantity=2 * 10**8, client_id='"ü', client_order_id="1"
        ),
        f'"type":"ORDER_PLACED","id":"{ME}-7","item":"X","side":"sell","price":"1","quantity":"2",'
        '"timeInForce":"GTC","clientId":"\\"ü","clientOrderId":"1"',
    ),
    (
        EvictionProposed(peer_id=OTHER, voters=(ME,), forced=False),
        f'"type":"EVICTION_PROPOSED","peerId":"{OTHER}","voters":["{ME}"],"forced":false',
    ),
    (
        EvictionJoined(peer_id=OTHER, sequence=0, hash="00" * 32),
        f'"type":"EVICTION_JOINED","peerId":"{OTHER}","sequence":0,"hash":"{"00" * 32}"',
    ),
    (
        PeerFenced(peer_id=OTHER, sequence=7, hash="ab" * 32),
        f'"type":"PEER_FENCED","peerId":"{OTHER}","sequence":7,"hash":"{"ab" * 32}"',
    ),
    (OrderCancelled(id=f"{ME}-1", remaining=0), f'"type":"ORDER_CANCELLED","id":"{ME}-1","remaining":"0"'),
    (
        FillOpened(fill_id=f"{ME}-7", taker=f"{ME}-1", maker=f"{OTHER}-1", quantity=10**8, limit=10**9),
        f'"type":"FILL_OPENED","fillId":"{ME}-7",{PAIR},"quantity":"1","limit":"10"',
    ),
    (
        FillGranted(fill_id=f"{ME}-2", taker=f"{ME}-1", maker=f"{OTHER}-1", granted=0, price=10**8, remaining=5),
        f'"type":"FILL_GRANTED","fillId":"{ME}-2",{PAIR},"granted":"0","price":"1","remaining":"0.00000005"',
    ),
    (
        FillClosed(
            fill_id=f"{ME}-2", taker=f"{ME}-1", maker=f"{OTHER}-1", granted=1, price=10**8, time=12, remaining=10**19
        ),
        f'"type":"FILL_CLOSED","fillId":"{ME}-2",{PAIR},"granted":"0.00000001","price":"1","time":12,'
        '"remaining":"100000000000"',
    ),
    (
        OrdersTraded(
            id=f"{ME}-7",
            taker=f"{ME}-1",
            maker=f"{ME}-2",
            quantity=10**8,
            price=10**8,
            taker_remaining=0,
            maker_remaining=1,
        ),
        f'"type":"ORDERS_TRADED","id":"{ME}-7","taker":"{ME}-1","maker":"{ME}-2","quantity":"1","price":"1",'
        '"takerRemaining":"0","makerRemaining":"0.00000001"',
    ),
    (
        Snapshot(
            part=1,
            parts=2,
            orders=[
                OrderState(
                    placed=OrderPlaced(id=f"{ME}-1", item="X", side="buy", price=10**8, quantity=3),
                    time=12,
                    filled=1,
                    remaining=2,
                    reserved=2,
                    trades=[
                        TradeState(id=f"{ME}-2", maker=f"{OTHER}-1", taker=f"{ME}-1", quantity=1, price=1, time=13)
                    ],
                )
            ],
            fills=[FillOpened(fill_id=f"{ME}-3", taker=f"{ME}-1", maker=f"{OTHER}-1", quantity=2, limit=10**8)],
            holds=[
                HoldState(fill_id=f"{OTHER}-8", maker=f"{ME}-1", taker=f"{OTHER}-1", quantity=1, price=10**8, time=13)
            ],
            grants=[GrantState(fill_id=f"{OTHER}-9", maker=f"{ME}-1", granted=0, price=1, time=14, sequence=5)],
        ),
        f'"type":"SNAPSHOT","part":1,"parts":2,"orders":[{{"placed":{{"type":"ORDER_PLACED","id":"{ME}-1","item":"X",'
        '"side":"buy","price":"1","quantity":"0.00000003","timeInForce":"GTC"},"time":12,"filled":"0.00000001",'
        f'"remaining":"0.00000002","reserved":"0.00000002","cancelled":false,"trades":[{{"id":"{ME}-2",'
        f'"maker":"{OTHER}-1","taker":"{ME}-1","quantity":"0.00000001","price":"0.00000001","time":13}}]}}],'
        f'"fills":[{{"type":"FILL_OPENED","fillId":"{ME}-3",{PAIR},"quantity":"0.00000002","limit":"1"}}],'
        f'"holds":[{{"fillId":"{OTHER}-8","maker":"{ME}-1","taker":"{OTHER}-1","quantity":"0.00000001","price":"1",'
        f'"time":13}}],"grants":[{{"fillId":"{OTHER}-9","maker":"{ME}-1","granted":"0","price":"0.00000001","time":14,'
        '"sequence":5,"decremented":"0"}],"closings":[],"evictions":[]',
    ),
]


@pytest.mark.parametrize(("event", "text"), TEXTS)
def test_an_event_is_written_as_ever_and_read_as_it_was_written(event: Event, text: str) -> None:
    whole = f'{{"sequence":7,"time":9,"event":{{{text}}}}}'
    assert write_entry(7, 9, event) == (Entry(7, 9, event), whole)
    assert read_entry(whole) == Entry(7, 9, event)


@pytest.mark.parametrize(("event", "text"), TEXTS)
def test_an_event_has_no_field_too_many_and_none_under_another_name(event: Event, text: str) -> None:
    renamed = text.replace('"id"', '"ID"').replace('"fillId"', '"fill_id"').replace('"peerId"', '"peer_id"')
    for spoiled in (f'{text},"more":"1"', renamed):
        with pytest.raises(ValidationError):
            read_entry(f'{{"sequence":7,"time":9,"event":{{{spoiled}}}}}')


@pytest.mark.parametrize("granted", ['"-5"', "-5", '"1e3"', "1" + "0" * 30, "1.5", "true", "null", '"1000000000000"'])
def test_an_amount_is_a_bounded_decimal_that_is_not_negative(granted: str) -> None:
    rest = f'"fillId":"{ME}-2","granted":{granted},"price":"1","time":1'
    with pytest.raises(ValidationError, match="granted"):
        read_entry(
            f'{{"sequence":1,"time":1,"event":{{"type":"FILL_CLOSED",{rest},"taker":"{ME}-1","maker":"{OTHER}-1",'
            '"remaining":"0"}}'
        )


def test_the_state_of_an_order_is_kept_as_a_text_and_read_as_it_was() -> None:
    placed = OrderPlaced(id=f"{ME}-1", item="X", side="sell", price=10**8, quantity=3, client_id="ann")
    state = OrderState(placed=placed, time=12, filled=3, remaining=0, reserved=0, cancelled=True)
    assert read_state(write_state(state)) == state
