"""Actions about reservations: make or change one, give it up, and list them."""

from datetime import datetime, timedelta
from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, JsonValueType

from .fields import (
    ATTR_DURATION,
    ATTR_LIMIT,
    CONNECTOR_OR_ALL,
    DURATION,
    ActionGroup,
    Data,
    response,
)
from .helpers import checked, failed, invalid, translated_errors
from .profile_words import moment
from .station.clock import utc_now
from .station.link import Capability
from .station.outcome import Outcome
from .station.reservation import Reservation
from .station.reservations import UNKNOWN, Reservations
from .station.secrets import shortened
from .station.tokens import GROUP_LENGTH, TOKEN_LENGTH
from .storage import DATA
from .targets import Target
from .token_entries import group_problem, token_problem

ATTR_CONNECTOR_TYPE: Final = "connector_type"
ATTR_GROUP: Final = "group"
ATTR_ID_TOKEN: Final = "id_token"  # noqa: S105
ATTR_OPEN_ONLY: Final = "open_only"
ATTR_RESERVATION_ID: Final = "reservation_id"
ATTR_UNTIL: Final = "until"

DEFAULT_DURATION: Final = timedelta(hours=1)
MAX_DURATION: Final = timedelta(days=366)
MAX_ID: Final = 2**31 - 1
MAX_RESERVATIONS: Final = 1000

_REFUSALS: Final = {
    "faulted": "reservation_faulted",
    "occupied": "reservation_occupied",
    "rejected": "reservation_rejected",
    "unavailable": "reservation_unavailable",
}
"""What a charger says that does not reserve (OCPP 1.6 7.40), and the error for it."""


async def _reserve_now(target: Target, data: Data) -> JsonObjectType:
    station, reservations = target.station, target.hub_station.reservations
    with translated_errors(station):
        _check_room(target, data)
        asked = _change if ATTR_RESERVATION_ID in data else _reserve
        outcome, reservation = await asked(target, data)
    if not outcome.ok and (key := _REFUSALS.get(outcome.answer.lower())):
        raise failed(key, charger=station.settings.name)
    return {
        **response(checked(station, outcome)),
        **_told(reservations, reservation),
    }


async def _reserve(target: Target, data: Data) -> tuple[Outcome, Reservation]:
    """Make a new reservation."""
    if (id_token := data.get(ATTR_ID_TOKEN)) is None:
        raise invalid("token_required")
    # Which kind of connector is wanted says enough: the charger chooses one (H01 S3).
    anywhere = target.named == 0 or (
        target.named is None and ATTR_CONNECTOR_TYPE in data
    )
    return await target.hub_station.reservations.reserve(
        evse_id=0 if anywhere else target.required_evse_id(),
        id_token=id_token,
        expires=_expiry(data) or _whole(utc_now() + DEFAULT_DURATION),
        group=data.get(ATTR_GROUP) or _group_of(target, id_token),
        connector_type=data.get(ATTR_CONNECTOR_TYPE),
    )


async def _change(target: Target, data: Data) -> tuple[Outcome, Reservation]:
    """Change an open reservation; what is not given stays as it was."""
    number, id_token = data[ATTR_RESERVATION_ID], data.get(ATTR_ID_TOKEN)
    group = data.get(ATTR_GROUP)
    if group is None and id_token is not None:
        group = _group_of(target, id_token)
    try:
        return await target.hub_station.reservations.change(
            number,
            evse_id=target.named,
            id_token=id_token,
            expires=_expiry(data),
            group=group,
        )
    except KeyError as err:
        raise invalid(
            "reservation_closed", charger=target.station.settings.name, id=str(number)
        ) from err


def _check_room(target: Target, data: Data) -> None:
    """Raise if the charger has no room for a token: OCPP 1.6 ends at 20 characters."""
    link = target.station.link(Capability.RESERVATION)
    room = link.local_list_support.max_token or TOKEN_LENGTH
    if len(data.get(ATTR_ID_TOKEN, "")) > room:
        raise invalid(
            "token_no_room", charger=target.station.settings.name, room=str(room)
        )


def _expiry(data: Data) -> datetime | None:
    """Return until when a connector is to be reserved, if that is told."""
    now = utc_now()
    until: datetime | None = data.get(ATTR_UNTIL)
    if ATTR_DURATION in data:
        until = now + data[ATTR_DURATION]
    if until is None:
        return None
    if until <= now:
        raise invalid("reservation_over", until=dt_util.as_local(until).isoformat())
    if until > now + MAX_DURATION:
        raise invalid("reservation_far")
    return _whole(until)


def _whole(moment: datetime) -> datetime:
    """Return a moment in whole seconds: OCPP knows no others."""
    return moment.replace(microsecond=0)


def _group_of(target: Target, id_token: str) -> str | None:
    """Return the group of a token that the user added."""
    token = target.hub.hass.data[DATA].tokens.find(id_token)
    return token.group if token is not None else None


async def _cancel_reservation(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    number: int = data.get(ATTR_RESERVATION_ID) or _only_one(target).reservation_id
    with translated_errors(station):
        outcome = await target.hub_station.reservations.cancel(number)
    if not outcome.ok and outcome.answer.lower() == UNKNOWN:
        raise failed(
            "reservation_unknown", charger=station.settings.name, id=str(number)
        )
    return {**response(checked(station, outcome)), "reservation_id": number}


def _only_one(target: Target) -> Reservation:
    """Return the reservation that a user means who names none."""
    charger = target.station.settings.name
    found = [
        one
        for one in target.hub_station.reservations.open_ones
        if target.named in {None, one.evse_id}
    ]
    if not found:
        raise invalid("no_reservation", charger=charger)
    if len(found) > 1:
        raise invalid("reservation_required", charger=charger)
    return found[0]


async def _get_reservations(target: Target, data: Data) -> JsonObjectType:
    limit: int = data[ATTR_LIMIT]
    reservations = target.hub_station.reservations
    # Those of the other connectors do not count, so more are read.
    with translated_errors(target.station):
        found = await reservations.history(
            limit=limit if target.named is None else MAX_RESERVATIONS,
            open_only=data[ATTR_OPEN_ONLY],
        )
    wanted = [one for one in found if target.named in {None, one.evse_id}]
    told: list[JsonValueType] = [_told(reservations, one) for one in wanted[:limit]]
    return {"reservations": told}


def _told(reservations: Reservations, reservation: Reservation) -> JsonObjectType:
    """Return a reservation for a response; tokens are as good as keys."""
    ended, group = reservation.ended_at, reservation.group
    return {
        "reservation_id": reservation.reservation_id,
        "connector": reservation.evse_id,
        "connector_type": reservation.connector_type,
        "reserved_for": reservations.holder(reservation),
        "group": None if group is None else shortened(group),
        "state": reservation.state,
        "created": reservation.created_at.isoformat(),
        "until": reservation.expires_at.isoformat(),
        "ended": None if ended is None else ended.isoformat(),
        "transaction_id": reservation.transaction_id,
    }


def _token(value: object) -> str:
    """Return a text that can be a token."""
    text = cv.string(value).strip()
    if token_problem(text) is not None:
        raise vol.Invalid(f"expected 1 to {TOKEN_LENGTH} ASCII characters")
    return text


def _group(value: object) -> str:
    """Return a text that can be a group."""
    text = cv.string(value).strip()
    if not text or group_problem(text) is not None:
        raise vol.Invalid(f"expected 1 to {GROUP_LENGTH} ASCII characters")
    return text


_WORD: Final = vol.All(cv.string, vol.Match(r"^[A-Za-z0-9_-]{1,20}$"))
_NUMBER: Final = vol.All(vol.Coerce(int), vol.Range(min=1, max=MAX_ID))

_RESERVE: dict[Any, Any] = {
    **CONNECTOR_OR_ALL,
    vol.Optional(ATTR_ID_TOKEN): _token,
    vol.Exclusive(ATTR_UNTIL, "end"): moment,
    vol.Exclusive(ATTR_DURATION, "end"): vol.All(DURATION, vol.Range(max=MAX_DURATION)),
    vol.Optional(ATTR_GROUP): _group,
    vol.Exclusive(ATTR_CONNECTOR_TYPE, "kind"): _WORD,
    vol.Exclusive(ATTR_RESERVATION_ID, "kind"): _NUMBER,
}
_CANCEL: dict[Any, Any] = {
    **CONNECTOR_OR_ALL,
    vol.Optional(ATTR_RESERVATION_ID): _NUMBER,
}
_LIST: dict[Any, Any] = {
    **CONNECTOR_OR_ALL,
    vol.Optional(ATTR_LIMIT, default=50): vol.All(
        vol.Coerce(int), vol.Range(min=1, max=MAX_RESERVATIONS)
    ),
    vol.Optional(ATTR_OPEN_ONLY, default=False): cv.boolean,
}

ACTIONS: Final = ActionGroup(
    commands={
        "reserve_now": (_reserve_now, _RESERVE),
        "cancel_reservation": (_cancel_reservation, _CANCEL),
    },
    queries={"get_reservations": (_get_reservations, _LIST)},
)
