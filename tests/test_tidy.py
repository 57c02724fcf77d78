"""The house rules that no linter knows: sizes, mirrored tests, and what may stand in no file.

Rule: a failure lists every offender, so that one run is enough to mend them all.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.requirements import require

ROOT = Path(__file__).parents[1]
FUNCTION_LINES = 50
MODULE_LINES = 400
MIRRORED_PACKAGES = ("pygrenache", "peer", "testbed")
UNMIRRORED = {
    "__init__": "it only names what the package offers",
    "__main__": "it only reads arguments; the scenarios run it",
}
# Brackets keep the patterns from finding themselves.
UNFINISHED = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X]|for no[w]|NotImplemente[d]Error)\b")
PACKAGE_HOST = re.compile(r"\b(registry|files|pypi|deb|index|ghcr|quay)[\w-]*\.([\w-]+\.)*(org|com|io|net|dev)\b")
MAKE_COMMAND = re.compile(r"(?:^|`|\$ )make ([a-z-]+)", re.MULTILINE)


@cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project: what git tracks, and what is new and not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        require(False, "this is no git checkout, so nobody knows which files are the project's")
        raise
    paths = (ROOT / name for name in sorted(listed.split("\0")) if name)
    return tuple(path for path in paths if path.is_file())


def python_files() -> Iterator[tuple[str, ast.Module]]:
    for path in project_files():
        if path.suffix == ".py":
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in project_files():
        text = path.read_bytes().decode(errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    return found


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = []
    for name, module in python_files():
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    too_long.append(f"{name}: {node.name} has {lines} lines")
    assert too_long == []


def test_no_module_is_longer_than_it_can_be_kept_in_mind() -> None:
    sizes = {name: len((ROOT / name).read_text().splitlines()) for name, _ in python_files()}
    assert {name: lines for name, lines in sizes.items() if lines > MODULE_LINES} == {}


def test_every_module_says_what_it_is_for() -> None:
    assert [name for name, module in python_files() if not ast.get_docstring(module)] == []


@pytest.mark.parametrize("package", MIRRORED_PACKAGES)
def test_every_module_has_its_file_of_tests(package: str) -> None:
    modules = sorted(path.stem for path in (ROOT / package).glob("*.py") if path.stem not in UNMIRRORED)
    assert modules, f"{package} has no modules at all"
    untested = [name for name in modules if not (ROOT / "tests" / package / f"test_{name}.py").is_file()]
    assert untested == []


def test_nothing_is_left_for_later() -> None:
    assert lines_with(UNFINISHED) == []


def test_no_file_names_a_host_that_serves_packages() -> None:
    assert lines_with(PACKAGE_HOST) == []


def test_the_npm_locks_name_hashes_and_no_addresses() -> None:
    locks = [path for path in project_files() if path.name == "package-lock.json"]
    assert locks
    for lock in locks:
        packages = json.loads(lock.read_text())["packages"]
        installed = [entry for name, entry in packages.items() if name]
        assert all("resolved" not in entry and "integrity" in entry for entry in installed), lock


def test_the_package_and_the_lock_ask_for_the_same_libraries() -> None:
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    lines = (ROOT / "requirements" / "runtime.in").read_text().splitlines()
    assert packaged == [line for line in lines if not line.startswith("#")]


def test_every_make_command_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(MAKE_COMMAND.findall((ROOT / "README.md").read_text()))
    assert named
    assert named <= targets
