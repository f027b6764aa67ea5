"""Channels: one observed value at one place, and who wants to know of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

type Listener = Callable[[], None]


@dataclass(slots=True)
class _Lent:
    """How a channel was before it was lent: what is older than `at` is history."""

    at: datetime | None
    filled: bool = False
    barred: datetime | None = None
    """What the first source says of the time before is history as well."""

    def makes_history(self, at: datetime) -> bool:
        """Return whether what the first source says of a moment is no news."""
        return any(at < one for one in (self.at, self.barred) if one is not None)


class Channel[T]:
    """A value, when it was last true and since when it is, and its listeners.

    Setting an equal value is free; a change calls every listener once. A value that
    is older than the present one is history and is refused. `urgent` channels
    (status, transactions) are shown at once, others with the next flush.

    Who sets it may lend it to a second source, which fills it until the first sets it
    again. Each has its own clock: what the second says makes no history of the first.

    A value is `outdated` that was kept some time before we were killed: it holds as a
    least value, and is not to be shown until it is told anew.
    """

    __slots__ = ("_lent", "_listeners", "at", "outdated", "since", "urgent", "value")

    def __init__(self, value: T, *, urgent: bool = False) -> None:
        """Start with a value that no listener has seen."""
        self.value = value
        self.at: datetime | None = None
        self.since: datetime | None = None
        self.urgent = urgent
        self.outdated = False
        self._lent: _Lent | None = None
        self._listeners: tuple[Listener, ...] = ()

    def set(self, value: T, at: datetime | None = None) -> bool:
        """Store a value that was true at `at`; return False if it is history."""
        if self._lent is not None and not self._take_back(at, self._lent):
            return False
        if at is not None:
            if self.at is not None and at < self.at:
                return False
            self.at = at
        self._become(value, at)
        return True

    @property
    def lent(self) -> bool:
        """Return whether the second source may fill it."""
        return self._lent is not None

    @property
    def filled(self) -> bool:
        """Return whether the value is the second source's."""
        return self._lent is not None and self._lent.filled

    def lend(self, *, anew: bool = False) -> None:
        """Let the second source fill it, until the first one sets it.

        With `anew` whatever the first one says then is news.
        """
        if self._lent is None:
            self._lent = _Lent(self.at)
        if anew:
            self._lent.at = self._lent.barred = None

    def fill(self, value: T, at: datetime) -> None:
        """Store a value of the second source, which knows that it is no history."""
        if self._lent is None:
            self._lent = _Lent(self.at)
        self._lent.filled = True
        self.at = at
        self._become(value, at)

    def bar(self, at: datetime) -> None:
        """Have it be history what the first source says of the time before, while lent."""
        if self._lent is not None:
            self._lent.barred = at

    def keep(self, value: T, at: datetime) -> None:
        """Store a least value, which does not make it less outdated."""
        self.value = value
        self.at = at

    def prove(self) -> bool:
        """Let a value be as good as told; return whether it was outdated."""
        was_outdated, self.outdated = self.outdated, False
        return was_outdated

    def withdraw(self, value: T) -> None:
        """Store what there is without the second source, if the value was its own."""
        if self._lent is not None and self._lent.filled:
            self._lent.filled = False
            self.at = self._lent.at
            self._become(value, None)

    def _take_back(self, at: datetime | None, lent: _Lent) -> bool:
        """Return whether the first source sets it again."""
        if at is not None and lent.makes_history(at):
            return False
        self.at, self._lent = lent.at, None
        return True

    def _become(self, value: T, at: datetime | None) -> None:
        if value != self.value or self.outdated:
            self.value = value
            self.since = at
            self.outdated = False
            self.notify()

    @property
    def followed(self) -> bool:
        """Return whether anybody wants to know."""
        return bool(self._listeners)

    def notify(self) -> None:
        """Tell every listener, because something inside the value changed."""
        for listener in self._listeners:
            listener()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` on every change; return what ends that."""
        self._listeners = (*self._listeners, listener)
        return partial(self.unsubscribe, listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Call `listener` no longer; once less if it was subscribed several times."""
        listeners = list(self._listeners)
        if listener in listeners:
            listeners.remove(listener)
            self._listeners = tuple(listeners)
