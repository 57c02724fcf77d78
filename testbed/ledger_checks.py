"""Checkers of what the ledgers themselves say: amounts, prices, chains, copies. Pure.

Each takes the history and the evidence and returns one verdict. They know the protocol's promises and nothing of how
a peer keeps them. Those that only hold at rest are in doubt if the run never came to rest.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from testbed.accounts import ZERO, Account, Accounts, Copy, Trade, owner_of
from testbed.evidence import MOST_SHOWN, Evidence, Verdict, longer, many
from testbed.history import History

# How many orders of a side a book shows at least, where there are so many.
LEAST_SHOWN = 1_000
# The hash before the first entry of a ledger.
NOTHING = "00" * 32
NOT_AT_REST = "the run never came to rest, so this cannot be judged"


def no_overfill(history: History, evidence: Evidence) -> Verdict:
    """Filled + reserved <= original, for every order, in every prefix of every ledger."""
    wrong: list[str] = []
    prefixes = 0
    for copy in _different_copies(evidence):
        accounts = Accounts()
        for line in copy.lines():
            prefixes += 1
            for account in accounts.apply(line):
                wrong += _overfilled(evidence, account, line.sequence)
    return _verdict(
        "no_overfill",
        wrong,
        f"no order was ever filled beyond its quantity, in {many(prefixes, 'ledger prefix', 'ledger prefixes')}",
    )


def agreed_trades(history: History, evidence: Evidence) -> Verdict:
    """Each trade stands once on each side, with the same orders, price and quantity; and every peer shows it."""
    if not evidence.quiet:
        return Verdict("agreed_trades", "unknown", NOT_AT_REST)
    accounts = evidence.accounts()
    wrong = [*_one_sided(evidence, accounts), *_not_as_asked(evidence, accounts)]
    halves = accounts.half_trades()
    whole = all(copy.is_whole for copy in evidence.best_copies().values())
    told: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for trade in sorted([*accounts.trades().values(), *halves], key=lambda trade: (trade.time, trade.id)):
        told[_item_of(accounts, trade)][trade.id] = _tell_trade(evidence, trade)
    latest = {id_: trade for trades in told.values() for id_, trade in list(trades.items())[-MOST_SHOWN:]}
    for peer, items in evidence.trades.items():
        shown = [_tell_shown(evidence, trade) for trades in items.values() for trade in trades]
        held = {latest[id_] for id_ in _trades_held(evidence, peer) if id_ in latest}
        wrong += [f"{peer} does not show: {trade}" for trade in sorted(held - set(shown))]
        if whole:
            invented = sorted(set(shown) - set(latest.values()))
            wrong += [f"{peer} shows what no ledger says: {trade}" for trade in invented]
        wrong += [f"{peer} shows twice: {trade}" for trade, count in sorted(Counter(shown).items()) if count > 1]
    count = len(accounts.trades())
    sentence = f"both sides tell the same of {many(count - len(halves), 'trade')}"
    if halves:
        sentence += f"; of {len(halves)} more one side is void behind a fence: "
        sentence += ", ".join(_tell_trade(evidence, trade) for trade in halves)
    return _verdict("agreed_trades", wrong, sentence)


def conservation(history: History, evidence: Evidence) -> Verdict:
    """Bought = sold for every item, and submitted = filled + open + cancelled + reserved for every order."""
    if not evidence.quiet:
        return Verdict("conservation", "unknown", NOT_AT_REST)
    traded: dict[str, dict[str, Decimal]] = defaultdict(lambda: {"buy": ZERO, "sell": ZERO})
    wrong: list[str] = []
    accounts = evidence.accounts()
    for order in accounts.orders.values():
        traded[order.item][order.side] += order.filled
        if order.filled + order.remaining + order.cancelled != order.original or order.cancelled < 0:
            wrong.append(
                f"{evidence.tell(order.id)}: {order.original} submitted, but {order.filled} filled, "
                f"{order.remaining} left, {order.cancelled} cancelled"
            )
    halves = accounts.half_trades()
    for trade in halves:
        item, void_side = _void_side(accounts, trade)
        traded[item][void_side] += trade.quantity
    # Of what was settled before a ledger begins, one side may be known and the other not.
    whole = all(copy.is_whole for copy in evidence.best_copies().values())
    for item, sides in traded.items():
        if whole and sides["buy"] != sides["sell"]:
            wrong.append(f"{item}: {sides['buy']} bought, but {sides['sell']} sold")
    totals = ", ".join(f"{sides['buy'].normalize():f} {item}" for item, sides in traded.items()) or "nothing"
    if not whole:
        return _verdict("conservation", wrong, "of every order that the ledgers still tell of, nothing vanished")
    void = f", one side of {many(len(halves), 'trade')} void behind a fence" if halves else ""
    return _verdict("conservation", wrong, f"bought and sold alike: {totals}{void}; nothing appeared or vanished")


def converged(history: History, evidence: Evidence) -> Verdict:
    """Every copy equals its owner's ledger; all living peers show the same digest, and the books that ledgers give."""
    if not evidence.quiet:
        return Verdict("converged", "unknown", NOT_AT_REST)
    wrong: list[str] = []
    for owner, best in evidence.best_copies().items():
        for holder in evidence.living:
            copy = evidence.ledgers[holder].get(owner) or Copy(owner, (), ())
            whose = f"{holder}'s copy of {evidence.name_of(owner)}'s ledger"
            if (where := _differs_at(copy, best)) is not None:
                wrong.append(f"{whose} differs at entry {where}")
            elif copy.last != best.last:
                wrong.append(f"{whose} has {copy.last} of {best.last} entries")
    first, *others = evidence.living or ("",)
    wrong += _books_that_no_ledger_gives(evidence, first)
    for peer in others:
        if _books_differ(evidence.books[peer], evidence.books[first]):
            wrong.append(f"{peer}'s books differ from {first}'s")
        if evidence.statuses[peer]["digest"] != evidence.statuses[first]["digest"]:
            wrong.append(f"{peer}'s digest differs from {first}'s")
    entries = sum(len(copy.texts) for copy in evidence.best_copies().values())
    peers = many(len(evidence.living), "peer")
    return _verdict("converged", wrong, f"{peers} hold the same {entries} ledger entries and show the same books")


def uncrossed(history: History, evidence: Evidence) -> Verdict:
    """No two available orders of living peers cross."""
    if not evidence.quiet:
        return Verdict("uncrossed", "unknown", NOT_AT_REST)
    best: dict[tuple[str, str], Account] = {}
    for order in evidence.accounts().orders.values():
        if order.available <= 0 or not evidence.is_living(order.owner):
            continue
        rival = best.get((order.item, order.side))
        ahead = rival is None or (order.price > rival.price if order.side == "buy" else order.price < rival.price)
        if ahead:
            best[order.item, order.side] = order
    wrong = [
        f"{evidence.tell(bid.id)} buys {item} at {bid.price}, {evidence.tell(ask.id)} sells at {ask.price}"
        for (item, side), bid in best.items()
        if side == "buy" and (ask := best.get((item, "sell"))) is not None and bid.crosses(ask)
    ]
    return _verdict("uncrossed", wrong, "no two open orders could still trade with each other")


def limits_kept(history: History, evidence: Evidence) -> Verdict:
    """Every fill is at the maker's price, within the taker's limit, between orders that cross, and the later takes."""
    accounts = evidence.accounts()
    wrong: list[str] = []
    trades = [*accounts.trades().values(), *(trade for trade in accounts.closed.values() if trade.quantity > 0)]
    for trade in trades:
        maker, taker = accounts.orders.get(trade.maker), accounts.orders.get(trade.taker)
        told = _tell_trade(evidence, trade)
        if maker is None or taker is None:
            # The owner of the other order may be gone with what it alone knew.
            continue
        if not maker.crosses(taker):
            wrong.append(f"{told}: the orders do not cross")
        if trade.price != maker.price:
            wrong.append(f"{told}: the maker's price is {maker.price}")
        if not maker.stamp < taker.stamp:
            wrong.append(f"{told}: the maker is the later order")
    for id_, line in accounts.asked.items():
        maker, taker = accounts.orders.get(line.event["maker"]), accounts.orders.get(line.event["taker"])
        if maker is not None and taker is not None and not maker.stamp < taker.stamp:
            wrong.append(
                f"{evidence.tell(id_)}: {evidence.tell(taker.id)} asked the later order {evidence.tell(maker.id)}"
            )
    return _verdict("limits_kept", wrong, "every fill was at the maker's price and within both limits")


def chained(history: History, evidence: Evidence) -> Verdict:
    """Every copy is numbered without a gap and hashes to the head that its holder states."""
    wrong: list[str] = []
    copies = 0
    for holder, ledgers in evidence.ledgers.items():
        for owner, copy in ledgers.items():
            copies += bool(copy.texts)
            what = f"{holder}'s copy of {evidence.name_of(owner)}'s ledger"
            first = min(copy.bases, default=1)
            if [line.sequence for line in copy.lines()] != list(range(first, first + len(copy.texts))):
                wrong.append(f"{what} is not numbered from {first} without a gap")
            length, stated = evidence.statuses[holder]["vector"].get(owner, (0, ""))
            head = chain(copy.texts[: length - first + 1], copy.bases.get(first, NOTHING))
            if first <= length < first + len(copy.texts) and head != stated:
                wrong.append(f"{what} does not hash to the head it states at entry {length}")
    counted = many(copies, "copy", "copies")
    return _verdict("chained", wrong, f"{counted} of ledgers hash to the heads that their holders state")


def _overfilled(evidence: Evidence, account: Account, sequence: int) -> Iterator[str]:
    if account.reserved < 0:
        yield f"{evidence.tell(account.id)} released more than it had reserved, by entry {sequence}"
    if account.filled + account.reserved > account.original:
        yield (
            f"{evidence.tell(account.id)}: {account.filled} filled and {account.reserved} reserved "
            f"of {account.original}, by entry {sequence}"
        )


def _one_sided(evidence: Evidence, accounts: Accounts) -> Iterator[str]:
    for id_, trade in accounts.granted.items():
        closed = accounts.closed.get(id_)
        if not _is_judged(evidence, trade):
            continue
        if closed is None:
            # Where the taker's owner is gone, nobody is left to write the other side.
            if trade.quantity > 0 and evidence.is_living(owner_of(trade.taker)):
                yield f"{_tell_trade(evidence, trade)}: the taker's ledger does not say so"
        elif (closed.maker, closed.taker, closed.quantity) != (trade.maker, trade.taker, trade.quantity) or (
            trade.quantity > 0 and (closed.price, closed.time) != (trade.price, trade.time)
        ):
            yield f"{_tell_trade(evidence, trade)}: the taker's ledger says {_tell_trade(evidence, closed)}"
    for id_, closed in accounts.closed.items():
        maker = owner_of(closed.maker)
        if accounts.asks_to_hold(id_) and (not closed.quantity or maker in accounts.fences):
            # The taker's owner decides such a fill: it may give up before it was answered, and who held may be gone.
            continue
        # Whoever asked all others before it fenced a peer has lost no decision of it; who forced it vouched for that.
        held = evidence.is_living(maker) or (maker in accounts.fences and maker not in accounts.forced)
        is_due = closed.quantity > 0 or maker not in accounts.fences
        if id_ not in accounts.granted and held and is_due and _is_judged(evidence, closed):
            yield f"{_tell_trade(evidence, closed)}: the maker's ledger does not say so"
    for id_, line in accounts.opened.items():
        if evidence.is_living(line.owner) and evidence.is_living(owner_of(line.event["maker"])):
            yield f"{evidence.tell(id_)}: the taker's ledger still waits for the decision"


def _not_as_asked(evidence: Evidence, accounts: Accounts) -> Iterator[str]:
    for id_, trade in accounts.granted.items():
        asked = accounts.asked.get(id_)
        if asked is None:
            if _is_judged(evidence, trade) and evidence.is_living(owner_of(trade.taker)):
                yield f"{_tell_trade(evidence, trade)}: the taker's ledger never asked for it"
            continue
        event = asked.event
        if (event["maker"], event["taker"]) != (trade.maker, trade.taker) or Decimal(
            event["quantity"]
        ) < trade.quantity:
            asked_for = f"{event['quantity']} from {evidence.tell(event['maker'])} for {evidence.tell(event['taker'])}"
            yield f"{_tell_trade(evidence, trade)}: the taker's ledger asked for {asked_for}"


def _books_that_no_ledger_gives(evidence: Evidence, peer: str) -> Iterator[str]:
    accounts = evidence.accounts()
    # What an evicted peer's orders had left is in no book.
    orders = [order for order in accounts.orders.values() if order.owner not in accounts.fences]
    for item, book in evidence.books[peer].items():
        for side in ("buy", "sell"):
            resting = [
                order
                for order in orders
                if (order.item, order.side) == (item, side) and order.remaining and not order.is_immediate
            ]
            resting.sort(key=lambda order: (-order.price if order.side == "buy" else order.price, order.stamp))
            told = [(each.id, each.price, each.remaining, each.filled, each.reserved) for each in resting]
            fields = ("price", "quantity", "filledQuantity", "reservedQuantity")
            shown = [(order["id"], *(Decimal(order[field]) for field in fields)) for order in book[f"{side}Orders"]]
            # A book may be cut off, but not before it has shown so many.
            told = told[: max(len(shown), LEAST_SHOWN)]
            if shown != told:
                has, gives = next(pair for pair in zip_longest(shown, told) if pair[0] != pair[1])
                has, gives = _tell_order(evidence, has), _tell_order(evidence, gives)
                yield f"{peer}'s book of {item} shows {has} where the ledgers give {gives}"


def _tell_order(evidence: Evidence, order: tuple[str, Decimal, Decimal, Decimal, Decimal] | None) -> str:
    if order is None:
        return "no order"
    name, price, quantity, filled, reserved = order
    return f"{evidence.tell(name)} ({quantity} at {price}, {filled} filled, {reserved} reserved)"


def _different_copies(evidence: Evidence) -> list[Copy]:
    # A copy that is a beginning of the best one has no prefix of its own.
    best = evidence.best_copies()
    rest = [
        copy
        for holder in evidence.ledgers
        for owner, copy in evidence.held_by(holder).items()
        if longer(copy, best[owner]) or _differs_at(copy, best[owner]) is not None
    ]
    return [*best.values(), *rest]


def chain(texts: tuple[str, ...], head: str = NOTHING) -> str:
    """Return the hash that a ledger of these entries ends with, after the hash of the entry before them."""
    for text in texts:
        head = hashlib.sha256((head + text).encode()).hexdigest()
    return head


def _differs_at(copy: Copy, best: Copy) -> int | None:
    """Return the number of the first entry that both hold, and not the same."""
    if copy.texts == best.texts[: len(copy.texts)]:
        return None
    true = best.by_number()
    return next((number for number, text in copy.by_number().items() if true.get(number, text) != text), None)


def _trades_held(evidence: Evidence, peer: str) -> set[str]:
    """Return the ids of the trades that a peer's copies tell of, as far as it still holds them."""
    events = [line.event for copy in evidence.ledgers[peer].values() for line in copy.lines()]
    sides = ("FILL_GRANTED", "FILL_CLOSED")
    return {event["fillId"] for event in events if event["type"] in sides} | {
        event["id"] for event in events if event["type"] == "ORDERS_TRADED"
    }


def _books_differ(books: dict[str, Any], others: dict[str, Any]) -> bool:
    """Tell whether two peers show anything open differently, or a filled order that both still know."""
    for item in {**books, **others}:
        book, other = books.get(item, {}), others.get(item, {})
        if any(book.get(side) != other.get(side) for side in ("buyOrders", "sellOrders")):
            return True
        known = {order["id"]: order for order in other.get("filledOrders", ())}
        if any(known.get(order["id"], order) != order for order in book.get("filledOrders", ())):
            return True
    return False


def _is_judged(evidence: Evidence, trade: Trade) -> bool:
    """Tell whether both owners' ledgers are here from the beginning: else one side of it may be forgotten."""
    copies = evidence.best_copies()
    sides = [copies.get(owner_of(id_)) for id_ in (trade.maker, trade.taker)]
    return all(copy is None or copy.is_whole for copy in sides)


def _tell_trade(evidence: Evidence, trade: Trade) -> str:
    maker, taker = evidence.tell(trade.maker), evidence.tell(trade.taker)
    quantity, price = trade.quantity.normalize(), trade.price.normalize()
    return f"{evidence.tell(trade.id)}: {taker} took {quantity:f} at {price:f} from {maker}"


def _tell_shown(evidence: Evidence, shown: dict[str, str]) -> str:
    quantity, price = Decimal(shown["quantity"]), Decimal(shown["price"])
    trade = Trade(shown["id"], shown["makerOrderId"], shown["takerOrderId"], quantity, price, time=0)
    return _tell_trade(evidence, trade)


def _void_side(accounts: Accounts, trade: Trade) -> tuple[str, str]:
    """Return the item, and the side of the order whose owner's ledger ends before it says anything of the trade."""
    known = accounts.orders[trade.maker if trade.id in accounts.granted else trade.taker]
    return known.item, "sell" if known.side == "buy" else "buy"


def _item_of(accounts: Accounts, trade: Trade) -> str:
    order = accounts.orders.get(trade.maker) or accounts.orders.get(trade.taker)
    return order.item if order is not None else ""


def _verdict(name: str, wrong: list[str], sentence: str) -> Verdict:
    if not wrong:
        return Verdict(name, "valid", sentence)
    return Verdict(name, "violated", wrong[0], tuple(wrong))
