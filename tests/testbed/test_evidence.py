"""Evidence: whose word counts, and the way to disk and back."""

from __future__ import annotations

import json

from testbed.evidence import Evidence, ledger_rows, many, read_evidence
from tests.testbed.world import IDS, World


def evidence_of(*living: str, blind: tuple[str, ...] = ()) -> Evidence:
    world = World()
    world.place("peer-1", "buy", "1", "100")
    world.place("peer-2", "buy", "1", "100", blind=blind)
    world.place("peer-1", "buy", "2", "100")
    return world.evidence(living=living or ("peer-1", "peer-2", "peer-3"))


def test_a_living_owner_knows_its_ledger_best() -> None:
    evidence = evidence_of()
    own = evidence.ledgers["peer-1"][IDS["peer-1"]]
    evidence.ledgers["peer-3"][IDS["peer-1"]] = type(own)(own.owner, (*own.texts, "more"), (*own.positions, 9))
    assert len(evidence.best_copies()[IDS["peer-1"]].texts) == 2


def test_of_a_ledger_whose_owner_is_gone_the_longest_copy_counts() -> None:
    evidence = evidence_of("peer-2", "peer-3")
    own = evidence.ledgers["peer-2"][IDS["peer-1"]]
    evidence.ledgers["peer-2"][IDS["peer-1"]] = type(own)(own.owner, own.texts[:1], own.positions[:1])
    assert len(evidence.best_copies()[IDS["peer-1"]].texts) == 2


def test_what_lies_before_the_last_gap_of_a_ledger_may_be_forgotten() -> None:
    evidence = evidence_of("peer-2", "peer-3")
    for copies in evidence.ledgers.values():
        own = copies[IDS["peer-1"]]
        copies[IDS["peer-1"]] = type(own)(own.owner, own.texts, own.positions, {3: "00", 7: "11"})
    forgotten = [number for number in (2, 5, 6, 7, 8) if evidence.is_forgotten(f"{IDS['peer-1']}-{number}")]
    assert forgotten == [2, 5, 6]
    assert not evidence.is_forgotten(f"{IDS['peer-2']}-1")


def test_people_are_told_names_and_not_ids() -> None:
    evidence = evidence_of()
    assert evidence.tell(f"{IDS['peer-2']}-7") == "peer-2-7"
    assert evidence.tell("zzzzzzzzzzzz-7") == "zzzzzz-7"


def test_rows_stand_in_the_order_in_which_they_came() -> None:
    rows = ledger_rows(evidence_of(blind=("peer-3",)).ledgers["peer-3"])
    assert [row["owner"] for row in rows] == [IDS["peer-1"], IDS["peer-1"], IDS["peer-2"]]


def test_evidence_reads_back_the_same_from_json() -> None:
    evidence = evidence_of("peer-1", "peer-3")
    rows = {holder: json.loads(json.dumps(ledger_rows(copies))) for holder, copies in evidence.ledgers.items()}
    again = read_evidence(json.loads(json.dumps(evidence.summary())), rows)
    assert again.accounts().orders == evidence.accounts().orders
    assert again.summary() == evidence.summary()


def test_many_counts_in_words() -> None:
    assert [many(1, "copy", "copies"), many(2, "copy", "copies"), many(0, "fill")] == ["1 copy", "2 copies", "0 fills"]
