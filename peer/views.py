"""What clients are shown: orders, books, trades, status, as the JSON objects of the client's door. Pure."""

from __future__ import annotations

from itertools import islice
from typing import Any

from peer.amounts import format_lots
from peer.contacts import Contact
from peer.exchange import Exchange
from peer.fills import Trade
from peer.market import Market
from peer.order import SHOWN_TRADES, Order
from peer.schema import owner_of

MAX_SHOWN_FILLS = 1000


def accepted(order: Order) -> dict[str, Any]:
    """Show an order as it was when it was accepted, whatever happened since: a repeated submission gets this again."""
    quantity = format_lots(order.original)
    return {
        **_terms(order),
        "quantity": quantity,
        "originalQuantity": quantity,
        "filledQuantity": "0",
        "reservedQuantity": "0",
        "matchedOrders": [],
        "status": "open",
    }


def order(market: Market, order: Order) -> dict[str, Any]:
    """Show an order as it stands: `quantity` remains, of which `reservedQuantity` waits for fills' decisions."""
    shown = {
        **_terms(order),
        "quantity": format_lots(order.remaining),
        "originalQuantity": format_lots(order.original),
        "filledQuantity": format_lots(order.filled),
        "reservedQuantity": format_lots(order.reserved),
        "matchedOrders": [_matched(order, trade) for trade in order.trades[-SHOWN_TRADES:]],
        "status": status(market, order),
    }
    if order.reason is not None:
        shown["reason"] = order.reason
    if market.is_away(order.peer_id):
        shown["halted"] = True
    return shown


def status(market: Market, order: Order) -> str:
    """Tell in one word how an order stands.

    `filled`; `expired` (what could not be taken at once); `cancelled`; `void` (its owner has been evicted, and what
    remained is gone); `cancelling` (cancelled, but undecided fills may still take what they reserved); `in_doubt` (an
    undecided fill waits for an owner who is out of reach); `reserved` (all that remains waits for undecided fills);
    `partially_filled`; `open`.
    """
    if order.is_filled:
        return "filled"
    if not order.remaining:
        return "expired" if order.reason == "expired" else "cancelled"
    if order.void:
        return "void"
    if order.cancelled:
        return "cancelling"
    if order.reserved and _is_in_doubt(market, order):
        return "in_doubt"
    if order.reserved == order.remaining:
        return "reserved"
    return "partially_filled" if order.filled else "open"


def _is_in_doubt(market: Market, order: Order) -> bool:
    # Whether an open fill of it waits for an owner who is out of reach.
    asked = [fill for fill in market.fills.values() if fill.taker == order.id]
    waits = [fill.maker for fill in asked if (fill.fill_id, fill.maker) not in market.grants]
    waits += [hold.taker for (_, maker), hold in market.holds.items() if maker == order.id]
    return any(market.is_away(owner_of(id)) for id in waits)


def orderbook(market: Market, item: str, limit: int) -> dict[str, Any]:
    """Show an item's book: orders of which something remains, best first, and the latest that were filled."""
    filled = _latest(market.filled.get(item, []), limit)
    return {
        "type": "ORDERBOOK",
        "item": item,
        "buyOrders": _side(market, item, True, limit),
        "sellOrders": _side(market, item, False, limit),
        "filledOrders": [order(market, market.orders[id]) for _, id in filled],
    }


def trades(market: Market, item: str | None, limit: int) -> dict[str, Any]:
    """Show the latest trades of an item or of all, each once, oldest first."""
    items = [item] if item is not None else list(market.trade_times)
    latest = _latest([time for name in items for time in _latest(market.trade_times.get(name, []), limit)], limit)
    return {"type": "TRADES", "trades": [_trade(market.trades[key]) for _, key in latest]}


def peer_status(exchange: Exchange) -> dict[str, Any]:
    """Show this peer: who it reaches, how far it has read, what is open in all books, what it waits for."""
    contacts, fences = exchange.contacts.values(), exchange.market.fences
    shown = {
        "type": "STATUS",
        "peerId": exchange.me,
        "peers": [_contact(exchange, contact.peer_id) for contact in contacts],
        "vector": {peer_id: list(exchange.ledgers.heads[peer_id]) for peer_id in sorted(exchange.ledgers.heads)},
        "digest": exchange.market.digest.hex(),
        "inDoubt": _in_doubt(exchange.market),
        "forks": [_fork(exchange, peer_id) for peer_id in exchange.forks.proven],
        "evictions": [eviction(exchange, peer_id) for peer_id in sorted(fences.leaving())],
        "clock": exchange.ledgers.clock,
    }
    if fence := fences.fence(exchange.me):
        shown["fenced"] = {"sequence": fence.sequence, "voided": exchange.ledgers.own.sequence - fence.sequence}
    return shown


def eviction(exchange: Exchange, peer_id: str) -> dict[str, Any]:
    """Show how far an eviction has come, and every fence that contradicts the one that counts here."""
    fences = exchange.market.fences
    fence = fences.fence(peer_id)
    shown: dict[str, Any] = {
        "peerId": peer_id,
        "state": "fenced" if fences.is_done(peer_id) else "proposed",
        "waitingFor": fences.waiting_for(peer_id),
    }
    if fence is not None:
        shown |= {"sequence": fence.sequence, "hash": fence.hash}
    others = {other: head for other, head in sorted(fences.fenced.get(peer_id, {}).items()) if head != fence}
    if others:
        shown["contradictedBy"] = {other: list(head) for other, head in others.items()}
    return shown


def _latest(known: list[Any], limit: int) -> list[Any]:
    # Sorting a list that is sorted but for its end costs about as much as reading it.
    known.sort()
    return known[-limit:]


def _terms(order: Order) -> dict[str, Any]:
    terms: dict[str, Any] = {
        "id": order.id,
        "item": order.item,
        "type": "buy" if order.is_buy else "sell",
        "peerId": order.peer_id,
        "stamp": list(order.key),
        "timeInForce": order.time_in_force,
    }
    if order.has_limit:
        terms["price"] = format_lots(order.price)
    if order.post_only:
        terms["postOnly"] = True
    if order.prevention is not None:
        terms["selfTradePrevention"] = order.prevention
    if order.replaces is not None:
        terms["replaces"] = order.replaces
    if order.client_id is not None:
        terms["clientId"] = order.client_id
    if order.client_order_id is not None:
        terms["clientOrderId"] = order.client_order_id
    return terms


def _side(market: Market, item: str, is_buy: bool, limit: int) -> list[dict[str, Any]]:
    # Not the matching book: that one leaves out what is reserved, claimed or halted; these are still orders.
    resting = [order for order in market.resting(item) if order.is_buy == is_buy]
    resting.sort(key=lambda order: (-order.price if is_buy else order.price, order.key))
    return [order(market, each) for each in resting[:limit]]


def _matched(own: Order, trade: Trade) -> dict[str, Any]:
    other = trade.taker if own.id == trade.maker else trade.maker
    return {
        "id": trade.id,
        "orderId": other,
        "peerId": owner_of(other),
        "price": format_lots(trade.price),
        "quantity": format_lots(trade.quantity),
    }


def _trade(trade: Trade) -> dict[str, Any]:
    return {
        "id": trade.id,
        "item": trade.item,
        "price": format_lots(trade.price),
        "quantity": format_lots(trade.quantity),
        "makerOrderId": trade.maker,
        "takerOrderId": trade.taker,
        "makerPeerId": owner_of(trade.maker),
        "takerPeerId": owner_of(trade.taker),
        "time": trade.time,
    }


def _in_doubt(market: Market) -> list[dict[str, Any]]:
    # Both sides of it: who waits for a decision, and who holds something for one who has yet to decide.
    fills = islice(market.own_fills(), MAX_SHOWN_FILLS)
    held = islice(market.own_holds(), MAX_SHOWN_FILLS)
    return [_doubt(fill.fill_id, fill.taker, fill.maker, fill.quantity) for fill in fills] + [
        _doubt(fill_id, hold.taker, maker, hold.quantity) for (fill_id, maker), hold in held
    ]


def _doubt(fill_id: str, taker: str, maker: str, quantity: int) -> dict[str, Any]:
    return {"fillId": fill_id, "taker": taker, "maker": maker, "quantity": format_lots(quantity)}


def _fork(exchange: Exchange, peer_id: str) -> dict[str, Any]:
    sequence, ours, theirs = exchange.forks.hashes(peer_id)
    return {"peerId": peer_id, "sequence": sequence, "ours": ours, "theirs": theirs}


def _state(exchange: Exchange, contact: Contact) -> str:
    if exchange.market.fences.fence(contact.peer_id) is not None:
        return "fenced"
    if contact.stranger:
        return "stranger"
    return "reachable" if contact.reachable else "silent"


def _contact(exchange: Exchange, peer_id: str) -> dict[str, Any]:
    contact = exchange.contacts[peer_id]
    shown: dict[str, Any] = {
        "peerId": peer_id,
        "state": _state(exchange, contact),
        "sequence": contact.has(exchange.me),
    }
    if contact.skewed:
        shown["skewed"] = True
    if contact.refused is not None:
        shown["refused"] = contact.refused
    return shown
