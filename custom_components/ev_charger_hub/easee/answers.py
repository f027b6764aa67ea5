"""Answers: what the Easee cloud says to a request, and what it means (easee_cloud.md 1.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
import logging
import re
from typing import Any, Final

from aiohttp import (
    ClientConnectionError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ServerDisconnectedError,
)
import orjson

from ..station.secrets import shortened
from .errors import (
    AddressBlocked,
    EaseeError,
    Forbidden,
    NotFound,
    RateLimited,
    Refused,
    Unavailable,
)
from .timing import Time, limit

_LOGGER = logging.getLogger(__name__)

TIMEOUT: Final = 30.0
"""How many seconds an answer may take."""
HOLD: Final = timedelta(seconds=60)
"""How long nothing is sent after 429 that does not say how long."""
BLOCK: Final = timedelta(hours=1)
"""How long a blocked address is left alone at least."""
LONGEST_HOLD: Final = timedelta(hours=24)
LONGEST_TITLE: Final = 200

_OURS_TO_COUNT = ClientTimeout(total=None)
_BLOCKED = re.compile(r"too many requests\b.*\bblocked\b", re.IGNORECASE | re.DOTALL)
_HOURS = re.compile(r"\bfor (\d{1,2}) hours\b", re.IGNORECASE)
_SERIAL = re.compile(r"\b[A-Z]{2}[A-Z0-9]{6,}\b")


@dataclass(kw_only=True, slots=True, frozen=True)
class Answer:
    """An answer: its body is JSON, text, or None; with `raw` asked for, bytes."""

    status: int
    body: Any = field(repr=False)
    retry_after: timedelta | None = None
    date: datetime | None = None
    """When it was given, by the cloud's own clock."""
    page: bool = False
    """Whether it is a page for people, which is not what the API answers with."""

    @property
    def good(self) -> bool:
        """Return whether the cloud did as it was asked."""
        return 200 <= self.status < 300 and not self.page

    @property
    def code(self) -> int | None:
        """Return the cloud's own code of what is wrong."""
        match self.body:
            case {"errorCode": int(code)}:
                return code
        return None

    @property
    def title(self) -> str:
        """Return what is wrong in words for the user, "" if none are said."""
        match self.body:
            case {"errors": dict(errors)}:
                title = "; ".join(_said(errors))
            case {"title": str(title)} | {"message": str(title)}:
                pass
            case str(title) if not self.page:
                pass
            case _:
                return ""
        return title.strip()[:LONGEST_TITLE]

    @property
    def blocked(self) -> bool:
        """Return whether it is the text for an address that is blocked."""
        text = self.body if isinstance(self.body, str) else self.title
        return self.status in {403, 429} and bool(_BLOCKED.search(text))

    def error(self, now: datetime) -> EaseeError:
        """Return what an answer means that is not good."""
        title = self.title
        if self.blocked:
            return AddressBlocked(now + self._block(), title)
        match self.status:
            case 401 | 403:
                return Forbidden(title)
            case 404:
                return NotFound(title)
            case 429:
                return RateLimited(now + (self.retry_after or HOLD), title)
            case status if 400 <= status < 500 and status != 408:
                return Refused(title)
        return Unavailable(title)

    def _block(self) -> timedelta:
        """Return how long the address is to be left alone."""
        text = self.body if isinstance(self.body, str) else self.title
        hours = int(found[1]) if (found := _HOURS.search(text)) else 0
        said = max(timedelta(hours=hours), self.retry_after or timedelta())
        return max(BLOCK, min(said, LONGEST_HOLD))


async def ask(
    session: ClientSession,
    time: Time,
    method: str,
    url: str,
    path: str,
    *,
    token: str | None = None,
    json: Any = None,
    params: Mapping[str, str] | None = None,
    raw: bool = False,
    timeout: float = TIMEOUT,
) -> Answer:
    """Return what is answered, good or not; raises Unavailable if nothing is.

    Redirections are not followed: tokens and passwords go where we send them.
    """
    headers = {"Accept": "application/octet-stream" if raw else "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    shown = without_serials(path)
    try:
        async with (
            limit(time, timeout),
            session.request(
                method,
                url + path,
                headers=headers,
                json=json,
                params=params,
                allow_redirects=False,
                timeout=_OURS_TO_COUNT,
                middlewares=(_once,),
            ) as response,
        ):
            content = await response.read()
    except (TimeoutError, ClientError, OSError) as err:
        # Its text may hold the address, its repr the headers.
        _LOGGER.debug("%s %s: %s", method, shown, type(err.__cause__ or err).__name__)
        raise Unavailable from err
    _LOGGER.debug("%s %s: %s", method, shown, response.status)
    return _answer(response, content, raw)


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Keep aiohttp from sending GET, PUT and DELETE again, which nobody would count."""
    try:
        return await handler(request)
    except (ClientOSError, ServerDisconnectedError) as err:
        raise ClientConnectionError from err


def without_serials(path: str) -> str:
    """Return a path as it may be logged."""
    return _SERIAL.sub(lambda found: shortened(found[0]), path)


def _answer(response: ClientResponse, content: bytes, raw: bool) -> Answer:
    status = response.status
    if 300 <= status < 400 and "ratelimiter" in response.headers.get("Location", ""):
        status = 429
    page = response.content_type == "text/html"
    good = 200 <= status < 300 and not page
    return Answer(
        status=status,
        body=content if raw and good else _body(content),
        retry_after=retry_after(response.headers),
        date=_date(response.headers.get("Date", "")),
        page=page,
    )


def _body(content: bytes) -> Any:
    """Return JSON, or text if it is none; nothing at all is None."""
    if not content.strip():
        return None
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return content.decode(errors="replace")


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long the cloud wants to be left alone, by its own clock."""
    if (said := headers.get("Retry-After")) is None:
        return None
    if said.isdecimal():
        wait = timedelta(seconds=int(said[:9]))
    elif (until := _date(said)) and (date := _date(headers.get("Date", ""))):
        wait = until - date
    else:
        return None
    return min(wait, LONGEST_HOLD) if wait > timedelta() else None


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _said(errors: Mapping[str, Any]) -> list[str]:
    """Return what ASP.NET does not like, by field."""
    return [
        f"{name}: {' '.join(map(str, texts)) if isinstance(texts, list) else texts}"
        for name, texts in errors.items()
    ]
