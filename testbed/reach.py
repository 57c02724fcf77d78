"""When two peers may have failed to reach each other, as far as a history can tell. Pure.

The rule: who was away is told by what was done to peers and links; when a peer wrote an entry is told by what clients
asked of it before and after. No clock is trusted: those of the peers may be wrong.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate

from testbed.history import History, Operation
from testbed.script import GRAPES

Span = tuple[float, float]

# When all is healed, it may take so long until two peers talk again: a call that was lost ends after 2 s, others
# follow with pauses that grow to 1 s, and who was down is looked for every 2 s.
TALK_AGAIN_S = 15.0
# Links that take half of what a call may last are as bad as those that lose messages.
SLOW_S = 1.0


class Reach:
    """What a history says of who could reach whom, by the names of the peers."""

    def __init__(self, history: History) -> None:
        operations = history.operations()
        self._operations = operations
        self._away = history.hurt()
        self._storms = _spans((each, _is_storm(each)) for each in operations if each.what == "weather")
        self._apart: dict[frozenset[str], list[Span]] = {}
        for link in dict.fromkeys(_link(each) for each in operations if each.what == "cut"):
            cuts = [each for each in operations if each.what in ("cut", "mend") and _link(each) == link]
            counts = accumulate(1 if each.what == "cut" else -1 for each in cuts)
            spans = _spans((each, count > 0) for each, count in zip(cuts, counts, strict=True))
            self._apart.setdefault(frozenset(link), []).extend(spans)
        for peer in dict.fromkeys(each.peer or "" for each in operations if each.what == "lie"):
            lies = [each for each in operations if each.what == "lie" and each.peer == peer]
            self._away.setdefault(peer, []).extend(_spans((each, bool(each.asked["lies"])) for each in lies))

    def surely(self, one: str, other: str, during: Span) -> bool:
        """Tell whether two peers could talk all through a time, and had been able to for long enough before it."""
        away = [*self._away.get(one, ()), *self._away.get(other, ()), *self._apart.get(frozenset((one, other)), ())]
        blind = [span for grape in GRAPES for span in self._away.get(grape, ())]
        blind += [
            span for grape in GRAPES for peer in (one, other) for span in self._apart.get(frozenset((peer, grape)), ())
        ]
        # Who was away has to be found again, and without a Grape nobody is.
        ends = [max([end, *(till for since, till in blind if since <= end + TALK_AGAIN_S)]) for _, end in away]
        spans = [*self._storms, *((start, end) for (start, _), end in zip(away, ends, strict=True))]
        return all(end + TALK_AGAIN_S < during[0] or during[1] < start for start, end in spans)

    def writing(self, peer: str) -> Writing:
        """Return when a peer can have written its entries."""
        asked: dict[str, float] = {}
        told: dict[int, tuple[float, float]] = {}
        for each in self._operations:
            if each.what == "submit" and each.peer == peer:
                # An order that is submitted again may have been written at the first time.
                begun = asked.setdefault(each.asked["order"]["clientOrderId"], each.start_s)
                if each.outcome == "ok" and each.end_s is not None:
                    told.setdefault(int(each.answer["id"].rpartition("-")[2]), (begun, each.end_s))
        return Writing(told)


class Writing:
    """When a peer can have written each entry of its ledger, given when it was asked for some and had answered.

    Whatever lies behind an order in the ledger is later than the request, whatever lies before it earlier than the
    answer.
    """

    def __init__(self, told: dict[int, Span]) -> None:
        self._sequences = sorted(told)
        self._after = list(accumulate((told[number][0] for number in self._sequences), max))
        ends = [told[number][1] for number in reversed(self._sequences)]
        self._before = list(accumulate(ends, min))[::-1]

    def span(self, sequence: int) -> Span:
        """Return the time in which an entry was written."""
        behind, at = bisect_right(self._sequences, sequence), bisect_left(self._sequences, sequence)
        return (
            self._after[behind - 1] if behind else -math.inf,
            self._before[at] if at < len(self._before) else math.inf,
        )


def _spans(changes: Iterable[tuple[Operation, bool]]) -> list[Span]:
    """Return the times in which something was so; each change begins where its operation does, and has ended with it.

    What is so again and again is so all the time.
    """
    found: list[Span] = []
    for operation, is_so in changes:
        lasts = bool(found) and found[-1][1] == math.inf
        if is_so and not lasts:
            found.append((operation.start_s, math.inf))
        elif not is_so and lasts:
            found[-1] = (found[-1][0], operation.end_s if operation.end_s is not None else math.inf)
    return found


def _is_storm(weather: Operation) -> bool:
    return bool(weather.asked["loss"]) or bool(weather.asked["latest_s"] >= SLOW_S)


def _link(cut: Operation) -> tuple[str, str]:
    return cut.asked["sender"], cut.asked["receiver"]
