"""Free charging: a vehicle that is plugged in charges, whoever it belongs to."""

from collections.abc import Callable, Coroutine
from functools import partial
import logging
from typing import Any, Final

from .clock import CallLater, Timer, call_later as loop_call_later
from .enums import ConnectorStatus
from .errors import NotConnected, NotSupported
from .link import Capability
from .model import ChargingStation, Evse
from .secrets import shortened

_LOGGER = logging.getLogger(__name__)

DELAY: Final = 10.0
"""Seconds that a station, or a card, has to start by itself."""

_PLUGGED_IN: Final = frozenset({ConnectorStatus.PREPARING, ConnectorStatus.OCCUPIED})

type Spawn = Callable[[Coroutine[Any, Any, None], str], object]


class FreeCharging:
    """Starts what is plugged in at a station where everybody may charge.

    Once for each time: a vehicle that was stopped stays stopped until it was away.
    """

    def __init__(
        self,
        station: ChargingStation,
        id_token: str,
        *,
        spawn: Spawn,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Follow the EVSEs of a station, to start them with `id_token`."""
        self._station = station
        self._id_token = id_token
        self._spawn = spawn
        self._call_later = call_later
        self._before: dict[int, ConnectorStatus | None] = {}
        self._timers: dict[int, Timer] = {}
        self._unsubscribes = [station.on_growth(self._follow)]
        self._follow()

    def close(self) -> None:
        """Start nothing any more."""
        for unsubscribe in self._unsubscribes:
            unsubscribe()
        for evse_id in tuple(self._timers):
            self._cancel(evse_id)

    def _follow(self) -> None:
        """Follow the EVSEs that are new."""
        for evse in self._station.evses.values():
            if evse.id not in self._before:
                self._before[evse.id] = evse.status.value
                self._unsubscribes.append(
                    evse.status.subscribe(partial(self._changed, evse))
                )

    def _changed(self, evse: Evse) -> None:
        """See whether a vehicle was plugged in."""
        before, now = self._before[evse.id], evse.status.value
        self._before[evse.id] = now
        if now not in _PLUGGED_IN:
            self._cancel(evse.id)
        elif before is ConnectorStatus.AVAILABLE:
            self._cancel(evse.id)
            self._timers[evse.id] = self._call_later(DELAY, partial(self._due, evse))

    def _due(self, evse: Evse) -> None:
        """Start what still waits, if everybody may charge."""
        self._cancel(evse.id)
        if self._station.settings.free_charging and evse.transaction is None:
            self._spawn(
                self._start(evse),
                f"free charging of {shortened(self._station.identity)}",
            )

    async def _start(self, evse: Evse) -> None:
        """Ask the station to start (OCPP 1.6 5.11)."""
        name = shortened(self._station.identity)
        try:
            link = self._station.link(Capability.START_STOP)
            outcome = await link.start_charging(evse.id, self._id_token)
        except NotConnected, NotSupported:
            _LOGGER.info("%s: cannot be started for free charging", name)
            return
        if not outcome.ok:
            _LOGGER.info("%s: refused free charging: %s", name, outcome.status)

    def _cancel(self, evse_id: int) -> None:
        if (timer := self._timers.pop(evse_id, None)) is not None:
            timer.cancel()
