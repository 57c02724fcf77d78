"""The error tree: who is definite, and what an instance may say otherwise."""

from __future__ import annotations

import pytest

from pygrenache import errors


@pytest.mark.parametrize(
    ("kind", "definite"),
    [
        (errors.BadCall, True),
        (errors.ConnectFailed, True),
        (errors.LookupEmpty, True),
        (errors.ConnectionLost, False),
        (errors.RequestTimeout, False),
        (errors.ProtocolError, False),
        (errors.GrapeError, False),
        (errors.RemoteError, False),
    ],
)
def test_an_error_says_whether_nothing_happened(kind: type[errors.GrenacheError], definite: bool) -> None:
    assert kind("text").definite is definite
    assert kind("text", definite=not definite).definite is not definite
    assert str(kind("text")) == "text"


def test_a_remote_error_has_the_workers_code() -> None:
    assert errors.RemoteError("ERR_X: a sentence: more").code == "ERR_X"
    assert errors.RemoteError("plain").code == "plain"


def test_a_bad_call_is_a_value_error() -> None:
    assert issubclass(errors.BadCall, ValueError)
