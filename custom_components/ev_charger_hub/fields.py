"""Fields of actions: what several of them have in common."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import probatio as vol

from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from .station.outcome import Outcome
from .targets import Target, async_resolve

ATTR_CONNECTOR: Final = "connector"
ATTR_DURATION: Final = "duration"
ATTR_LIMIT: Final = "limit"
ATTR_UNIT: Final = "unit"

CONNECTOR_OR_ALL: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_CONNECTOR): vol.All(vol.Coerce(int), vol.Range(min=0))
}


def _period(value: object) -> timedelta:
    """Return how long something lasts; more than Python can count is no answer."""
    try:
        return cv.positive_time_period(value)
    except OverflowError as err:
        raise vol.Invalid("too long") from err


DURATION: Final = vol.All(_period, vol.Range(min=timedelta(seconds=1)))

type Data = Mapping[str, Any]
type Handler[T = Target] = Callable[[T, Data], Awaitable[JsonObjectType]]
type Actions[T = Target] = Mapping[str, tuple[Handler[T], dict[Any, Any]]]
"""Actions by name: what they do, and their fields beside the charger."""


@dataclass(kw_only=True, slots=True, frozen=True)
class ActionGroup[T = Target]:
    """Actions of one subject: those that do something, and those that only ask.

    What an administrator alone may do is apart. `resolve` finds what a device, and the
    number of a connector, stand for.
    """

    commands: Actions[T] = field(default_factory=dict)
    queries: Actions[T] = field(default_factory=dict)
    admin_commands: Actions[T] = field(default_factory=dict)
    admin_queries: Actions[T] = field(default_factory=dict)
    resolve: Callable[[HomeAssistant, str, int | None], Any] = async_resolve


def number(value: object) -> Decimal:
    """Return a limit exactly as it was written."""
    read: float = vol.All(vol.Coerce(float), vol.Range(min=0))(value)
    return Decimal(str(read))


def response(outcome: Outcome) -> JsonObjectType:
    """Return what became of a command, for a response."""
    return {
        "status": outcome.status,
        "answer": outcome.answer,
        "detail": outcome.detail,
        "response": outcome.response,
    }
