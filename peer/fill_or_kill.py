"""Orders that trade whole or not at all, over the makers of several owners. Pure.

The rule: nothing trades before all is certain. The owners of the makers hold what they can give, each answering at
once, whatever it answers; then the taker's owner decides, in one commit, by closing all fills with what is held or all
with nothing. Until then it may give up by itself. What is held is released by the closing and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from peer.events import FillClosed, FillOpened, Reason
from peer.fills import Grant
from peer.market import Market
from peer.order import Order
from peer.pen import Pen
from peer.schema import owner_of


class FillOrKill:
    """Both sides of it; `dispute` is told whose word was none of what had been agreed, and which."""

    def __init__(self, market: Market, pen: Pen, dispute: Callable[[str, str], None]) -> None:
        self._market = market
        self._pen = pen
        self._dispute = dispute

    def begin(self, taker: Order, now: float) -> None:
        """Ask for all that a new order needs of others, or kill it if the book cannot fill it."""
        meets = self._meets(taker, taker.remaining)
        if meets is None:
            self._pen.cancel(taker, "expired", now)
            return
        if any(taker.prevents(maker) for maker, _ in meets):
            self._pen.cancel(taker, "self_trade", now)
            return
        for maker, quantity in meets:
            if maker.peer_id != self._market.me:
                self._pen.open(taker, maker, quantity, now)

    def advance(self, taker: Order, now: float) -> None:
        """Decide, if it can be decided now."""
        if not taker.remaining:
            return
        fills = self._market.holding(taker)
        waiting = [fill for fill in fills if self._is_unanswered(fill)]
        away = any(self._market.is_away(owner_of(fill.maker)) for fill in waiting)
        # Who is evicted keeps no word.
        barred = any(self._market.fences.is_barred(owner_of(fill.maker)) for fill in fills)
        if taker.cancelled or away or barred:
            self.kill(taker, now)
        elif not waiting:
            self._decide(taker, fills, now)

    def kill(self, taker: Order, now: float, reason: Reason = "expired") -> None:
        """Give up: nothing of it trades."""
        for fill in self._market.holding(taker):
            self._pen.close(fill, Grant(0, fill.limit, 0, 0), now)
        if not taker.cancelled:
            self._pen.cancel(taker, reason, now)

    def hold(self, fill: FillOpened, now: float) -> None:
        """Answer another peer that asks to hold a maker of this one."""
        maker, taker = self._market.orders.get(fill.maker), self._market.orders[fill.taker]
        ends = self._market.fences.is_barred(taker.peer_id)
        if ends or maker is None or not maker.may_fill(taker) or taker.prevents(maker):
            self._pen.hold(fill, 0, fill.limit, now)
        else:
            self._pen.hold(fill, min(fill.quantity, maker.available), maker.price, now)

    def release(self, closed: FillClosed, now: float) -> None:
        """Do what the taker's owner has decided of what is held here."""
        hold = self._market.holds[closed.fill_id, closed.maker]
        if closed.granted and (closed.granted, closed.price) != (hold.quantity, hold.price):
            # It stays held, for people to settle with the taker's owner.
            self._dispute(owner_of(closed.taker), f"{closed.fill_id}: not as held")
            return
        self._pen.conclude(closed.fill_id, closed.maker, closed.granted, now)

    def let_go(self, peer_id: str, now: float) -> None:
        """Release what is held for the takers of a peer that has been evicted, and will not decide."""
        for (fill_id, maker), hold in list(self._market.own_holds()):
            if owner_of(hold.taker) == peer_id and fill_id not in self._market.ended:
                self._pen.conclude(fill_id, maker, 0, now)

    def _decide(self, taker: Order, fills: list[FillOpened], now: float) -> None:
        holds = [self._market.holds.get((fill.fill_id, fill.maker)) for fill in fills]
        sure = [
            (fill, hold) for fill, hold in zip(fills, holds, strict=True) if hold and hold.quantity <= fill.quantity
        ]
        own = self._meets(taker, taker.remaining - sum(hold.quantity for _, hold in sure), mine=True)
        if len(sure) < len(fills) or own is None or any(taker.prevents(maker) for maker, _ in own):
            self.kill(taker, now)
            return
        for fill, hold in sure:
            self._pen.close(fill, Grant(hold.quantity, hold.price, hold.time, 0), now)
        for maker, quantity in own:
            self._pen.trade(taker, maker, quantity, now)

    def _meets(self, taker: Order, left: int, *, mine: bool = False) -> list[tuple[Order, int]] | None:
        """Return the makers that would fill so much of an order, best first, or None if there are not enough."""
        found: list[tuple[Order, int]] = []
        for maker in self._makers(taker) if left else ():
            if mine and maker.peer_id != self._market.me:
                continue
            found.append((maker, min(left, maker.open)))
            left -= found[-1][1]
            if not left:
                break
        return None if left else found

    def _makers(self, taker: Order) -> Iterator[Order]:
        book = self._market.books.get(taker.item)
        ranked = book.ranked(not taker.is_buy, taker.price) if book is not None else ()
        return (maker for maker in ranked if maker.key < taker.key)

    def _is_unanswered(self, fill: FillOpened) -> bool:
        key = (fill.fill_id, fill.maker)
        return key not in self._market.holds and key not in self._market.grants
