"""The same seed is the same run: in another process, and whatever order sets and hashes have there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SEEDS = (3, 11, 30)


def replayed(seed: int, hash_seed: int, runs: Path) -> dict[str, bytes]:
    """Play a seed in a process of its own, and return every file of the run that tells what happened."""
    command = [sys.executable, "-m", "testbed", "replay", str(seed), "--runs", str(runs)]
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    latest = runs / "latest"
    names = [
        "history.jsonl",
        "books.json",
        "verdict.json",
        *(f"ledgers/{path.name}" for path in latest.glob("ledgers/*")),
    ]
    return {name: (latest / name).read_bytes() for name in sorted(names)}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_gives_the_same_bytes_under_any_hash_seed(seed: int, tmp_path: Path) -> None:
    first = replayed(seed, 1, tmp_path / "first")
    assert first["history.jsonl"].count(b"\n") > 20
    assert replayed(seed, 2, tmp_path / "second") == first
