"""Actions that ask for sessions, and for what was signed of them."""

import csv
from datetime import datetime
from io import StringIO
import json
import re
from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util, slugify
from homeassistant.util.json import JsonObjectType

from .fields import ATTR_CONNECTOR, ATTR_LIMIT, ActionGroup, Data
from .helpers import invalid, translated_errors
from .station import signed_values
from .station.signed_values import SignedValue, TooMuch
from .station.transaction import Transaction
from .storage import DATA
from .targets import Target

ATTR_END: Final = "end"
ATTR_FORMAT: Final = "format"
ATTR_OPEN_ONLY: Final = "open_only"
ATTR_SIGNED: Final = "signed"
ATTR_START: Final = "start"

MAX_SESSIONS: Final = 1000
MAX_EXPORTED: Final = 10_000

_COLUMNS: Final = (
    "transaction_id",
    "connector",
    "id_token",
    "token_name",
    "state",
    "start",
    "stop",
    "stop_reason",
    "energy",
    "meter_start",
    "meter_stop",
    "cost",
)
# Spreadsheets divide a line as it is usual in their country, also inside of a cell.
_FORMULA: Final = re.compile(r"((?:^|[,;\t\r\n])\s*)([=+\-@\uff1d\uff0b\uff0d\uff20])")

_MOMENT: Final = vol.All(cv.datetime, dt_util.as_utc)
_CONNECTOR: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_CONNECTOR): vol.All(vol.Coerce(int), vol.Range(min=1))
}


type Names = dict[str, str | None]
"""What id tokens are called."""

type SessionCosts = dict[int, JsonObjectType]
"""What sessions cost as it is told, by key, as far as that is known."""


async def _get_sessions(target: Target, data: Data) -> JsonObjectType:
    limit: int = data[ATTR_LIMIT]
    sessions = await _sessions(
        target, limit, MAX_SESSIONS, open_only=data[ATTR_OPEN_ONLY]
    )
    if data[ATTR_SIGNED]:
        return await _with_signed(target, sessions)
    names, costs = _names(target, sessions), _costs(target, sessions)
    return {"sessions": [_told(one, names, costs) for one in sessions]}


async def _export_sessions(target: Target, data: Data) -> JsonObjectType:
    since, until = data.get(ATTR_START), data.get(ATTR_END)
    sessions = await _sessions(
        target, MAX_EXPORTED, MAX_EXPORTED, since=since, until=until
    )
    form: str = data[ATTR_FORMAT]
    if form == "csv":
        with translated_errors(target.station):
            counts = await signed_values.counts(
                target.hub.journal, target.station.identity
            )
        content = await target.hub.hass.async_add_executor_job(
            _csv, sessions, _names(target, sessions), _costs(target, sessions), counts
        )
    else:
        told = await _with_signed(target, sessions, since=since, until=until)
        content = await target.hub.hass.async_add_executor_job(_json, told)
    return {
        "count": len(sessions),
        "format": form,
        "filename": f"{slugify(target.station.settings.name)}_sessions.{form}",
        "content": content,
    }


async def _sessions(
    target: Target,
    limit: int,
    most: int,
    *,
    open_only: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Transaction]:
    """Return the sessions of a charger, or of one connector, newest first."""
    # Sessions of the other connectors do not count, so more are read.
    with translated_errors(target.station):
        sessions = await target.hub_station.transactions.sessions(
            limit=limit if target.named is None else most,
            open_only=open_only,
            since=since,
            until=until,
        )
    wanted = [one for one in sessions if target.named in {None, one.evse_id}]
    return wanted[:limit]


async def _with_signed(
    target: Target,
    sessions: list[Transaction],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> JsonObjectType:
    """Return sessions with what was signed of them, and what came in no session.

    The latter is not of a connector, and counts in the time when it came.
    """
    journal, station = target.hub.journal, target.station
    with translated_errors(station):
        try:
            signed = await signed_values.of_sessions(journal, sessions)
        except TooMuch as err:
            raise invalid(
                "too_many_signed_values", charger=station.settings.name
            ) from err
        others = await signed_values.of_nobody(journal, station.identity)
    names, costs = _names(target, sessions), _costs(target, sessions)
    told: JsonObjectType = {
        "sessions": [
            _told(session, names, costs)
            | {"signed_values": [_told_value(one) for one in values]}
            for session, values in zip(sessions, signed, strict=True)
        ]
    }
    if target.named is None:
        told["signed_values"] = [
            {"transaction_id": one.transaction_id, **_told_value(one)}
            for one in others
            if one.received_at is not None
            and (since is None or since <= one.received_at)
            and (until is None or one.received_at < until)
        ]
    return told


def _names(target: Target, sessions: list[Transaction]) -> Names:
    """Return what the tokens of sessions are called now."""
    name_of = target.hub.hass.data[DATA].tokens.name_of
    tokens = {one.id_token for one in sessions if one.id_token}
    return {id_token: name_of(id_token) for id_token in tokens}


def _told(session: Transaction, names: Names, costs: SessionCosts) -> JsonObjectType:
    """Return a session for a response; energy and meter readings in Wh."""
    return {
        "transaction_id": session.transaction_id,
        "cloud_id": session.cloud_id,
        "connector": session.evse_id,
        "id_token": session.id_token,
        "token_name": names.get(session.id_token or ""),
        "state": session.state,
        "start": session.started_at.isoformat(),
        "stop": session.stopped_at.isoformat() if session.stopped_at else None,
        "stop_reason": session.stop_reason,
        "energy": session.energy,
        "meter_start": session.meter_start,
        "meter_stop": session.meter_stop,
        "charging_time": session.charging_time,
        "events_missing": session.events_missing,
        "remote_start_id": session.remote_start_id,
        "cloud_cost": session.cloud_cost,
        **costs.get(session.key, {}),
    }


def _costs(target: Target, sessions: list[Transaction]) -> SessionCosts:
    """Return what sessions cost, nothing of those of which that is not known."""
    if (costs := target.station.costs) is None:
        return {}
    known = ((one.key, costs.of(one)) for one in sessions)
    return {key: {"cost": float(cost)} for key, cost in known if cost is not None}


def _told_value(value: SignedValue) -> JsonObjectType:
    """Return a signed value for a response; `value` is what the meter signed."""
    return {
        "measured_at": value.measured_at,
        "received_at": value.received_at.isoformat() if value.received_at else None,
        "context": value.context,
        "value": value.value,
    }


def _json(told: JsonObjectType) -> str:
    """Return sessions with what was signed as a JSON text."""
    return json.dumps(told, ensure_ascii=False, indent=2)


def _csv(
    sessions: list[Transaction],
    names: Names,
    costs: SessionCosts,
    counts: dict[int, int],
) -> str:
    """Return sessions as a table, and of how many values each has signed ones."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([*_COLUMNS, "signed_values"])
    for session in sessions:
        told = _told(session, names, costs)
        row = [_cell(told.get(column)) for column in _COLUMNS]
        writer.writerow([*row, counts.get(session.key, 0)])
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Return a cell that no spreadsheet computes: a charger chooses its id tokens."""
    return _FORMULA.sub(r"\1'\2", value) if isinstance(value, str) else value


ACTIONS: Final = ActionGroup(
    queries={
        "export_sessions": (
            _export_sessions,
            {
                **_CONNECTOR,
                vol.Optional(ATTR_FORMAT, default="csv"): vol.In(["csv", "json"]),
                vol.Optional(ATTR_START): _MOMENT,
                vol.Optional(ATTR_END): _MOMENT,
            },
        ),
        "get_sessions": (
            _get_sessions,
            {
                **_CONNECTOR,
                vol.Optional(ATTR_LIMIT, default=50): vol.All(
                    vol.Coerce(int), vol.Range(min=1, max=MAX_SESSIONS)
                ),
                vol.Optional(ATTR_OPEN_ONLY, default=False): cv.boolean,
                vol.Optional(ATTR_SIGNED, default=False): cv.boolean,
            },
        ),
    }
)
