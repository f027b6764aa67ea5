"""Costs: price and costs of a site, known soon and asked for seldom."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.costs import Cost, Period, SiteCosts
from custom_components.ev_charger_hub.easee.products import ChargerInfo, SiteInfo
from custom_components.ev_charger_hub.easee.sites import Sites
from simulators.easee_cloud import EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.history import ChargingSession
from simulators.easee_cloud.seed import CHARGER, SECOND

OSLO = ZoneInfo("Europe/Oslo")
TODAY = datetime(2026, 10, 1, tzinfo=OSLO)
YEAR = datetime(2026, 1, 1, tzinfo=OSLO)

HOME = SiteInfo(
    id=1,
    name="Home",
    currency="EUR",
    price=0.3,
    chargers=(
        ChargerInfo(serial=CHARGER, name="Garage"),
        ChargerInfo(serial=SECOND, name="Carport"),
    ),
)


class Bench:
    """The costs of a site, as time passes."""

    def __init__(self, cloud: EaseeCloud, api: EaseeApi, time: SimulatedTime) -> None:
        """Begin to ask."""
        self.cloud = cloud
        self.time = time
        self.costs = SiteCosts(HOME, Sites(api), time, lambda: OSLO)
        self.task = asyncio.create_task(self.costs.run())
        self._told = 0

    def charge(self, start: datetime, energy: float) -> None:
        """Let a session be over that began at a moment."""
        history = self.cloud.chargers[CHARGER].history
        history.sessions.append(
            ChargingSession(
                id=history.next_id(),
                start=start.astimezone(UTC),
                stop=self.cloud.clock(),
                meter_start=0.0,
                energy=energy,
            )
        )

    def energy(self, period: Period, serial: str = CHARGER) -> float | None:
        """Return the energy of a period."""
        cost = self.costs.cost(serial, period).value
        return None if cost is None else cost.energy

    def asked(self) -> list[str]:
        """Return from when until when costs were asked for since the last time."""
        paths = asked(self.cloud)
        new, self._told = paths[self._told :], len(paths)
        return new


def asked(cloud: EaseeCloud) -> list[str]:
    """Return from when until when costs were asked for."""
    paths = [one.path for one in cloud.journal if "breakdown" in one.path]
    return [path.partition("/breakdown/")[2] for path in paths]


@pytest.fixture
async def bench(
    cloud: EaseeCloud, api: EaseeApi, time: SimulatedTime
) -> AsyncGenerator[Bench]:
    """Return the costs of a site, to whose cloud more than ten requests are too many."""
    cloud.limits.strict()
    bench = Bench(cloud, api, time)
    yield bench
    assert cloud.limits.offences == 0
    bench.task.cancel()
    await asyncio.wait([bench.task])


async def test_costs_are_known_a_minute_after_the_start(
    bench: Bench, time: SimulatedTime
) -> None:
    bench.charge(TODAY + timedelta(hours=1), 10.0)
    assert bench.asked() == []
    await time.pass_time(61)
    assert bench.costs.cost(CHARGER, Period.DAY).value == Cost(
        energy=10.0, amount=3.0, currency="EUR", since=TODAY
    )
    year = bench.costs.cost(CHARGER, Period.YEAR).value
    assert year is not None
    assert year.since == YEAR
    assert year.energy > 100
    assert year.amount == pytest.approx(year.energy * 0.3, abs=1e-3)
    assert bench.energy(Period.MONTH) == 10.0
    assert bench.energy(Period.DAY, SECOND) == 0.0
    # On the first of a month there is nothing of it before today.
    assert bench.asked() == [
        "2026-09-30T22:00:00Z/2026-10-01T06:01:00Z",
        "2025-12-31T23:00:00Z/2026-09-30T22:00:00Z",
    ]


async def test_only_today_is_asked_for_every_half_hour(
    bench: Bench, time: SimulatedTime
) -> None:
    await time.pass_time(61)
    bench.asked()
    before = bench.energy(Period.YEAR) or 0
    bench.charge(TODAY + timedelta(hours=8), 4.0)
    await time.pass_time(1800)
    assert bench.energy(Period.DAY) == 4.0
    assert bench.energy(Period.YEAR) == pytest.approx(before + 4.0)
    assert bench.asked() == ["2026-09-30T22:00:00Z/2026-10-01T06:31:00Z"]
    await time.pass_time(5 * 3600)
    assert len(bench.asked()) == 10


async def test_a_day_begins_with_nothing_a_minute_after_midnight(
    bench: Bench, time: SimulatedTime
) -> None:
    await time.pass_time(61)
    bench.charge(TODAY + timedelta(hours=8), 4.0)
    midnight = TODAY + timedelta(days=1)
    await time.pass_time((midnight - time()).total_seconds() + 59)
    assert bench.energy(Period.DAY) == 4.0
    bench.asked()
    await time.pass_time(2)
    assert bench.costs.cost(CHARGER, Period.DAY).value == Cost(
        energy=0.0, amount=0.0, currency="EUR", since=midnight
    )
    assert bench.energy(Period.MONTH) == 4.0
    assert bench.asked() == [
        "2026-10-01T22:00:00Z/2026-10-01T22:01:00Z",
        "2026-09-30T22:00:00Z/2026-10-01T22:00:00Z",
    ]


async def test_a_year_begins_with_nothing(
    cloud: EaseeCloud, api: EaseeApi, time: SimulatedTime
) -> None:
    costs = SiteCosts(HOME, Sites(api), time, lambda: OSLO)
    await costs.refresh()
    begins = datetime(2027, 1, 1, tzinfo=OSLO)
    time.now = begins.astimezone(UTC) + timedelta(minutes=1)
    await costs.refresh()
    for period in Period:
        cost = costs.cost(CHARGER, period).value
        assert cost is not None
        assert (cost.energy, cost.since) == (0.0, begins)
    assert len(asked(cloud)) == 3


async def test_days_begin_at_midnight_whatever_the_clocks_do(
    cloud: EaseeCloud, api: EaseeApi, time: SimulatedTime
) -> None:
    """On 25 October clocks go back: the day has 25 hours."""
    costs = SiteCosts(HOME, Sites(api), time, lambda: OSLO)
    time.now = datetime(2026, 10, 25, 23, 59, tzinfo=OSLO).astimezone(UTC)
    await costs.refresh()
    time.now += timedelta(minutes=2)
    await costs.refresh()
    assert asked(cloud) == [
        "2026-10-24T22:00:00Z/2026-10-25T22:59:00Z",
        "2026-09-30T22:00:00Z/2026-10-24T22:00:00Z",
        "2025-12-31T23:00:00Z/2026-09-30T22:00:00Z",
        "2026-10-25T23:00:00Z/2026-10-25T23:01:00Z",
        "2026-09-30T22:00:00Z/2026-10-25T23:00:00Z",
    ]


async def test_a_session_is_asked_for_once_it_is_booked(
    bench: Bench, time: SimulatedTime
) -> None:
    await time.pass_time(61)
    bench.asked()
    began = TODAY - timedelta(hours=2)
    bench.charge(began, 7.0)
    before = bench.energy(Period.YEAR) or 0
    bench.costs.session_ended(began)
    await time.pass_time(59)
    assert bench.asked() == []
    await time.pass_time(2)
    assert bench.energy(Period.DAY) == 0.0
    assert bench.energy(Period.YEAR) == pytest.approx(before + 7.0)
    assert len(bench.asked()) == 2
    bench.costs.session_ended(TODAY + timedelta(hours=5))
    await time.pass_time(61)
    assert len(bench.asked()) == 1
    bench.costs.session_ended()
    await time.pass_time(61)
    assert len(bench.asked()) == 2


async def test_many_sessions_do_not_use_up_more_than_there_is(
    bench: Bench, time: SimulatedTime
) -> None:
    for _ in range(30):
        bench.charge(TODAY + timedelta(hours=8), 1.0)
        bench.costs.session_ended()
        await time.pass_time(90)
    await time.pass_time(3600)
    assert bench.energy(Period.DAY) == 30.0


async def test_a_session_of_two_days_is_not_forgotten_by_a_restart_after_its_end(
    bench: Bench, api: EaseeApi, time: SimulatedTime
) -> None:
    """Home Assistant ends before the cloud has booked it."""
    kept: list[str] = []
    bench.costs.asked.subscribe(lambda: kept.append(json.dumps(bench.costs.dump())))
    await time.pass_time(61)
    before = bench.energy(Period.YEAR) or 0
    began = TODAY - timedelta(hours=2)
    bench.charge(began, 7.0)
    bench.costs.session_ended(began)
    await time.pass_time(30)
    bench.task.cancel()
    after = SiteCosts(HOME, Sites(api), time, lambda: OSLO)
    after.restore(json.loads(kept[-1]))
    task = asyncio.create_task(after.run())
    await time.pass_time(61)
    year = after.cost(CHARGER, Period.YEAR).value
    assert year is not None
    assert year.energy == pytest.approx(before + 7.0)
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize(
    ("slow", "seconds"),
    [
        ("2025-12-31T23:00:00Z/", 65),
        ("2026-09-30T22:00:00Z/", 65),
        # While it is waited until the cloud has booked the session before.
        ("nothing", 55),
    ],
    ids=["the past", "today", "soon"],
)
async def test_a_session_that_ends_while_another_is_asked_for_is_not_forgotten(
    bench: Bench, cloud: EaseeCloud, time: SimulatedTime, slow: str, seconds: float
) -> None:
    await time.pass_time(61)
    before = bench.energy(Period.YEAR) or 0
    bench.costs.session_ended(TODAY - timedelta(hours=6))
    cloud.faults.add(Fault(pattern=f"breakdown/{slow}", delay=10, after=True))
    await time.pass_time(seconds)
    began = TODAY - timedelta(hours=2)
    bench.costs.session_ended(began)
    await time.pass_time(45)
    bench.charge(began, 7.0)
    await time.pass_time(90)
    assert bench.energy(Period.YEAR) == pytest.approx(before + 7.0)


async def test_after_a_restart_only_what_is_not_known_is_asked_for(
    bench: Bench, api: EaseeApi, time: SimulatedTime
) -> None:
    await time.pass_time(61)
    bench.asked()
    kept = json.loads(json.dumps(bench.costs.dump()))
    time.now += timedelta(minutes=10)
    after = SiteCosts(HOME, Sites(api), time, lambda: OSLO)
    after.restore(kept)
    for period in Period:
        cost = bench.costs.cost(CHARGER, period)
        assert after.cost(CHARGER, period).value == cost.value
    task = asyncio.create_task(after.run())
    await time.pass_time(19 * 60)
    assert bench.asked() == []
    bench.task.cancel()
    await time.pass_time(2 * 60)
    assert len(bench.asked()) == 1
    task.cancel()
    await asyncio.wait([task])


async def test_the_next_day_what_was_known_is_over(
    bench: Bench, api: EaseeApi, time: SimulatedTime
) -> None:
    await time.pass_time(61)
    time.now += timedelta(days=1)
    after = SiteCosts(HOME, Sites(api), time, lambda: OSLO)
    after.restore(bench.costs.dump())
    assert after.cost(CHARGER, Period.DAY).value is None
    bench.task.cancel()
    bench.asked()
    task = asyncio.create_task(after.run())
    await time.pass_time(61)
    assert len(bench.asked()) == 2
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"asked": None, "spans": {}},
        {"asked": "2026-10-01T06:00:00+00:00", "spans": []},
        {"asked": "2026-10-01T06:00:00+00:00", "spans": {"week": {}}},
        {"asked": "2026-10-01T06:00:00+00:00", "spans": {"day": {"costs": [{}]}}},
        {"asked": "2026-10-01T06:00:00+00:00", "spans": {"day": {"end": 1}}},
    ],
)
def test_what_is_kept_and_unreadable_is_not_known(
    time: SimulatedTime, kept: dict[str, Any]
) -> None:
    costs = SiteCosts(HOME, None, time, lambda: OSLO)  # type: ignore[arg-type]
    costs.restore(kept)
    assert costs.asked.value is None
    assert costs.dump() == {"asked": None, "spans": {}}


async def test_an_outage_leaves_what_is_known(
    bench: Bench, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    bench.charge(TODAY + timedelta(hours=1), 10.0)
    await time.pass_time(61)
    cloud.outage()
    await time.pass_time(3600)
    assert bench.energy(Period.DAY) == 10.0
    cloud.recover()
    bench.charge(TODAY + timedelta(hours=1), 1.0)
    await time.pass_time(1900)
    assert bench.energy(Period.DAY) == 11.0


@pytest.mark.parametrize("status", [503, 403])
async def test_an_outage_does_not_make_yesterday_today(
    bench: Bench, cloud: EaseeCloud, time: SimulatedTime, status: int
) -> None:
    """Who is refused asks seldom, and yet nothing of yesterday is shown for long."""
    midnight = TODAY + timedelta(days=1)
    bench.charge(TODAY + timedelta(hours=1), 10.0)
    await time.pass_time((midnight - time()).total_seconds() - 600)
    cloud.faults.add(Fault(pattern="breakdown", times=None, status=status, body={}))
    bench.costs.session_ended(midnight)
    await time.pass_time(599)
    assert bench.energy(Period.DAY) == 10.0
    await time.pass_time(120)
    assert bench.energy(Period.DAY) is None
    assert bench.energy(Period.MONTH) == 10.0
    cloud.faults.clear()
    await time.pass_time(6 * 3600)
    assert bench.energy(Period.DAY) == 0.0


async def test_an_answer_after_midnight_does_not_make_yesterday_today(
    bench: Bench, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    midnight = TODAY + timedelta(days=1)
    bench.charge(TODAY + timedelta(hours=1), 7.0)
    await time.pass_time((midnight - time()).total_seconds() - 65)
    bench.costs.session_ended(midnight)
    cloud.faults.add(Fault(pattern="breakdown", delay=20, after=True))
    await time.pass_time(65 + 120)
    cost = bench.costs.cost(CHARGER, Period.DAY).value
    assert cost is not None
    assert (cost.energy, cost.since) == (0.0, midnight)


async def test_who_may_not_know_the_costs_asks_seldom(
    bench: Bench, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    cloud.faults.add(
        Fault(
            pattern="breakdown", times=None, status=403, body={"message": "Forbidden"}
        )
    )
    await time.pass_time(3600 * 7)
    assert len(bench.asked()) == 2
    assert bench.energy(Period.DAY) is None


async def test_an_answer_that_makes_no_sense_changes_nothing(
    bench: Bench, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    rows = [{}, {"chargerId": CHARGER}, {"chargerId": CHARGER, "totalCost": "x"}, 7]
    cloud.faults.add(Fault(pattern="breakdown", status=200, body=rows))
    await time.pass_time(61)
    assert bench.energy(Period.DAY) == 0.0
    cloud.faults.add(Fault(pattern="breakdown", status=200, body="Healthy"))
    await time.pass_time(1800)
    assert bench.energy(Period.DAY) == 0.0
    assert not bench.task.done()


@pytest.mark.parametrize("listed", [0.5, None])
async def test_a_price_that_the_list_does_not_tell_is_asked_for(
    cloud: EaseeCloud, api: EaseeApi, time: SimulatedTime, listed: float | None
) -> None:
    zone: Callable[[], tzinfo] = lambda: OSLO  # noqa: E731
    bare = SiteInfo(id=1, name="Home", price=listed)
    costs = SiteCosts(bare, Sites(api), time, zone)
    await costs.refresh()
    price = 0.3 if listed is None else 0.5
    assert costs.site.value.price == price
    costs.update(SiteInfo(id=1, name="House"))
    assert (costs.site.value.name, costs.site.value.price) == ("House", price)
    costs.update(SiteInfo(id=1, name="House", price=0.7, currency="SEK"))
    assert (costs.site.value.currency, costs.site.value.price) == ("SEK", 0.7)
    await costs.refresh_price()
    assert (costs.site.value.currency, costs.site.value.price) == ("EUR", 0.3)


async def test_a_price_that_the_list_does_not_tell_changes_some_day(
    api: EaseeApi, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    """The documented list of products has no price (easee_cloud.md 1.5 #1)."""
    costs = SiteCosts(replace(HOME, price=None), Sites(api), time, lambda: OSLO)
    task = asyncio.create_task(costs.run())
    await time.pass_time(120)
    assert costs.site.value.price == 0.3
    cloud.sites[1].price.including_vat = 0.5
    await time.pass_time(7 * 3600)
    assert costs.site.value.price == 0.5
    asked = cloud.journal.find("GET", "/api/sites/1")
    assert sum(one.path == "/api/sites/1" for one in asked) == 2
    task.cancel()


def test_a_fuse_that_the_list_does_not_tell_stays(time: SimulatedTime) -> None:
    costs = SiteCosts(replace(HOME, rated_current=63.0), None, time, lambda: OSLO)  # type: ignore[arg-type]
    costs.update(HOME)
    assert costs.site.value.rated_current == 63.0
