"""Limit watch: what a charger reports of limits, told to whoever keeps them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from ..station.clock import Timer
from ..station.model import ChargingStation
from .enums import OpMode, PhaseMode
from .ids import ChargerId
from .limits import LISTENS_TO, known_limits, lasting_limits
from .link import EVSE, EaseeLink
from .readings import Observation, Readings
from .timing import Time

TOGETHER: Final = 1.0
"""Seconds within which readings that belong together are here."""

SETTLED: Final = 2.0
"""Seconds after which a dynamic current stands that is not on its way to another."""

LATE: Final = 75.0
"""Seconds after which what we wrote is reported, even if the stream is down."""

RESET: Final = timedelta(seconds=60)
"""How long after a vehicle was plugged in, or the charger is back, it may have reset it."""

_PHASES: Final = {
    PhaseMode.SINGLE_PHASE: 1,
    PhaseMode.THREE_PHASES: 3,
    PhaseMode.AUTOMATIC: None,
}
_AWAY: Final = frozenset({OpMode.OFFLINE, OpMode.LINK_LOST})


class LimitWatch:
    """Follows the limits of one charger, until `close`."""

    def __init__(
        self,
        station: ChargingStation,
        link: EaseeLink,
        readings: Readings,
        time: Time,
    ) -> None:
        """Have the limits of `station` made to hold by `link`."""
        self._station = station
        self._link = link
        self._readings = readings
        self._time = time
        self._mode: OpMode | None = None
        self._reset_at: datetime | None = None
        """When something happened at which the charger forgets its dynamic current."""
        self._rebooted: datetime | None = None
        """When the charger last told why it had rebooted, by its own clock."""
        self._missed = False
        """Whether something was reported while we were writing."""
        self._untold = False
        """Whether limits were reported while we interrupted charging for a moment."""
        self._timers: dict[Callable[[], None], tuple[datetime, Timer]] = {}
        station.evse(EVSE)
        link.serve(station)
        self._unsubscribes = [
            readings.on_reading(self._read),
            station.remote.subscribe(self._remote_changed),
            station.local.subscribe(self._local_changed),
            link.current.writing.subscribe(self._written),
        ]
        if (limiter := station.limiter) is not None:
            self._unsubscribes.append(limiter.on_change(partial(self._soon, LATE)))
        self._tell()
        self._phases_told()

    def close(self, *, comes_back: bool = False) -> None:
        """Follow nothing any more; what is told nowhere else limits no longer.

        Unless it `comes_back`, with the next start.
        """
        for unsubscribe in self._unsubscribes:
            unsubscribe()
        self._unsubscribes.clear()
        for _, timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if not comes_back:
            self._station.evse(EVSE).known_limits.set({})

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something in so many seconds, unless it is done before."""
        due = self._time() + timedelta(seconds=seconds)
        if (pending := self._timers.get(act)) is not None:
            if pending[0] <= due:
                return
            pending[1].cancel()

        def ring() -> None:
            self._timers.pop(act, None)
            act()

        self._timers[act] = due, self._time.call_later(seconds, ring)

    def _soon(self, seconds: float = SETTLED) -> None:
        self._after(seconds, self._compare)

    # What is reported

    def _read(self, observation: Observation) -> None:
        if observation.id in LISTENS_TO:
            self._after(TOGETHER, self._tell)
        match observation.id:
            case ChargerId.CHARGER_OP_MODE:
                self._mode_changed()
                self._soon()
            case ChargerId.DYNAMIC_CHARGER_CURRENT:
                self._soon()
            case ChargerId.REBOOT_REASON:
                self._reboot_told(observation.at)
            case ChargerId.PHASE_MODE:
                self._phases_told()

    def _reboot_told(self, at: datetime) -> None:
        """Take note of a reboot, once: whoever asks is told of it again and again."""
        if self._rebooted is None or at > self._rebooted:
            self._rebooted, self._reset_at = at, self._time()

    def _mode_changed(self) -> None:
        mode = OpMode.of(self._readings.value(ChargerId.CHARGER_OP_MODE))
        before, self._mode = self._mode, mode
        if mode is before or before is None:
            return
        if before is OpMode.DISCONNECTED or before in _AWAY:
            self._reset_at = self._time()

    def _remote_changed(self) -> None:
        if self._station.remote.value:
            self._reset_at = self._time()
            self._soon()
        self._after(TOGETHER, self._tell)

    def _local_changed(self) -> None:
        if not self._station.remote.value:
            self._after(TOGETHER, self._tell)

    def _written(self) -> None:
        if self._link.current.writing.value:
            return
        if self._missed:
            self._missed = False
            self._soon()
        if self._untold:
            self._untold = False
            self._after(TOGETHER, self._tell)

    def _tell(self) -> None:
        if self._link.current.interrupting:
            # What is reported now is nobody's limit.
            self._untold = True
            return
        station = self._station
        # Who goes on by another way may do so with other limits.
        silent = station.local.value and not station.remote.value
        known = lasting_limits if silent else known_limits
        station.evse(EVSE).known_limits.set(known(self._readings))

    def _phases_told(self) -> None:
        mode = PhaseMode.of(self._readings.value(ChargerId.PHASE_MODE))
        if (limiter := self._station.limiter) is not None and mode is not None:
            limiter.reported.phases_told(EVSE, _PHASES[mode])

    # What follows from it

    def _compare(self) -> None:
        """Have the limit made to hold again that does not."""
        limiter = self._station.limiter
        if limiter is None:
            return
        if self._link.current.writing.value:
            self._missed = True
            return
        if not (self._station.remote.value and self._link.connected):
            # What is wanted is compared with what holds when the charger is back.
            return
        if limiter.reported.started(EVSE, charging=self._mode is OpMode.CHARGING):
            return
        refusals = self._link.current.refusals
        if limiter.reported.as_wanted(EVSE):
            refusals.forget()
            return
        reset = self._reset_at
        natural = reset is not None and self._time() - reset <= RESET
        self._reset_at = None
        # After a vehicle was plugged in, or a restart, it may be taken.
        if not natural and (wait := refusals.wait) > 0:
            self._soon(wait)
            return
        limiter.reported.lost(EVSE, natural=natural)
        # It may be lost once more, or what is sent now may never get there.
        self._soon(LATE)
