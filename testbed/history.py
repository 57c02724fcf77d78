"""What was asked of the peers and what came of it, in the order it happened. Pure: times are arguments.

An operation is invoked, and ends `ok`, `fail` (surely without effect) or `info`: nobody knows, it may have happened or
may still happen. An operation that never ended is `info` too. One event is one line of JSON, so a history that was
cut off by a crash can be read up to there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from testbed.script import Outcome

Kind = Literal["invoke", "ok", "fail", "info"]

# Made once: `json.dumps` with an option makes an encoder for each text.
_write = json.JSONEncoder(ensure_ascii=False).encode

HURTS = ("kill", "stop", "pause", "crash", "fill_disk")
HEALS = ("restart", "resume")
LINK_WORDS = ("cut", "mend", "weather")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a history; `operation` ties an end to its invocation, `process` is the client or `testbed`."""

    operation: int
    process: str
    kind: Kind
    what: str
    value: Any
    time_s: float

    def line(self) -> str:
        """Write this event as one line of JSON."""
        return _write({name: getattr(self, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True)
class Operation:
    """An invocation and what came of it; `answer` holds an `error` where the outcome is not `ok`."""

    number: int
    process: str
    what: str
    asked: Any
    start_s: float
    outcome: Outcome = "info"
    answer: Any = None
    end_s: float | None = None

    @property
    def peer(self) -> str | None:
        """The peer this was asked of or done to, if it was one."""
        return self.asked.get("peer") if isinstance(self.asked, dict) else None

    @property
    def error(self) -> str:
        """What went wrong, empty where nothing did."""
        return self.answer.get("error", "") if self.outcome != "ok" and isinstance(self.answer, dict) else ""


@dataclass(slots=True)
class History:
    """All events of a run; `write` is given each line as it happens."""

    write: Callable[[str], object] | None = None
    events: list[Event] = field(default_factory=list)
    invoked: int = 0
    # Every checker asks for the operations: they are paired once for so many events.
    _paired: tuple[int, list[Operation]] = field(default=(0, []), init=False, repr=False, compare=False)

    def invoke(self, process: str, what: str, value: Any, time_s: float) -> int:
        """Record that an operation begins, and return its number."""
        self.invoked += 1
        self._record(Event(self.invoked, process, "invoke", what, value, time_s))
        return self.invoked

    def end(self, number: int, process: str, what: str, outcome: Outcome, value: Any, time_s: float) -> None:
        """Record what came of an operation."""
        self._record(Event(number, process, outcome, what, value, time_s))

    def operations(self) -> list[Operation]:
        """Pair invocations with their ends, in the order they began."""
        if self._paired[0] != len(self.events):
            self._paired = len(self.events), self._pair()
        return self._paired[1]

    def hurt(self) -> dict[str, list[tuple[float, float]]]:
        """Return when each peer was down or frozen: from the moment a fault began until its healing had ended.

        A peer that was started late was down until then.
        """
        spans: dict[str, list[tuple[float, float]]] = {}
        for operation in self.operations():
            if operation.what in HURTS:
                spans.setdefault(operation.asked["peer"], []).append((operation.start_s, math.inf))
            elif operation.what in HEALS and operation.outcome == "ok" and operation.asked["peer"] in spans:
                of = spans[operation.asked["peer"]]
                of[-1] = (of[-1][0], operation.end_s or math.inf)
            elif operation.what == "start":
                until = operation.end_s if operation.end_s is not None else math.inf
                spans.setdefault(operation.asked["peer"], []).append((-math.inf, until))
        return spans

    def _pair(self) -> list[Operation]:
        ends = {event.operation: event for event in self.events if event.kind != "invoke"}
        begun = [event for event in self.events if event.kind == "invoke"]
        return [_operation(event, ends.get(event.operation)) for event in begun]

    def _record(self, event: Event) -> None:
        self.events.append(event)
        if self.write is not None:
            self.write(event.line())


def _operation(begun: Event, end: Event | None) -> Operation:
    terms = begun.operation, begun.process, begun.what, begun.value, begun.time_s
    if end is None:
        return Operation(*terms)
    assert end.kind != "invoke"
    return Operation(*terms, end.kind, end.value, end.time_s)


def read_history(lines: Iterable[str]) -> History:
    """Read a history back; a last line that was cut off while it was written is left out."""
    texts = [line for line in lines if line.strip()]
    history = History()
    for number, text in enumerate(texts, 1):
        try:
            event = Event(**json.loads(text))
        except ValueError:
            if number < len(texts):
                raise
            break
        history.events.append(event)
        history.invoked = max(history.invoked, event.operation)
    return history
