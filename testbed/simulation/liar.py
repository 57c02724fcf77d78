"""A peer that lies: what it says is altered on its way out, by somebody who has the network's key and not the peer's.

The rule: the peer itself is honest and knows nothing of it. So nothing that is said here may ever count, and when the
lies are over, every promise holds for all peers, this one too. Lies that a peer's own key has signed are another
matter: those are the peer's word.
"""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from testbed.script import LIES, Falsehood
from testbed.simulation.process import NETWORK_KEY

REMEMBERED = 20
HALF_THE_TIME = 0.5
# As far as an envelope may go in what a sequence can be.
FAR = 10**9

Contents = dict[str, Any]
Batch = dict[str, Any]


class Liar:
    """Alters the envelopes of one peer, half of them; `seen` counts the lies told of each kind."""

    def __init__(self, lies: tuple[Falsehood, ...], dice: Random, seen: Counter[str]) -> None:
        self._lies = lies
        self._dice = dice
        self._seen = seen
        self._said: list[dict[str, Any]] = []

    def altered(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """Return what is said instead of this envelope, sealed so that the network takes it for a member's word."""
        said = [old for old in self._said if old["to"] == envelope["to"]]
        self._said = [*self._said, envelope][-REMEMBERED:]
        if self._dice.random() > HALF_THE_TIME:
            return envelope
        lie = self._dice.choice(self._lies)
        if lie == "old envelopes":
            told = self._dice.choice(said) if said else envelope
        else:
            contents = json.loads(envelope["body"])
            _LIES[lie](contents, envelope, self._dice)
            told = _sealed(envelope, json.dumps(contents))
        self._seen[f"lies: {lie}"] += told["body"] != envelope["body"]
        return told


def _sealed(envelope: dict[str, Any], body: str) -> dict[str, Any]:
    text = f"{envelope['sender']} {envelope['to']} {envelope['port']} {body}"
    return {**envelope, "body": body, "mac": hmac.digest(NETWORK_KEY, text.encode(), "sha256").hex()}


def _batches(contents: Contents) -> list[Batch]:
    return [message["ledger"] for message in contents["messages"] if message.get("ledger")]


def _forge_entries(contents: Contents, envelope: dict[str, Any], dice: Random) -> None:
    """Go on with a ledger where its owner has stopped: everything is cancelled."""
    for batch in _batches(contents):
        last = json.loads(batch["entries"][-1])
        event = {"type": "ORDER_CANCELLED", "id": f"{batch['peerId']}-{dice.randint(1, 9)}", "remaining": "0"}
        forged = {"sequence": last["sequence"] + 1, "time": last["time"] + 1, "event": event}
        batch["entries"].append(json.dumps(forged, separators=(",", ":")))


def _alter_amounts(contents: Contents, envelope: dict[str, Any], dice: Random) -> None:
    """Put other amounts into entries, decisions and offers."""
    for batch in _batches(contents):
        at = dice.randrange(len(batch["entries"]))
        entry = json.loads(batch["entries"][at])
        for word in ("quantity", "granted", "remaining", "price"):
            if word in entry["event"]:
                entry["event"][word] = str(dice.randint(1, 200))
        batch["entries"][at] = json.dumps(entry, separators=(",", ":"))
    for message in contents["messages"]:
        for told in (message, *message.get("offers", ())):
            told |= {word: str(dice.randint(1, 200)) for word in ("granted", "available", "quantity") if word in told}


def _sign_wrongly(contents: Contents, envelope: dict[str, Any], dice: Random) -> None:
    """Sign with another key than the owner's."""
    for batch in _batches(contents):
        batch["signature"] = dice.randbytes(len(batch["signature"]) // 2).hex()


def _disorder_entries(contents: Contents, envelope: dict[str, Any], dice: Random) -> None:
    """Tell entries in another order, or leave some out."""
    for batch in _batches(contents):
        if len(batch["entries"]) > 1 and dice.random() < HALF_THE_TIME:
            dice.shuffle(batch["entries"])
        else:
            batch["first"] += dice.randint(1, 3)


def _claim_fills(contents: Contents, envelope: dict[str, Any], dice: Random) -> None:
    """Claim decisions that stand nowhere, and ask for fills that were never opened."""
    mine, theirs = (f"{envelope[who]}-{dice.randint(1, 30)}" for who in ("sender", "to"))
    amounts = {"granted": "1", "price": "100"}
    decided = {"type": "ORDER_FILLED", "fillId": theirs, **amounts, "time": contents["clock"], "sequence": FAR}
    asked = {"type": "FILL_ORDER", "fillId": mine, "maker": theirs, "taker": mine, "quantity": "1", "limit": "100"}
    contents["messages"] += [decided, asked]


def _make_up_vectors(contents: Contents, envelope: dict[str, Any], dice: Random) -> None:
    """Claim to have read more or less of ledgers than it has, also of one that nobody writes."""
    for head in contents["vector"].values():
        head[0] = dice.choice([0, head[0], max(0, head[0] - 3), head[0] + 3, FAR])
    contents["vector"]["a" * 24] = [FAR, "00" * 32]


def _blame_others(contents: Contents, envelope: dict[str, Any], dice: Random) -> None:
    """Tell one ledger in the name of another."""
    names = [*contents["vector"], envelope["to"]]
    for batch in _batches(contents):
        batch["peerId"] = dice.choice(names)


_LIES: dict[Falsehood, Callable[[Contents, dict[str, Any], Random], None]] = {
    "forged entries": _forge_entries,
    "altered amounts": _alter_amounts,
    "wrong signatures": _sign_wrongly,
    "disordered entries": _disorder_entries,
    "claimed fills": _claim_fills,
    "made-up vectors": _make_up_vectors,
    "names of others": _blame_others,
}
assert set(LIES) == {*_LIES, "old envelopes"}
