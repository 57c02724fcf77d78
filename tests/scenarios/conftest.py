"""Runs on real clusters, from within the process of all tests."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def unhindered() -> Iterator[None]:
    """Keep what other tests have left out of the collector's way: a client that halts for it sees time-outs."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
