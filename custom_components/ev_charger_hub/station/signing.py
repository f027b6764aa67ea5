"""Signing: whether the meter of a station signs what it samples."""

from typing import Final

from .errors import StationError
from .link import Capability
from .model import ChargingStation
from .outcome import Outcome, OutcomeStatus

SIGN_READINGS: Final = "SampledDataSignReadings"
"""The configuration key (OCA, Signed Meter Values in OCPP; false if left alone)."""


class NotKept(StationError):
    """A station accepted a value, and goes on with the one before."""


async def sign_readings(station: ChargingStation, on: bool) -> Outcome:
    """Have the meter sign what it samples, or not, and read back whether it does.

    Raises as a link does, and NotKept.
    """
    link = station.link(Capability.CONFIGURATION)
    outcome = await link.set_configuration(SIGN_READINGS, "true" if on else "false")
    if not outcome.ok:
        return outcome
    # The link tells the model of what it reads.
    read, _, _ = await link.get_configuration([SIGN_READINGS])
    waits = outcome.status is OutcomeStatus.REBOOT_REQUIRED
    if read.ok and not waits and station.signs_readings.value is not on:
        raise NotKept
    return outcome
