"""`python -m testbed`, as people and CI call it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.__main__ import main
from testbed.catalog import names
from testbed.cluster import ROOT
from tests.requirements import require_node


def test_the_list_tells_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == names()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["run", "parital_fill"], "there is no scenario 'parital_fill'"),
        (["run", "partial_fill", "--peers", "31", "--on", "processes"], "runs with 3 to 30 peers"),
        (["judge", "nowhere"], "nowhere holds no whole run"),
        (["run", "partial_fill", "--on", "the moon"], "invalid choice"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line_and_is_no_verdict(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 5
    assert why in capsys.readouterr().err


def test_containers_are_insisted_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("testbed.containers.docker_works", lambda: False)
    assert main(["run", "partial_fill", "--on", "containers", "--runs", str(tmp_path)]) == 5
    assert capsys.readouterr().err == "no Docker engine answers (`make docker` gives a Debian machine one)\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.node
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_tears_down_and_says_so(number: signal.Signals, tmp_path: Path) -> None:
    require_node()
    command = [sys.executable, "-m", "testbed", "run", "killed_peer", "--on", "processes", "--runs", str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as run:
        assert run.stdout is not None
        assert any(line.startswith("killed_peer: ") for line in run.stdout)
        run.send_signal(number)
        # The leash writes to the same pipes, so their end is its end too, and with it that of all it held.
        _, told = run.communicate(timeout=30)
    assert told == "interrupted: tearing down\n"
    assert run.returncode == 130
