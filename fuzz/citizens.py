"""The citizens: well-behaved chargers that send once a second while others attack."""

import asyncio
from contextlib import suppress
from typing import Any, override

from benchmarks.load import Load, Station, main

from simulators.charging_station.rpc import NotConnected


class Citizens(Load):
    """A fleet that goes on until it is told to stop."""

    def __init__(self) -> None:
        """Start without any."""
        super().__init__()
        self._failures: list[str] = []
        self._beats: list[asyncio.Task[None]] = []

    async def begin(self, rate: float) -> dict[str, Any]:
        """Send MeterValues at a rate per second and station."""
        self._beats = [
            asyncio.create_task(self._beat(index / len(self._stations), station, rate))
            for index, station in enumerate(self._stations)
        ]
        return {}

    async def end(self) -> dict[str, Any]:
        """Stop, and tell how long the answers took and which did not come."""
        for beat in self._beats:
            beat.cancel()
        for beat in self._beats:
            with suppress(asyncio.CancelledError):
                await beat
        failures, self._failures = self._failures, []
        return self._result(0.0) | {"failures": failures}

    async def _beat(self, share: float, station: Station, rate: float) -> None:
        await asyncio.sleep(share / rate)
        while True:
            try:
                await self._one(station)
            except (NotConnected, TimeoutError) as err:
                self._failures.append(f"{station.identity}: {err!r}")
                await asyncio.sleep(1)
                continue
            await asyncio.sleep(1 / rate)

    @override
    def _result(self, seconds: float) -> dict[str, Any]:
        return super()._result(seconds) if self._latencies else {"frames": 0}


if __name__ == "__main__":
    asyncio.run(main(Citizens()))
