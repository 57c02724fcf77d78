"""A peer that has lived long: time and memory of its restart and of a late join. `python -m bench.long_life [EVENTS]`

Its ledger is written by a real node into a real journal: open orders that rest, and pairs that trade at once. Then each
measurement has a fresh process. Without snapshots everything grows with the history, which is shown on a tenth of it.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

from peer.desk import Reply
from peer.identity import Ed25519Identity
from peer.node import Answered, Asked, Discovered, Inbound, Node, Send, Tick
from peer.picture import Past
from peer.service import Clock
from peer.sqlite_journal import SqliteJournal

EVENTS = 1_000_000
OPEN_ORDERS = 10_000
AT_ONCE = 200
EVENTS_A_PAIR = 3
CLOCK = Clock()
NEVER = Past(snapshot_every=10**9)
OLD, YOUNG = (Ed25519Identity.from_seed(bytes([number]) * 32) for number in (1, 2))


def _live(path: Path, events: int, past: Past) -> float:
    """Write a ledger of so many events, and return the longest turn in seconds."""
    journal = SqliteJournal(path)
    node = Node(OLD, journal, past=past)
    node.recover(CLOCK.now())
    longest, pair, opened = 0.0, 0, 0
    while node.exchange.ledgers.own.sequence < events:
        requests = []
        for _ in range(AT_ONCE // 2):
            # The open orders come in among the others, and stay.
            if opened < OPEN_ORDERS and opened * events <= 2 * OPEN_ORDERS * EVENTS_A_PAIR * pair:
                requests.append(_order("sell", 1_000 + opened % 500, opened, "rests"))
                opened += 1
            requests += [_order("sell", 100, pair, "maker"), _order("buy", 100, pair, "taker")]
            pair += 1
        began = time.perf_counter()
        node.receive(requests, CLOCK.now())
        longest = max(longest, time.perf_counter() - began)
    assert node.exchange.market.open_orders(OLD.peer_id) == OPEN_ORDERS
    journal.close()
    return longest


def _order(side: str, price: int, number: int, client: str) -> Asked:
    order = {"item": "ACME", "type": side, "price": str(price), "quantity": "1"}
    names = {"clientId": client, "clientOrderId": str(number)}
    return Asked({"type": "SUBMIT_ORDER", "order": {**order, **names}})


def _restart(path: Path, past: Past) -> dict[str, float]:
    node, took_s = _recovered(path, past)
    assert node.exchange.market.open_orders(OLD.peer_id) == OPEN_ORDERS
    return {"restart_s": took_s, "restart_mb": _memory_mb()}


def _join(path: Path, past: Past) -> dict[str, float]:
    """Let a newcomer read everything from the old peer; what they say goes through JSON, but not through sockets."""
    old, _ = _recovered(path, past)
    before_mb, began = _memory_mb(), time.perf_counter()
    young = Node(YOUNG, SqliteJournal(path.with_name("young.sqlite")), past=past)
    young.recover(CLOCK.now())
    talk = _Talk(old, young)
    talk.hand_over(young, Discovered(OLD.peer_id))
    while young.exchange.ledgers.heads != old.exchange.ledgers.heads:
        talk.go_on()
    took_s = time.perf_counter() - began
    assert young.exchange.market.digest.hex() == old.exchange.market.digest.hex()
    return {"join_s": took_s, "join_mb": _memory_mb() - before_mb}


def _recovered(path: Path, past: Past) -> tuple[Node, float]:
    began = time.perf_counter()
    node = Node(OLD, SqliteJournal(path), past=past)
    node.recover(CLOCK.now())
    return node, time.perf_counter() - began


class _Talk:
    """Carries what two nodes say to each other."""

    def __init__(self, *nodes: Node) -> None:
        self._nodes = {node.exchange.me: node for node in nodes}
        self._under_way: deque[tuple[Node, Send]] = deque()

    def hand_over(self, node: Node, inbound: Inbound) -> Reply:
        """Hand a node something, and take up what it has to send."""
        output = node.receive([inbound], CLOCK.now())
        self._under_way += [(node, send) for send in output.sends]
        return output.replies[0]

    def go_on(self) -> None:
        """Carry one envelope there and its answer back; if nothing is under way, let time pass."""
        if not self._under_way:
            for node in self._nodes.values():
                self.hand_over(node, Tick())
            return
        sender, send = self._under_way.popleft()
        answer = self.hand_over(self._nodes[send.to], Asked(_told(send.envelope)))
        self.hand_over(sender, Answered(send.to, _told(answer)))


def _told(message: Reply) -> Any:
    return json.loads(json.dumps(message))


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _apart(what: str, path: Path, past: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.long_life", what, str(path), past]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def _measure(events: int, past: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledgers.sqlite"
        began = time.perf_counter()
        longest = _live(path, events, _past(past))
        took_s = time.perf_counter() - began
        found = {**_apart("restart", path, past), **_apart("join", path, past)}
        size_mb = path.stat().st_size / 2**20
    print(
        f"{events:>9,} events, snapshots {past:<5}  {events / took_s:6,.0f} written a second "
        f"(longest turn {longest:4.2f} s), {size_mb:4.0f} MB on disk\n"
        f"{'':18}restart {found['restart_s']:5.1f} s, {found['restart_mb']:5.0f} MB; "
        f"late join {found['join_s']:5.1f} s, {found['join_mb']:5.0f} MB more",
        flush=True,
    )


def _past(word: str) -> Past:
    return NEVER if word == "never" else Past()


def main() -> None:
    """Measure and print, or be one of the fresh processes."""
    gc.set_threshold(100_000, 50, 100)
    match sys.argv[1:]:
        case ["restart" | "join" as what, path, past]:
            print(json.dumps({"restart": _restart, "join": _join}[what](Path(path), _past(past))))
        case arguments:
            events = int(arguments[0]) if arguments else EVENTS
            print(f"a ledger with {OPEN_ORDERS:,} open orders")
            _measure(events, "yes")
            _measure(events // 10, "yes")
            _measure(events // 10, "never")


if __name__ == "__main__":
    main()
