"""The load: virtual charging stations in a process of their own.

Speaks JSON lines: reads a command from standard input, does it, writes the result.
Commands: {"do": "connect", "port": N, "number": N, "versions": [version, ...]} (by turns),
{"do": "rush", "seconds": N}, {"do": "pace", "seconds": N, "rate": frames per second and
station}, {"do": "stop"}.
"""

import asyncio
from collections.abc import Sequence
import json
import math
import sys
import time
from typing import Any

from simulators.charging_station import ChargingStation16, v2

LOOK = 0.005
"""How often to look whether a station of 2.x was accepted, in s."""

WAIT = 30.0
"""How long an answer may take, in s."""

MEASURANDS = (
    ("Energy.Active.Import.Register", "Wh", None),
    ("Power.Active.Import", "W", None),
    ("Current.Import", "A", "L1"),
    ("Current.Import", "A", "L2"),
    ("Current.Import", "A", "L3"),
    ("Voltage", "V", "L1-N"),
    ("Voltage", "V", "L2-N"),
    ("Voltage", "V", "L3-N"),
    ("Current.Offered", "A", None),
    ("Temperature", "Celsius", None),
)


type Station = ChargingStation16 | v2.ChargingStation


def meter_values(number: int) -> dict[str, Any]:
    """Return a payload with ten sampled values, each different from the last."""
    samples: list[dict[str, Any]] = []
    for index, (measurand, unit, phase) in enumerate(MEASURANDS):
        value = 100_000 + number if index == 0 else (number * 7 + index) % 230
        sample: dict[str, Any] = {
            "value": str(value) if index == 0 else f"{value}.5",
            "context": "Sample.Periodic",
            "measurand": measurand,
            "unit": unit,
        }
        if phase is not None:
            sample["phase"] = phase
        samples.append(sample)
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    milliseconds = int(time.time() * 1000) % 1000
    return {
        "connectorId": 1,
        "meterValue": [
            {"timestamp": f"{now}.{milliseconds:03}Z", "sampledValue": samples}
        ],
    }


def meter_values_2(number: int) -> dict[str, Any]:
    """Return the same in the words of OCPP 2.x."""
    told = meter_values(number)
    (value,) = told["meterValue"]
    for sample in value["sampledValue"]:
        sample["value"] = float(sample["value"])
        if sample["measurand"] == "Temperature":
            sample["measurand"] = "Frequency"
        sample["unitOfMeasure"] = {"unit": sample.pop("unit")}
    return {"evseId": 1, "meterValue": [value]}


def station_of(port: int, index: int, version: str) -> Station:
    """Return a station that is switched off."""
    url = f"ws://127.0.0.1:{port}/ocpp"
    if version == "1.6":
        station = ChargingStation16(url, name(index))
        station.strict = False
        return station
    newest = v2.ChargingStation(url, name(index), versions=(version,))
    newest.box.metered = False
    return newest


async def booted(station: Station) -> None:
    """Wait until a station was accepted."""
    if isinstance(station, ChargingStation16):
        await station.booted.wait()
        return
    while not station.listened_to:
        await asyncio.sleep(LOOK)


def name(index: int) -> str:
    """Return the identity of one of the fleet."""
    return f"LOAD{index:04}"


class Load:
    """A fleet of virtual stations."""

    def __init__(self) -> None:
        """Start without any."""
        self._stations: list[Station] = []
        self._latencies: list[float] = []
        self._number = 0

    async def connect(
        self, port: int, number: int, versions: Sequence[str] = ("1.6",)
    ) -> dict[str, Any]:
        """Connect stations all at once; return how long until every one was ready."""
        self._stations = [
            station_of(port, index, versions[index % len(versions)])
            for index in range(number)
        ]
        began = time.perf_counter()
        await asyncio.gather(*(station.connect() for station in self._stations))
        await asyncio.gather(*(booted(station) for station in self._stations))
        return {"seconds": time.perf_counter() - began}

    async def _one(self, station: Station) -> None:
        """Send one MeterValues and note how long the answer took."""
        self._number += 1
        if isinstance(station, ChargingStation16):
            assert station.rpc is not None
            payload = meter_values(self._number)
            began = time.perf_counter()
            await station.rpc.call("MeterValues", payload)
        else:
            payload = meter_values_2(self._number)
            began = time.perf_counter()
            await asyncio.wait_for(station.queue.post("MeterValues", payload), WAIT)
        self._latencies.append(time.perf_counter() - began)

    def _result(self, seconds: float) -> dict[str, Any]:
        """Return what was measured, and start anew."""
        latencies, self._latencies = sorted(self._latencies), []
        return {
            "frames": len(latencies),
            "seconds": seconds,
            "p50": latencies[len(latencies) // 2],
            "p99": latencies[math.ceil(len(latencies) * 0.99) - 1],
            "worst": latencies[-1],
        }

    async def rush(self, seconds: float) -> dict[str, Any]:
        """Send as fast as answers come, one call at a time per station."""

        async def run(station: Station) -> None:
            while time.perf_counter() < until:
                await self._one(station)

        began = time.perf_counter()
        until = began + seconds
        await asyncio.gather(*(run(station) for station in self._stations))
        return self._result(time.perf_counter() - began)

    async def pace(self, seconds: float, rate: float) -> dict[str, Any]:
        """Send at a fixed rate per station, spread evenly over time."""

        async def run(index: int, station: Station) -> None:
            due = began + index / len(self._stations) / rate
            while due < until:
                await asyncio.sleep(due - time.perf_counter())
                await self._one(station)
                due += 1 / rate

        began = time.perf_counter()
        until = began + seconds
        await asyncio.gather(
            *(run(index, station) for index, station in enumerate(self._stations))
        )
        return self._result(time.perf_counter() - began)

    async def stop(self) -> dict[str, Any]:
        """Disconnect every station."""
        await asyncio.gather(*(station.close() for station in self._stations))
        self._stations = []
        return {}


async def main(load: Load) -> None:
    """Obey commands until the input ends."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        result = await getattr(load, command.pop("do"))(**command)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Load()))
