"""Snapshots: what was last known of a station, as JSON, for the next start."""

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal, InvalidOperation
import math
from typing import Any

from .channel import Channel
from .enums import ConnectorStatus, Location, Measurand, Phase, RateUnit
from .link import Limit
from .model import (
    ChargingStation,
    Fault,
    MeasurementKey,
    Number,
    Pause,
    Place,
    StationInfo,
)

type Json = dict[str, Any]

_UNKNOWN = (None, 0, StationInfo())
"""What channels hold before anything is known."""


def dump(station: ChargingStation) -> Json:
    """Return what is known of a station, all but its transactions."""
    return {
        "info": asdict(station.info.value),
        "version": station.version.value,
        "heartbeat": _moment(station.heartbeat.value),
        "firmware_status": station.firmware_status.value,
        "diagnostics_status": station.diagnostics_status.value,
        "reconnects": station.reconnects.value,
        "findings": dict(station.findings),
        "whole": _dump_place(station.whole),
        "evses": {
            str(evse.id): _dump_place(evse) | {"connectors": sorted(evse.connector_ids)}
            for evse in station.evses.values()
        },
    }


def restore(station: ChargingStation, data: Json) -> None:
    """Bring back what was known, where nothing newer is known yet.

    What this version cannot read (written by a newer one) is left out.
    """
    _restore(station.info, data.get("info"), _info)
    _restore(station.version, data.get("version"), str)
    _restore(station.heartbeat, data.get("heartbeat"), _parsed)
    _restore(station.firmware_status, data.get("firmware_status"), str)
    _restore(station.diagnostics_status, data.get("diagnostics_status"), str)
    _restore(station.reconnects, data.get("reconnects"), int)
    for step, result in data.get("findings", {}).items():
        station.findings.setdefault(step, result)
    _restore_place(station.whole, data.get("whole", {}))
    for evse_id, place in data.get("evses", {}).items():
        evse = station.evse(int(evse_id))
        _restore_place(evse, place)
        evse.connector_ids.update(place.get("connectors", ()))


def _dump_place(place: Place) -> Json:
    fault, limit = place.fault.value, place.wanted_limit.value
    return {
        "status": place.status.value,
        "status_at": _moment(place.status.at),
        "fault": None if fault is None else asdict(fault),
        "wanted_limit": _dump_limit(limit),
        "pause": None
        if place.pause is None
        else [place.pause.transaction, _dump_limit(place.pause.before)],
        "measurements": [
            {
                "measurand": key.measurand,
                "phase": key.phase,
                "location": key.location,
                "value": channel.value,
                "at": _moment(channel.at),
            }
            for key, channel in place.measurements.items()
            if channel.value is not None and math.isfinite(channel.value)
        ],
    }


def _restore_place(place: Place, data: Json) -> None:
    at = data.get("status_at")
    _restore(place.status, data.get("status"), ConnectorStatus, at)
    _restore(place.fault, data.get("fault"), _fault)
    _restore(place.wanted_limit, data.get("wanted_limit"), _limit)
    place.pause = place.pause or _pause(data.get("pause"))
    for measurement in data.get("measurements", ()):
        if (key := _key(measurement)) is not None:
            channel = place.measurement(key)
            _restore(channel, measurement["value"], _number, measurement["at"])


def _restore[T](
    channel: Channel[T], raw: Any, read: Callable[[Any], T], at: str | None = None
) -> None:
    known = channel.at is not None or channel.value not in _UNKNOWN
    if raw is None or known:
        return
    try:
        value = read(raw)
        moment = None if at is None else _parsed(at)
    except InvalidOperation, TypeError, ValueError:
        return
    channel.set(value, moment)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _number(raw: Any) -> Number:
    if not isinstance(raw, int | float):
        raise TypeError(raw)
    return raw


def _info(raw: Json) -> StationInfo:
    known = {field.name for field in fields(StationInfo)}
    return StationInfo(**{name: raw[name] for name in raw.keys() & known})


def _fault(raw: Json) -> Fault:
    return Fault(**raw)


def _limit(raw: list[str]) -> Limit:
    value, unit = raw
    return Limit(value=Decimal(value), unit=RateUnit(unit))


def _dump_limit(limit: Limit | None) -> list[str] | None:
    return None if limit is None else [str(limit.value), limit.unit]


def _pause(raw: list[Any] | None) -> Pause | None:
    if raw is None:
        return None
    try:
        transaction, before = raw
        return Pause(
            transaction=int(transaction),
            before=None if before is None else _limit(before),
        )
    except InvalidOperation, TypeError, ValueError:
        return None


def _key(raw: Json) -> MeasurementKey | None:
    try:
        return MeasurementKey(
            measurand=Measurand(raw["measurand"]),
            phase=None if raw["phase"] is None else Phase(raw["phase"]),
            location=None if raw["location"] is None else Location(raw["location"]),
        )
    except ValueError:
        return None
