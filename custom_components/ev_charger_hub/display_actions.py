"""Actions about displays: show a message, take it away, and list what is there."""

from datetime import datetime, timedelta
from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType, JsonValueType

from .fields import ATTR_CONNECTOR, ATTR_DURATION, DURATION, ActionGroup, Data, response
from .helpers import checked, failed, invalid, translated_errors
from .profile_words import moment
from .station.clock import utc_now
from .station.display import (
    FIRST,
    SERIES,
    DisplayCriteria,
    DisplayLink,
    DisplayMessage,
    DisplayState,
    DisplaySupport,
    DisplayText,
    Priority,
    TextFormat,
)
from .station.errors import NotSupported
from .station.link import Capability
from .station.model import ChargingStation
from .station.outcome import Outcome
from .targets import Target

ATTR_FORMAT: Final = "format"
ATTR_LANGUAGE: Final = "language"
ATTR_MESSAGE: Final = "message"
ATTR_MESSAGE_ID: Final = "message_id"
ATTR_MESSAGE_IDS: Final = "message_ids"
ATTR_PRIORITY: Final = "priority"
ATTR_SESSION: Final = "session"
ATTR_SHOW_IN: Final = "show_in"
ATTR_START: Final = "start"
ATTR_TRANSACTION_ID: Final = "transaction_id"
ATTR_TRANSLATIONS: Final = "translations"
ATTR_UNTIL: Final = "until"

_AUTO: Final = "auto"
_MAX_ID: Final = 2**31 - 1
_MAX_IDS: Final = 100
_MAX_LENGTH: Final = 1024
_UNKNOWN: Final = "unknown"
_REFUSALS: Final = {
    "languagenotsupported": "display_language",
    "notsupportedmessageformat": "display_format",
    "notsupportedpriority": "display_priority",
    "notsupportedstate": "display_state",
    "unknowntransaction": "display_session",
}
"""What a charger says that does not show a message, and the error for it."""


def display_of(station: ChargingStation) -> DisplayLink:
    """Return what knows a display; raises NotConnected, or NotSupported before 2.x."""
    display = station.link(Capability.DISPLAY).display
    if display is None:
        raise NotSupported
    return display


async def async_show(
    station: ChargingStation, display: DisplayLink, message: DisplayMessage
) -> Outcome:
    """Have a charger show a message and return its good outcome."""
    with translated_errors(station):
        outcome = await display.show(message)
    name = station.settings.name
    if not outcome.ok and (key := _REFUSALS.get(outcome.answer.lower())):
        raise failed(key, charger=name, answer=outcome.answer)
    return checked(station, outcome)


def check_length(station: ChargingStation, support: DisplaySupport, text: str) -> None:
    """Raise if a text is longer than the version of OCPP has room for."""
    if len(text) > support.max_length:
        raise invalid(
            "display_too_long",
            charger=station.settings.name,
            room=str(support.max_length),
        )


async def _set_display_message(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    with translated_errors(station):
        display = display_of(station)
        support = display.support
        number = data.get(ATTR_MESSAGE_ID)
        if number is None:
            number = FIRST + await target.hub.journal.next_number(SERIES)
    text = _text(station, support, data)
    starts, ends = _times(data)
    # The charger goes by its own clock.
    ahead = station.skew.ahead
    message = DisplayMessage(
        message_id=number,
        priority=Priority(data[ATTR_PRIORITY]),
        text=text,
        state=DisplayState(data[ATTR_SHOW_IN]) if ATTR_SHOW_IN in data else None,
        starts=starts and starts + ahead,
        ends=ends and ends + ahead,
        transaction_id=_transaction_id(target, data),
        evse_id=data.get(ATTR_CONNECTOR),
        translations=tuple(
            DisplayText(
                content=one[ATTR_MESSAGE],
                format=text.format,
                language=one[ATTR_LANGUAGE],
            )
            for one in data[ATTR_TRANSLATIONS]
        ),
    )
    outcome = await async_show(station, display, message)
    return {**response(outcome), "message_id": number}


def _text(station: ChargingStation, support: DisplaySupport, data: Data) -> DisplayText:
    content: str = data[ATTR_MESSAGE]
    for one in (content, *(each[ATTR_MESSAGE] for each in data[ATTR_TRANSLATIONS])):
        check_length(station, support, one)
    wanted = data[ATTR_FORMAT]
    return DisplayText(
        content=content,
        format=support.format_of(content) if wanted == _AUTO else TextFormat(wanted),
        language=data.get(ATTR_LANGUAGE),
    )


def _times(data: Data) -> tuple[datetime | None, datetime | None]:
    """Return from when until when a message is to be seen, None for always."""
    starts: datetime | None = data.get(ATTR_START)
    ends: datetime | None = data.get(ATTR_UNTIL)
    if ATTR_DURATION in data:
        duration: timedelta = data[ATTR_DURATION]
        ends = (starts or utc_now()) + duration
    if ends is not None and ends <= (starts or utc_now()):
        raise invalid("display_over")
    return starts, ends


def _transaction_id(target: Target, data: Data) -> str | None:
    """Return the session that a message is for, None if it is for any."""
    if ATTR_TRANSACTION_ID in data:
        named: str = data[ATTR_TRANSACTION_ID]
        return named
    if not data[ATTR_SESSION]:
        return None
    session = target.session_evse().transaction
    return session.transaction_id if session is not None else None


async def async_clear(
    station: ChargingStation, display: DisplayLink, number: int
) -> Outcome:
    """Have a charger take a message away; not even to have had it is good."""
    with translated_errors(station):
        outcome = await display.clear(number)
    gone = outcome.answer.lower() == _UNKNOWN
    return outcome if gone else checked(station, outcome)


async def _clear_display_message(target: Target, data: Data) -> JsonObjectType:
    station, number = target.station, data[ATTR_MESSAGE_ID]
    with translated_errors(station):
        display = display_of(station)
    outcome = await async_clear(station, display, number)
    if outcome.answer.lower() == _UNKNOWN:
        name = station.settings.name
        raise failed("display_unknown", charger=name, id=str(number))
    return {**response(outcome), "message_id": number}


async def _get_display_messages(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    criteria = DisplayCriteria(
        message_ids=tuple(data[ATTR_MESSAGE_IDS]),
        priority=Priority(data[ATTR_PRIORITY]) if ATTR_PRIORITY in data else None,
        state=DisplayState(data[ATTR_SHOW_IN]) if ATTR_SHOW_IN in data else None,
    )
    with translated_errors(station):
        display = display_of(station)
        outcome, report = await display.messages(criteria)
    checked(station, outcome)
    support = display.support
    messages: list[JsonValueType] = [_told(station, one) for one in report.messages]
    return {
        "messages": messages,
        "complete": report.complete,
        "answer": outcome.answer,
        "formats": [*support.formats],
        "priorities": [*support.priorities],
        "states": [*support.states],
        "max_messages": support.max_messages,
    }


def _told(station: ChargingStation, message: DisplayMessage) -> JsonObjectType:
    """Return a message for a response."""
    ahead = station.skew.ahead
    starts, ends = message.starts, message.ends
    return {
        "message_id": message.message_id,
        "message": message.text.content,
        "format": message.text.format,
        "language": message.text.language,
        "priority": message.priority,
        "show_in": message.state,
        "start": None if starts is None else (starts - ahead).isoformat(),
        "until": None if ends is None else (ends - ahead).isoformat(),
        "transaction_id": message.transaction_id,
        "connector": message.evse_id,
        "translations": [
            {"language": one.language, "message": one.content}
            for one in message.translations
        ],
    }


def _words(kind: type[Priority | DisplayState | TextFormat]) -> Any:
    return vol.In([one.value for one in kind])


_ID: Final = vol.All(vol.Coerce(int), vol.Range(min=0, max=_MAX_ID))
_CONTENT: Final = vol.All(cv.string, vol.Length(min=1, max=_MAX_LENGTH))
_LANGUAGE: Final = vol.All(cv.string, vol.Match(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,4})?$"))
_SET: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_CONNECTOR): vol.All(vol.Coerce(int), vol.Range(min=1)),
    vol.Required(ATTR_MESSAGE): _CONTENT,
    vol.Optional(ATTR_MESSAGE_ID): _ID,
    vol.Optional(ATTR_PRIORITY, default=Priority.NORMAL_CYCLE.value): _words(Priority),
    vol.Optional(ATTR_SHOW_IN): _words(DisplayState),
    vol.Optional(ATTR_FORMAT, default=_AUTO): vol.Any(_AUTO, _words(TextFormat)),
    vol.Optional(ATTR_LANGUAGE): _LANGUAGE,
    vol.Optional(ATTR_START): moment,
    vol.Exclusive(ATTR_UNTIL, "end"): moment,
    vol.Exclusive(ATTR_DURATION, "end"): DURATION,
    vol.Optional(ATTR_SESSION, default=False): cv.boolean,
    vol.Optional(ATTR_TRANSACTION_ID): vol.All(cv.string, vol.Length(min=1, max=36)),
    vol.Optional(ATTR_TRANSLATIONS, default=list): vol.All(
        cv.ensure_list,
        [
            {
                vol.Required(ATTR_LANGUAGE): _LANGUAGE,
                vol.Required(ATTR_MESSAGE): _CONTENT,
            }
        ],
        vol.Length(max=4),
    ),
}
_GET: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_MESSAGE_IDS, default=list): vol.All(
        cv.ensure_list, [_ID], vol.Length(max=_MAX_IDS)
    ),
    vol.Optional(ATTR_PRIORITY): _words(Priority),
    vol.Optional(ATTR_SHOW_IN): _words(DisplayState),
}

ACTIONS: Final = ActionGroup(
    commands={
        "clear_display_message": (
            _clear_display_message,
            {vol.Required(ATTR_MESSAGE_ID): _ID},
        ),
        "set_display_message": (_set_display_message, _SET),
    },
    queries={"get_display_messages": (_get_display_messages, _GET)},
)
