"""History: what the cloud knows of a charger's past (easee_cloud.md 1.5 #11, #12, #14, #15).

Sessions go into the journal once, whether or not they were seen live.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import logging
from typing import Any, Final

from ..station.enums import StopReason
from ..station.journal import Journal
from ..station.secrets import shortened
from ..station.transaction import CLOUD, CLOUD_UNNAMED
from ..station.transactions import Transactions
from .errors import EaseeError, NotFound
from .reading_values import moment
from .requests import Lane, Quota, Requests
from .told_sessions import ToldSession, identifier, watt_hours, word

_LOGGER = logging.getLogger(__name__)

FACT: Final = "easee_history"
"""The fact that tells until when sessions were imported."""

PAGE: Final = timedelta(days=30)
"""The cloud answers for a month at most."""

AGAIN: Final = timedelta(days=28)
"""So far back sessions are asked for again, which is one request.

Those of a charger that was offline end up in the list late.
"""

PAST: Final = timedelta(days=92)
"""So far back the first import goes."""

_PER_HOUR: Final = 10
_HOUR: Final = timedelta(hours=1)


@dataclass(kw_only=True, slots=True, frozen=True)
class PastSession:
    """A session as the cloud lists it; energy in Wh, one that goes on has no end.

    `charging_time` is for how many seconds energy flowed. Costs are in `currency`.
    """

    id: str | None
    started_at: datetime
    stopped_at: datetime | None
    energy: int
    charging_time: int | None = None
    first_energy_at: datetime | None = None
    last_energy_at: datetime | None = None
    id_token: str | None = field(default=None, repr=False)
    cost: float | None = None
    cost_without_vat: float | None = None
    price: float | None = None
    currency: str | None = None

    @property
    def told(self) -> ToldSession:
        """Return it as the journal hears of it; one without an id is named after its start."""
        prefix = CLOUD_UNNAMED.removeprefix(CLOUD)
        unnamed = f"{prefix}{int(self.started_at.timestamp())}"
        return ToldSession(
            id=self.id or unnamed,
            started_at=self.started_at,
            stopped_at=self.stopped_at,
            energy=self.energy,
            id_token=self.id_token,
            cost=self._cost,
        )

    @property
    def _cost(self) -> dict[str, Any] | None:
        if self.cost is None or self.currency is None:
            return None
        return {"amount": self.cost, "currency": self.currency}


@dataclass(kw_only=True, slots=True, frozen=True)
class HourlyUsage:
    """What was delivered in the hour from `start`, in Wh."""

    start: datetime
    energy: int


async def ongoing(requests: Requests, serial: str) -> PastSession | None:
    """Return the session that goes on, None if there is none."""
    return await _one(requests, serial, "ongoing")


async def latest(requests: Requests, serial: str) -> PastSession | None:
    """Return the last session that is over, None if there was none."""
    return await _one(requests, serial, "latest")


async def _one(requests: Requests, serial: str, which: str) -> PastSession | None:
    try:
        reply = await requests.request(
            "GET",
            f"/api/chargers/{serial}/sessions/{which}",
            quota=_quota("sessions", serial),
        )
    except NotFound:
        return None
    return session_in(reply.body)


async def sessions(
    requests: Requests,
    serial: str,
    start: datetime,
    end: datetime,
    lane: Lane = Lane.READ,
) -> list[PastSession]:
    """Return the sessions that began in a time, the oldest first."""
    path = f"/api/sessions/charger/{serial}/sessions"
    quota = _quota("sessions", serial)
    found: list[PastSession] = []
    for first, last in pages(start, end):
        body = await _listed(requests, _within(path, first, last), quota, lane)
        found += [one for item in body if (one := session_in(item)) is not None]
    once = {(one.id, one.started_at): one for one in found}
    return sorted(once.values(), key=lambda one: one.started_at)


async def hourly_usage(
    requests: Requests,
    serial: str,
    start: datetime,
    end: datetime,
    lane: Lane = Lane.READ,
) -> list[HourlyUsage]:
    """Return what was delivered by the hour in a time, the oldest first."""
    path = f"/api/chargers/{serial}/usage/hourly"
    quota = _quota("usage", serial)
    found: list[HourlyUsage] = []
    for first, last in pages(start, end):
        body = await _listed(requests, _within(path, first, last), quota, lane)
        found += [one for item in body if (one := usage_in(item)) is not None]
    hours = {one.start: one for one in found}
    return [hours[start] for start in sorted(hours)]


async def _listed(requests: Requests, path: str, quota: Quota, lane: Lane) -> list[Any]:
    try:
        reply = await requests.request("GET", path, lane=lane, quota=quota)
    except NotFound:
        return []
    return reply.body if isinstance(reply.body, list) else []


def _within(path: str, start: datetime, end: datetime) -> str:
    return f"{path}/{_stamp(start)}/{_stamp(end)}"


def pages(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield a time in parts that the cloud answers for, the oldest first."""
    while start < end:
        following = min(start + PAGE, end)
        yield start, following
        start = following


# Import


async def import_sessions(
    requests: Requests,
    transactions: Transactions,
    journal: Journal,
    identity: str,
    serial: str,
    *,
    now: datetime,
    past: timedelta = PAST,
) -> int:
    """Put the sessions of the last months into the journal; return how many were new.

    Those that were seen live, or imported before, are there already. What was done is
    remembered, so that an import that is cut short (EaseeError) goes on where it was;
    later ones ask for what is new.
    """
    start = now - past
    if (until := moment(await journal.load(identity, FACT))) is not None:
        start = max(start, min(until, now) - AGAIN)
    found: list[PastSession] = []
    trouble: EaseeError | None = None
    done = start
    for first, last in pages(start, now):
        try:
            found += await sessions(requests, serial, first, last, Lane.PAST)
        except EaseeError as err:
            trouble = err
            break
        done = last
    imported = await _keep(transactions, found, now)
    if done > start and not transactions.closed:
        await journal.store(identity, FACT, done.isoformat())
    if imported:
        _LOGGER.info("%s: %d sessions imported", shortened(serial), imported)
    if trouble is not None:
        raise trouble
    return imported


async def _keep(
    transactions: Transactions, found: list[PastSession], now: datetime
) -> int:
    """Keep the sessions that are over and that nobody has; return how many.

    The newest comes first: it is what is shown if there is nothing newer.
    """
    over = [one for one in found if one.stopped_at is not None]
    new = 0
    for one in reversed(over):
        if transactions.closed:
            # Whoever has the charger now, by whatever name, asks for them again.
            break
        _, unknown = await transactions.told(one.told.end(StopReason.OTHER))
        new += unknown
    return new


# What the cloud says


def session_in(item: object) -> PastSession | None:
    """Return what one session is, of a list or on its own, None if it is none."""
    if not isinstance(item, dict):
        return None
    start = _moment(item, "carConnected", "sessionStart")
    energy = watt_hours(_first(item, "kiloWattHours", "sessionEnergy"))
    if start is None or energy is None:
        return None
    stop = _moment(item, "carDisconnected", "sessionEnd")
    if item.get("isComplete") is False:
        stop = None
    return PastSession(
        id=identifier(_first(item, "id", "sessionId")),
        started_at=start,
        stopped_at=None if stop is None else max(start, stop),
        energy=energy,
        charging_time=_seconds(
            item, "actualDurationSeconds", "chargeDurationInSeconds"
        ),
        first_energy_at=_moment(
            item, "firstEnergyTransferPeriodStarted", "firstEnergyTransferPeriodStart"
        ),
        last_energy_at=_moment(item, "lastEnergyTransferPeriodEnd"),
        id_token=word(item.get("authToken")),
        cost=_number(item, "costIncludingVat"),
        cost_without_vat=_number(item, "costExcludingVat"),
        price=_number(item, "pricePrKwhIncludingVat"),
        currency=word(_first(item, "currency", "currencyId")),
    )


def usage_in(item: object) -> HourlyUsage | None:
    """Return what one hour of a list is, None if it is none."""
    if not isinstance(item, dict):
        return None
    start = _moment(item, "from", "date")
    energy = watt_hours(_first(item, "totalEnergy", "consumption"))
    if start is None or energy is None:
        return None
    return HourlyUsage(
        start=start.replace(minute=0, second=0, microsecond=0), energy=energy
    )


def _first(item: dict[str, Any], *names: str) -> Any:
    return next((item[one] for one in names if item.get(one) is not None), None)


def _moment(item: dict[str, Any], *names: str) -> datetime | None:
    return moment(_first(item, *names))


def _number(item: dict[str, Any], name: str) -> float | None:
    value = item.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _seconds(item: dict[str, Any], *names: str) -> int | None:
    value = _first(item, *names)
    return value if type(value) is int and value >= 0 else None


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _quota(kind: str, serial: str) -> Quota:
    return Quota(key=f"{kind} {serial}", count=_PER_HOUR, seconds=_HOUR.total_seconds())
