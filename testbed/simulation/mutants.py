"""Known bugs, planted in the peers from outside one at a time: a campaign that cannot find them proves nothing.

The rule: a mutant breaks one rule of the protocol by replacing one or two functions of the peer; the peer's own code
has no switches. What the peers themselves refuse (and so never agree, or end) is told apart from what a checker finds:
each bug is also planted together with leave to pass (`testbed.simulation.guards`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import peer.ledgers
from peer import views
from peer.book import Book
from peer.desk import Reply
from peer.events import FillGranted, FillOpened, read_entry
from peer.exchange import Exchange
from peer.fills import Grant
from peer.ledger import Continuation, chained, continuation
from peer.ledgers import Ledgers, Record
from peer.market import Market
from peer.messages import Contents, FillOrder, LedgerBatch, OrderFilled
from peer.node import Asked, Node, Output
from peer.order import Order
from peer.schema import Head, owner_of
from peer.trader import Trader
from testbed.simulation.disk import Disk
from testbed.simulation.guards import GUARDS, Patch
from testbed.simulation.process import Answer, Process

MUTANTS: dict[str, Mutant] = {}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug: what a peer does wrong, and which attributes of what are replaced by what."""

    name: str
    does: str
    patches: Callable[[], list[Patch]]

    @contextmanager
    def planted(self, *, guarded: bool = True) -> Iterator[None]:
        """Plant the bug in all peers of this process, let their guards go if they are to, and take all out again."""
        lenient = () if guarded else GUARDS.get(self.name, ())
        with ExitStack() as undo:
            for owner, name, replacement in [*self.patches(), *(patch() for patch in lenient)]:
                undo.callback(setattr, owner, name, getattr(owner, name))
                setattr(owner, name, replacement)
            yield


def mutant(patches: Callable[[], list[Patch]]) -> Callable[[], list[Patch]]:
    """Enter a bug into MUTANTS, under its function's name; its docstring says what a peer does wrong."""
    name = patches.__name__.strip("_")
    MUTANTS[name] = Mutant(name, (patches.__doc__ or "").rstrip("."), patches)
    return patches


@mutant
def _releases_on_a_timer() -> list[Patch]:
    """Closes a fill with nothing when no decision has come for half a second."""
    receive = Node.receive
    opened: WeakKeyDictionary[Node, dict[str, float]] = WeakKeyDictionary()

    def hasty(node: Node, inbound: Any, now: float) -> Output:
        since = opened.setdefault(node, {})
        for fill in list(node.exchange.market.own_fills()):
            if now - since.setdefault(fill.fill_id, now) > 0.5:
                _close_with_nothing(node.exchange, fill, now)
        return receive(node, inbound, now)

    return [(Node, "receive", hasty)]


@mutant
def _takes_a_timeout_for_a_no() -> list[Patch]:
    """Closes a fill with nothing when the call that asked for it has failed."""
    failed = Exchange.failed

    def hasty(exchange: Exchange, peer_id: str, now: float, turned_away: str | None = None) -> None:
        failed(exchange, peer_id, now, turned_away)
        for fill in list(exchange.market.waiting_for(peer_id)):
            _close_with_nothing(exchange, fill, now)

    return [(Exchange, "failed", hasty)]


def _close_with_nothing(exchange: Exchange, fill: FillOpened, now: float) -> None:
    exchange.trader.close(fill, Grant(0, fill.limit, 1, 0), now)


@mutant
def _decides_a_repeated_question_anew() -> list[Patch]:
    """Forgets what it decided when it is asked for the same fill again."""
    hear = Exchange.hear

    def forgetful(exchange: Exchange, sender: str, said: Contents, now: float) -> Any:
        market = exchange.market
        for message in said.messages:
            if isinstance(message, FillOrder) and (message.fill_id, message.maker) in market.grants:
                _ask_again(market, market.fills.get(message.fill_id))
        return hear(exchange, sender, said, now)

    return [(Exchange, "hear", forgetful)]


@mutant
def _keeps_decisions_in_memory_only() -> list[Patch]:
    """Does not know after a restart what it had decided of fills that are still open."""
    restore = Ledgers.restore

    def blank(ledgers: Ledgers, record: Record) -> None:
        restore(ledgers, record)
        event = read_entry(record.text).event
        if isinstance(event, FillGranted) and record.peer_id == ledgers._me:
            _ask_again(ledgers._market, ledgers._market.fills.get(event.fill_id))

    return [(Ledgers, "restore", blank)]


@mutant
def _drops_old_decisions() -> list[Patch]:
    """Keeps the last two decisions only, and decides what it is asked and does not know."""
    granted, hear = Market._granted, Exchange.hear
    last: WeakKeyDictionary[Market, list[tuple[str, str]]] = WeakKeyDictionary()

    def short(market: Market, peer_id: str, entry: Any, event: FillGranted) -> None:
        granted(market, peer_id, entry, event)
        if peer_id == market.me:
            kept = last.setdefault(market, [])
            kept.append((event.fill_id, event.maker))
            if len(kept) > 2:
                market.grants.pop(kept.pop(0), None)

    def eager(exchange: Exchange, sender: str, said: Contents, now: float) -> Any:
        market = exchange.market
        for message in said.messages:
            if isinstance(message, FillOrder) and (message.fill_id, message.maker) not in market.grants:
                _ask_again(market, market.fills.get(message.fill_id))
        return hear(exchange, sender, said, now)

    return [(Market, "_granted", short), (Exchange, "hear", eager)]


def _ask_again(market: Market, fill: FillOpened | None) -> None:
    if fill is not None and owner_of(fill.maker) == market.me:
        market.grants.pop((fill.fill_id, fill.maker), None)
        market.asked[fill.fill_id] = fill


@mutant
def _answers_before_it_commits() -> list[Patch]:
    """Answers clients while it is still writing: an end amid the commit takes back what they have been told."""
    commit, end_amid, step = Node._commit, Process._end_amid, Node._step
    drafts: WeakKeyDictionary[Node, list[Callable[[], Reply]]] = WeakKeyDictionary()
    told: WeakKeyDictionary[Node, list[Reply]] = WeakKeyDictionary()

    def noted(node: Node, inbound: Any, now: float) -> Callable[[], Reply]:
        draft = step(node, inbound, now)
        to_client = isinstance(inbound, Asked) and inbound.payload["type"] != "ENVELOPE"
        drafts.setdefault(node, []).append(draft if to_client else lambda: None)
        return draft

    def late(node: Node) -> None:
        told[node] = [draft() for draft in drafts.pop(node, [])]
        commit(node)
        del told[node]

    def having_spoken(process: Process, waiting: list[tuple[Any, Answer]]) -> None:
        replies = told.pop(process.node, None) if process.node is not None else None
        if replies is None:
            end_amid(process, waiting)
            return
        process.end()
        for (_, answer), reply in zip(waiting, replies, strict=True):
            answer(reply)

    return [(Node, "_step", noted), (Node, "_commit", late), (Process, "_end_amid", having_spoken)]


@mutant
def _sends_before_it_commits() -> list[Patch]:
    """Tells others what only the next commit will bring to the disk."""
    append, bases = Disk.append, Disk.bases
    pending: WeakKeyDictionary[Disk, bool] = WeakKeyDictionary()

    def behind(disk: Disk, entries: Any, **more: Any) -> None:
        pending[disk] = False
        append(disk, entries, **more)
        pending[disk] = True

    def lost(disk: Disk) -> dict[str, Head]:
        if pending.pop(disk, False):
            disk.rewind(len(disk.commits) - 1)
        return bases(disk)

    return [(Disk, "append", behind), (Disk, "bases", lost)]


@mutant
def _does_not_force_its_entries_to_the_disk() -> list[Patch]:
    """Leaves its own entries, too, where a power cut takes them."""
    append = Disk.append
    return [(Disk, "append", lambda disk, entries, **more: append(disk, entries, **(more | {"durable": False})))]


@mutant
def _takes_later_makers() -> list[Patch]:
    """Takes whatever its orders cross, also what came later than they."""
    return [(Book, "match", _match_whatever_crosses)]


@mutant
def _lets_both_sides_take() -> list[Patch]:
    """Lets every order of its own that crosses another one take, whichever of the two is the later one."""

    def all_of_them(book: Book[Order], peer_id: str) -> list[Order]:
        bids, asks = list(book.ranked(True)), list(book.ranked(False))
        mine = [order for order in bids + asks if order.peer_id == peer_id]
        return [order for order in mine if any(order.crosses(other) for other in bids + asks)]

    return [(Book, "match", _match_whatever_crosses), (Book, "takers", all_of_them)]


def _match_whatever_crosses(book: Book[Order], taker: Order) -> Iterator[tuple[Order, int]]:
    for maker in list(book.ranked(not taker.is_buy)):
        if taker.open and taker.crosses(maker):
            yield maker, min(taker.open, maker.open)


@mutant
def _serves_the_latest_first() -> list[Patch]:
    """Of makers at one price takes the one that came last."""

    def unfair(book: Book[Order], taker: Order) -> Iterator[tuple[Order, int]]:
        sign = 1 if taker.is_buy else -1
        makers = [maker for maker in book.ranked(not taker.is_buy, taker.price) if maker.key < taker.key]
        for maker in sorted(makers, key=lambda maker: (sign * maker.price, -maker.key[0])):
            if taker.open:
                yield maker, min(taker.open, maker.open)

    return [(Book, "match", unfair)]


@mutant
def _swallows_gaps() -> list[Patch]:
    """Appends to a copy what does not continue it."""

    def careless(head: Head, batch: LedgerBatch, verify: Any) -> Continuation:
        if batch.first <= head.sequence + 1:
            return continuation(head, batch, verify)
        heads = [Head(batch.first - 1)]
        for text in batch.entries:
            heads.append(chained(heads[-1], text))
        return Continuation([read_entry(text) for text in batch.entries], batch.entries, heads[1:])

    return [(peer.ledgers, "continuation", careless)]


@mutant
def _writes_differences() -> list[Patch]:
    """Writes how much a maker has lost, where what remains of it belongs."""
    write = Ledgers.write

    def relative(ledgers: Ledgers, event: Any, now: float) -> None:
        if isinstance(event, FillGranted):
            event = replace(event, remaining=event.granted)
        write(ledgers, event, now)

    return [(Ledgers, "write", relative)]


@mutant
def _uses_ids_again_after_a_restart() -> list[Patch]:
    """Counts its orders and fills from one again in every life."""
    resume = Exchange.resume
    before: WeakKeyDictionary[Ledgers, int] = WeakKeyDictionary()

    def resumed(exchange: Exchange, now: float) -> None:
        before[exchange.ledgers] = exchange.ledgers.own.sequence
        resume(exchange, now)

    def from_one(ledgers: Ledgers) -> str:
        return f"{ledgers._me}-{ledgers.own.sequence + 1 - before.get(ledgers, 0)}"

    return [(Exchange, "resume", resumed), (Ledgers, "next_id", from_one)]


@mutant
def _cancels_what_is_reserved() -> list[Patch]:
    """Tells the client that all of a cancelled order is gone, though fills may still take what they reserved."""
    shown = views.order

    def gone(market: Market, order: Order) -> dict[str, Any]:
        told = shown(market, order)
        if order.cancelled and order.remaining:
            told |= {"quantity": "0", "reservedQuantity": "0", "status": "cancelled"}
        return told

    return [(views, "order", gone)]


@mutant
def _cancels_in_memory_only() -> list[Patch]:
    """Acknowledges a cancel that it has not written."""

    def unwritten(trader: Trader, order: Order, now: float) -> None:
        order.cancelled, order.remaining = True, order.reserved
        trader._market._changed(order)

    return [(Trader, "cancel", unwritten)]


@mutant
def _edits_a_copy_after_a_refusal() -> list[Patch]:
    """Takes a maker that granted less than was asked for used up, in its copy of somebody else's ledger."""
    hear = Exchange.hear

    def presuming(exchange: Exchange, sender: str, said: Contents, now: float) -> Any:
        market = exchange.market
        for message in said.messages:
            fill = market.fills.get(message.fill_id) if isinstance(message, OrderFilled) else None
            if fill is not None and isinstance(message, OrderFilled) and message.granted < fill.quantity:
                maker = market.orders[fill.maker]
                maker.remaining = maker.reserved
                market._changed(maker)
        return hear(exchange, sender, said, now)

    return [(Exchange, "hear", presuming)]


@mutant
def _takes_its_clock_back() -> list[Patch]:
    """Starts with the machine's clock, whatever it stamped in its last life."""
    restore = Ledgers.restore

    def blank(ledgers: Ledgers, record: Record) -> None:
        restore(ledgers, record)
        ledgers.clock = 0

    return [(Ledgers, "restore", blank)]


@mutant
def _does_not_reserve() -> list[Patch]:
    """Goes on trading with what an open fill has already been promised."""
    return [(Order, "reserved", property(lambda order: 0, lambda order, lots: None))]


@mutant
def _grants_what_is_asked() -> list[Patch]:
    """Grants a fill in full, whatever is left of the maker."""
    decide = Trader._decide

    def generous(trader: Trader, fill: FillOpened, now: float) -> None:
        maker, taker = trader._market.orders.get(fill.maker), trader._market.orders[fill.taker]
        if fill.hold or maker is None or taker.prevents(maker):
            decide(trader, fill, now)
            return
        price, left = maker.price, max(0, maker.remaining - fill.quantity)
        granted = FillGranted(
            fill_id=fill.fill_id,
            taker=fill.taker,
            maker=fill.maker,
            granted=fill.quantity,
            price=price,
            remaining=left,
        )
        trader._ledgers.write(granted, now)

    return [(Trader, "_decide", generous)]


@mutant
def _forgets_client_order_ids() -> list[Patch]:
    """Does not know after a restart which orders its clients had submitted."""
    resume = Exchange.resume

    def blank(exchange: Exchange, now: float) -> None:
        exchange.market.by_client.clear()
        resume(exchange, now)

    return [(Exchange, "resume", blank)]


def without_the_rule(claim: str, of: ModuleType = peer.market) -> Patch:
    """Return the patch by which peers no longer hold ledgers against one of the market's rules."""
    require = of._require

    def lenient(holds: bool, rule: str) -> None:
        require(holds or claim in rule, rule)

    return (of, "_require", lenient)
