"""Displays: the messages that a station shows (OCPP 2.x O)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from .outcome import Outcome

NOTICE: Final = 1
"""The number of the message that the notify entity shows: a new one replaces it."""

SERIES: Final = "display_message"
"""The numbers of all other messages."""

FIRST: Final = 100
"""Where those numbers begin."""


class Priority(StrEnum):
    """How a message stands among others (MessagePriorityEnumType)."""

    ALWAYS_FRONT = "always_front"
    IN_FRONT = "in_front"
    NORMAL_CYCLE = "normal_cycle"


class DisplayState(StrEnum):
    """When a message is shown (MessageStateEnumType)."""

    CHARGING = "charging"
    DISCHARGING = "discharging"
    FAULTED = "faulted"
    IDLE = "idle"
    SUSPENDED = "suspended"
    UNAVAILABLE = "unavailable"


class TextFormat(StrEnum):
    """How a text is written (MessageFormatEnumType)."""

    ASCII = "ascii"
    HTML = "html"
    QRCODE = "qrcode"
    URI = "uri"
    UTF8 = "utf8"


@dataclass(kw_only=True, slots=True, frozen=True)
class DisplayText:
    """A text to be read; `language` is a tag such as `de`."""

    content: str
    format: TextFormat
    language: str | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class DisplayMessage:
    """A message; `translations` say the same in other languages (OCPP 2.1).

    It is shown from `starts` until `ends`, in one `state` or in any, and for
    `transaction_id` only while that goes on.
    """

    message_id: int
    priority: Priority
    text: DisplayText
    state: DisplayState | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    transaction_id: str | None = None
    evse_id: int | None = None
    translations: tuple[DisplayText, ...] = ()


@dataclass(kw_only=True, slots=True, frozen=True)
class DisplayCriteria:
    """Which messages are asked for; all if nothing is said."""

    message_ids: tuple[int, ...] = ()
    priority: Priority | None = None
    state: DisplayState | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class DisplaySupport:
    """What a station says of its display; nothing listed means that it does not say."""

    available: bool | None = None
    formats: tuple[TextFormat, ...] = ()
    priorities: tuple[Priority, ...] = ()
    states: tuple[DisplayState, ...] = ()
    languages: tuple[str, ...] = field(default=())
    max_messages: int | None = None
    max_length: int = 512

    def format_of(self, text: str) -> TextFormat:
        """Return how a plain text is best written for the station."""
        plain = TextFormat.ASCII if text.isascii() else TextFormat.UTF8
        if not self.formats or plain in self.formats:
            return plain
        return TextFormat.UTF8 if TextFormat.UTF8 in self.formats else self.formats[0]

    def priority_of(self, wanted: Priority) -> Priority:
        """Return a priority, or the nearest one that the station has."""
        if not self.priorities or wanted in self.priorities:
            return wanted
        return self.priorities[-1]


@dataclass(kw_only=True, slots=True, frozen=True)
class DisplayReport:
    """The messages that a station has; `complete` says that these are all."""

    messages: tuple[DisplayMessage, ...] = ()
    complete: bool = False


class DisplayLink(Protocol):
    """The part of a link that knows a display."""

    @property
    def support(self) -> DisplaySupport:
        """Return what the station says of its display."""

    async def show(self, message: DisplayMessage) -> Outcome:
        """Show a message, or replace the one of its number (O01, O02, O06)."""

    async def messages(
        self, criteria: DisplayCriteria
    ) -> tuple[Outcome, DisplayReport]:
        """Return the messages that the station has (O03, O04); none is no error."""

    async def clear(self, message_id: int) -> Outcome:
        """Take a message away (O05)."""
