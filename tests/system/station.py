"""A virtual station in the test's own process, which sees the server come and go."""

from collections.abc import Callable
from typing import Any, override

from aiohttp import ClientError

from simulators.charging_station import ChargingStation16
from simulators.charging_station.connector import LocalTransaction
from simulators.charging_station.rpc import NotConnected, StationRpc

IDENTITY = "CP01"
TOKEN = "TAG12345"


class Station(ChargingStation16):
    """A station that can miss the answer to the start of a transaction."""

    on_start: Callable[[], None] | None = None
    """What happens just before StartTransaction goes out."""
    on_started: Callable[[], None] | None = None
    """What happens when its answer comes, which the station then does not get."""
    starts = 0
    """How often StartTransaction went out."""

    @override
    async def send(self, text: str) -> None:
        if '"StartTransaction"' not in text:
            await super().send(text)
            return
        if self.on_start is not None:
            self.on_start()
        await super().send(text)
        self.starts += 1

    @override
    async def _deliver(
        self, rpc: StationRpc, action: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        answer = await super()._deliver(rpc, action, body)
        if action == "StartTransaction" and self.on_started is not None:
            self.on_started()
            raise NotConnected
        return answer

    async def tried(self) -> bool:
        """Return whether StartTransaction went out."""
        return self.starts > 0

    async def dial(self) -> bool:
        """Try to connect; return whether that worked."""
        try:
            await self.connect()
        except ClientError, NotConnected:
            return False
        return True

    async def lost(self) -> bool:
        """Return whether the socket is gone and the station knows."""
        return not self.connected and not self.booted.is_set()

    @property
    def register(self) -> int:
        """Return the reading of the meter in Wh."""
        return round(self.connectors[1].meter.register)

    @property
    def transaction(self) -> LocalTransaction:
        """Return the open transaction."""
        transaction = self.connectors[1].transaction
        assert transaction is not None
        return transaction
