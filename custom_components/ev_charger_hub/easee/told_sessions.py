"""Told sessions: what the Easee cloud knows of a session, and how the journal hears it.

A session is told three times: when it starts (observation 223), when it is over (129),
and in the list of sessions (easee_cloud.md 2.4, 1.5 #14). Its id is the same in all.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import orjson

from ..station.enums import StopReason
from ..station.transaction import CLOUD, CLOUD_UNNAMED
from ..station.transaction_events import Bound, EventKind, Reading, TransactionEvent
from .reading_values import moment

EVSE: Final = 1
"""An Easee charger has one."""

_REGISTER: Final = "Energy.Active.Import.Register"
_AUTH_REASON: Final = "Easee.AuthReason"
_MAX_KWH: Final = 10**9
_MAX_ID: Final = 64


class Unreadable(ValueError):
    """Something that tells of no session."""


@dataclass(kw_only=True, slots=True, frozen=True)
class ToldSession:
    """A session as the cloud tells of it; energies and registers in Wh.

    One that goes on has no `stopped_at`. `auth_reason` is a number without a table.
    """

    id: str
    started_at: datetime
    stopped_at: datetime | None = None
    energy: int | None = None
    meter_start: int | None = None
    meter_stop: int | None = None
    id_token: str | None = field(default=None, repr=False)
    auth_reason: int | None = None
    cost: dict[str, Any] | None = None
    """What it cost, if that is told: `amount` and `currency`."""

    @property
    def transaction_id(self) -> str:
        """Return what the journal calls it."""
        return f"{CLOUD}{self.id}"

    @property
    def delivered(self) -> int | None:
        """Return what it came to in Wh: what is billed, or else what the meter says."""
        if self.energy is not None or self.meter_start is None:
            return self.energy
        if self.meter_stop is None or self.meter_stop < self.meter_start:
            return None
        return self.meter_stop - self.meter_start

    @property
    def begin(self) -> TransactionEvent:
        """Return its start as the journal hears of it."""
        return TransactionEvent(
            kind=EventKind.STARTED,
            transaction_id=self.transaction_id,
            claimed_at=self.started_at,
            recorded=True,
            evse_id=EVSE,
            id_token=self.id_token,
            readings=self._readings,
            values_start=self._values_start,
        )

    def end(self, reason: StopReason) -> TransactionEvent:
        """Return all of it as the journal hears of it once it is over."""
        return TransactionEvent(
            kind=EventKind.ENDED,
            transaction_id=self.transaction_id,
            claimed_at=self.stopped_at,
            recorded=True,
            evse_id=EVSE,
            id_token=self.id_token,
            reason=reason,
            readings=self._readings,
            values_start=self._values_start,
            values_stop=_register(self.meter_stop),
            started_at=self.started_at,
            energy=self.delivered,
            cost=self.cost,
        )

    @property
    def _readings(self) -> tuple[Reading, ...]:
        if self.meter_start is None:
            return ()
        return (
            Reading(at=self.started_at, register=self.meter_start, bound=Bound.BEGIN),
        )

    @property
    def _values_start(self) -> dict[str, Any]:
        values = _register(self.meter_start)
        if self.auth_reason is not None:
            values[_AUTH_REASON] = {"value": str(self.auth_reason), "unit": None}
        return values


def _register(register: int | None) -> dict[str, Any]:
    if register is None:
        return {}
    return {_REGISTER: {"value": str(register), "unit": "Wh"}}


def unnamed(at: datetime) -> TransactionEvent:
    """Return the start of a session of which only its charger's mode tells."""
    return TransactionEvent(
        kind=EventKind.STARTED,
        transaction_id=f"{CLOUD_UNNAMED}{int(at.timestamp())}",
        claimed_at=at,
        recorded=True,
        evse_id=EVSE,
        # Its register is unknown: what is counted is the session alone.
        readings=(Reading(at=at, register=0, bound=Bound.BEGIN),),
    )


def start_in(text: str, now: datetime) -> ToldSession:
    """Return what observation 223 tells; raises Unreadable."""
    facts = _facts(text)
    return ToldSession(
        id=_id(facts),
        started_at=_moment(facts, "start", now),
        meter_start=watt_hours(facts.get("metervalue")),
        id_token=word(facts.get("auth")),
        auth_reason=_number(facts.get("authreason")),
    )


def session_in(text: str, now: datetime) -> ToldSession:
    """Return what observation 129 tells; raises Unreadable."""
    facts = _facts(text)
    stopped_at = _moment(facts, "stop", now)
    return ToldSession(
        id=_id(facts),
        started_at=min(_moment(facts, "start", now), stopped_at),
        stopped_at=stopped_at,
        energy=watt_hours(facts.get("energykwh")),
        meter_start=watt_hours(facts.get("metervaluestart")),
        meter_stop=watt_hours(facts.get("metervaluestop")),
        id_token=word(facts.get("auth")),
        auth_reason=_number(facts.get("authreason")),
    )


def _facts(text: str) -> dict[str, Any]:
    try:
        facts = orjson.loads(text)
    except orjson.JSONDecodeError as err:
        raise Unreadable("no JSON") from err
    if not isinstance(facts, dict):
        raise Unreadable("no object")
    return {key.lower(): value for key, value in facts.items()}


def _id(facts: dict[str, Any]) -> str:
    if (known := identifier(facts.get("id"))) is None:
        raise Unreadable("no id")
    return known


def identifier(value: object) -> str | None:
    """Return the id of a session as text, None if it is none."""
    text = str(value).strip() if type(value) in {int, str} else ""
    return text if text not in {"", "0"} and len(text) <= _MAX_ID else None


def _moment(facts: dict[str, Any], name: str, now: datetime) -> datetime:
    if (at := moment(facts.get(name), now)) is None:
        raise Unreadable(f"no {name}")
    return at


def watt_hours(value: object) -> int | None:
    """Return kWh as whole Wh, None if that is no energy."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        energy = Decimal(str(value))
    except InvalidOperation:
        return None
    if not energy.is_finite() or not 0 <= energy < _MAX_KWH:
        return None
    return round(energy * 1000)


def word(value: object) -> str | None:
    """Return a text that says something."""
    return (value.strip() or None) if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if type(value) is int else None
