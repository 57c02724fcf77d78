"""Grants the wishes of scripts on real peers, and records what came of each.

The rule: a request that fails is recorded and never repeated here, that is for scripts to do; and nobody is judged
here, that is for the checkers to do.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from dataclasses import asdict
from typing import Any

from pygrenache import GrenacheError
from testbed.cluster import Cluster
from testbed.door import Door, book_of, eviction_of, outcome_of, trades_of
from testbed.history import History
from testbed.observer import NoQuiet, Observer
from testbed.script import (
    Again,
    Answer,
    BadScript,
    Book,
    Cancel,
    Crash,
    Cut,
    Evict,
    Expect,
    Expectation,
    ExpectBook,
    ExpectTrades,
    Fault,
    FillDisk,
    FreeDisk,
    GrapeStrike,
    Kill,
    KillGrape,
    Lie,
    Mend,
    Outcome,
    Pause,
    Quiet,
    Reduce,
    Replace,
    Request,
    Restart,
    RestartGrape,
    Resume,
    Script,
    Show,
    Skew,
    Start,
    Stop,
    Strike,
    Submit,
    Together,
    Torment,
    Trades,
    UntilTrades,
    Wait,
    Weather,
    Wish,
)

# A starting peer is a second's work for a core; more at a time would only make each of them late.
STARTED_AT_ONCE = 8

Part = Wish | Script


class Driver:
    """Plays scripts on one cluster; `observer` knows which of its peers are up."""

    def __init__(self, cluster: Cluster, observer: Observer, history: History) -> None:
        self._cluster = cluster
        self._observer = observer
        self._history = history
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._labels = 0
        self._stirred = True
        self._frozen: dict[str, None] = {}
        self._killed_grapes: dict[str, None] = {}
        self._to_heal: list[Fault] = []

    async def start(self, peers: list[str]) -> None:
        """Start peers, a few at once, and wait until every living peer reaches every other one."""
        for first in range(0, len(peers), STARTED_AT_ONCE):
            await _all(self._start(peer) for peer in peers[first : first + STARTED_AT_ONCE])
        await self._observer.acquainted()

    async def play(self, script: Script, process: str = "client") -> Any:
        """Grant a script's wishes one after the other, and return what it returns. Raises NoQuiet, BadScript."""
        answer: Any = None
        while True:
            try:
                wish = script.send(answer)
            except StopIteration as end:
                return end.value
            answer = await self._grant(wish, process)

    async def quiet(self) -> None:
        """Wait until all is quiet, unless nothing has been done since it last was. Raises NoQuiet."""
        if self._stirred:
            await self._recorded("testbed", "quiet", {}, self._observer.quiet)
            self._stirred = False

    async def heal(self) -> None:
        """Take back all that the script has left frozen, cut, stormy, wrong or full; the killed stay dead."""
        for peer in list(self._frozen):
            await self._grant(Resume(peer), "testbed")
        for healing in list(self._to_heal):
            await self._grant(healing, "testbed")

    async def _grant(self, wish: Wish, process: str) -> Any:
        match wish:
            case Together(parts):
                return await self._together(parts, process)
            case Submit() | Again() | Cancel() | Reduce() | Replace() | Show() | Trades() | Book() | Evict():
                return await self._request(wish, process)
            case Kill() | Stop() | Restart() | Start() | Pause() | Resume():
                self._stirred = True
                return await self._recorded("testbed", _spell(wish), {"peer": wish.peer}, lambda: self._strike(wish))
            case Crash() | Cut() | Mend() | Weather() | Skew() | FillDisk() | FreeDisk() | Lie():
                self._stirred = True
                return await self._recorded("testbed", _spell(wish), asdict(wish), lambda: self._torment(wish))
            case KillGrape(grape) | RestartGrape(grape):
                what = "kill" if isinstance(wish, KillGrape) else "restart"
                return await self._recorded("testbed", what, {"peer": grape}, lambda: self._strike_grape(wish))
            case Wait(seconds):
                return await asyncio.sleep(seconds)
            case Quiet():
                return await self.quiet()
            case UntilTrades(peer, item, count):
                asked = {"peer": peer, "item": item, "count": count}
                return await self._recorded(process, "until_trades", asked, lambda: self._until_trades(wish))
            case Expect() | ExpectTrades() | ExpectBook():
                return await self._look(wish)

    async def _together(self, parts: tuple[Part, ...], process: str) -> list[Any]:
        def work(part: Part, process: str) -> Coroutine[Any, Any, Any]:
            return self.play(part, process) if isinstance(part, Generator) else self._grant(part, process)

        return await _all(work(part, f"{process}.{number}") for number, part in enumerate(parts, 1))

    async def _request(self, wish: Request, process: str) -> Answer:
        what, peer, payload = self._spell(wish, process)
        self._stirred |= what in ("submit", "cancel", "reduce", "replace", "evict")
        number = self._history.invoke(process, what, {"peer": peer, **payload}, self._now())
        answer = await self._ask(self._observer.door(peer), what, peer, payload)
        value = answer.value if answer.outcome == "ok" else {"error": answer.why}
        self._history.end(number, process, what, answer.outcome, value, self._now())
        if isinstance(wish, Evict) and answer.outcome == "ok":
            self._observer.give_up(wish.peer)
        return answer

    def _spell(self, wish: Request, process: str) -> tuple[str, str, dict[str, Any]]:
        """Return what a wish is called in the history, whom it asks, and the request's payload."""
        match wish:
            case Submit():
                return "submit", wish.peer, {"type": "SUBMIT_ORDER", "order": self._spell_order(wish, process)}
            case Reduce(order, to):
                payload = {"type": "REDUCE_ORDER", "id": order.order_id or "unknown", "quantity": to}
                return "reduce", order.peer, payload
            case Replace(order, by):
                new = self._spell_order(by, process)
                return "replace", order.peer, {"type": "REPLACE_ORDER", "id": order.order_id or "unknown", "order": new}
            case Again(order):
                return "submit", order.peer, order.asked
            case Cancel(order):
                return "cancel", order.peer, {"type": "CANCEL_ORDER", "id": order.order_id or "unknown"}
            case Show(peer, order):
                return "show", peer, {"type": "GET_ORDER", "id": order.order_id or "unknown"}
            case Trades(peer, item, latest):
                return "trades", peer, trades_of(item, latest)
            case Book(peer, item):
                return "book", peer, book_of(item)
            case Evict(peer, at, force):
                ids, key = self._observer.peer_ids, self._cluster.network_key
                if unknown := [name for name in (peer, at) if name not in ids]:
                    raise BadScript(f"Evict names {unknown[0]}, which has never been up")
                return "evict", at, eviction_of(ids[peer], ids[at], force=force, key=key)

    def _spell_order(self, order: Submit, process: str) -> dict[str, Any]:
        self._labels += 1
        terms = {
            "item": order.item,
            "type": order.side,
            "quantity": order.quantity,
            "price": order.price,
            "timeInForce": order.time_in_force,
            "postOnly": order.post_only or None,
            "selfTradePrevention": order.prevent,
            "clientId": order.client or process,
            "clientOrderId": f"order-{self._labels}",
        }
        return {name: term for name, term in terms.items() if term is not None}

    async def _ask(self, door: Door, what: str, peer: str, payload: dict[str, Any]) -> Answer:
        try:
            reply = await door.ask(payload)
        except GrenacheError as error:
            return Answer(peer, payload, outcome_of(error), why=str(error))
        field = {"trades": "trades", "book": "item", "evict": "state"}.get(what, "order")
        if not isinstance(reply, dict) or field not in reply:
            return Answer(peer, payload, "info", why=f"the answer makes no sense: {reply!r}")
        return Answer(peer, payload, "ok", reply if what in ("book", "evict") else reply[field])

    async def _recorded(self, process: str, what: str, asked: Any, work: Callable[[], Awaitable[Any]]) -> None:
        number = self._history.invoke(process, what, asked, self._now())
        try:
            failed = await work()
        except NoQuiet as error:
            self._history.end(number, process, what, "info", {"error": str(error)}, self._now())
            raise
        outcome: Outcome = "fail" if failed else "ok"
        self._history.end(number, process, what, outcome, {"error": failed} if failed else None, self._now())

    async def _strike(self, fault: Strike) -> str | None:
        """Do what is wished to a peer; return what went wrong with it, if anything did."""
        peer = fault.peer
        alive, frozen = peer in self._observer.living, peer in self._frozen
        fits = {Kill: alive or frozen, Stop: alive, Pause: alive, Resume: frozen}.get(
            type(fault), not alive and not frozen
        )
        if not fits:
            raise BadScript(f"{type(fault).__name__} of {peer}, which is {'up' if alive else 'not up'}")
        match fault:
            case Kill():
                self._frozen.pop(peer, None)
                self._observer.living.pop(peer, None)
                await self._cluster.kill(peer)
            case Stop():
                del self._observer.living[peer]
                code = await self._cluster.stop(peer)
                return f"{peer} was asked to end, and ended with exit code {code}" if code else None
            case Pause():
                self._frozen[peer] = None
                del self._observer.living[peer]
                await self._cluster.pause(peer)
            case Resume():
                self._frozen.pop(peer, None)
                await self._cluster.resume(peer)
                return await self._back(peer)
            case Start() | Restart():
                return await self._start(peer)
        return None

    async def _torment(self, fault: Torment) -> None:
        # How to heal stands here before it hurts.
        if fault in self._to_heal:
            self._to_heal.remove(fault)
        # Only cuts add up.
        known = (fault,) if isinstance(fault, Cut) else (fault, *self._to_heal)
        if (healing := _healing(fault)) is not None and healing not in known:
            self._to_heal.append(healing)
        if isinstance(fault, Crash | FillDisk):
            self._observer.living.pop(fault.peer, None)
        await self._cluster.torment(fault)

    async def _strike_grape(self, fault: GrapeStrike) -> None:
        grape, killed = fault.grape, fault.grape in self._killed_grapes
        if killed == isinstance(fault, KillGrape):
            raise BadScript(f"{type(fault).__name__} of {grape}, which is {'not ' if killed else ''}up")
        if killed:
            del self._killed_grapes[grape]
            await self._cluster.start(grape)
        else:
            self._killed_grapes[grape] = None
            await self._cluster.kill(grape)

    async def _start(self, peer: str) -> str | None:
        await self._cluster.start(peer)
        return await self._back(peer)

    async def _back(self, peer: str) -> str | None:
        found = await self._observer.up(peer)
        known = self._observer.peer_ids[peer]
        return None if found == known else f"{peer} was {known} and came back as {found}"

    async def _until_trades(self, wish: UntilTrades) -> None:
        async def seen() -> bool:
            try:
                return len(await self._observer.door(wish.peer).trades(wish.item)) >= wish.count
            except GrenacheError:
                return False

        await self._observer.until(f"{wish.peer} sees {wish.count} trades of {wish.item}", seen)

    async def _look(self, wish: Expectation) -> None:
        """Wait for quiet, then ask every living peer for what is expected, and record what each shows."""
        await self.quiet()
        what, asked = _spell_expectation(wish)
        number = self._history.invoke("testbed", what, asked, self._now())
        outcome, value = await self._shown(wish)
        self._history.end(number, "testbed", what, outcome, value, self._now())

    async def _shown(self, wish: Expectation) -> tuple[Outcome, Any]:
        if isinstance(wish, Expect) and wish.order.order_id is None:
            return wish.order.outcome, {"error": f"an order that was to be looked at has no id: {wish.order.why}"}
        try:
            return "ok", {peer: await self._show(self._observer.door(peer), wish) for peer in self._observer.living}
        except GrenacheError as error:
            return "info", {"error": f"a living peer did not show what was expected: {error}"}

    async def _show(self, door: Door, wish: Expectation) -> Any:
        match wish:
            case Expect(order):
                return await door.order(order.order_id or "")
            case ExpectTrades(item):
                return await door.trades(item)
            case ExpectBook(item):
                return await door.book(item)

    def _now(self) -> float:
        return round(self._clock() - self._began, 6)


def _healing(fault: Torment) -> Fault | None:
    """Return what takes a fault back; a fault that is its own healing does no harm."""
    match fault:
        case Cut(sender, receiver):
            return Mend(sender, receiver)
        case Weather():
            return Weather()
        case Skew(peer):
            return Skew(peer, 0.0)
        case FillDisk(peer):
            return FreeDisk(peer)
        case Lie(peer):
            return Lie(peer)
        case _:
            return None


def _spell(fault: Fault) -> str:
    """Return what a fault is called in the history: `kill`, `fill_disk`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(fault).__name__).lower()


async def _all(works: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Await all at the same time; if one fails, end the others and raise its error."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return [task.result() for task in tasks]


def _spell_expectation(wish: Expectation) -> tuple[str, dict[str, Any]]:
    match wish:
        case Expect(order, filled, remaining, status):
            terms = {"filled": filled, "remaining": remaining, "status": status}
            return "expect_order", {"id": order.order_id, **terms}
        case ExpectTrades(item, trades):
            return "expect_trades", {"item": item, "trades": list(trades)}
        case ExpectBook(item, buys, sells):
            return "expect_book", {"item": item, "buys": list(buys), "sells": list(sells)}
