"""Finding scenarios: each is a module of the package `scenarios`, and its name is the module's.

A scenario module has a docstring (its first line is the scenario's title), PEERS (how many, 3 if not said), LATE (the
names of those that the script starts later, none if not said), SEED (of the simulation, 0 if not said) and `script()`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import scenarios
from testbed.script import BadScript, Script

MAX_PEERS = 10


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario: `peers` names all peers it runs with, the late ones included; `seed` is for the simulation."""

    name: str
    title: str
    peers: tuple[str, ...]
    late: tuple[str, ...]
    script: Callable[[], Script]
    seed: int = 0


def names() -> list[str]:
    """Return the names of all scenarios, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(scenarios.__path__))


def load(name: str, peers: int | None = None) -> Scenario:
    """Load a scenario, to be run with more `peers` than it needs if that is said.

    Raises:
        BadScript: there is none of this name, it is not complete, or so many peers cannot run it.
    """
    if name not in names():
        raise BadScript(f"there is no scenario {name!r}; there are {', '.join(names())}")
    return scenario_of(name, importlib.import_module(f"{scenarios.__name__}.{name}"), peers)


def scenario_of(name: str, module: ModuleType, peers: int | None = None) -> Scenario:
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
    return Scenario(name, title, names, late, script, getattr(module, "SEED", 0))
