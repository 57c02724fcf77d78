"""The delaying proxy by itself: when it ends. What it delays is shown in test_sabotage, in namespaces."""

from __future__ import annotations

import subprocess
import sys

import pytest

from testbed.processes import HERE


@pytest.mark.timeout(20)
def test_it_is_ready_when_it_says_so_and_ends_with_whoever_holds_it() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, str(HERE / "delay.py"), "0", "1"], stdin=pipe, stdout=pipe) as proxy:
        assert proxy.stdin is not None
        assert proxy.stdout is not None
        assert proxy.stdout.readline() == b"ready\n"
        proxy.stdin.write(b"0.1 0.2\n")
        proxy.stdin.close()
        assert proxy.wait() == 0
