"""The checker of what the processes themselves have said: a program that is well writes no such lines. Pure.

The rule: a process that ends is found elsewhere; this finds what went wrong inside one that goes on as if it had not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from testbed.evidence import Evidence, Verdict, many
from testbed.history import History

LONGEST_LINE = 240

# Of Python, of its event loop, of a peer's own log (JSON lines), and of Node.js.
_PANIC = re.compile(
    r"Traceback \(most recent call last\)|AssertionError|Fatal Python error|Segmentation fault"
    r"|exception was never retrieved|was never awaited|Task was destroyed but it is pending"
    r"|\bCRITICAL\b|\"level\": \"(?:critical|error)\""
    r"|[Uu]ncaught|[Uu]nhandled|^\s*throw |^Node\.js v[0-9]"
)
# A peer that cannot write ends by its own rule; whether that was meant to happen, `crashed` tells.
_BY_RULE = re.compile(r"\"message\": \"this peer must end: (?:database or disk is full|disk I/O error)")


def no_panic(history: History, evidence: Evidence) -> Verdict:
    """No log of a peer or a Grape holds a traceback, a failed assertion or an error that nobody has handled."""
    wrong = [f"{name}.log:{line}" for name, log in sorted(evidence.logs.items()) for line in _panics(log)]
    if wrong:
        return Verdict("no_panic", "violated", wrong[0], tuple(wrong))
    return Verdict("no_panic", "valid", f"no panic in {many(len(evidence.logs), 'log')}")


def _panics(log: str) -> Iterator[str]:
    for number, line in enumerate(log.splitlines(), 1):
        if _PANIC.search(line) and not _BY_RULE.search(line):
            yield f"{number}: {line[:LONGEST_LINE]}"
