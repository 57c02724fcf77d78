"""Ledgers: only their owner can write them, and nobody can change what it wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from peer.events import read_entry
from peer.identity import verify
from peer.ledger import BadLedger, chained, continuation
from peer.messages import LedgerBatch
from peer.schema import Head
from tests.peer.actors import Author, identity

NOTHING = Head()


@dataclass
class Case:
    author: Author
    honest: LedgerBatch

    def changed(self, **fields: Any) -> LedgerBatch:
        return self.honest.model_copy(update=fields)


@pytest.fixture
def case() -> Case:
    author = Author(1)
    for price in (10, 11, 12):
        author.place("buy", price, 1)
    return Case(author, author.batch())


def refusal(batch: LedgerBatch, head: Head = NOTHING) -> str:
    with pytest.raises(BadLedger) as found:
        continuation(head, batch, verify)
    return str(found.value)


def test_a_new_copy_takes_a_whole_ledger(case: Case) -> None:
    news = continuation(Head(), case.honest, verify)
    assert news.texts == case.author.texts
    assert news.entries == [read_entry(text) for text in case.author.texts]
    assert news.heads[-1] == case.author.head()


def test_a_copy_takes_only_what_it_lacks(case: Case) -> None:
    head = chained(Head(), case.author.texts[0])
    assert continuation(head, case.honest, verify).texts == case.author.texts[1:]


def test_what_is_known_already_is_no_news(case: Case) -> None:
    assert continuation(case.author.head(), case.honest, verify).entries == []


def test_a_batch_that_leaves_a_gap_is_no_news(case: Case) -> None:
    assert continuation(Head(), case.author.batch(first=2), verify).entries == []


def test_another_signer_is_refused(case: Case) -> None:
    forger = Author(2)
    forger.texts = list(case.author.texts)
    assert "signature" in refusal(case.changed(signature=forger.batch().signature))


def test_another_key_is_refused(case: Case) -> None:
    assert "key" in refusal(case.changed(public_key=identity(2).public_key))


@pytest.mark.parametrize("key", ["ab", "00" * 32, "f" * 128])
def test_what_is_no_key_is_refused(case: Case, key: str) -> None:
    assert refusal(case.changed(public_key=key))


def test_another_owner_is_refused(case: Case) -> None:
    assert "key" in refusal(case.changed(peer_id=identity(2).peer_id))


def test_an_altered_entry_is_refused(case: Case) -> None:
    texts = [case.author.texts[0].replace('"quantity":"1"', '"quantity":"9"'), *case.author.texts[1:]]
    assert texts != case.author.texts
    assert "signature" in refusal(case.changed(entries=texts))


def test_reordered_entries_are_refused(case: Case) -> None:
    assert "signature" in refusal(case.changed(entries=case.author.texts[::-1]))


def test_a_missing_entry_is_refused(case: Case) -> None:
    assert "signature" in refusal(case.changed(entries=case.author.texts[1:]))


def test_a_shortened_batch_is_refused(case: Case) -> None:
    assert "signature" in refusal(case.changed(entries=case.author.texts[:2]))


def test_a_batch_at_another_number_is_refused(case: Case) -> None:
    assert "signature" in refusal(case.changed(first=2), chained(Head(), case.author.texts[0]))


def test_a_fork_does_not_continue_the_copy(case: Case) -> None:
    fork = Author(1)
    fork.place("sell", 99, 1)
    fork.place("sell", 98, 1)
    assert "signature" in refusal(fork.batch(), chained(Head(), case.author.texts[0]))


@pytest.mark.parametrize("nonsense", ["", "{}", "null", '{"sequence":1}', '{"sequence":1,"time":1,"event":{}}', "\0"])
def test_signed_nonsense_is_refused(case: Case, nonsense: str) -> None:
    case.author.texts.append(nonsense)
    assert "makes no sense" in refusal(case.author.batch())


def test_an_entry_with_a_field_too_many_is_refused(case: Case) -> None:
    case.author.texts.append(case.author.texts[-1].replace('"side"', '"more":1,"side"'))
    assert "makes no sense" in refusal(case.author.batch())
