"""Codes: one table, complete, in the form that clients can rely on."""

from __future__ import annotations

import re

import pytest

from peer.codes import MEANINGS, Code, Refusal


@pytest.mark.parametrize("code", Code)
def test_every_code_is_documented_by_a_sentence(code: Code) -> None:
    assert re.fullmatch(r"ERR_[A-Z_]+", code)
    assert re.fullmatch(r"[A-Z].*\.", MEANINGS[code])


def test_a_refusal_reads_as_its_code_and_a_sentence() -> None:
    assert str(Refusal(Code.UNKNOWN_ORDER, "no order 7")) == "ERR_UNKNOWN_ORDER: no order 7"
