"""What was asked of the cloud, and the wire transcript, fit for a golden file."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
import json
import logging
from pathlib import Path
import re
from typing import Any

_LOGGER = logging.getLogger(__name__)

MEMORY = 100_000
"""How many requests, and how many lines, are kept."""
SECRETS = re.compile(
    r'("(?:accessToken|refreshToken|access_token|password|basicAuthPassword|pinCode)"'
    r':\s*")[^"]+"'
)


def without_secrets(text: str) -> str:
    """Return a line without tokens, passwords and PINs."""
    return SECRETS.sub(r'\1<secret>"', text)


@dataclass(kw_only=True, slots=True)
class Request:
    """One request, and what became of it."""

    at: datetime
    method: str
    path: str
    query: str
    body: Any
    bearer: str | None
    """The access token that came with it."""
    status: int | None = None
    """What was answered; None while it is open, and if the connection was cut."""

    def matches(self, method: str | None, pattern: str) -> bool:
        """Return whether this is a request of a method whose path matches."""
        return method in {None, self.method} and bool(re.search(pattern, self.path))


class Journal:
    """All requests in their order, and every line that went over a wire."""

    def __init__(self) -> None:
        """Start empty."""
        self.requests: deque[Request] = deque(maxlen=MEMORY)
        self.lines: deque[str] = deque(maxlen=MEMORY)

    def __iter__(self) -> Iterator[Request]:
        """Iterate over the requests."""
        return iter(self.requests)

    def find(
        self,
        method: str | None = None,
        pattern: str = "",
        since: datetime | None = None,
    ) -> list[Request]:
        """Return the requests whose path matches `pattern`, the oldest first."""
        return [
            request
            for request in self.requests
            if request.matches(method, pattern)
            and (since is None or request.at >= since)
        ]

    def busiest(self, seconds: float, method: str | None, pattern: str) -> int:
        """Return how many matching requests came within any so many seconds at most."""
        moments = [request.at for request in self.find(method, pattern)]
        span = timedelta(seconds=seconds)
        return max(
            (
                sum(start <= at < start + span for at in moments[index:])
                for index, start in enumerate(moments)
            ),
            default=0,
        )

    def clear(self) -> None:
        """Forget everything."""
        self.requests.clear()
        self.lines.clear()

    def client(self, text: str) -> None:
        """Note a line of a client."""
        self._note("C>", text)

    def server(self, text: str) -> None:
        """Note a line of the cloud."""
        self._note("S<", text)

    def _note(self, who: str, text: str) -> None:
        line = f"{who} {without_secrets(text).replace('\x1e', 'RS')}"
        _LOGGER.debug("%s", line)
        self.lines.append(line)

    def opened(self, request: Request) -> None:
        """Note a request."""
        self.requests.append(request)
        words = [request.method, request.path + request.query]
        if request.bearer is not None:
            words.append("Authorization: Bearer <jwt>")
        if (
            request.body not in {None, ""}
            if isinstance(request.body, str)
            else (request.body is not None)
        ):
            words.append(json.dumps(request.body, separators=(",", ":")))
        self.client(" ".join(words))

    def closed(self, request: Request, status: int | None, text: str) -> None:
        """Note what was answered; without a status the connection was cut."""
        request.status = status
        words = ["cut" if status is None else str(status), text]
        self.server(" ".join(words).rstrip())

    def transcript(self) -> str:
        """Return everything that went over the wires, a line each."""
        return "".join(f"{line}\n" for line in self.lines)

    def write(self, path: Path) -> None:
        """Write the transcript into a golden file."""
        path.write_text(self.transcript(), encoding="utf-8")
