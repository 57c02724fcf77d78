"""Shortening a run that fails to the steps that it takes to fail, and writing it down as a scenario. Pure.

Delta debugging (Zeller and Hildebrandt, 2002): leave out half of the steps, then quarters, and so on, and keep
whatever still breaks one of the same promises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from testbed.simulation.swarm import Plan
from testbed.simulation.trial import Trial

MAX_ATTEMPTS = 600


def shrunk(failing: Trial, attempt: Callable[[Plan], Trial], say: Callable[[str], None]) -> Trial:
    """Return the shortest run found that is wrong in the same way, after at most MAX_ATTEMPTS tries."""
    best, left = failing, MAX_ATTEMPTS
    parts = 2
    while left and len(best.plan.steps) > 1:
        steps, size = best.plan.steps, -(-len(best.plan.steps) // parts)
        for start in range(0, len(steps), size):
            left -= 1
            tried = attempt(replace(best.plan, steps=steps[:start] + steps[start + size :]))
            if failing.wrong.keys() & tried.wrong.keys():
                best, parts = tried, max(2, parts - 1)
                say(f"{len(best.plan.steps)} steps")
                break
            if not left:
                break
        else:
            if size == 1:
                break
            parts = min(len(steps), parts * 2)
    return best


def as_scenario(trial: Trial) -> str:
    """Write a run down as a scenario module; it plays in simulation only."""
    plan = trial.plan
    kinds = sorted({type(step).__name__ for step in plan.steps} | {"played"})
    weather = "from testbed.script import Weather\n" if any(kind == "Storm" for kind in kinds) else ""
    steps = "".join(f"    {step!r},\n" for step in plan.steps)
    found = "\n".join(f"{name}: {sentence}" for name, sentence in trial.wrong.items())
    return f'''"""Found by seed {plan.seed}, shortened to {len(plan.steps)} steps.

{found}
"""

from __future__ import annotations

from testbed.script import Script
{weather}from testbed.simulation.steps import {", ".join(kinds)}

PEERS = {plan.peers}
SEED = {plan.seed}
STEPS = (
{steps})


def script() -> Script:
    """Play the steps, each at its time."""
    yield from played(STEPS)
'''
