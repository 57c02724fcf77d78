"""A whole peer but for its sockets: the exchange and its journal. Synchronous; `now` is an argument.

The rule: nothing leaves before it is on disk. `receive` takes everything that is waiting, steps through it, commits
once, and only then makes the answers and the calls, from what has been committed. A driver cannot get it wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from peer.admission import Network, read_contents, read_envelope
from peer.archive import Archive, archived
from peer.codes import Code, Refusal
from peer.desk import Desk, Reply
from peer.exchange import Call, Exchange, Owed
from peer.identity import Identity, verify
from peer.journal import Aside, Journal
from peer.ledger import Verify, seal
from peer.messages import (
    Contents,
    Fork,
    GetLedger,
    Ledger,
    LedgerBatch,
    OrderFilled,
    OrderMatched,
    OrderSubmitted,
    PeerMessage,
)
from peer.picture import Past
from peer.requests import EvictPeer, read_request
from peer.schema import MAX_BATCH, Head


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a client or another peer, as it came off the wire."""

    payload: Any


@dataclass(frozen=True, slots=True)
class Answered:
    """What a peer answered to our envelope."""

    peer_id: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """Our envelope to a peer got no answer, or was turned away as a stranger's, with these words."""

    peer_id: str
    turned_away: str | None = None


@dataclass(frozen=True, slots=True)
class Discovered:
    """A peer has been found."""

    peer_id: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Inbound = Asked | Answered | Failed | Discovered | Tick


@dataclass(frozen=True, slots=True)
class Send:
    """An envelope for another peer, as a JSON object."""

    to: str
    envelope: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Output:
    """One reply for each inbound (None where none is due), what to send, and when to come back with a Tick."""

    replies: list[Reply]
    sends: list[Send]
    wake_at: float


class Node:
    """One peer on a journal, in a network. `port` is where this peer listens, for others to call back."""

    def __init__(
        self,
        identity: Identity,
        journal: Journal,
        network: Network | None = None,
        *,
        port: int = 0,
        verify: Verify = verify,
        past: Past | None = None,
    ) -> None:
        self.port = port
        self._verify = verify
        self._past = past
        self._network = network or Network()
        self._identity = identity
        self._journal = journal
        self._sealed = (Head(), "")
        self._begin()

    def _begin(self) -> None:
        me = self._identity
        self.exchange = Exchange(me.peer_id, me.public_key, self._verify, self._hash_on_disk, self._past)
        self._desk = Desk(self.exchange, Archive(me.peer_id, self._journal))

    def recover(self, now: float) -> None:
        """Fold what the disk holds, and write what the last life still owed."""
        ledgers, market = self.exchange.ledgers, self.exchange.market
        for peer_id, base in self._journal.bases().items():
            ledgers.restore_base(peer_id, base)
        for record in self._journal.records():
            ledgers.restore(record)
            # What ended in an earlier life is in the archive already.
            market.settled.clear()
        for fork in self._journal.forks():
            self.exchange.convict(fork)
        self.exchange.resume(now)
        self._commit()

    def receive(self, inbound: Sequence[Inbound], now: float) -> Output:
        """Take in everything that is waiting; what is returned may leave at once.

        Raises:
            sqlite3.Error: the journal failed: the process must end, for memory is now ahead of the disk.
            Amnesia: this disk is older than what the peer has told others.
        """
        drafts = [self._step(each, now) for each in inbound]
        self.exchange.ledgers.snapshot(now)
        self._commit()
        self._keep_to_the_fences(now)
        replies = [draft() for draft in drafts]
        sends = [self._send(call) for call in self.exchange.calls(now)]
        return Output(replies, sends, self.exchange.wake_at())

    def voided(self) -> list[str]:
        """Return this peer's own entries that lie beyond its fence; none unless it has been evicted."""
        fence = self.exchange.market.fences.fence(self.exchange.me)
        found: list[str] = []
        after = fence.sequence if fence is not None else self.exchange.ledgers.own.sequence
        while kept := self._journal.read(self.exchange.me, after):
            found += [record.text for _, record in kept]
            after = kept[-1][1].head.sequence
        return found

    def _keep_to_the_fences(self, now: float) -> None:
        # Rarely: this peer took entries from one that had been evicted before it could know. They never were, so it
        # begins anew without them, as after a restart, but for what it knows of reaching others.
        if overruns := self.exchange.evictions.overruns():
            cuts = {peer_id: self._signed_end(peer_id, last) for peer_id, last in overruns}
            self._journal.append([], durable=True, aside=Aside(cuts=cuts))
            contacts = self.exchange.contacts
            self._begin()
            self.exchange.contacts.update(contacts)
            self.recover(now)
            for contact in contacts.values():
                self.exchange.market.set_reachable(contact.peer_id, contact.reachable)

    def _signed_end(self, peer_id: str, last: int) -> int:
        # Where a copy can be passed on: what lies between there and the fence is read again, with its signature.
        start = max(0, last - MAX_BATCH)
        kept = [record for _, record in self._journal.read(peer_id, start, last - start) if record.signature]
        signed = [record.head.sequence for record in kept if record.head.sequence <= last]
        return signed[-1] if signed else 0

    def _step(self, inbound: Inbound, now: float) -> Callable[[], Reply]:
        match inbound:
            case Asked(payload):
                return self._ask(payload, now)
            case Answered(peer_id, payload):
                self._answered(peer_id, payload, now)
            case Failed(peer_id, turned_away):
                self.exchange.failed(peer_id, now, turned_away)
            case Discovered(peer_id):
                self.exchange.discover(peer_id)
            case Tick():
                pass
        return lambda: None

    def _answered(self, peer_id: str, payload: Any, now: float) -> None:
        answer = self._open(payload)
        if isinstance(answer, Refusal) or answer[0] != peer_id:
            self.exchange.failed(peer_id, now)
            return
        self.exchange.answered(peer_id)
        self.exchange.hear(*answer, now)

    def _ask(self, payload: Any, now: float) -> Callable[[], Reply]:
        if isinstance(payload, dict) and payload.get("type") == "ENVELOPE":
            return self._envelope(payload, now)
        request = read_request(payload)
        match request:
            case Refusal():
                return lambda: request
            case GetLedger():
                return lambda: self._ledger(request, with_positions=True).json_object()
            case EvictPeer() if not self._network.authorises(self.exchange.me, request):
                return lambda: Refusal(Code.NOT_AUTHORISED, "`mac` is not what the network's key makes of this request")
            case _:
                return self._desk.serve(request, now)

    def _envelope(self, payload: dict[str, Any], now: float) -> Callable[[], Reply]:
        opened = self._open(payload)
        if isinstance(opened, Refusal):
            return lambda: opened
        sender, contents = opened
        owed = self.exchange.hear(sender, contents, now)
        return lambda: self._answer(owed)

    def _open(self, payload: Any) -> tuple[str, Contents] | Refusal:
        envelope = read_envelope(payload)
        if isinstance(envelope, Refusal):
            return envelope
        if not self._network.admits(envelope):
            return Refusal(Code.NOT_ADMITTED, "this envelope was not sealed with the key of this network")
        if envelope.to != self.exchange.me:
            return Refusal(Code.WRONG_PEER, f"here answers {self.exchange.me}")
        contents = read_contents(envelope)
        return contents if isinstance(contents, Refusal) else (envelope.sender, contents)

    def _commit(self) -> None:
        ledgers, market = self.exchange.ledgers, self.exchange.market
        entries, ledgers.unsaved = ledgers.unsaved, []
        if entries:
            aside = Aside(ledgers.bases, archive=[archived(order) for order in market.settled])
            ledgers.bases, market.settled = {}, []
            durable = any(record.peer_id == self.exchange.me for record in entries)
            self._journal.append(entries, durable=durable, aside=aside)
        for peer_id, (sequence, theirs) in list(self.exchange.forks.found.items()):
            # From the entry before it on: where the two begin to differ, both may start from the same hash.
            ours, _ = self._batch(peer_id, max(0, sequence - 1))
            assert ours is not None, f"the copy of {peer_id} ends before {sequence}"
            fork = Fork(peer_id=peer_id, sequence=sequence, ours=ours, theirs=theirs)
            self._journal.keep_fork(fork)
            self.exchange.convict(fork)

    def _send(self, call: Call) -> Send:
        messages: list[PeerMessage] = []
        if call.entries_after is not None:
            messages.append(self._news(call.entries_after))
        messages += call.fills
        messages += call.pulls
        return Send(call.to, self._written(call.to, messages))

    def _answer(self, owed: Owed) -> Reply:
        messages: list[PeerMessage] = []
        contact = self.exchange.contacts.get(owed.sender)
        if contact is not None and contact.has(self.exchange.me) < self.exchange.ledgers.own.sequence:
            news = self._news(contact.has(self.exchange.me))
            # Told in this answer, it need not be told again; if the answer is lost, its next word says so.
            contact.told(self.exchange.me, news.ledger.first + len(news.ledger.entries) - 1)
            messages.append(news)
        orders = self.exchange.market.orders
        matched = ((id, self.exchange.offers(id)) for id in owed.newcomers if id in orders)
        messages += [OrderMatched(order_id=id, offers=offers) for id, offers in matched if offers]
        messages += self._decisions(owed)
        messages += [self._ledger(pull, with_positions=False) for pull in owed.ledgers]
        return self._written(owed.sender, messages)

    def _decisions(self, owed: Owed) -> list[OrderFilled]:
        grants = self.exchange.market.grants
        found = ((fill.fill_id, grants.get((fill.fill_id, fill.maker))) for fill in owed.fills)
        return [
            OrderFilled(fill_id=id, granted=grant.granted, price=grant.price, time=grant.time, sequence=grant.sequence)
            for id, grant in found
            if grant is not None
        ]

    def _news(self, after: int) -> OrderSubmitted:
        batch, _ = self._batch(self.exchange.me, after)
        assert batch is not None, f"this ledger ends before {after}"
        return OrderSubmitted(ledger=batch)

    def _ledger(self, request: GetLedger, *, with_positions: bool) -> Ledger:
        batch, positions = self._batch(request.peer_id, request.after)
        return Ledger(ledger=batch, positions=positions if with_positions and batch else None)

    def _batch(self, peer_id: str, after: int) -> tuple[LedgerBatch | None, list[int]]:
        kept = self._journal.read(peer_id, after)
        # A copy can be passed on up to where its owner signed it; our own entries we sign wherever we stop.
        while kept and kept[-1][1].signature is None and peer_id != self.exchange.me:
            kept.pop()
        if not kept:
            return None, []
        records = [record for _, record in kept]
        batch = LedgerBatch.model_construct(
            peer_id=peer_id,
            public_key=records[0].public_key,
            first=records[0].head.sequence,
            entries=[record.text for record in records],
            signature=records[-1].signature or self._seal(records[-1].head),
            base=self.exchange.ledgers.hash_at(peer_id, records[0].head.sequence - 1),
        )
        return batch, [position for position, _ in kept]

    def _hash_on_disk(self, peer_id: str, sequence: int) -> str | None:
        base = self._journal.bases().get(peer_id)
        if base is not None and base.sequence == sequence:
            return base.hash
        kept = self._journal.read(peer_id, sequence - 1, limit=1)
        return kept[0][1].head.hash if kept and kept[0][1].head.sequence == sequence else None

    def _seal(self, head: Head) -> str:
        # The same news goes to every peer: one signature serves all.
        if self._sealed[0] != head:
            self._sealed = (head, seal(self._identity, head))
        return self._sealed[1]

    def _written(self, to: str, messages: list[PeerMessage]) -> dict[str, Any]:
        ledgers = self.exchange.ledgers
        contents = Contents(ledgers.clock, ledgers.heads, messages)
        return self._network.seal(self.exchange.me, to, self.port, contents)
