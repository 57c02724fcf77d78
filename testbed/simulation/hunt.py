"""How many seeds it takes to find each planted bug, and what does: the peers' own guards, and the checkers alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import Pool

import testbed.simulation.term_mutants  # noqa: F401 - enters its bugs into MUTANTS
from testbed.checkers import CHECKERS, HOLDS, VIOLATED
from testbed.simulation.forgetting import MUTANTS
from testbed.simulation.swarm import draw
from testbed.simulation.trial import Trial, attempt

MAX_SEEDS = 2_000
# A bug that takes more seeds than this is rare: so many more are played to tell how rare.
RARE_SEEDS = 50
RATED_SEEDS = 500


@dataclass(frozen=True, slots=True)
class Catch:
    """After how many seeds a mutant was found, 0 if it was not, and by what; `rate` of 1,000 seeds if it is rare."""

    mutant: str
    seeds: int
    found_by: tuple[str, ...] = ()
    sentence: str = ""
    rate: float = 0.0


def hunt(name: str, max_seeds: int = MAX_SEEDS) -> Catch:
    """Plant one bug, and play seed after seed until anything is wrong."""
    with MUTANTS[name].planted():
        return _hunt(name, max_seeds, lambda trial: tuple(trial.wrong))


def hunt_unguarded(name: str, max_seeds: int = MAX_SEEDS) -> Catch:
    """Plant one bug without the guards that meet it, and play seed after seed until a checker speaks."""
    with MUTANTS[name].planted(guarded=False):
        return _hunt(name, max_seeds, checkers_that_spoke)


def checkers_that_spoke(trial: Trial) -> tuple[str, ...]:
    """Return which checkers found something, leaving out what follows from the end of a peer."""
    names = {checker.__name__ for checker in CHECKERS} - ({"answered"} if "crashed" in trial.wrong else set())
    return tuple(name for name in trial.wrong if name in names)


def _hunt(name: str, max_seeds: int, finds: Callable[[Trial], tuple[str, ...]]) -> Catch:
    for seed in range(max_seeds):
        trial = attempt(draw(seed))
        if found := finds(trial):
            rate = _rate(finds) if seed >= RARE_SEEDS else 0.0
            return Catch(name, seed + 1, found, trial.wrong[found[0]], rate)
    return Catch(name, 0)


def _rate(finds: Callable[[Trial], tuple[str, ...]]) -> float:
    found = sum(bool(finds(attempt(draw(seed)))) for seed in range(MAX_SEEDS, MAX_SEEDS + RATED_SEEDS))
    return found * 1_000 / RATED_SEEDS


def mutants(names: Sequence[str] = ()) -> int:
    """Hunt mutants on all cores, print a table, and return the exit code: 0 only if a checker found every one."""
    chosen = list(names) or list(MUTANTS)
    catches: list[Catch] = []
    print(f"{'a peer that ...':40}  with its guards       {'and without':>25}")
    with Pool() as pool:
        hunts = [(pool.apply_async(hunt, [name]), pool.apply_async(hunt_unguarded, [name])) for name in chosen]
        for guarded, unguarded in hunts:
            catches += [guarded.get(), unguarded.get()]
            _print(*catches[-2:])
    missed = [catch.mutant for catch in catches if not catch.seeds]
    if missed:
        print(f"not found in {MAX_SEEDS:,} seeds: {', '.join(missed)}")
        return VIOLATED
    print(f"all {len(chosen)} found, by checkers alone too, the rarest after {max(c.seeds for c in catches)} seeds")
    return HOLDS


def _print(guarded: Catch, unguarded: Catch) -> None:
    first, second = (
        f"{catch.seeds or '-':>5}  {', '.join(catch.found_by) or 'NOTHING'}" for catch in (guarded, unguarded)
    )
    print(f"{guarded.mutant:40} {first:34} {second}")
    rare = [f"{catch.rate:g} in 1,000 seeds find it" for catch in (guarded, unguarded) if catch.rate]
    print(f"{'':41} {'; '.join([*rare, unguarded.sentence])[:110]}", flush=True)
