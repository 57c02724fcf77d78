"""What peers hold against each other and themselves, taken away: so that a planted bug meets the checkers alone.

The rule: many a bug is first found by a guard of the peers (an entry refused, an assertion), which proves the guard and
says nothing of the checkers. Whatever is lenient here lets the bug through and does nothing wrong by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import peer.market
import peer.picture
import peer.snapshot
from peer.events import FillOpened
from peer.ledgers import Amnesia, Ledgers
from peer.trader import Trader

Patch = tuple[Any, str, Any]


def _rules(*claims: str, of: Any = peer.market) -> Callable[[], Patch]:
    """No longer hold ledgers against some of the market's rules."""

    def patch() -> Patch:
        require = of._require
        return of, "_require", lambda holds, rule: require(holds or rule in claims, rule)

    return patch


def _clocks() -> Patch:
    """Let the clock of a ledger go back."""
    fold = Ledgers._fold

    def timeless(ledgers: Ledgers, peer_id: str, entry: Any, *heads: Any) -> None:
        ledgers._times.pop(peer_id, None)
        fold(ledgers, peer_id, entry, *heads)

    return Ledgers, "_fold", timeless


def _amnesia() -> Patch:
    """Go on though others hold entries of the own ledger that this disk has not."""
    copy = Ledgers.copy

    def shameless(ledgers: Ledgers, batch: Any, now: float) -> list[str]:
        try:
            return copy(ledgers, batch, now)
        except Amnesia:
            return []

    return Ledgers, "copy", shameless


def _amounts() -> Patch:
    """Keep orders of which more is filled or reserved than there is."""
    return peer.picture, "_sound", lambda order: None


def _turns() -> Patch:
    """Decide also for takers that came before the maker."""
    decide = Trader._decide

    def obliging(trader: Trader, fill: FillOpened, now: float) -> None:
        taker = trader._market.orders[fill.taker]
        own = taker.key
        taker.key = (2**63, own[1])
        try:
            decide(trader, fill, now)
        finally:
            taker.key = own

    return Trader, "_decide", obliging


ONCE = _rules("a fill is decided once")
LATER_TAKES = (_rules("a later order takes an earlier one that it crosses"), _turns)
AVAILABLE = "a grant is of what is available"
ADDS_UP = "what remains adds up"

# By the name of each mutant that a guard would meet: the guards that go with it.
GUARDS: dict[str, tuple[Callable[[], Patch], ...]] = {
    "decides_a_repeated_question_anew": (ONCE,),
    "keeps_decisions_in_memory_only": (ONCE,),
    "drops_old_decisions": (ONCE,),
    "sends_before_it_commits": (_amnesia,),
    "does_not_force_its_entries_to_the_disk": (_amnesia,),
    "takes_later_makers": LATER_TAKES,
    "lets_both_sides_take": LATER_TAKES,
    "writes_differences": (_rules(ADDS_UP),),
    "uses_ids_again_after_a_restart": (_rules("an order's id names its entry", "a fill's id names its entry"),),
    "takes_its_clock_back": (_clocks,),
    "does_not_reserve": (_rules("a fill reserves what is available"), _amounts),
    "drops_decisions_without_a_watermark": (_rules("a decision stands until its fill is closed", of=peer.snapshot),),
    "grants_what_is_asked": (_rules(AVAILABLE, ADDS_UP), _amounts),
}
