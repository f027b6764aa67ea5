"""Receiving: slots that a charger may put one file into, and the way to the disk."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
import os
from pathlib import Path
import re
from typing import BinaryIO, Final, Self

from ..station.clock import Clock
from .errors import OcppError

MAX_FILE: Final = 50 * 1024 * 1024
"""Bytes of a file that is received."""

_BUFFER = 256 * 1024
_ATTEMPTS = 10
_NAME_LENGTH = 80
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class TooLarge(OcppError):
    """A file is larger than its slot has room for."""


class SlotClosed(OcppError):
    """A slot takes nothing: it is used, too old, or used right now."""


def safe_name(name: str | None, default: str) -> str:
    """Return a file name without path, hidden or unusual characters."""
    plain = re.split(r"[/\\]", name or "")[-1]
    plain = _UNSAFE.sub("_", plain).strip("._")[-_NAME_LENGTH:]
    return plain.lstrip("._-") or default


@dataclass(kw_only=True, slots=True, frozen=True)
class Upload:
    """A file that came, with the name that the charger gave it."""

    path: Path
    name: str | None
    size: int


type Taker = Callable[[Upload], Awaitable[None]]
"""Who a file is for; what is true of it has to be durable when this returns."""


@dataclass(kw_only=True, slots=True)
class Slot:
    """A place for one file, until `expires`, at `path`.

    An upload that breaks off may be tried again, a few times.
    """

    secret: str = field(repr=False)
    path: Path
    expires: datetime
    taker: Taker
    limit: int = MAX_FILE
    busy: bool = False
    done: bool = False
    attempts: int = 0

    def claim(self, now: datetime) -> None:
        """Begin an upload; raises SlotClosed."""
        if self.done or self.busy or now >= self.expires or self.attempts >= _ATTEMPTS:
            raise SlotClosed
        self.busy = True
        self.attempts += 1

    def check(self, now: datetime) -> None:
        """Raise SlotClosed if an upload that has begun is not wanted any more."""
        if self.done or now >= self.expires:
            raise SlotClosed


class Sink:
    """One upload into a slot: written beside the loop, nothing of it left if it fails."""

    def __init__(self, slot: Slot, clock: Clock) -> None:
        """Claim the slot; raises SlotClosed."""
        slot.claim(clock())
        self._clock = clock
        self._slot = slot
        self._part = slot.path.with_name(f"{slot.path.name}.part")
        self._file: BinaryIO | None = None
        self._buffer = bytearray()
        self._size = 0

    async def __aenter__(self) -> Self:
        """Open the file."""
        try:
            self._file = await asyncio.to_thread(_open, self._part)
        except BaseException:
            self._slot.busy = False
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave nothing behind of what did not come to its end."""
        file, self._file = self._file, None
        try:
            if file is not None:
                await asyncio.to_thread(_discard, file, self._part)
        finally:
            # Not before: the next upload writes to a file of the same name.
            self._slot.busy = False

    async def write(self, data: bytes) -> None:
        """Take a part of the file; raises SlotClosed, TooLarge."""
        self._slot.check(self._clock())
        self._size += len(data)
        if self._size > self._slot.limit:
            raise TooLarge
        self._buffer += data
        if len(self._buffer) >= _BUFFER:
            await self._flush()

    async def finish(self, name: str | None) -> None:
        """Make the file durable and hand it over; the slot is used up then."""
        await self._flush()
        file, slot = self._opened, self._slot
        slot.check(self._clock())
        await asyncio.to_thread(_keep, file, self._part, slot.path)
        self._file = None
        await slot.taker(Upload(path=slot.path, name=name, size=self._size))
        slot.done = True

    async def _flush(self) -> None:
        data, self._buffer = bytes(self._buffer), bytearray()
        await asyncio.to_thread(self._opened.write, data)

    @property
    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise SlotClosed
        return self._file


def _open(part: Path) -> BinaryIO:
    part.parent.mkdir(parents=True, exist_ok=True)
    # Logs may hold whatever a charger knows.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(descriptor, "wb")


def _keep(file: BinaryIO, part: Path, path: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    part.replace(path)


def _discard(file: BinaryIO, part: Path) -> None:
    file.close()
    part.unlink(missing_ok=True)
