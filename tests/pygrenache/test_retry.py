"""The retry policies, with a sleep that only takes notes."""

from __future__ import annotations

import pytest

from pygrenache import retry
from pygrenache.errors import ConnectFailed, GrapeError, GrenacheError


class Call:
    """Fails as often as it has failures left; then "done"."""

    def __init__(self, *failures: GrenacheError) -> None:
        self.failures = list(failures)

    async def __call__(self) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return "done"


class Naps(list[float]):
    """A sleep that keeps what it was asked for."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


async def test_unreachable_grapes_are_tried_again_after_short_naps() -> None:
    naps = Naps()
    policy = retry.GRAPES_UNREACHABLE.copy(sleep=naps)
    assert await policy(Call(ConnectFailed("1"), ConnectFailed("2"))) == "done"
    assert len(naps) == 2
    assert sum(naps) <= 1.0


async def test_the_last_failure_is_what_the_caller_sees() -> None:
    policy = retry.GRAPES_UNREACHABLE.copy(sleep=Naps())
    with pytest.raises(ConnectFailed, match="3"):
        await policy(Call(ConnectFailed("1"), ConnectFailed("2"), ConnectFailed("3"), ConnectFailed("4")))


async def test_a_grapes_answer_is_not_asked_for_again() -> None:
    naps = Naps()
    with pytest.raises(GrapeError):
        await retry.GRAPES_UNREACHABLE.copy(sleep=naps)(Call(GrapeError("no")))
    assert naps == []
