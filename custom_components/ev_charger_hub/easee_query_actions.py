"""Actions that ask the Easee cloud: sessions, usage, users, and whatever it has a path for."""

from collections import defaultdict
from datetime import datetime, timedelta
from enum import StrEnum
import json
import re
from typing import Any, Final

import probatio as vol

from homeassistant.components.diagnostics import REDACTED
from homeassistant.helpers.json import json_bytes
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, JsonValueType

from .easee.account import EaseeAccount
from .easee.command_ids import CommandId
from .easee.commands import circuit_commands
from .easee.errors import Forbidden
from .easee.history import HourlyUsage, PastSession, hourly_usage, sessions
from .easee.requests import Lane, Reply
from .easee.sites import Sites, SiteUser, UserUsage
from .easee.writing import Order
from .easee_targets import EaseeTarget, async_resolve_easee
from .easee_writes import async_order
from .fields import ActionGroup, Data, response
from .helpers import failed, invalid
from .profile_words import moment, one_of
from .storage import DATA

ATTR_BODY: Final = "body"
ATTR_BY: Final = "by"
ATTR_END: Final = "end"
ATTR_LIMIT: Final = "limit"
ATTR_METHOD: Final = "method"
ATTR_PATH: Final = "path"
ATTR_START: Final = "start"
ATTR_USAGE: Final = "usage"

MONTH: Final = timedelta(days=30)
LONGEST: Final = timedelta(days=300)
"""What ten requests tell, which is what the cloud allows in an hour."""
MAX_SESSIONS: Final = 1000
MOST_OF_BODY: Final = 100_000

PREFIXES: Final = (
    "/api/",
    "/state/",
    "/firmware/",
    "/cloud-loadbalancing/",
    "/local-ocpp/",
)
"""Where paths may begin, all at one host."""
_PATH: Final = re.compile(
    r"(/[A-Za-z0-9._~:@!$'()*+,;=-]+)+/?(\?[A-Za-z0-9._~:@!$'()*+,;=&/-]*)?"
)
_OF_LOGIN: Final = re.compile(
    r"/api/(accounts/(?!(products|profile|easeekeys)(\?|$))|streams(/|$))",
    re.IGNORECASE,
)
"""What hands out tokens, or changes who may have them."""
_SECRET: Final = re.compile(
    r"(access|refresh)_?token|password|secret|pin_?code|access_?key", re.IGNORECASE
)
"""Names of what nobody needs to see: responses end up in traces."""


class Bucket(StrEnum):
    """How usage is summed up."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


_USUALLY: Final = {
    Bucket.HOUR: timedelta(days=1),
    Bucket.DAY: MONTH,
    Bucket.MONTH: 5 * MONTH,
}


class UserBucket(StrEnum):
    """How the usage of users is summed up."""

    MONTHLY = "monthly"
    YEARLY = "yearly"


# Sessions and usage


def _span(
    target: EaseeTarget, data: Data, usual: timedelta
) -> tuple[datetime, datetime]:
    """Return the time that is asked about."""
    end: datetime = data.get(ATTR_END) or target.account.time()
    start: datetime = data.get(ATTR_START) or end - usual
    if start >= end:
        raise invalid("easee_end_before_start")
    if end - start > LONGEST:
        raise invalid("easee_too_long", days=str(LONGEST.days))
    return start, end


async def _get_sessions(target: EaseeTarget, data: Data) -> JsonObjectType:
    charger = target.charger
    start, end = _span(target, data, MONTH)
    with target.errors():
        found = await sessions(target.account.requests, charger.serial, start, end)
    name_of = target.hub.hass.data[DATA].tokens.name_of
    newest = found[::-1][: data[ATTR_LIMIT]]
    return {
        "sessions": [
            _told(one, name_of(one.id_token) if one.id_token else None)
            for one in newest
        ]
    }


def _told(session: PastSession, name: str | None) -> JsonObjectType:
    """Return a session for a response; energy in Wh."""
    return {
        "id": session.id,
        "start": session.started_at.isoformat(),
        "stop": session.stopped_at.isoformat() if session.stopped_at else None,
        "energy": session.energy,
        "charging_time": session.charging_time,
        "id_token": session.id_token,
        "token_name": name,
        "cost": session.cost,
        "cost_without_vat": session.cost_without_vat,
        "price": session.price,
        "currency": session.currency,
    }


async def _get_usage(target: EaseeTarget, data: Data) -> JsonObjectType:
    charger, by = target.charger, data[ATTR_BY]
    start, end = _span(target, data, _USUALLY[by])
    with target.errors():
        hours = await hourly_usage(target.account.requests, charger.serial, start, end)
    used = _summed(hours, by)
    return {
        "by": by,
        "usage": [
            {"start": dt_util.as_local(at).isoformat(), "energy": used[at]}
            for at in sorted(used)
        ],
        "total": sum(used.values()),
    }


def _summed(hours: list[HourlyUsage], by: Bucket) -> dict[datetime, int]:
    """Return Wh by hour, day or month of the clock of the house; moments are in UTC.

    By that clock an hour that it repeats would be one with the hour before.
    """
    used: dict[datetime, int] = defaultdict(int)
    for hour in hours:
        at = dt_util.as_local(hour.start)
        if by is not Bucket.HOUR:
            at = dt_util.start_of_local_day(at)
        if by is Bucket.MONTH:
            at = dt_util.start_of_local_day(at.replace(day=1))
        used[dt_util.as_utc(at)] += hour.energy
    return used


async def _poll(target: EaseeTarget, data: Data) -> JsonObjectType:
    charger, hub_station = target.charger, target.charger_of
    told = {
        order: await async_order(hub_station, charger, order)
        for order in (Order.POLL_STATUS, Order.POLL_ENERGY)
    }
    with target.errors():
        await target.account.refresh(charger.serial)
    return response(told[Order.POLL_ENERGY])


# Users


async def _get_site_users(target: EaseeTarget, data: Data) -> JsonObjectType:
    site, by = target.site, data.get(ATTR_USAGE)
    sites = Sites(target.account.requests)
    with target.errors():
        try:
            users = await sites.users(site.id)
            usage = [await _usage(sites, site.id, one, by) for one in users]
        except Forbidden as err:
            raise failed("easee_owners_only", name=site.name) from err
    pairs = zip(users, usage, strict=True)
    return {"users": [_told_user(one, used) for one, used in pairs]}


def _told_user(user: SiteUser, usage: list[JsonValueType] | None) -> JsonObjectType:
    """Return somebody for a response."""
    told: JsonObjectType = {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "role": user.role,
    }
    return told if usage is None else {**told, "usage": usage}


async def _usage(
    sites: Sites, site_id: int, user: SiteUser, by: UserBucket | None
) -> list[JsonValueType] | None:
    """Return what somebody used; kWh, and money."""
    match by:
        case UserBucket.MONTHLY:
            found = await sites.monthly_usage(site_id, user.id)
        case UserBucket.YEARLY:
            found = await sites.yearly_usage(site_id, user.id)
        case None:
            return None
    return [_told_usage(one) for one in found]


def _told_usage(used: UserUsage) -> JsonObjectType:
    month: JsonObjectType = {} if used.month is None else {"month": used.month}
    return {
        "year": used.year,
        **month,
        "energy": used.energy,
        "cost": used.cost,
        "currency": used.currency,
    }


# Anything else


def _path(value: object) -> str:
    """Return a path of the cloud's own host, below which nobody gets tokens."""
    path = str(value)
    parts = path.partition("?")[0].split("/")
    if not _PATH.fullmatch(path) or not path.startswith(PREFIXES) or ".." in parts:
        raise vol.Invalid(
            f"expected a path that begins with one of {', '.join(PREFIXES)}"
        )
    if "." in parts or _OF_LOGIN.match(path):
        raise vol.Invalid("this path is not for actions")
    return path


def _body(value: object) -> object:
    """Return a body that can be sent: YAML knows more types and numbers than JSON."""
    try:
        size = len(json.dumps(value, allow_nan=False))
        json_bytes(value)
    except (RecursionError, TypeError, ValueError) as err:
        raise vol.Invalid("expected a body of JSON types") from err
    if size > MOST_OF_BODY:
        raise vol.Invalid(f"expected a body of at most {MOST_OF_BODY} characters")
    return value


async def _call(target: EaseeTarget, data: Data) -> JsonObjectType:
    account, method, path = target.account, data[ATTR_METHOD], data[ATTR_PATH]
    body = data.get(ATTR_BODY)
    with target.errors():
        if method == "GET":
            reply = await account.requests.request(
                method, path, lane=Lane.READ, json=body
            )
        else:
            reply = await _send(account, method, path, body)
    return {"status": reply.status, "body": _redacted(reply.body)}


async def _send(account: EaseeAccount, method: str, path: str, body: Any) -> Reply:
    """Return the answer to a request, and know that what it commands is ours."""
    serial, numbers = _addressed(account, path, body)
    expected = [(serial, number) for number in numbers]
    with account.commands.sending(serial):
        try:
            reply = await account.requests.request(
                method, path, lane=Lane.COMMAND, json=body
            )
            expected = _commands(reply.body) or expected
        finally:
            # Without an answer it may have been carried out all the same.
            for device, number in expected:
                account.commands.expect(device, number)
    return reply


def _addressed(account: EaseeAccount, path: str, body: Any) -> tuple[str, list[int]]:
    """Return which product a request may command, "" if none that is known.

    With it come the ids of the commands that the answer need not name.
    """
    where = path.partition("?")[0].rstrip("/").lower()
    for circuit in (one for site in account.sites.values() for one in site.circuits):
        base = f"/api/sites/{circuit.site_id}/circuits/{circuit.id}/"
        if where.startswith(base):
            what = where.removeprefix(base)
            return circuit.primary or "", _of_circuit(what, body)
    parts = where.upper().split("/")
    return next((one for one in parts if one in account.rogues), ""), []


def _of_circuit(what: str, body: Any) -> list[int]:
    """Return the ids of the commands that a request for a circuit becomes."""
    match what:
        case "dynamiccurrent":
            return [CommandId.SET_DYNAMIC_CIRCUIT_CURRENT]
        case "settings" if isinstance(body, dict):
            return circuit_commands(map(str, body))
    return []


def _redacted(body: Any) -> Any:
    """Return a body without what is secret in it."""
    match body:
        case dict():
            return {
                key: REDACTED if _SECRET.search(str(key)) else _redacted(value)
                for key, value in body.items()
            }
        case list():
            return [_redacted(one) for one in body]
    return body


def _commands(body: Any) -> list[tuple[str, int]]:
    """Return the commands that a request became: of which product, and which."""
    items = body if isinstance(body, list) else [body]
    return [
        (device, number)
        for one in items
        if isinstance(one, dict)
        and isinstance(device := one.get("device"), str)
        and isinstance(number := one.get("commandId"), int)
    ]


_SPAN: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_START): moment,
    vol.Optional(ATTR_END): moment,
}

ACTIONS: Final = ActionGroup(
    commands={"easee_poll": (_poll, {})},
    queries={
        "easee_get_sessions": (
            _get_sessions,
            {
                **_SPAN,
                vol.Optional(ATTR_LIMIT, default=50): vol.All(
                    vol.Coerce(int), vol.Range(min=1, max=MAX_SESSIONS)
                ),
            },
        ),
        "easee_get_usage": (
            _get_usage,
            {**_SPAN, vol.Optional(ATTR_BY, default=Bucket.DAY.value): one_of(Bucket)},
        ),
    },
    admin_queries={
        "easee_get_site_users": (
            _get_site_users,
            {vol.Optional(ATTR_USAGE): one_of(UserBucket)},
        ),
    },
    admin_commands={
        "easee_call": (
            _call,
            {
                vol.Required(ATTR_METHOD): vol.In(["DELETE", "GET", "POST", "PUT"]),
                vol.Required(ATTR_PATH): _path,
                vol.Optional(ATTR_BODY): _body,
            },
        ),
    },
    resolve=async_resolve_easee,
)
