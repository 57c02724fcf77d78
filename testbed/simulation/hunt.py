"""How many seeds it takes to find each planted bug, and what finds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import Pool

from testbed.checkers import HOLDS, VIOLATED
from testbed.simulation.fence_mutants import MUTANTS
from testbed.simulation.swarm import draw
from testbed.simulation.trial import attempt

MAX_SEEDS = 2_000


@dataclass(frozen=True, slots=True)
class Catch:
    """After how many seeds a mutant was found, 0 if it was not, and by what."""

    mutant: str
    seeds: int
    found_by: tuple[str, ...] = ()
    sentence: str = ""


def hunt(name: str, max_seeds: int = MAX_SEEDS) -> Catch:
    """Plant one bug, and play seed after seed until something is wrong."""
    with MUTANTS[name].planted():
        for seed in range(max_seeds):
            trial = attempt(draw(seed))
            if not trial.holds:
                return Catch(name, seed + 1, tuple(trial.wrong), next(iter(trial.wrong.values())))
    return Catch(name, 0)


def mutants(names: Sequence[str] = ()) -> int:
    """Hunt mutants on all cores, print a table, and return the exit code: 0 only if every one was found."""
    chosen = list(names) or list(MUTANTS)
    catches: list[Catch] = []
    print(f"{'a peer that ...':42} {'seeds':>5}  found by")
    with Pool() as pool:
        for catch in pool.imap(hunt, chosen, 1):
            catches.append(catch)
            print(f"{catch.mutant:42} {catch.seeds or '-':>5}  {', '.join(catch.found_by) or 'NOTHING'}", flush=True)
            print(f"{'':49} {catch.sentence[:110]}", flush=True)
    missed = [catch.mutant for catch in catches if not catch.seeds]
    if missed:
        print(f"not found in {MAX_SEEDS:,} seeds: {', '.join(missed)}")
        return VIOLATED
    print(f"all {len(catches)} found, the rarest after {max(catch.seeds for catch in catches)} seeds")
    return HOLDS
