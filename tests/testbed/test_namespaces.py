"""Namespaces and disks of local processes: where they come from, and that they go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from testbed import namespaces
from testbed.cluster import CannotRun
from testbed.leash import Leash
from testbed.namespaces import NAMESPACES, make_namespaces, mount_disk, remove_leftovers
from tests.requirements import require_namespaces


@pytest.fixture
def dead() -> int:
    """The process id of nobody any more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


# Who is there refuses the connection; who is not there does not answer.
REACH = """
import socket, sys
try: socket.create_connection((sys.argv[1], 9), timeout=5)
except ConnectionRefusedError: sys.exit(0)
sys.exit(1)
"""


def run(*command: str) -> None:
    subprocess.run(command, check=True)


def is_mounted(folder: Path) -> bool:
    return folder.is_mount()


def ours() -> list[str]:
    """Return the names of this process's namespaces and links."""
    names = [path.name for path in NAMESPACES.iterdir() if path.name.startswith(f"grapevine-{os.getpid()}-")]
    return names + [path.name for path in Path("/sys/class/net").iterdir() if path.name == f"gv{os.getpid()}"]


async def test_all_places_and_this_machine_reach_each_other_and_nothing_is_left() -> None:
    require_namespaces()
    leash = Leash()
    try:
        sites = await make_namespaces(leash, ["a", "b"])
        run(sys.executable, "-c", REACH, sites["a"].address)
        run("nsenter", f"--net={sites['a'].net}", sys.executable, "-c", REACH, sites["b"].address)
    finally:
        leash.close()
    assert ours() == []


async def test_more_places_than_can_all_talk_to_each_other_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "why_too_many", lambda places: f"{places} are too many")
    leash = Leash()
    try:
        with pytest.raises(CannotRun, match="2 are too many"):
            await make_namespaces(leash, ["a", "b"])
    finally:
        leash.close()
    assert ours() == []


async def test_a_small_disk_is_mounted_until_the_leash_is_let_go(tmp_path: Path) -> None:
    require_namespaces()
    leash = Leash()
    await mount_disk(leash, tmp_path)
    assert is_mounted(tmp_path)
    leash.close()
    assert not is_mounted(tmp_path)


async def test_what_a_dead_runner_left_behind_is_removed_and_what_is_a_living_ones_is_not(
    dead: int, tmp_path: Path
) -> None:
    require_namespaces()
    left, kept, disk = f"grapevine-{dead}-peer-1", f"grapevine-{os.getpid()}-peer-1", tmp_path / "a disk"
    disk.mkdir()
    for name in (left, kept):
        run("ip", "netns", "add", name)
    run("mount", "-t", "tmpfs", f"grapevine-{dead}", str(disk))
    try:
        await remove_leftovers()
        assert not (NAMESPACES / left).exists()
        assert (NAMESPACES / kept).exists()
        assert not is_mounted(disk)
    finally:
        run("ip", "netns", "delete", kept)


def test_without_root_or_its_tools_it_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "needs root" in namespaces.why_no_namespaces()
    assert "needs root" in namespaces.why_no_disks()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "there is no `ip` on the PATH" in namespaces.why_no_namespaces()
