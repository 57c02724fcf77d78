"""Admission: who may say anything at all."""

from __future__ import annotations

import hmac
import json
from typing import Any

import pytest

from peer.admission import Network, read_contents, read_envelope
from peer.codes import Refusal
from peer.journal import MemoryJournal
from peer.messages import Contents, Envelope
from peer.node import Asked, Node
from peer.requests import EvictPeer
from tests.peer.actors import NOW, Author, identity, sealed

ME, OTHER = identity(1).peer_id, identity(2).peer_id
KEY = b"a key that only members know"


def test_what_a_member_has_sealed_is_admitted_and_read() -> None:
    contents = Contents(clock=1, vector={}, messages=[])
    envelope = read_envelope(Network(KEY).seal(OTHER, ME, 4000, contents))
    assert isinstance(envelope, Envelope)
    assert Network(KEY).admits(envelope)
    assert read_contents(envelope) == contents


def test_an_envelope_is_flat_and_comes_back_from_json_as_it_is() -> None:
    sealed = Network(KEY).seal(OTHER, ME, 4000, Contents(1, {}, []))
    assert json.loads(json.dumps(sealed)) == sealed
    assert {type(part) for part in sealed.values()} == {str, int}


@pytest.mark.parametrize(
    "altered", [{"sender": identity(3).peer_id}, {"to": OTHER}, {"port": 2}, {"body": "{ }"}, {"mac": "00" * 32}]
)
def test_an_envelope_that_was_altered_on_its_way_is_not_admitted(altered: dict[str, Any]) -> None:
    envelope = read_envelope({**sealed(OTHER, ME, {}, key=KEY), **altered})
    assert isinstance(envelope, Envelope)
    assert not Network(KEY).admits(envelope)


@pytest.mark.parametrize("key", [b"", b"another key"])
def test_a_stranger_is_refused_before_its_words_are_read(key: bytes) -> None:
    node = Node(identity(1), MemoryJournal(), Network(KEY))
    (reply,) = node.receive([Asked(sealed(OTHER, ME, "anything", key=key))], NOW).replies
    assert isinstance(reply, Refusal)
    assert str(reply).startswith("ERR_NOT_ADMITTED")


def test_a_stranger_can_bring_no_ledger_into_the_network() -> None:
    node, author = Node(identity(1), MemoryJournal(), Network(KEY)), Author(2)
    author.place("sell", 10, 1)
    batch = {"type": "ORDER_SUBMITTED", "ledger": author.batch().json_object()}
    stranger = {"clock": 0, "vector": {}, "messages": [batch]}
    node.receive([Asked(sealed(author.id, ME, stranger))], NOW)
    assert (node.exchange.ledgers.heads, node.exchange.contacts) == ({}, {})
    node.receive([Asked(sealed(author.id, ME, stranger, key=KEY))], NOW)
    assert node.exchange.ledgers.heads == {author.id: author.head()}


@pytest.mark.parametrize(
    ("asked", "request_", "authorised"),
    [
        (ME, EvictPeer(peer_id=OTHER), True),
        (OTHER, EvictPeer(peer_id=OTHER), False),
        (ME, EvictPeer(peer_id=ME), False),
        (ME, EvictPeer(peer_id=OTHER, force=True), False),
    ],
)
def test_an_operators_code_is_for_one_request_to_one_peer(asked: str, request_: EvictPeer, authorised: bool) -> None:
    # As the documentation tells an operator to make it.
    text = f"grapevine evict {OTHER} at {ME} unforced"
    mac = hmac.new(KEY, text.encode(), "sha256").hexdigest()
    request = request_.model_copy(update={"mac": mac})
    assert Network(KEY).authorises(asked, request) == authorised
    assert not Network(KEY).authorises(asked, request_)
    assert Network().authorises(asked, request_)


@pytest.mark.parametrize("field", ["sender", "to", "port", "mac", "body"])
def test_an_envelope_that_lacks_something_is_refused_by_name(field: str) -> None:
    whole = sealed(OTHER, ME, {})
    del whole[field]
    assert str(read_envelope(whole)).startswith(f"ERR_MISSING_FIELD: `{field}`")
