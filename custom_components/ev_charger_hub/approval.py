"""Approval: charging begins for somebody who was let in a moment ago."""

from homeassistant.core import HomeAssistant

from .helpers import async_start
from .station.enums import VEHICLE_CONNECTED
from .station.model import ChargingStation, Evse
from .station.outcome import Outcome
from .storage import DATA


async def async_start_where_presented(
    hass: HomeAssistant, id_token: str
) -> Outcome | None:
    """Start charging where a token was presented within the last minute.

    Returns None if it was not, or if no vehicle waits there; raises what a start does.
    """
    if (presentation := hass.data[DATA].desk.recent(id_token)) is None:
        return None
    station = presentation.hub_station.station
    if not (waiting := _waiting(station, presentation.evse_id)):
        return None
    # Of several vehicles the station knows best which one was meant.
    evse_id = waiting[0].id if len(waiting) == 1 else None
    return await async_start(station, evse_id, id_token)


def _waiting(station: ChargingStation, evse_id: int | None) -> list[Evse]:
    """Return the EVSEs, or the one, with a vehicle that does not charge."""
    return [
        evse
        for evse in station.evses.values()
        if evse_id in {None, evse.id}
        and evse.status.value in VEHICLE_CONNECTED
        and evse.transaction is None
    ]
