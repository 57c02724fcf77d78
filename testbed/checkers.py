"""All checkers, in the order an account lists them, and the judgement they give together. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from testbed.entry_checks import follows
from testbed.evidence import Evidence, Verdict
from testbed.fence_checks import fenced
from testbed.history import History
from testbed.ledger_checks import agreed_trades, chained, conservation, converged, limits_kept, no_overfill, uncrossed
from testbed.order_terms import never_rests, no_self_trade, only_makes, whole_or_nothing
from testbed.panic import no_panic
from testbed.priority import priority
from testbed.promises import answered, durable, exactly_once, expected
from testbed.snapshot_checks import summed_up

Checker = Callable[[History, Evidence], Verdict]

CHECKERS: tuple[Checker, ...] = (
    expected,
    agreed_trades,
    converged,
    conservation,
    no_overfill,
    limits_kept,
    priority,
    uncrossed,
    never_rests,
    whole_or_nothing,
    only_makes,
    no_self_trade,
    durable,
    exactly_once,
    answered,
    follows,
    chained,
    summed_up,
    fenced,
    no_panic,
)

# Exit codes of a run. The first that applies is given, in this order: 4, 1, 3, 2, 0.
HOLDS, VIOLATED, UNKNOWN, NO_QUIET, CRASHED = 0, 1, 2, 3, 4


def judge(history: History, evidence: Evidence) -> list[Verdict]:
    """Return the verdict of every checker."""
    return [_judged(checker, history, evidence) for checker in CHECKERS]


def exit_code(verdicts: list[Verdict], evidence: Evidence) -> int:
    """Return the one number that a run ends with: 0 only if everything is known to hold."""
    kinds = {verdict.kind for verdict in verdicts}
    if evidence.crashed:
        return CRASHED
    if "violated" in kinds:
        return VIOLATED
    if not evidence.quiet:
        return NO_QUIET
    return UNKNOWN if "unknown" in kinds else HOLDS


def worst(codes: Iterable[int]) -> int:
    """Return the exit code that stands for many runs: the worst of theirs."""
    return min(codes, key=(CRASHED, VIOLATED, NO_QUIET, UNKNOWN, HOLDS).index)


def _judged(checker: Checker, history: History, evidence: Evidence) -> Verdict:
    name = checker.__name__
    if not evidence.ledgers:
        return Verdict(name, "unknown", "no peer was left to show its ledgers")
    try:
        return checker(history, evidence)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # A ledger or an answer that cannot even be read keeps no promise.
        return Verdict(name, "violated", f"what the peers show makes no sense: {type(error).__name__}: {error}")
