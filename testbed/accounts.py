"""The judge's own reading of the ledgers: who ordered, traded, cancelled and reserved what. Pure.

The rule: as plain as can be, and nothing in common with the peer's code; it reads the JSON texts that peers hand out.
Amounts are Decimals, exact for all that a ledger may hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

Stamp: TypeAlias = tuple[int, str]
ZERO = Decimal(0)
# What an order without a limit may have to pay, or to be content with.
WORST = {"buy": Decimal("Infinity"), "sell": ZERO}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a ledger: whose, its number, its owner's clock in microseconds, and what happened."""

    owner: str
    sequence: int
    time: int
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Copy:
    """A ledger as one peer holds it; `positions` say when each entry came into that peer's journal.

    `bases` has, by its number, each entry that follows on a gap, and the hash that it follows: where a copy was started
    over from a snapshot, or what lies before one has been forgotten.
    """

    owner: str
    texts: tuple[str, ...]
    positions: tuple[int, ...]
    bases: dict[int, str] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether every entry from the first on is here."""
        return not self.bases

    @property
    def last(self) -> int:
        """The number of the last entry, 0 if there is none."""
        return self.lines()[-1].sequence if self.texts else 0

    def by_number(self) -> dict[int, str]:
        """Return the texts of the entries by their numbers."""
        return dict(zip((line.sequence for line in self.lines()), self.texts, strict=True))

    def lines(self) -> list[Line]:
        """Read the entries, oldest first."""
        return [_line(self.owner, text) for text in self.texts]


@dataclass(slots=True)
class Account:
    """What the ledgers say of one order: `filled` and `reserved` are summed up from the fills, and `remaining` is what
    its owner wrote last; `cancelled` is what will never trade. Without a limit, the price is the worst there can be."""

    id: str
    owner: str
    item: str
    side: str
    price: Decimal
    original: Decimal
    stamp: Stamp
    client: tuple[str, str] | None
    remaining: Decimal
    filled: Decimal = ZERO
    reserved: Decimal = ZERO
    cancelled: Decimal = ZERO
    is_cancelled: bool = False
    reduced: Decimal = ZERO
    reason: str = ""
    lasts: str = "GTC"
    post_only: bool = False
    prevention: str = ""
    client_id: str = ""
    replaces: str = ""

    @property
    def available(self) -> Decimal:
        """What may still be traded."""
        return ZERO if self.is_cancelled else self.remaining - self.reserved

    @property
    def is_immediate(self) -> bool:
        """Whether it may only take: market, IOC and FOK orders."""
        return self.lasts != "GTC"

    @property
    def limit(self) -> str:
        """The limit price as people write it."""
        return "market" if self.price in WORST.values() else f"{self.price.normalize():f}"

    def prevents(self, maker: Account) -> bool:
        """Whether this order, as the taker, was told not to trade with its own client's orders, and this is one."""
        return bool(self.prevention and self.client_id) and self.client_id == maker.client_id

    def crosses(self, other: Account) -> bool:
        """Whether the two could trade with each other, going by item, side and price."""
        if self.item != other.item or self.side == other.side:
            return False
        buy, sell = (self, other) if self.side == "buy" else (other, self)
        return buy.price >= sell.price


@dataclass(frozen=True, slots=True)
class Trade:
    """One side's record of a fill: the decision, or what the taker learned of it; `time` is the decision's."""

    id: str
    maker: str
    taker: str
    quantity: Decimal
    price: Decimal
    time: int


class Fence(NamedTuple):
    """Where an evicted peer's ledger ends, as one of the others wrote it."""

    sequence: int
    hash: str


@dataclass(slots=True)
class Accounts:
    """Everything that ledgers say, read line by line; lines of one ledger in order, ledgers in any order.

    By fill id: `asked` holds all reservations, `opened` those not yet closed, `held` what makers reserve until decided;
    `granted` and `closed` all decisions and all endings, zeros included. `within` holds trades of two orders of one
    owner. `fences` holds, by the evicted peer and by the writer, where a ledger ends; `forced` the evicted peers for
    whose end somebody vouched. `read_up_to` is the number of the last entry read of each ledger, and `adopting` has the
    ledgers that are being started over from a snapshot.
    """

    orders: dict[str, Account] = field(default_factory=dict)
    asked: dict[str, Line] = field(default_factory=dict)
    opened: dict[str, Line] = field(default_factory=dict)
    granted: dict[str, Trade] = field(default_factory=dict)
    closed: dict[str, Trade] = field(default_factory=dict)
    within: dict[str, Trade] = field(default_factory=dict)
    held: dict[str, Trade] = field(default_factory=dict)
    fences: dict[str, dict[str, Fence]] = field(default_factory=dict)
    forced: dict[str, None] = field(default_factory=dict)
    read_up_to: dict[str, int] = field(default_factory=dict)
    adopting: dict[str, None] = field(default_factory=dict)

    def read(self, lines: Iterable[Line]) -> Accounts:
        """Read lines one after the other, and return these accounts."""
        for line in lines:
            self.apply(line)
        return self

    def apply(self, line: Line) -> list[Account]:
        """Read one line, and return the accounts it changed."""
        event = line.event
        gap = line.sequence != self.read_up_to.get(line.owner, 0) + 1
        self.read_up_to[line.owner] = line.sequence
        match event["type"]:
            case "ORDER_PLACED":
                return [self._place(line)]
            case "ORDER_CANCELLED":
                return [self._cancel(event)]
            case "ORDER_REDUCED":
                return [self._reduce(event)]
            case "FILL_HELD":
                return self._hold(line)
            case "FILL_OPENED":
                self.asked[event["fillId"]] = self.opened[event["fillId"]] = line
                taker = self.orders[event["taker"]]
                taker.reserved += Decimal(event["quantity"])
                return [taker]
            case "FILL_CLOSED":
                return [self._close(event)]
            case "FILL_GRANTED":
                return self._grant(line)
            case "ORDERS_TRADED":
                trade = self.within[event["id"]] = _trade(event, event["id"], event["quantity"], line.time)
                return [
                    _fill(self.orders[trade.maker], trade.quantity, event["makerRemaining"]),
                    _fill(self.orders[trade.taker], trade.quantity, event["takerRemaining"]),
                ]
            case "EVICTION_PROPOSED" | "EVICTION_JOINED" | "PEER_FENCED":
                self._evict(line)
                return []
            case "SNAPSHOT":
                return self._start_over(line, anew=gap)
            case unknown:
                raise ValueError(f"a ledger holds an event of unknown type {unknown!r}")

    def asks_to_hold(self, fill: str) -> bool:
        """Whether the maker's owner was asked to hold for this fill, so that the taker's owner decides it."""
        return fill in self.asked and "hold" in self.asked[fill].event

    def trades(self) -> dict[str, Trade]:
        """Every decision that moved something, by fill id, oldest first: what the owners of the makers wrote."""
        decided = sorted((self.granted | self.within).items(), key=lambda pair: (pair[1].time, pair[0]))
        return {id_: trade for id_, trade in decided if trade.quantity > 0}

    def half_trades(self) -> list[Trade]:
        """Return the trades of which one side is void, because its ledger ends at a fence before it was written."""
        undone = [trade for id_, trade in self.granted.items() if id_ not in self.closed]
        undecided = [trade for id_, trade in self.closed.items() if id_ not in self.granted]
        return [
            *(trade for trade in undone if trade.quantity > 0 and owner_of(trade.taker) in self.fences),
            *(trade for trade in undecided if trade.quantity > 0 and owner_of(trade.maker) in self.fences),
        ]

    def _evict(self, line: Line) -> None:
        event = line.event
        if event["type"] == "PEER_FENCED":
            self.fences.setdefault(event["peerId"], {})[line.owner] = Fence(event["sequence"], event["hash"])
        elif event.get("forced"):
            self.forced[event["peerId"]] = None

    def _start_over(self, line: Line, *, anew: bool) -> list[Account]:
        if anew:
            self.adopting[line.owner] = None
            self.orders = {id_: one for id_, one in self.orders.items() if one.owner != line.owner or not one.remaining}
            self.opened = {id_: fill for id_, fill in self.opened.items() if fill.owner != line.owner}
            self.held = {id_: held for id_, held in self.held.items() if owner_of(held.maker) != line.owner}
        if line.owner not in self.adopting:
            # Whoever has read what it sums up learns nothing from it.
            return []
        if line.event["part"] == line.event["parts"]:
            del self.adopting[line.owner]
        for said in line.event["evictions"]:
            self._evict(replace(line, event=said))
        for held in line.event["holds"]:
            self.held[held["fillId"]] = _trade(held, held["fillId"], held["quantity"], held["time"])
        for fill in line.event["fills"]:
            self.asked[fill["fillId"]] = self.opened[fill["fillId"]] = replace(line, event=fill)
        return [self._take_over(line.owner, order) for order in line.event["orders"]]

    def _take_over(self, owner: str, order: dict[str, Any]) -> Account:
        account = self._place(Line(owner, 0, order["time"], order["placed"]))
        account.filled, account.remaining = Decimal(order["filled"]), Decimal(order["remaining"])
        account.reserved, account.is_cancelled = Decimal(order["reserved"]), order["cancelled"]
        account.reason = order.get("reason", "")
        account.cancelled = account.reduced = account.original - account.filled - account.remaining
        return account

    def _place(self, line: Line) -> Account:
        event = line.event
        quantity = Decimal(event["quantity"])
        label = (event.get("clientId"), event.get("clientOrderId"))
        account = self.orders[event["id"]] = Account(
            id=event["id"],
            owner=line.owner,
            item=event["item"],
            side=event["side"],
            price=Decimal(event["price"]) if "price" in event else WORST[event["side"]],
            original=quantity,
            stamp=(line.time, line.owner),
            client=(label[0] or "", label[1]) if label[1] else None,
            remaining=quantity,
            lasts=event.get("timeInForce", "GTC"),
            post_only=event.get("postOnly", False),
            prevention=event.get("selfTradePrevention", ""),
            client_id=event.get("clientId", ""),
            replaces=event.get("replaces", ""),
        )
        return account

    def _cancel(self, event: dict[str, Any]) -> Account:
        account = self.orders[event["id"]]
        account.is_cancelled = True
        account.reason = event.get("reason", "")
        return _fill(account, ZERO, event["remaining"])

    def _reduce(self, event: dict[str, Any]) -> Account:
        account = self.orders[event["id"]]
        account.reduced += account.remaining - Decimal(event["remaining"])
        account.cancelled = account.reduced
        account.remaining = Decimal(event["remaining"])
        return account

    def _hold(self, line: Line) -> list[Account]:
        event = line.event
        trade = _trade(event, event["fillId"], event["held"], line.time)
        if not trade.quantity:
            # A no, maybe about an order that does not exist: it is the decision.
            self.granted[trade.id] = trade
            return []
        self.held[trade.id] = trade
        self.orders[trade.maker].reserved += trade.quantity
        return [self.orders[trade.maker]]

    def _grant(self, line: Line) -> list[Account]:
        event = line.event
        held = self.held.pop(event["fillId"], None)
        # What was held trades, if it does, as of then: that is the time that both sides know.
        time = held.time if held is not None else line.time
        trade = self.granted[event["fillId"]] = _trade(event, event["fillId"], event["granted"], time)
        if held is not None:
            self.orders[trade.maker].reserved -= held.quantity
        elif not trade.quantity:
            # A refusal may be about an order that does not exist, and changes nothing.
            return []
        return [_fill(self.orders[trade.maker], trade.quantity, event["remaining"])]

    def _close(self, event: dict[str, Any]) -> Account:
        trade = self.closed[event["fillId"]] = _trade(event, event["fillId"], event["granted"], event["time"])
        taker = self.orders[trade.taker]
        # A closing without an opening is left to the checkers: it makes `reserved` negative there.
        opened = self.opened.pop(event["fillId"], None)
        taker.reserved -= Decimal(opened.event["quantity"]) if opened else trade.quantity
        return _fill(taker, trade.quantity, event["remaining"])


def owner_of(id_: str) -> str:
    """Return the peer that made an order or a fill."""
    return id_.rpartition("-")[0]


def _fill(account: Account, quantity: Decimal, remaining: str) -> Account:
    account.filled += quantity
    account.remaining = Decimal(remaining)
    if account.is_cancelled:
        account.cancelled = account.original - account.filled - account.remaining
    return account


# All holders have the same texts, and every checker reads them.
@lru_cache(1 << 17)
def _line(owner: str, text: str) -> Line:
    entry = json.loads(text)
    return Line(owner, entry["sequence"], entry["time"], entry["event"])


def _trade(event: dict[str, Any], id_: str, quantity: str, time: int) -> Trade:
    return Trade(id_, event["maker"], event["taker"], Decimal(quantity), Decimal(event["price"]), time)
