"""Requests: what the parts of the client need of REST."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Lane(StrEnum):
    """Who goes first when few requests are left; the order is the order of preference."""

    AUTH = "auth"
    COMMAND = "command"
    READ = "read"
    PAST = "past"


@dataclass(kw_only=True, slots=True, frozen=True)
class Quota:
    """A limit of its own that some requests have: so many within so many seconds."""

    key: str
    count: int
    seconds: float


@dataclass(kw_only=True, slots=True, frozen=True)
class Reply:
    """A good answer: its status, and its body as JSON, or text, or None for none."""

    status: int
    body: Any


class Requests(Protocol):
    """What sends requests to the Easee cloud, within the budget of the account."""

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
        """Return a good answer (2xx) to a request; raises EaseeError for any other.

        `path` begins with "/". Reads are tried again after 5xx, commands are not.
        With `raw` the body is bytes.
        """
