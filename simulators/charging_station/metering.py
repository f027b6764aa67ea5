"""What the station tells of its meters, and when."""

from typing import TYPE_CHECKING

from .clock import stamp
from .connector import Connector
from .misbehaviour import Misbehaviour

if TYPE_CHECKING:
    from .v16 import ChargingStation16


class Metering:
    """The part of a station that samples its meters."""

    def __init__(self, station: ChargingStation16) -> None:
        """Serve one station."""
        self._station = station

    def measurands(self, name: str) -> list[str]:
        """Return the measurands that a key lists."""
        listed = (self._station.keys[name].value or "").split(",")
        return [one.strip() for one in listed if one]

    async def advance(self, connector: Connector, seconds: float) -> None:
        """Let time pass: send the samples that are due."""
        station = self._station
        if connector.transaction is not None:
            connector.since_sample += seconds
            interval = station.number("MeterValueSampleInterval")
            if interval and connector.since_sample >= interval:
                connector.since_sample %= interval
                await self.sample(connector, "Sample.Periodic")
        connector.since_clock += seconds
        interval = station.number("ClockAlignedDataInterval")
        if interval and connector.since_clock >= interval:
            connector.since_clock %= interval
            await self.sample(connector, "Sample.Clock")

    async def sample(self, connector: Connector, context: str) -> None:
        """Send the meter values of one connector."""
        station = self._station
        aligned = context == "Sample.Clock"
        key = "MeterValuesAlignedData" if aligned else "MeterValuesSampledData"
        values = connector.sampled_values(self.measurands(key), context)
        if not values:
            return
        connector.samples += 1
        if Misbehaviour.ZERO_REGISTER in station.misbehaviours:
            for value in values:
                if "Register" in value["measurand"] and connector.samples % 5 == 0:
                    value["value"] = "0"
        if Misbehaviour.SIGNED_DATA in station.misbehaviours:
            values += [
                {"value": "OCMF|e30=|e30=", "format": "SignedData"},
                {"value": "", "measurand": "Power.Active.Import", "unit": "W"},
            ]
        time = stamp(station.clock())
        payload = {
            "connectorId": connector.id,
            "meterValue": [{"timestamp": time, "sampledValue": values}],
        }
        if connector.transaction is not None:
            station.enqueue("MeterValues", payload, connector.transaction)
        elif station.listened_to:
            await station.call("MeterValues", payload)
