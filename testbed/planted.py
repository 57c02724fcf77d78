"""`python -m testbed.planted BUG`: a peer with a bug planted, to see that scenarios and torture find it.

In an image derived from the peer's the bug is named by GRAPEVINE_PLANTED (planted.Dockerfile), so nothing of the
testbed may be imported here.

A peer also guards itself against such bugs, and would rather end than go on; the guards are taken away as well, so
that it is the checkers that have to find them.
"""

from __future__ import annotations

import os
import sys

from peer import market
from peer.__main__ import main
from peer.events import Entry, FillClosed, FillOpened
from peer.exchange import Exchange, Owed
from peer.market import Market
from peer.messages import Contents


def fill_again() -> None:
    """Plant: a fill that has been decided is decided once more when it is asked for again."""
    hear = Exchange.hear

    def careless(self: Exchange, sender: str, said: Contents, now: float) -> Owed:
        owed = hear(self, sender, said, now)
        for asked in owed.fills:
            fill = self.market.fills.get(asked.fill_id)
            if fill is not None:
                self.trader._decide(fill, now)
        return owed

    Exchange.hear = careless  # type: ignore[method-assign]


def reserve_nothing() -> None:
    """Plant: a fill that is opened leaves its order as free as it was."""
    opened, closed = Market._opened, Market._closed

    def careless(self: Market, peer_id: str, entry: Entry, event: FillOpened) -> None:
        opened(self, peer_id, entry, event)
        self.orders[event.taker].reserved -= event.quantity
        self._changed(self.orders[event.taker])

    def balanced(self: Market, peer_id: str, event: FillClosed) -> None:
        if event.fill_id in self.fills:
            self.orders[event.taker].reserved += self.fills[event.fill_id].quantity
            closed(self, peer_id, event)

    Market._opened, Market._closed = careless, balanced  # type: ignore[method-assign]


BUGS = {bug.__name__: bug for bug in (fill_again, reserve_nothing)}

if __name__ == "__main__":
    BUGS[os.environ.get("GRAPEVINE_PLANTED") or sys.argv.pop(1)]()
    market._require = lambda holds, claim: None
    sys.exit(main())
