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

from testbed.accounts import ZERO, Account, Accounts, Copy, Trade, owner_of
from testbed.evidence import MOST_SHOWN, Evidence, Verdict, longer, many
from testbed.history import History

# How many orders of a side a book shows at least, where there are so many.
LEAST_SHOWN = 1_000
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
    told: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for trade in sorted([*accounts.trades().values(), *halves], key=lambda trade: (trade.time, trade.id)):
        told[_item_of(accounts, trade)][_tell_trade(evidence, trade)] = None
    latest = {trade for trades in told.values() for trade in list(trades)[-MOST_SHOWN:]}
    for peer, items in evidence.trades.items():
        shown = [_tell_shown(evidence, trade) for trades in items.values() for trade in trades]
        wrong += [f"{peer} does not show: {trade}" for trade in sorted(latest - set(shown))]
        wrong += [f"{peer} shows what no ledger says: {trade}" for trade in sorted(set(shown) - latest)]
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
    for item, sides in traded.items():
        if sides["buy"] != sides["sell"]:
            wrong.append(f"{item}: {sides['buy']} bought, but {sides['sell']} sold")
    totals = ", ".join(f"{sides['buy'].normalize():f} {item}" for item, sides in traded.items()) or "nothing"
    void = f", one side of {many(len(halves), 'trade')} void behind a fence" if halves else ""
    return _verdict("conservation", wrong, f"bought and sold alike: {totals}{void}; nothing appeared or vanished")


def converged(history: History, evidence: Evidence) -> Verdict:
    """Every copy equals its owner's ledger; all living peers show the same digest, and the books that ledgers give."""
    if not evidence.quiet:
        return Verdict("converged", "unknown", NOT_AT_REST)
    wrong: list[str] = []
    for owner, best in evidence.best_copies().items():
        for holder in evidence.living:
            texts = evidence.ledgers[holder][owner].texts if owner in evidence.ledgers[holder] else ()
            if texts != best.texts:
                where = next((n for n, (a, b) in enumerate(zip(texts, best.texts, strict=False), 1) if a != b), None)
                how = f"differs at entry {where}" if where else f"has {len(texts)} of {len(best.texts)} entries"
                wrong.append(f"{holder}'s copy of {evidence.name_of(owner)}'s ledger {how}")
    first, *others = evidence.living or ("",)
    wrong += _books_that_no_ledger_gives(evidence, first)
    for peer in others:
        if evidence.books[peer] != evidence.books[first]:
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
            if [line.sequence for line in copy.lines()] != list(range(1, len(copy.texts) + 1)):
                wrong.append(f"{what} is not numbered from 1 without a gap")
            length, stated = evidence.statuses[holder]["vector"].get(owner, (0, ""))
            if length <= len(copy.texts) and length and chain(copy.texts[:length]) != stated:
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
        if id_ not in accounts.granted and held and (closed.quantity > 0 or maker not in accounts.fences):
            yield f"{_tell_trade(evidence, closed)}: the maker's ledger does not say so"
    for id_, line in accounts.opened.items():
        if evidence.is_living(line.owner) and evidence.is_living(owner_of(line.event["maker"])):
            yield f"{evidence.tell(id_)}: the taker's ledger still waits for the decision"


def _not_as_asked(evidence: Evidence, accounts: Accounts) -> Iterator[str]:
    for id_, trade in accounts.granted.items():
        asked = accounts.asked.get(id_)
        if asked is None:
            if evidence.is_living(owner_of(trade.taker)):
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
        for copies in evidence.ledgers.values()
        for owner, copy in copies.items()
        if longer(copy, best[owner]) or copy.texts != best[owner].texts[: len(copy.texts)]
    ]
    return [*best.values(), *rest]


def chain(texts: tuple[str, ...]) -> str:
    """Return the hash that a ledger of these entries ends with."""
    head = "00" * 32
    for text in texts:
        head = hashlib.sha256((head + text).encode()).hexdigest()
    return head


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
