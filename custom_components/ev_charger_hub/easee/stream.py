"""Stream: what all products of an account tell by themselves, over one connection.

It never gives up and never hammers (easee_cloud.md 1.6): full jitter from 1 to 60 s,
which starts over after a minute of health, and longer where the cloud wants it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from enum import StrEnum
from functools import partial
import logging
from random import SystemRandom
from typing import Any, Final

from aiohttp import ClientSession

from ..station.channel import Channel
from ..station.clock import Timer
from ..station.secrets import shortened
from .auth import Authenticator
from .budget import Budget
from .const import STREAM_URL
from .errors import (
    AddressBlocked,
    EaseeError,
    EmailNotVerified,
    InvalidCredentials,
    NotNow,
    SessionEnded,
)
from .negotiation import Refusal
from .oddities import Oddities
from .reading_values import Unreadable, is_known, observation_of_update
from .readings import Observation
from .requests import Lane
from .responses import CommandResponse, response_of
from .signalr import Connection, Farewell, connected
from .timing import Time, pause

_LOGGER = logging.getLogger(__name__)

HEALTHY: Final = 60.0
"""After so many seconds a connection counts as good."""
LONGEST_JITTER: Final = 60.0
NOT_WELCOME: Final = 300.0
"""Seconds to stay away after a farewell that does not want us back, or 429."""
REFUSED: Final = 1800.0
"""Seconds to stay away after 403, or 401 with a fresh token."""
UNREACHABLE: Final = 10
"""After so many attempts in a row, some minutes, it is more than a hiccup."""
ASK_AGAIN: Final = 300.0
"""Seconds until a subscription that was refused is tried again."""
LONGEST_REPLAY: Final = 60.0
"""Seconds, should the hub forget to say when a replay ends."""
IGNORED: Final = frozenset({"chargerupdate", "subscribetomyproduct"})

_jitter = SystemRandom().uniform

type Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]


class StreamTrouble(StrEnum):
    """Why there is no stream, if it is not over in a moment."""

    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"


_TROUBLES: Final = {
    401: StreamTrouble.FORBIDDEN,
    403: StreamTrouble.FORBIDDEN,
    404: StreamTrouble.NOT_FOUND,
    429: StreamTrouble.RATE_LIMITED,
}


class Subscription:
    """A product that is listened to, and how far that is on this connection."""

    def __init__(self) -> None:
        """Wait for a connection."""
        self.heard = False
        """Whether the hub has told all that it knew, so that what comes is news."""
        self.timer: Timer | None = None

    def settle(self, *, heard: bool) -> None:
        """Keep what became of it; nothing more is waited for."""
        self.heard = heard
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Stream:
    """The stream of an account, which connects again for as long as it is not stopped."""

    def __init__(
        self,
        session: ClientSession,
        authenticator: Authenticator,
        time: Time,
        *,
        url: str = STREAM_URL,
        on_observation: Callable[[Observation], None],
        on_command_response: Callable[[CommandResponse], None],
        spawn: Spawn,
        budget: Budget | None = None,
        jitter: Callable[[float, float], float] = _jitter,
    ) -> None:
        """Do nothing before it is started."""
        self._session = session
        self._authenticator = authenticator
        self._time = time
        self._url = url
        self._on_observation = on_observation
        self._on_command_response = on_command_response
        self._spawn = spawn
        self._budget = budget
        self._jitter = jitter
        self._subscriptions: dict[str, Subscription] = {}
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._healthy: Timer | None = None
        self._missed = 0
        self.connected = Channel(False, urgent=True)
        self.trouble: Channel[StreamTrouble | None] = Channel(None, urgent=True)
        self.since: datetime | None = None
        """Since when it is connected, or is not; None before it is started."""
        self.failures = 0
        """How many connections in a row came to nothing."""
        self.connections = 0
        """How many connections there were."""
        self.oddities = Oddities()

    def hears(self, serial: str) -> bool:
        """Return whether all news of a product come by the stream."""
        subscription = self._subscriptions.get(serial)
        return subscription is not None and subscription.heard

    def replaying(self, serial: str) -> bool:
        """Return whether what comes of a product may have been told before."""
        return serial in self._subscriptions and not self.hears(serial)

    def subscribe(self, serial: str) -> None:
        """Listen to a product, on this connection and on all that follow."""
        if serial not in self._subscriptions:
            self._subscriptions[serial] = Subscription()
            self._ask_for(serial)

    def unsubscribe(self, serial: str) -> None:
        """Listen to a product no longer."""
        if (subscription := self._subscriptions.pop(serial, None)) is None:
            return
        subscription.settle(heard=False)
        if self._connection is not None:
            self._connection.invoke("Unsubscribe", serial)

    def start(self) -> None:
        """Connect, and keep at it."""
        if self._task is None:
            self.since = self._time()
            self._task = self._spawn(self._run(), "Easee stream")

    async def stop(self) -> None:
        """Hang up, and do not connect again."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        while True:
            while (wait := self._held()) > 0:
                await pause(self._time, wait)
            try:
                ended: Farewell | EaseeError = await self._once()
            except EaseeError as err:
                ended = err
            except Exception as err:
                _LOGGER.exception("The stream failed")
                ended = EaseeError(type(err).__name__)
            await pause(self._time, self._setback(ended))

    def _held(self) -> float:
        """Return how many seconds nothing may be sent, by what others have heard."""
        until = None if self._budget is None else self._budget.held_until
        return 0 if until is None else (until - self._time()).total_seconds()

    async def _admit(self) -> None:
        """Wait for the turn to send a request, which spares many others."""
        if self._budget is not None:
            await self._budget.take(Lane.COMMAND)

    async def _once(self) -> Farewell:
        """Connect and listen to the end; a token that is not taken is renewed once."""
        token = await self._authenticator.token()
        try:
            return await self._listen(token)
        except Refusal as err:
            if err.status != 401:
                raise
        return await self._listen(await self._authenticator.renew(token))

    async def _listen(self, token: str) -> Farewell:
        async with connected(
            self._session, self._time, self._url, token, self.oddities, self._admit
        ) as connection:
            self._begin(connection)
            try:
                return await connection.run(self._called)
            finally:
                self._end()

    def _begin(self, connection: Connection) -> None:
        level = logging.INFO if self.failures else logging.DEBUG
        _LOGGER.log(level, "The stream is connected")
        self._connection = connection
        self._healthy = self._time.call_later(HEALTHY, self._recovered)
        self._missed = 0
        self.connections += 1
        self.since = self._time()
        for serial in self._subscriptions:
            self._ask_for(serial)
        self._show(self.trouble, None)
        self._show(self.connected, True)

    def _recovered(self) -> None:
        self.failures = 0

    def _end(self) -> None:
        self._connection = None
        if self._healthy is not None:
            self._healthy.cancel()
            self._healthy = None
        for subscription in self._subscriptions.values():
            subscription.settle(heard=False)
        self.since = self._time()
        self._show(self.connected, False)

    def _show[T](self, channel: Channel[T], value: T) -> None:
        """Set a channel; the trouble of those who follow it is their own."""
        try:
            channel.set(value)
        except Exception:
            _LOGGER.exception("What follows the stream failed")

    def _setback(self, ended: Farewell | EaseeError) -> float:
        """Take in how it ended, and return after how many seconds to connect again."""
        self.failures += 1
        jitter = self._jitter(1, min(2 ** min(self.failures, 6), LONGEST_JITTER))
        if isinstance(ended, Farewell):
            wait = jitter if ended.welcome else NOT_WELCOME
            _LOGGER.info("The stream is lost: %s; again in %.0f s", ended.reason, wait)
            return wait
        self._missed += 1
        if self._budget is not None and isinstance(ended, AddressBlocked):
            self._budget.heed(ended)
        wait = max(jitter, self._exclusion(ended))
        _LOGGER.debug("No stream: %r; again in %.0f s", ended, wait)
        self._show(self.trouble, self._trouble(ended))
        return wait

    def _exclusion(self, err: EaseeError) -> float:
        """Return for how many seconds the cloud wants nothing of us."""
        match err:
            case Refusal(status=401 | 403):
                return max(REFUSED, err.wait)
            case Refusal(status=429):
                return max(NOT_WELCOME, err.wait)
            case Refusal():
                return err.wait
            case InvalidCredentials() | EmailNotVerified() | SessionEnded():
                return REFUSED
            case NotNow():
                return (err.until - self._time()).total_seconds()
        return 0

    def _trouble(self, err: EaseeError) -> StreamTrouble | None:
        """Return what is to be shown of it, beside what others show of the account."""
        match err:
            case Refusal() if err.status in _TROUBLES:
                return _TROUBLES[err.status]
            case AddressBlocked():
                return StreamTrouble.FORBIDDEN
            case NotNow() | InvalidCredentials() | EmailNotVerified() | SessionEnded():
                return None
        return StreamTrouble.UNREACHABLE if self._missed >= UNREACHABLE else None

    def _ask_for(self, serial: str) -> None:
        """Subscribe to a product on the present connection, if there is one."""
        if self._connection is None:
            return
        subscription = self._subscriptions[serial]
        subscription.settle(heard=False)
        subscription.timer = self._time.call_later(
            LONGEST_REPLAY, partial(subscription.settle, heard=True)
        )
        self._connection.invoke(
            "SubscribeWithCurrentState",
            serial,
            True,
            done=partial(self._asked, serial, subscription),
        )

    def _asked(
        self, serial: str, subscription: Subscription, error: str | None
    ) -> None:
        if self._subscriptions.get(serial) is not subscription:
            return
        subscription.settle(heard=error is None)
        if error is not None:
            _LOGGER.info("%s cannot be listened to: %s", shortened(serial), error)
            subscription.timer = self._time.call_later(
                ASK_AGAIN, partial(self._ask_for, serial)
            )

    def _called(self, target: str, arguments: list[Any]) -> None:
        """Hand on what the hub calls; whatever is wrong with it ends nothing."""
        payload = arguments[0] if arguments else None
        try:
            match target.casefold():
                case "productupdate":
                    self._observed(observation_of_update(payload, self._time()))
                case "commandresponse":
                    self._on_command_response(response_of(payload, self._time()))
                case name if name not in IGNORED:
                    self.oddities.note(f"method {target:.40}")
        except Unreadable as err:
            self.oddities.note(str(err))
        except Exception:
            _LOGGER.exception("What follows the stream failed")

    def _observed(self, observation: Observation) -> None:
        if observation.serial not in self._subscriptions:
            return
        if not is_known(observation.id):
            self.oddities.note(f"observation {observation.id}")
        self._on_observation(observation)
