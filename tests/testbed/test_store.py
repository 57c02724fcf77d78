"""Runs on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from testbed import store
from testbed.accounts import Copy
from testbed.checkers import judge
from tests.testbed.world import IDS, World, from_its_snapshot


def test_the_newest_run_is_the_latest(tmp_path: Path) -> None:
    for name in ("partial_fill", "full_fill"):
        directory = store.directory_for(tmp_path, name)
        assert directory.parent == tmp_path / name
        store.begin(directory)
        assert (tmp_path / "latest").resolve() == directory.resolve()


def test_a_stored_run_is_judged_as_it_was(tmp_path: Path) -> None:
    world = World()
    bid, ask = world.place("peer-1", "buy", "10", "100"), world.place("peer-2", "sell", "4", "99")
    world.grant(world.open(ask, bid, "4"), ask, bid, "4", "6")
    world.submit(bid)
    verdicts = judge(world.history, world.evidence())
    (tmp_path / "history.jsonl").write_text("".join(f"{event.line()}\n" for event in world.history.events))
    store.write_evidence(tmp_path, world.evidence())
    store.write_verdict(tmp_path, verdicts, 1, why="it never came to rest")
    assert store.read_why(tmp_path) == "it never came to rest"
    assert judge(*store.read_run(tmp_path)) == verdicts
    written = json.loads((tmp_path / "verdict.json").read_text())
    assert written["exit"] == 1
    assert [one["kind"] for one in written["verdicts"]] == [verdict.kind for verdict in verdicts]


def test_what_peers_have_forgotten_is_stored_where_it_is_known(tmp_path: Path) -> None:
    world = World()
    world.place("peer-1", "buy", "10", "100")
    world.sum_up("peer-1", orders=[])
    shown = world.evidence()
    evidence = replace(shown, disks=world.evidence().ledgers)
    shown.ledgers["peer-2"][IDS["peer-1"]] = from_its_snapshot(shown.ledgers["peer-2"][IDS["peer-1"]])
    (tmp_path / "history.jsonl").touch()
    store.write_evidence(tmp_path, evidence)
    assert [path.name for path in (tmp_path / "disks").iterdir()] == ["peer-2.jsonl"]
    _, again = store.read_run(tmp_path)
    assert all(again.held_by(peer) == _without_empty(evidence.held_by(peer)) for peer in evidence.living)
    assert judge(world.history, again) == judge(world.history, evidence)


def _without_empty(copies: dict[str, Copy]) -> dict[str, Copy]:
    return {owner: copy for owner, copy in copies.items() if copy.texts}


def test_lines_that_nobody_wrote_are_none(tmp_path: Path) -> None:
    store.write_lines(tmp_path / "some.jsonl", [{"is": "é"}, 1])
    assert store.read_lines(tmp_path / "some.jsonl") == [{"is": "é"}, 1]
    assert store.read_lines(tmp_path / "none.jsonl") == []


def test_a_run_that_is_not_whole_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"history\.jsonl"):
        store.read_run(tmp_path)
