"""One drawn run from its seed to what is wrong with it, as one value that can cross from process to process."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from itertools import chain

from testbed.accounts import Accounts, owner_of
from testbed.checkers import HOLDS, exit_code, judge
from testbed.evidence import Evidence
from testbed.history import History
from testbed.runner import play
from testbed.script import GRAPES
from testbed.simulation import virtual_time
from testbed.simulation.cluster import SimulationCluster
from testbed.simulation.sightings import sighted
from testbed.simulation.swarm import Plan


@dataclass(frozen=True, slots=True)
class Trial:
    """What a run came to. `wrong` has a sentence for each broken promise, by what found it; `seen` is what happened."""

    plan: Plan
    wrong: dict[str, str]
    seen: Counter[str]
    fingerprint: str

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


def attempt(plan: Plan) -> Trial:
    """Play a plan and judge it."""
    cluster = SimulationCluster(plan.seed, snapshot_every=plan.snapshot_every, max_batch=plan.max_batch)
    lines = hashlib.sha256()
    history = History(lambda line: lines.update(line.encode()))
    try:
        evidence, why = virtual_time.run(cluster.world.agenda, play(plan.scenario(), cluster, history))
    except virtual_time.Endless as error:
        return Trial(plan, {"no quiet": str(error)}, cluster.world.seen, lines.hexdigest())
    seen = cluster.world.seen + _happened(history, evidence)
    seen += sighted(plan, history, [peer.disk for peer in cluster.world.peers.values()])
    nodes = [peer.node for peer in cluster.world.peers.values()]
    seen["fenced peers that came back"] += sum(1 for node in nodes if node is not None and node.exchange.is_leaving)
    seen["batches read twice"] += sum(node.exchange.duplicates for node in nodes if node is not None)
    return Trial(plan, _wrong(history, evidence, why), seen, lines.hexdigest())


def _wrong(history: History, evidence: Evidence, why: str) -> dict[str, str]:
    verdicts = judge(history, evidence)
    if exit_code(verdicts, evidence) == HOLDS:
        return {}
    found: dict[str, str] = {}
    if evidence.crashed:
        found["crashed"] = evidence.crashed[0]
    elif why:
        found["no quiet"] = why
    found |= {verdict.name: verdict.sentence for verdict in verdicts if verdict.kind == "violated"}
    return found or {verdict.name: verdict.sentence for verdict in verdicts if verdict.kind == "unknown"}


def _happened(history: History, evidence: Evidence) -> Counter[str]:
    seen, placed = Counter[str](), Counter[str]()
    for operation in history.operations():
        if operation.process == "testbed":
            point = f" ({operation.asked['point']})" if operation.what == "crash" else ""
            of = " of a Grape" if operation.peer in GRAPES else ""
            seen[f"{operation.what}{point}{of}"] += 1
        else:
            seen[f"{operation.what} {operation.outcome}"] += 1
            if (operation.what, operation.outcome) == ("submit", "ok"):
                placed[operation.answer["id"]] += 1
    seen["submit again, the same answer"] = sum(count - 1 for count in placed.values())
    accounts = evidence.accounts()
    moved = [trade.quantity > 0 for trade in accounts.granted.values()]
    seen["fills across peers"] += sum(moved)
    seen["fills refused"] += len(moved) - sum(moved)
    seen["trades within a peer"] += len(accounts.within)
    seen += _by_terms(history, evidence, accounts)
    copies = list(chain.from_iterable(of.values() for of in evidence.ledgers.values()))
    seen["peers fenced"] += len(accounts.fences)
    seen["fills closed behind a fence"] += sum(
        1
        for id_, trade in accounts.closed.items()
        if id_ not in accounts.granted and owner_of(trade.maker) in accounts.fences
    )
    seen["trades with one side behind a fence"] += len(accounts.half_trades())
    seen["ledger entries"] += sum(len(copy.texts) for copy in copies)
    return seen + _summed_up(evidence)


def _summed_up(evidence: Evidence) -> Counter[str]:
    seen = Counter[str]()
    parts = [line.event for line in evidence.lines() if line.event["type"] == "SNAPSHOT"]
    seen["snapshots taken"] = sum(part["part"] == part["parts"] for part in parts)
    for holder in evidence.ledgers:
        held, shown = evidence.held_by(holder), evidence.ledgers[holder]
        seen["ledgers joined by snapshot"] += sum(len(copy.bases) for copy in held.values())
        seen["entries forgotten"] += sum(len(copy.texts) for copy in held.values())
        seen["entries forgotten"] -= sum(len(copy.texts) for copy in shown.values())
    return seen


def _by_terms(history: History, evidence: Evidence, accounts: Accounts) -> Counter[str]:
    """Count what came of orders that are to trade at once, whole, without taking, or not with their own client's."""
    seen = Counter[str]()
    takers = {id_: set[str]() for id_, order in accounts.orders.items() if order.lasts == "FOK"}
    for trade in accounts.trades().values():
        if trade.taker in takers:
            takers[trade.taker].add(accounts.orders[trade.maker].owner)
    for order in accounts.orders.values():
        seen["fill-or-kill orders killed"] += order.lasts == "FOK" and order.reason == "expired"
        seen["fill-or-kill orders filled by several owners"] += len(takers.get(order.id, ())) > 1
        seen["orders expired"] += order.lasts == "IOC" and order.reason == "expired"
        seen["post-only orders cancelled"] += order.reason == "post_only"
        seen["orders cancelled instead of trading with their own client"] += order.reason == "self_trade"
    prevented = sum(1 for line in evidence.lines() if "prevented" in line.event)
    seen["self trades prevented across peers"] += prevented
    held = [trade for id_, trade in accounts.granted.items() if accounts.asks_to_hold(id_)]
    seen["holds released"] += sum(1 for trade in held if not trade.quantity)
    refused = [operation for operation in history.operations() if operation.error.startswith("ERR_WOULD_TAKE")]
    seen["post-only orders refused"] += len(refused)
    return seen
