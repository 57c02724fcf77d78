"""Checkers that hold what clients were told against what the ledgers say in the end. Pure.

An operation that ended `info` may or may not have happened, so it can prove nothing; nor can the ledger of a peer that
is gone, of which the others may have lost the end. Such doubt is `unknown`, never a violation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from testbed.accounts import WORST, Accounts, Line, owner_of
from testbed.evidence import Evidence, Verdict, VerdictKind, many
from testbed.history import History, Operation

Findings = tuple[VerdictKind, str]

REQUESTS = ("submit", "cancel", "reduce", "replace", "show", "trades", "book")


def durable(history: History, evidence: Evidence) -> Verdict:
    """Nothing acknowledged (order, cancel, fill) is missing from its owner's ledger, after whatever kills."""
    accounts = evidence.accounts()
    found: list[Findings] = []
    told = Counter[str]()
    for operation in history.operations():
        found += _of_another(evidence, operation)
        match operation.what, operation.outcome:
            case "submit", "ok":
                told["order"] += 1
                found += _missing_order(evidence, accounts, operation)
            case "cancel", "ok":
                told["cancel"] += 1
                found += _missing_cancel(evidence, accounts, operation.answer)
            case "reduce", "ok":
                told["reduction"] += 1
                found += _missing_reduction(evidence, accounts, operation)
            case "replace", "ok":
                told["order"] += 1
                found += _missing_order(evidence, accounts, operation)
                found += _missing_replacement(evidence, accounts, operation)
            case "restart", "fail":
                found.append(("violated", operation.error))
    fills = dict(_fills_seen([operation.answer for operation in history.operations()]))
    written = accounts.trades() | accounts.closed
    for fill, orders in fills.items():
        if fill not in written and not evidence.is_forgotten(fill):
            found.append(_lost(evidence, accounts, orders, f"the fill {evidence.tell(fill)} was shown to a client"))
    counts = ", ".join(many(told[what], what) for what in ("order", "cancel", "reduction"))
    counts = f"{counts} and {many(len(fills), 'fill')}"
    return _verdict("durable", found, f"the ledgers hold all that clients were told: {counts}")


def exactly_once(history: History, evidence: Evidence) -> Verdict:
    """One order per client order id, one decision and one end per fill id, nothing that was refused or not asked."""
    lines = evidence.lines()
    # What one entry may say only once, and of whom: the ledger matters, since client ids are each peer's own.
    once: Counter[str] = Counter()
    for line in lines:
        event, peer = line.event, evidence.name_of(line.owner)
        match event["type"]:
            case "ORDER_PLACED" if "clientOrderId" in event:
                client, label = event.get("clientId", ""), event["clientOrderId"]
                once[f"{peer} placed {client}'s order {label}"] += 1
            case "FILL_OPENED" | "FILL_HELD" | "FILL_GRANTED" | "FILL_CLOSED":
                did = event["type"].removeprefix("FILL_").lower()
                once[f"fill {evidence.tell(event['fillId'])} was {did}"] += 1
            case "ORDER_CANCELLED":
                once[f"order {evidence.tell(event['id'])} was cancelled"] += 1
            case "EVICTION_JOINED" | "PEER_FENCED":
                did = "fenced" if event["type"] == "PEER_FENCED" else "joined in evicting"
                once[f"{peer} {did} {evidence.name_of(event['peerId'])}"] += 1
    found: list[Findings] = [("violated", f"{what} {count} times") for what, count in once.items() if count > 1]
    found += _placed_though_refused(history, evidence)
    found += _two_answers(history, evidence)
    found += _never_asked(history, evidence, lines)
    orders = sum(1 for line in lines if line.event["type"] == "ORDER_PLACED")
    fills = sum(1 for line in lines if line.event["type"] == "FILL_GRANTED")
    return _verdict(
        "exactly_once", found, f"{many(orders, 'order')} placed once each, {many(fills, 'fill')} decided once each"
    )


def answered(history: History, evidence: Evidence) -> Verdict:
    """Every request to a peer that was up all the while got an answer, be it a refusal."""
    hurt = history.hurt()
    found: list[Findings] = []
    asked = 0
    for operation in history.operations():
        if operation.what not in REQUESTS or _overlaps(operation, hurt):
            continue
        asked += 1
        refused = operation.outcome == "fail" and operation.error.startswith("ERR_")
        if operation.outcome != "ok" and not refused:
            why = operation.error or "no answer was ever recorded"
            found.append(("violated", f"{operation.peer} did not answer {operation.what} #{operation.number}: {why}"))
    return _verdict("answered", found, f"every one of {many(asked, 'request')} to a living peer was answered")


def expected(history: History, evidence: Evidence) -> Verdict:
    """What the scenario itself expects is shown by every living peer."""
    found: list[Findings] = []
    met = 0
    for operation in history.operations():
        judge = _EXPECTATIONS.get(operation.what)
        if judge is None:
            continue
        met += 1
        if operation.outcome != "ok":
            doubt: VerdictKind = "violated" if operation.outcome == "fail" else "unknown"
            found.append((doubt, operation.error or "an expectation was never looked at"))
            continue
        for peer, shown in operation.answer.items():
            found += [("violated", f"{peer} shows {wrong}") for wrong in judge(evidence, operation.asked, shown)]
    sentence = f"{many(met, 'expectation')} of the scenario met on every living peer"
    return _verdict("expected", found, sentence if met else "the scenario states no expectations of its own")


def _of_another(evidence: Evidence, operation: Operation) -> Iterator[Findings]:
    if operation.what in ("submit", "cancel", "reduce", "replace") and operation.outcome == "ok":
        order = operation.answer["id"]
        if evidence.name_of(owner_of(order)) != operation.peer:
            told = f"{operation.peer} acknowledged a {operation.what} of {evidence.tell(order)}"
            yield "violated", f"{told}, which is not its own"


def _missing_order(evidence: Evidence, accounts: Accounts, submit: Operation) -> Iterator[Findings]:
    order = submit.answer
    placed = accounts.orders.get(order["id"])
    name = evidence.tell(order["id"])
    if placed is None:
        if evidence.is_forgotten(order["id"]):
            return
        fences = accounts.fences.get(owner_of(order["id"]))
        written = int(order["id"].rpartition("-")[2])
        if fences and written <= max(fence.sequence for fence in fences.values()):
            yield "violated", f"the order {name} was acknowledged, stood before the fence, and is gone"
        else:
            yield _lost(evidence, accounts, [order["id"]], f"the order {name} was acknowledged")
        return
    stamp = tuple(order["stamp"])
    was = (placed.item, placed.side, placed.price, placed.original, placed.stamp)
    said = (order["item"], order["type"], _limit(order), Decimal(order["originalQuantity"]), stamp)
    if was != said:
        yield "violated", f"the order {name} was acknowledged as {said}, its ledger says {was}"
    if placed.client != _label(submit):
        label = " ".join(placed.client or ("nothing",))
        yield "violated", f"{' '.join(_label(submit))} was acknowledged as {name}, its ledger says {label}"


def _missing_cancel(evidence: Evidence, accounts: Accounts, order: dict[str, Any]) -> Iterator[Findings]:
    account = accounts.orders.get(order["id"])
    if account is None and evidence.is_forgotten(order["id"]):
        return
    if account is None or not account.is_cancelled:
        yield _lost(evidence, accounts, [order["id"]], f"the cancel of {evidence.tell(order['id'])} was acknowledged")
        return
    most = Decimal(order["filledQuantity"]) + Decimal(order.get("reservedQuantity", "0"))
    if account.filled > most:
        yield "violated", f"{evidence.tell(order['id'])} was cancelled at {most}, and was filled to {account.filled}"


def _missing_reduction(evidence: Evidence, accounts: Accounts, operation: Operation) -> Iterator[Findings]:
    order = operation.answer
    account, name = accounts.orders.get(order["id"]), evidence.tell(order["id"])
    most = Decimal(order["filledQuantity"]) + min(Decimal(order["quantity"]), Decimal(operation.asked["quantity"]))
    if account is None and evidence.is_forgotten(order["id"]):
        return
    if account is None:
        yield _lost(evidence, accounts, [order["id"]], f"the reduction of {name} was acknowledged")
    elif account.filled + account.remaining > most:
        yield _lost(evidence, accounts, [order["id"]], f"{name} was reduced to {most} in all")


def _missing_replacement(evidence: Evidence, accounts: Accounts, operation: Operation) -> Iterator[Findings]:
    new, old = operation.answer["id"], operation.asked["id"]
    placed, replaced = accounts.orders.get(new), accounts.orders.get(old)
    told = f"{evidence.tell(new)} was said to replace {evidence.tell(old)}"
    if placed is not None and placed.replaces != old:
        yield "violated", f"{told}, its ledger does not say so"
    gone = replaced is None and evidence.is_forgotten(old)
    if placed is not None and not gone and (replaced is None or not replaced.is_cancelled or replaced.remaining):
        yield "violated", f"{told}, which was not cancelled"


def _lost(evidence: Evidence, accounts: Accounts, orders: list[str], what: str) -> Findings:
    owners = [owner_of(order) for order in orders]
    fenced = [evidence.name_of(owner) for owner in owners if owner in accounts.fences]
    if fenced:
        return "valid", f"{what} and is void: it lay beyond the fence of {fenced[0]}"
    gone = [evidence.name_of(owner) for owner in owners if not evidence.is_living(owner)]
    if gone:
        return "unknown", f"{what} and nobody has it, but {gone[0]} is gone"
    return "violated", f"{what}, but no ledger has it"


def _fills_seen(value: Any) -> Iterator[tuple[str, list[str]]]:
    """Yield the fill id and both orders' ids of everything in an answer that tells of a fill."""
    if isinstance(value, list):
        for part in value:
            yield from _fills_seen(part)
    elif isinstance(value, dict):
        if "makerOrderId" in value:
            yield value["id"], [value["makerOrderId"], value["takerOrderId"]]
        elif "matchedOrders" in value:
            yield from ((fill["id"], [value["id"], fill["orderId"]]) for fill in value["matchedOrders"])
        else:
            yield from _fills_seen(list(value.values()))


def _placed_though_refused(history: History, evidence: Evidence) -> Iterator[Findings]:
    orders = evidence.accounts().orders.values()
    placed = {(evidence.name_of(order.owner), order.client) for order in orders if order.client}
    submits = [operation for operation in history.operations() if operation.what in ("submit", "replace")]
    # A label that was also sent with another outcome may well stand in the ledger.
    doubtful = {(operation.peer, _label(operation)) for operation in submits if operation.outcome != "fail"}
    unwanted = placed - doubtful
    for operation in submits:
        if (operation.peer, _label(operation)) in unwanted:
            label = " ".join(_label(operation))
            yield "violated", f"{operation.peer} placed {label}, which it had refused: {operation.error}"


def _two_answers(history: History, evidence: Evidence) -> Iterator[Findings]:
    first: dict[tuple[str | None, tuple[str, str]], str] = {}
    for operation in history.operations():
        if operation.what in ("submit", "replace") and operation.outcome == "ok":
            id_ = operation.answer["id"]
            known = first.setdefault((operation.peer, _label(operation)), id_)
            if known != id_:
                both = f"{evidence.tell(known)} and then {evidence.tell(id_)}"
                yield "violated", f"{operation.peer} answered {' '.join(_label(operation))} with {both}"


def _never_asked(history: History, evidence: Evidence, lines: list[Line]) -> Iterator[Findings]:
    """Yield orders and cancels in the ledgers that no client of this run has asked for."""
    operations = history.operations()
    submits = {(each.peer, _label(each)): each for each in operations if each.what in ("submit", "replace")}
    # What was refused has not been asked for any more; and what was asked of the wrong peer never was.
    cancels, reductions = (
        {(each.peer, each.asked["id"]) for each in operations if each.what == what and each.outcome != "fail"}
        for what in ("cancel", "reduce")
    )
    orders = evidence.accounts().orders
    # A client's order may be decremented by one of its others that is not to trade with it, and that one with it.
    asked = [each.asked["order"] for each in operations if each.what in ("submit", "replace")]
    decrementing = {order["clientId"] for order in asked if order.get("selfTradePrevention") == "DECREMENT"}
    reductions |= {
        (evidence.name_of(order.owner), order.id) for order in orders.values() if order.client_id in decrementing
    }
    for order in orders.values():
        submit = submits.get((evidence.name_of(order.owner), order.client)) if order.client else None
        if submit is None or _terms(submit) != (order.item, order.side, order.price, order.original):
            yield "violated", f"nobody has asked for {evidence.tell(order.id)} as its ledger has it"
    for line in lines:
        event, peer = line.event, evidence.name_of(line.owner)
        # What its owner cancels by itself says for what reason.
        if event["type"] == "ORDER_CANCELLED" and (peer, event["id"]) not in cancels and "reason" not in event:
            yield "violated", f"nobody has asked to cancel {evidence.tell(event['id'])}"
        if event["type"] == "ORDER_REDUCED" and (peer, event["id"]) not in reductions:
            yield "violated", f"nobody has asked to reduce {evidence.tell(event['id'])}"


def _terms(submit: Operation) -> tuple[str, str, Decimal, Decimal]:
    order = submit.asked["order"]
    return order["item"], order["type"], _limit(order), Decimal(order["quantity"])


def _limit(order: dict[str, Any]) -> Decimal:
    return Decimal(order["price"]) if "price" in order else WORST[order["type"]]


def _label(operation: Operation) -> tuple[str, str]:
    order = operation.asked["order"]
    return order["clientId"], order["clientOrderId"]


def _overlaps(operation: Operation, hurt: dict[str, list[tuple[float, float]]]) -> bool:
    spans = hurt.get(operation.peer or "", [])
    return any(
        start <= (operation.end_s if operation.end_s is not None else start) and operation.start_s <= end
        for start, end in spans
    )


def _order_differs(evidence: Evidence, asked: dict[str, Any], shown: dict[str, Any]) -> Iterator[str]:
    fields = {"filled": "filledQuantity", "remaining": "quantity"}
    name = evidence.tell(asked["id"])
    for word, field in fields.items():
        if asked.get(word) is not None and Decimal(asked[word]) != Decimal(shown[field]):
            yield f"{name} with {shown[field]} {word}, expected {asked[word]}"
    if asked.get("status") is not None and asked["status"] != shown["status"]:
        yield f"{name} as {shown['status']}, expected {asked['status']}"


def _trades_differ(evidence: Evidence, asked: dict[str, Any], shown: list[dict[str, Any]]) -> Iterator[str]:
    yield from _levels_differ(f"trades of {asked['item']}", sorted(_levels(asked["trades"])), sorted(_levels(shown)))


def _book_differs(evidence: Evidence, asked: dict[str, Any], shown: dict[str, Any]) -> Iterator[str]:
    yield from _levels_differ("buy orders", _levels(asked["buys"]), _levels(shown["buyOrders"]))
    yield from _levels_differ("sell orders", _levels(asked["sells"]), _levels(shown["sellOrders"]))


def _levels_differ(what: str, wanted: list[Any], shown: list[Any]) -> Iterator[str]:
    if wanted != shown:
        yield f"{what} {_tell_levels(shown)}, expected {_tell_levels(wanted)}"


def _levels(of: list[Any]) -> list[tuple[Decimal, Decimal]]:
    pairs = [(one["quantity"], one["price"]) if isinstance(one, dict) else one for one in of]
    return [(Decimal(quantity), Decimal(price)) for quantity, price in pairs]


def _tell_levels(levels: list[tuple[Decimal, Decimal]]) -> str:
    counted = Counter(f"{quantity.normalize():f} at {price.normalize():f}" for quantity, price in levels)
    return ", ".join(f"{level} ({count} times)" if count > 1 else level for level, count in counted.items()) or "none"


_EXPECTATIONS: dict[str, Callable[[Evidence, dict[str, Any], Any], Iterator[str]]] = {
    "expect_order": _order_differs,
    "expect_trades": _trades_differ,
    "expect_book": _book_differs,
}


def _verdict(name: str, found: list[Findings], sentence: str) -> Verdict:
    for kind in ("violated", "unknown"):
        told = tuple(text for of, text in found if of == kind)
        if told:
            return Verdict(name, kind, told[0], told)
    if void := tuple(text for _, text in found):
        sentence += f"; {len(void)} void behind a fence"
        return Verdict(name, "valid", sentence, (sentence, *void))
    return Verdict(name, "valid", sentence)
