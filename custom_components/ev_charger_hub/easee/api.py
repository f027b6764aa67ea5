"""API: requests to the Easee cloud, with tokens, budget and errors by meaning."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import uniform
from typing import Any, Final, override

from aiohttp import ClientSession

from ..station.clock import Skew
from .answers import Answer, ask
from .auth import Authenticator
from .budget import Budget
from .const import API_URL
from .errors import Unavailable
from .requests import Lane, Quota, Reply, Requests
from .timing import Time, pause

TRIES: Final = 3
"""How often something is read if the cloud does not work."""


@dataclass(kw_only=True, slots=True, frozen=True)
class _Request:
    method: str
    path: str
    lane: Lane
    json: Any
    params: Mapping[str, str] | None
    quota: Quota | None
    raw: bool


class EaseeApi(Requests):
    """The requests of one account."""

    def __init__(
        self,
        session: ClientSession,
        authenticator: Authenticator,
        budget: Budget,
        time: Time,
        *,
        url: str = API_URL,
    ) -> None:
        """Send requests over `session` as whom `authenticator` says."""
        self._session = session
        self._authenticator = authenticator
        self._budget = budget
        self._time = time
        self._url = url
        self.requests_made: Counter[Lane] = Counter()
        """How many requests went out, by lane."""
        self.answers: Counter[int] = Counter()
        """How many answers came, by status; 0 for none."""
        self.skew = Skew()
        """How far the cloud's clock is from ours, by what it says of its answers."""

    @override
    async def request(
        self,
        method: str,
        path: str,
        *,
        lane: Lane = Lane.READ,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        quota: Quota | None = None,
        raw: bool = False,
    ) -> Reply:
        """Return a good answer (2xx, and no page for people) to a request.

        What only reads (GET) is tried again if the cloud does not work, nothing else.
        """
        request = _Request(
            method=method,
            path=path,
            lane=lane,
            json=json,
            params=params,
            quota=quota,
            raw=raw,
        )
        # Who is not let in is not let in a second later: logging in has its own pauses.
        await self._authenticator.token()
        tries = TRIES if method == "GET" else 1
        for number in range(1, tries):
            try:
                return await self._replied(request)
            except Unavailable:
                await pause(self._time, uniform(0.5, 1.5) * number)  # noqa: S311
        return await self._replied(request)

    async def _replied(self, request: _Request) -> Reply:
        # Nothing is taken from the budget if nobody is let in, and waiting for a turn
        # may have taken so long that the token is another one.
        await self._authenticator.token()
        await self._budget.take(request.lane, request.quota)
        token = await self._authenticator.token()
        answer = await self._sent(request, token)
        if answer.status == 401:
            token = await self._authenticator.renew(token)
            await self._budget.take(request.lane)
            answer = await self._sent(request, token)
        if answer.good:
            return Reply(status=answer.status, body=answer.body)
        error = answer.error(self._time())
        self._budget.heed(error)
        raise error

    async def _sent(self, request: _Request, token: str) -> Answer:
        self.requests_made[request.lane] += 1
        try:
            answer = await ask(
                self._session,
                self._time,
                request.method,
                self._url,
                request.path,
                token=token,
                json=request.json,
                params=request.params,
                raw=request.raw,
            )
        except Unavailable:
            self.answers[0] += 1
            raise
        self.answers[answer.status] += 1
        self.skew.observe(answer.date, self._time())
        return answer
