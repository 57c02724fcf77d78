"""Everything that is simulated, from one seed: peers, their disks and clocks, the links between them.

The rule: there is one dice and one agenda; whatever happens, happens because of an event that was put on it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

from peer.codes import Refusal
from peer.desk import Reply
from peer.ledgers import Record
from peer.node import Answered, Asked, Discovered, Failed, Inbound, Node, Send
from peer.picture import Past
from testbed.script import GRAPES, Crash, Cut, FillDisk, FreeDisk, Lie, Mend, Skew, Torment, Weather
from testbed.simulation.liar import Liar
from testbed.simulation.network import Network
from testbed.simulation.process import Process
from testbed.simulation.recorder import Recorder
from testbed.simulation.virtual_time import MAX_EFFORT, Agenda

CALL_TIMEOUT_S = 2.0
CHARACTERS_AN_EVENT = 1_000
CLIENT_DELAY_S = (0.0001, 0.001)
LOOKUP_EVERY_S = 2.0
FIRST_LOOKUP_S = 0.05

# Made once: `json.loads` with an option makes a decoder for each text.
_write = json.JSONEncoder(check_circular=False).encode
_read = json.JSONDecoder(parse_float=Decimal).decode


class World:
    """Peers by their names. `seen` counts what happened, `crashed` has a line for each peer that ended by itself.

    `grapes` are those that are up; with one of them, whoever looks finds every living peer. A `recorder` looks on.
    """

    def __init__(self, seed: int, recorder: Recorder, max_effort: int = MAX_EFFORT, past: Past | None = None) -> None:
        self.agenda = Agenda(max_effort)
        self.dice = Random(seed)
        self.seen: Counter[str] = Counter()
        self.crashed: list[str] = []
        self.peers: dict[str, Process] = {}
        self._recorder = recorder
        self.network = Network(self.agenda, self.dice, self.seen, self._recorder)
        self.grapes = dict.fromkeys(GRAPES)
        self._past = past
        self._by_id: dict[str, Process] = {}
        self._liars: dict[str, Liar] = {}

    def open(self, names: Sequence[str]) -> None:
        """Prepare peers without starting them."""
        for name in names:
            peer = Process(name, self.agenda, self.dice, self._send, self.crashed, self._past)
            peer.disk.noted = partial(self._note_commit, name)
            self.peers[name] = self._by_id[peer.peer_id] = peer

    def start(self, name: str) -> None:
        """Start a peer; one that should have ended by now, but never came to it, ends first."""
        peer = self.peers[name]
        if peer.node is not None:
            self.kill(name)
        peer.start()
        if peer.node is not None:
            self._note_doubts(peer, peer.node)
        self._look_up(peer, peer.life, FIRST_LOOKUP_S)

    def kill(self, name: str) -> None:
        """End a peer between two of its turns."""
        peer = self.peers[name]
        if peer.node is not None:
            peer.end()

    def torment(self, fault: Torment) -> None:
        """Do what happens around peers."""
        match fault:
            case Crash(name, "in a power cut"):
                self.kill(name)
                self.seen["entries lost in power cuts"] += self.peers[name].disk.cut_power()
            case Crash(name, "while sending"):
                self.peers[name].ends_while_sending = True
            case Crash(name, point):
                self.peers[name].disk.doom = point
            case Cut(sender, receiver):
                self.network.cut(sender, receiver)
            case Mend(sender, receiver):
                self.network.mend(sender, receiver)
            case Weather():
                self.network.weather = fault
            case Skew(name, ahead_s):
                self.peers[name].skew(ahead_s)
            case FillDisk(name):
                self.peers[name].disk.full = True
            case FreeDisk(name):
                self.peers[name].disk.full = False
            case Lie(name, ()):
                self._liars.pop(name, None)
            case Lie(name, lies):
                self._liars[name] = Liar(lies, self.dice, self.seen)

    def ask(self, name: str, payload: Any, answer: Callable[[Reply], None]) -> None:
        """Bring a client's request to a peer; `answer` is called with the reply, or None if the connection ended."""
        text = _write(payload)

        def replied(reply: Reply) -> None:
            heard = _read(_write(reply)) if isinstance(reply, dict) else reply
            self.seen["messages"] += reply is not None
            self.agenda.after(self.dice.uniform(*CLIENT_DELAY_S), lambda: answer(heard))

        arrive = lambda: self.peers[name].take_in(Asked(_read(text)), replied)  # noqa: E731
        self.seen["messages"] += 1
        self.agenda.after(self.dice.uniform(*CLIENT_DELAY_S), arrive)

    def _note_commit(self, name: str, records: list[Record]) -> None:
        self._recorder.committed(name, records, self.agenda.now)

    def _note_doubts(self, peer: Process, node: Node) -> None:
        # Counted at the start; a run that holds has settled them all in the end.
        self.seen["fills settled after the taker's peer was down"] += sum(1 for _ in node.exchange.market.own_fills())
        for other in self.peers.values():
            if other.node is not None and other is not peer:
                waiting = other.node.exchange.market.waiting_for(peer.peer_id)
                self.seen["fills settled after the maker's peer was down"] += len(waiting)

    def _look_up(self, peer: Process, life: int, pause_s: float) -> None:
        if peer.node is None or peer.life != life:
            return
        for other in self.peers.values() if self.grapes else ():
            if other is not peer and other.node is not None and other.peer_id not in peer.known:
                peer.known[other.peer_id] = None
                peer.take_in(Discovered(other.peer_id))
        self.agenda.after(pause_s, lambda: self._look_up(peer, life, min(LOOKUP_EVERY_S, pause_s * 2)))

    def _said(self, speaker: Process, envelope: dict[str, Any]) -> dict[str, Any]:
        """Return what leaves a peer for another one, in its own words or in a liar's."""
        liar = self._liars.get(speaker.name)
        return envelope if liar is None else liar.altered(envelope)

    def _send(self, sender: Process, send: Send) -> None:
        receiver, life = self._by_id[send.to], sender.life
        # What an envelope says is its body, a text; as JSON the whole would come back as it is.
        envelope = self._said(sender, send.envelope)
        self.agenda.effort += len(envelope["body"]) // CHARACTERS_AN_EVENT
        ended: list[bool] = []

        def finish(inbound: Inbound) -> None:
            if not ended and sender.life == life:
                ended.append(True)
                sender.take_in(inbound)

        def refused() -> None:
            sender.known.pop(send.to, None)
            finish(Failed(send.to))

        def replied(reply: Reply) -> None:
            self.seen["messages"] += reply is not None
            said = ""
            if reply is None:
                arrive = refused
            elif isinstance(reply, Refusal):
                self.seen["envelopes refused"] += 1
                arrive = refused
            else:
                answer = self._said(receiver, reply)
                said = answer["body"]
                arrive = lambda: finish(Answered(send.to, answer))  # noqa: E731
            self.network.carry(receiver.name, sender.name, arrive, said)

        def arrived() -> None:
            receiver.known.setdefault(sender.peer_id)
            receiver.take_in(Asked(envelope), replied)

        if send.to in sender.known:
            self.seen["messages"] += 1
            self.network.carry(sender.name, receiver.name, arrived, envelope["body"])
            self.agenda.after(CALL_TIMEOUT_S, lambda: finish(Failed(send.to)))
        else:
            self.agenda.after(0.0, refused)
