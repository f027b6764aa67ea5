"""Approval: charging begins for somebody who was let in a moment ago."""

from homeassistant.core import HomeAssistant, callback

from .entries import async_loaded_servers
from .helpers import async_start
from .station.enums import VEHICLE_CONNECTED, AuthorizationStatus
from .station.model import ChargingStation, Evse
from .station.outcome import Outcome
from .storage import DATA
from .token_desk import Presentation


async def async_start_where_presented(
    hass: HomeAssistant, id_token: str
) -> Outcome | None:
    """Start charging where a token was presented within the last minute.

    Returns None if it was not, if it may not charge there all the same, or if no
    vehicle waits there; raises what a start does.
    """
    if (presentation := hass.data[DATA].desk.recent(id_token)) is None:
        return None
    if (station := _admitting(hass, presentation)) is None:
        return None
    if not (waiting := _waiting(station, presentation.evse_id)):
        return None
    # Of several vehicles the station knows best which one was meant.
    evse_id = waiting[0].id if len(waiting) == 1 else None
    return await async_start(station, evse_id, id_token)


@callback
def _admitting(
    hass: HomeAssistant, presentation: Presentation
) -> ChargingStation | None:
    """Return the station where a token was presented, if it may charge there now."""
    hubs = {entry.entry_id: entry.runtime_data for entry in async_loaded_servers(hass)}
    if (hub := hubs.get(presentation.entry_id)) is None:
        return None
    identity = presentation.hub_station.station.identity
    if hub.admission.settings(identity) is None:
        return None
    context = hub.admission.context(identity)
    verdict = context.authorizer.authorize(identity, presentation.id_token)
    if verdict.status is not AuthorizationStatus.ACCEPTED:
        return None
    return context.station


def _waiting(station: ChargingStation, evse_id: int | None) -> list[Evse]:
    """Return the EVSEs, or the one, with a vehicle that does not charge."""
    return [
        evse
        for evse in station.evses.values()
        if evse_id in {None, evse.id}
        and evse.status.value in VEHICLE_CONNECTED
        and evse.transaction is None
    ]
