"""JUnit XML."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

from testbed.evidence import Verdict
from testbed.junit import Case, junit, of_verdicts
from tests.testbed.world import World


def test_every_case_is_counted_once() -> None:
    cases = [Case("a", "passed", seconds=1.5), Case("b", "failure", "why"), Case("c", "skipped", "no Docker")]
    (suite,) = ElementTree.fromstring(junit("scenarios", cases))
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["3", "1", "0", "1"]
    assert [[part.tag for part in case] for case in suite] == [[], ["failure"], ["skipped"]]
    assert suite[1][0].get("message") == "why"


def test_a_log_line_may_hold_what_xml_cannot() -> None:
    (suite,) = ElementTree.fromstring(junit("s", [Case("a", "failure", "<\x00&>", "\x1b[31m]]>\ud800")]))
    assert suite[0][0].get("message") == "<\ufffd&>"
    assert suite[0][0].text == "\ufffd[31m]]>\ufffd"


def test_doubt_is_no_failure_and_no_success() -> None:
    evidence = replace(World().evidence(), crashed=("peer-1 ended by itself with exit code 1",))
    verdicts = [
        Verdict("a", "valid", "fine"),
        Verdict("b", "violated", "bad", ("bad", "worse")),
        Verdict("c", "unknown", "?"),
    ]
    cases = of_verdicts(verdicts, evidence, "no rest in 30 s")
    assert [(case.name, case.result) for case in cases] == [
        ("a", "passed"), ("b", "failure"), ("c", "error"), ("crashed", "error"), ("quiet", "failure")
    ]  # fmt: skip
    assert cases[1].details == "bad\nworse"
