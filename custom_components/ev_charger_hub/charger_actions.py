"""Actions about a charger as such: sessions, limits, settings and single messages."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
import json
from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType, JsonValueType

from .fields import (
    ATTR_CONNECTOR,
    ATTR_DURATION,
    ATTR_LIMIT,
    ATTR_UNIT,
    CONNECTOR_OR_ALL,
    DURATION,
    ActionGroup,
    Data,
    Handler,
    number,
    response,
)
from .helpers import (
    async_change_availability,
    async_limit,
    async_reset,
    async_send,
    async_start,
    async_stop,
    async_unlock,
    checked,
    first_connector,
    own_id_token,
    translated_errors,
)
from .ocpp.frames import encode
from .station import limits
from .station.enums import RateUnit
from .station.link import Capability, Limit
from .station.outcome import Outcome
from .targets import Target
from .variable_actions import NAME, VALUE

ATTR_ACTION = "action"
ATTR_DATA = "data"
ATTR_ID_TOKEN = "id_token"  # noqa: S105
ATTR_KEY = "key"
ATTR_KEYS = "keys"
ATTR_MESSAGE = "message"
ATTR_MESSAGE_ID = "message_id"
ATTR_OPERATIVE = "operative"
ATTR_PAYLOAD = "payload"
ATTR_PLUG = "plug"
ATTR_TRANSACTION_ID = "transaction_id"
ATTR_TYPE = "type"
ATTR_VALUE = "value"
ATTR_VENDOR_ID = "vendor_id"

type Sender = Callable[[Target, Data], Awaitable[Outcome]]


def _json(value: dict[str, Any]) -> dict[str, Any]:
    """Return a payload that can be sent: YAML knows more types and numbers than JSON."""
    try:
        json.dumps(value, allow_nan=False)
        encode([value])
    except (TypeError, ValueError) as err:
        raise vol.Invalid("expected a payload of JSON types") from err
    return value


def _text(length: int) -> Any:
    """Return a validator of a text that a message has room for."""
    return vol.All(cv.string, vol.Length(min=1, max=length))


# Actions that name a message: they send it and leave the judgement to the charger


async def _start_charging(target: Target, data: Data) -> Outcome:
    limit = Limit(value=data[ATTR_LIMIT]) if ATTR_LIMIT in data else None
    id_token = data.get(ATTR_ID_TOKEN) or own_id_token(target.hub)
    return await async_start(target.station, target.evse_id, id_token, limit)


async def _stop_charging(target: Target, data: Data) -> Outcome:
    transaction_id = data.get(ATTR_TRANSACTION_ID)
    if transaction_id is None:
        session = target.session_evse().transaction
        transaction_id = session.transaction_id if session is not None else ""
    return await async_stop(target.station, transaction_id)


async def _unlock_connector(target: Target, data: Data) -> Outcome:
    evse_id = target.required_evse_id()
    plug = data.get(ATTR_PLUG) or first_connector(target.evse)
    return await async_unlock(target.station, evse_id, plug)


async def _reset(target: Target, data: Data) -> Outcome:
    # The device of a connector is that of its charger here: it restarts as a whole.
    return await async_reset(
        target.station,
        hard=data[ATTR_TYPE] == "hard",
        evse_id=data.get(ATTR_CONNECTOR),
        resume=data[ATTR_TYPE] == "resume",
    )


async def _change_availability(target: Target, data: Data) -> Outcome:
    plug = data.get(ATTR_PLUG)
    evse_id = (target.named or 0) if plug is None else target.required_evse_id()
    return await async_change_availability(
        target.station, evse_id, operative=data[ATTR_OPERATIVE], connector_id=plug
    )


async def _trigger_message(target: Target, data: Data) -> Outcome:
    return await async_send(
        target.station,
        Capability.TRIGGER,
        lambda link: link.trigger(data[ATTR_MESSAGE], target.named),
    )


async def _set_configuration(target: Target, data: Data) -> Outcome:
    return await async_send(
        target.station,
        Capability.CONFIGURATION,
        lambda link: link.set_configuration(data[ATTR_KEY], data[ATTR_VALUE]),
    )


async def _clear_cache(target: Target, data: Data) -> Outcome:
    return await async_send(
        target.station, Capability.CLEAR_CACHE, lambda link: link.clear_cache()
    )


async def _data_transfer(target: Target, data: Data) -> Outcome:
    return await async_send(
        target.station,
        Capability.DATA_TRANSFER,
        lambda link: link.data_transfer(
            data[ATTR_VENDOR_ID], data.get(ATTR_MESSAGE_ID), data.get(ATTR_DATA)
        ),
    )


async def _call(target: Target, data: Data) -> Outcome:
    return await async_send(
        target.station,
        Capability.CALL,
        lambda link: link.call(data[ATTR_ACTION], data[ATTR_PAYLOAD]),
    )


# Actions that state an intent


async def _pause_charging(target: Target, data: Data) -> Outcome:
    evse_id = target.session_evse(limits.LimitErrorKind.NO_SESSION).id
    return await async_limit(target.station, limits.pause(target.station, evse_id))


async def _resume_charging(target: Target, data: Data) -> Outcome:
    without = limits.LimitErrorKind.NO_SESSION
    evse_id = target.evse_id or target.session_evse(without).id
    return await async_limit(target.station, limits.resume(target.station, evse_id))


async def _set_charging_limit(target: Target, data: Data) -> Outcome:
    limit = Limit(value=data[ATTR_LIMIT], unit=RateUnit(data[ATTR_UNIT]))
    duration: timedelta | None = data.get(ATTR_DURATION)
    wish = limits.request(target.station, target.evse_id or 0, limit, duration=duration)
    return await async_limit(target.station, wish)


async def _clear_charging_limit(target: Target, data: Data) -> Outcome:
    return await async_limit(
        target.station, limits.request(target.station, target.evse_id or 0, None)
    )


# Actions that ask


async def _get_configuration(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    with translated_errors(station):
        link = station.link(Capability.CONFIGURATION)
        outcome, keys, unknown = await link.get_configuration(data[ATTR_KEYS])
    configuration: list[JsonValueType] = [
        {"key": one.key, "value": one.value, "readonly": one.readonly} for one in keys
    ]
    return {
        **response(checked(station, outcome)),
        "configuration": configuration,
        "unknown_keys": list(unknown),
    }


_PLUG = {vol.Optional(ATTR_PLUG): vol.All(vol.Coerce(int), vol.Range(min=1))}
_CONNECTOR = {vol.Optional(ATTR_CONNECTOR): vol.All(vol.Coerce(int), vol.Range(min=1))}

_COMMANDS: dict[str, tuple[Sender, dict[Any, Any]]] = {
    "start_charging": (
        _start_charging,
        {
            **_CONNECTOR,
            vol.Optional(ATTR_ID_TOKEN): _text(36),
            vol.Optional(ATTR_LIMIT): number,
        },
    ),
    "stop_charging": (
        _stop_charging,
        {**_CONNECTOR, vol.Optional(ATTR_TRANSACTION_ID): _text(36)},
    ),
    "pause_charging": (_pause_charging, _CONNECTOR),
    "resume_charging": (_resume_charging, _CONNECTOR),
    "set_charging_limit": (
        _set_charging_limit,
        {
            **CONNECTOR_OR_ALL,
            vol.Required(ATTR_LIMIT): number,
            vol.Optional(ATTR_UNIT, default="A"): vol.In(
                [str(unit) for unit in RateUnit]
            ),
            vol.Optional(ATTR_DURATION): DURATION,
        },
    ),
    "clear_charging_limit": (_clear_charging_limit, CONNECTOR_OR_ALL),
    "unlock_connector": (_unlock_connector, {**_CONNECTOR, **_PLUG}),
    "reset": (
        _reset,
        {
            **_CONNECTOR,
            vol.Optional(ATTR_TYPE, default="soft"): vol.In(["hard", "resume", "soft"]),
        },
    ),
    "change_availability": (
        _change_availability,
        {**CONNECTOR_OR_ALL, **_PLUG, vol.Required(ATTR_OPERATIVE): cv.boolean},
    ),
    "trigger_message": (
        _trigger_message,
        {**_CONNECTOR, vol.Required(ATTR_MESSAGE): _text(50)},
    ),
    "set_configuration": (
        _set_configuration,
        {
            vol.Required(ATTR_KEY): NAME,
            vol.Required(ATTR_VALUE): VALUE,
        },
    ),
    "clear_cache": (_clear_cache, {}),
    "data_transfer": (
        _data_transfer,
        {
            vol.Required(ATTR_VENDOR_ID): _text(255),
            vol.Optional(ATTR_MESSAGE_ID): _text(50),
            vol.Optional(ATTR_DATA): cv.string,
        },
    ),
}

_QUERIES: dict[str, tuple[Handler, dict[Any, Any]]] = {
    "get_configuration": (
        _get_configuration,
        {
            vol.Optional(ATTR_KEYS, default=list): vol.All(cv.ensure_list, [NAME]),
        },
    ),
}

_CALL_FIELDS: dict[Any, Any] = {
    vol.Required(ATTR_ACTION): _text(50),
    vol.Optional(ATTR_PAYLOAD, default=dict): vol.All(dict, _json),
}


def _commanding(send: Sender) -> Handler:
    """Return a handler that answers with what became of a command."""

    async def handle(target: Target, data: Data) -> JsonObjectType:
        return response(await send(target, data))

    return handle


ACTIONS: Final = ActionGroup(
    commands={
        name: (_commanding(send), fields) for name, (send, fields) in _COMMANDS.items()
    },
    queries=_QUERIES,
    admin_commands={"call": (_commanding(_call), _CALL_FIELDS)},
)
