"""Channels: one observed value at one place, and who wants to know of it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

type Listener = Callable[[], None]


class Channel[T]:
    """A value, when it was last true and since when it is, and its listeners.

    Setting an equal value is free; a change calls every listener once. A value that
    is older than the present one is history and is refused. `urgent` channels
    (status, transactions) are shown at once, others with the next flush.
    """

    __slots__ = ("_listeners", "at", "since", "urgent", "value")

    def __init__(self, value: T, *, urgent: bool = False) -> None:
        """Start with a value that no listener has seen."""
        self.value = value
        self.at: datetime | None = None
        self.since: datetime | None = None
        self.urgent = urgent
        self._listeners: tuple[Listener, ...] = ()

    def set(self, value: T, at: datetime | None = None) -> bool:
        """Store a value that was true at `at`; return False if it is history."""
        if at is not None:
            if self.at is not None and at < self.at:
                return False
            self.at = at
        if value != self.value:
            self.value = value
            self.since = at
            self.notify()
        return True

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
        """Call `listener` no longer."""
        self._listeners = tuple(one for one in self._listeners if one != listener)
