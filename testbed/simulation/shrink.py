"""Shortening a run that fails to the steps that it takes to fail, and writing it down as a scenario.

Delta debugging (Zeller and Hildebrandt, 2002): leave out each half of the steps, then each quarter, and so on, and go
on with whatever still breaks one of the same promises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from testbed.simulation.swarm import Plan
from testbed.simulation.trial import Trial

MAX_ATTEMPTS = 400


def shrunk(failing: Trial, attempt: Callable[[Plan], Trial], say: Callable[[str], None]) -> Trial:
    """Return the shortest run found that is wrong in the same way, after at most MAX_ATTEMPTS tries."""
    best, left = failing, MAX_ATTEMPTS
    size = len(best.plan.steps) // 2
    while size and left:
        before, start = best, 0
        while start < len(best.plan.steps) and left:
            steps, left = best.plan.steps, left - 1
            tried = attempt(replace(best.plan, steps=steps[:start] + steps[start + size :]))
            if failing.wrong.keys() & tried.wrong.keys():
                best = tried
            else:
                start += size
        say(f"{len(best.plan.steps)} steps")
        # Single steps are gone through until none of them can be left out.
        size = size // 2 if size > 1 else int(best is not before)
    return best


def as_scenario(trial: Trial) -> str:
    """Write a run down as a scenario module; it plays in simulation only."""
    plan = trial.plan
    kinds = sorted({type(step).__name__ for step in plan.steps} | {"played"})
    words = ["Script", *(word for kind, word in (("Renew", "Submit"), ("Storm", "Weather")) if kind in kinds)]
    late = f"LATE = {plan.late!r}\n" if plan.late else ""
    steps = "".join(f"    {step!r},\n" for step in plan.steps)
    found = "\n".join(f"{name}: {sentence}" for name, sentence in trial.wrong.items())
    return f'''"""Found by seed {plan.seed}, shortened to {len(plan.steps)} steps.

{found}
"""

from __future__ import annotations

from testbed.script import {", ".join(words)}
from testbed.simulation.steps import {", ".join(kinds)}

PEERS = {plan.peers}
{late}SEED = {plan.seed}
SNAPSHOT_EVERY = {plan.snapshot_every}
MAX_BATCH = {plan.max_batch}
STEPS = (
{steps})


def script() -> Script:
    """Play the steps, each at its time."""
    yield from played(STEPS)
'''
