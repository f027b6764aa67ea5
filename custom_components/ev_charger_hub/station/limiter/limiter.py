"""The limiter of a station: what is wanted, durable, and made to hold."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..channel import Listener
from ..clock import CallLater, Clock, call_later as loop_call_later
from ..journal import Journal
from ..link import Limit
from ..model import ChargingStation
from ..outcome import Outcome
from ..profiles.model import CompositeSchedule, Purpose
from .learnt import Learnt

if TYPE_CHECKING:
    import asyncio

type Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]


@dataclass(kw_only=True, slots=True, frozen=True)
class Applied:
    """What a station accepted from us last, by which profile, and when.

    `limit` is as it was sent: in the unit that the station takes, rounded down.
    `purpose` and `profile_id` are None if a link limits without profiles. By
    `settled_at` the limit should be followed; at `expires_at` it ends by itself.
    """

    limit: Limit
    at: datetime
    settled_at: datetime
    purpose: Purpose | None = None
    profile_id: int | None = None
    expires_at: datetime | None = None


class Limiter:
    """What makes the limits of one station hold."""

    def __init__(
        self,
        station: ChargingStation,
        journal: Journal,
        clock: Clock,
        *,
        spawn: Spawn,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Serve a station; nothing is known until `load`."""
        self._station = station
        self._journal = journal
        self._clock = clock
        self._spawn = spawn
        self._call_later = call_later
        self._listeners: tuple[Listener, ...] = ()
        self.learnt = Learnt()
        """What this charger turned out to accept."""
        self.composites: dict[int, CompositeSchedule] = {}
        """What the station said last that its profiles come to, by EVSE."""
        station.limiter = self

    async def load(self) -> None:
        """Bring back what was wanted and learnt before a restart."""

    def close(self) -> None:
        """Let nothing happen any more."""

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` when `applied`, `composites` or `learnt` changed."""
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(one for one in self._listeners if one != listener)

        return unsubscribe

    def applied(self, evse_id: int) -> Applied | None:
        """Return what the station accepted from us last and holds, if anything."""
        return None

    def ignored(self, evse_id: int) -> None:
        """Take note that what was accepted is not followed, and try another way."""

    async def reassert(self) -> dict[int, Outcome]:
        """Make what is wanted hold again, by EVSE, where it does not; NotConnected."""
        return {}

    def clamp(self) -> None:
        """Lower what was wanted to a maximum current that is lower now."""

    async def request(
        self, evse_id: int, limit: Limit | None, *, duration: timedelta | None = None
    ) -> Outcome:
        """Make a limit hold at an EVSE (0: the station), or with None remove ours."""
        raise NotImplementedError

    async def request_phases(self, evse_id: int, phases: int | None) -> Outcome:
        """Charge with one or three phases; None leaves it to the station."""
        raise NotImplementedError

    async def pause(self, evse_id: int) -> Outcome:
        """Hold an open transaction at 0; the pause ends with it."""
        raise NotImplementedError

    async def resume(self, evse_id: int) -> Outcome:
        """Let the limit from before the pause hold again."""
        raise NotImplementedError
