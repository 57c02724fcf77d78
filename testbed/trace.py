"""What concerns a violation: every entry and every request about the orders and fills that its evidence names. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from testbed.accounts import Line
from testbed.evidence import Evidence, Verdict
from testbed.history import History, Operation

MAX_LINES = 16

_NAMED = re.compile(r"\b(?:peer-[0-9]+|[a-z2-7]{6})-[0-9]+\b")
_ASKED = ("submit", "cancel")


def concerned(history: History, evidence: Evidence, verdict: Verdict) -> list[str]:
    """Tell in order, a line each, of what clients asked and ledgers say about all that a verdict's first line names.

    The placing of every order that these met belongs to it. At most MAX_LINES are told, the last
    ones: what went wrong went wrong in the end.
    """
    names = set(_NAMED.findall(verdict.evidence[0] if verdict.evidence else verdict.sentence))
    entries = [(line, _ids(line.event)) for line in _lines(evidence)]
    ids = {id_ for _, said in entries for id_ in said if evidence.tell(id_) in names}
    also = {id_ for line, said in entries if said & ids for id_ in said}
    told = [
        _entry(evidence, line)
        for line, said in entries
        if said & ids or (line.event["type"] == "ORDER_PLACED" and said & also)
    ]
    asked = [_request(evidence, one) for one in history.operations() if one.what in _ASKED and _of(one) & ids]
    both = asked[:MAX_LINES] + told
    return both if len(both) <= MAX_LINES else [f"... {len(both) - MAX_LINES} earlier ones", *both[-MAX_LINES:]]


def _lines(evidence: Evidence) -> list[Line]:
    try:
        return sorted(evidence.lines(), key=lambda line: (line.time, line.owner, line.sequence))
    except (LookupError, TypeError, ValueError):
        # Ledgers that cannot be read are told of as they are, by the checkers.
        return []


def _ids(event: dict[str, Any]) -> frozenset[str]:
    return frozenset(event[key] for key in ("id", "fillId", "taker", "maker") if key in event)


def _of(operation: Operation) -> set[str]:
    known = [operation.answer, operation.asked]
    return {one["id"] for one in known if isinstance(one, dict) and "id" in one}


def _entry(evidence: Evidence, line: Line) -> str:
    terms = " ".join(f"{key} {_value(evidence, value)}" for key, value in line.event.items() if key != "type")
    return f"{evidence.name_of(line.owner)} #{line.sequence}  {line.event['type']} {terms}"


def _value(evidence: Evidence, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    owner, _, sequence = text.rpartition("-")
    return evidence.tell(text) if sequence.isdigit() and owner in evidence.peer_ids.values() else text


def _request(evidence: Evidence, operation: Operation) -> str:
    ids = ", ".join(sorted(evidence.tell(id_) for id_ in _of(operation)))
    asked = f"{operation.process}: {operation.what} at {operation.peer}"
    return f"{operation.start_s:.3f} s  {asked}: {operation.outcome} {ids}"


def told(history: History, evidence: Evidence, verdicts: list[Verdict]) -> Iterator[tuple[str, list[str]]]:
    """Yield each violated check's name with what concerns it, where there is anything."""
    for verdict in verdicts:
        if verdict.kind == "violated" and (lines := concerned(history, evidence, verdict)):
            yield verdict.name, lines
