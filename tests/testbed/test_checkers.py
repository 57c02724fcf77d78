"""All checkers together, and the one number that a run ends with."""

from __future__ import annotations

from dataclasses import replace

from testbed.checkers import CHECKERS, CRASHED, HOLDS, NO_QUIET, UNKNOWN, VIOLATED, exit_code, judge, worst
from testbed.evidence import Evidence, Verdict
from testbed.history import History
from tests.testbed.world import World

PROMISES = {
    "no_overfill", "agreed_trades", "conservation", "durable", "converged", "uncrossed", "limits_kept", "priority",
    "exactly_once", "answered", "expected", "follows", "chained", "summed_up", "fenced", "no_panic", "never_rests",
    "whole_or_nothing", "only_makes", "no_self_trade",
}  # fmt: skip


def test_every_promise_has_its_checker_and_each_verdict_its_checkers_name() -> None:
    verdicts = judge(History(), World().evidence())
    assert {verdict.name for verdict in verdicts} == PROMISES == {checker.__name__ for checker in CHECKERS}
    assert exit_code(verdicts, World().evidence()) == 0


def test_what_cannot_be_read_is_a_violation_and_no_crash() -> None:
    world = World()
    world.write("peer-1", "GIFT", {})
    kinds = {verdict.kind for verdict in judge(History(), world.evidence())}
    assert "violated" in kinds


def test_without_any_evidence_nothing_is_known() -> None:
    nothing = Evidence(quiet=False, peer_ids={}, living=())
    assert {verdict.kind for verdict in judge(History(), nothing)} == {"unknown"}


def test_the_gravest_finding_gives_the_exit_code() -> None:
    quiet = World().evidence()
    restless, crashed = replace(quiet, quiet=False), replace(quiet, crashed=("peer-1 ended by itself",))
    valid, unknown, violated = (Verdict("x", kind, "") for kind in ("valid", "unknown", "violated"))
    assert exit_code([valid], quiet) == 0
    assert exit_code([valid, unknown], quiet) == 2
    assert exit_code([unknown], restless) == 3
    assert exit_code([unknown, violated], restless) == 1
    assert exit_code([violated], crashed) == 4


def test_of_many_codes_the_worst_stands_for_all() -> None:
    order = [HOLDS, UNKNOWN, NO_QUIET, VIOLATED, CRASHED]
    assert [worst(order[: number + 1]) for number in range(len(order))] == order
