"""Bencode, the notation of BEP 5 and BEP 44: integers, byte strings, lists, dictionaries.

Pure: values in, bytes out, and back. Whatever bytes come in, the outcome is a value or a ProtocolError.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from pygrenache.errors import ProtocolError

Value: TypeAlias = "int | bytes | list[Value] | dict[bytes, Value]"

_INTEGER = re.compile(rb"i(0|-?[1-9][0-9]{0,18})e")
_LENGTH = re.compile(rb"(0|[1-9][0-9]{0,6}):")
_MAX_DEPTH = 16


def encode(value: Value) -> bytes:
    """Write a value; dictionary keys come out sorted, as the notation demands."""
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, list):
        return b"l%se" % b"".join(map(encode, value))
    return b"d%se" % b"".join(encode(key) + encode(value[key]) for key in sorted(value))


def decode(data: bytes) -> Value:
    """Read exactly one value. Raises ProtocolError for anything else, and for nesting beyond 16."""
    value, end = _read(data, 0, 0)
    if end != len(data):
        raise ProtocolError("bencode: bytes after the value")
    return value


def _read(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    if depth > _MAX_DEPTH:
        raise ProtocolError("bencode: nested too deep")
    kind = data[at : at + 1]
    if kind == b"l":
        return _read_list(data, at + 1, depth + 1)
    if kind == b"d":
        return _read_dict(data, at + 1, depth + 1)
    if integer := _INTEGER.match(data, at):
        return int(integer[1]), integer.end()
    return _read_bytes(data, at)


def _read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    length = _LENGTH.match(data, at)
    if length is None:
        raise ProtocolError("bencode: no value where one should begin")
    end = length.end() + int(length[1])
    if end > len(data):
        raise ProtocolError("bencode: the text ends inside a value")
    return data[length.end() : end], end


def _read_list(data: bytes, at: int, depth: int) -> tuple[list[Value], int]:
    items: list[Value] = []
    while data[at : at + 1] != b"e":
        item, at = _read(data, at, depth)
        items.append(item)
    return items, at + 1


def _read_dict(data: bytes, at: int, depth: int) -> tuple[dict[bytes, Value], int]:
    items: dict[bytes, Value] = {}
    while data[at : at + 1] != b"e":
        key, at = _read_bytes(data, at)
        items[key], at = _read(data, at, depth)
    return items, at + 1
