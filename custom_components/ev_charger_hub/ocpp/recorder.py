"""Recorder: the last frames of a charger, kept raw and shown without secrets."""

from collections import deque
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from ..station.clock import Clock
from .redact import redacted

KEPT = 50
_LONGEST = 8192


class Direction(StrEnum):
    """Which way a frame went."""

    FROM_CHARGER = "from charger"
    TO_CHARGER = "to charger"


class Recorder:
    """The last frames of one charger, over all its sockets.

    A frame costs one append while it passes; it is parsed and redacted only for the
    one who looks. Of long frames only the length is kept.
    """

    def __init__(self, clock: Clock) -> None:
        """Start without a frame."""
        self._clock = clock
        self._frames: deque[tuple[datetime, str, str | bytes | int]] = deque(
            maxlen=KEPT
        )

    def note(self, direction: Direction, frame: str | bytes) -> None:
        """Keep a frame."""
        kept = frame if len(frame) <= _LONGEST else len(frame)
        # Without the enum it is a tuple that the garbage collector need not visit.
        self._frames.append((self._clock(), direction.value, kept))

    def shown(self) -> list[dict[str, Any]]:
        """Return the frames, oldest first, without secrets."""
        return [
            {"at": at.isoformat(), "direction": direction, "frame": _shown(frame)}
            for at, direction, frame in self._frames
        ]


def _shown(frame: str | bytes | int) -> str:
    if isinstance(frame, int):
        return f"({frame} long)"
    try:
        return redacted(orjson.loads(frame))
    except orjson.JSONDecodeError:
        return f"({len(frame)} long, no JSON)"
