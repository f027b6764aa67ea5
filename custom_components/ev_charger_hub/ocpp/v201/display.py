"""Displays: messages that a station of OCPP 2.x shows, and what it tells of them (O)."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, override

from ...station.clock import CallLater, call_later as loop_call_later
from ...station.display import (
    DisplayCriteria,
    DisplayLink,
    DisplayMessage,
    DisplayReport,
    DisplayState,
    DisplaySupport,
    DisplayText,
    Priority,
    TextFormat,
)
from ...station.outcome import Outcome, OutcomeStatus
from .. import timestamps
from ..adapter import StationContext
from ..blocks import Answer
from ..charging_profiles import counts
from ..link import unspeakable
from ..rpc import Reply
from .device_model import Key
from .reports import Parts, Reports
from .sender import Sender

type Json = dict[str, Any]

MAX_MESSAGES = 500
"""No station has more; what comes above that is left out."""

_MAX_TEXT = 1024
_MAX_NUMBER = 2**31
_ROOM = 512
_ROOM_OF_2_1 = 1024
_UNKNOWN = "unknown"
_ONLY_2_1 = frozenset(
    map(str, (DisplayState.SUSPENDED, DisplayState.DISCHARGING, TextFormat.QRCODE))
)


class DisplayCommands(Sender, DisplayLink):
    """The display of a station."""

    def __init__(
        self,
        context: StationContext,
        reports: Reports,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Carry commands over `context.call`."""
        super().__init__(context, reports)
        self._call_later = call_later
        self._waiting: dict[int, Parts[DisplayMessage]] = {}

    @property
    def answers(self) -> Mapping[str, Answer]:
        """Return what answers, by the name of the message."""
        return {"NotifyDisplayMessages": self._notified}

    @property
    @override
    def support(self) -> DisplaySupport:
        """Return what the variables of DisplayMessageCtrlr say."""
        known = self.device_model
        available = None
        if known.text(Key.DISPLAY_AVAILABLE) is not None:
            available = known.flag(Key.DISPLAY_AVAILABLE)
        return DisplaySupport(
            available=available,
            formats=tuple(self._listed(Key.DISPLAY_FORMATS, TextFormat)),
            priorities=tuple(self._listed(Key.DISPLAY_PRIORITIES, Priority)),
            states=tuple(self._listed(Key.DISPLAY_STATES, DisplayState)),
            languages=tuple(known.items(Key.DISPLAY_LANGUAGE) or ()),
            max_messages=known.most(Key.DISPLAY_MESSAGES),
            max_length=_ROOM_OF_2_1 if self._in_2_1 else _ROOM,
        )

    @property
    def _in_2_1(self) -> bool:
        return self._context.station.version.value == "2.1"

    def _listed[W: StrEnum](self, key: Key, kind: type[W]) -> Iterator[W]:
        """Yield the words of a list that are known, from what is used or may be."""
        known = self.device_model
        for word in known.items(key) or known.options(key):
            if (found := _read(kind, word)) is not None:
                yield found

    @override
    async def show(self, message: DisplayMessage) -> Outcome:
        """Send SetDisplayMessage (O01, O02, O06)."""
        if not self._in_2_1:
            said = {str(message.state), str(message.text.format)}
            unknown = said & _ONLY_2_1
            if unknown or message.translations:
                what = ", ".join(sorted(unknown)) or "translations"
                return unspeakable("2.0.1", ValueError(what))
        return await self.send("SetDisplayMessage", {"message": _payload(message)})

    @override
    async def messages(
        self, criteria: DisplayCriteria
    ) -> tuple[Outcome, DisplayReport]:
        """Send GetDisplayMessages (O03, O04) and return what the reports bring."""
        request_id = await self._reports.next_id()
        payload: Json = {"requestId": request_id}
        if criteria.message_ids:
            payload["id"] = list(criteria.message_ids)
        if criteria.priority is not None:
            payload["priority"] = _camel(criteria.priority)
        if criteria.state is not None:
            payload["state"] = _camel(criteria.state)
        with self._gathered(request_id) as parts:
            outcome = await self.send("GetDisplayMessages", payload)
            if outcome.answer.lower() == _UNKNOWN:
                accepted = OutcomeStatus.ACCEPTED
                none = Outcome(status=accepted, answer=outcome.answer)
                return none, DisplayReport(complete=True)
            complete = outcome.ok and await parts.complete()
            if outcome.ok and not complete and not parts.items:
                detail = "the messages that it announced never came"
                outcome = Outcome(status=OutcomeStatus.TIMED_OUT, detail=detail)
            messages = tuple(parts.items[:MAX_MESSAGES])
            complete = complete and len(parts.items) <= MAX_MESSAGES
            return outcome, DisplayReport(messages=messages, complete=complete)

    @override
    async def clear(self, message_id: int) -> Outcome:
        """Send ClearDisplayMessage (O05)."""
        return await self.send("ClearDisplayMessage", {"id": message_id})

    @contextmanager
    def _gathered(self, request_id: int) -> Generator[Parts[DisplayMessage]]:
        parts = self._waiting[request_id] = Parts[DisplayMessage](self._call_later)
        try:
            yield parts
        finally:
            del self._waiting[request_id]
            parts.close()

    def _notified(self, payload: Json) -> Reply:
        """Take a part of the list of messages (NotifyDisplayMessages)."""
        if (parts := self._waiting.get(payload["requestId"])) is not None:
            listed = payload.get("messageInfo") or ()
            found = [one for one in map(_message, listed) if one is not None]
            # One more shows that there are more.
            room = max(0, MAX_MESSAGES + 1 - len(parts.items))
            parts.add(found[:room], None, more=payload.get("tbc") is True)
        return Reply({})


def _payload(message: DisplayMessage) -> Json:
    """Return a MessageInfo (2.0.1 2.37)."""
    optional: Json = {
        "state": message.state and _camel(message.state),
        "startDateTime": message.starts and timestamps.render(message.starts),
        "endDateTime": message.ends and timestamps.render(message.ends),
        "transactionId": message.transaction_id,
        "messageExtra": [_content(one) for one in message.translations] or None,
    }
    if message.evse_id:
        optional["display"] = {"name": "Display", "evse": {"id": message.evse_id}}
    return {
        "id": message.message_id,
        "priority": _camel(message.priority),
        "message": _content(message.text),
        **{name: value for name, value in optional.items() if value is not None},
    }


def _content(text: DisplayText) -> Json:
    content = {"format": text.format.upper(), "content": text.content}
    return content if text.language is None else content | {"language": text.language}


def _message(told: object) -> DisplayMessage | None:
    """Return what a MessageInfo says, None if it says nothing that can be told."""
    if not isinstance(told, dict) or not isinstance(
        content := told.get("message"), dict
    ):
        return None
    number, component = told.get("id"), told.get("display")
    if not isinstance(number, int) or abs(number) >= _MAX_NUMBER:
        return None
    evse = component.get("evse") if isinstance(component, dict) else None
    evse_id = evse.get("id") if isinstance(evse, dict) else None
    extra = told.get("messageExtra")
    transaction_id = told.get("transactionId")
    return DisplayMessage(
        message_id=number,
        priority=_read(Priority, told.get("priority")) or Priority.NORMAL_CYCLE,
        text=_text(content),
        state=_read(DisplayState, told.get("state")),
        starts=timestamps.parse(told.get("startDateTime")),
        ends=timestamps.parse(told.get("endDateTime")),
        transaction_id=str(transaction_id)[:36] if transaction_id else None,
        evse_id=evse_id if counts(evse_id) else None,
        translations=tuple(
            _text(one)
            for one in (extra[:4] if isinstance(extra, list) else ())
            if isinstance(one, dict)
        ),
    )


def _text(content: Json) -> DisplayText:
    language = content.get("language")
    return DisplayText(
        content=str(content.get("content", ""))[:_MAX_TEXT],
        format=_read(TextFormat, content.get("format")) or TextFormat.UTF8,
        language=str(language)[:8] if language else None,
    )


def _camel(word: str) -> str:
    """Return a word of ours as OCPP writes it."""
    return "".join(part.capitalize() for part in word.split("_"))


def _read[W: StrEnum](kind: type[W], word: object) -> W | None:
    """Return the word of ours for a word of OCPP, None for an invented one."""
    if not isinstance(word, str):
        return None
    plain = word.strip().replace("_", "").lower()
    return next((one for one in kind if one.replace("_", "") == plain), None)
