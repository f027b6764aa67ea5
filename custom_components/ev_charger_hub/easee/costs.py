"""Costs: what charging costs at a site, and what each charger cost today and before.

The cloud sums up any span of time, but only ten times an hour. What lies before today
rarely changes, so as a rule only today is asked for.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
import logging
from typing import Any, Final, Self

from ..station.channel import Channel
from .errors import EaseeError, Forbidden, NotFound, NotNow
from .products import SiteInfo
from .sites import ChargerCost, Sites
from .timing import Time, limit, pause

_LOGGER = logging.getLogger(__name__)

FIRST: Final = 60.0
"""Seconds after the start that belong to what matters more."""
INTERVAL: Final = timedelta(minutes=30)
BOOKED: Final = timedelta(minutes=1)
"""So long after a session, or midnight, the cloud has it in its books."""
PRICE_STAYS: Final = timedelta(hours=6)
"""How soon a price is asked for again that the account does not list."""
NOT_FOR_US: Final = timedelta(hours=6)
"""How soon somebody is asked again who may not tell."""


class Period(StrEnum):
    """For how long costs are summed up."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


@dataclass(kw_only=True, slots=True, frozen=True)
class Cost:
    """What a charger used since a moment: kWh, and money in `currency`."""

    energy: float
    amount: float
    currency: str | None
    since: datetime


type ChargersCosts = dict[tuple[str, Period], Channel[Cost | None]]
"""What chargers cost, by serial and period."""


@dataclass(kw_only=True, slots=True, frozen=True)
class ChargerCosts:
    """What one charger costs, at whichever site it is."""

    serial: str
    costs: ChargersCosts = field(default_factory=dict)
    counted: Channel[bool] = field(default_factory=lambda: Channel(False, urgent=True))
    """Whether a site counts it."""

    def cost(self, period: Period) -> Channel[Cost | None]:
        """Return what it cost in the present period; None until it is known."""
        return cost_of(self.costs, self.serial, period)


def cost_of(costs: ChargersCosts, serial: str, period: Period) -> Channel[Cost | None]:
    """Return what a charger cost in the present period; None until it is known."""
    return costs.setdefault((serial, period), Channel(None, urgent=True))


@dataclass(kw_only=True, slots=True, frozen=True)
class _Span:
    """A part of the year so far, and what each charger cost in it."""

    start: datetime
    end: datetime | None
    """None for now."""
    costs: Mapping[str, ChargerCost]

    def dump(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "start": self.start.isoformat(),
            "end": None if self.end is None else self.end.isoformat(),
            "costs": [asdict(one) for one in self.costs.values()],
        }

    @classmethod
    def load(cls, kept: Mapping[str, Any]) -> Self:
        """Return a span from JSON; raises KeyError, TypeError or ValueError."""
        end, costs = kept["end"], [ChargerCost(**one) for one in kept["costs"]]
        return cls(
            start=datetime.fromisoformat(kept["start"]),
            end=None if end is None else datetime.fromisoformat(end),
            costs={one.serial: one for one in costs},
        )


class SiteCosts:
    """The price at a site, and the costs of its chargers, by day, month and year.

    `site` is what the account lists, with the price also if the list has none.
    """

    def __init__(
        self,
        site: SiteInfo,
        sites: Sites,
        time: Time,
        zone: Callable[[], tzinfo],
        *,
        costs: ChargersCosts | None = None,
    ) -> None:
        """Ask `sites`; days begin at midnight of `zone`.

        `costs` is where it is told, for all sites: chargers move.
        """
        self.site: Channel[SiteInfo] = Channel(site, urgent=True)
        self.listed: Channel[bool] = Channel(True, urgent=True)
        """Whether the account has the site."""
        self.asked: Channel[datetime | None] = Channel(None)
        """When the cloud last told the costs of today."""
        self._sites = sites
        self._time = time
        self._zone = zone
        self._costs: ChargersCosts = {} if costs is None else costs
        self._lists_price = site.price is not None
        self._priced: datetime | None = None
        """When the price was asked for last."""
        self._spans: dict[Period, _Span] = {}
        """By the period that a span is the beginning of; that of a day is today."""
        self._wake = asyncio.Event()
        """Set while a session that is over has not been asked for."""

    def cost(self, serial: str, period: Period) -> Channel[Cost | None]:
        """Return what a charger cost in the present period; None until it is known."""
        return cost_of(self._costs, serial, period)

    def update(self, site: SiteInfo) -> None:
        """Take over what the account lists; what it does not tell of a site stays."""
        self.listed.set(True)
        known, self._lists_price = self.site.value, site.price is not None
        if site.price is None and known.price is not None:
            site = replace(
                site,
                currency=site.currency or known.currency,
                price=known.price,
                price_without_vat=known.price_without_vat,
                vat=known.vat,
            )
        rated_current = site.rated_current or known.rated_current
        self.site.set(replace(site, rated_current=rated_current))

    def session_ended(self, began: datetime | None = None) -> None:
        """Ask again soon, and also for days since which the session may have lasted."""
        for period, span in tuple(self._spans.items()):
            if span.end is not None and (began is None or began < span.end):
                del self._spans[period]
        self._wake.set()
        # A restart must not bring back what is deleted.
        self.asked.notify()

    def dump(self) -> dict[str, Any]:
        """Return what spares the cloud questions after a restart, as JSON."""
        asked = self.asked.value
        return {
            "asked": None if asked is None else asked.isoformat(),
            "spans": {period: one.dump() for period, one in self._spans.items()},
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Know what was known before a restart; what is unreadable is not known."""
        try:
            asked = datetime.fromisoformat(kept["asked"])
            spans = {
                Period(period): _Span.load(one) for period, one in kept["spans"].items()
            }
        except AttributeError, KeyError, TypeError, ValueError:
            return
        self.asked.set(asked)
        self._spans = spans
        self._sum_up(self._starts())

    async def run(self) -> None:
        """Keep price and costs up to date."""
        wait = max(self._until_due(), timedelta(seconds=FIRST))
        while True:
            try:
                async with limit(self._time, wait.total_seconds()):
                    await self._wake.wait()
            except TimeoutError:
                pass
            else:
                self._wake.clear()
                await pause(self._time, BOOKED.total_seconds())
            wait = min(await self._try(), self._tomorrow() - self._time())
            self._forget_what_is_over()

    def _until_due(self) -> timedelta:
        """Return how long what is known is good enough."""
        now, asked = self._time(), self.asked.value
        today = self._starts()[Period.DAY]
        if asked is None or not today <= asked <= now or len(self._spans) < len(Period):
            return timedelta()
        return min(asked + INTERVAL, self._tomorrow()) - now

    def _tomorrow(self) -> datetime:
        """Return when the next day begins with 0: once this one is booked."""
        return self._starts()[Period.DAY] + timedelta(days=1) + BOOKED

    async def _try(self) -> timedelta:
        """Ask for what is not known; return how long to leave it at that."""
        try:
            await self.refresh()
        except (Forbidden, NotFound) as err:
            _LOGGER.debug("Costs are not told: %s", type(err).__name__)
            return NOT_FOR_US
        except NotNow as err:
            return max(err.until - self._time(), INTERVAL)
        except EaseeError as err:
            _LOGGER.debug("Costs are not known: %s", type(err).__name__)
            return INTERVAL
        except Exception:
            _LOGGER.exception("Costs are not understood")
            return INTERVAL
        return max(self._until_due(), BOOKED)

    async def refresh(self) -> None:
        """Ask for today and whatever else is not known; raises EaseeError."""
        asked_at, starts = self._time(), self._starts()
        if not self._lists_price and (
            self._priced is None or asked_at - self._priced >= PRICE_STAYS
        ):
            await self.refresh_price()
        for period, end in (
            (Period.DAY, None),
            (Period.MONTH, starts[Period.DAY]),
            (Period.YEAR, starts[Period.MONTH]),
        ):
            await self._know(period, starts[period], end)
            self._sum_up(starts)
        # At midnight the answer is of the day before.
        self.asked.set(asked_at)

    async def refresh_price(self) -> None:
        """Ask what a kWh costs; raises EaseeError."""
        site = self.site.value
        told = await self._sites.site(site.id)
        self._priced = self._time()
        if told is not None:
            self.site.set(
                replace(
                    site,
                    currency=told.currency or site.currency,
                    price=told.price,
                    price_without_vat=told.price_without_vat,
                    rated_current=told.rated_current or site.rated_current,
                    vat=told.vat,
                )
            )

    async def _know(
        self, period: Period, start: datetime, end: datetime | None
    ) -> None:
        """Ask what a span cost, unless that is known and over."""
        known = self._spans.get(period)
        if end and known is not None and (known.start, known.end) == (start, end):
            return
        listed: list[ChargerCost] = []
        if end is None or start < end:
            site = self.site.value
            listed = await self._sites.costs(site.id, start, end or self._time())
        if end and self._wake.is_set():
            # A session that ended meanwhile is not booked yet: this is asked again.
            self._spans.pop(period, None)
            return
        costs = {one.serial: one for one in listed}
        self._spans[period] = _Span(start=start, end=end, costs=costs)

    def _starts(self) -> dict[Period, datetime]:
        """Return when the present day, month and year began."""
        now = self._time().astimezone(self._zone())
        day = now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        month = day.replace(day=1)
        return {
            Period.DAY: day,
            Period.MONTH: month,
            Period.YEAR: month.replace(month=1),
        }

    def _sum_up(self, starts: Mapping[Period, datetime]) -> None:
        """Tell the costs of those periods that are known from beginning to end."""
        ends = dict(zip(Period, (None, *starts.values()), strict=False))
        spans: list[_Span] = []
        for period in Period:
            span = self._spans.get(period)
            if span is None or (span.start, span.end) != (starts[period], ends[period]):
                return
            spans.append(span)
            for charger in self.site.value.chargers:
                self._tell(charger.serial, period, starts[period], spans)

    def _forget_what_is_over(self) -> None:
        """Tell no costs of a day, month or year that is over."""
        for period, start in self._starts().items():
            for charger in self.site.value.chargers:
                cost = self.cost(charger.serial, period)
                if cost.value is not None and cost.value.since < start:
                    cost.set(None)

    def _tell(
        self, serial: str, period: Period, since: datetime, spans: list[_Span]
    ) -> None:
        parts = [span.costs[serial] for span in spans if serial in span.costs]
        currencies = (one.currency for one in parts if one.currency is not None)
        cost = Cost(
            energy=round(sum(one.energy for one in parts), 4),
            amount=round(sum(one.cost for one in parts), 4),
            currency=next(currencies, self.site.value.currency),
            since=since,
        )
        self.cost(serial, period).set(cost)
