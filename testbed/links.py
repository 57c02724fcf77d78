"""Who hears whom, and how well: what is cut and lost, as the packet rules of each place's network namespace. Pure.

A place is a peer or a Grape by its name. The rules of a place stand in chains of our own, which are always written
whole; so a rule can neither be left behind nor be there twice, whatever happened before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from testbed.script import GRAPES, Cut, Mend, Weather

DELAY_PORT = 15001
DELAY_MARK = 0x6772

# Once for each namespace: our chains, and the way into them. What the delaying proxy itself sends is let go.
PREPARATION = """\
*filter
:GRAPEVINE - [0:0]
-A INPUT -j GRAPEVINE
COMMIT
*nat
:GRAPEVINE - [0:0]
-A OUTPUT -p tcp -j GRAPEVINE
COMMIT
"""


class Links:
    """The links between all places; `addresses` holds those that have been up, and may change with each start."""

    def __init__(self, *, delayed: bool) -> None:
        self.addresses: dict[str, str] = {}
        self.weather = Weather()
        self._delayed = delayed
        self._cuts: Counter[tuple[str, str]] = Counter()

    def change(self, fault: Cut | Mend | Weather) -> None:
        """Note that links are cut, mended, or all of them better or worse."""
        match fault:
            case Cut(sender, receiver):
                self._cuts[sender, receiver] += 1
            case Mend(sender, receiver):
                self._cuts[sender, receiver] -= 1
            case Weather():
                self.weather = fault

    def rules(self, place: str) -> str:
        """Return all rules of a place as `iptables-restore --noflush` reads them."""
        filtered, redirected = list(self._filtered(place)), list(self._redirected(place))
        lines = ["*filter", ":GRAPEVINE - [0:0]", *filtered, "COMMIT", "*nat", ":GRAPEVINE - [0:0]", *redirected]
        return "\n".join([*lines, "COMMIT", ""])

    def _filtered(self, place: str) -> Iterator[str]:
        # A receiver drops what comes from a sender, so that each direction is a matter of its own.
        for other, address in self.addresses.items():
            if self._cuts[other, place] > 0:
                yield f"-A GRAPEVINE -s {address} -j DROP"
            elif self.weather.loss and self._is_link(place, other):
                chance = f"-m statistic --mode random --probability {self.weather.loss:f}"
                yield f"-A GRAPEVINE -s {address} {chance} -j DROP"

    def _redirected(self, place: str) -> Iterator[str]:
        if not self._delayed:
            return
        yield f"-A GRAPEVINE -m mark --mark {DELAY_MARK:#x} -j RETURN"
        for other, address in self.addresses.items():
            if self._is_link(place, other):
                yield f"-A GRAPEVINE -p tcp -d {address} -j REDIRECT --to-ports {DELAY_PORT}"

    def _is_link(self, place: str, other: str) -> bool:
        return place != other and place not in GRAPES and other not in GRAPES
