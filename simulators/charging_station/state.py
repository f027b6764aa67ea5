"""What the control interface shows of a station, and what its memory keeps."""

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
        "security": station.security.state(),
        "firmware": station.firmware.state(),
        "upload": station.logs.status,
        "local_list": {
            "version": station.tokens.version,
            "tokens": station.tokens.listed,
            "cached": sorted(station.tokens.cache),
        },
        "reservations": station.reservations.dump(),
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


def dump(station: ChargingStation16) -> dict[str, Any]:
    """Return what survives a loss of power."""
    return {
        "keys": {
            name: key.value for name, key in station.keys.items() if not key.readonly
        },
        "outbox": station.outbox.dump(),
        "firmware": station.firmware.dump(),
        "logs": station.logs.dump(),
        "reservations": station.reservations.dump(),
        "security": station.security.dump(),
        "tokens": station.tokens.dump(),
    }


def load(station: ChargingStation16, kept: dict[str, Any]) -> None:
    """Take what survived."""
    for name, value in kept["keys"].items():
        if name in station.keys:
            station.keys[name].value = value
    station.outbox.load(kept["outbox"])
    station.firmware.load(kept["firmware"])
    station.logs.load(kept["logs"])
    station.reservations.load(kept["reservations"])
    station.security.load(kept["security"])
    station.tokens.load(kept["tokens"])
