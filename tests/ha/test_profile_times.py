"""Times of schedules are those of the house, also when its clock changes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant

from .charger import Charger, Silence
from .conftest import ChargerFactory, set_up
from .entities import act
from .profiles import DAY_AND_NIGHT, ONE, PACKAGE, Clock, periods, sent, start
from custom_components.ev_charger_hub.const import CONF_QUIET
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.v16.link import V16Link
from custom_components.ev_charger_hub.station.clock import utc_now
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.link import Link
from custom_components.ev_charger_hub.station.outcome import Outcome
from custom_components.ev_charger_hub.station.profiles.ledger import Entry, Ledger

type Fields = dict[str, Any]


async def test_a_nightly_schedule_is_one_recurring_message(
    hass: HomeAssistant, berlin_charger: Charger
) -> None:
    response = await act(
        hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily"
    )
    assert sent(berlin_charger) == {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 5000,
            "stackLevel": 6,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Recurring",
            "recurrencyKind": "Daily",
            "chargingSchedule": {
                "startSchedule": "2026-11-19T21:00:00Z",
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [
                    {"startPeriod": 0, "limit": 16},
                    {"startPeriod": 8 * 3600, "limit": 6},
                ],
            },
        },
    }
    assert response["status"] == "accepted"
    assert response["answer"] == "Accepted"
    assert response["profile_id"] == 5000
    assert response["profile"]["start"] == "2026-11-19T22:00:00+01:00"
    schedule = response["schedule"]
    assert schedule["start"] == "2026-11-20T11:00:00+01:00"
    assert schedule["duration"] == 24 * 3600
    assert [(one["start"], one["limit"]) for one in schedule["periods"]] == [
        ("2026-11-20T11:00:00+01:00", 6),
        ("2026-11-20T22:00:00+01:00", 16),
        ("2026-11-21T06:00:00+01:00", 6),
    ]
    assert {one["profile_id"] for one in schedule["periods"]} == {5000}


TIMES: list[tuple[list[Fields], Fields, str, list[tuple[int, float]]]] = [
    # periods, more fields; start of the schedule and its periods
    (
        [{"start": 0, "limit": 16}, {"start": "01:30:00", "limit": 6}],
        {},
        "2026-11-20T10:00:00Z",
        [(0, 16), (5400, 6)],
    ),
    (
        [{"start": {"minutes": 10}, "limit": 16}, {"start": "3600", "limit": 6}],
        {},
        "2026-11-20T10:10:00Z",
        [(0, 16), (3000, 6)],
    ),
    # What always holds does so at once, even if the charger's clock is behind.
    ([{"start": 0, "limit": 16}], {}, "2026-11-19T10:00:00Z", [(0, 16)]),
    (
        [{"start": 0, "limit": 16}],
        {"duration": "02:00:00"},
        "2026-11-20T10:00:00Z",
        [(0, 16)],
    ),
    (
        [{"start": 0, "limit": 16}, {"start": 60, "limit": 6}],
        {"valid_from": "2026-12-24 18:00:00"},
        "2026-12-24T17:00:00Z",
        [(0, 16), (60, 6)],
    ),
    # The same clock twice is two days.
    (
        [*DAY_AND_NIGHT, *DAY_AND_NIGHT],
        {},
        "2026-11-20T21:00:00Z",
        [(0, 16), (8 * 3600, 6), (24 * 3600, 16), (32 * 3600, 6)],
    ),
    ([{"start": "11:00", "limit": 8}], {}, "2026-11-20T10:00:00Z", [(0, 8)]),
    ([{"start": "10:59", "limit": 8}], {}, "2026-11-21T09:59:00Z", [(0, 8)]),
    # Every day across midnight, and a span is a time of day, too.
    (
        [{"start": "23:00:00", "limit": 16}, {"start": "01:00", "limit": 8}],
        {"recurrence": "daily", "duration": "04:00:00"},
        "2026-11-19T22:00:00Z",
        [(0, 16), (2 * 3600, 8)],
    ),
    # Weekly: each day makes a period, in order from the first that was written.
    (
        [
            {"start": "08:00", "limit": 6, "weekday": ["sat", "monday"]},
            {"start": "20:00", "limit": 16, "weekday": "sun"},
        ],
        {"recurrence": "weekly"},
        "2026-11-14T07:00:00Z",
        [(0, 6), (36 * 3600, 16), (48 * 3600, 6)],
    ),
    (
        [{"start": "08:00", "limit": 6}],
        {"recurrence": "weekly"},
        "2026-11-16T07:00:00Z",
        [(day * 86400, 6) for day in range(7)],
    ),
]


@pytest.mark.parametrize(("written", "fields", "begins", "expected"), TIMES)
async def test_times_are_those_of_the_house(
    hass: HomeAssistant,
    berlin_charger: Charger,
    written: list[Fields],
    fields: Fields,
    begins: str,
    expected: list[tuple[int, float]],
) -> None:
    await act(hass, "set_charging_profile", periods=written, **fields)
    assert start(berlin_charger) == begins
    assert periods(berlin_charger) == expected


@pytest.mark.parametrize(
    ("now", "begins", "morning"),
    [
        # The night of 2027-03-28 has 7 hours until 6, that of 2027-10-31 has 9.
        ("2027-03-27T12:00:00Z", "2027-03-27T21:00:00Z", 7 * 3600),
        ("2027-10-30T12:00:00Z", "2027-10-30T20:00:00Z", 9 * 3600),
    ],
)
async def test_a_night_with_a_change_of_the_clock_is_as_long_as_it_is(
    hass: HomeAssistant,
    berlin_charger: Charger,
    schedule_clock: Clock,
    now: str,
    begins: str,
    morning: int,
) -> None:
    schedule_clock.now = datetime.fromisoformat(now)
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT)
    assert start(berlin_charger) == begins
    assert periods(berlin_charger) == [(0, 16), (morning, 6)]


@pytest.mark.parametrize(
    ("now", "shown", "begins"),
    [
        # 02:30 does not exist, and is an hour later; it exists twice: the first counts.
        ("2027-03-27T12:00:00Z", "02:30", "2027-03-28T01:30:00Z"),
        ("2027-10-30T12:00:00Z", "02:30", "2027-10-31T00:30:00Z"),
    ],
)
async def test_a_time_that_is_skipped_or_comes_twice(
    hass: HomeAssistant,
    berlin_charger: Charger,
    schedule_clock: Clock,
    now: str,
    shown: str,
    begins: str,
) -> None:
    schedule_clock.now = datetime.fromisoformat(now)
    periods = [{"start": shown, "limit": 8}]
    await act(hass, "set_charging_profile", periods=periods)
    assert start(berlin_charger) == begins


async def test_a_daily_schedule_is_right_for_its_next_time(
    hass: HomeAssistant, berlin_charger: Charger, schedule_clock: Clock
) -> None:
    schedule_clock.now = datetime(2027, 3, 27, 22, tzinfo=UTC)
    written = [{"start": "07:00", "limit": 8}]
    await act(hass, "set_charging_profile", periods=written, recurrence="daily")
    assert start(berlin_charger) == "2027-03-27T05:00:00Z"


SUMMER = datetime(2027, 3, 28, 1, 1, tzinfo=UTC)
"""Daylight saving time began a minute ago."""


async def pass_quarter(hass: HomeAssistant, quarters: int = 1) -> None:
    """Let the timer fire that looks at the clock of the house."""
    async_fire_time_changed(hass, utc_now() + quarters * timedelta(minutes=16))
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_a_recurring_profile_follows_the_clock_once(
    hass: HomeAssistant, berlin_charger: Charger, schedule_clock: Clock
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    await act(hass, "set_charging_profile", periods=ONE, connector=0)
    berlin_charger.received.clear()
    await pass_quarter(hass)
    assert berlin_charger.received == []
    schedule_clock.now = SUMMER
    await pass_quarter(hass, 2)
    assert start(berlin_charger) == "2027-03-27T20:00:00Z"
    assert sent(berlin_charger)["csChargingProfiles"]["chargingProfileId"] == 5000
    schedule_clock.now += timedelta(days=3)
    await pass_quarter(hass, 3)
    assert len(berlin_charger.received) == 1
    (told, _) = (await act(hass, "get_charging_profiles"))["profiles"][::-1]
    assert told["start"] == "2027-03-27T21:00:00+01:00"
    schedule_clock.now = datetime(2027, 11, 1, tzinfo=UTC)
    await pass_quarter(hass, 4)
    assert start(berlin_charger) == "2027-10-31T21:00:00Z"


async def test_a_weekly_profile_follows_the_clock_too(
    hass: HomeAssistant, berlin_charger: Charger, schedule_clock: Clock
) -> None:
    written = [{"start": "02:30", "limit": 8, "weekday": "sun"}]
    await act(hass, "set_charging_profile", periods=written, recurrence="weekly")
    assert start(berlin_charger) == "2026-11-15T01:30:00Z"
    # 02:30 is skipped this time, and still to come: at half past three.
    schedule_clock.now = SUMMER
    await pass_quarter(hass)
    assert len(berlin_charger.received) == 1
    schedule_clock.now += timedelta(hours=1)
    await pass_quarter(hass, 2)
    assert start(berlin_charger) == "2027-03-28T00:30:00Z"


async def test_what_is_right_after_the_change_is_not_sent_again(
    hass: HomeAssistant, berlin_charger: Charger, schedule_clock: Clock
) -> None:
    schedule_clock.now = SUMMER - timedelta(hours=3)
    written = [{"start": "07:00", "limit": 8}]
    await act(hass, "set_charging_profile", periods=written, recurrence="daily")
    schedule_clock.now = SUMMER
    await pass_quarter(hass)
    assert len(berlin_charger.received) == 1


async def test_a_charger_that_is_away_follows_the_clock_when_it_is_back(
    hass: HomeAssistant, hub: OcppHub, berlin_charger: Charger, schedule_clock: Clock
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    await hub.central_system.sessions["CP01"].disconnect()
    await berlin_charger.closed()
    schedule_clock.now = SUMMER
    await pass_quarter(hass)
    assert start(berlin_charger) == "2026-11-19T21:00:00Z"
    await berlin_charger.close()
    await berlin_charger.connect()
    await berlin_charger.call("Heartbeat")
    await pass_quarter(hass, 2)
    await berlin_charger.expect("SetChargingProfile", 2)
    assert start(berlin_charger) == "2027-03-27T20:00:00Z"


async def test_a_refused_change_is_told_once(
    hass: HomeAssistant,
    berlin_charger: Charger,
    schedule_clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    berlin_charger.answers["SetChargingProfile"] = {"status": "Rejected"}
    schedule_clock.now = SUMMER
    await pass_quarter(hass)
    await pass_quarter(hass, 2)
    assert len(berlin_charger.calls("SetChargingProfile")) == 2
    assert "refused charging profile 5000" in caplog.text
    assert (await act(hass, "get_charging_profiles"))["profiles"]


async def test_a_profile_that_cannot_be_written_down_keeps_no_other_back(
    hass: HomeAssistant,
    berlin_charger: Charger,
    schedule_clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for connector in (0, 1):
        await act(
            hass,
            "set_charging_profile",
            connector=connector,
            periods=DAY_AND_NIGHT,
            recurrence="daily",
        )
    berlin_charger.received.clear()
    install = Ledger.install

    async def full(ledger: Ledger, link: Link, entry: Entry) -> Outcome:
        if entry.installed.evse_id == 0:
            raise JournalError("disk is full")
        return await install(ledger, link, entry)

    schedule_clock.now = SUMMER
    with patch.object(Ledger, "install", full):
        await pass_quarter(hass)
    assert sent(berlin_charger)["connectorId"] == 1
    assert "disk is full" in caplog.text
    caplog.clear()


async def test_a_change_without_an_answer_is_tried_again(
    hass: HomeAssistant,
    berlin_charger: Charger,
    schedule_clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    with monkeypatch.context() as patched:
        patched.setattr(V16Link.send, "__defaults__", (0.0,))
        berlin_charger.answers["SetChargingProfile"] = Silence()
        schedule_clock.now = SUMMER
        await pass_quarter(hass)
    del berlin_charger.answers["SetChargingProfile"]
    (doubtful,) = (await act(hass, "get_charging_profiles"))["profiles"]
    assert doubtful["confirmed"] is False
    await pass_quarter(hass, 2)
    (told,) = (await act(hass, "get_charging_profiles"))["profiles"]
    assert told["confirmed"] is True
    assert told["start"] == "2027-03-27T21:00:00+01:00"


@pytest.mark.parametrize("at_once", [1, 2])
async def test_a_charger_waits_for_no_other_as_long_as_they_are_few(
    hass: HomeAssistant,
    hub: OcppHub,
    berlin_charger: Charger,
    charger_ws: ChargerFactory,
    schedule_clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
) -> None:
    monkeypatch.setattr(f"{PACKAGE}.profile_clock.AT_ONCE", at_once)
    hub.approve("CP02", "Carport", None)
    await hass.async_block_till_done()
    other = await charger_ws("CP02")
    await other.boot()
    await other.status(1, "Available")
    await set_up(hub, other)
    await hass.async_block_till_done()
    for identity in ("CP01", "CP02"):
        await act(
            hass,
            "set_charging_profile",
            identity,
            periods=DAY_AND_NIGHT,
            recurrence="daily",
        )
    berlin_charger.answers["SetChargingProfile"] = Silence()
    schedule_clock.now = SUMMER
    async_fire_time_changed(hass, utc_now() + timedelta(minutes=16))
    await berlin_charger.expect("SetChargingProfile", 2)
    if at_once == 1:
        await other.call("Heartbeat")
        assert len(other.calls("SetChargingProfile")) == 1
        await hub.central_system.sessions["CP01"].disconnect()
    await other.expect("SetChargingProfile", 2)
    await hub.central_system.sessions["CP01"].disconnect()
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_a_quiet_charger_is_left_alone(
    hass: HomeAssistant, hub: OcppHub, berlin_charger: Charger, schedule_clock: Clock
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    (subentry,) = hub.entry.subentries.values()
    hass.config_entries.async_update_subentry(
        hub.entry, subentry, data={**subentry.data, CONF_QUIET: True}
    )
    await hass.async_block_till_done()
    berlin_charger.received.clear()
    schedule_clock.now = SUMMER
    await pass_quarter(hass)
    assert berlin_charger.calls("SetChargingProfile") == []
