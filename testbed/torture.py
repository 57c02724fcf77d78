"""Torture: real peers under orders and faults that are drawn as in the simulation, round after round.

The rule: a round ends with all peers healed and at rest, so the health of each is seen before and after its faults; and
a torture in which little was traded, or nothing under a fault, proves nothing and does not pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, inf
from pathlib import Path

from testbed import runner, store
from testbed.catalog import Scenario
from testbed.checkers import HOLDS, UNKNOWN
from testbed.rehearsal import rehearse
from testbed.script import FAULTS, Fault, Script, Skew, Wait
from testbed.simulation.steps import Step, played
from testbed.simulation.swarm import Pace, Swarm, steps_of
from testbed.tally import Tally, tally

# Orders and faults of a round begin within this time; with the last fault's end and the rest after it, it takes longer.
ROUND_S = 12.0
WHOLE_ROUND_S = 20.0
ORDERS_A_SECOND = 60
PEERS = 5
# A peer takes seconds to start, and a call that fails takes two: what lasts less has not happened to real peers.
REAL = Pace(
    lasts_s=(ROUND_S,),
    orders=(int(ROUND_S * ORDERS_A_SECOND * 0.7), int(ROUND_S * ORDERS_A_SECOND * 1.3)),
    down_s=(0.5, 6.0),
    frozen_s=(0.5, 8.0),
    parted_s=(1.0, 8.0),
    storm_s=(2.0, 8.0),
    skewed_s=(2.0, 8.0),
    rest_s=inf,
    chance=0.7,
    is_exact=False,
)
# What there must be of, for each second in which orders were drawn.
ACCEPTED_A_SECOND = ORDERS_A_SECOND / 3
FILLS_A_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class Torture:
    """What is to be done to how many peers, for how long at least; `seed` gives all the dice."""

    on: str
    minutes: float
    seed: int
    peers: int = PEERS
    plant: str = ""

    @property
    def rounds(self) -> int:
        """How many rounds that makes."""
        return max(1, ceil(self.minutes * 60 / WHOLE_ROUND_S))

    def scenario(self, can: Callable[[Fault], bool]) -> Scenario:
        """Return the torture as a scenario, without the faults that cannot be done."""
        names = tuple(f"peer-{number}" for number in range(1, self.peers + 1))
        swarms = [Swarm(f"torture {self.seed}, round {number}", names, REAL) for number in range(1, self.rounds + 1)]
        drawn = [steps_of(swarm, is_whole=False) for swarm in swarms]
        rounds = [[step for step in steps if _is_possible(step, can)] for steps in drawn]

        def script() -> Script:
            for steps in rounds:
                yield from played(steps)

        planted = f" PLANT={self.plant}" if self.plant else ""
        again = f"make torture ON={self.on} MINUTES={self.minutes:g} SEED={self.seed} PEERS={self.peers}{planted}"
        title = f"{self.rounds} rounds of random orders and faults on {self.peers} peers, seed {self.seed}."
        return Scenario("torture", title, names, (), script, self.seed, again)


def torture(wanted: Torture, runs: Path) -> int:
    """Torture peers, print what was done to them, and return the exit code. Raises BadScript, CannotRun."""
    with runner.inspected(wanted.on) as cluster:
        # Peers with another clock are started from an image of their own, which holds no bug.
        scenario = wanted.scenario(
            lambda fault: not cluster.why_not(fault) and not (wanted.plant and isinstance(fault, Skew))
        )
    code = runner.run(scenario, wanted.on, runs, wanted.plant)
    directory = max((runs / "torture").iterdir())
    found = tally(*store.read_run(directory), store.read_about(directory)["began_s"])
    store.write_json(directory / "tally.json", found.rows())
    for what, count in found.rows().items():
        print(f"  {count:>10,}  {what}")
    missing = list(idle(found, wanted.rounds * ROUND_S))
    if missing:
        print(f"idle: {'; '.join(missing)}")
    return UNKNOWN if missing and code == HOLDS else code


def idle(found: Tally, seconds: float) -> Iterator[str]:
    """Say what there was too little of in so many seconds for the run to prove anything."""
    if found.accepted < ACCEPTED_A_SECOND * seconds:
        yield f"{found.accepted:,} orders were accepted, and {ACCEPTED_A_SECOND * seconds:,.0f} are the least"
    if found.fills < FILLS_A_SECOND * seconds:
        yield f"{found.fills:,} fills went across peers, and {FILLS_A_SECOND * seconds:,.0f} are the least"
    if not found.faults:
        yield "nothing was hurt"
    elif not found.fills_under_fault:
        yield "nothing was filled while anything was hurt"


def _is_possible(step: Step, can: Callable[[Fault], bool]) -> bool:
    wishes = rehearse(step.script({}))
    return all(can(wish) for wish in wishes if isinstance(wish, FAULTS) and not isinstance(wish, Wait))
