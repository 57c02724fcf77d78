"""Hand-written runs for the checkers: a test says what the ledgers hold, rightly or wrongly, in a few lines.

The rule: it writes exactly what it is told, also what no peer may write; nothing here is judged.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from testbed.accounts import Account, Accounts, Copy
from testbed.evidence import Evidence
from testbed.history import History
from testbed.script import Outcome

NAMES = ("peer-1", "peer-2", "peer-3")
IDS = {name: letter * 24 for name, letter in zip(NAMES, "abc", strict=True)}


@dataclass(frozen=True)
class Placed:
    """An order that the world has placed."""

    id: str
    peer: str
    item: str
    side: str
    price: str
    quantity: str
    time: int = 0

    def shown(self, **other: Any) -> dict[str, Any]:
        """Show this order as a client's door would, before anything has happened to it."""
        terms: dict[str, Any] = {"id": self.id, "item": self.item, "type": self.side, "price": self.price}
        terms |= {"stamp": [self.time, IDS[self.peer]]}
        amounts = {"quantity": self.quantity, "originalQuantity": self.quantity, "filledQuantity": "0"}
        return {**terms, **amounts, "matchedOrders": [], "status": "open", **other}


class World:
    """Ledgers of three peers, and a history; every entry reaches every peer at once, but for those told to be blind."""

    def __init__(self) -> None:
        self.history = History()
        self.time = 0
        self.ledgers: dict[str, list[str]] = {name: [] for name in NAMES}
        self.journals: dict[str, list[tuple[str, str]]] = {name: [] for name in NAMES}
        self.unseen: dict[str, list[tuple[str, str]]] = {name: [] for name in NAMES}
        self.trades: list[dict[str, Any]] = []

    def write(self, peer: str, type_: str, event: dict[str, Any], blind: tuple[str, ...] = ()) -> str:
        """Write an entry into a peer's ledger, and return its id, for which ... stands in the event.

        The blind see it only when all is over.
        """
        self.time += 1
        sequence = len(self.ledgers[peer]) + 1
        id_ = f"{IDS[peer]}-{sequence}"
        named = {key: id_ if value is ... else value for key, value in event.items()}
        text = json.dumps({"sequence": sequence, "time": self.time, "event": {"type": type_, **named}})
        self.ledgers[peer].append(text)
        for holder in NAMES:
            (self.unseen if holder in blind else self.journals)[holder].append((peer, text))
        return id_

    def place(
        self, peer: str, side: str, quantity: str, price: str, blind: tuple[str, ...] = (), **event: Any
    ) -> Placed:
        """Place an order for X."""
        terms = {"item": "X", "side": side, "price": price, "quantity": quantity}
        id_ = self.write(peer, "ORDER_PLACED", {"id": ..., **terms, **event}, blind)
        return Placed(id_, peer, "X", side, price, quantity, self.time)

    def open(self, taker: Placed, maker: Placed, quantity: str, blind: tuple[str, ...] = ()) -> str:
        """Reserve a part of the taker for a fill, and return the fill's id."""
        terms = {"taker": taker.id, "maker": maker.id, "quantity": quantity, "limit": taker.price}
        return self.write(taker.peer, "FILL_OPENED", {"fillId": ..., **terms}, blind)

    def grant(self, fill: str, taker: Placed, maker: Placed, granted: str, remaining: str, **event: Any) -> None:
        """Decide a fill in the maker's ledger."""
        terms = {"fillId": fill, "taker": taker.id, "maker": maker.id, "granted": granted, "price": maker.price}
        self.write(maker.peer, "FILL_GRANTED", {**terms, "remaining": remaining, **event})
        if granted != "0":
            self._trade(fill, taker, maker, granted)

    def close(self, fill: str, taker: Placed, maker: Placed, granted: str, remaining: str, **event: Any) -> None:
        """Note the decision of a fill in the taker's ledger."""
        terms = {"fillId": fill, "taker": taker.id, "maker": maker.id, "granted": granted, "price": maker.price}
        self.write(taker.peer, "FILL_CLOSED", {**terms, "time": self.time, "remaining": remaining, **event})

    def fill(self, taker: Placed, maker: Placed, quantity: str, taker_left: str, maker_left: str) -> str:
        """Open, grant and close a fill, as it should be."""
        fill = self.open(taker, maker, quantity)
        self.grant(fill, taker, maker, quantity, maker_left)
        self.close(fill, taker, maker, quantity, taker_left)
        return fill

    def trade(self, taker: Placed, maker: Placed, quantity: str, taker_left: str, maker_left: str) -> None:
        """Trade two orders of one peer with each other."""
        terms = {"taker": taker.id, "maker": maker.id, "quantity": quantity, "price": maker.price}
        left = {"takerRemaining": taker_left, "makerRemaining": maker_left}
        id_ = self.write(taker.peer, "ORDERS_TRADED", {"id": ..., **terms, **left})
        self._trade(id_, taker, maker, quantity)

    def say(self, what: str, outcome: Outcome | None, asked: dict[str, Any], answer: Any = None) -> None:
        """Add an operation to the history; with the outcome None it never ends."""
        self.time += 1
        number = self.history.invoke("client", what, asked, self.time)
        if outcome is not None:
            self.history.end(number, "client", what, outcome, answer, self.time + 0.5)

    def submit(self, order: Placed, label: str = "order-1", outcome: Outcome = "ok", error: str = "") -> None:
        """Add the submission of an order to the history."""
        terms = {"item": order.item, "type": order.side, "price": order.price, "quantity": order.quantity}
        asked = {"peer": order.peer, "order": {**terms, "clientId": "client", "clientOrderId": label}}
        self.say("submit", outcome, asked, order.shown() if outcome == "ok" else {"error": error})

    def evidence(self, *, quiet: bool = True, living: tuple[str, ...] = NAMES) -> Evidence:
        """Return what the living peers show."""
        ledgers = {holder: self._copies(holder) for holder in living}
        vector = {IDS[name]: [len(texts), head(texts)] for name, texts in self.ledgers.items()}
        return Evidence(
            quiet=quiet,
            peer_ids=IDS,
            living=living,
            statuses={holder: {"vector": dict(vector), "digest": "d"} for holder in living},
            ledgers=ledgers,
            books={holder: {"X": self._book()} for holder in living},
            trades={holder: {"X": list(self.trades)} for holder in living},
        )

    def sum_up(self, peer: str, **told: Any) -> None:
        """Write a snapshot of one part that tells of nothing else."""
        kinds = ("orders", "fills", "holds", "grants", "closings", "evictions")
        self.write(peer, "SNAPSHOT", {"part": 1, "parts": 1, **{kind: [] for kind in kinds}, **told})

    def _book(self) -> dict[str, Any]:
        """Show the book that the ledgers give, as far as they can be read at all."""
        lines = [line for copy in self._copies(NAMES[0]).values() for line in copy.lines()]
        try:
            orders = [order for order in Accounts().read(lines).orders.values() if order.remaining]
        except (LookupError, ValueError):
            orders = []
        bids = sorted((o for o in orders if o.side == "buy"), key=lambda order: (-order.price, order.stamp))
        asks = sorted((o for o in orders if o.side == "sell"), key=lambda order: (order.price, order.stamp))
        return {"buyOrders": [*map(_shown, bids)], "sellOrders": [*map(_shown, asks)], "filledOrders": []}

    def _copies(self, holder: str) -> dict[str, Copy]:
        came = list(enumerate([*self.journals[holder], *self.unseen[holder]], 1))
        found: dict[str, Copy] = {}
        for name in NAMES:
            mine = [(position, text) for position, (peer, text) in came if peer == name]
            positions, texts = tuple(position for position, _ in mine), tuple(text for _, text in mine)
            found[IDS[name]] = Copy(IDS[name], texts, positions)
        return found

    def _trade(self, id_: str, taker: Placed, maker: Placed, quantity: str) -> None:
        orders = {"makerOrderId": maker.id, "takerOrderId": taker.id}
        self.trades.append({"id": id_, "item": "X", "price": maker.price, "quantity": quantity, **orders})


def _shown(order: Account) -> dict[str, str]:
    amounts = {"quantity": str(order.remaining), "filledQuantity": str(order.filled)}
    amounts["reservedQuantity"] = str(order.reserved)
    return {"id": order.id, "price": str(order.price), **amounts}


def head(texts: list[str]) -> str:
    """Return the hash that a ledger of these entries ends with."""
    found = "00" * 32
    for text in texts:
        found = hashlib.sha256(f"{found}{text}".encode()).hexdigest()
    return found


def from_its_snapshot(copy: Copy) -> Copy:
    """Return a copy as one holds it that has started over from the first snapshot in it."""
    first = next(line.sequence for line in copy.lines() if line.event["type"] == "SNAPSHOT")
    before = list(copy.texts[: first - 1])
    return Copy(copy.owner, copy.texts[first - 1 :], copy.positions[first - 1 :], {first: head(before)})
