"""Bencode: the bytes of BEP 5, and whatever else may arrive on a UDP port."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygrenache import bencode
from pygrenache.errors import ProtocolError

VALUES = st.recursive(
    st.integers(-(2**62), 2**62) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.binary(max_size=5), inner, max_size=4),
    max_leaves=10,
)


def test_a_query_is_written_with_sorted_keys() -> None:
    query: bencode.Value = {b"y": b"q", b"t": b"\x08\xc3", b"q": b"get_peers", b"a": {b"info_hash": b"svc4"}}
    assert bencode.encode(query) == b"d1:ad9:info_hash4:svc4e1:q9:get_peers1:t2:\x08\xc31:y1:qe"


def test_a_reply_is_read() -> None:
    reply = b"d1:rd2:id2:xx5:token2:\x00\xffe1:t2:h)1:y1:re"
    assert bencode.decode(reply) == {b"r": {b"id": b"xx", b"token": b"\x00\xff"}, b"t": b"h)", b"y": b"r"}


@given(VALUES)
def test_every_value_comes_back(value: bencode.Value) -> None:
    assert bencode.decode(bencode.encode(value)) == value


@pytest.mark.parametrize(
    "text", [b"", b"i", b"ie", b"i01e", b"i-0e", b"3:ab", b"l", b"d1:a", b"di1ei2ee", b"i1ei2e", b"01:a", b"-1:a"]
)
def test_anything_else_is_an_error(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        bencode.decode(text)


def test_nesting_is_bounded() -> None:
    with pytest.raises(ProtocolError, match="too deep"):
        bencode.decode(b"l" * 5000)


@given(st.binary(max_size=60) | st.text("ild0123456789:e-", max_size=60).map(str.encode))
def test_garbage_is_a_value_or_an_error(garbage: bytes) -> None:
    try:
        bencode.decode(garbage)
    except ProtocolError:
        pass
