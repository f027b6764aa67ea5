"""Reading values: what a product reports, from the wire into an observation.

The stream writes every value as text, the state API as JSON; what it is says the data
type on the wire, as tables of sources disagree (easee_cloud.md 1.6, evcc gaps).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import IntEnum
import logging
import math
from typing import Any, Final

import orjson

from ..station.clock import MAX_FUTURE
from ..station.secrets import shortened
from .ids import ChargerId, EqualizerId
from .readings import Observation, Value

_LOGGER = logging.getLogger(__name__)

YES: Final = frozenset({"1", "true", "on", "yes"})
NO: Final = frozenset({"0", "false", "off", "no"})
LONGEST_NUMBER: Final = 40
"""Characters; nobody measures that exactly."""
NUMBERS: Final = range(1 << 16)
"""Those of observations; the highest known is 251."""
DAWN: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing is older; .NET writes the year 1 for never."""


_KNOWN: Final = frozenset({*ChargerId, *EqualizerId})


class DataType(IntEnum):
    """How a value is to be read."""

    BINARY = 1
    BOOLEAN = 2
    DOUBLE = 3
    INTEGER = 4
    POSITION = 5
    STRING = 6
    STATISTICS = 7


class Unreadable(ValueError):
    """Something that is no observation; it says why without saying what."""


def is_known(number: int) -> bool:
    """Return whether any product is known to report an observation."""
    return number in _KNOWN


def observation_of_update(payload: object, now: datetime | None = None) -> Observation:
    """Return what a ProductUpdate tells, Unreadable if it tells nothing."""
    match payload:
        case {"mid": str() as serial} if serial:
            return _observation(serial, payload, now)
    raise Unreadable("an observation of nobody")


def observation_of_state(
    serial: str, item: object, now: datetime | None = None
) -> Observation | None:
    """Return what one item of the state API tells, None if it is not to be read.

    With `now` no observation is more than five minutes ahead of it.
    """
    try:
        return _observation(serial, item, now)
    except Unreadable as err:
        _LOGGER.debug("%s: %s", shortened(serial), err)
        return None


def _observation(serial: str, item: object, now: datetime | None) -> Observation:
    number = item.get("id") if isinstance(item, dict) else None
    if not isinstance(item, dict) or type(number) is not int or number not in NUMBERS:
        raise Unreadable("an observation without a number")
    if (value := item.get("value")) is None:
        raise Unreadable(f"observation {number} without a value")
    if (at := moment(item.get("timestamp"), now)) is None:
        raise Unreadable(f"observation {number} without a time")
    kind = item.get("dataType")
    try:
        read = _read(kind, value)
    except ValueError, OverflowError:
        raise Unreadable(
            f"a value of observation {number}, type {kind!r:.20}"
        ) from None
    return Observation(serial=serial, id=number, value=read, at=at)


def _read(kind: object, value: Any) -> Value:
    """Return a value as its data type wants it; ValueError if it is none such."""
    match kind:
        case DataType.BOOLEAN:
            return flag(value)
        case DataType.DOUBLE:
            return _number(value)
        case DataType.INTEGER:
            return _integer(value)
        case (
            DataType.BINARY | DataType.POSITION | DataType.STRING | DataType.STATISTICS
        ):
            return _text(value)
        case None if isinstance(value, bool | int | str):
            return value
        case None if isinstance(value, float):
            return _number(value)
    raise ValueError(kind)


def flag(value: object) -> bool:
    """Return the meaning of a word or number for yes or no."""
    match value:
        case bool():
            return value
        case str() | int():
            word = str(value).strip().lower()
            if word in YES or word in NO:
                return word in YES
    raise ValueError(value)


def _number(value: object) -> float:
    match value:
        case str() if len(value) <= LONGEST_NUMBER:
            read = float(value)
        case int() | float():
            read = float(value)
        case _:
            raise ValueError(value)
    if not math.isfinite(read):
        raise ValueError(value)
    return read


def _integer(value: object) -> int:
    """Return a whole number, also if it is written with a decimal point."""
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER:
        try:
            return int(value)
        except ValueError:
            pass
    read = _number(value)
    if not read.is_integer():
        raise ValueError(value)
    return value if type(value) is int else int(read)


def _text(value: object) -> str:
    """Return text; the state API writes JSON in it out."""
    match value:
        case str():
            return value
        case Mapping() | list() | bool() | int() | float():
            return orjson.dumps(value).decode()
    raise ValueError(value)


def moment(stamp: object, now: datetime | None = None) -> datetime | None:
    """Return when something was, by a stamp with up to seven digits of a second.

    Without a zone it is UTC. What is more than five minutes ahead of `now` was now: it
    would make history of all that follows.
    """
    if not isinstance(stamp, str):
        return None
    try:
        at = datetime.fromisoformat(stamp)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except ValueError, OverflowError:
        return None
    if now is not None and at > now + MAX_FUTURE:
        return now
    return max(at, DAWN)
