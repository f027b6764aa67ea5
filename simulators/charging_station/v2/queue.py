"""The station's messages on their way: one call at a time, oldest first."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..rpc import CallRefused, NotConnected
from .values import Json

if TYPE_CHECKING:
    from .station import ChargingStation

BOOT = "BootNotification"
TIMEOUT = 30.0
"""How long an answer is waited for, in s (messageTimeout of the network profile)."""


@dataclass(kw_only=True, slots=True)
class Message:
    """A request on its way to the central system."""

    action: str
    payload: Json
    due: datetime
    """When it was made, or when it is to be sent again."""
    kept: bool = False
    """Whether it outlives a loss of connection or power, and is sent again."""
    asked: bool = False
    """Whether the central system asked for it, so that it goes out while Pending."""
    attempts: int = 0
    answer: asyncio.Future[Json] = field(default_factory=asyncio.Future)

    def fail(self, error: Exception) -> None:
        """Tell who waits that there will be no answer."""
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # Nobody has to wait.


@dataclass(kw_only=True, slots=True)
class InFlight:
    """The call that is not answered yet."""

    message: Message
    id: str
    deadline: datetime


class MessageQueue:
    """What the station has to say: what is kept, and what is not."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station that has nothing to say yet."""
        self._station = station
        self._kept: deque[Message] = deque()
        self._normal: deque[Message] = deque()
        self._flying: InFlight | None = None
        self._wake = asyncio.Event()
        self._unanswered = 0
        """How many requests of the central system are to be answered first."""
        self.dropped: list[Json] = []
        """What was given up for good."""

    @property
    def waiting(self) -> int:
        """Return how many messages are not told yet."""
        return len(self._kept) + len(self._normal) + (self._flying is not None)

    @property
    def transaction_messages(self) -> list[Json]:
        """Return the transaction events that are not told yet, oldest first."""
        flying = [self._flying.message] if self._flying else []
        return [
            one.payload
            for one in (*flying, *self._kept)
            if one.action == "TransactionEvent"
        ]

    @property
    def busy(self) -> bool:
        """Return whether something moves without time passing."""
        return self._station.connected and (
            self._unanswered > 0 or self._flying is not None or self._next() is not None
        )

    # What is to be told

    def post(
        self, action: str, payload: Json, *, kept: bool = False, asked: bool = False
    ) -> asyncio.Future[Json]:
        """Tell the central system, and return where the answer comes.

        What is not kept is thrown away while nobody listens, unless QueueAllMessages.
        """
        station = self._station
        message = Message(
            action=action, payload=payload, due=station.clock(), kept=kept, asked=asked
        )
        if kept:
            self._kept.append(message)
            station.remember()
        elif self._may_wait(message):
            self._normal.append(message)
        else:
            message.fail(NotConnected())
        self._shrink()
        self._wake.set()
        return message.answer

    def _may_wait(self, message: Message) -> bool:
        """Return whether a message that is not kept has a chance."""
        if message.action == BOOT:
            return True
        if not self._station.connected:
            return self._station.model.flag("OCPPCommCtrlr.QueueAllMessages")
        return self._permitted(message)

    def _permitted(self, message: Message) -> bool:
        """Return whether the registration lets a message out (B02, B03)."""
        match self._station.provisioning.registration:
            case "Accepted":
                return True
            case "Pending":
                return message.action == BOOT or message.asked
            case _:
                return message.action == BOOT

    def _shrink(self) -> None:
        """Throw away what is too much: normal messages, then every second Updated."""
        most = self._station.model.number("InternalCtrlr.MessageQueueSizeThreshold")
        most = most or 1000
        while self.waiting > most and self._normal:
            self._drop(self._normal.popleft())
        if self.waiting > most:
            kept: deque[Message] = deque()
            updates = 0
            for one in self._kept:
                updated = one.payload.get("eventType") == "Updated"
                updates += updated
                if updated and updates % 2 == 0:
                    self._drop(one)
                else:
                    kept.append(one)
            self._kept = kept

    def _drop(self, message: Message) -> None:
        self.dropped.append(message.payload)
        message.fail(NotConnected())

    # On the wire

    async def work(self) -> None:
        """Send what is to be sent, for as long as the connection lasts."""
        while True:
            while (message := self._next()) is not None:
                await self._send(message)
            self._wake.clear()
            await self._wake.wait()

    def wake(self) -> None:
        """Look again for what is to be sent."""
        self._wake.set()

    def hold(self) -> None:
        """Send nothing before a request of the central system is answered."""
        self._unanswered += 1

    def release(self) -> None:
        """Go on, after a request was answered."""
        self._unanswered = max(self._unanswered - 1, 0)
        self._wake.set()

    def _next(self) -> Message | None:
        """Return what is to be sent now."""
        if self._flying is not None or self._unanswered:
            return None
        now = self._station.clock()
        heads = [
            queue[0]
            for queue in (self._kept, self._normal)
            if queue and queue[0].due <= now and self._permitted(queue[0])
        ]
        return min(heads, key=lambda one: one.due, default=None)

    async def _send(self, message: Message) -> None:
        queue = self._kept if message.kept else self._normal
        queue.remove(message)
        message.attempts += 1
        flying = self._flying = InFlight(
            message=message,
            # Also what is sent again goes by a new name.
            id=str(uuid4()),
            deadline=self._station.clock() + timedelta(seconds=TIMEOUT),
        )
        try:
            for frame in self._station.moods.frames(flying.id, message):
                await self._station.send(frame)
        except NotConnected:
            # Whether it arrived is not known: the time of the call has to pass.
            return

    def answered(self, unique: str, answer: Json) -> None:
        """Take the answer to the call in flight; others are nobody's."""
        if (flying := self._flying) is None or flying.id != unique:
            return
        self._flying = None
        if not flying.message.answer.done():
            flying.message.answer.set_result(answer)
        self._station.remember()
        self._wake.set()

    def refused(self, unique: str, code: str) -> None:
        """Take a CALLERROR, which counts like no answer."""
        if (flying := self._flying) is not None and flying.id == unique:
            self._missed(flying, CallRefused(code))

    def advance(self) -> None:
        """Give up what was not answered in time."""
        flying = self._flying
        if flying is not None and flying.deadline <= self._station.clock():
            self._missed(flying, TimeoutError())
        self._wake.set()

    def _missed(self, flying: InFlight, error: Exception) -> None:
        """Try what is kept again later, and the rest not at all."""
        self._flying = None
        message, model = flying.message, self._station.model
        most = model.number("OCPPCommCtrlr.MessageAttempts[TransactionEvent]", 5)
        if not message.kept:
            message.fail(error)
        elif message.attempts >= most:
            self._drop(message)
            self._station.remember()
        else:
            pause = model.number(
                "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]", 10
            )
            now = self._station.clock()
            message.due = now + timedelta(seconds=pause * message.attempts)
            self._kept.appendleft(message)
        self._wake.set()

    def disconnected(self) -> None:
        """Throw away what is not kept; the call in flight keeps its time."""
        self._unanswered = 0
        if self._station.model.flag("OCPPCommCtrlr.QueueAllMessages"):
            return
        while self._normal:
            self._normal.popleft().fail(NotConnected())

    def powered_off(self) -> None:
        """Forget what the memory does not hold."""
        if self._flying is not None:
            if self._flying.message.kept:
                self._kept.appendleft(self._flying.message)
            else:
                self._flying.message.fail(NotConnected())
            self._flying = None
        while self._normal:
            self._normal.popleft().fail(NotConnected())

    # Memory

    def dump(self) -> list[Any]:
        """Return what is kept, for the memory."""
        flying = [self._flying.message] if self._flying else []
        return [
            [one.action, one.payload, one.attempts, one.due.isoformat()]
            for one in (*flying, *self._kept)
            if one.kept
        ]

    def load(self, kept: list[Any]) -> None:
        """Take what was kept before."""
        self._kept.extend(
            Message(
                action=action,
                payload=payload,
                attempts=attempts,
                due=datetime.fromisoformat(due),
                kept=True,
            )
            for action, payload, attempts, due in kept
        )
