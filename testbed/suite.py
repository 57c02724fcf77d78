"""Many scenarios one after the other: a line each as they end, a table in JUnit XML, and the worst of their exit codes.

The rule: a scenario that cannot be played here is skipped with its reason, never weakened, and never counted as passed.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from testbed import catalog, junit, runner
from testbed.checkers import CRASHED, HOLDS, NO_QUIET, UNKNOWN, VIOLATED, worst
from testbed.cluster import CannotRun
from testbed.script import BadScript

VERDICTS = {
    HOLDS: "holds",
    VIOLATED: "VIOLATED",
    UNKNOWN: "unknown",
    NO_QUIET: "NO QUIET",
    CRASHED: "CRASHED",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one scenario came to: its exit code, None if it was skipped; `why` in a sentence unless it holds."""

    name: str
    code: int | None
    why: str
    seconds: float
    account: str = ""

    def row(self) -> str:
        """Return the line of the table."""
        verdict = "skipped" if self.code is None else VERDICTS[self.code]
        return f"{self.name:28} {verdict:9} {self.seconds:6.1f} s  {self.why}".rstrip()

    def case(self) -> junit.Case:
        """Return the same for JUnit."""
        results: dict[int | None, junit.Result] = {HOLDS: "passed", VIOLATED: "failure", None: "skipped"}
        return junit.Case(self.name, results.get(self.code, "error"), self.why, self.account, self.seconds)


def run_all(names: Sequence[str], on: str, runs: Path, seed: int | None = None) -> int | None:
    """Run scenarios, print and store the table, and return the worst exit code; None if every one was skipped."""
    outcomes: list[Outcome] = []
    for name in names:
        outcomes.append(_outcome(name, on, runs, seed))
        if outcomes[-1].code:
            print(outcomes[-1].account)
        print(outcomes[-1].row(), flush=True)
    runs.mkdir(parents=True, exist_ok=True)
    path = runs / "junit.xml"
    path.write_text(junit.junit(f"scenarios on {on}", [outcome.case() for outcome in outcomes]), encoding="utf-8")
    print(_sum(outcomes, on, path))
    codes = [outcome.code for outcome in outcomes if outcome.code is not None]
    return worst(codes) if codes else None


def _outcome(name: str, on: str, runs: Path, seed: int | None) -> Outcome:
    began, told = time.monotonic(), io.StringIO()
    try:
        with redirect_stdout(told):
            code = runner.run(catalog.load(name, seed=seed), on, runs)
    except CannotRun as reason:
        return Outcome(name, None, str(reason), time.monotonic() - began)
    except BadScript as error:
        return Outcome(name, UNKNOWN, str(error), time.monotonic() - began)
    why = "" if code == HOLDS else _why(max((runs / name).iterdir()))
    return Outcome(name, code, why, time.monotonic() - began, told.getvalue())


def _why(directory: Path) -> str:
    """Say in a sentence what a run that does not hold has come to, by what it has stored."""
    told = json.loads((directory / "verdict.json").read_text(encoding="utf-8"))
    kinds = ("violated", "unknown")
    wrong = [one for kind in kinds for one in told["verdicts"] if one["kind"] == kind]
    found = [f"{one['name']}: {one['sentence']}" for one in wrong]
    return told["why"] or next(iter(found), "a process ended by itself")


def _sum(outcomes: Sequence[Outcome], on: str, path: Path) -> str:
    played = [outcome for outcome in outcomes if outcome.code is not None]
    hold = sum(outcome.code == HOLDS for outcome in played)
    skipped = f", {len(outcomes) - len(played)} skipped" if len(played) < len(outcomes) else ""
    seconds = sum(outcome.seconds for outcome in outcomes)
    return f"\n{hold} of {len(played)} hold on {on}{skipped}, in {seconds:.0f} s; the table is in {path}"
