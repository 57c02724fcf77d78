"""The checker of evictions: the living agree where an evicted peer's ledger ends, and nobody waits for it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from testbed.accounts import Accounts, Copy, owner_of
from testbed.evidence import Evidence, Verdict, many
from testbed.history import History
from testbed.ledger_checks import NOT_AT_REST, NOTHING, chain


def fenced(history: History, evidence: Evidence) -> Verdict:
    """All living peers have fenced an evicted one at the same entry, hold nothing beyond it, and wait for nothing."""
    if not evidence.quiet:
        return Verdict("fenced", "unknown", NOT_AT_REST)
    accounts = evidence.accounts()
    proposed = [operation.asked for operation in history.operations() if (operation.what, operation.outcome) == EVICTED]
    wrong = [
        f"{evidence.name_of(asked['peerId'])} was to be evicted, and nobody has fenced it"
        for asked in proposed
        if asked["peerId"] not in accounts.fences
    ]
    doubt: list[str] = []
    for peer_id, fences in accounts.fences.items():
        if len(set(fences.values())) > 1:
            told = ", ".join(f"{evidence.name_of(by)} at {end.sequence}" for by, end in sorted(fences.items()))
            # Who forces both sides of a cut network vouches for it: that is told, and nobody is to blame.
            (doubt if peer_id in accounts.forced else wrong).append(
                f"{evidence.name_of(peer_id)} is fenced in two ways: {told}"
            )
            continue
        wrong += [*_not_kept(evidence, accounts, peer_id), *_not_agreed(evidence, peer_id, accounts)]
    if wrong or doubt:
        return Verdict("fenced", "violated" if wrong else "unknown", (wrong or doubt)[0], tuple(wrong or doubt))
    count = many(len(accounts.fences), "evicted peer")
    return Verdict("fenced", "valid", f"the living agree where the ledgers of {count} end, and wait for none of them")


EVICTED = ("evict", "ok")


def _not_agreed(evidence: Evidence, peer_id: str, accounts: Accounts) -> Iterator[str]:
    """Tell what is missing of the proposal and the joining that a fence follows from."""
    said = [(owner, event) for owner, event in _said(evidence) if event.get("peerId") == peer_id]
    proposals = [event for _, event in said if event["type"] == "EVICTION_PROPOSED"]
    joined = {owner: event["sequence"] for owner, event in said if event["type"] == "EVICTION_JOINED"}
    name, end = evidence.name_of(peer_id), next(iter(accounts.fences[peer_id].values()))
    if not proposals:
        yield f"{name} is fenced, and nobody has proposed to evict it"
    elif not any(proposal["forced"] for proposal in proposals):
        voters = dict.fromkeys(voter for proposal in proposals for voter in proposal["voters"])
        missing = [voter for voter in voters if voter not in joined and voter not in accounts.fences]
        yield from (f"{evidence.name_of(voter)} has never said how far it held {name}'s ledger" for voter in missing)
        if not missing and max(joined.values(), default=0) != end.sequence:
            yield f"{name} is fenced at {end.sequence}, and of its ledger {max(joined.values())} entries were held"


def _said(evidence: Evidence) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all that the ledgers tell of evictions, and by whom: snapshots repeat what was said before them."""
    for line in evidence.lines():
        events = line.event["evictions"] if line.event["type"] == "SNAPSHOT" else [line.event]
        yield from ((line.owner, event) for event in events)


def _not_kept(evidence: Evidence, accounts: Accounts, peer_id: str) -> Iterator[str]:
    name = evidence.name_of(peer_id)
    end = next(iter(accounts.fences[peer_id].values()))
    for holder in evidence.living:
        if evidence.peer_ids[holder] not in accounts.fences[peer_id]:
            yield f"{holder} has not fenced {name}"
        copy = evidence.ledgers[holder].get(peer_id) or Copy(peer_id, (), ())
        base = next(iter(copy.bases.values()), NOTHING)
        if copy.last > end.sequence:
            yield f"{holder} holds {copy.last} entries of {name}, which is fenced at {end.sequence}"
        elif copy.last == end.sequence and chain(copy.texts, base) != end.hash:
            yield f"{holder}'s copy of {name}'s ledger does not hash to the fence at {end.sequence}"
    snapshots = [line.event for line in evidence.lines() if line.event["type"] == "SNAPSHOT"]
    decided = {*accounts.granted, *(grant["fillId"] for event in snapshots for grant in event["grants"])}
    for fill, line in accounts.opened.items():
        maker, taker = owner_of(line.event["maker"]), owner_of(line.event["taker"])
        if maker == peer_id and taker not in accounts.fences:
            yield f"{evidence.name_of(taker)} still waits for {name} to decide {evidence.tell(fill)}"
        if taker == peer_id and fill not in decided and evidence.is_living(maker):
            yield f"{evidence.name_of(maker)} has never decided {evidence.tell(fill)}, which {name} had opened"
