"""The envelope: bytes in, values out, and nothing but a ProtocolError for what is no envelope."""

from __future__ import annotations

import json
import zlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygrenache import wire
from pygrenache.errors import BadCall, ProtocolError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
ANYTHING = st.binary() | st.text('[]{}",:0123456789.eE+-nulltrue \\', max_size=60).map(str.encode)


def test_a_request_is_compact_utf8() -> None:
    body = wire.encode_request("17", "rpc:t", {"hello": "wörld", "n": 1})
    assert body == '["17","rpc:t",{"hello":"wörld","n":1}]'.encode()


@given(JSON)
def test_every_payload_comes_back(payload: Any) -> None:
    assert wire.decode_request(wire.encode_request("r", "k", payload)) == ("r", "k", payload)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, b"bytes", {(): 1}])
def test_what_json_cannot_say_is_a_bad_call(value: Any) -> None:
    with pytest.raises(BadCall):
        wire.encode(value)


def test_a_circle_is_a_bad_call() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(BadCall):
        wire.encode(circle)


def test_a_lone_surrogate_is_sent_as_its_escape() -> None:
    assert wire.encode(["ö", "\ud800"]) == b'["\\u00f6","\\ud800"]'
    assert wire.decode(wire.encode("\ud800")) == "\ud800"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b'["\xed\xa0\x80"]',
        b"[NaN]",
        b"[-Infinity]",
        b"[1e999]",
        b"[" * 200_000,
        b"[" + b"9" * 5000 + b"]",
        '["utf-16"]'.encode("utf-16"),
    ],
)
def test_what_is_not_strict_json_is_an_error(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        wire.decode(body)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"17", b"null", b'"text"'])
def test_a_request_is_an_array_of_something(body: bytes) -> None:
    with pytest.raises(ProtocolError, match="not an array"):
        wire.decode_request(body)


def test_missing_parts_of_a_request_are_none_and_extra_ones_are_ignored() -> None:
    assert wire.decode_request(b"[17]") == (17, None, None)
    assert wire.decode_request(b'["r","k",1,2,3]') == ("r", "k", 1)


def test_fractions_stay_exact_where_asked_but_for_the_rid() -> None:
    rid, _, payload = wire.decode_request(b'[1.5,"k",0.10]', Decimal)
    assert (rid, str(payload)) == (1.5, "0.10")
    assert wire.encode_reply(rid, None, None) == b"[1.5,null,null]"


def test_a_decimal_beyond_decimal_is_an_error() -> None:
    with pytest.raises(ProtocolError):
        wire.decode(b"1e99999999999999999999", Decimal)


@pytest.mark.parametrize("error", [b'""', b"false", b"null", b"0"])
def test_a_falsy_error_is_success(error: bytes) -> None:
    assert wire.decode_reply(b'["r",%s,1]' % error) == ("r", None, 1)


def test_an_error_that_is_no_text_becomes_one() -> None:
    assert wire.decode_reply(b'["r",{"code":1},null]') == ("r", '{"code":1}', None)


def test_a_reply_may_lack_its_result_but_not_its_error() -> None:
    assert wire.decode_reply(b'["r",null]') == ("r", None, None)
    with pytest.raises(ProtocolError, match="not an array"):
        wire.decode_reply(b'["r"]')


@given(ANYTHING)
def test_garbage_is_a_value_or_an_error(garbage: bytes) -> None:
    for read in (wire.decode_request, wire.decode_reply):
        for parse_float in (float, Decimal):
            try:
                read(garbage, parse_float)
            except ProtocolError:
                pass


def test_gzip_comes_back() -> None:
    assert wire.gunzip(wire.gzip(b"text"), 4) == b"text"


def test_a_plain_body_is_taken_as_it_is() -> None:
    assert wire.gunzip(b"[1]", 10) == b"[1]"


def test_a_gzip_bomb_is_not_blown_up() -> None:
    assert wire.gunzip(wire.gzip(bytes(50 << 20)), 1 << 20) is None


@given(st.binary(max_size=40))
def test_broken_gzip_is_a_value_or_an_error(garbage: bytes) -> None:
    try:
        wire.gunzip(b"\x1f\x8b" + garbage, 100)
    except ProtocolError:
        pass


def test_gzip_cut_short_or_followed_by_more_is_an_error() -> None:
    whole = wire.gzip(b"text" * 100)
    for body in (whole[:-1], whole + b"x"):
        with pytest.raises(ProtocolError):
            wire.gunzip(body, 1000)


@pytest.mark.parametrize(
    ("body", "rid"),
    [
        (b'["abc-1","key",{"cut": "sho', "abc-1"),
        (b' [ "a" , nonsense', "a"),
        (b'[17,"key"', None),
        (b'["\\u0041","k"', None),
        (b"garbage", None),
        (b"\x1f\x8bgarbage", None),
        (wire.gzip(json.dumps(["zipped", "k", "x" * 5000]).encode())[:200], "zipped"),
    ],
)
def test_the_rid_of_a_broken_body_is_found_if_it_is_plain(body: bytes, rid: str | None) -> None:
    assert wire.salvage_rid(body) == rid


@given(ANYTHING)
def test_salvage_survives_garbage(garbage: bytes) -> None:
    for body in (garbage, b"\x1f\x8b" + garbage, zlib.compress(garbage, wbits=31)):
        rid = wire.salvage_rid(body)
        assert rid is None or isinstance(rid, str)
