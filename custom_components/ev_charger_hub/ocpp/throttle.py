"""Throttles: how often an address may try, and how long it waits after failures."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from ..station.clock import Clock

_REMEMBERED = 1000
_NETWORK_BITS = 64
_HANDFUL = 5


@lru_cache(maxsize=_REMEMBERED)
def neighborhood(address: str) -> str:
    """Return what counts as one address: in IPv6 a /64, of which a host has them all."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(IPv6Address(int(known) >> _NETWORK_BITS << _NETWORK_BITS))


class Pace:
    """How fast one socket may go on: `burst` at once, then `rate` per second.

    Who is too fast is told for how long to rest, and nothing of it is lost.
    """

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, *, rate: float, burst: float, now: float = 0.0) -> None:
        """Start rested at `now`, in seconds of a clock that never steps back."""
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    @property
    def hurried(self) -> bool:
        """Return whether more than a handful came at once."""
        return self._burst - self._left > _HANDFUL

    @property
    def overdrawn(self) -> bool:
        """Return whether it has to rest before it goes on."""
        return self._left < 0

    def take(self, now: float, cost: float = 1.0) -> float:
        """Take what something cost; return the seconds to rest until it is earned."""
        earned = self._left + (now - self._at) * self._rate
        self._left = min(self._burst, earned) - cost
        self._at = now
        return 0.0 if self._left >= 0 else -self._left / self._rate


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: datetime


class Buckets:
    """One token bucket per key: `burst` at once, then one every `refill`."""

    def __init__(self, clock: Clock, *, burst: int, refill: timedelta) -> None:
        """Start with full buckets."""
        self._clock = clock
        self._burst = burst
        self._refill = refill
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def empty(self, key: str) -> bool:
        """Return whether nothing is left for `key`."""
        return self._bucket(key).tokens < 1

    def take(self, key: str) -> bool:
        """Take one token; return False if there was none."""
        bucket = self._bucket(key)
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def _bucket(self, key: str) -> _Bucket:
        now = self._clock()
        if (bucket := self._buckets.get(key)) is None:
            bucket = self._buckets[key] = _Bucket(self._burst, now)
            if len(self._buckets) > _REMEMBERED:
                self._buckets.popitem(last=False)
            return bucket
        self._buckets.move_to_end(key)
        # A clock that steps back must not take tokens away.
        gained = max(timedelta(), now - bucket.at) / self._refill
        bucket.tokens = min(self._burst, bucket.tokens + gained)
        bucket.at = now
        return bucket


@dataclass(slots=True)
class _Failures:
    count: int
    at: datetime
    until: datetime


class Lockout:
    """Exponential back-off per key: after some failures, 1 s, 2 s, ... up to `longest`.

    A key that does not fail for an hour after its wait is forgotten.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        free: int = 3,
        longest: timedelta = timedelta(minutes=5),
        forget: timedelta = timedelta(hours=1),
    ) -> None:
        """Allow `free` failures without a wait."""
        self._clock = clock
        self._free = free
        self._longest = longest
        self._forget = forget
        self._failures: OrderedDict[tuple[str, ...], _Failures] = OrderedDict()

    def wait(self, key: tuple[str, ...]) -> timedelta:
        """Return how long `key` has to wait now; zero if not at all."""
        if (failures := self._failures.get(key)) is None:
            return timedelta()
        # Bounded, so that a clock set back by a day locks nobody out for a day.
        return max(timedelta(), min(failures.until - self._clock(), self._longest))

    def failed(self, key: tuple[str, ...]) -> None:
        """Count a failure."""
        now = self._clock()
        failures = self._failures.pop(key, None)
        if failures is None or now - failures.until > self._forget:
            failures = _Failures(0, now, now)
        failures.count += 1
        excess = min(failures.count - self._free, 20)
        pause = timedelta(seconds=2 ** (excess - 1)) if excess > 0 else timedelta()
        failures.until = now + min(pause, self._longest)
        self._failures[key] = failures
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, key: tuple[str, ...]) -> None:
        """Forget the failures of `key`."""
        self._failures.pop(key, None)
