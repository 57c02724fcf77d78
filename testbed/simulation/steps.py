"""A run as a plain list of timed steps, which can be drawn, played, shortened, printed and kept. Pure.

The rule: a step stands by itself: what it does to the world it also takes back, so any part of a list is a list that
can be played. A step that has nothing to work on (the cancel of an order that was left out) does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from testbed.script import (
    Again,
    Answer,
    Cancel,
    Crash,
    Cut,
    Evict,
    Falsehood,
    Kill,
    KillGrape,
    Lasts,
    Lie,
    Mend,
    Pause,
    Point,
    Prevention,
    Quiet,
    Reduce,
    Replace,
    Restart,
    RestartGrape,
    Resume,
    Script,
    Side,
    Skew,
    Start,
    Submit,
    Together,
    Trades,
    Wait,
    Weather,
)

Answers: TypeAlias = dict[str, Answer]

MOST_TRIES = 30
# Who looks often at a market that has lived for long would do little else than look.
LOOKED_AT = 100
# Less than it takes until peers ask each other for what somebody else has not told them.
LAST_WORDS_S = 0.4


@dataclass(frozen=True, slots=True)
class Order:
    """A client submits an order, known by `label` to later steps."""

    at_s: float
    label: str
    peer: str
    side: Side
    quantity: str
    item: str
    price: str | None
    time_in_force: Lasts | None = None
    post_only: bool = False
    prevent: Prevention | None = None
    client: str | None = None

    def script(self, answers: Answers) -> Script:
        """Submit it, and keep the answer for those who refer to it."""
        yield Wait(self.at_s)
        answers[self.label] = yield self.submit()

    def submit(self) -> Submit:
        """Return the wish."""
        terms = (self.time_in_force, self.post_only, self.prevent, self.client)
        return Submit(self.peer, self.side, self.quantity, self.item, self.price, *terms)


@dataclass(frozen=True, slots=True)
class Repeat:
    """The client submits an order again under its old client order id, at the same peer or `at` another one."""

    at_s: float
    label: str
    at: str | None = None

    def script(self, answers: Answers) -> Script:
        """Submit again, also where the first answer is still awaited or never came."""
        yield Wait(self.at_s)
        if self.label in answers:
            again = yield Again(_asked(answers[self.label], self.at))
            # At another peer it is another order, which the label is to name only where it names none yet.
            is_news = self.at is None or answers[self.label].order_id is None
            if again.outcome == "ok" and is_news:
                answers[self.label] = again


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The client cancels an order, if it knows its id by now; `at` is a wrong peer that it asks."""

    at_s: float
    label: str
    at: str | None = None

    def script(self, answers: Answers) -> Script:
        """Cancel."""
        yield Wait(self.at_s)
        if self.label in answers and answers[self.label].order_id is not None:
            yield Cancel(_asked(answers[self.label], self.at))


@dataclass(frozen=True, slots=True)
class Lessen:
    """The client leaves less of an order, if it knows its id by now; `at` is a wrong peer that it asks."""

    at_s: float
    label: str
    to: str
    at: str | None = None

    def script(self, answers: Answers) -> Script:
        """Reduce."""
        yield Wait(self.at_s)
        if self.label in answers and answers[self.label].order_id is not None:
            yield Reduce(_asked(answers[self.label], self.at), self.to)


@dataclass(frozen=True, slots=True)
class Renew:
    """The client replaces an order by another one, which is known by the same label from then on.

    `at` is a wrong peer that it asks: whatever comes of that, the order is still the one it was.
    """

    at_s: float
    label: str
    by: Submit
    at: str | None = None

    def script(self, answers: Answers) -> Script:
        """Replace."""
        yield Wait(self.at_s)
        if self.label in answers and answers[self.label].order_id is not None:
            answer = yield Replace(_asked(answers[self.label], self.at), self.by)
            if answer.outcome != "fail" and self.at is None:
                answers[self.label] = answer


@dataclass(frozen=True, slots=True)
class Look:
    """A client looks at the latest trades of an item: what it has been shown must never be gone again."""

    at_s: float
    peer: str
    item: str

    def script(self, answers: Answers) -> Script:
        """Ask for the trades."""
        yield Wait(self.at_s)
        yield Trades(self.peer, self.item, LOOKED_AT)


@dataclass(frozen=True, slots=True)
class Down:
    """A peer ends, at once or at an exact point, and is started again."""

    at_s: float
    for_s: float
    peer: str
    point: Point | None = None

    def script(self, answers: Answers) -> Script:
        """End and start the peer."""
        yield Wait(self.at_s)
        yield Kill(self.peer) if self.point is None else Crash(self.peer, self.point)
        yield Wait(self.for_s)
        yield Restart(self.peer)


@dataclass(frozen=True, slots=True)
class Lost:
    """A peer ends for good, and another one is asked to evict it until it has; later the lost one may come back.

    The `deaf` one does not hear what it says at last, which all others do.
    Who is asked refuses as long as it cannot reach all others, unless forced.
    """

    at_s: float
    for_s: float
    peer: str
    at: str
    returns: bool
    force: bool
    point: Point | None = None
    deaf: str = ""

    def script(self, answers: Answers) -> Script:
        """End the peer, have it evicted, and start it again if it returns."""
        yield Wait(self.at_s)
        if self.deaf:
            yield Cut(self.peer, self.deaf)
            yield Wait(LAST_WORDS_S)
        yield Kill(self.peer) if self.point is None else Crash(self.peer, self.point)
        yield Wait(self.for_s)
        if self.deaf:
            yield Mend(self.peer, self.deaf)
        state = ""
        for _ in range(MOST_TRIES):
            answer = yield Evict(self.peer, at=self.at, force=self.force)
            state = answer.value["state"] if answer.outcome == "ok" else state
            if state == "fenced":
                break
            yield Wait(1.0)
        # Of whom nobody has ever heard, nobody can be evicted.
        if self.returns or not state:
            yield Restart(self.peer)


@dataclass(frozen=True, slots=True)
class Frozen:
    """A peer is frozen for a while."""

    at_s: float
    for_s: float
    peer: str

    def script(self, answers: Answers) -> Script:
        """Freeze the peer, and let it go on."""
        yield Wait(self.at_s)
        yield Pause(self.peer)
        yield Wait(self.for_s)
        yield Resume(self.peer)


@dataclass(frozen=True, slots=True)
class Parted:
    """No message passes from some peers to others for a while; with `both_ways` none passes back either."""

    at_s: float
    for_s: float
    senders: tuple[str, ...]
    receivers: tuple[str, ...]
    both_ways: bool

    def script(self, answers: Answers) -> Script:
        """Cut the links one by one, and mend them."""
        yield Wait(self.at_s)
        links = [(sender, receiver) for sender in self.senders for receiver in self.receivers]
        if self.both_ways:
            links += [(receiver, sender) for sender, receiver in links]
        for link in links:
            yield Cut(*link)
        yield Wait(self.for_s)
        for link in links:
            yield Mend(*link)


@dataclass(frozen=True, slots=True)
class Lying:
    """Half of what a peer says to others is not what it has said, for a while."""

    at_s: float
    for_s: float
    peer: str
    lies: tuple[Falsehood, ...]

    def script(self, answers: Answers) -> Script:
        """Let the peer's words be altered, and leave them alone again."""
        yield Wait(self.at_s)
        yield Lie(self.peer, self.lies)
        yield Wait(self.for_s)
        yield Lie(self.peer)


@dataclass(frozen=True, slots=True)
class Joined:
    """A peer that was not there from the beginning starts, knowing nothing."""

    at_s: float
    peer: str

    def script(self, answers: Answers) -> Script:
        """Start the peer."""
        yield Wait(self.at_s)
        yield Start(self.peer)


@dataclass(frozen=True, slots=True)
class Storm:
    """The links are bad for a while."""

    at_s: float
    for_s: float
    weather: Weather

    def script(self, answers: Answers) -> Script:
        """Let the weather change and clear up."""
        yield Wait(self.at_s)
        yield self.weather
        yield Wait(self.for_s)
        yield Weather()


@dataclass(frozen=True, slots=True)
class Skewed:
    """The clock of a peer's machine is wrong for a while."""

    at_s: float
    for_s: float
    peer: str
    ahead_s: float

    def script(self, answers: Answers) -> Script:
        """Set the clock ahead or back, and right again."""
        yield Wait(self.at_s)
        yield Skew(self.peer, self.ahead_s)
        yield Wait(self.for_s)
        yield Skew(self.peer, 0.0)


@dataclass(frozen=True, slots=True)
class GrapeDown:
    """A Grape ends, and comes back empty."""

    at_s: float
    for_s: float
    grape: str

    def script(self, answers: Answers) -> Script:
        """End and start the Grape."""
        yield Wait(self.at_s)
        yield KillGrape(self.grape)
        yield Wait(self.for_s)
        yield RestartGrape(self.grape)


Step: TypeAlias = (
    Order
    | Repeat
    | Withdraw
    | Lessen
    | Renew
    | Look
    | Down
    | Lost
    | Frozen
    | Parted
    | Lying
    | Joined
    | Storm
    | Skewed
    | GrapeDown
)


def _asked(order: Answer, at: str | None) -> Answer:
    """Return an order as it is known, but to be asked for at another peer if one is said."""
    return order if at is None else replace(order, peer=at)


def played(steps: Sequence[Step]) -> Script:
    """Play steps, each at its time, beside each other; when the last has taken back what it did, wait for quiet."""
    answers: Answers = {}
    yield Together(*(step.script(answers) for step in steps))
    yield Quiet()


def in_time(steps: Iterable[Step]) -> list[Step]:
    """Return steps in the order in which they begin."""
    return sorted(steps, key=lambda step: step.at_s)
