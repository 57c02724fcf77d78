"""Amounts: exact, bounded, and never a float."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.amounts import LOTS_PER_UNIT, MAX_LOTS, format_lots, parse_amount, parse_lots


@pytest.mark.parametrize(
    ("value", "lots"),
    [
        ("1", LOTS_PER_UNIT),
        ("1.5", 150_000_000),
        ("007.10", 710_000_000),
        ("0.00000001", 1),
        ("999999999999.99999999", MAX_LOTS),
        (2, 2 * LOTS_PER_UNIT),
        (Decimal("0.1"), 10_000_000),
        (Decimal("1E+5"), 100_000 * LOTS_PER_UNIT),
    ],
)
def test_a_decimal_is_read_exactly_as_text_or_number(value: object, lots: int) -> None:
    assert parse_amount(value) == lots


@pytest.mark.parametrize(
    "value",
    [
        "",
        " 1",
        "1\n",
        "+1",
        ".5",
        "1.",
        "1e3",
        "0x1",
        "1,5",
        "1_0",
        "NaN",
        "-1",
        "-0.0",
        "0",
        "0.0",
        "٣",
        "½",
        "1" * 999,
    ]
    + ["0.000000001", "1000000000000", 0, -1, 10**12, 10**400, -(10**400), True, None, 1.5, float("nan"), [], {}]
    + [
        Decimal(text)
        for text in ("NaN", "sNaN", "Infinity", "-1", "0", "0.000000001", "1E+999999", "1E-999999", "1E+12")
    ],
)
def test_anything_else_is_refused_with_a_sentence(value: object) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        parse_amount(value)


def test_a_ledgers_amount_may_be_zero() -> None:
    assert parse_lots("0") == 0
    with pytest.raises(ValueError, match="must be a decimal"):
        parse_lots("-1")


@pytest.mark.parametrize(("lots", "text"), [(0, "0"), (1, "0.00000001"), (150_000_000, "1.5"), (10**9, "10")])
def test_lots_are_written_as_the_shortest_decimal(lots: int, text: str) -> None:
    assert format_lots(lots) == text


@given(st.integers(0, MAX_LOTS))
def test_what_is_written_is_read_back(lots: int) -> None:
    assert parse_lots(format_lots(lots)) == lots


@given(st.integers(1, MAX_LOTS))
def test_text_and_number_are_the_same_amount(lots: int) -> None:
    assert parse_amount(Decimal(format_lots(lots))) == parse_amount(format_lots(lots)) == lots


@given(st.text("0123456789.-+eE_ ", max_size=30) | st.decimals() | st.integers())
def test_any_input_is_an_amount_within_bounds_or_a_value_error(value: object) -> None:
    try:
        assert 0 < parse_amount(value) <= MAX_LOTS
    except ValueError as error:
        assert str(error).startswith("must ")
