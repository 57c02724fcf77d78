"""What the peers showed when a run was over: their ledgers, books and statuses; and what a verdict is. Pure.

Evidence is plain JSON on disk, so that a stored run can be judged again, by a newer checker too. Peers are known here
by the names of the scenario (peer-1); `peer_ids` ties them to the ids that ledgers use.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from testbed.accounts import Accounts, Copy, Line

# Of a longer list of trades or orders a peer shows the latest.
MOST_SHOWN = 10_000

VerdictKind = Literal["valid", "violated", "unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one checker found: a sentence, and the lines that prove a violation or explain a doubt."""

    name: str
    kind: VerdictKind
    sentence: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """The end of a run. `quiet` tells whether it was reached with all living peers at rest.

    `ledgers` holds, by living holder and owner (a peer id), each copy of a ledger; `books` and `trades` hold, by
    living peer and item, what the client's door showed; `statuses` by living peer. `crashed` has one line for each
    process that ended by itself; `logs` has what each process has said, by its name. `disks` has, where the
    place of the run can tell, the same copies with all that their holders have forgotten; where it cannot, the ledgers
    count.
    """

    quiet: bool
    peer_ids: dict[str, str]
    living: tuple[str, ...]
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    ledgers: dict[str, dict[str, Copy]] = field(default_factory=dict)
    books: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    trades: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)
    crashed: tuple[str, ...] = ()
    logs: dict[str, str] = field(default_factory=dict)
    disks: dict[str, dict[str, Copy]] = field(default_factory=dict)

    def held_by(self, holder: str) -> dict[str, Copy]:
        """Return the copies of a peer, with what it has forgotten as far as that is known."""
        return self.disks.get(holder) or self.ledgers[holder]

    def is_forgotten(self, id_: str) -> bool:
        """Tell whether the entry that made this order or fill may be gone from every copy."""
        owner, _, sequence = id_.rpartition("-")
        copy = self.best_copies().get(owner)
        return copy is not None and not copy.is_whole and int(sequence) < max(copy.bases)

    def name_of(self, peer_id: str) -> str:
        """Return the scenario's name of a peer, or the start of its id where it has none."""
        return next((name for name, id_ in self.peer_ids.items() if id_ == peer_id), peer_id[:6])

    def tell(self, id_: str) -> str:
        """Shorten the id of an order or fill for people: `peer-1-7`."""
        owner, _, sequence = id_.rpartition("-")
        return f"{self.name_of(owner)}-{sequence}"

    def is_living(self, peer_id: str) -> bool:
        """Tell whether a peer was up when the run ended."""
        return self.name_of(peer_id) in self.living

    def best_copies(self) -> dict[str, Copy]:
        """Return each owner's ledger: its own copy where it lives, else the longest that anybody holds."""
        best: dict[str, Copy] = {}
        for holder in self.ledgers:
            for owner, copy in self.held_by(holder).items():
                own = self.peer_ids.get(holder) == owner
                if own or owner not in best or (not self.is_living(owner) and longer(copy, best[owner])):
                    best[owner] = copy
        return best

    def lines(self) -> list[Line]:
        """Return every line of every ledger, one ledger after the other."""
        return [line for copy in self.best_copies().values() for line in copy.lines()]

    def accounts(self) -> Accounts:
        """Read all ledgers."""
        return Accounts().read(self.lines())

    def summary(self) -> dict[str, Any]:
        """Return everything but the ledgers and logs as a JSON object."""
        return {
            one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("ledgers", "logs", "disks")
        }


def read_evidence(
    summary: dict[str, Any],
    ledgers: dict[str, list[dict[str, Any]]],
    logs: dict[str, str] | None = None,
    disks: dict[str, list[dict[str, Any]]] | None = None,
) -> Evidence:
    """Read evidence back: the summary, each holder's ledgers and disk as `ledger_rows` wrote them, and the logs."""
    shown, kept = ({holder: _copies(rows) for holder, rows in of.items()} for of in (ledgers, disks or {}))
    tuples = {name: tuple(summary[name]) for name in ("living", "crashed")}
    return Evidence(**{**summary, **tuples, "ledgers": shown, "logs": logs or {}, "disks": kept})


def ledger_rows(copies: dict[str, Copy]) -> list[dict[str, Any]]:
    """Return the entries that one peer holds in the order they came into its journal, as JSON objects."""
    rows = [
        {"position": position, "owner": copy.owner, "text": text}
        | ({"base": copy.bases[line.sequence]} if line.sequence in copy.bases else {})
        for copy in copies.values()
        for position, text, line in zip(copy.positions, copy.texts, copy.lines(), strict=True)
    ]
    return sorted(rows, key=lambda row: row["position"])


def many(count: int, one: str, more: str | None = None) -> str:
    """Say how many there are: `1 trade`, `2 trades`."""
    return f"{count} {one if count == 1 else more or one + 's'}"


def longer(copy: Copy, other: Copy) -> bool:
    """Tell whether a copy reaches further than another."""
    return copy.last > other.last


def _copies(rows: list[dict[str, Any]]) -> dict[str, Copy]:
    owners = dict.fromkeys(row["owner"] for row in rows)
    mine = {owner: [row for row in rows if row["owner"] == owner] for owner in owners}
    return {
        owner: Copy(owner, tuple(row["text"] for row in of), tuple(row["position"] for row in of), _bases(of))
        for owner, of in mine.items()
    }


def _bases(rows: list[dict[str, Any]]) -> dict[int, str]:
    return {json.loads(row["text"])["sequence"]: row["base"] for row in rows if "base" in row}
