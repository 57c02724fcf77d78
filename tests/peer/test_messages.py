"""Messages between peers: what they may say, and that everything else is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.admission import Network, read_contents, read_envelope
from peer.codes import Refusal
from peer.messages import Contents, Envelope, OrderSubmitted
from tests.peer.actors import Author, Peer, identity, sealed
from tests.peer.test_requests import JSON

ME, OTHER = identity(1).peer_id, identity(2).peer_id
CONTENTS: dict[str, Any] = {"clock": 0, "vector": {}, "messages": []}


def read(contents: object) -> Contents | Refusal:
    envelope = read_envelope(sealed(OTHER, ME, contents))
    assert isinstance(envelope, Envelope)
    return read_contents(envelope)


def batch(**more: Any) -> dict[str, Any]:
    author = Author(2)
    author.place("buy", 10, 1)
    return {"type": "ORDER_SUBMITTED", "ledger": {**author.batch().json_object(), **more}}


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"clock": -1}, "ERR_INVALID_FIELD: `clock`"),
        ({"clock": 10**40}, "ERR_INVALID_FIELD: `clock`"),
        ({"vector": {ME: [-1, "00"]}}, "ERR_INVALID_FIELD: `vector"),
        ({"vector": {ME: [10**30, "00"]}}, "ERR_INVALID_FIELD: `vector"),
        ({"vector": {ME: [1, "x" * 1000]}}, "ERR_INVALID_FIELD: `vector"),
        ({"vector": {"nobody": [1, "00"]}}, "ERR_INVALID_FIELD: `vector"),
        ({"messages": [{"type": "GRANT"}]}, "ERR_UNKNOWN_TYPE"),
        ({"messages": [batch(publicKey="abc")]}, "ERR_INVALID_FIELD"),
        ({"messages": [batch(entries=[])]}, "ERR_INVALID_FIELD"),
        ({"messages": [batch(entries=["{}"] * 513)]}, "ERR_INVALID_FIELD"),
        ({"more": 1}, "ERR_UNKNOWN_FIELD: `more`"),
    ],
)
def test_bad_contents_are_refused_with_a_code_and_a_sentence(more: dict[str, Any], refusal: str) -> None:
    found = read({**CONTENTS, **more})
    assert isinstance(found, Refusal)
    assert str(found).startswith(refusal)
    assert len(str(found)) < 500


@pytest.mark.parametrize("granted", ['"-5"', "-5", '"1e3"', "1" + "0" * 30, "1.5", "true", "null", '"1000000000000"'])
def test_an_amount_of_a_message_is_a_bounded_decimal_that_is_not_negative(granted: str) -> None:
    rest = f'"fillId":"{ME}-2","granted":{granted},"price":"1","time":1'
    found = read({**CONTENTS, "messages": [json.loads(f'{{"type":"ORDER_FILLED",{rest},"sequence":1}}')]})
    assert str(found).startswith("ERR_INVALID_FIELD: `messages.0.ORDER_FILLED.granted`")


@given(st.sampled_from([*CONTENTS, "more"]), JSON)
def test_contents_with_one_field_of_any_json_are_read_or_refused(field: str, value: object) -> None:
    found = read({**CONTENTS, field: json.loads(json.dumps(value, default=str))})
    assert str(found) if isinstance(found, Refusal) else found


@given(st.text())
def test_any_text_in_an_envelope_is_read_or_refused(body: str) -> None:
    envelope = Envelope(sender=OTHER, to=ME, port=1, mac="00", body=body)
    found = read_contents(envelope)
    assert str(found) if isinstance(found, Refusal) else found


def test_what_a_peer_says_comes_through_json_as_it_was() -> None:
    author, peer = Author(2), Peer(1)
    author.place("buy", 10, 1)
    envelope = read_envelope(peer.ask(author.envelope(peer, OrderSubmitted(ledger=author.batch()))))
    assert isinstance(envelope, Envelope)
    found = read_contents(envelope)
    assert isinstance(found, Contents)
    assert Network().seal(OTHER, ME, 0, found)["body"] == envelope.body
    assert found.vector == {author.id: author.head()}
