"""Playing a script against made-up answers before anything is started, to find what cannot work. Pure.

A rehearsal sees the wishes that a script makes when all goes well: wrong names and amounts are told at once, and so
are faults that the chosen cluster cannot do. What a script does only when something goes wrong is not rehearsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator, Iterator
from typing import Any

from testbed.script import (
    FAULTS,
    GRAPES,
    Answer,
    Cut,
    Evict,
    Fault,
    Mend,
    Reduce,
    Replace,
    Script,
    Start,
    Submit,
    Together,
    Trades,
    Wish,
)

MAX_WISHES = 50_000

_DECIMAL = re.compile(r"(?=.*[1-9])[0-9]{1,12}(\.[0-9]{1,8})?", re.ASCII)


def rehearse(script: Script) -> list[Wish]:
    """Return the wishes of a script, those inside of Together each on its own, up to MAX_WISHES."""
    found: list[Wish] = []
    _play(script, found)
    return found


def problems(wishes: list[Wish], peers: Collection[str], late: Collection[str]) -> list[str]:
    """Say what of these wishes nobody could grant; empty if nothing."""
    return list(dict.fromkeys(text for wish in wishes for text in _problems(wish, peers, late)))


def faults(wishes: list[Wish]) -> tuple[type[Fault], ...]:
    """Return the kinds of faults that are wished for, in the order in which they first are."""
    return tuple(dict.fromkeys(type(wish) for wish in wishes if isinstance(wish, FAULTS)))


def unsupported(wishes: list[Wish], why_not: Callable[[Fault], str]) -> list[str]:
    """Name the faults that are wished for and cannot be done, with the reason of each."""
    wished = [wish for wish in wishes if isinstance(wish, FAULTS)]
    return list(dict.fromkeys(f"{type(fault).__name__} ({why})" for fault in wished if (why := why_not(fault))))


def _play(script: Script, found: list[Wish]) -> Any:
    answer: Any = None
    while len(found) < MAX_WISHES:
        try:
            wish = script.send(answer)
        except StopIteration as end:
            return end.value
        except (LookupError, TypeError, ValueError, AttributeError):
            # A made-up answer was not good enough for this script; the real one will be.
            return None
        answer = _made_up(wish, found)
    return None


def _made_up(wish: Wish, found: list[Wish]) -> Any:
    if isinstance(wish, Together):
        return [_play(part, found) if isinstance(part, Generator) else _made_up(part, found) for part in wish.parts]
    found.append(wish)
    match wish:
        case Replace(_, by):
            return Answer(by.peer, {}, "ok", {"id": f"{by.peer}-{len(found)}"})
        case Submit():
            return Answer(wish.peer, {}, "ok", {"id": f"{wish.peer}-{len(found)}"})
        case Trades():
            return Answer(wish.peer, {}, "ok", [])
        case Evict():
            return Answer(wish.at, {}, "ok", {"state": "fenced"})
        case _:
            return None


def _problems(wish: Wish, peers: Collection[str], late: Collection[str]) -> Iterator[str]:
    for place in (getattr(wish, word, None) for word in ("peer", "at", "sender", "receiver")):
        if place is not None and place not in peers and not (isinstance(wish, Cut | Mend) and place in GRAPES):
            yield f"{type(wish).__name__} names {place!r}, but the peers are {', '.join(peers)}"
    grape = getattr(wish, "grape", None)
    if grape is not None and grape not in GRAPES:
        yield f"{type(wish).__name__} names {grape!r}, but the Grapes are {', '.join(GRAPES)}"
    if isinstance(wish, Start) and wish.peer not in late:
        yield f"Start names {wish.peer!r}, which is not LATE: it runs from the beginning"
    for what, amount in _amounts(wish):
        if not _DECIMAL.fullmatch(amount):
            named = f"{type(wish).__name__} has the {what} {amount!r}"
            yield f"{named}, which is not a decimal above 0 with at most 8 places"


def _amounts(wish: Wish) -> Iterator[tuple[str, str]]:
    match wish:
        case Submit():
            yield "quantity", wish.quantity
            if wish.price is not None:
                yield "price", wish.price
        case Replace(_, by):
            yield from _amounts(by)
        case Reduce(_, to):
            yield "quantity", to
