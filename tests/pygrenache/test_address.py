"""Addresses as text and back."""

from __future__ import annotations

import pytest

from pygrenache.address import Address


def test_an_address_is_written_as_it_is_read() -> None:
    assert Address.parse("1.2.3.4:5") == Address("1.2.3.4", 5)
    assert str(Address("grape-1", 20001)) == "grape-1:20001"


@pytest.mark.parametrize("text", ["", "host", ":5", "host:", "host:0", "host:65536", "host:-1", "host:5x", "host:٣"])
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="not host:port"):
        Address.parse(text)
