"""Readings: what a product of the Easee cloud reports, each with its own time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ..station.channel import Channel

type Value = bool | float | int | str
type OnReading = Callable[["Observation"], None]


@dataclass(kw_only=True, slots=True, frozen=True)
class Observation:
    """One value that a product reported at `at`, by the product's own time."""

    serial: str
    id: int
    value: Value
    at: datetime


class Readings:
    """What one product reports: the newest value of each observation.

    Older values than the one that is known are history and change nothing (A2).
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._channels: dict[int, Channel[Value | None]] = {}
        self._growth: tuple[Callable[[], None], ...] = ()
        self._listeners: tuple[OnReading, ...] = ()

    def __contains__(self, number: int) -> bool:
        """Return whether an observation was ever reported."""
        return self.value(number) is not None

    def __iter__(self) -> Iterator[tuple[int, Channel[Value | None]]]:
        """Iterate over what was reported, by number."""
        known = ((one, self._channels[one]) for one in sorted(self._channels))
        return (pair for pair in known if pair[1].value is not None)

    def channel(self, number: int) -> Channel[Value | None]:
        """Return the channel of an observation; its value is None until it comes."""
        if (channel := self._channels.get(number)) is None:
            channel = self._channels[number] = Channel(None, urgent=True)
        return channel

    def value(self, number: int) -> Value | None:
        """Return the newest value of an observation, None if there was none."""
        channel = self._channels.get(number)
        return None if channel is None else channel.value

    def number(self, number: int) -> float | None:
        """Return the newest value of an observation if it is a number."""
        value = self.value(number)
        return value if isinstance(value, int | float) else None

    def flag(self, number: int) -> bool | None:
        """Return the newest value of an observation as yes or no, None if unknown."""
        value = self.value(number)
        return None if value is None or isinstance(value, str) else bool(value)

    def text(self, number: int) -> str | None:
        """Return the newest value of an observation if it is a text."""
        value = self.value(number)
        return value if isinstance(value, str) else None

    def take(self, observation: Observation) -> bool:
        """Take an observation in; return False if it is history.

        The same value at a newer time is news for those who follow every reading.
        """
        channel = self.channel(observation.id)
        new = channel.value is None
        if not channel.set(observation.value, observation.at):
            return False
        if new:
            for grown in self._growth:
                grown()
        for listener in self._listeners:
            listener(observation)
        return True

    def on_growth(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when something comes for the first time; return what ends it."""
        self._growth = (*self._growth, listener)
        return partial(self._off_growth, listener)

    def _off_growth(self, listener: Callable[[], None]) -> None:
        self._growth = tuple(one for one in self._growth if one != listener)

    def on_reading(self, listener: OnReading) -> Callable[[], None]:
        """Call `listener` for all that is not history; return what ends that."""
        self._listeners = (*self._listeners, listener)
        return partial(self._off_reading, listener)

    def _off_reading(self, listener: OnReading) -> None:
        self._listeners = tuple(one for one in self._listeners if one != listener)
