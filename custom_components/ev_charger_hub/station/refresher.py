"""Refresher: readings of a station that somebody looks at and it does not tell itself."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from .clock import CallLater, Timer, call_later as loop_call_later
from .errors import NotConnected, NotSupported
from .link import Capability
from .model import ChargingStation
from .monitoring import PERIODIC, TARGETS, MonitorType
from .secrets import shortened
from .variables import DeviceVariable, Kind

INTERVAL: Final = 300.0
"""Seconds after which readings are asked for again."""

MAX_READINGS: Final = 20

_TELLING: Final = PERIODIC | TARGETS | {MonitorType.DELTA}
"""The monitors by which a station tells of a value again and again."""

type Spawn = Callable[[Coroutine[Any, Any, None], str], object]


class Refresher:
    """Asks for readings that are shown, while the station is there (2.0.1 B06)."""

    def __init__(
        self,
        station: ChargingStation,
        spawn: Spawn,
        *,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Follow a station, until `close`."""
        self._station = station
        self._spawn = spawn
        self._call_later = call_later
        self._timer: Timer | None = None
        self._unsubscribe = station.local.subscribe(self._came_or_went)
        self._came_or_went()

    def close(self) -> None:
        """Ask for nothing any more."""
        self._unsubscribe()
        self._cancel()

    def _came_or_went(self) -> None:
        self._cancel()
        if self._station.local.value:
            self._timer = self._call_later(INTERVAL, self._due)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = self._call_later(INTERVAL, self._due)
        told = self._told
        names = [
            one.address for one in self._station.variables if self._wanted(one, told)
        ]
        if names and not self._station.settings.quiet:
            name = f"readings of {shortened(self._station.identity)}"
            self._spawn(self._ask(names[:MAX_READINGS]), name)

    def _wanted(self, variable: DeviceVariable, told: set[str]) -> bool:
        """Return whether somebody looks at a reading that would not come by itself."""
        if variable.kind is not Kind.READING:
            return False
        if not self._station.variables.channel(variable.name).followed:
            return False
        return not (variable.measures_temperature and variable.key in told)

    @property
    def _told(self) -> set[str]:
        """Return the variables that the station tells of by itself."""
        try:
            monitoring = self._station.link(Capability.MONITORING).monitoring
        except NotConnected, NotSupported:
            return set()
        return {
            one.variable.lower()
            for one in (monitoring.known_monitors if monitoring is not None else ())
            if one.type in _TELLING and not one.transaction
        }

    async def _ask(self, names: list[str]) -> None:
        try:
            link = self._station.link(Capability.CONFIGURATION)
            # The link tells the model of what it reads.
            await link.get_configuration(names)
        except NotConnected, NotSupported:
            return
