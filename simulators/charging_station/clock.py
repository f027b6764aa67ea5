"""The station's clock: it follows another one, and can be moved ahead of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def wall() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Return a moment as OCPP writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class VirtualClock:
    """A clock that is ahead of its base by what it was advanced."""

    def __init__(self, base: Callable[[], datetime] = wall) -> None:
        """Create a clock that agrees with its base."""
        self._base = base
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        """Return the present as the station sees it."""
        return self._base() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move ahead of the base by so much more."""
        self._ahead += timedelta(seconds=seconds)
