"""The module that plants bugs: it stands alone, as it is copied into images that hold nothing of the testbed."""

from __future__ import annotations

import ast

from testbed.cluster import ROOT
from testbed.planted import BUGS

SOURCE = (ROOT / "testbed" / "planted.py").read_text(encoding="utf-8")


def test_it_imports_the_peer_and_nothing_of_the_testbed() -> None:
    modules = [node.module for node in ast.walk(ast.parse(SOURCE)) if isinstance(node, ast.ImportFrom)]
    assert {str(module).partition(".")[0] for module in modules} == {"__future__", "peer"}


def test_every_bug_says_what_a_peer_does_wrong() -> None:
    assert all((bug.__doc__ or "").startswith("Plant: ") for bug in BUGS.values())
