"""A twin: one charger that two tell of, the cloud and, by local OCPP, itself."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
import logging
from typing import TYPE_CHECKING, Any, override

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .history import ChargingSession
from .local_side import LocalSide
from .native import NOBODY, NativeStation
from simulators.charging_station.misbehaviour import Misbehaviour
from simulators.charging_station.rpc import TROUBLE as CALL_TROUBLE

if TYPE_CHECKING:
    from .charger import Charger
    from .local_ocpp import Details

_LOGGER = logging.getLogger(__name__)

TROUBLE = (*CALL_TROUBLE, OSError)
TICK = 5.0
REDIAL = 15.0
"""Seconds between two attempts to reach a central system."""
ALWAYS = 0
"""The mode of being offline in which everybody is charged."""


class Twin(LocalSide):
    """One charger's local OCPP: whom it dials, and what happens to that line.

    What happens to the charger happens once, to the charger: it is plugged in, its
    card is swiped, its limits are set there. Both sides tell of it.
    """

    def __init__(self, charger: Charger) -> None:
        """Belong to a charger that dials nobody yet."""
        self.charger = charger
        self.details: Details | None = None
        """Whom it dials."""
        self.station: NativeStation | None = None
        """Its side of OCPP, once there was any."""
        self.misbehaviours: set[Misbehaviour] = set()
        """What it does wrong, from the next station on."""
        self.takes_over_session = True
        """Whether a session that runs when OCPP is switched on becomes a transaction."""
        self._cut = False
        self._off = False
        self._next: datetime | None = None
        self._limit: float | None = None
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        charger.local = self
        charger.clock.call_later(TICK, self._tick)

    # The line

    @property
    def connected(self) -> bool:
        """Return whether a central system listens."""
        return self.station is not None and self.station.connected

    @property
    def dials(self) -> bool:
        """Return whether it dials somebody, or would if it could."""
        return self.details is not None and not self._cut and not self._off

    def dial(self, details: Details) -> None:
        """Dial somebody, with all that was not told yet if it is whom it knows."""
        station = self.station
        if station is None or not _same(station, details):
            if station is not None:
                self._later(station.close())
            self.station = station = self._made(details)
        elif details.password is not None:
            station.password = details.password
        if self.charger.session is not None:
            self.charger.let_stay()
        self.details = details
        if (session := self.charger.session) is not None and (
            station.place.transaction is None and self.takes_over_session
        ):
            station.began(session)
        self._next = None
        self.charger.circuit.changed()
        self._later(self._connect())

    def _made(self, details: Details) -> NativeStation:
        station = NativeStation(
            self.charger,
            details.url,
            details.identity,
            password=details.password,
            misbehaviours=self.misbehaviours,
        )
        station.powered_on()
        if details.ca_certificate:
            found = x509.load_pem_x509_certificates(details.ca_certificate.encode())
            pems = [one.public_bytes(Encoding.PEM).decode() for one in found]
            station.security.trust(pems)
        return station

    def hang_up(self) -> None:
        """Dial nobody any more; a transaction is left as it is (N4)."""
        self.details = None
        if self.station is not None:
            self._later(self._drop(self.station))

    def forget(self) -> None:
        """Forget whom it dialed, and what there was to tell."""
        self.hang_up()
        station, self.station = self.station, None
        if station is not None:
            self._later(station.close())

    def cut(self) -> None:
        """Lose the line to the central system, until it is restored."""
        self._cut = True
        if self.station is not None:
            self._later(self._drop(self.station))

    def restore(self) -> None:
        """Have a line to the central system again, and use it at once."""
        self._cut = False
        self._next = None
        self._later(self._connect())

    def misbehave(self, name: str, *, on: bool = True) -> None:
        """Do something wrong from now on, or no longer."""
        moods = [self.misbehaviours]
        if self.station is not None:
            moods.append(self.station.misbehaviours)
        for one in moods:
            (one.add if on else one.discard)(Misbehaviour(name))

    async def _connect(self) -> None:
        async with self._lock:
            station = self.station
            if station is None or not self.dials or station.connected:
                return
            try:
                await station.connect()
            except TROUBLE as err:
                _LOGGER.info("%s: not connected: %s", station.identity, err)
            self._next = self.charger.clock.true + timedelta(seconds=REDIAL)

    async def _drop(self, station: NativeStation) -> None:
        async with self._lock:
            await station.disconnect()

    def _tick(self) -> None:
        self.charger.clock.call_later(TICK, self._tick)
        if self.station is None:
            return
        now = self.charger.clock.true
        if self.dials and not self.connected and (self._next or now) <= now:
            self._later(self._connect())
        if not self._off:
            self._later(self._advance(self.station))
        if self._limit != (limit := self.limit()):
            self._limit = limit
            self.charger.circuit.changed()

    async def _advance(self, station: NativeStation) -> None:
        try:
            await station.advance(TICK)
        except TROUBLE as err:
            _LOGGER.debug("%s: %s", station.identity, err)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until all that can be told was told."""
        while self._tasks:
            await asyncio.gather(*self._tasks)
        if self.station is not None and self.station.listened_to:
            await self.station.settle()

    async def close(self) -> None:
        """Hang up for good."""
        self.details = None
        for task in (tasks := [*self._tasks]):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.station is not None:
            await self.station.close()

    # What the charger asks and tells

    @property
    @override
    def rules(self) -> bool:
        return self.details is not None

    @override
    def limit(self) -> float | None:
        if self.station is None or not self.rules:
            return None
        allowed = self.station.charging.allowed(self.station.place)
        return None if allowed.by is None else float(allowed.amps)

    @override
    def plugged(self) -> None:
        if self.station is None or not self.rules:
            return
        self.station.plugged()
        if not self.connected and self._welcomes_all:
            self.charger.let_stay(NOBODY)

    @property
    def _welcomes_all(self) -> bool:
        """Return whether it charges everybody while it reaches nobody."""
        return bool(self.charger[17]) and self.charger[45] == ALWAYS

    @override
    def swiped(self, token: str) -> None:
        if self.station is not None:
            self.station.later(self.station.swipe(token))

    @override
    def began(self, session: ChargingSession) -> None:
        if self.station is not None and self.rules:
            self.station.began(session)

    @override
    def ended(self, session: ChargingSession) -> None:
        if self.station is None:
            return
        if self.rules or self.station.keeps_stop:
            self.station.ended(session)
        else:
            self.station.abandon()

    @override
    def show(self) -> None:
        if self.station is not None and self.rules:
            self.station.show()

    @override
    def powered_off(self) -> None:
        self._off = True
        if self.station is not None:
            self._later(self._drop(self.station))

    @override
    def powered_on(self) -> None:
        self._off = False
        if self.station is not None:
            self.station.powered_on()
            self._next = None
            self._later(self._connect())

    @property
    def profiles(self) -> list[dict[str, Any]]:
        """Return the charging profiles that it has."""
        station = self.station
        return (
            []
            if station is None
            else [one.profile for one in station.profiles.profiles]
        )

    def state(self) -> dict[str, Any]:
        """Return what the control interface shows."""
        station = self.station
        transaction = None if station is None else station.place.transaction
        return {
            "dials": None if self.details is None else self.details.url,
            "connected": self.connected,
            "cut": self._cut,
            "status": None if station is None else station.place.status,
            "transaction": None if transaction is None else transaction.id,
            "waiting": 0 if station is None else station.pending,
            "limit": self.limit(),
        }


def _same(station: NativeStation, details: Details) -> bool:
    return station.url == f"{details.url}/{details.identity}"
