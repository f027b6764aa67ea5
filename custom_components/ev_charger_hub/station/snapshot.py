"""Snapshots: what was last known of a station, as JSON, for the next start."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, fields
from datetime import datetime
import math
from typing import Any

from . import external, shared_register
from .channel import Channel
from .enums import ConnectorStatus, Location, Measurand, Phase
from .external import ExternalLimit
from .model import (
    ChargingStation,
    Evse,
    Fault,
    MeasurementKey,
    Number,
    Place,
    StationInfo,
)
from .monitoring import Problem
from .needs import ChargingNeeds, EnergyTransfer, VehiclePlan
from .transaction import Transaction

type Json = dict[str, Any]

_UNKNOWN: tuple[Any, ...] = (None, 0, (), {}, StationInfo())
"""What channels hold before anything is known."""


def dump(station: ChargingStation, *, rested: bool = False) -> Json:
    """Return what is known of a station, all but its transactions and wishes.

    It is the last word of a station that `rested`: nothing of it moves any more.
    """
    return {
        "rested": rested,
        "info": asdict(station.info.value),
        "version": station.version.value,
        "heartbeat": _moment(station.heartbeat.value),
        "firmware_status": station.firmware_status.value,
        "diagnostics_status": station.diagnostics_status.value,
        "reconnects": station.reconnects.value,
        "findings": dict(station.findings),
        "whole": _dump_place(station.whole),
        "evses": {
            str(evse.id): _dump_place(evse)
            | {"connector_statuses": _dump_connectors(evse)}
            | {"session": dump_session(evse.session.value)}
            | {"session_outdated": evse.session.outdated}
            | {"vehicle": _dump_vehicle(evse)}
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
        for connector_id, status in place.get("connector_statuses", {}).items():
            connector = evse.connector(int(connector_id))
            _restore(connector.status, status, ConnectorStatus)
        _restore_vehicle(evse, place.get("vehicle") or {})


def dump_session(session: Transaction | None) -> Json | None:
    """Return which session of the journal was the last one, and whether it went on."""
    return None if session is None else {"key": session.key, "open": session.open}


def _dump_place(place: Place) -> Json:
    fault = place.fault.value
    return {
        "status": place.status.value,
        "status_at": _moment(place.status.at),
        "fault": None if fault is None else asdict(fault),
        # Their stations tell of them once, and not again because we restarted.
        "external_limits": [
            external.dump(one) for one in place.external_limits.value.values()
        ],
        "problems": [
            asdict(one) | {"at": _moment(one.at)} for one in place.problems.value
        ],
        "measurements": [
            {
                "measurand": key.measurand,
                "phase": key.phase,
                "location": key.location,
                "value": channel.value,
                "at": _moment(channel.at),
                "outdated": channel.outdated,
            }
            for key, channel in place.measurements.items()
            if channel.value is not None
            and math.isfinite(channel.value)
            # Nobody may go on telling what only the cloud knew.
            and not channel.filled
        ],
        "register_zeros": shared_register.dump(place),
    }


def _dump_connectors(evse: Evse) -> Json:
    return {str(one.id): one.status.value for one in evse.connectors.values()}


def _dump_vehicle(evse: Evse) -> Json:
    """Return what a vehicle told, which it tells once a session."""
    needs, plan = evse.needs.value, evse.plan.value
    allowed = evse.allowed_transfers
    return {
        "needs": None
        if needs is None
        else asdict(needs)
        | {"told_at": _moment(needs.told_at), "departure": _moment(needs.departure)},
        "plan": None
        if plan is None
        else {
            "told_at": _moment(plan.told_at),
            "schedule": external.dump_schedule(plan.schedule),
            "accepted": plan.accepted,
        },
        "priority": evse.priority.value,
        "allowed_transfers": None if allowed is None else sorted(allowed),
    }


def _restore_vehicle(evse: Evse, data: Json) -> None:
    _restore(evse.needs, data.get("needs"), _needs)
    _restore(evse.plan, data.get("plan"), _plan)
    _restore(evse.priority, data.get("priority"), bool)
    if (allowed := data.get("allowed_transfers")) is not None:
        with suppress(TypeError, ValueError):
            evse.allowed_transfers = frozenset(EnergyTransfer(one) for one in allowed)


def _needs(raw: Json) -> ChargingNeeds:
    departure, transfer = raw.get("departure"), raw.get("transfer")
    return ChargingNeeds(
        **raw
        | {
            "told_at": _parsed(str(raw.get("told_at"))),
            "departure": None if departure is None else _parsed(departure),
            "transfer": None if transfer is None else EnergyTransfer(transfer),
        }
    )


def _plan(raw: Json) -> VehiclePlan:
    try:
        return VehiclePlan(
            told_at=_parsed(raw["told_at"]),
            schedule=external.parse_schedule(raw["schedule"]),
            accepted=raw["accepted"] is True,
        )
    except (ArithmeticError, KeyError) as err:
        raise ValueError(raw) from err


def _restore_place(place: Place, data: Json) -> None:
    at = data.get("status_at")
    _restore(place.status, data.get("status"), ConnectorStatus, at)
    _restore(place.fault, data.get("fault"), _fault)
    _restore(place.external_limits, data.get("external_limits"), _external_limits)
    _restore(place.problems, data.get("problems"), _problems)
    for measurement in data.get("measurements", ()):
        if (key := _key(measurement)) is not None:
            channel = place.measurement(key)
            if _restore(channel, measurement["value"], _number, measurement["at"]):
                channel.outdated = measurement.get("outdated") is True
    shared_register.restore(place, data.get("register_zeros"))


def _restore[T](
    channel: Channel[T], raw: Any, read: Callable[[Any], T], at: str | None = None
) -> bool:
    """Bring a value back; return whether there was one, and nothing newer."""
    known = channel.at is not None or channel.value not in _UNKNOWN
    if raw is None or known:
        return False
    try:
        value = read(raw)
        moment = None if at is None else _parsed(at)
    except TypeError, ValueError:
        return False
    return channel.set(value, moment)


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


def _external_limits(raw: list[Json]) -> dict[str, ExternalLimit]:
    try:
        return {one["source"]: external.parse(one) for one in raw}
    except (ArithmeticError, KeyError) as err:
        raise ValueError(raw) from err


def _fault(raw: Json) -> Fault:
    return Fault(**raw)


def _problems(raw: list[Json]) -> tuple[Problem, ...]:
    return tuple(Problem(**one | {"at": _parsed(str(one.get("at")))}) for one in raw)


def _key(raw: Json) -> MeasurementKey | None:
    try:
        return MeasurementKey(
            measurand=Measurand(raw["measurand"]),
            phase=None if raw["phase"] is None else Phase(raw["phase"]),
            location=None if raw["location"] is None else Location(raw["location"]),
        )
    except ValueError:
        return None
