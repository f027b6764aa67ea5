"""Chargers that dial: what local OCPP, once applied, connects to a central system."""

import asyncio
from collections.abc import Coroutine
import contextlib
import logging
from typing import Any

from .charger import Charger
from .local_ocpp import Details, LocalOcpp
from simulators.charging_station import VENDORS, ChargingStation16
from simulators.charging_station.rpc import TROUBLE as CALL_TROUBLE

_LOGGER = logging.getLogger(__name__)

TROUBLE = (*CALL_TROUBLE, OSError)


class Dialer:
    """Puts a virtual charging station behind every charger that local OCPP is on for."""

    def __init__(self, local_ocpp: LocalOcpp) -> None:
        """Dial for a cloud."""
        self.stations: dict[str, ChargingStation16] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        local_ocpp.dial = self.dial
        local_ocpp.hang_up = self.hang_up

    def dial(self, charger: Charger, details: Details) -> None:
        """Connect a charger as its details say."""
        self.stations[charger.serial] = station = ChargingStation16(
            details.url,
            details.identity,
            password=details.password,
            vendor=VENDORS["easee"],
            clock=charger.clock,
            register=charger.register * 1000,
        )
        self._later(self._connect(station))

    async def _connect(self, station: ChargingStation16) -> None:
        try:
            await station.connect()
        except TROUBLE as err:
            _LOGGER.info("%s: not connected: %s", station.identity, err)

    def hang_up(self, charger: Charger) -> None:
        """Disconnect a charger."""
        if (station := self.stations.pop(charger.serial, None)) is not None:
            self._later(station.close())

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Disconnect all chargers."""
        for task in [*self._tasks]:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for station in self.stations.values():
            await station.close()
        self.stations.clear()
