"""Frames: the JSON arrays of OCPP-J, read with bounds and written compactly."""

from decimal import Decimal
from enum import IntEnum
import re
from typing import Any, TypeIs

import orjson

from .errors import OcppError

MAX_DEPTH = 32
MAX_ID = 36
MAX_STRING = 64 * 1024
"""Characters of one string: what a signed meter value may have."""

MAX_ITEMS = 10_000
"""Elements of one list or object."""
# Answers an unreadable message (OCPP 2.x part 4, 4.2.3).
UNKNOWN_ID = "-1"

_HALF_PAIR = re.compile(
    r"(?<!\\)((?:\\\\)*)\\(u[dD]"
    r"(?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD])[c-fC-F][0-9a-fA-F]{2}))"
)


class MessageType(IntEnum):
    """The first element of a frame (OCPP 2.1 part 4, 4.1.3); 1.6 has the first three."""

    CALL = 2
    CALLRESULT = 3
    CALLERROR = 4
    CALLRESULTERROR = 5
    SEND = 6


class FrameError(OcppError):
    """The text is no OCPP-J frame, or one that is beyond the bounds: `frame`."""

    def __init__(self, reason: str, frame: list[Any] | None = None) -> None:
        """Keep a frame that is too large, so that it can be answered."""
        super().__init__(reason)
        self.frame = frame

    @property
    def call(self) -> str | None:
        """Return the id of the CALL that has to be answered."""
        frame = self.frame or []
        if len(frame) < 2 or frame[0] != MessageType.CALL or not readable(frame[1]):
            return None
        return str(frame[1])


def decode(text: str | bytes) -> list[Any]:
    """Return the frame: a list that starts with an integer, within all bounds."""
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        frame = _with_half_pairs(text)
    if type(frame) is not list or not frame or type(frame[0]) is not int:
        raise FrameError("not an array that starts with a message type")
    if _brackets(text) > MAX_DEPTH and _deeper(frame, MAX_DEPTH):
        raise FrameError("nested too deep", frame)
    # A list needs two bytes for each of its elements: most frames are not searched.
    if len(text) > 2 * MAX_ITEMS and _too_large(frame):
        raise FrameError("too long a text or list", frame)
    return frame


def encode(frame: list[Any]) -> str:
    """Return the compact JSON text of a frame; raise TypeError for foreign values."""
    return orjson.dumps(frame, default=_plain).decode()


def cut(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Return what is within the bounds of a value, None for what is not."""
    match value:
        case str():
            return value if len(value) <= MAX_STRING else None
        case dict() if depth > 0:
            kept = [name for name in value if len(name) <= MAX_STRING][:MAX_ITEMS]
            return {name: cut(value[name], depth - 1) for name in kept}
        case list() if depth > 0:
            return [cut(one, depth - 1) for one in value[:MAX_ITEMS]]
        case dict() | list():
            return None
        case _:
            return value


def readable(message_id: object) -> TypeIs[str]:
    """Return whether a message id may be echoed: text of 1 to 36 characters."""
    return isinstance(message_id, str) and 0 < len(message_id) <= MAX_ID


def _with_half_pairs(text: str | bytes) -> Any:
    r"""Return the JSON of a text in which a surrogate has no other half.

    Firmware cuts texts anywhere. There is no such character: its escape stays as the
    six letters that were sent, such as `\ud83d`.
    """
    try:
        letters = text if isinstance(text, str) else text.decode()
        # The search takes its time, which garbage of a mebibyte must not.
        if len(letters) > 2 * MAX_STRING or "\\ud" not in letters.lower():
            raise FrameError("not JSON")
        frame = orjson.loads(_HALF_PAIR.sub(r"\1\\\\\2", letters))
    except (orjson.JSONDecodeError, UnicodeDecodeError) as err:
        raise FrameError("not JSON") from err
    match frame:
        case [_, str(message_id), *_] if "\\" in message_id:
            raise FrameError("a message id that cannot be repeated")
    return frame


def _plain(value: object) -> int | float:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(type(value).__name__)


def _brackets(text: str | bytes) -> int:
    if isinstance(text, str):
        return text.count("[") + text.count("{")
    return text.count(b"[") + text.count(b"{")


def _deeper(value: list[Any], depth: int) -> bool:
    layer: list[Any] = [value]
    for _ in range(depth):
        layer = [
            child
            for node in layer
            for child in (node.values() if type(node) is dict else node)
            if type(child) in {dict, list}
        ]
        if not layer:
            return False
    return True


def _too_large(frame: list[Any]) -> bool:
    """Return whether something in a frame of bounded depth is above its bounds."""
    layer: list[Any] = [frame]
    while layer:
        below: list[Any] = []
        for node in layer:
            if isinstance(node, str):
                if len(node) > MAX_STRING:
                    return True
            elif isinstance(node, dict | list):
                if len(node) > MAX_ITEMS:
                    return True
                below.extend(node)
                if isinstance(node, dict):
                    below.extend(node.values())
        layer = below
    return False
