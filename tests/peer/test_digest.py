"""The digest: equal exactly when all that is open is equal."""

from __future__ import annotations

import pytest

from peer.digest import Digest
from peer.order import Order


def order(number: int) -> Order:
    return Order(f"a-{number}", "ACME", True, 10, 5, (number, "a"))


def digest_of(*orders: Order) -> str:
    digest = Digest()
    for each in orders:
        digest.touch(each)
    return digest.hex()


def test_nothing_open_has_one_digest() -> None:
    assert digest_of() == "0" * 32


def test_the_order_of_arrival_does_not_matter() -> None:
    assert digest_of(order(1), order(2)) == digest_of(order(2), order(1)) != digest_of(order(1))


@pytest.mark.parametrize("field", ["remaining", "reserved", "filled", "cancelled"])
def test_whatever_changes_in_an_order_changes_the_digest(field: str) -> None:
    changed = order(1)
    setattr(changed, field, 3)
    assert digest_of(changed) != digest_of(order(1))


def test_an_order_of_which_nothing_remains_is_not_counted() -> None:
    digest, spent = Digest(), order(1)
    digest.touch(spent)
    assert digest.hex() != digest_of()
    spent.remaining = 0
    digest.touch(spent)
    assert digest.hex() == digest_of()


def test_the_way_there_does_not_matter() -> None:
    digest, changed = Digest(), order(1)
    for remaining in (5, 4, 3):
        changed.remaining = remaining
        digest.touch(changed)
        digest.hex()
    assert digest.hex() == digest_of(changed)
