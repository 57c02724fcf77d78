"""The kernel's table of neighbours: what does not fit is told before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.neighbours import command_for, why_too_many


def kept(folder: Path, limit: str) -> Path:
    """A machine whose kernel keeps so many neighbours."""
    file = folder / "gc_thresh3"
    file.write_text(limit)
    return file


def test_every_place_has_every_other_and_the_machine_which_has_them_all(tmp_path: Path) -> None:
    assert why_too_many(3, kept(tmp_path, "12\n")) == ""
    assert "3 places that all talk to each other need 12 entries" in why_too_many(3, kept(tmp_path, "11\n"))


def test_thirty_peers_and_two_grapes_do_not_fit_where_nobody_has_made_room(tmp_path: Path) -> None:
    assert why_too_many(31, kept(tmp_path, "1024\n")) == ""
    assert why_too_many(32, kept(tmp_path, "1024\n")).endswith(
        "keeps 1,024 (`sysctl -w net.ipv4.neigh.default.gc_thresh3=2112`)"
    )


def test_what_the_command_gives_is_enough(tmp_path: Path) -> None:
    assert why_too_many(32, kept(tmp_path, command_for(32).rpartition("=")[2])) == ""


@pytest.mark.parametrize("limit", ["", "many"])
def test_a_machine_that_does_not_tell_may_try(tmp_path: Path, limit: str) -> None:
    assert why_too_many(1000, tmp_path / "not there") == ""
    assert why_too_many(1000, kept(tmp_path, limit)) == ""
