"""A whole run, drawn from one number: how many peers, who orders what, what goes wrong and for how long.

Torture of real peers draws its rounds with the same dice, at a pace of their own.

The rule: each seed first draws which kinds of orders and faults it has at all, and how many (a swarm): a few together,
each often, find more than all together, each rarely. And a fault lasts: what heals at once tests nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from random import Random
from typing import get_args

from testbed.catalog import Scenario
from testbed.script import GRAPES, LIES, Lasts, Point, Prevention, Script, Weather
from testbed.simulation import rarities
from testbed.simulation.steps import (
    Down,
    Frozen,
    GrapeDown,
    Joined,
    Lessen,
    Look,
    Lost,
    Lying,
    Order,
    Parted,
    Renew,
    Repeat,
    Skewed,
    Step,
    Storm,
    Withdraw,
    in_time,
    played,
)

ITEMS = ("ACME", "GRPE", "VINE")
# Traded by those alone who fill or kill it, and in how many runs.
WHOLE, WHOLES = "WHOLE", 0.3
MIN_PEERS, MAX_PEERS = 2, 7
WIDEST = 5
# In how many of the runs of three peers or more one is lost for good.
LOSSES = 0.25
SNAPSHOT_EVERY = (8, 40)
# Below and above what a peer takes for a wild clock (5 s).
SMALL_SKEW_S, LARGE_SKEW_S = 1.0, 9.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a run and its faults last, in seconds from the least to the most, and how many orders it has.

    `rest_s` is how long a peer is left alone after it was hurt, `chance` that of a kind of fault to occur in a run;
    `is_exact` says whether a peer can be ended at an exact point of its work, and a message be repeated.
    """

    lasts_s: tuple[float, ...]
    orders: tuple[int, int]
    down_s: tuple[float, float]
    frozen_s: tuple[float, float]
    parted_s: tuple[float, float]
    storm_s: tuple[float, float]
    skewed_s: tuple[float, float]
    rest_s: float
    chance: float
    is_exact: bool


SIMULATED = Pace((1.0, 2.0, 4.0), (5, 60), (0.02, 3.0), (0.05, 4.0), (0.1, 4.0), (0.5, 4.0), (0.5, 5.0), 0.1, 0.4, True)


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that can be played: its seed also gives the dice of the world it is played in.

    Peers sum up their ledgers every so many entries, and tell each other at most so many at once, or as many as is
    their own default.
    """

    seed: int
    peers: int
    steps: tuple[Step, ...]
    snapshot_every: int | None = None
    max_batch: int | None = None

    @property
    def late(self) -> tuple[str, ...]:
        """The peers that join later; one whose joining was left out is there from the beginning."""
        return tuple(step.peer for step in self.steps if isinstance(step, Joined))

    def scenario(self, name: str = "") -> Scenario:
        """Return this plan as a scenario."""

        def script() -> Script:
            yield from played(self.steps)

        title = f"Seed {self.seed}: {len(self.steps)} steps on {self.peers} peers."
        names = tuple(f"peer-{number}" for number in range(1, self.peers + 1))
        again = f"make replay SEED={self.seed}"
        name, bounds = name or f"seed_{self.seed}", (self.snapshot_every, self.max_batch)
        return Scenario(name, title, names, self.late, script, self.seed, again, *bounds)


class Swarm:
    """The dice of one run, and what they have given about the whole of it; who the peers are, if not said.

    `apart` is the dice of what few runs have.
    """

    def __init__(self, seed: str, peers: Sequence[str] = (), pace: Pace = SIMULATED) -> None:
        self.dice = dice = Random(seed)
        self.apart = Random(f"{seed}, apart")
        self.pace = pace
        count = len(peers) or rarities.crowd(self.apart, self.between(MIN_PEERS, MAX_PEERS, skewed=True))
        self.peers = list(peers) or [f"peer-{number}" for number in range(1, count + 1)]
        self.items = ITEMS[: dice.randint(1, len(ITEMS))]
        self.lasts_s = dice.choice(pace.lasts_s)
        self.width = dice.randint(0, WIDEST)
        self.largest = dice.choice([1, 3, 10, 100])
        # How many orders only take, only make, and are not to meet their own client's.
        self.hasty, self.careful, self.wary = (dice.choice([0.0, 0.0, 0.2, 0.5]) for _ in range(3))
        self.ordered: list[float] = []
        self.busy = {peer: 0.0 for peer in self.peers}

    def between(self, low: int, high: int, *, skewed: bool = False) -> int:
        """Draw a whole number; the small ones more often if `skewed`."""
        return min(self.dice.randint(low, high) for _ in range(2 if skewed else 1))

    def moment(self) -> float:
        """Draw when something happens."""
        return self.rounded(self.dice.uniform(0.0, self.lasts_s))

    def fatal_moment(self) -> float:
        """Draw when a peer is hurt: half of the time amid what an order sets off."""
        if self.dice.random() < 0.5:
            return self.moment()
        return self.rounded(self.dice.choice(self.ordered) + self.dice.uniform(0.0, 0.03))

    def while_(self, least_s: float, most_s: float) -> float:
        """Draw how long something lasts."""
        return self.rounded(self.dice.uniform(least_s, most_s))

    def rounded(self, seconds: float) -> float:
        """Keep times short enough to be read."""
        return round(seconds, 4)

    def peer(self) -> str:
        """Draw a peer."""
        return self.dice.choice(self.peers)


def draw(seed: int) -> Plan:
    """Return the run of a seed, always the same."""
    swarm = Swarm(f"plan {seed}")
    # From a dice of its own: whatever else is drawn, a seed sums up as it always did.
    apart = Random(f"snapshots {seed}")
    snapshot_every = apart.randint(*SNAPSHOT_EVERY) if apart.random() < 1 / 3 else None
    steps = steps_of(swarm, is_whole=True)
    return Plan(seed, len(swarm.peers), steps, snapshot_every, rarities.max_batch(swarm.apart))


def steps_of(swarm: Swarm, *, is_whole: bool) -> tuple[Step, ...]:
    """Draw the steps of a run, or of a round of one, in the order in which they begin.

    Only in a whole run, on peers of its own, some may come later, and one may be lost for good.
    """
    steps = list(_orders(swarm))
    if is_whole:
        steps += [*_joins(swarm), *_losses(swarm)]
        if swarm.dice.random() < WHOLES:
            steps += _wholes(swarm)
    for kind in _FAULTS:
        if swarm.dice.random() < swarm.pace.chance:
            steps += kind(swarm)
    steps += rarities.strays(swarm.apart, [step for step in steps if isinstance(step, Order)], swarm.peers)
    if is_whole:
        steps += rarities.silence(swarm.apart, steps, swarm.busy, swarm.lasts_s)
    return tuple(in_time(steps))


def _orders(swarm: Swarm) -> Iterator[Step]:
    dice = swarm.dice
    repeats, cancels, reductions, renewals = (dice.choice([0.0, 0.1, 0.3]) for _ in range(4))
    bursts = dice.random() < 0.5
    burst_at = swarm.moment()
    for number in range(1, swarm.between(*swarm.pace.orders) + 1):
        if number % 8 == 0:
            burst_at = swarm.moment()
        order = _order(swarm, f"order-{number}", burst_at if bursts else swarm.moment())
        yield order
        swarm.ordered.append(order.at_s)
        if dice.random() < repeats:
            yield Repeat(_later(swarm, order), order.label)
        if dice.random() < cancels:
            yield Withdraw(_later(swarm, order), order.label)
        if dice.random() < reductions:
            yield Lessen(_later(swarm, order), order.label, str(dice.randint(1, swarm.largest)))
        if dice.random() < renewals:
            by = _order(swarm, order.label, order.at_s).submit()
            yield Renew(_later(swarm, order), order.label, replace(by, peer=order.peer))
        if dice.random() < 0.1:
            yield Look(_later(swarm, order), swarm.peer(), order.item)


def _order(swarm: Swarm, label: str, at_s: float) -> Order:
    dice = swarm.dice
    quantity = str(dice.randint(1, swarm.largest))
    if dice.random() < 0.1:
        quantity += ".00000001"
    price = str(100 + dice.randint(-swarm.width, swarm.width))
    order = Order(at_s, label, swarm.peer(), dice.choice(["buy", "sell"]), quantity, dice.choice(swarm.items), price)
    return _with_terms(swarm, order)


def _with_terms(swarm: Swarm, order: Order) -> Order:
    dice = swarm.dice
    if dice.random() < swarm.hasty:
        lasts: Lasts = dice.choice(["IOC", "FOK", "FOK"])
        # Late enough to find a book to take from.
        at_s = swarm.rounded(order.at_s + swarm.lasts_s / 2)
        order = replace(order, at_s=at_s, time_in_force=lasts, price=order.price if dice.random() < 0.6 else None)
    elif dice.random() < swarm.careful:
        order = replace(order, post_only=True)
    if dice.random() < swarm.wary:
        modes: tuple[Prevention, ...] = get_args(Prevention) if order.time_in_force != "FOK" else ("CANCEL_NEWEST",)
        order = replace(order, prevent=dice.choice(modes))
    # Few clients, or nobody would ever meet himself.
    return replace(order, client=dice.choice(["anna", "bert"])) if swarm.wary else order


def _wholes(swarm: Swarm) -> Iterator[Step]:
    """Offer something at several peers, want the whole of it elsewhere, and hurt who holds it while others are slow."""
    dice = swarm.dice
    for number in range(swarm.between(1, 3)):
        free = [peer for peer in swarm.peers if not swarm.busy[peer]]
        if len(free) < 3:
            return
        holder, slow, taker = dice.sample(free, 3)
        at_s, label = swarm.moment(), f"whole-{number}"
        for peer in (holder, slow):
            yield Order(at_s, f"{label} at {peer}", peer, "sell", "2", WHOLE, "100")
        wanted_s = swarm.rounded(at_s + 0.5)
        yield Order(wanted_s, label, taker, "buy", dice.choice(["3", "4"]), WHOLE, "100", "FOK")
        hurt = dice.choice([holder, taker])
        slow_for_s, down_for_s = swarm.while_(0.1, 1.5), swarm.while_(0.02, 0.5)
        swarm.busy[slow] = swarm.busy[hurt] = wanted_s + slow_for_s + down_for_s + swarm.pace.rest_s
        yield Frozen(swarm.rounded(wanted_s - 0.002), slow_for_s, slow)
        if dice.random() < 0.7:
            yield Down(swarm.rounded(wanted_s + dice.uniform(0.002, slow_for_s)), down_for_s, hurt)


def _later(swarm: Swarm, order: Order) -> float:
    # Half of them at once, so that they meet the order's own fills; the others whenever.
    soon = swarm.dice.random() < 0.5
    return swarm.rounded(order.at_s + (swarm.dice.uniform(0.001, 0.02) if soon else swarm.moment()))


def _joins(swarm: Swarm) -> Iterator[Step]:
    """Let some peers come later, but never so many that fewer than two begin."""
    if swarm.dice.random() < 0.3 and len(swarm.peers) > 2:
        for peer in swarm.dice.sample(swarm.peers, swarm.between(1, len(swarm.peers) - 2, skewed=True)):
            at_s = swarm.moment()
            swarm.busy[peer] = at_s + 0.1
            yield Joined(at_s, peer)


def _downs(swarm: Swarm) -> Iterator[Step]:
    points: list[Point | None] = [None, *get_args(Point)] if swarm.pace.is_exact else [None]
    chosen = swarm.dice.sample(points, swarm.dice.randint(1, len(points)))
    for at_s, for_s, peer in _free(swarm, swarm.between(1, 8), *swarm.pace.down_s):
        yield Down(at_s, for_s, peer, swarm.dice.choice(chosen))


def _losses(swarm: Swarm) -> Iterator[Step]:
    # One at most, and before all else that can befall a peer: nothing heals it again.
    dice = swarm.dice
    there = [peer for peer in swarm.peers if not swarm.busy[peer]]
    if min(len(swarm.peers), len(there) + 1) < 3 or dice.random() >= LOSSES:
        return
    lost, asked = dice.sample(there, 2)
    swarm.busy[lost] = inf
    point: Point | None = dice.choice([None, None, *get_args(Point)])
    returns, force = dice.random() < 0.4, dice.random() < 0.3
    if dice.random() < 0.5:
        # Evicted at once, when what it said last has been heard by some and relayed by none.
        deaf = dice.choice([peer for peer in there if peer != lost])
        yield Lost(swarm.moment(), swarm.while_(0.0, 0.1), lost, asked, returns, force, None, deaf)
    else:
        yield Lost(swarm.moment(), swarm.while_(0.1, 4.0), lost, asked, returns, force, point)


def _freezes(swarm: Swarm) -> Iterator[Step]:
    for at_s, for_s, peer in _free(swarm, swarm.between(1, 4), *swarm.pace.frozen_s):
        yield Frozen(at_s, for_s, peer)


def _free(swarm: Swarm, count: int, least_s: float, most_s: float) -> Iterator[tuple[float, float, str]]:
    """Draw when and for how long peers are hurt, none of them twice at the same time."""
    for at_s in sorted(swarm.fatal_moment() for _ in range(count)):
        peer, for_s = swarm.peer(), swarm.while_(least_s, most_s)
        if at_s >= swarm.busy[peer]:
            swarm.busy[peer] = at_s + for_s + swarm.pace.rest_s
            yield at_s, for_s, peer


def _cuts(swarm: Swarm) -> Iterator[Step]:
    for _ in range(swarm.between(1, 5)):
        shuffled = swarm.dice.sample(swarm.peers, len(swarm.peers))
        border = swarm.dice.randint(1, len(shuffled) - 1)
        one_side, other_side = tuple(shuffled[:border]), tuple(shuffled[border:])
        if swarm.dice.random() < 0.3:
            one_side, other_side = one_side[:1], other_side[:1]
        yield Parted(
            swarm.moment(), swarm.while_(*swarm.pace.parted_s), one_side, other_side, swarm.dice.random() < 0.5
        )


def _storms(swarm: Swarm) -> Iterator[Step]:
    dice, at_s = swarm.dice, 0.0
    for _ in range(swarm.between(1, 3)):
        at_s, for_s = swarm.rounded(at_s + swarm.moment() / 2), swarm.while_(*swarm.pace.storm_s)
        soonest_s = dice.choice([0.0002, 0.002, 0.05])
        latest_s = soonest_s * dice.choice([2, 10, 50])
        loss = dice.choice([0.0, 0.05, 0.3])
        duplication = dice.choice([0.0, 0.05, 0.5]) if swarm.pace.is_exact else 0.0
        yield Storm(at_s, for_s, Weather(loss, duplication, soonest_s, round(min(latest_s, 0.5), 4)))
        at_s += for_s


def _skews(swarm: Swarm) -> Iterator[Step]:
    for peer in swarm.dice.sample(swarm.peers, swarm.between(1, len(swarm.peers))):
        bound_s = swarm.dice.choice([SMALL_SKEW_S, LARGE_SKEW_S])
        ahead_s = swarm.rounded(swarm.dice.uniform(-bound_s, bound_s))
        yield Skewed(swarm.rounded(swarm.moment() / 2), swarm.while_(*swarm.pace.skewed_s), peer, ahead_s)


def _lies(swarm: Swarm) -> Iterator[Step]:
    for peer in swarm.dice.sample(swarm.peers, swarm.between(1, len(swarm.peers) - 1, skewed=True)):
        lies = tuple(swarm.dice.sample(LIES, swarm.between(1, len(LIES))))
        yield Lying(swarm.moment(), swarm.while_(0.5, 4.0), peer, lies)


def _grape_downs(swarm: Swarm) -> Iterator[Step]:
    for grape in swarm.dice.sample(GRAPES, swarm.between(1, len(GRAPES))):
        yield GrapeDown(swarm.moment(), swarm.while_(*swarm.pace.down_s), grape)


_FAULTS: tuple[Callable[[Swarm], Iterator[Step]], ...] = (
    _downs,
    _freezes,
    _cuts,
    _storms,
    _skews,
    _lies,
    _grape_downs,
)
