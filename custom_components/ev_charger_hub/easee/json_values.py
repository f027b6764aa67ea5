"""JSON values: what REST says, of which nothing is certain, one field at a time."""

from collections.abc import Iterator, Mapping
import math
from typing import Any

from .errors import Unavailable

type Json = Mapping[str, Any]


def number(value: object) -> float | None:
    """Return a finite number, None if it is none; some come as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value)
    except ValueError, OverflowError:
        return None
    return read if math.isfinite(read) else None


def whole(value: object) -> int | None:
    """Return a whole number, None if it is none."""
    read = number(value)
    return int(read) if read is not None and read.is_integer() else None


def text(value: object) -> str | None:
    """Return a text that says something, None if it is none."""
    return value.strip() or None if isinstance(value, str) else None


def serial_number(value: object) -> str | None:
    """Return a serial number in capital letters, None if it is none."""
    serial = text(value)
    return None if serial is None else serial.upper()


def currency(value: object) -> str | None:
    """Return a currency by its three letters; anything else would be no unit."""
    code = (text(value) or "").upper()
    return code if len(code) == 3 and code.isascii() and code.isalpha() else None


def objects(value: object) -> Iterator[Json]:
    """Yield the objects of a list; where a list may be, there may be null."""
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def an_object(body: object) -> Json:
    """Return a body that is an object; raises Unavailable if the cloud raves."""
    if isinstance(body, dict):
        return body
    raise Unavailable("the answer is no object")


def a_list(body: object) -> list[Json]:
    """Return a body that is a list of objects; raises Unavailable if the cloud raves."""
    if isinstance(body, list):
        return list(objects(body))
    raise Unavailable("the answer is no list")
