"""What chargers do for the grid, and with batteries, as events."""

from typing import Any

from .station.battery_swap import BatteriesSwapped
from .station.events import StationEvent
from .station.grid import GridAlarm, GridControlRun
from .station.model import ChargingStation

GRID_EVENTS = ("alarm", "alarm_ended", "control_started", "control_stopped")


def grid_happening(event: StationEvent) -> tuple[str, dict[str, Any]] | None:
    """Return what an event means for the inverter of a station."""
    match event:
        case GridAlarm():
            return "alarm_ended" if event.ended else "alarm", {
                "control_type": event.type,
                "fault": event.fault or None,
                "info": event.info or None,
                "at": event.at.isoformat(),
            }
        case GridControlRun():
            return "control_started" if event.started else "control_stopped", {
                "control_id": event.control_id,
                "superseded": list(event.superseded),
                "at": event.at.isoformat(),
            }
    return None


def swap_happening(event: StationEvent) -> tuple[str, dict[str, Any]] | None:
    """Return what an event means for the batteries of a station."""
    match event:
        case BatteriesSwapped():
            return event.kind, {
                "request_id": event.request_id,
                "requested": event.requested,
                "id_token": event.id_token,
                "batteries": [
                    {
                        "connector": one.evse_id,
                        "serial": one.serial,
                        "charge": one.charge,
                        "health": one.health,
                    }
                    for one in event.batteries
                ],
            }
    return None


def speaks_newest(station: ChargingStation) -> bool:
    """Return whether a station speaks the version that knows of these things."""
    return station.version.value == "2.1"
