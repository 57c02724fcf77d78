"""Whole peers on a network that loses, repeats and delays, in virtual time: one seed, one run.

The rule: nothing here has a clock or a dice of its own; every message goes through JSON, every life through its disk.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from math import inf
from typing import Any

from peer.codes import Refusal
from peer.desk import Reply
from peer.identity import peer_id_of
from peer.journal import MemoryJournal
from peer.ledgers import Record
from peer.node import Answered, Asked, Discovered, Failed, Inbound, Node, Send, Tick
from peer.views import peer_status

TURN_S = 0.001
LOOK_EVERY_S = 0.25
CALL_TIMEOUT_S = 1.0
CLIENT_TRIES_AGAIN_S = 1.0
ITEMS = ("ACME", "GRPE")


class Killed(BaseException):
    """The process ended here; no code of the peer may catch it."""


class HashIdentity:
    """An identity that signs with a hash: true signatures would be most of a run's time."""

    def __init__(self, number: int) -> None:
        self.public_key = hashlib.sha256(f"peer {number}".encode()).hexdigest()
        self.peer_id = peer_id_of(self.public_key)

    def sign(self, message: bytes) -> str:
        """Return what `verify_hash` accepts."""
        return hashlib.sha256(self.public_key.encode() + message).hexdigest()


def verify_hash(public_key: str, message: bytes, signature: str) -> bool:
    """Tell whether HashIdentity signed this."""
    return hashlib.sha256(public_key.encode() + message).hexdigest() == signature


class Disk(MemoryJournal):
    """A disk that outlives its process, and what stands on it after a power cut."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        super().__init__()
        self.doom: str | None = None
        self._forced = 0
        self.append(records, durable=True)

    def append(self, records: Iterable[Record], *, durable: bool) -> None:
        """Keep entries, unless the process is killed on the way in; it may be killed on the way out."""
        if self.doom == "before a commit":
            raise Killed
        super().append(records, durable=durable)
        if durable:
            self._forced = len(list(self.records()))
        if self.doom == "after a commit":
            raise Killed

    def after_power_cut(self) -> Disk:
        """Return what a power cut leaves: nothing that was not forced to the disk."""
        return Disk(list(self.records())[: self._forced])


class Network:
    """Peers, their disks, and an agenda of what happens next."""

    def __init__(self, seed: int, *, peers: int = 3, loss: float = 0.1, duplication: float = 0.05) -> None:
        self.rng = random.Random(seed)
        self.now = 1_000.0
        self.loss, self.duplication = loss, duplication
        self.identities = {identity.peer_id: identity for identity in map(HashIdentity, range(peers))}
        self.disks = {peer_id: Disk() for peer_id in self.identities}
        self.nodes: dict[str, Node] = {}
        self.seen: Counter[str] = Counter()
        self.faults: list[str] = []
        self.placed: dict[str, str] = {}
        self.unanswered: set[str] = set()
        self.cancelled: list[str] = []
        self._lives: Counter[str] = Counter()
        self._alarms: dict[str, float] = {}
        self._inboxes: dict[str, list[tuple[Inbound, Callable[[Reply], None]]]] = {}
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        for peer_id in self.identities:
            self.start(peer_id)

    def at(self, delay_s: float, act: Callable[[], None]) -> None:
        """Put something on the agenda."""
        self._count += 1
        heappush(self._agenda, (self.now + delay_s, self._count, act))

    def run(self, until: float) -> None:
        """Let time pass; a peer that ends by itself or refuses another's ledger ends the run."""
        while self.now < until and not self.faults:
            step = min(until, self.now + LOOK_EVERY_S)
            while self._agenda and self._agenda[0][0] <= step and not self.faults:
                self.now, _, act = heappop(self._agenda)
                act()
            self.now = step
            self.faults += self._refusals()

    def run_until_quiet(self, within_s: float) -> bool:
        """Heal everything and let time pass until the peers agree and nothing is open; tell whether they came to it."""
        self.loss = self.duplication = 0.0
        for disk in self.disks.values():
            disk.doom = None
        for peer_id in self.identities:
            self.start(peer_id)
        deadline = self.now + within_s
        while not self.is_quiet() and self.now < deadline and not self.faults:
            self.run(self.now + LOOK_EVERY_S)
        return self.is_quiet()

    def is_quiet(self) -> bool:
        """Tell whether every peer lives, reaches and has read all others, and waits for no decision."""
        if self.unanswered or len(self.nodes) < len(self.identities):
            return False
        shown = [peer_status(node.exchange) for node in self.nodes.values()]
        return all(
            status["vector"] == shown[0]["vector"]
            and not status["inDoubt"]
            and all(peer["state"] == "reachable" for peer in status["peers"])
            for status in shown
        )

    def _refusals(self) -> list[str]:
        return [
            f"{peer_id} refused {contact['refused']}"
            for peer_id, node in self.nodes.items()
            for contact in peer_status(node.exchange)["peers"]
            if "refused" in contact
        ]

    def start(self, peer_id: str) -> None:
        """Start a peer from its disk, if it does not run."""
        if peer_id in self.nodes:
            return
        self._lives[peer_id] += 1
        self.disks[peer_id].doom = None
        node = Node(self.identities[peer_id], self.disks[peer_id], verify=verify_hash)
        try:
            node.recover(self.now)
        except Exception as error:
            self.faults.append(f"{peer_id} could not start again: {error!r}")
            return
        self.nodes[peer_id] = node
        self._inboxes[peer_id] = []
        for other in self.identities:
            if other != peer_id:
                self._take_in(peer_id, Discovered(other))

    def kill(self, peer_id: str, how: str, down_s: float) -> None:
        """End a peer: at once, by a power cut, or in its next commit; it comes back after `down_s`."""
        if peer_id not in self.nodes:
            return
        if how in ("before a commit", "after a commit"):
            self.disks[peer_id].doom = how
            self.at(down_s, lambda: self.start(peer_id))
            return
        self._end(peer_id, how)
        if how == "by a power cut":
            self.disks[peer_id] = self.disks[peer_id].after_power_cut()
        self.at(down_s, lambda: self.start(peer_id))

    def submit(self, peer_id: str, order: dict[str, Any]) -> None:
        """Ask a peer to accept an order, again and again under one client order id, until it has."""
        id = order["clientOrderId"]
        if id in self.placed:
            return
        self.unanswered.add(id)
        self._take_in(peer_id, Asked({"type": "SUBMIT_ORDER", "order": order}), lambda reply: self._placed(id, reply))
        self.at(CLIENT_TRIES_AGAIN_S, lambda: self.submit(peer_id, order))

    def cancel(self, order_id: str) -> None:
        """Ask an order's owner to cancel it; nobody asks again."""
        payload = {"type": "CANCEL_ORDER", "id": order_id}
        self._take_in(order_id.rpartition("-")[0], Asked(payload), lambda reply: self._cancelled(order_id, reply))

    def _placed(self, client_order_id: str, reply: Reply) -> None:
        assert isinstance(reply, dict), reply
        id = reply["order"]["id"]
        if self.placed.setdefault(client_order_id, id) != id:
            self.faults.append(f"{client_order_id} was accepted twice: {self.placed[client_order_id]}, {id}")
        self.unanswered.discard(client_order_id)

    def _cancelled(self, order_id: str, reply: Reply) -> None:
        if isinstance(reply, dict):
            self.cancelled.append(order_id)

    def _end(self, peer_id: str, how: str) -> None:
        del self.nodes[peer_id]
        self.seen[f"killed {how}"] += 1

    def _set_alarm(self, peer_id: str, wake_at: float) -> None:
        self._alarms[peer_id] = wake_at
        if wake_at < inf:
            self.at(max(0.0, wake_at - self.now), lambda: self._wake(peer_id, wake_at))

    def _wake(self, peer_id: str, wake_at: float) -> None:
        if self._alarms[peer_id] == wake_at:
            self._take_in(peer_id, Tick())

    def _take_in(self, peer_id: str, inbound: Inbound, answer: Callable[[Reply], None] = lambda reply: None) -> None:
        if peer_id not in self.nodes:
            return
        if not self._inboxes[peer_id]:
            life = self._lives[peer_id]
            self.at(TURN_S, lambda: self._drain(peer_id, life))
        self._inboxes[peer_id].append((inbound, answer))

    def _drain(self, peer_id: str, life: int) -> None:
        if peer_id not in self.nodes or self._lives[peer_id] != life:
            return
        waiting, self._inboxes[peer_id] = self._inboxes[peer_id], []
        try:
            output = self.nodes[peer_id].receive([inbound for inbound, _ in waiting], self.now)
        except Killed:
            self._end(peer_id, str(self.disks[peer_id].doom))
            return
        except Exception as error:
            self.faults.append(f"{peer_id} ended by itself: {error!r}")
            return
        self._set_alarm(peer_id, output.wake_at)
        for (_, answer), reply in zip(waiting, output.replies, strict=True):
            answer(reply)
        for send in output.sends:
            self._send(peer_id, send)

    def _send(self, sender: str, send: Send) -> None:
        self.seen["messages"] += 1
        life, text, done = self._lives[sender], json.dumps(send.envelope), list[bool]()

        def finish(inbound: Inbound) -> None:
            if not done and self._lives[sender] == life:
                done.append(True)
                self._take_in(sender, inbound)

        def answered(reply: Reply) -> None:
            if isinstance(reply, Refusal):
                self.faults.append(f"{send.to} refused an envelope: {reply}")
                return
            answer = json.dumps(reply)
            self._carry(lambda: finish(Answered(send.to, json.loads(answer))))

        for _ in range(2 if self.rng.random() < self.duplication else 1):
            self._carry(lambda: self._take_in(send.to, Asked(json.loads(text)), answered))
        self.at(CALL_TIMEOUT_S, lambda: finish(Failed(send.to)))

    def _carry(self, arrive: Callable[[], None]) -> None:
        if self.rng.random() < self.loss:
            self.seen["lost"] += 1
        else:
            self.at(self.rng.uniform(0.001, 0.02), arrive)


def trade_under_faults(seed: int, *, orders: int = 40, cancels: int = 8, kills: int = 4) -> Network:
    """Run three peers through orders, cancels, losses and kills of every kind, then let them come to rest."""
    network = Network(seed)
    rng, peers = network.rng, list(network.identities)
    for number in range(orders):
        order = {
            "item": rng.choice(ITEMS),
            "type": rng.choice(["buy", "sell"]),
            "price": str(rng.randint(95, 105)),
            "quantity": str(rng.randint(1, 10)),
            "clientOrderId": f"order {number}",
        }
        peer_id = rng.choice(peers)
        for _ in range(1 + (rng.random() < 0.1)):
            network.at(rng.uniform(0.5, 3), lambda peer_id=peer_id, order=order: network.submit(peer_id, order))  # type: ignore[misc]
    for _ in range(cancels):
        network.at(rng.uniform(1, 3), lambda: _cancel_something(network))
    for _ in range(kills):
        how = rng.choice(["at once", "by a power cut", "before a commit", "after a commit"])
        victim, down_s = rng.choice(peers), rng.uniform(0.1, 3)
        network.at(rng.uniform(0.5, 3), lambda victim=victim, how=how, s=down_s: network.kill(victim, how, s))  # type: ignore[misc]
    network.run(network.now + 4)
    if not network.run_until_quiet(within_s=12) and not network.faults:
        network.faults.append("the peers came to no rest")
    return network


def _cancel_something(network: Network) -> None:
    if network.placed:
        network.cancel(network.rng.choice(sorted(network.placed.values())))
