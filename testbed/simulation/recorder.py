"""What only a simulation can know of a run: every message between peers with its fate, and when each entry came to
which disk.

The rule: it looks on. With it or without it, a seed gives the same run; and it keeps no more than it was told to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from peer.ledgers import Record
from testbed.simulation.virtual_time import EPOCH_S

MAX_MESSAGES = 20_000
MAX_COMMITTED = 200_000

Fate = Literal["under way", "arrived", "lost", "cut off"]


@dataclass(slots=True)
class Flight:
    """One copy of one message; `text` is empty where a connection was refused or ended, times are the agenda's."""

    sender: str
    receiver: str
    text: str
    sent_s: float
    fate: Fate = "under way"
    ended_s: float | None = None

    def end(self, fate: Fate, now: float) -> None:
        """Note what became of it."""
        self.fate, self.ended_s = fate, now


class Recorder:
    """Keeps the first `messages` messages and the first `committed` entries; each peer's own and its copies count."""

    def __init__(self, messages: int = 0, committed: int = 0) -> None:
        self._messages = messages
        self._committed = committed
        self.flights: list[Flight] = []
        self.entries: list[tuple[str, str, int, float]] = []

    def sent(self, sender: str, receiver: str, text: str, now: float) -> Flight:
        """Note that a message leaves, and return it, for its end to be noted."""
        flight = Flight(sender, receiver, text, now)
        if len(self.flights) < self._messages:
            self.flights.append(flight)
        return flight

    def committed(self, peer: str, records: Iterable[Record], now: float) -> None:
        """Note what a peer has just written to its disk."""
        if len(self.entries) < self._committed:
            self.entries += [(peer, record.peer_id, record.head.sequence, now) for record in records]

    def messages(self) -> list[dict[str, Any]]:
        """Return the messages as JSON objects, in the order they were sent; times in seconds of the run."""
        return [
            {
                "sender": flight.sender,
                "receiver": flight.receiver,
                "fate": flight.fate,
                "sent_s": _of_run(flight.sent_s),
                "ended_s": None if flight.ended_s is None else _of_run(flight.ended_s),
                "envelope": _shortened(json.loads(flight.text)) if flight.text else None,
            }
            for flight in self.flights
        ]

    def commits(self) -> list[dict[str, Any]]:
        """Return when each entry came to which disk, as JSON objects."""
        return [
            {"peer": peer, "owner": owner, "sequence": sequence, "time_s": _of_run(time_s)}
            for peer, owner, sequence, time_s in self.entries
        ]


def _of_run(time_s: float) -> float:
    return round(time_s - EPOCH_S, 6)


def _shortened(envelope: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the stored ledgers hold anyway: of entries, their number stays, and of heads how far they are."""
    vector = {owner: head[0] for owner, head in envelope["vector"].items()}
    return {**envelope, "vector": vector, "messages": [_without_entries(message) for message in envelope["messages"]]}


def _without_entries(message: dict[str, Any]) -> dict[str, Any]:
    batch = message.get("ledger")
    if batch is None:
        return message
    told = {"peerId": batch["peerId"], "first": batch["first"], "entries": len(batch["entries"])}
    return {**message, "ledger": told}
