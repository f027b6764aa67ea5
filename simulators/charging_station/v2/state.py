"""What a station shows of itself, and what it keeps over a loss of power."""

from typing import TYPE_CHECKING, Any

from ..clock import stamp
from .values import Json

if TYPE_CHECKING:
    from .station import ChargingStation


def state(station: ChargingStation) -> Json:
    """Return what the control interface shows."""
    told = station.provisioning.told_time
    return {
        "identity": station.identity,
        "version": station.version,
        "connected": station.connected,
        "registration": station.provisioning.registration,
        "clock": stamp(station.clock()),
        "told_time": told and stamp(told),
        "evses": station.box.state(),
        "profiles": [
            {"evse": one.evse_id, "source": one.source, **one.profile}
            for one in station.charging.profiles.values()
        ],
        "reservations": station.reservations.dump(),
        "local_list": {
            "version": station.authorization.version,
            "entries": len(station.authorization.entries),
        },
        "messages": station.display.shown(),
        "costs": station.transactions.costs,
        "controls": [one.request for one in station.der.controls.values()],
        "tariffs": station.tariffs.dump(),
        "streams": [one.wire() for one in station.streams.open.values()],
        "slots": {
            str(slot): one.wire(slot) for slot, one in station.swap.slots.items()
        },
        "firmware": station.firmware.version,
        "security": {
            "profile": station.security.profile,
            "certificate": station.security.chain is not None,
            "roots": {kind: len(one) for kind, one in station.security.roots.items()},
            "events": [one["type"] for one in station.security.events],
        },
        "waiting": station.queue.waiting,
        "dropped": len(station.queue.dropped),
    }


def dump(station: ChargingStation) -> Json:
    """Return what survives a loss of power."""
    return {
        "model": station.model.dump(),
        "security": station.security.dump(),
        "authorization": station.authorization.dump(),
        "availability": station.availability.dump(),
        "profiles": station.charging.dump(),
        "controls": station.der.dump(),
        "tariffs": station.tariffs.dump(),
        "messages": [*station.display.messages.values()],
        "firmware": station.firmware.version,
        "monitors": station.monitoring.dump(),
        "reservations": station.reservations.dump(),
        "transactions": station.transactions.dump(),
        "queue": station.queue.dump(),
        "box": station.box.dump(),
    }


def load(station: ChargingStation, kept: dict[str, Any]) -> None:
    """Take what survived."""
    station.model.load(kept["model"])
    station.security.load(kept["security"])
    station.authorization.load(kept["authorization"])
    station.availability.load(kept["availability"])
    station.charging.load(kept["profiles"])
    station.der.load(kept["controls"])
    station.tariffs.load(kept["tariffs"])
    station.display.messages = {one["id"]: one for one in kept["messages"]}
    station.firmware.version = kept["firmware"]
    station.model.put("InternalCtrlr.FirmwareVersion", kept["firmware"])
    station.monitoring.load(kept["monitors"])
    station.reservations.load(kept["reservations"])
    station.transactions.load(kept["transactions"])
    station.queue.load(kept["queue"])
    resume = station.model.flag("InternalCtrlr.ResumeTransactionsOnBoot")
    station.box.load(kept["box"], resume=resume)
