"""Test the watch: what is shown of the limits at the places of a station."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

import pytest

from .conftest import NOON, Timers
from custom_components.ev_charger_hub.station.enums import (
    ConnectorStatus,
    LimitedBy,
    Measurand,
    Phase,
    RateUnit,
)
from custom_components.ev_charger_hub.station.limiter.limiter import Applied, Limiter
from custom_components.ev_charger_hub.station.limiter.seen import KEEP, Record
from custom_components.ev_charger_hub.station.limiter.watch import Watch
from custom_components.ev_charger_hub.station.link import Limit
from custom_components.ev_charger_hub.station.model import (
    ChargingStation,
    Evse,
    MeasurementKey,
    Place,
)
from custom_components.ev_charger_hub.station.profiles.model import (
    CompositePeriod,
    CompositeSchedule,
    Purpose,
)
from custom_components.ev_charger_hub.station.settings import StationSettings

CURRENT = MeasurementKey(measurand=Measurand.CURRENT_IMPORT)
OFFERED = MeasurementKey(measurand=Measurand.CURRENT_OFFERED)
POWER = MeasurementKey(measurand=Measurand.POWER_ACTIVE_IMPORT)
POWER_OFFERED = MeasurementKey(measurand=Measurand.POWER_OFFERED)


@dataclass
class FakeLimiter:
    """Holds what the test says, and notes what it is told."""

    held: dict[int, Applied] = field(default_factory=dict)
    composites: dict[int, CompositeSchedule] = field(default_factory=dict)
    told: list[int] = field(default_factory=list)
    changed: Callable[[], None] = lambda: None
    number: Applied | None = None
    own_number: Decimal | None = None

    def applied(self, evse_id: int) -> Applied | None:
        """Return what is held."""
        return self.held.get(evse_id)

    def ignored(self, evse_id: int) -> None:
        """Note that a limit is not followed."""
        self.told.append(evse_id)

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Take the only listener there is."""
        self.changed = listener

        def unsubscribe() -> None:
            self.changed = lambda: None

        return unsubscribe


class Scene:
    """A charging station, its limiter, and time that passes when it is told to."""

    def __init__(self) -> None:
        """Watch a station with one EVSE that charges since long."""
        self.now = NOON
        self.timers = Timers()
        self.station = ChargingStation("CP1", StationSettings(name="CP1"))
        self.limiter = FakeLimiter()
        self.watch = Watch(
            self.station,
            cast("Limiter", self.limiter),
            lambda: self.now,
            call_later=self.timers,
        )
        self.evse = self.station.evse(1)
        self.station.local.set(True)
        self.charge(self.evse)

    def charge(self, evse: Evse) -> None:
        """Let a vehicle charge."""
        evse.status.set(ConnectorStatus.CHARGING, self.now)

    def wait(self, seconds: float) -> None:
        """Let time pass, and happen what is due by then."""
        until = self.now + timedelta(seconds=seconds)
        while self.timers.pending and (
            (due := self.now + timedelta(seconds=self.timers.pending[0].delay)) <= until
        ):
            self.now = due
            self.timers.fire()
        self.now = until
        for alarm in self.timers.pending:
            alarm.delay -= seconds

    def limit(self, value: float | None, evse_id: int = 1, **more: Any) -> None:
        """Have the station accept a limit of ours."""
        place = self.station.place(evse_id)
        if value is None:
            self.limiter.held.pop(evse_id, None)
            place.wanted_limit.set(None)
        else:
            limit = Limit(value=Decimal(str(value)))
            applied = Applied(
                limit=limit,
                at=self.now,
                settled_at=self.now + timedelta(seconds=60),
                purpose=Purpose.TX,
                profile_id=3001,
            )
            self.limiter.held[evse_id] = replace(applied, **more)
            place.wanted_limit.set(limit)
        self.limiter.changed()

    def says(
        self, *limits: float | None, evse_id: int = 1, unit: RateUnit = RateUnit.AMPERE
    ) -> None:
        """Let the station say what is in force, for a minute each."""
        self.limiter.composites[evse_id] = CompositeSchedule(
            evse_id=evse_id,
            # The clock of the station is of no importance.
            start=datetime(1970, 1, 1, tzinfo=UTC),
            duration=60 * len(limits),
            unit=unit,
            periods=tuple(
                CompositePeriod(
                    start=60 * index, limit=None if one is None else Fraction(one)
                )
                for index, one in enumerate(limits)
            ),
        )
        self.limiter.changed()

    def measure(
        self, value: float, key: MeasurementKey = CURRENT, place: Place | None = None
    ) -> None:
        """Let the station measure something, now."""
        (place or self.evse).measurement(key).set(value, self.now)

    def shown(self, evse_id: int = 1) -> tuple[float | None, str | None, bool | None]:
        """Return the effective limit, who sets it, and whether ours is ignored."""
        place = self.station.place(evse_id)
        limit = place.effective_limit.value
        return (
            None if limit is None else float(limit.value),
            place.limited_by.value,
            place.limit_ignored.value,
        )


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Return a scene; nothing is due once its watch is closed."""
    scene = Scene()
    yield scene
    scene.watch.close()
    assert scene.timers.pending == []


def test_without_a_limit_the_maximum_holds(scene: Scene) -> None:
    assert scene.shown() == (32, LimitedBy.CHARGER_MAXIMUM, None)


def test_nothing_is_judged_while_the_station_is_away(scene: Scene) -> None:
    scene.limit(10)
    scene.station.local.set(False)
    scene.limit(16)
    assert scene.shown() == (10, LimitedBy.OUR_LIMIT, None)
    scene.station.local.set(True)
    assert scene.shown() == (16, LimitedBy.OUR_LIMIT, None)


def test_a_limit_shows_at_once_and_is_confirmed_by_the_settled_schedule(
    scene: Scene,
) -> None:
    scene.limit(10)
    scene.says(10)
    assert scene.shown() == (10, LimitedBy.OUR_LIMIT, None)
    scene.wait(60)
    scene.says(10)
    assert scene.shown() == (10, LimitedBy.OUR_LIMIT, False)


def test_a_slow_station_has_its_time(scene: Scene) -> None:
    scene.limit(16)
    scene.says(16)
    scene.wait(60)
    scene.says(16)
    scene.limit(10)
    scene.says(16)
    assert scene.shown() == (16, LimitedBy.OUR_LIMIT, False)
    scene.wait(55)
    scene.says(16)
    assert scene.shown() == (16, LimitedBy.OUR_LIMIT, False)
    scene.wait(5)
    scene.says(10)
    assert scene.shown() == (10, LimitedBy.OUR_LIMIT, False)
    assert scene.limiter.told == []


def test_a_higher_schedule_is_told_once(scene: Scene) -> None:
    scene.limit(10)
    scene.wait(60)
    scene.says(16)
    assert scene.shown() == (16, LimitedBy.OTHER_PROFILE, True)
    scene.says(16)
    scene.wait(300)
    scene.limiter.changed()
    assert scene.limiter.told == [1]


def test_another_way_is_judged_anew(scene: Scene) -> None:
    scene.limit(10)
    scene.wait(60)
    scene.says(16)
    scene.limit(10, profile_id=2001, purpose=Purpose.TX_DEFAULT)
    assert scene.shown()[2] is True
    scene.wait(60)
    scene.says(16)
    assert scene.limiter.told == [1, 1]
    scene.limit(10, profile_id=1000, purpose=Purpose.STATION_MAX)
    scene.wait(60)
    scene.says(10)
    assert scene.shown() == (10, LimitedBy.OUR_LIMIT, False)


def test_a_current_that_never_changes_is_found_too_high(scene: Scene) -> None:
    """A station that sends the same value again and again changes no channel."""
    scene.measure(16)
    scene.limit(10)
    scene.says(10)
    for _ in range(2):
        scene.wait(25)
        scene.measure(16)
    scene.wait(10)
    scene.says(10)
    assert scene.limiter.told == []
    assert scene.shown()[2] is None
    for _ in range(3):
        scene.wait(30)
        scene.measure(16)
    assert scene.limiter.told == [1]
    assert scene.shown() == (10, LimitedBy.OUR_LIMIT, True)


def test_a_schedule_does_not_excuse_what_was_measured(scene: Scene) -> None:
    scene.limit(10)
    scene.wait(120)
    scene.measure(16)
    scene.wait(2)
    assert scene.shown()[2] is True
    scene.evse.status.set(ConnectorStatus.AVAILABLE, scene.now)
    scene.says(10)
    assert scene.shown()[2] is True
    scene.charge(scene.evse)
    scene.wait(30)
    scene.measure(9.8)
    scene.wait(2)
    assert scene.shown()[2] is False


def test_changes_faster_than_they_settle_are_judged_by_the_highest(
    scene: Scene,
) -> None:
    scene.limit(12)
    for value in (10, 8, 9, 10, 8, 9, 10):
        scene.wait(20)
        scene.limit(value)
        scene.measure(16)
    scene.wait(2)
    assert scene.shown()[2] is True
    scene.measure(11.9)
    scene.wait(2)
    # More than wanted now, but not more than a moment ago would have been allowed.
    assert scene.shown()[2] is True
    scene.measure(9.5)
    scene.wait(2)
    assert scene.shown()[2] is False


def test_what_limits_were_is_forgotten_in_time() -> None:
    record = Record()
    now = NOON
    for minute in range(24 * 60):
        now = NOON + timedelta(minutes=minute)
        record.note(Decimal(minute % 2 + 6), now, now)
    assert len(record.before(NOON)) <= KEEP / timedelta(minutes=1) + 1
    assert record.bounds(now - timedelta(minutes=10)) == (Decimal(6), Decimal(7))
    # What was so long ago nobody knows any more.
    assert record.bounds(NOON) == (Decimal(6), None)


def test_a_session_that_goes_before_others_ignores_nothing(scene: Scene) -> None:
    """Its own profile comes before that of our limit (OCPP 2.1 K21)."""
    scene.limit(10)
    scene.wait(120)
    scene.evse.priority.set(True)
    scene.measure(32)
    scene.says(32)
    scene.wait(60)
    assert scene.shown()[:2] == (32, LimitedBy.CHARGER_MAXIMUM)
    scene.evse.priority.set(False)
    assert scene.shown()[:2] == (10, LimitedBy.OUR_LIMIT)
    scene.wait(30)
    assert scene.limiter.told == []
    for _ in range(3):
        scene.wait(60)
        scene.measure(32)
    scene.wait(2)
    assert scene.limiter.told == [1]


def test_a_limit_that_is_gone_is_not_ignored(scene: Scene) -> None:
    scene.limit(10)
    scene.wait(60)
    scene.says(16)
    assert scene.shown()[2] is True
    scene.limit(None)
    assert scene.shown()[2] is False


def test_renewals_are_no_new_limits(scene: Scene) -> None:
    scene.limit(10, expires_at=scene.now + timedelta(seconds=300))
    scene.wait(150)
    scene.limit(10, expires_at=scene.now + timedelta(seconds=300))
    scene.says(16)
    assert scene.limiter.told == [1]
    scene.wait(150)
    scene.limit(10, expires_at=scene.now + timedelta(seconds=300))
    scene.says(16)
    assert scene.limiter.told == [1]


def test_what_ended_by_itself_does_not_limit(scene: Scene) -> None:
    scene.station.settings = replace(scene.station.settings, fallback_current=8)
    scene.limit(16, expires_at=scene.now + timedelta(seconds=300))
    assert scene.shown() == (16, LimitedBy.OUR_LIMIT, None)
    scene.wait(301)
    scene.limiter.changed()
    assert scene.shown() == (8, LimitedBy.FALLBACK, None)


def test_the_fall_back_holds_until_a_session_lifts_it(scene: Scene) -> None:
    scene.station.settings = replace(scene.station.settings, fallback_current=8)
    scene.station.evse(2)
    scene.watch.look()
    assert scene.shown(1)[:2] == (8, LimitedBy.FALLBACK)
    assert scene.shown(0)[:2] == (32, LimitedBy.CHARGER_MAXIMUM)
    scene.limit(32)
    scene.evse.wanted_limit.set(None)
    scene.says(32)
    assert scene.shown(1)[:2] == (32, LimitedBy.CHARGER_MAXIMUM)


def test_schedules_go_on_from_when_they_came(scene: Scene) -> None:
    scene.says(13, 10)
    assert scene.shown()[:2] == (13, LimitedBy.OTHER_PROFILE)
    scene.wait(60)
    scene.limiter.changed()
    assert scene.shown()[:2] == (10, LimitedBy.OTHER_PROFILE)
    scene.wait(3600)
    scene.limiter.changed()
    assert scene.shown()[:2] == (10, LimitedBy.OTHER_PROFILE)


def test_an_empty_schedule_tells_nothing(scene: Scene) -> None:
    scene.limit(10)
    scene.wait(60)
    scene.says(None)
    assert scene.shown() == (10, LimitedBy.OUR_LIMIT, None)
    scene.limiter.composites[1] = replace(scene.limiter.composites[1], periods=())
    scene.limiter.changed()
    assert scene.shown() == (10, LimitedBy.OUR_LIMIT, None)
    assert scene.limiter.told == []


def test_a_schedule_from_before_a_change_is_out_of_date(scene: Scene) -> None:
    scene.limit(10)
    scene.says(10)
    scene.limit(16)
    assert scene.shown()[:2] == (16, LimitedBy.OUR_LIMIT)
    scene.says(13)
    assert scene.shown()[:2] == (13, LimitedBy.OTHER_PROFILE)
    scene.limit(None)
    assert scene.shown()[:2] == (32, LimitedBy.CHARGER_MAXIMUM)


def test_a_schedule_in_watt_is_shown_in_ampere(scene: Scene) -> None:
    scene.says(6900, unit=RateUnit.WATT)
    assert scene.shown()[:2] == (10, LimitedBy.OTHER_PROFILE)
    scene.evse.wanted_phases.set(1)
    scene.says(2300, unit=RateUnit.WATT)
    assert scene.shown()[:2] == (10, LimitedBy.OTHER_PROFILE)


def test_what_is_offered_counts_while_it_is_fresh(scene: Scene) -> None:
    scene.limit(25)
    scene.wait(120)
    scene.measure(20, OFFERED)
    scene.measure(19.8)
    scene.evse.cable_rating.set(20)
    assert scene.shown()[:2] == (20, LimitedBy.CABLE)
    scene.wait(601)
    scene.limiter.changed()
    assert scene.shown()[:2] == (25, LimitedBy.OUR_LIMIT)


def test_what_the_session_before_was_offered_does_not_count(scene: Scene) -> None:
    scene.measure(6, OFFERED)
    scene.evse.status.set(ConnectorStatus.AVAILABLE, scene.now)
    scene.wait(30)
    scene.charge(scene.evse)
    assert scene.shown()[:2] == (32, LimitedBy.CHARGER_MAXIMUM)


def test_offered_power_counts_by_the_phases_in_use(scene: Scene) -> None:
    scene.limit(16)
    scene.wait(120)
    scene.measure(15.9, replace(CURRENT, phase=Phase.L1))
    scene.measure(0, replace(CURRENT, phase=Phase.L2))
    scene.measure(3680, POWER_OFFERED)
    scene.wait(2)
    assert scene.shown() == (16, LimitedBy.OUR_LIMIT, False)
    scene.measure(2300, POWER_OFFERED)
    scene.wait(2)
    assert scene.shown()[0] == 10


def test_load_balancing_is_reported_and_not_fought(scene: Scene) -> None:
    scene.measure(32, OFFERED)
    scene.limit(16)
    scene.wait(120)
    scene.measure(9, OFFERED)
    scene.measure(8.9)
    scene.wait(2)
    assert scene.shown() == (9, LimitedBy.EXTERNAL, False)
    assert scene.limiter.told == []


def test_a_vehicle_that_takes_less_is_found_although_nothing_changes(
    scene: Scene,
) -> None:
    scene.limit(6)
    scene.wait(120)
    scene.measure(6)
    scene.limit(16)
    assert scene.shown()[:2] == (16, LimitedBy.OUR_LIMIT)
    for _ in range(4):
        scene.wait(30)
        scene.measure(6)
    scene.wait(30)
    assert scene.shown()[:2] == (16, LimitedBy.VEHICLE)


def test_power_tells_of_stations_that_measure_no_current(scene: Scene) -> None:
    scene.limit(10)
    scene.wait(120)
    scene.measure(11040, POWER)
    scene.wait(2)
    assert scene.limiter.told == [1]


def test_a_station_that_leaves_the_status_behind_is_judged_by_its_session(
    scene: Scene,
) -> None:
    class Open:
        """All that the watch knows of a transaction."""

        open = True
        started_at = NOON

    scene.evse.status.set(ConnectorStatus.PREPARING, scene.now)
    scene.evse.session.set(cast("Any", Open()))
    scene.limit(10)
    scene.wait(120)
    scene.measure(16)
    scene.wait(2)
    assert scene.limiter.told == [1]


def test_the_limit_of_the_whole_station_holds_at_its_evses(scene: Scene) -> None:
    other = scene.station.evse(2)
    scene.limit(20, 0, purpose=Purpose.STATION_MAX, profile_id=1000)
    scene.limit(10)
    assert scene.shown(0) == (20, LimitedBy.OUR_LIMIT, None)
    assert scene.shown(1) == (10, LimitedBy.OUR_LIMIT, None)
    assert scene.shown(2) == (20, LimitedBy.OUR_LIMIT, None)
    scene.charge(other)
    scene.wait(120)
    for evse in (scene.evse, other):
        scene.measure(6900, POWER, evse)
    scene.wait(2)
    assert scene.shown(0)[2] is False
    scene.measure(9200, POWER, other)
    scene.wait(2)
    assert scene.shown(0)[2] is True
    assert scene.limiter.told == [0]


def test_a_status_that_is_told_with_every_sample_hides_none(scene: Scene) -> None:
    """Stations of OCPP 2.x tell it again, later than what their meters say."""
    scene.limit(10)
    scene.wait(120)
    for _ in range(2):
        scene.measure(16)
        scene.wait(0.1)
        scene.charge(scene.evse)
        scene.wait(30)
    assert scene.shown()[2] is True
    assert scene.limiter.told == [1]


def test_a_part_of_a_sum_tells_only_what_is_too_much(scene: Scene) -> None:
    other = scene.station.evse(2)
    scene.charge(other)
    scene.limit(20, 0, purpose=Purpose.STATION_MAX, profile_id=1000)
    scene.wait(120)
    scene.measure(6900, POWER)
    scene.wait(2)
    assert scene.shown(0) == (20, LimitedBy.OUR_LIMIT, None)
    scene.measure(6900, POWER, other)
    scene.wait(2)
    assert scene.shown(0) == (20, LimitedBy.OUR_LIMIT, False)
    scene.wait(400)
    scene.measure(15870, POWER)
    scene.wait(201)
    scene.limiter.changed()
    assert scene.shown(0)[2] is True


def test_evses_that_share_anew_between_two_samples_ignore_nothing(scene: Scene) -> None:
    """11 kW and nearly nothing become nearly nothing and 11 kW."""
    other = scene.station.evse(2)
    scene.charge(other)
    scene.limit(20, 0, purpose=Purpose.STATION_MAX, profile_id=1000)
    scene.wait(120)
    most, least = 11040, 2070
    for first, second in ((most, least), (least, most), (most, least)):
        scene.measure(first, POWER)
        scene.wait(20)
        scene.measure(second, POWER, other)
        scene.wait(20)
    assert scene.shown(0)[2] is False
    assert scene.limiter.told == []


def test_evses_that_take_too_much_all_the_time_ignore_the_limit(scene: Scene) -> None:
    other = scene.station.evse(2)
    scene.charge(other)
    scene.limit(20, 0, purpose=Purpose.STATION_MAX, profile_id=1000)
    scene.wait(120)
    for extra in range(3):
        scene.measure(11040 + extra, POWER)
        scene.wait(20)
        scene.measure(11040 + extra, POWER, other)
        scene.wait(20)
    assert scene.shown(0)[2] is True
    assert scene.limiter.told == [0]


def test_what_flowed_before_somebody_joined_or_left_is_not_added(scene: Scene) -> None:
    other = scene.station.evse(2)
    scene.limit(20, 0, purpose=Purpose.STATION_MAX, profile_id=1000)
    scene.wait(120)
    scene.measure(13800, POWER)
    scene.charge(other)
    scene.wait(11)
    scene.measure(6900, POWER, other)
    scene.wait(2)
    assert scene.shown(0)[2] is not True
    scene.measure(6900, POWER)
    scene.wait(2)
    assert scene.shown(0)[2] is False
    other.status.set(ConnectorStatus.SUSPENDED_EV, scene.now)
    scene.measure(13800, POWER)
    scene.wait(2)
    assert scene.shown(0)[2] is False
    assert scene.limiter.told == []


def test_the_stations_own_meter_goes_before_the_sum(scene: Scene) -> None:
    scene.station.evse(2)
    scene.limit(20, 0, purpose=Purpose.STATION_MAX, profile_id=1000)
    scene.wait(120)
    scene.measure(22000, POWER)
    scene.measure(19, CURRENT, scene.station.whole)
    scene.wait(2)
    assert scene.shown(0)[2] is False


def test_samples_without_anything_to_judge_start_no_timer(scene: Scene) -> None:
    scene.measure(10)
    scene.measure(11)
    assert scene.timers.pending == []


def test_the_samples_of_one_moment_are_judged_once(scene: Scene) -> None:
    scene.limit(10)
    scene.wait(120)
    scene.measure(9)
    scene.measure(9, OFFERED)
    scene.measure(6000, POWER)
    assert len(scene.timers.pending) == 1


def test_after_its_end_nothing_is_watched(scene: Scene) -> None:
    scene.watch.close()
    scene.limit(10)
    assert scene.shown()[0] == 32
