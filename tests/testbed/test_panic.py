"""Panics in logs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from testbed.evidence import Verdict
from testbed.history import History
from testbed.panic import no_panic
from tests.testbed.world import World


def judged(**logs: str) -> Verdict:
    return no_panic(History(), replace(World().evidence(), logs=logs))


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        "Task exception was never retrieved",
        "<sys>:0: RuntimeWarning: coroutine 'f' was never awaited",
        '{"level": "critical", "message": "this peer must end: list index out of range"}',
        '{"level": "error", "message": "the handler failed", "traceback": "Traceback (most recent call last):"}',
        "Uncaught Error: listen EADDRINUSE",
        "Node.js v20.19.2",
    ],
)
def test_a_panic_in_any_log_is_a_violation_and_told_with_its_place(line: str) -> None:
    verdict = judged(peer="all is well\n", grape=f"grape: DHT on udp 20001\n{line}\n")
    assert verdict.kind == "violated"
    assert verdict.evidence == (f"grape.log:2: {line}",)


def test_warnings_are_no_panic() -> None:
    verdict = judged(peer='{"level": "warning", "message": "no Grape answers (no reply in time)"}\n', grape="")
    assert (verdict.kind, verdict.sentence) == ("valid", "no panic in 2 logs")


def test_a_peer_that_ends_by_its_own_rule_does_not_panic() -> None:
    full = '{"level": "critical", "message": "this peer must end: database or disk is full", "traceback": "Traceback"}'
    assert judged(peer=full).kind == "valid"
