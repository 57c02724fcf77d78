"""Peers to play with in tests: real ones on memory, and authors who write any ledger they like, true or not.

The rule: what a real peer hears has been through JSON.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from functools import cache
from math import inf
from typing import Any, Literal

from peer.codes import Refusal
from peer.desk import Reply
from peer.events import Event, FillClosed, FillGranted, FillHeld, FillOpened, OrderPlaced
from peer.identity import Ed25519Identity
from peer.journal import Journal, MemoryJournal
from peer.ledger import chained, seal, write_entry
from peer.ledgers import Record
from peer.messages import FillOrder, LedgerBatch, OrderSubmitted
from peer.node import Answered, Asked, Discovered, Failed, Inbound, Node, Send, Tick
from peer.order import Order, placed
from peer.picture import Past
from peer.schema import Head, Message, Side

NOW = 1_000.0
NOW_US = 1_000_000_000
SOON_S = 0.05
UNIT = 10**8
ITEM = "ACME"


@cache
def identity(number: int) -> Ed25519Identity:
    """The identity of the peer with this number, always the same."""
    return Ed25519Identity.from_seed(bytes([number]) * 32)


def an_order(side: str, price: int, quantity: int, *, time: int = 1, peer: str = "a", item: str = ITEM) -> Order:
    """An order of so many lots as its owner's ledger places it."""
    is_buy: Side = "buy" if side == "buy" else "sell"
    event = OrderPlaced(id=f"{peer}-{time}", item=item, side=is_buy, price=price, quantity=quantity)
    return placed(event, (time, peer))


def new_order(side: str, price: object, quantity: object, **more: Any) -> dict[str, Any]:
    """The payload that submits an order."""
    terms = {"item": ITEM, "type": side, "price": price, "quantity": quantity}
    return {"type": "SUBMIT_ORDER", "order": {**terms, **more}}


class Peer:
    """A real peer at a time that stands still until a test moves it; what it sends waits in `outbox`."""

    def __init__(self, number: int, journal: Journal | None = None, now: float = NOW, past: Past | None = None) -> None:
        self.number = number
        self.past = past
        self.now = now
        self.journal: Journal = MemoryJournal() if journal is None else journal
        self.outbox: list[Send] = []
        self.wake_at = inf
        self.node = Node(identity(number), self.journal, past=past)
        self.node.recover(now)
        self.id = identity(number).peer_id

    def restarted(self, *, after_s: float = 0.0) -> Peer:
        """The next life of this peer, from its disk."""
        return Peer(self.number, self.journal, self.now + after_s, self.past)

    def receive(self, *inbound: Inbound) -> list[Reply]:
        """Hand it everything at once; the replies."""
        output = self.node.receive(inbound, self.now)
        self.outbox += output.sends
        self.wake_at = output.wake_at
        return output.replies

    def ask(self, payload: Any) -> Any:
        """Ask one thing: the reply's object, or the text of the refusal."""
        (reply,) = self.receive(Asked(payload))
        return str(reply) if isinstance(reply, Refusal) else json.loads(json.dumps(reply))

    def submit(self, side: str, price: object, quantity: object, **more: Any) -> str:
        """Submit an order that it must accept; the id."""
        return str(self.ask(new_order(side, price, quantity, **more))["order"]["id"])

    def order(self, id: str) -> dict[str, Any]:
        """An order as it shows it."""
        shown: dict[str, Any] = self.ask({"type": "GET_ORDER", "id": id})["order"]
        return shown

    def status(self) -> dict[str, Any]:
        """What it shows of itself."""
        shown: dict[str, Any] = self.ask({"type": "GET_STATUS"})
        return shown

    def contact(self, peer_id: str) -> dict[str, Any]:
        """What it shows of another peer."""
        (found,) = (peer for peer in self.status()["peers"] if peer["peerId"] == peer_id)
        return dict(found)

    def events(self, *types: str) -> list[dict[str, Any]]:
        """Its own ledger's events, or those of some types."""
        found: list[dict[str, Any]] = []
        while batch := self.ask({"type": "GET_LEDGER", "peerId": self.id, "after": len(found)}).get("ledger"):
            found += [json.loads(text)["event"] for text in batch["entries"]]
        return [event for event in found if not types or event["type"] in types]

    def hear(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """Hand it an envelope that it must answer; the answer's contents."""
        answer = self.ask(json.loads(json.dumps(envelope)))
        assert isinstance(answer, dict), answer
        return opened(answer)

    def sent(self, to: str, type: str) -> list[dict[str, Any]]:
        """The messages of one type in its outbox to a peer."""
        found = [message for send in self.outbox if send.to == to for message in opened(send.envelope)["messages"]]
        return [message for message in found if message["type"] == type]


def talk(*peers: Peer, now: float | None = None) -> list[dict[str, Any]]:
    """Carry every envelope until nobody has more to say soon; all messages that were said, in order.

    A peer that is not among `peers` does not answer. The time moves on as far as that takes.
    """
    start = peers[0].now if now is None else now
    by_id = {peer.id: peer for peer in peers}
    said: list[dict[str, Any]] = []
    _tick(peers, start)
    while True:
        for sender in peers:
            while sender.outbox:
                said += _carry(sender, sender.outbox.pop(0), by_id)
        if not any(peer.outbox for peer in peers):
            wake_at = min(peer.wake_at for peer in peers)
            if wake_at > start + SOON_S:
                return said
            _tick(peers, max(wake_at, peers[0].now))


def _tick(peers: Iterable[Peer], now: float) -> None:
    for peer in peers:
        peer.now = now
        peer.receive(Tick())


def _carry(sender: Peer, send: Send, by_id: dict[str, Peer]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = list(opened(send.envelope)["messages"])
    if send.to not in by_id:
        sender.receive(Failed(send.to))
        return messages
    answer = by_id[send.to].ask(send.envelope)
    sender.receive(Answered(send.to, answer))
    return messages + list(opened(answer)["messages"])


def acquainted(*numbers: int, now: float = NOW, past: Past | None = None) -> list[Peer]:
    """Start peers that have found each other."""
    peers = [Peer(number, now=now, past=past) for number in numbers]
    introduce(*peers)
    return peers


def introduce(*peers: Peer) -> None:
    """Let peers find each other, and say what they have to say."""
    for peer in peers:
        peer.receive(*(Discovered(other.id) for other in peers if other is not peer))
    talk(*peers)


class Author:
    """A peer that is played by hand: it writes whatever it is told to, and signs it."""

    def __init__(self, number: int) -> None:
        self.identity = identity(number)
        self.id = self.identity.peer_id
        self.texts: list[str] = []

    def write(self, event: Event, time: int | None = None) -> None:
        """Write an event, at a microsecond."""
        n = len(self.texts) + 1
        self.texts.append(write_entry(n, NOW_US - 10_000 + n if time is None else time, event)[1])

    def next_id(self) -> str:
        """The id that the next entry gives to what it makes."""
        return f"{self.id}-{len(self.texts) + 1}"

    def place(
        self, side: Side, price: int, quantity: int, *, time: int | None = None, item: str = ITEM, **terms: Any
    ) -> str:
        """Write an order of so many whole units; its id."""
        id = self.next_id()
        placed = OrderPlaced(id=id, item=item, side=side, price=price * UNIT, quantity=quantity * UNIT, **terms)
        self.write(placed, time)
        return id

    def open_fill(
        self,
        taker: str,
        maker: str,
        quantity: int,
        limit: int,
        *,
        time: int | None = None,
        hold: Literal[True] | None = None,
    ) -> FillOpened:
        """Write that a fill of so many whole units is opened."""
        fill = FillOpened(
            fill_id=self.next_id(), taker=taker, maker=maker, quantity=quantity * UNIT, limit=limit * UNIT, hold=hold
        )
        self.write(fill, time)
        return fill

    def grant(self, fill_id: str, taker: str, maker: str, granted: int, *, price: int, remaining: int) -> None:
        """Write a decision in whole units."""
        self.write(
            FillGranted(
                fill_id=fill_id,
                taker=taker,
                maker=maker,
                granted=granted * UNIT,
                price=price * UNIT,
                remaining=remaining * UNIT,
            )
        )

    def hold(self, fill_id: str, taker: str, maker: str, held: int, *, price: int) -> None:
        """Write what is held for a fill, in whole units."""
        self.write(FillHeld(fill_id=fill_id, taker=taker, maker=maker, held=held * UNIT, price=price * UNIT))

    def close(
        self, fill: FillOpened, granted: int, *, price: int, remaining: int, time: int = NOW_US, at: int | None = None
    ) -> None:
        """Write how a fill ends, in whole units."""
        self.write(
            FillClosed(
                fill_id=fill.fill_id,
                taker=fill.taker,
                maker=fill.maker,
                granted=granted * UNIT,
                price=price * UNIT,
                time=time,
                remaining=remaining * UNIT,
            ),
            at,
        )

    def head(self) -> Head:
        """How far its ledger reaches."""
        head = Head()
        for text in self.texts:
            head = chained(head, text)
        return head

    def batch(self, first: int = 1, *, gone: bool = False) -> LedgerBatch:
        """Its entries from a number on, signed; `gone` if it says that those before are."""
        base = Head()
        for text in self.texts[: first - 1]:
            base = chained(base, text)
        return LedgerBatch(
            peer_id=self.id,
            public_key=self.identity.public_key,
            first=first,
            base=base.hash if gone else None,
            entries=self.texts[first - 1 :],
            signature=seal(self.identity, self.head()),
        )

    def envelope(self, to: Peer, *messages: Message | dict[str, Any], **more: Any) -> dict[str, Any]:
        """An envelope with these messages; `vector`, `clock` and whatever else may be overruled."""
        vector = {self.id: list(self.head())} if self.texts else {}
        said = [message.json_object() if isinstance(message, Message) else message for message in messages]
        return sealed(self.id, to.id, {"clock": 0, "vector": vector, "messages": said, **more})

    def tell(self, to: Peer, *messages: Message | dict[str, Any], first: int = 1) -> dict[str, Any]:
        """Send its ledger from a number on, and these messages; the answer."""
        news = [OrderSubmitted(ledger=self.batch(first))] if self.texts[first - 1 :] else []
        return to.hear(self.envelope(to, *news, *messages))


def sealed(sender: str, to: str, contents: object, *, key: bytes = b"", port: int = 1) -> dict[str, Any]:
    """An envelope with any contents, as a member of the network with this key seals it."""
    body = json.dumps(contents, default=Message.json_object)
    mac = hmac.new(key, f"{sender} {to} {port} {body}".encode(), "sha256").hexdigest()
    return {"type": "ENVELOPE", "sender": sender, "to": to, "port": port, "mac": mac, "body": body}


def opened(envelope: dict[str, Any]) -> dict[str, Any]:
    """The contents of an envelope."""
    contents: dict[str, Any] = json.loads(envelope["body"])
    return contents


def filled(peer: Peer, *ids: str) -> list[tuple[str, str]]:
    """`filledQuantity` and `quantity` of orders, as this peer shows them."""
    return [(order["filledQuantity"], order["quantity"]) for order in map(peer.order, ids)]


def asking(quantity: str = "5") -> tuple[Peer, Author, str, str, dict[str, Any]]:
    """A peer whose new buy order asks an author's sell order, 5 at 10: peer, author, maker, taker, the FILL_ORDER."""
    author, peer = Author(2), Peer(1)
    maker = author.place("sell", 10, 5)
    author.tell(peer)
    answer_under_way(peer, author)
    taker = peer.submit("buy", "10", quantity)
    peer.now += 0.01
    peer.receive(Tick())
    (ask,) = peer.sent(author.id, "FILL_ORDER")
    return peer, author, maker, taker, ask


def answer_under_way(peer: Peer, author: Author) -> None:
    """Let what is under way to the author count as answered by a word of its own."""
    for send in peer.outbox:
        if send.to == author.id:
            peer.receive(answered(peer, author))
    peer.outbox.clear()


def answered(peer: Peer, author: Author, *messages: Any, first: int = 10**6) -> Any:
    """The author's answer to an envelope of the peer's, with its ledger from a number on."""
    news = [OrderSubmitted(ledger=author.batch(first))] if author.texts[first - 1 :] else []
    return Answered(author.id, author.envelope(peer, *news, *messages))


def order_filled(ask: dict[str, Any], granted: object, price: object = "10") -> dict[str, Any]:
    """The payload that answers a FILL_ORDER."""
    return {
        "type": "ORDER_FILLED",
        "fillId": ask["fillId"],
        "granted": granted,
        "price": price,
        "time": NOW_US,
        "sequence": 2,
    }


def ledger(number: int, length: int, signed: set[int]) -> list[Record]:
    """The records of a ledger of so many orders, signed at these entries."""
    author, head, records = Author(number), Head(), list[Record]()
    for _ in range(length):
        author.place("buy", 10, 1)
    for text in author.texts:
        head = chained(head, text)
        signature = "aa" * 64 if head.sequence in signed else None
        records.append(Record(author.id, author.identity.public_key, head, text, signature))
    return records


def decided(peer: Peer, author: Author, maker: str, *, quantity: int = 5, side: Any = "buy", time: int) -> Any:
    """The author takes a maker of the peer's with an order of some microsecond, at 10; the answers and its ask."""
    taker = author.place(side, 10, quantity, time=time)
    fill = author.open_fill(taker, maker, quantity, 10, time=time + 1)
    question = question_of(fill)
    return fills(author.tell(peer, question)), question


def question_of(fill: FillOpened) -> FillOrder:
    """What the taker's owner asks the maker's owner."""
    return FillOrder(fill_id=fill.fill_id, maker=fill.maker, taker=fill.taker, quantity=fill.quantity, limit=fill.limit)


def fills(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(m["granted"], m["price"]) for m in answer["messages"] if m["type"] == "ORDER_FILLED"]
