"""Many seeds on all cores: progress, totals that prove that the runs were not idle, the first failure, shortened."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import Pool
from pathlib import Path

from testbed.checkers import HOLDS, UNKNOWN, VIOLATED
from testbed.script import LIES
from testbed.simulation.shrink import as_scenario, shrunk
from testbed.simulation.swarm import draw
from testbed.simulation.trial import Trial, attempt

# Below so many seeds it may well be that something rare did not happen.
MEANINGFUL_SEEDS = 400
SEEDS_AT_ONCE = 4

# What must have happened in a meaningful campaign, or it proves nothing.
MUST_HAPPEN = (
    "submit ok",
    "cancel ok",
    "reduce ok",
    "replace ok",
    "fill-or-kill orders filled by several owners",
    "fill-or-kill orders killed",
    "holds released",
    "orders expired",
    "post-only orders refused",
    "post-only orders cancelled",
    "orders cancelled instead of trading with their own client",
    "self trades prevented across peers",
    "fills across peers",
    "fills refused",
    "trades within a peer",
    "submit again, the same answer",
    "batches read twice",
    "fills settled after the taker's peer was down",
    "fills settled after the maker's peer was down",
    "kill",
    "crash (before a commit)",
    "crash (after a commit)",
    "crash (torn)",
    "crash (failed write)",
    "crash (while sending)",
    "crash (in a power cut)",
    "entries lost in power cuts",
    "evict ok",
    "evict fail",
    "peers fenced",
    "fenced peers that came back",
    "fills closed behind a fence",
    "pause",
    "kill of a Grape",
    "cut",
    "skew",
    "messages lost",
    "messages repeated",
    "messages overtaken",
    "messages cut off",
    "start",
    "lie",
    *(f"lies: {lie}" for lie in LIES),
    "snapshots taken",
    "ledgers joined by snapshot",
    "entries forgotten",
    "runs of a crowd",
    "long silences",
    "small batches that are full",
    "changes refused by a peer that is not the owner",
    "orders submitted again at another peer",
)


def simulate(seeds: range, directory: Path) -> int:
    """Play the runs of all these seeds until one fails; print what happened, and return the exit code."""
    began, seen, done = time.monotonic(), Counter[str](), 0
    failing = None
    for trial in _trials(seeds):
        done += 1
        seen += trial.seen
        if not trial.holds:
            failing = trial
            break
        _progress(done, len(seeds), seen, time.monotonic() - began)
    _progress(done, len(seeds), seen, time.monotonic() - began, last=True)
    if failing is not None:
        _tell(failing, directory)
        return VIOLATED
    return _totals(seen, done)


def _trials(seeds: range) -> Iterator[Trial]:
    cores = min(os.cpu_count() or 1, max(1, len(seeds) // SEEDS_AT_ONCE))
    if cores == 1:
        yield from map(of_seed, seeds)
        return
    with Pool(cores) as pool:
        yield from pool.imap(of_seed, seeds, SEEDS_AT_ONCE)


def of_seed(seed: int) -> Trial:
    """Draw, play and judge one run."""
    return attempt(draw(seed))


def _progress(done: int, seeds: int, seen: Counter[str], took_s: float, *, last: bool = False) -> None:
    if not last and not (sys.stdout.isatty() and done % 10 == 0):
        return
    speed = f"{done / took_s:.1f} seeds/s, {seen['messages'] / took_s:,.0f} messages/s"
    print(f"{done:,} of {seeds:,} seeds, {speed}, {took_s:.0f} s", end="\n" if last else "\r", flush=True)


def _totals(seen: Counter[str], done: int) -> int:
    for what, count in sorted(seen.items()):
        print(f"  {count:>12,}  {what}")
    missing = [what for what in MUST_HAPPEN if not seen[what]]
    if missing and done >= MEANINGFUL_SEEDS:
        print(f"idle: it never came to {', '.join(missing)}")
        return UNKNOWN
    print(f"{done:,} seeds, and everything holds")
    return HOLDS


def _tell(failing: Trial, directory: Path) -> None:
    seed = failing.plan.seed
    print(f"\nSeed {seed} breaks a promise:")
    _print_wrong(failing)
    print(f"\nIt has {len(failing.plan.steps)} steps; shortening:", end=" ", flush=True)
    short = shrunk(failing, attempt, lambda what: print(what, end=" ", flush=True))
    path = directory / f"seed_{seed}.py"
    directory.mkdir(parents=True, exist_ok=True)
    path.write_text(as_scenario(short), encoding="utf-8")
    print(f"\n\nThe shortest found, on {short.plan.peers} peers:")
    for step in short.plan.steps:
        print(f"  {step}")
    _print_wrong(short)
    print(f"\n`make replay SEED={seed}` plays the whole run again. The short one is kept as a scenario in {path}:")
    print(f"move it to scenarios/, and `make scenario NAME=seed_{seed} ON=simulation` plays it.")


def _print_wrong(trial: Trial) -> None:
    for name, sentence in trial.wrong.items():
        print(f"  ✗ {name}: {sentence}")
