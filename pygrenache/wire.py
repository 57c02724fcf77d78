"""Grenache's envelope: `[rid, key, payload]` and `[rid, error, result]` as JSON bytes, plain or gzipped.

Pure. Whatever bytes come in, the outcome is a value or a ProtocolError; whatever value goes out, bytes or a
BadCall. JSON is taken strictly: UTF-8 only, and no number that is not one (NaN, Infinity, 1e999).
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NoReturn

from pygrenache.errors import BadCall, ProtocolError

ParseFloat = Callable[[str], Any]

_GZIP = 31  # zlib's number for a gzip frame around the largest window
_GZIP_MAGIC = b"\x1f\x8b"
_RID = re.compile(rb'\s*\[\s*"([ -!#-\[\]-~]{1,100})"\s*,')
_RID_BYTES = 256
_encode_utf8 = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_encode_ascii = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def encode(value: Any) -> bytes:
    """Write a value as JSON. Raises BadCall where JSON has no form for it."""
    try:
        try:
            return _encode_utf8(value).encode()
        except UnicodeEncodeError:
            # A lone surrogate has no UTF-8 form, but it has a JSON escape, which every JSON reader takes.
            return _encode_ascii(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise BadCall(f"not a JSON value: {error}") from error


def decode(body: bytes | bytearray, parse_float: ParseFloat = float) -> Any:
    """Read JSON, fractions by `parse_float`. Raises ProtocolError for anything that is not strict JSON."""
    try:
        return _decoder(parse_float)(body.decode())
    except (ValueError, ArithmeticError, RecursionError) as error:
        # ValueError is also invalid UTF-8 and an integer of more than 4300 digits; ArithmeticError is
        # Decimal's.
        raise ProtocolError(f"not JSON: {str(error)[:200]}") from error


def encode_request(rid: str, key: str, payload: Any) -> bytes:
    """Write the body of a request."""
    return encode([rid, key, payload])


def encode_reply(rid: Any, error: str | None, result: Any) -> bytes:
    """Write the body of a reply."""
    return encode([rid, error, result])


def decode_request(body: bytes | bytearray, parse_float: ParseFloat = float) -> tuple[Any, Any, Any]:
    """Read a request into (rid, key, payload); missing parts are None, parts beyond the third are ignored."""
    parts = decode(body, parse_float)
    if not isinstance(parts, list) or not parts:
        raise ProtocolError("not an array [rid, key, payload]")
    rid, key, payload = (*parts[:3], None, None)[:3]
    if parse_float is not float and not isinstance(rid, str):
        # The rid only goes back where it came from, so it is read in a form that can be written again.
        rid = decode(body)[0]
    return rid, key, payload


def decode_reply(body: bytes | bytearray, parse_float: ParseFloat = float) -> tuple[Any, str | None, Any]:
    """Read a reply into (rid, error, result); a falsy error is no error, as the Node.js client has it."""
    parts = decode(body, parse_float)
    if not isinstance(parts, list) or len(parts) < 2:
        raise ProtocolError("not an array [rid, error, result]")
    rid, error, result = (*parts[:3], None)[:3]
    if error and not isinstance(error, str):
        error = encode(error).decode() if parse_float is float else str(error)
    return rid, error or None, result


def salvage_rid(body: bytes | bytearray) -> str | None:
    """The rid at the head of a body that is broken or incomplete, if it is a plain string.

    The Node.js client drops a reply without its rid, and would learn of a refusal only as a timeout.
    """
    head = bytes(body[:_RID_BYTES])
    if head.startswith(_GZIP_MAGIC):
        try:
            head = zlib.decompressobj(_GZIP).decompress(head, _RID_BYTES)
        except zlib.error:
            return None
    found = _RID.match(head)
    return found[1].decode() if found else None


def gzip(body: bytes) -> bytes:
    """Compress a body, fast rather than small."""
    return zlib.compress(body, 1, _GZIP)


def gunzip(body: bytes | bytearray, max_bytes: int) -> bytes | bytearray | None:
    """Decompress a body; None when more than `max_bytes` would come out.

    A body that is plain although its header promised gzip is taken as it is, like the Node.js server does.
    """
    if not body.startswith(_GZIP_MAGIC):
        return body
    inflater = zlib.decompressobj(_GZIP)
    try:
        plain = inflater.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise ProtocolError(f"not gzip: {error}") from error
    if len(plain) > max_bytes:
        return None
    if not inflater.eof or inflater.unused_data:
        raise ProtocolError("not gzip: it ends too early or too late")
    return plain


@lru_cache(maxsize=8)
def _decoder(parse_float: ParseFloat) -> Callable[[str], Any]:
    finite = _finite_float if parse_float is float else parse_float
    return json.JSONDecoder(parse_float=finite, parse_constant=_refuse_constant).decode


def _finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:30]} is beyond every float")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
