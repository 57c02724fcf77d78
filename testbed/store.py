"""A run on disk: `runs/<scenario>/<time>/`, and `runs/latest` that points to the newest.

history.jsonl (written as it happens), scenario.json, books.json (statuses, books and trades as each peer showed them),
ledgers/<peer>.jsonl, verdict.json, account.txt, logs/, report.html; of a simulation also messages.jsonl, commits.jsonl
and, where peers have forgotten something, disks/<peer>.jsonl with all that there was. What is stored can be judged and
shown again without running anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from testbed.evidence import Evidence, Verdict, ledger_rows, read_evidence
from testbed.history import History, read_history


def directory_for(runs: Path, name: str) -> Path:
    """Return the directory of a run that begins now, not yet made."""
    return runs / name / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")[:-3]


def begin(directory: Path) -> None:
    """Make the directory of a run, and let `latest` point to it."""
    directory.mkdir(parents=True)
    runs = directory.parent.parent
    # Made beside and renamed over: two runs that begin at once must not meet a moment without a link.
    fresh = runs / f".latest-{directory.parent.name}-{directory.name}"
    fresh.symlink_to(directory.relative_to(runs))
    fresh.replace(runs / "latest")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file for people and programs."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_lines(path: Path, rows: Iterable[Any]) -> None:
    """Write one JSON value a line."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def read_lines(path: Path) -> list[Any]:
    """Read what `write_lines` wrote; nothing where there is no such file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_evidence(directory: Path, evidence: Evidence) -> None:
    """Write what the peers showed."""
    write_json(directory / "books.json", evidence.summary())
    more = {peer: disk for peer, disk in evidence.disks.items() if disk and disk != evidence.ledgers[peer]}
    for name, of in (("ledgers", evidence.ledgers), ("disks", more)):
        if of or name == "ledgers":
            (directory / name).mkdir(exist_ok=True)
        for peer, copies in of.items():
            write_lines(directory / name / f"{peer}.jsonl", ledger_rows(copies))


def write_verdict(directory: Path, verdicts: list[Verdict], code: int, why: str) -> None:
    """Write the judgement; `why` says what did not come about, if the run never came to rest."""
    write_json(directory / "verdict.json", {"exit": code, "why": why, "verdicts": [asdict(one) for one in verdicts]})


def read_why(directory: Path) -> str:
    """Read why a stored run never came to rest, empty if it did."""
    return str(json.loads((directory / "verdict.json").read_text(encoding="utf-8"))["why"])


def read_about(directory: Path) -> dict[str, Any]:
    """Return what was run, and where; nothing if that is not known."""
    try:
        about: dict[str, Any] = json.loads((directory / "scenario.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return about


def read_run(directory: Path) -> tuple[History, Evidence]:
    """Read a stored run back. Raises OSError or ValueError if it is not whole."""
    with (directory / "history.jsonl").open(encoding="utf-8") as lines:
        history = read_history(lines)
    summary = json.loads((directory / "books.json").read_text(encoding="utf-8"))
    ledgers, disks = (
        {path.stem: read_lines(path) for path in sorted((directory / name).glob("*.jsonl"))}
        for name in ("ledgers", "disks")
    )
    logs = {path.stem: path.read_text(errors="replace") for path in sorted((directory / "logs").glob("*.log"))}
    return history, read_evidence(summary, ledgers, logs, disks)
