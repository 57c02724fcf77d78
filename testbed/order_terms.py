"""Checkers of what an order's own terms promise beyond its limit: when it may trade, and with whom. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.accounts import Account, Accounts, Trade
from testbed.evidence import Evidence, Verdict, many
from testbed.history import History


def never_rests(history: History, evidence: Evidence) -> Verdict:
    """No market, IOC or FOK order is ever anybody's maker, and at rest nothing of one is left."""
    accounts = evidence.accounts()
    wrong = [
        f"{evidence.tell(taker.id)} took from {evidence.tell(maker.id)}, which is {maker.lasts} and must not rest"
        for taker, maker in _pairs(accounts)
        if maker.is_immediate
    ]
    immediate = [order for order in accounts.orders.values() if order.is_immediate]
    wrong += [
        f"{evidence.tell(order.id)} is {order.lasts}, and {order.remaining} of it still rests"
        for order in immediate
        if evidence.quiet and order.remaining and evidence.is_living(order.owner)
    ]
    return _verdict("never_rests", wrong, f"nothing of {many(len(immediate), 'immediate order')} ever rested")


def whole_or_nothing(history: History, evidence: Evidence) -> Verdict:
    """Every fill-or-kill order has traded whole or not at all."""
    orders = [order for order in evidence.accounts().orders.values() if order.lasts == "FOK"]
    parts = [order for order in orders if order.filled not in (0, order.original)]
    told = [
        f"{evidence.tell(order.id)} is to be filled or killed, and {order.filled} of {order.original} traded"
        for order in parts
    ]
    if any(evidence.is_living(order.owner) for order in parts) and evidence.quiet:
        return _verdict("whole_or_nothing", told, "")
    if parts:
        # Its owner may have written the rest, and taken it with it or not yet told anybody.
        return Verdict("whole_or_nothing", "unknown", told[0], tuple(told))
    filled = sum(1 for order in orders if order.filled)
    return _verdict("whole_or_nothing", [], f"of {many(len(orders), 'fill-or-kill order')} {filled} traded, all whole")


def only_makes(history: History, evidence: Evidence) -> Verdict:
    """No post-only order ever takes, or even asks to."""
    accounts = evidence.accounts()
    wrong = [
        f"{evidence.tell(taker.id)} is post-only and took from {evidence.tell(maker.id)}"
        for taker, maker in _pairs(accounts)
        if taker.post_only
    ]
    orders = [order for order in accounts.orders.values() if order.post_only]
    asking = [accounts.orders[line.event["taker"]] for line in accounts.opened.values()]
    wrong += [f"{evidence.tell(order.id)} is post-only and asks to take" for order in asking if order.post_only]
    return _verdict("only_makes", wrong, f"none of {many(len(orders), 'post-only order')} ever took")


def no_self_trade(history: History, evidence: Evidence) -> Verdict:
    """No order that is not to trade with its own client's orders takes one of them."""
    accounts = evidence.accounts()
    wrong = [
        f"{evidence.tell(taker.id)} took from {evidence.tell(maker.id)}: both are {taker.client_id}'s, "
        f"and it was to be prevented ({taker.prevention})"
        for taker, maker in _pairs(accounts)
        if taker.prevents(maker)
    ]
    orders = [order for order in accounts.orders.values() if order.prevention]
    return _verdict("no_self_trade", wrong, f"none of {many(len(orders), 'order')} with prevention met its own client")


def _pairs(accounts: Accounts) -> Iterator[tuple[Account, Account]]:
    """Yield taker and maker of everything that traded, by either side's word, as far as both are known."""
    trades: list[Trade] = [*accounts.trades().values(), *(t for t in accounts.closed.values() if t.quantity > 0)]
    for trade in trades:
        taker, maker = accounts.orders.get(trade.taker), accounts.orders.get(trade.maker)
        if taker is not None and maker is not None:
            yield taker, maker


def _verdict(name: str, wrong: list[str], sentence: str) -> Verdict:
    if not wrong:
        return Verdict(name, "valid", sentence)
    return Verdict(name, "violated", wrong[0], tuple(dict.fromkeys(wrong)))
