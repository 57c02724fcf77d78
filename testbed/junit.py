"""Verdicts as JUnit XML, which every CI shows as a table. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from testbed.evidence import Evidence, Verdict

Result = Literal["passed", "failure", "error", "skipped"]

# What XML cannot hold, not even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the table: `message` says in a sentence why, `details` all that is known."""

    name: str
    result: Result
    message: str = ""
    details: str = ""
    seconds: float = 0.0


def junit(suite: str, cases: Sequence[Case]) -> str:
    """Write cases as the text of one XML document."""
    counts = {
        "tests": len(cases),
        "failures": sum(case.result == "failure" for case in cases),
        "errors": sum(case.result == "error" for case in cases),
        "skipped": sum(case.result == "skipped" for case in cases),
    }
    numbers = {name: str(count) for name, count in counts.items()}
    seconds = f"{sum(case.seconds for case in cases):.3f}"
    root = ElementTree.Element("testsuites", {"name": suite, **numbers, "time": seconds})
    table = ElementTree.SubElement(root, "testsuite", {"name": suite, **numbers, "time": seconds})
    for case in cases:
        row = {"classname": suite, "name": case.name, "time": f"{case.seconds:.3f}"}
        element = ElementTree.SubElement(table, "testcase", row)
        if case.result != "passed":
            ElementTree.SubElement(element, case.result, {"message": _clean(case.message)}).text = _clean(case.details)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def of_verdicts(verdicts: Sequence[Verdict], evidence: Evidence, why: str) -> list[Case]:
    """Return a case for each check of a run; also one for each process that crashed, and one if it found no rest."""
    results: dict[str, Result] = {"valid": "passed", "violated": "failure", "unknown": "error"}
    cases = [
        Case(verdict.name, results[verdict.kind], verdict.sentence, "\n".join(verdict.evidence)) for verdict in verdicts
    ]
    cases += [Case("crashed", "error", line) for line in evidence.crashed]
    return [*cases, Case("quiet", "failure", why)] if why else cases


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
