"""The state machine of one peer: messages and the time go in, ledger entries and things to say come out. Pure.

The rule: what others say goes into the copies of their ledgers and nowhere else; then `peer.trader` brings this peer's
own ledger up to what is known now. What a contact lacks is told to it, and what is lacking here is asked for.

What it writes must be on disk before anything that was said here may leave; see `peer.node`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from peer.contacts import RELAY_AFTER_S, Contact
from peer.evictions import Evictions
from peer.forks import Forks
from peer.ledger import BadLedger, Verify
from peer.ledgers import Amnesia, FromTheFuture, Ledgers
from peer.market import Contradiction, Market
from peer.messages import (
    Contents,
    FillOrder,
    Fork,
    GetLedger,
    Ledger,
    LedgerBatch,
    Offer,
    OrderFilled,
    OrderMatched,
    OrderSubmitted,
)
from peer.picture import Past
from peer.schema import MAX_BATCH, MAX_PEERS, Head, sequence_of
from peer.trader import Trader

MAX_PULLS = 2


@dataclass(slots=True)
class Owed:
    """What an envelope asks to be answered: orders to match, fills to confirm, ledgers to send."""

    sender: str
    newcomers: list[str] = field(default_factory=list)
    fills: list[FillOrder] = field(default_factory=list)
    ledgers: list[GetLedger] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Call:
    """What to say to a peer now: own entries after a number (None: it has all), fills to ask, ledgers to pull."""

    to: str
    entries_after: int | None
    fills: list[FillOrder]
    pulls: list[GetLedger]


class Exchange:
    """One peer's whole state; see the module's rule. `now` is seconds since the epoch, the clock microseconds."""

    def __init__(
        self,
        me: str,
        public_key: str,
        verify: Verify,
        older: Callable[[str, int], str | None] = lambda peer_id, sequence: None,
        past: Past | None = None,
    ) -> None:
        self.me = me
        self.market = Market(me, past)
        self.ledgers = Ledgers(me, public_key, self.market, verify, older)
        self.forks = Forks(self.ledgers.hash_at, verify)
        self.trader = Trader(me, self.market, self.ledgers, self._refused)
        self.contacts: dict[str, Contact] = {}
        self.evictions = Evictions(me, self.market, self.ledgers, self.trader, self.forks, self.contacts)
        self.duplicates = 0
        self._behind_since: dict[str, float] = {}

    def resume(self, now: float) -> None:
        """Take up, after the last entry from disk, whatever the last life left undone."""
        if not self.is_leaving:
            self.evictions.settle(now)
            self.trader.resume(now)

    @property
    def is_leaving(self) -> bool:
        """Whether the others go on, or are about to go on, without this peer: then it writes nothing more."""
        return self.market.fences.is_leaving(self.me)

    def discover(self, peer_id: str) -> None:
        """Note that a peer has been found."""
        if peer_id == self.me:
            return
        if peer_id not in self.contacts and len(self.contacts) >= MAX_PEERS:
            # Strangers are no reason to miss a member.
            stranger = next((other for other, contact in self.contacts.items() if contact.stranger), None)
            if stranger is None:
                return
            del self.contacts[stranger]
        self.contacts.setdefault(peer_id, Contact(peer_id)).discovered()

    def hear(self, sender: str, said: Contents, now: float) -> Owed:
        """Take in all that a peer has to say; its envelopes and its answers are the same to us."""
        owed = Owed(sender)
        self.discover(sender)
        contact = self.contacts.get(sender)
        if contact is None:
            return owed
        contact.heard(said.vector)
        self._compare(contact, said.vector)
        self.market.set_reachable(contact.peer_id, reachable=True)
        self.ledgers.advance_clock(said.clock, now)
        for message in said.messages:
            match message:
                case OrderSubmitted(ledger=batch):
                    owed.newcomers += self._copy(batch, contact, now)
                case Ledger(ledger=LedgerBatch() as batch):
                    self._copy(batch, contact, now)
                case OrderFilled(sequence=sequence):
                    self._expect(contact, known=sequence <= self.ledgers.head_of(contact.peer_id).sequence)
                case OrderMatched(offers=offers):
                    known = self.ledgers.head_of(contact.peer_id).sequence
                    self._expect(contact, known=all(sequence_of(offer.id) <= known for offer in offers))
                case FillOrder():
                    owed.fills.append(message)
                case GetLedger():
                    owed.ledgers += [message][: MAX_PULLS - len(owed.ledgers)]
        self._settle(now)
        return owed

    def answered(self, peer_id: str) -> None:
        """Note that the envelope under way to a peer has been answered."""
        if peer_id in self.contacts:
            self.contacts[peer_id].answered()

    def failed(self, peer_id: str, now: float, turned_away: str | None = None) -> None:
        """Note that the envelope under way to a peer got no answer: whether it arrived is unknown.

        `turned_away` is what it said if it took us for a stranger: then it is one to us.
        """
        contact = self.contacts.get(peer_id)
        if contact is None:
            return
        contact.failed(now)
        if turned_away is not None:
            contact.turned_away(now, turned_away)
        if not contact.reachable:
            self.market.set_reachable(peer_id, reachable=False)
            self._settle(now)

    def calls(self, now: float) -> list[Call]:
        """Return what to say, and to whom, as of now; whoever receives these must send them."""
        return [self._call(contact, now) for contact in self.contacts.values() if self._next_call(contact) <= now]

    def wake_at(self) -> float:
        """Return when there will be something to say even if nothing happens before."""
        return min(map(self._next_call, self.contacts.values()), default=inf)

    def offers(self, order_id: str) -> list[Offer]:
        """Return this peer's own earlier orders that cross another's, best first, as far as it can use them."""
        taker = self.market.orders.get(order_id)
        if taker is None or not taker.open:
            return []
        left, found = taker.open, list[Offer]()
        for maker in self.market.books[taker.item].ranked(not taker.is_buy, taker.price):
            if not left or len(found) == MAX_BATCH:
                break
            if maker.peer_id == self.me and maker.key < taker.key:
                found.append(Offer(id=maker.id, price=maker.price, available=maker.open))
                left -= min(left, maker.open)
        return found

    def convict(self, fork: Fork) -> None:
        """Stop trading with the owner of a forked ledger, for good; from then on its ledger ends where it is."""
        self.forks.found.pop(fork.peer_id, None)
        self.forks.proven[fork.peer_id] = fork
        self.market.shun(fork.peer_id)
        self._refused(fork.peer_id, f"entry {fork.sequence} of its ledger exists twice, both signed")

    def _compare(self, contact: Contact, vector: dict[str, Head]) -> None:
        for peer_id, head in vector.items():
            ours = self.ledgers.head_of(peer_id)
            if head == ours:
                contact.suspected.pop(peer_id, None)
            if head == ours or head.sequence > ours.sequence or contact.compared.get(peer_id) == head:
                continue
            contact.compared[peer_id] = head
            if not self.forks.contradicts(peer_id, head):
                contact.suspected.pop(peer_id, None)
            elif peer_id not in self.forks:
                contact.suspected[peer_id] = head.sequence
                contact.refused = f"{peer_id}: its entry {head.sequence} is not ours"
                contact.hurry()

    def _settle(self, now: float) -> None:
        if not self.is_leaving:
            self.evictions.settle(now)
            self.trader.settle(now)

    def _next_call(self, contact: Contact) -> float:
        if contact.under_way or self.market.fences.is_barred(contact.peer_id):
            return inf
        # What has been told once and is still lacking was refused, or held back: it can wait for the next heartbeat.
        fresh = self._has_news(contact) and contact.news_from != contact.has(self.me)
        return contact.next_call(news=fresh, fills=self._has_fills(contact))

    def _has_news(self, contact: Contact) -> bool:
        return contact.vector is not None and contact.has(self.me) < self.ledgers.own.sequence

    def _has_fills(self, contact: Contact) -> bool:
        if self.market.is_shunned(contact.peer_id):
            return False
        waiting = self.market.waiting_for(contact.peer_id)
        return bool(waiting) and any(fill.fill_id not in contact.asked for fill in waiting)

    def _call(self, contact: Contact, now: float) -> Call:
        pulls = self._pulls(contact, now) if contact.is_due(now) else []
        contact.called(now)
        fills = self._fills_to_ask(contact)
        contact.asked.update((fill.fill_id, None) for fill in fills)
        contact.news_from = contact.has(self.me) if self._has_news(contact) else None
        return Call(contact.peer_id, contact.news_from, fills, pulls)

    def _fills_to_ask(self, contact: Contact) -> list[FillOrder]:
        if self.market.is_shunned(contact.peer_id):
            return []
        waiting = self.market.waiting_for(contact.peer_id)
        fills = [fill for fill in waiting if fill.fill_id not in contact.asked]
        return [
            FillOrder(fill_id=f.fill_id, maker=f.maker, taker=f.taker, quantity=f.quantity, limit=f.limit)
            for f in fills[:MAX_BATCH]
        ]

    def _pulls(self, contact: Contact, now: float) -> list[GetLedger]:
        # Owners push what is theirs. Who stays behind nevertheless asks whoever has more.
        for peer_id, head in (contact.vector or {}).items():
            if head.sequence > self.ledgers.head_of(peer_id).sequence:
                self._behind_since.setdefault(peer_id, now)
        found = [
            GetLedger(peer_id=peer_id, after=self.ledgers.head_of(peer_id).sequence)
            for peer_id, since in self._behind_since.items()
            if contact.has(peer_id) > self.ledgers.head_of(peer_id).sequence
            and self._takes(peer_id, contact)
            and (now - since >= RELAY_AFTER_S or not self._reaches(peer_id))
        ]
        suspected = [
            GetLedger(peer_id=peer_id, after=max(0, sequence - 1)) for peer_id, sequence in contact.suspected.items()
        ]
        # A suspicion may never be answered; what is lacking must not wait for it.
        return [*found[: MAX_PULLS - bool(suspected)], *suspected][:MAX_PULLS]

    def _takes(self, peer_id: str, contact: Contact) -> bool:
        # Who has more of a ledger than there is has yet to read where it ends.
        limit = self.market.fences.limit(peer_id)
        return peer_id not in self.forks and (limit is None or contact.has(peer_id) <= limit)

    def _reaches(self, peer_id: str) -> bool:
        contact = self.contacts.get(peer_id)
        return contact is not None and contact.reachable and not self.market.fences.is_barred(peer_id)

    def _copy(self, batch: LedgerBatch, contact: Contact, now: float) -> list[str]:
        before = self.ledgers.head_of(batch.peer_id)
        contact.skewed = False
        if batch.peer_id in self.forks:
            contact.refused = f"{batch.peer_id}: its ledger is forked"
            return []
        try:
            newcomers = self.ledgers.copy(batch, now)
        except FromTheFuture:
            contact.skewed = True
            return []
        except (BadLedger, Contradiction) as error:
            contact.refused = f"{batch.peer_id}: {error}"
            self._examine(batch)
            return []
        if self.ledgers.head_of(batch.peer_id) == before:
            self.duplicates += 1
            self._examine(batch)
        else:
            self._behind_since.pop(batch.peer_id, None)
            if contact.has(batch.peer_id) > self.ledgers.head_of(batch.peer_id).sequence:
                # There is more than a batch can hold: the rest does not wait for a heartbeat.
                contact.hurry()
        return newcomers

    def _examine(self, batch: LedgerBatch) -> None:
        found = self.forks.examine(batch)
        if found is None:
            return
        if batch.peer_id == self.me:
            raise Amnesia(f"entry {found[0]} of this ledger exists twice: another process has gone on under its key")
        self.forks.found[batch.peer_id] = found
        for contact in self.contacts.values():
            contact.suspected.pop(batch.peer_id, None)

    def _refused(self, peer_id: str, why: str) -> None:
        self.contacts.setdefault(peer_id, Contact(peer_id)).refused = why

    def _expect(self, contact: Contact, *, known: bool) -> None:
        # Answers carry no signature, so what counts is the entry that they speak of; it came with them, or is pulled.
        head = self.ledgers.head_of(contact.peer_id)
        if not known:
            self._behind_since[contact.peer_id] = 0.0
        # Once: what hurrying has not brought was refused or held back, and comes with a heartbeat or never.
        if not known and contact.hurried_at != head:
            contact.hurried_at = head
            contact.hurry()
