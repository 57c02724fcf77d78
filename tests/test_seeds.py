"""A thousand drawn runs on all cores, as `make simulate` plays them: none breaks a promise, and nothing is left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SEEDS = 1_000
# Twenty times what it takes on two idle cores.
BOUND_S = 1_200


@pytest.mark.timeout(BOUND_S + 60)
def test_whatever_a_thousand_seeds_draw_everything_holds_and_all_of_it_happens() -> None:
    command = [sys.executable, "-m", "testbed", "simulate", "--seeds", str(SEEDS)]
    ended = subprocess.run(command, cwd=ROOT, timeout=BOUND_S, capture_output=True, text=True, check=False)
    # A campaign in which one of `campaign.MUST_HAPPEN` never happened does not end with 0 either.
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[-1] == f"{SEEDS:,} seeds, and everything holds"
