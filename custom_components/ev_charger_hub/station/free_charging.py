"""Free charging: a vehicle that is plugged in charges, whoever it belongs to."""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
import logging
from typing import Any, Final

from .clock import CallLater, Clock, Timer, call_later as loop_call_later
from .enums import ConnectorStatus
from .errors import NotConnected, NotSupported, UpdateRunning
from .firmware import Blocked
from .link import Capability, LinkKind
from .model import ChargingStation, Evse
from .outcome import OutcomeStatus
from .secrets import shortened
from .ways import carry

_LOGGER = logging.getLogger(__name__)

DELAY: Final = 10.0
"""Seconds that a station, or a card, has to start by itself."""

CARD: Final = timedelta(minutes=2)
"""So long a station may wait for the vehicle of somebody who presented a card."""

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
        clock: Clock,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Follow the EVSEs of a station, to start them with `id_token`."""
        self._station = station
        self._id_token = id_token
        self._spawn = spawn
        self._clock = clock
        self._call_later = call_later
        self._before: dict[int, ConnectorStatus | None] = {}
        self._timers: dict[int, Timer] = {}
        self._missed: set[int] = set()
        """The EVSEs whose turn came while the station was away."""
        self._unsubscribes = [
            station.on_growth(self._follow),
            station.way.subscribe(self._came_or_went),
        ]
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
        elif before is ConnectorStatus.AVAILABLE and self._free:
            self._wait(evse, DELAY, since=self._clock())

    def _came_or_went(self) -> None:
        """Make up for what was due while the station was away."""
        if self._station.way.value is None:
            return
        for evse_id in tuple(self._missed):
            # Until then it tells whether the vehicle is still there.
            self._wait(self._station.evses[evse_id], DELAY, since=self._clock())

    @property
    def _free(self) -> bool:
        """Return whether everybody may charge."""
        return self._station.settings.free_charging

    def _wait(self, evse: Evse, delay: float, since: datetime) -> None:
        """Let it be an EVSE's turn later; a vehicle waits there `since` then."""
        self._cancel(evse.id)
        self._timers[evse.id] = self._call_later(delay, partial(self._due, evse, since))

    def _due(self, evse: Evse, since: datetime) -> None:
        """Start what still waits, if everybody may charge."""
        self._cancel(evse.id)
        if not self._free or evse.transaction is not None:
            return
        if (left := self._left_to_card(since)) > 0:
            self._wait(evse, left, since)
            return
        self._spawn(
            self._start(evse, since),
            f"free charging of {shortened(self._station.identity)}",
        )

    def _left_to_card(self, since: datetime) -> float:
        """Return how many seconds a card has left to start by itself.

        A station prepares for it as for a vehicle (OCPP 1.6 4.9); a session with
        another token could not be ended by it.
        """
        if (presented := self._station.id_token_presented.value) is None:
            return 0.0
        _, at = presented
        if at < since - timedelta(seconds=DELAY):
            return 0.0
        return (at + CARD - self._clock()).total_seconds()

    async def _start(self, evse: Evse, since: datetime) -> None:
        """Ask the station to start (OCPP 1.6 5.11)."""
        name = shortened(self._station.identity)
        way = self._station.way.value
        try:
            if self._station.firmware is not None:
                self._station.firmware.check(Blocked.START)
            outcome = await carry(
                self._station,
                Capability.START_STOP,
                lambda link: link.start_charging(evse.id, self._id_token),
            )
        except UpdateRunning:
            self._wait(evse, DELAY, since)
        except NotConnected:
            self._miss(evse, way)
        except NotSupported:
            _LOGGER.info("%s: cannot be started for free charging", name)
        else:
            if outcome.status is OutcomeStatus.NO_ANSWER:
                self._miss(evse, way)
            elif not outcome.ok:
                _LOGGER.info("%s: refused free charging: %s", name, outcome.status)

    def _miss(self, evse: Evse, way: LinkKind | None) -> None:
        """Try again by another way, if the vehicle is still there."""
        if evse.status.value not in _PLUGGED_IN:
            return
        if self._station.way.value in {None, way}:
            self._missed.add(evse.id)
        else:
            # It was found while the first was being lost.
            self._wait(evse, DELAY, since=self._clock())

    def _cancel(self, evse_id: int) -> None:
        self._missed.discard(evse_id)
        if (timer := self._timers.pop(evse_id, None)) is not None:
            timer.cancel()
