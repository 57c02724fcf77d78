"""What must hold of a run, judged from the ledgers on the disks by a fold that shares no code with the peer's.

The rule: a checker reads the entries as JSON and says what is wrong, one sentence for each violation.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from peer.views import peer_status
from tests.peer.network import Network


@dataclass(slots=True)
class Account:
    """One order, as its owner's ledger tells it."""

    item: str
    side: str
    price: Decimal
    stamp: tuple[int, str]
    original: Decimal
    client_order_id: str | None
    filled: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    remaining: Decimal = Decimal(0)
    cancelled: bool = False

    @property
    def available(self) -> Decimal:
        """What may still trade."""
        return Decimal(0) if self.cancelled else self.remaining - self.reserved


@dataclass(slots=True)
class Fill:
    """One fill, as both ledgers tell it."""

    opened: dict[str, Any] | None = None
    granted: dict[str, Any] | None = None
    closed: dict[str, Any] | None = None


class Truth:
    """Everything that the owners' own ledgers say, and what in it cannot be."""

    def __init__(self, network: Network) -> None:
        self.orders: dict[str, Account] = {}
        self.fills: dict[str, Fill] = {}
        self.meetings: list[tuple[str, str]] = []
        self.prices: list[tuple[str, str, Decimal]] = []
        self.wrong: list[str] = []
        for peer_id, disk in network.disks.items():
            for record in disk.records():
                if record.peer_id == peer_id:
                    entry = json.loads(record.text)
                    self._fold(peer_id, entry["time"], entry["event"])

    def _fold(self, peer_id: str, time: int, event: dict[str, Any]) -> None:
        match event["type"]:
            case "ORDER_PLACED":
                quantity = Decimal(event["quantity"])
                order = Account(
                    event["item"],
                    event["side"],
                    Decimal(event["price"]),
                    (time, peer_id),
                    quantity,
                    event.get("clientOrderId"),
                    remaining=quantity,
                )
                self.orders[event["id"]] = order
            case "ORDER_CANCELLED":
                order = self.orders[event["id"]]
                order.cancelled, order.remaining = True, order.reserved
            case "FILL_OPENED":
                self._record("opened", event)
                self.orders[event["taker"]].reserved += Decimal(event["quantity"])
                self.meetings.append((event["taker"], event["maker"]))
            case "FILL_GRANTED":
                self._record("granted", event)
                self._trade(event["maker"], event, Decimal(event["granted"]))
            case "FILL_CLOSED":
                self._close(event)
            case "ORDERS_TRADED":
                self.meetings.append((event["taker"], event["maker"]))
                for side in ("maker", "taker"):
                    self._trade(event[side], event, Decimal(event["quantity"]))
        self._check_orders(event)

    def _close(self, event: dict[str, Any]) -> None:
        self._record("closed", event)
        opened = self.fills[event["fillId"]].opened
        assert opened is not None
        order = self.orders[event["taker"]]
        order.reserved -= Decimal(opened["quantity"])
        if order.cancelled:
            order.remaining -= Decimal(opened["quantity"]) - Decimal(event["granted"])
        self._trade(event["taker"], event, Decimal(event["granted"]))

    def _record(self, step: str, event: dict[str, Any]) -> None:
        fill = self.fills.setdefault(event["fillId"], Fill())
        if getattr(fill, step) is not None:
            self.wrong.append(f"fill {event['fillId']} was {step} twice")
        setattr(fill, step, event)

    def _trade(self, order_id: str, event: dict[str, Any], quantity: Decimal) -> None:
        if quantity and order_id in self.orders:
            order = self.orders[order_id]
            order.filled += quantity
            order.remaining -= quantity
            self.prices.append((order_id, event["maker"], Decimal(event["price"])))

    def _check_orders(self, event: dict[str, Any]) -> None:
        for role in ("id", "taker", "maker"):
            order = self.orders.get(event.get(role, ""))
            if order is not None and not 0 <= order.filled + order.reserved <= order.original:
                self.wrong.append(f"no_overfill: {event[role]} after {event['type']}: {order}")


def violations(network: Network) -> list[str]:
    """Return everything that is wrong with a run that has come to rest."""
    if network.faults:
        return network.faults
    truth = Truth(network)
    checkers = (agreed_trades, conservation, durable, converged, uncrossed, limits_kept, later_takes)
    return truth.wrong + [found for checker in checkers for found in checker(network, truth)]


def agreed_trades(network: Network, truth: Truth) -> Iterator[str]:
    """Each fill is opened, decided and closed once, with one amount and one price on both sides."""
    for id, fill in truth.fills.items():
        if fill.opened is None or fill.granted is None or fill.closed is None:
            yield f"agreed_trades: {id} has no end: {fill}"
        elif any(fill.granted[key] != fill.closed[key] for key in ("maker", "taker", "granted", "price")):
            yield f"agreed_trades: {id} reads differently on its two sides: {fill}"


def conservation(network: Network, truth: Truth) -> Iterator[str]:
    """What is bought is what is sold."""
    total: Counter[str] = Counter()
    for order in truth.orders.values():
        lots = int(order.filled * 10**8)
        total[order.item] += lots if order.side == "buy" else -lots
    for item, difference in total.items():
        if difference:
            yield f"conservation: {item} was bought and sold {difference} lots apart"


def durable(network: Network, truth: Truth) -> Iterator[str]:
    """What was acknowledged is there, and once."""
    for client_order_id, id in network.placed.items():
        if id not in truth.orders or truth.orders[id].client_order_id != client_order_id:
            yield f"durable: {client_order_id} was accepted as {id}, which is gone"
    for client_id, count in Counter(order.client_order_id for order in truth.orders.values()).items():
        if count > 1:
            yield f"exactly_once: {client_id} became {count} orders"
    for id in network.cancelled:
        if id not in truth.orders or not truth.orders[id].cancelled:
            yield f"durable: the cancel of {id} is gone"


def converged(network: Network, truth: Truth) -> Iterator[str]:
    """All peers hold the same market, and it is the true one."""
    if len({peer_status(node.exchange)["digest"] for node in network.nodes.values()}) != 1:
        yield "converged: the digests differ"
    for peer_id, node in network.nodes.items():
        shown = {
            id: (order.filled, order.reserved, order.remaining) for id, order in node.exchange.market.orders.items()
        }
        told = {
            id: tuple(int(amount * 10**8) for amount in (order.filled, order.reserved, order.remaining))
            for id, order in truth.orders.items()
        }
        if shown != told:
            yield f"converged: {peer_id} shows other orders than the ledgers tell"


def uncrossed(network: Network, truth: Truth) -> Iterator[str]:
    """No two orders that could trade are left."""
    open_orders = [order for order in truth.orders.values() if order.available]
    for buy in open_orders:
        for sell in open_orders:
            if (buy.side, sell.side, buy.item) == ("buy", "sell", sell.item) and buy.price >= sell.price:
                yield f"uncrossed: {buy} and {sell}"


def limits_kept(network: Network, truth: Truth) -> Iterator[str]:
    """Nobody trades beyond its limit, and the price is the maker's."""
    for id, maker_id, price in truth.prices:
        order, maker = truth.orders[id], truth.orders[maker_id]
        beyond = price > order.price if order.side == "buy" else price < order.price
        if beyond or price != maker.price:
            yield f"limits_kept: {id} traded at {price}"


def later_takes(network: Network, truth: Truth) -> Iterator[str]:
    """Of two orders that meet, the later one asks."""
    for taker_id, maker_id in truth.meetings:
        if truth.orders[taker_id].stamp < truth.orders[maker_id].stamp:
            yield f"later_takes: {taker_id} asked the later {maker_id}"
