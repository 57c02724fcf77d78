"""Events: what an entry of a ledger may say."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from peer.events import read_entry
from tests.peer.actors import identity

ME, OTHER = identity(1).peer_id, identity(2).peer_id


@pytest.mark.parametrize("granted", ['"-5"', "-5", '"1e3"', "1" + "0" * 30, "1.5", "true", "null", '"1000000000000"'])
def test_an_amount_is_a_bounded_decimal_that_is_not_negative(granted: str) -> None:
    rest = f'"fillId":"{ME}-2","granted":{granted},"price":"1","time":1'
    with pytest.raises(ValidationError, match="granted"):
        read_entry(
            f'{{"sequence":1,"time":1,"event":{{"type":"FILL_CLOSED",{rest},"taker":"{ME}-1","maker":"{OTHER}-1",'
            '"remaining":"0"}}'
        )
