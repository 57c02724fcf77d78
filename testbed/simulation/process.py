"""One simulated peer: a real node, a disk that outlives it, a clock of its own, and a loop that works in turns.

The rule: this is `peer.service` in virtual time. What has arrived within a turn goes to the node as one batch, and what
the node returns leaves when its commit is over; a process that has ended says nothing more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from math import inf
from random import Random

from peer.admission import Network
from peer.desk import Reply
from peer.identity import peer_id_of
from peer.node import Inbound, Node, Output, Send, Tick
from peer.picture import Past
from testbed.simulation.disk import Disk, Killed
from testbed.simulation.virtual_time import Agenda

TURN_S = 0.0003
SOONEST_ALARM_S = 1e-6
NETWORK_KEY = b"the key of every simulated network"

# What became of a request: the reply, or None where the process ended before it replied.
Answer = Callable[[Reply], None]


class HashIdentity:
    """An identity that signs with a keyed hash: true signatures would be most of a run's time."""

    def __init__(self, name: str) -> None:
        self.public_key = hashlib.sha256(name.encode()).hexdigest()
        self.peer_id = peer_id_of(self.public_key)

    def sign(self, message: bytes) -> str:
        """Return what `verify_hash` accepts."""
        return _keyed(self.public_key, message)


def verify_hash(public_key: str, message: bytes, signature: str) -> bool:
    """Tell whether HashIdentity signed this."""
    return _keyed(public_key, message) == signature


def _keyed(key: str, message: bytes) -> str:
    return hashlib.blake2b(message, key=bytes.fromhex(key), digest_size=32).hexdigest()


def ignore(reply: Reply) -> None:
    """Wait for no answer."""


class Process:
    """One peer. `node` is None while it is down; `life` counts its starts; `known` are the peers it has an address of.

    `send` is given every envelope that leaves; `crashed` a line if the node ends by itself.
    """

    def __init__(
        self,
        name: str,
        agenda: Agenda,
        dice: Random,
        send: Callable[[Process, Send], None],
        crashed: list[str],
        past: Past | None = None,
    ) -> None:
        self.name = name
        self.identity = HashIdentity(name)
        self.disk = Disk(dice)
        self.node: Node | None = None
        self.life = 0
        self.known: dict[str, None] = {}
        self.ends_while_sending = False
        self._agenda = agenda
        self._dice = dice
        self._send = send
        self._crashed = crashed
        self._past = past
        self._inbox: list[tuple[Inbound, Answer]] = []
        self._frozen = False
        self._skew_s = self._ahead_s = 0.0
        self._alarm_at = self._wake_at = inf

    @property
    def peer_id(self) -> str:
        """The id that its key gives it."""
        return self.identity.peer_id

    def clock(self) -> float:
        """Return the time as this peer sees it."""
        return self._agenda.now + self._ahead_s

    def skew(self, ahead_s: float) -> None:
        """Set the machine's clock ahead or back; a process that runs never sees it go back, its next life does."""
        self._skew_s = ahead_s
        self._ahead_s = max(self._ahead_s, ahead_s)

    def start(self) -> None:
        """Begin a new life on the old disk."""
        assert self.node is None, self.name
        self.life += 1
        self.known = {}
        self._inbox, self._frozen = [], False
        self._ahead_s = self._skew_s
        self._alarm_at = self._wake_at = inf
        self.disk.doom, self.ends_while_sending = None, False
        node = Node(self.identity, self.disk, Network(NETWORK_KEY), verify=verify_hash, past=self._past)
        try:
            node.recover(self.clock())
        except Exception as error:
            self._crashed.append(f"{self.name} could not start from its disk: {type(error).__name__}: {error}")
            return
        self.node = node
        self.take_in(Tick())

    def end(self) -> None:
        """End this life at once: whoever waits for an answer sees the connection end."""
        waiting, self._inbox = self._inbox, []
        self.node = None
        for _, answer in waiting:
            answer(None)

    def freeze(self) -> None:
        """Stop working; what arrives waits."""
        self._frozen = True

    def thaw(self) -> None:
        """Work again, first on all that has arrived."""
        self._frozen = False
        self.take_in(Tick())
        self._next_turn()

    def take_in(self, inbound: Inbound, answer: Answer = ignore) -> None:
        """Put something into the inbox; a peer that is down refuses the connection."""
        if self.node is None:
            answer(None)
            return
        self._inbox.append((inbound, answer))
        if len(self._inbox) == 1:
            self._next_turn()

    def _next_turn(self) -> None:
        life = self.life
        self._agenda.after(TURN_S, lambda: self._turn(life))

    def _turn(self, life: int) -> None:
        if self.node is None or self.life != life or self._frozen or not self._inbox:
            return
        waiting, self._inbox = self._inbox, []
        wants_to_refuse = self.disk.refuses
        try:
            output = self.node.receive([inbound for inbound, _ in waiting], self.clock())
        except Killed:
            self._end_amid(waiting)
        except Exception as error:
            if not (wants_to_refuse and isinstance(error, OSError)):
                self._crashed.append(f"{self.name} ended by itself: {type(error).__name__}: {error}")
            self._end_amid(waiting)
        else:
            self._speak(waiting, output)

    def _end_amid(self, waiting: Iterable[tuple[Inbound, Answer]]) -> None:
        self.end()
        for _, answer in waiting:
            answer(None)

    def _speak(self, waiting: list[tuple[Inbound, Answer]], output: Output) -> None:
        left = len(waiting) + len(output.sends)
        if self.ends_while_sending:
            left = self._dice.randrange(left)
            self._end_amid(waiting[left:])
        for (_, answer), reply in zip(waiting[:left], output.replies, strict=False):
            answer(reply)
        for send in output.sends[: max(0, left - len(waiting))]:
            self._send(self, send)
        if self.node is not None:
            self._wake_at = output.wake_at
            self._set_alarm()

    def _set_alarm(self) -> None:
        at = self._wake_at - self._ahead_s
        if at < self._alarm_at:
            self._alarm_at, life = at, self.life
            self._agenda.after(max(SOONEST_ALARM_S, at - self._agenda.now), lambda: self._ring(life, at))

    def _ring(self, life: int, at: float) -> None:
        # An alarm that has since been put off rings all the same, and is set again: cheaper than to take it back.
        if self.node is None or self.life != life or self._alarm_at != at:
            return
        self._alarm_at = inf
        if self.clock() >= self._wake_at:
            self.take_in(Tick())
        else:
            self._set_alarm()
