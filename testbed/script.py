"""The words a scenario is written in. Pure: no clock, no socket, no dice.

A scenario is a generator: it yields a wish and is sent what came of it. Who grants the wishes (real containers, real
processes, a simulation) is none of its business, so the same script runs on all of them. Prices and quantities are
decimals in text; peers are called peer-1, peer-2 and so on.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypedDict, Unpack, get_args

GRAPES = ("grape-1", "grape-2")

Side = Literal["buy", "sell"]
Lasts = Literal["GTC", "IOC", "FOK"]
Prevention = Literal["CANCEL_NEWEST", "CANCEL_OLDEST", "CANCEL_BOTH", "DECREMENT"]
Outcome = Literal["ok", "fail", "info"]
Level: TypeAlias = tuple[str, str]  # quantity, price
Point = Literal["before a commit", "after a commit", "torn", "failed write", "while sending", "in a power cut"]
Falsehood = Literal[
    "forged entries",
    "altered amounts",
    "wrong signatures",
    "disordered entries",
    "claimed fills",
    "made-up vectors",
    "names of others",
    "old envelopes",
]
LIES: tuple[Falsehood, ...] = get_args(Falsehood)


class BadScript(Exception):
    """A script that cannot be played as it is written."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request: `ok`, `fail` (surely without effect) or `info` (nobody can know yet).

    `value` is what the peer answered (an order, a list of trades, a book), None unless ok; `why` says what went wrong.
    """

    peer: str
    asked: dict[str, Any]
    outcome: Outcome
    value: Any = None
    why: str = ""

    @property
    def order_id(self) -> str | None:
        """The id of the order that was accepted, or None where none is known."""
        return self.value["id"] if self.outcome == "ok" else None


# What a client asks of a peer; each is sent an Answer.


@dataclass(frozen=True, slots=True)
class Submit:
    """Submit an order to a peer; without a price, a market order. `client` is who orders, if not the script's own."""

    peer: str
    side: Side
    quantity: str
    item: str
    price: str | None
    time_in_force: Lasts | None = None
    post_only: bool = False
    prevent: Prevention | None = None
    client: str | None = None


class Terms(TypedDict, total=False):
    """What an order may be told besides its limit."""

    time_in_force: Lasts
    post_only: bool
    prevent: Prevention
    client: str


def Buy(peer: str, quantity: str, item: str, *, at: str | None, **terms: Unpack[Terms]) -> Submit:
    """Wish that a client buys at a peer, at this price or a lower one, or at any."""
    return Submit(peer, "buy", quantity, item, at, **terms)


def Sell(peer: str, quantity: str, item: str, *, at: str | None, **terms: Unpack[Terms]) -> Submit:
    """Wish that a client sells at a peer, at this price or a higher one, or at any."""
    return Submit(peer, "sell", quantity, item, at, **terms)


@dataclass(frozen=True, slots=True)
class Again:
    """Submit an order once more under its old client order id, as a client does that never heard the answer."""

    order: Answer


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel what is left of an order, at the peer that accepted it."""

    order: Answer


@dataclass(frozen=True, slots=True)
class Reduce:
    """Leave at most this much of an order, at the peer that accepted it; it keeps its place."""

    order: Answer
    to: str


@dataclass(frozen=True, slots=True)
class Replace:
    """Cancel an order and submit another one in its place, both or neither; both are of one peer."""

    order: Answer
    by: Submit


@dataclass(frozen=True, slots=True)
class Show:
    """Ask a peer for an order."""

    peer: str
    order: Answer


@dataclass(frozen=True, slots=True)
class Trades:
    """Ask a peer for the trades of an item, all or the latest so many."""

    peer: str
    item: str
    latest: int | None = None


@dataclass(frozen=True, slots=True)
class Book:
    """Ask a peer for the book of an item."""

    peer: str
    item: str


@dataclass(frozen=True, slots=True)
class Evict:
    """Ask a peer, as its operator, to go on without another one that is lost for good; it may refuse."""

    peer: str
    at: str
    force: bool = False


# What happens to a peer. Each is sent None.


@dataclass(frozen=True, slots=True)
class Kill:
    """End a peer at once (SIGKILL), its disk stays."""

    peer: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Ask a peer to end (SIGTERM), and wait until it has: it answers what is under way, and ends with 0."""

    peer: str


@dataclass(frozen=True, slots=True)
class Restart:
    """Start a peer that has ended on its old disk, and wait until it answers."""

    peer: str


@dataclass(frozen=True, slots=True)
class Start:
    """Start a peer that the scenario keeps back (its LATE), and wait until it answers."""

    peer: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Freeze a peer: it keeps its sockets and answers nobody."""

    peer: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Let a paused peer go on."""

    peer: str


# What happens to a Grape, grape-1 or grape-2. Each is sent None.


@dataclass(frozen=True, slots=True)
class KillGrape:
    """End a Grape at once; it forgets who has announced."""

    grape: str


@dataclass(frozen=True, slots=True)
class RestartGrape:
    """Start a killed Grape, empty and under a new node id; it takes a moment until it answers."""

    grape: str


# What happens around the peers: to the links between them, to their clocks and disks. Each is sent None.


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass. It says how long a fault lasts, and proves nothing: what must come about is waited for."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Crash:
    """End a peer at an exact point: around its next commit, amid what it says next, or at once with the power.

    Only a simulation can do it.

    A `torn` commit is on the disk or not; after a `failed write` it is not, and the peer ends by its own rule; what a
    power cut takes is any number of the last commits that were not forced to the disk.
    """

    peer: str
    point: Point


@dataclass(frozen=True, slots=True)
class Cut:
    """Let nothing more through from one peer to another; the other direction is another cut.

    Between real peers, one of the two may be a Grape. There a message may well pass while no answer comes back, but no
    new connection does: both directions belong to it.
    """

    sender: str
    receiver: str


@dataclass(frozen=True, slots=True)
class Mend:
    """Take back one cut of this direction."""

    sender: str
    receiver: str


@dataclass(frozen=True, slots=True)
class Weather:
    """How all links between peers are from here on: the chance that a message is lost or comes twice, and its delay.

    What is sent later may well arrive earlier: each message draws its own delay. Between real peers it is packets that
    are lost, which TCP sends again; nothing comes twice; and what goes over the same connection stays in order.
    """

    loss: float = 0.0
    duplication: float = 0.0
    soonest_s: float = 0.0002
    latest_s: float = 0.002


@dataclass(frozen=True, slots=True)
class Skew:
    """Set the clock of a peer's machine ahead of true time, or back; a running process never sees it go back."""

    peer: str
    ahead_s: float


@dataclass(frozen=True, slots=True)
class FillDisk:
    """Leave a peer no room on its disk: at its next write it ends itself. It counts as down from here."""

    peer: str


@dataclass(frozen=True, slots=True)
class FreeDisk:
    """Give a peer the room on its disk back; Restart starts it again."""

    peer: str


@dataclass(frozen=True, slots=True)
class Lie:
    """Let half of what a peer says to others be lies of these kinds, which its own key has not signed; or none more.

    Only a simulation can do it.
    """

    peer: str
    lies: tuple[Falsehood, ...] = ()


# What a scenario waits for: conditions, never a length of time. Each is sent None.


@dataclass(frozen=True, slots=True)
class Quiet:
    """Wait until all living peers know the same, and no fill is under way."""


@dataclass(frozen=True, slots=True)
class UntilTrades:
    """Wait until a peer has seen at least so many trades of an item."""

    peer: str
    item: str
    count: int


# What must be true, on every living peer. Each waits for quiet first, and is judged when the run is over.


@dataclass(frozen=True, slots=True)
class Expect:
    """Every living peer shows an order like this; what is left out may be anything."""

    order: Answer
    filled: str | None = None
    remaining: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class ExpectTrades:
    """Every living peer shows exactly these trades of an item, (quantity, price) each, in any order."""

    item: str
    trades: Sequence[Level]


@dataclass(frozen=True, slots=True)
class ExpectBook:
    """Every living peer shows exactly these open orders of an item, (quantity left, price) each, best first."""

    item: str
    buys: Sequence[Level] = ()
    sells: Sequence[Level] = ()


@dataclass(frozen=True, slots=True, init=False)
class Together:
    """Grant several wishes, or play several scripts, at the same time; sent back: the list of what came of each."""

    parts: tuple[Wish | Script, ...]

    def __init__(self, *parts: Wish | Script) -> None:
        object.__setattr__(self, "parts", parts)


Request: TypeAlias = Submit | Again | Cancel | Reduce | Replace | Show | Trades | Book | Evict
Strike: TypeAlias = Kill | Stop | Restart | Start | Pause | Resume
GrapeStrike: TypeAlias = KillGrape | RestartGrape
Torment: TypeAlias = Crash | Cut | Mend | Weather | Skew | FillDisk | FreeDisk | Lie
Fault: TypeAlias = Strike | GrapeStrike | Torment | Wait
Expectation: TypeAlias = Expect | ExpectTrades | ExpectBook
Wish: TypeAlias = Request | Fault | Quiet | UntilTrades | Expectation | Together
Script: TypeAlias = Generator[Wish, Any, Any]

STRIKES: tuple[type[Fault], ...] = (Kill, Stop, Restart, Start, Pause, Resume)
GRAPE_STRIKES: tuple[type[Fault], ...] = (KillGrape, RestartGrape)
TORMENTS: tuple[type[Fault], ...] = (Crash, Cut, Mend, Weather, Skew, FillDisk, FreeDisk, Lie)
FAULTS: tuple[type[Fault], ...] = (*STRIKES, *GRAPE_STRIKES, Wait, *TORMENTS)
