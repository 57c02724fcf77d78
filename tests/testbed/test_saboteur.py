"""The saboteur, line by line: what it does, and what it refuses."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.saboteur import serve
from tests.requirements import require_namespaces


def answers(*asked: dict[str, Any]) -> list[dict[str, str]]:
    """Ask for deeds, and return what is answered to each."""
    out = io.StringIO()
    serve((json.dumps(one) for one in asked), out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    require_namespaces()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_takes_not_one_byte_more_until_it_is_freed(disk: Path) -> None:
    assert answers({"do": "fill", "folder": str(disk)}) == [{}]
    with pytest.raises(OSError, match="No space left"):
        (disk / "one").write_bytes(b"x")
    assert answers({"do": "free", "folder": str(disk)}) == [{}]
    (disk / "one").write_bytes(b"x")


def test_a_clock_is_a_whole_file_whenever_it_is_read(tmp_path: Path) -> None:
    clock = {"do": "clock", "file": str(tmp_path / "peer-1"), "ahead_s": -3.5}
    assert answers(clock) == [{}]
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("peer-1", "-3.500000\n")]


def test_the_network_of_the_machine_itself_is_never_touched() -> None:
    asked = {"do": "enter", "place": "peer-1", "net": "/proc/self/ns/net", "rules": "", "proxy": None}
    assert answers(asked) == [{"error": "OSError: the network of peer-1 is this machine's own"}]


def test_what_fails_is_answered_and_the_next_deed_is_done_all_the_same(tmp_path: Path) -> None:
    wrong = ({"do": "dance"}, {"do": "rules", "place": "peer-9", "rules": ""}, {"do": "fill", "folder": "/nowhere"})
    first, second, third, last = answers(*wrong, {"do": "free", "folder": str(tmp_path)})
    assert first == {"error": "KeyError: 'dance'"}
    assert second == {"error": "KeyError: 'peer-9'"}
    assert third["error"].startswith("FileNotFoundError")
    assert last == {}
