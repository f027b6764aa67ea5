"""What the control interface shows of a station."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .v16 import ChargingStation16


def state(station: ChargingStation16) -> dict[str, Any]:
    """Return what the control interface shows."""
    return {
        "identity": station.identity,
        "now": station.clock().isoformat(),
        "connected": station.connected,
        "booted": station.booted.is_set(),
        "pending": station.pending,
        "misbehaviours": sorted(station.misbehaviours),
        "violations": station.rpc.violations if station.rpc else [],
        "profiles": [
            {"connectorId": one.connector_id, **one.profile}
            for one in station.profiles.profiles
        ],
        "connectors": [
            {
                "id": one.id,
                "status": one.status,
                "error_code": one.error_code,
                "plugged": one.vehicle is not None,
                "transaction_id": one.transaction and one.transaction.id,
                "offered": one.offered,
                "phases": one.meter.phases,
                "limited_by": one.limited_by and one.limited_by.id,
                "current": round(one.meter.current, 2),
                "power": round(one.meter.power, 1),
                "register": round(one.meter.register),
            }
            for one in station.connectors.values()
        ],
    }
