"""What happened when, and to which orders: the rows that the page of a run draws. Pure.

The rule: each row says whom it concerns (the numbers of orders), so that a reader can follow one order through all.
Nothing is judged here, and nothing that cannot be read stops it: a page is wanted most where something is wrong.
Times are seconds since the run began; of ledger entries they are their owner's clock, where nothing better is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

from testbed.accounts import Line
from testbed.evidence import Evidence
from testbed.history import History, Operation
from testbed.script import Weather

MAX_TEXT = 4_000

Row: TypeAlias = list[Any]
Key: TypeAlias = tuple[str, int]  # a ledger's owner, and the number of an entry

# What ends which fault, and what only changes how things are until it is changed again.
_ENDS = {
    "start": ("late",),
    "restart": ("kill", "crash", "stop", "fill_disk"),
    "resume": ("pause",),
    "mend": ("cut",),
    "weather": ("weather",),
    "skew": ("skew",),
}
_LASTING = ("kill", "crash", "stop", "fill_disk", "pause", "cut")
_FAIR = asdict(Weather())
_ABOUT = ("id", "taker", "maker", "orderId")


@dataclass(frozen=True, slots=True)
class Entry:
    """One readable entry of a ledger, with its own text."""

    line: Line
    text: str

    @property
    def key(self) -> Key:
        """Whose entry it is, and which."""
        return self.line.owner, self.line.sequence

    @property
    def fill(self) -> str | None:
        """The fill that it opens, decides or closes."""
        return _text_of(self.line.event, "fillId")


@dataclass(slots=True)
class Index:
    """Orders in the order in which they were stamped, and what belongs to them; `names` tells ids for people."""

    names: dict[str, str]
    entries: list[Entry]
    orders: dict[str, int] = field(default_factory=dict)
    fills: dict[str, tuple[int, ...]] = field(default_factory=dict)
    labels: dict[tuple[str, str], int] = field(default_factory=dict)
    by_key: dict[Key, tuple[int, ...]] = field(default_factory=dict)

    def about(self, value: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the orders that an event or a message names, by their own ids or by a fill's."""
        named = [self.orders[id_] for id_ in (_text_of(value, name) for name in _ABOUT) if id_ in self.orders]
        return tuple(dict.fromkeys([*named, *self.fills.get(_text_of(value, "fillId") or "", ())]))

    def told(self, text: str) -> str:
        """Put the names of the scenario for the ids of peers, and cut what is very long."""
        if len(text) > MAX_TEXT:
            text = f"{text[:MAX_TEXT]}… ({len(text)} characters in all)"
        for id_, name in self.names.items():
            text = text.replace(id_, name)
        return text


def index(evidence: Evidence) -> Index:
    """Read all ledgers as far as they can be read, oldest entry first."""
    entries = sorted(_entries(evidence), key=lambda entry: (entry.line.time, entry.key))
    found = Index({id_: name for name, id_ in evidence.peer_ids.items()}, entries)
    for entry in entries:
        event = entry.line.event
        if event["type"] == "ORDER_PLACED" and (id_ := _text_of(event, "id")):
            number = found.orders.setdefault(id_, len(found.orders))
            found.labels[event.get("clientId", ""), event.get("clientOrderId", "")] = number
    for entry in entries:
        found.by_key[entry.key] = about = found.about(entry.line.event)
        if entry.fill:
            found.fills.setdefault(entry.fill, about)
    return found


def entry_rows(
    found: Index, lanes: Mapping[str, int], began_s: float, commits: Iterable[Mapping[str, Any]]
) -> list[Row]:
    """Rows of `lane, sequence, time, type, orders, text, {lane: time it came there}`.

    Where a simulation has recorded when an entry came to its owner's disk, this is its time.
    """
    came: dict[Key, dict[str, float]] = {}
    for commit in commits:
        came.setdefault((commit["owner"], commit["sequence"]), {}).setdefault(commit["peer"], commit["time_s"])
    rows = []
    for entry in found.entries:
        owner = found.names.get(entry.line.owner, "")
        reached = dict(came.get(entry.key, {}))
        time_s = reached.pop(owner, entry.line.time / 1e6 - began_s)
        copies = {lanes[peer]: at for peer, at in reached.items()}
        about, text = found.by_key[entry.key], found.told(entry.text)
        rows.append(
            [lanes.get(owner), entry.line.sequence, round(time_s, 6), entry.line.event["type"], about, text, copies]
        )
    return rows


def arrows(found: Index) -> list[Row]:
    """Rows of `kind, from, to` between the numbers of entries: what an entry cannot have been written without.

    An order is `known` where it is first taken, a fill is `asked` for, and its decision is `told`.
    """
    of_type: dict[str, list[tuple[int, Entry]]] = {}
    for number, entry in enumerate(found.entries):
        of_type.setdefault(entry.line.event["type"], []).append((number, entry))
    openings, decisions = of_type.get("FILL_OPENED", []), of_type.get("FILL_GRANTED", [])
    placed = {_text_of(entry.line.event, "id"): number for number, entry in of_type.get("ORDER_PLACED", [])}
    opened = {entry.fill: number for number, entry in openings}
    granted = {entry.fill: number for number, entry in reversed(decisions)}
    # The later are put in first, so that of several uses by a peer the earliest stays.
    used = {(entry.line.owner, _text_of(entry.line.event, "maker")): number for number, entry in reversed(openings)}
    return [
        *(["known", placed[maker], number] for (_, maker), number in reversed(used.items()) if maker in placed),
        *(["asked", opened[entry.fill], number] for number, entry in decisions if entry.fill in opened),
        *(
            ["told", granted[entry.fill], number]
            for number, entry in of_type.get("FILL_CLOSED", [])
            if entry.fill in granted
        ),
    ]


def operation_rows(found: Index, history: History, lanes: Mapping[str, int]) -> list[Row]:
    """Rows of `number, process, what, lane, start, end, outcome, orders, asked, answer`."""
    return [
        [
            operation.number,
            operation.process,
            operation.what,
            lanes.get(operation.peer or ""),
            operation.start_s,
            operation.end_s,
            operation.outcome,
            _asked_about(found, operation),
            found.told(_json(operation.asked)),
            found.told(_json(operation.answer)),
        ]
        for operation in history.operations()
    ]


def message_rows(found: Index, messages: Iterable[Mapping[str, Any]], lanes: Mapping[str, int]) -> list[Row]:
    """Rows of `sender's lane, receiver's lane, sent, ended, fate, orders, what it says, text`."""
    rows = []
    for message in messages:
        envelope = message["envelope"] or {"messages": []}
        said = envelope["messages"]
        kinds = "refused" if message["envelope"] is None else ", ".join(_counted(each["type"] for each in said))
        about = tuple(dict.fromkeys(number for each in said for number in _message_about(found, each)))
        ends = lanes[message["sender"]], lanes[message["receiver"]]
        times = message["sent_s"], message["ended_s"]
        rows.append([*ends, *times, message["fate"], about, kinds, found.told(_json(message["envelope"]))])
    return rows


def bands(history: History, peers: Sequence[str], late: Sequence[str]) -> list[Row]:
    """Rows of `kind, names, start, end, what`: who was hurt, from when until it was healed; an `end` of None is never.

    What concerns every link, as the weather does, names all peers.
    """
    rows: list[Row] = [["late", [peer], 0.0, None, "not yet started"] for peer in late]
    since: dict[tuple[str, tuple[str, ...]], list[Row]] = {("late", tuple(row[1])): [row] for row in rows}
    for operation in history.operations():
        what, hit = operation.what, _hit(operation)
        for kind in _ENDS.get(what, ()):
            for row in since.pop((kind, hit), [])[-1:]:
                row[3] = operation.end_s
        if what in _LASTING or _is_off(operation):
            names = list(hit) or list(peers)
            row = [what, names, operation.start_s, None, _told_fault(operation)]
            since.setdefault((what, hit), []).append(row)
            rows.append(row)
    return rows


def _entries(evidence: Evidence) -> Iterable[Entry]:
    for owner, copy in evidence.best_copies().items():
        for text in copy.texts:
            try:
                read = json.loads(text)
                event = read["event"]
                if isinstance(event["type"], str):
                    yield Entry(Line(owner, int(read["sequence"]), int(read["time"]), event), text)
            except (LookupError, TypeError, ValueError):
                continue


def _asked_about(found: Index, operation: Operation) -> tuple[int, ...]:
    asked = operation.asked if isinstance(operation.asked, dict) else {}
    answer = operation.answer if isinstance(operation.answer, dict) else {}
    numbers = [*found.about(asked), *found.about(answer)] if operation.what not in ("trades", "book") else []
    order = asked.get("order")
    if isinstance(order, dict):
        label = (order.get("clientId", ""), order.get("clientOrderId", ""))
        numbers += [found.labels[label]] if label in found.labels else []
    return tuple(dict.fromkeys(numbers))


def _message_about(found: Index, message: Mapping[str, Any]) -> Iterable[int]:
    yield from found.about(message)
    for offer in message.get("offers", ()):
        yield from found.about(offer)
    if batch := message.get("ledger"):
        for sequence in range(batch["first"], batch["first"] + batch["entries"]):
            yield from found.by_key.get((batch["peerId"], sequence), ())


def _hit(operation: Operation) -> tuple[str, ...]:
    asked = operation.asked if isinstance(operation.asked, dict) else {}
    return tuple(asked[name] for name in ("peer", "sender", "receiver") if isinstance(asked.get(name), str))


def _is_off(operation: Operation) -> bool:
    """Tell whether links or a clock are set to anything but what is right."""
    wrong_clock = operation.what == "skew" and operation.asked["ahead_s"] != 0
    return wrong_clock or (operation.what == "weather" and operation.asked != _FAIR)


def _told_fault(operation: Operation) -> str:
    details = {name: value for name, value in operation.asked.items() if name not in ("peer", "sender", "receiver")}
    told = ", ".join(f"{name} {value}" for name, value in details.items())
    return f"{operation.what} {' → '.join(_hit(operation))}{f' ({told})' if told else ''}".replace("  ", " ")


def _counted(kinds: Iterable[str]) -> list[str]:
    counts: dict[str, int] = {}
    for kind in kinds:
        counts[kind] = counts.get(kind, 0) + 1
    return [f"{count} × {kind}" if count > 1 else kind for kind, count in counts.items()]


def _text_of(value: Mapping[str, Any], name: str) -> str | None:
    found = value.get(name)
    return found if isinstance(found, str) else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
