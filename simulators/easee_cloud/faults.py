"""What goes wrong between a client and the cloud: faults, outages, limits, blocks."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import re
from typing import Any

from .answers import BLOCKED, HTML, Refused
from .clock import CloudClock


class Cut(Exception):
    """The connection is cut instead of an answer."""


@dataclass(kw_only=True, slots=True)
class Fault:
    """Something that goes wrong with the next requests of a kind."""

    pattern: str = ""
    """What the path matches."""
    method: str | None = None
    times: int | None = 1
    """How often; None for ever."""
    status: int | None = None
    """What is answered; None leaves the answer as it is."""
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """How many seconds the answer takes."""
    cut: bool = False
    """Whether the connection is reset instead of an answer."""
    after: bool = False
    """Whether the request is carried out before it goes wrong."""

    def matches(self, method: str, path: str) -> bool:
        """Return whether this is such a request."""
        return (
            self.times != 0
            and self.method in {None, method}
            and bool(re.search(self.pattern, path))
        )

    def strike(self) -> None:
        """Go wrong, or let go if there is nothing to go wrong."""
        if self.cut:
            raise Cut
        if self.status is not None:
            raise Refused(self.status, self.body, self.headers)


class Faults:
    """The faults that are to come, by count."""

    def __init__(self, clock: CloudClock) -> None:
        """Start with none."""
        self._clock = clock
        self.waiting: list[Fault] = []
        self.out: Fault | None = None
        self._slow: set[asyncio.Event] = set()
        self._stopped = False

    def add(self, fault: Fault) -> Fault:
        """Let something go wrong."""
        self.waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Let everything work again."""
        self.waiting.clear()
        self.out = None

    def outage(self, status: int | None = 503, body: Any = HTML) -> None:
        """Let the whole cloud be down; without a status connections are cut."""
        self.out = Fault(times=None, status=status, body=body, cut=status is None)

    def take(self, method: str, path: str) -> Fault | None:
        """Return what goes wrong with a request; it is used up by that."""
        if self.out is not None:
            return self.out
        for fault in self.waiting:
            if fault.matches(method, path):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    async def wait(self, seconds: float) -> None:
        """Take time before answering, on the cloud's clock."""
        done = asyncio.Event()
        self._slow.add(done)
        self._clock.call_later(seconds, done.set)
        await done.wait()
        self._slow.discard(done)
        if self._stopped:
            raise Cut

    def stop(self) -> None:
        """Answer nobody who still waits."""
        self._stopped = True
        for done in self._slow:
            done.set()


@dataclass(kw_only=True, slots=True)
class Quota:
    """How many requests of a kind there may be."""

    pattern: str = ""
    count: int
    seconds: float
    seen: deque[datetime] = field(default_factory=deque)

    def spent(self, path: str, now: datetime) -> bool:
        """Count a request, and return whether it was one too many."""
        if not re.search(self.pattern, path):
            return False
        while self.seen and self.seen[0] <= now - timedelta(seconds=self.seconds):
            self.seen.popleft()
        if len(self.seen) >= self.count:
            return True
        self.seen.append(now)
        return False


class Limits:
    """The rate limiter in front of everything: first 429, then the address is blocked."""

    def __init__(self, clock: CloudClock) -> None:
        """Start with the quota that clients report."""
        self._clock = clock
        self.quotas = [Quota(count=500, seconds=300)]
        self.retry_after: int | None = None
        """What Retry-After says in seconds; None leaves it out."""
        self.offences_before_block: int | None = None
        """After how many requests over quota the address is blocked; None for never."""
        self.block_seconds = 3600.0
        self.offences = 0
        self.blocked_until: datetime | None = None

    def strict(self) -> None:
        """Limit what is documented as limited, too: 10 an hour, allocation 1 a minute."""
        self.quotas += [
            Quota(pattern=pattern, count=10, seconds=3600)
            for pattern in (r"^/api/sites(/\d+)?$", "/breakdown/", "^/api/sessions/")
        ]
        once = "/configure_max_allocated_current$"
        self.quotas.append(Quota(pattern=once, count=1, seconds=60))

    def block(self, seconds: float | None = None) -> None:
        """Block the client's address."""
        span = self.block_seconds if seconds is None else seconds
        self.blocked_until = self._clock.true + timedelta(seconds=span)

    def check(self, path: str) -> None:
        """Let a request pass, or refuse it."""
        now = self._clock.true
        if self.blocked_until is not None and now < self.blocked_until:
            raise Refused(403, BLOCKED)
        # Every quota counts the request, whichever of them refuses it.
        spent = [quota.spent(path, now) for quota in self.quotas]
        if not any(spent):
            return
        self.offences += 1
        allowed = self.offences_before_block
        if allowed is not None and self.offences >= allowed:
            self.block()
            raise Refused(403, BLOCKED)
        headers = (
            {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        )
        raise Refused(429, {"message": "Too many requests"}, headers)
