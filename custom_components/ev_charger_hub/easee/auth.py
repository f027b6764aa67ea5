"""Authentication: one session of the Easee cloud for each account (easee_cloud.md 1.2).

A refresh token is good once: its successor is kept before it is used, one renewal
serves everybody who waits, and nobody who gives up waiting ends it.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
import logging
from typing import Final, Protocol, override

from aiohttp import ClientSession

from .answers import Answer, ask
from .breaker import Breaker
from .budget import Budget
from .const import API_URL
from .errors import (
    EaseeError,
    EmailNotVerified,
    InvalidCredentials,
    LoginPaused,
    NotNow,
    RateLimited,
    SessionEnded,
    Unavailable,
)
from .requests import Lane, Quota
from .timing import Time
from .tokens import TokenPair, TokenStore

_LOGGER = logging.getLogger(__name__)

LOGIN: Final = "/api/accounts/login"
REFRESH: Final = "/api/accounts/refresh_token"
HEALTH: Final = "/health"

LOGINS: Final = Quota(key="login", count=2, seconds=1800)
"""How often the password may be used (S30)."""
EARLY_RENEWALS: Final = Quota(key="renewal", count=5, seconds=1800)
"""How often a token may be renewed that should be good yet: 401 can mean other things."""
DEAD: Final = {400, 401, 403}
"""What a refresh is answered with if the session is over, whatever the reason (S27)."""
BAD_PASSWORD: Final = 100
UNVERIFIED: Final = 727
GLANCE: Final = 5.0
"""How many seconds the cloud has to show that it is up."""


class Authenticator(Protocol):
    """What opens the Easee cloud for an account."""

    async def token(self) -> str:
        """Return an access token that should be good."""

    async def renew(self, stale: str) -> str:
        """Return another access token than one that the cloud does not take (401)."""

    def age(self) -> datetime | None:
        """Return since when the present session has its tokens, None without any."""

    def forget(self) -> None:
        """Begin anew with what is stored, because somebody else logged in."""


async def login(
    session: ClientSession, time: Time, user: str, password: str, url: str = API_URL
) -> TokenPair:
    """Return the tokens of a new session; raises EaseeError if there is none.

    For somebody who waits for the answer: no breaker keeps from trying again.
    """
    asked_at = time()
    answer = await ask(
        session, time, "POST", url, LOGIN, json=_credentials(user, password)
    )
    return _pair(answer, asked_at, time())


class PasswordAuthenticator(Authenticator):
    """The session of a user with a password, or of one who does not leave it with us."""

    def __init__(
        self,
        session: ClientSession,
        store: TokenStore,
        budget: Budget,
        time: Time,
        *,
        user: str,
        password: str | None,
        url: str = API_URL,
    ) -> None:
        """Know nothing yet; `store` is read when the first token is needed."""
        self._session = session
        self._store = store
        self._budget = budget
        self._time = time
        self._user = user
        self._password = password
        self._url = url
        self._pair: TokenPair | None = None
        self._loaded = False
        self._breaker = Breaker(time, self._is_up)
        self._renewal: asyncio.Task[str] | None = None
        self._login_at: datetime | None = None

    @override
    async def token(self) -> str:
        return self._good() or await self._renewed("")

    @override
    async def renew(self, stale: str) -> str:
        token = self._good()
        return token if token and token != stale else await self._renewed(stale)

    @override
    def age(self) -> datetime | None:
        return None if self._pair is None else self._pair.taken_at

    @override
    def forget(self) -> None:
        self._pair = None
        self._loaded = False
        self._breaker.reset()

    async def close(self) -> None:
        """Let a renewal come to its end, so that its tokens are not lost."""
        if self._renewal is not None:
            await asyncio.wait([self._renewal])

    def _good(self) -> str | None:
        pair = self._pair
        return pair.access if pair is not None and pair.lasts(self._time()) else None

    async def _renewed(self, stale: str) -> str:
        """Wait for the one renewal; it goes on without whoever gives up waiting."""
        if (renewal := self._renewal) is None:
            renewal = self._renewal = asyncio.create_task(
                self._renew(stale), name="renewal of the session"
            )
            renewal.add_done_callback(self._over)
        await asyncio.wait([renewal])
        return renewal.result()

    def _over(self, renewal: asyncio.Task[str]) -> None:
        self._renewal = None
        if not renewal.cancelled():
            # Somebody has to look at it, even if nobody waits any more.
            renewal.exception()

    async def _renew(self, stale: str) -> str:
        if not self._loaded:
            self._pair = await self._store.load()
            self._loaded = True
        token = self._good()
        if token and token != stale:
            return token
        await self._breaker.check()
        pair = None
        if self._pair is not None:
            pair = await self._refreshed(self._pair, EARLY_RENEWALS if token else None)
        if pair is None:
            pair = await self._logged_in()
        await self._keep(pair)
        self._breaker.reset()
        return pair.access

    async def _refreshed(
        self, pair: TokenPair, quota: Quota | None
    ) -> TokenPair | None:
        """Return the successor of a pair, None if the session is over."""
        tokens = {"accessToken": pair.access, "refreshToken": pair.refresh}
        asked_at, answer = await self._ask(REFRESH, tokens, quota)
        if answer.status in DEAD and not answer.blocked:
            await self._believe(answer)
            _LOGGER.debug("The session is over (%s)", answer.status)
            await self._keep(None)
            return None
        return await self._judged(answer, asked_at)

    async def _logged_in(self) -> TokenPair:
        if self._password is None:
            raise SessionEnded
        await self._spare_login()
        credentials = _credentials(self._user, self._password)
        asked_at, answer = await self._ask(LOGIN, credentials, LOGINS)
        if answer.status in DEAD and not answer.blocked:
            await self._believe(answer)
        return await self._judged(answer, asked_at)

    async def _spare_login(self) -> None:
        """Keep the second login of half an hour for when the cloud works again."""
        last, span = self._login_at, timedelta(seconds=LOGINS.seconds)
        soon = last is not None and self._time() - last < span
        if soon and self._breaker.outage and not await self._is_up():
            self._breaker.failed(down=True)
            raise Unavailable

    async def _believe(self, answer: Answer) -> None:
        """Raise Unavailable for a refusal that has nothing to do with who asks.

        A cloud that is out of order may refuse everybody (403 in September 2024), and
        does so without a code of its own.
        """
        if answer.code is None and not await self._is_up():
            self._breaker.failed(down=True)
            raise Unavailable

    async def _ask(
        self, path: str, body: Mapping[str, str], quota: Quota | None
    ) -> tuple[datetime, Answer]:
        """Return when something was asked, and the answer."""
        try:
            await self._budget.take(Lane.AUTH, quota)
        except RateLimited as err:
            if quota is None or self._budget.held_until is not None:
                raise
            raise LoginPaused(err.until) from err
        asked_at = self._time()
        if quota is LOGINS:
            self._login_at = asked_at
        try:
            return asked_at, await ask(
                self._session, self._time, "POST", self._url, path, json=body
            )
        except Unavailable:
            await self._look_why()
            raise

    async def _judged(self, answer: Answer, asked_at: datetime) -> TokenPair:
        """Return the pair of an answer, or pause."""
        now = self._time()
        try:
            return _pair(answer, asked_at, now)
        except NotNow as err:
            self._budget.heed(err)
            self._breaker.failed(err.until)
            raise
        except Unavailable:
            if (wait := answer.retry_after) is not None:
                self._breaker.failed(now + wait)
            else:
                await self._look_why()
            raise
        except EaseeError:
            self._breaker.refused()
            raise

    async def _look_why(self) -> None:
        """Pause, and know whether it is because the cloud is, or just was, down."""
        was_down = self._breaker.down
        self._breaker.failed(down=not await self._is_up() or was_down)

    async def _keep(self, pair: TokenPair | None) -> None:
        """Use a pair from now on, once it is stored."""
        try:
            await self._store.save(pair)
        except OSError as err:
            # The old pair is dead anyway: this one is good until we are started again.
            _LOGGER.warning("The session cannot be stored: %s", type(err).__name__)
        self._pair = pair

    async def _is_up(self) -> bool:
        """Return whether the cloud works as a whole, without any authentication."""
        try:
            await self._budget.take(Lane.AUTH)
            answer = await ask(
                self._session, self._time, "GET", self._url, HEALTH, timeout=GLANCE
            )
        except EaseeError:
            return False
        if answer.good or answer.status in {404, 405}:
            # Any answer will do, even that there is no such page.
            return True
        self._budget.heed(answer.error(self._time()))
        return False


def _credentials(user: str, password: str) -> dict[str, str]:
    return {"userName": user, "password": password}


def _pair(answer: Answer, asked_at: datetime, now: datetime) -> TokenPair:
    """Return the pair that is answered; raises what it means if there is none."""
    if answer.good:
        if (pair := TokenPair.from_answer(answer.body, asked_at)) is not None:
            return pair
        raise Unavailable
    if answer.code == BAD_PASSWORD or answer.status == 401:
        raise InvalidCredentials(answer.title)
    if answer.code == UNVERIFIED:
        raise EmailNotVerified(answer.title)
    raise answer.error(now)
