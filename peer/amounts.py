"""Prices and quantities: decimals with at most 8 places outside, integers of 10^-8 (lots) inside. Pure.

The rule: no float ever. A JSON number is accepted where its digits are still exact (`Decimal`, `int`).
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

PLACES = 8
LOTS_PER_UNIT: int = 10**PLACES
MAX_UNITS_DIGITS = 12
MAX_LOTS: int = 10 ** (MAX_UNITS_DIGITS + PLACES) - 1

# How many amounts are kept as they were read and written last: most orders repeat the price or quantity of another.
_KEPT = 8192

_DECIMAL = re.compile(rf"([0-9]{{1,{MAX_UNITS_DIGITS}}})(?:\.([0-9]{{1,{PLACES}}}))?", re.ASCII)


def parse_amount(value: object) -> int:
    """Read a positive decimal ("1.5", 2, Decimal("0.1")) as lots; ValueError says what is wrong with it."""
    if isinstance(value, str):
        lots = _lots_of_text(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        lots = value * LOTS_PER_UNIT if abs(value) <= MAX_LOTS else MAX_LOTS + 1
    elif isinstance(value, Decimal):
        lots = _lots_of_decimal(value)
    else:
        raise ValueError("must be a decimal, as a string or a number")
    if lots <= 0:
        raise ValueError("must be greater than zero")
    if lots > MAX_LOTS:
        raise ValueError(f"must have at most {MAX_UNITS_DIGITS} digits before the point")
    return lots


def as_lots(value: object) -> int:
    """Read a decimal that may be zero, as ledgers hold it, as lots, or take lots as they are; ValueError if neither."""
    if isinstance(value, str):
        return parse_lots(value)
    if type(value) is int and 0 <= value <= MAX_LOTS:
        return value
    raise ValueError("must be a decimal that is not negative")


@lru_cache(_KEPT)
def parse_lots(text: str) -> int:
    """Read a decimal that may be zero as lots; ValueError if it is none."""
    if len(text) <= MAX_UNITS_DIGITS and text.isascii() and text.isdecimal():
        return int(text) * LOTS_PER_UNIT
    found = _DECIMAL.fullmatch(text)
    if not found:
        raise ValueError(f"must be a decimal with at most {PLACES} places")
    units, places = found.group(1), found.group(2) or ""
    return int(units) * LOTS_PER_UNIT + int(places.ljust(PLACES, "0"))


@lru_cache(_KEPT)
def format_lots(lots: int) -> str:
    """Write lots as the shortest decimal: 150000000 -> "1.5"."""
    units, places = divmod(lots, LOTS_PER_UNIT)
    return f"{units}.{places:08d}".rstrip("0") if places else str(units)


def _lots_of_text(text: str) -> int:
    if text.startswith("-"):
        raise ValueError("must be greater than zero")
    return parse_lots(text)


def _lots_of_decimal(value: Decimal) -> int:
    # The exponent is looked at first: 1E+999999999 as an integer would fill the memory.
    if not value.is_finite():
        raise ValueError("must be finite")
    if value.is_zero() or value.is_signed():
        raise ValueError("must be greater than zero")
    if value.adjusted() >= MAX_UNITS_DIGITS:
        return MAX_LOTS + 1
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -PLACES:
        raise ValueError(f"must have at most {PLACES} places")
    return int(value.scaleb(PLACES))
