"""Finding scenarios: each is a module of the package `scenarios`, and its name is the module's.

A scenario module has a docstring (its first line is the scenario's title), PEERS (how many, 3 if not said), LATE (the
names of those that the script starts later, none if not said), SEED (of its dice and of the simulation, 0 if not said),
SNAPSHOT_EVERY (after how many entries peers sum up their ledgers, their own default if not said), MAX_BATCH (how many
entries peers of a simulation tell each other at once, their own default if not said) and `script()`. A script that
wants to know its peers or to throw dice takes arguments of these names: `script(peers, dice)`; the dice are those of
the seed, so that the same orders are drawn wherever the script is played.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from types import ModuleType
from typing import Any

import scenarios
from testbed.script import BadScript, Script

MAX_PEERS = 30


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario: `peers` names all peers it runs with, the late ones included; `seed` is of all its dice.

    `again` is the command that plays it again, empty for those of the catalogue. `snapshot_every` is after how
    many entries peers sum up their ledgers, `max_batch` how many they tell each other at once in a simulation, if not
    at their own default.
    """

    name: str
    title: str
    peers: tuple[str, ...]
    late: tuple[str, ...]
    script: Callable[[], Script]
    seed: int = 0
    again: str = ""
    snapshot_every: int | None = None
    max_batch: int | None = None


def names() -> list[str]:
    """Return the names of all scenarios, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(scenarios.__path__))


def load(name: str, peers: int | None = None, seed: int | None = None) -> Scenario:
    """Load a scenario, to be run with more `peers` than it needs or with another `seed` if that is said.

    Raises:
        BadScript: there is none of this name, it is not complete, or so many peers cannot run it.
    """
    if name not in names():
        raise BadScript(f"there is no scenario {name!r}; there are {', '.join(names())}")
    return scenario_of(name, importlib.import_module(f"{scenarios.__name__}.{name}"), peers, seed)


def scenario_of(name: str, module: ModuleType, peers: int | None = None, seed: int | None = None) -> Scenario:
    """Read what a module says of its scenario. Raises BadScript."""
    title = (inspect.getdoc(module) or "").partition("\n")[0]
    script = getattr(module, "script", None)
    if not title or not inspect.isgeneratorfunction(script):
        raise BadScript(f"{name} needs a docstring and a generator function `script`")
    needs = getattr(module, "PEERS", 3)
    count = needs if peers is None else peers
    if not needs <= count <= MAX_PEERS:
        raise BadScript(f"{name} runs with {needs} to {MAX_PEERS} peers, not with {count}")
    late = tuple(getattr(module, "LATE", ()))
    names = tuple(f"peer-{number}" for number in range(1, count + 1))
    of_dice = getattr(module, "SEED", 0) if seed is None else seed
    play = _given(name, script, names, of_dice)
    bounds = getattr(module, "SNAPSHOT_EVERY", None), getattr(module, "MAX_BATCH", None)
    return Scenario(name, title, names, late, play, of_dice, "", *bounds)


def _given(name: str, script: Callable[..., Script], peers: tuple[str, ...], seed: int) -> Callable[[], Script]:
    """Give a script what it asks for by the names of its arguments; its dice are new each time it is played."""
    wanted = tuple(inspect.signature(script).parameters)
    if unknown := [each for each in wanted if each not in ("peers", "dice")]:
        raise BadScript(f"{name} has a script that wants {', '.join(unknown)}; it can be given `peers` and `dice`")

    def play() -> Script:
        offers: dict[str, Any] = {"peers": peers, "dice": Random(f"script {seed}")}
        return script(**{each: offers[each] for each in wanted})

    return play
