"""Free charging at the station itself: it goes on when Home Assistant is away (S43)."""

from .errors import StationError
from .link import Capability
from .model import ChargingStation
from .outcome import Outcome, OutcomeStatus

_FLAGS = {True: "true", False: "false"}


class KeyNotKept(StationError):
    """A station accepted a value, and goes on with the one before."""


async def write_free_key(
    station: ChargingStation, key: str, on: bool
) -> Outcome | None:
    """Let everybody charge by a configuration key, and read back whether it is so.

    Return None where the station does not have the key, or nobody may change it.
    Raises as a link does, and KeyNotKept.
    """
    link = station.link(Capability.CONFIGURATION)
    outcome, found, _ = await link.get_configuration([key])
    if not outcome.ok:
        return outcome
    if not found or found[0].readonly:
        return None
    if (found[0].value or "").strip().lower() == _FLAGS[on]:
        return outcome
    outcome = await link.set_configuration(key, _FLAGS[on])
    if not outcome.ok or outcome.status is OutcomeStatus.REBOOT_REQUIRED:
        return outcome
    read, found, _ = await link.get_configuration([key])
    if read.ok and found and (found[0].value or "").strip().lower() != _FLAGS[on]:
        raise KeyNotKept
    return outcome
