"""The leash: what it holds does not outlive the one who holds it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.cluster import ROOT
from testbed.leash import Leash

# Holds a process that writes nothing and keeps its output open: when that output ends, the process has ended.
HOLDER = """
import subprocess, sys, time
from testbed.leash import Leash
leash = Leash()
leash.hold(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0).pid)
print("held", file=sys.stderr, flush=True)
time.sleep(600)
"""


@pytest.mark.timeout(20)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_is_held_ends_with_its_holder_however_that_ends(how: signal.Signals) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert holder.stdout is not None
    assert holder.stderr is not None
    with holder.stdout, holder.stderr:
        assert holder.stderr.readline() == "held\n"
        holder.send_signal(how)
        holder.wait()
        # The end of the file comes when the last that could write to it is gone.
        assert holder.stdout.read() == ""


@pytest.mark.timeout(20)
def test_what_was_released_lives_on() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, process_group=0) as process:
        leash = Leash()
        leash.hold(process.pid)
        leash.release(process.pid)
        leash.close()
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.timeout(20)
def test_what_was_done_is_undone_last_first_when_all_processes_have_ended(tmp_path: Path) -> None:
    told = tmp_path / "told"
    leash = Leash()
    leash.undo("sh", "-c", f"echo first >> {told}")
    leash.undo("false")
    leash.undo("sh", "-c", f"echo second >> {told}")
    leash.close()
    assert told.read_text() == "second\nfirst\n"


@pytest.mark.timeout(20)
def test_closing_ends_what_is_still_held() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, process_group=0) as process:
        leash = Leash()
        leash.hold(process.pid)
        leash.close()
        assert process.wait() == -signal.SIGKILL
