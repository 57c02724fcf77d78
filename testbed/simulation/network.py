"""The links between simulated peers: they delay, lose, repeat, overtake and can be cut, each direction by itself.

The rule: what is carried is text, read anew on each arrival, and each envelope ends at its sender in exactly one answer
or failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random

from testbed.script import Weather
from testbed.simulation.recorder import Flight, Recorder
from testbed.simulation.virtual_time import Agenda

FAIR = Weather()


class Network:
    """All links. `seen` counts what befell the messages, `recorder` is told of each."""

    def __init__(self, agenda: Agenda, dice: Random, seen: Counter[str], recorder: Recorder) -> None:
        self.weather = FAIR
        self._agenda = agenda
        self._dice = dice
        self._seen = seen
        self._recorder = recorder
        self._cut: Counter[tuple[str, str]] = Counter()
        self._last_arrival: dict[tuple[str, str], float] = {}

    def cut(self, sender: str, receiver: str) -> None:
        """Let nothing more through in one direction."""
        self._cut[sender, receiver] += 1

    def mend(self, sender: str, receiver: str) -> None:
        """Take back one cut of this direction."""
        self._cut[sender, receiver] -= 1

    def carry(self, sender: str, receiver: str, arrive: Callable[[], None], text: str) -> None:
        """Take one message to the other end, or lose it, or deliver it twice; `text` is what it says."""
        weather, dice = self.weather, self._dice
        copies = 1
        if weather.duplication and dice.random() < weather.duplication:
            self._seen["messages repeated"] += 1
            copies = 2
        for _ in range(copies):
            flight = self._recorder.sent(sender, receiver, text, self._agenda.now)
            if weather.loss and dice.random() < weather.loss:
                self._seen["messages lost"] += 1
                flight.end("lost", self._agenda.now)
            else:
                delay_s = weather.soonest_s + (weather.latest_s - weather.soonest_s) * dice.random()
                self._note_arrival((sender, receiver), self._agenda.now + delay_s)
                self._agenda.after(delay_s, partial(self._deliver, flight, arrive))

    def _note_arrival(self, link: tuple[str, str], at: float) -> None:
        if at < self._last_arrival.get(link, 0.0):
            self._seen["messages overtaken"] += 1
        else:
            self._last_arrival[link] = at

    def _deliver(self, flight: Flight, arrive: Callable[[], None]) -> None:
        # A cut link also swallows what was on its way.
        if self._cut[flight.sender, flight.receiver] > 0:
            self._seen["messages cut off"] += 1
            flight.end("cut off", self._agenda.now)
        else:
            flight.end("arrived", self._agenda.now)
            arrive()
