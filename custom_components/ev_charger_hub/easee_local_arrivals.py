"""Local arrivals: when a charger that was told to dial us has come, and spoken."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime

from .easee.timing import Time
from .station.channel import Channel
from .station.model import ChargingStation


class Arrivals:
    """What an OCPP server hears of one charger, by the clock of the account.

    A server lets nobody in as a charger who does not know its password.
    """

    def __init__(self, time: Time) -> None:
        """Know of no station yet."""
        self._time = time
        self._station: ChargingStation | None = None
        self._ending = ExitStack()
        self._heard_at: datetime | None = None
        self._heard = asyncio.Event()
        self.here: Channel[bool] = Channel(False, urgent=True)
        """Whether it is connected."""

    def follow(self, station: ChargingStation | None) -> None:
        """Listen to a charger as a server has it now."""
        if station is self._station:
            return
        self.stop()
        self._station = station
        if station is not None:
            end: Callable[[], None]
            for end in (
                station.local.subscribe(self._changed),
                station.heartbeat.subscribe(self._spoke),
                station.on_event(lambda _: self._spoke()),
            ):
                self._ending.callback(end)
        self._changed()

    def stop(self) -> None:
        """Listen to nobody."""
        self._ending.close()
        self._station = None
        self.here.set(False)

    async def came(self, since: datetime) -> None:
        """Return once the charger has spoken here at or after a moment."""
        while self._heard_at is None or self._heard_at < since:
            self._heard.clear()
            await self._heard.wait()

    async def left(self) -> None:
        """Return once the charger is not connected."""
        gone = asyncio.Event()
        end = self.here.subscribe(gone.set)
        try:
            while self.here.value:
                gone.clear()
                await gone.wait()
        finally:
            end()

    def _changed(self) -> None:
        self.here.set(self._station is not None and self._station.local.value)

    def _spoke(self) -> None:
        # The cloud tells of it as well.
        if self.here.value:
            self._heard_at = self._time()
            self._heard.set()
