"""docs/scenarios.md says what is true: its example runs, and it names every word, check and exit code."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from testbed import runner, script
from testbed.__main__ import INTERRUPTED, NOT_RUN
from testbed.catalog import scenario_of
from testbed.checkers import CHECKERS, CRASHED, HOLDS, NO_QUIET, UNKNOWN, VIOLATED
from testbed.cluster import ROOT
from tests.requirements import require_node

BUGS = (ROOT / "docs" / "bugs.md").read_text(encoding="utf-8")
TEXT = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")


@pytest.mark.node
def test_the_example_can_be_run_and_holds(tmp_path: Path) -> None:
    require_node()
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    module = ModuleType("example")
    code = compile(example, "docs/scenarios.md", "exec")
    exec(code, module.__dict__)
    assert runner.run(scenario_of("example", module), "processes", tmp_path) == 0


def test_every_word_is_explained() -> None:
    words = {"Buy", "Sell", *(word.__name__ for word in get_args(script.Wish)), "Answer"} - {"Submit"}
    assert {word for word in words if f"`{word}" not in TEXT} == set()


def test_every_check_is_explained() -> None:
    assert re.findall(r"^\| `([a-z_]+)` \|", TEXT, re.MULTILINE) == [checker.__name__ for checker in CHECKERS]


def test_every_exit_code_is_explained() -> None:
    codes = re.findall(r"^\| ([0-9]+) \|", TEXT, re.MULTILINE)
    assert [int(code) for code in codes] == [HOLDS, VIOLATED, UNKNOWN, NO_QUIET, CRASHED, NOT_RUN, INTERRUPTED]


def test_every_bug_of_the_track_record_has_the_test_that_shows_it() -> None:
    named = re.findall(r"`(tests/[a-z_/]+\.py)::(\w+)`", BUGS)
    assert len(named) >= 13
    assert [test for path, test in named if f"def {test}(" not in (ROOT / path).read_text(encoding="utf-8")] == []


def test_every_target_is_explained() -> None:
    assert [word for word in ("owner", "minority", "majority", "all_but") if f"`{word}(" not in TEXT] == []
