"""Actions about charging profiles: schedules of people in, frames out, answers back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
import re
from typing import Any
from unittest.mock import AsyncMock

import probatio
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .charger import Charger, Refusal, Silence
from .conftest import ChargerFactory, set_up
from .entities import act
from custom_components.ev_charger_hub.const import CONF_QUIET
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.v16.link import V16Link
from custom_components.ev_charger_hub.profile_actions import COMMANDS, QUERIES
from custom_components.ev_charger_hub.station.clock import utc_now
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus

type Fields = dict[str, Any]

PACKAGE = "custom_components.ev_charger_hub"

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
"""A Friday; eleven o'clock in Berlin."""

DAY_AND_NIGHT = [{"start": "22:00", "limit": 16}, {"start": "06:00", "limit": 6}]


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        """Show NOW."""
        self.now = NOW

    def __call__(self) -> datetime:
        """Return what it shows."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock by which schedules are understood."""
    clock = Clock()
    for module in ("profile_actions", "profile_clock"):
        monkeypatch.setattr(f"{PACKAGE}.{module}.utc_now", clock)
    return clock


@pytest.fixture
async def charger(
    hass: HomeAssistant, approved_charger: Charger, clock: Clock
) -> Charger:
    """Return a charger in Berlin on a Friday morning."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    approved_charger.received.clear()
    return approved_charger


@pytest.fixture
async def easee(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory, clock: Clock
) -> Charger:
    """Return a charger that neither stacks nor repeats profiles."""
    hub.approve("CP01", "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws("CP01")
    await charger.boot(chargePointVendor="Easee")
    await charger.status(1, "Available")
    await set_up(hub, charger)
    await hass.async_block_till_done()
    charger.received.clear()
    return charger


def sent(charger: Charger) -> Fields:
    """Return the one profile that a charger was sent, and where it is for."""
    (call,) = charger.received
    assert call.action == "SetChargingProfile"
    return call.payload


def periods(charger: Charger) -> list[tuple[int, float]]:
    """Return start and limit of the periods that a charger was sent last."""
    profile = charger.calls("SetChargingProfile")[-1]["csChargingProfiles"]
    return [
        (one["startPeriod"], one["limit"])
        for one in profile["chargingSchedule"]["chargingSchedulePeriod"]
    ]


def start(charger: Charger) -> str:
    """Return the start of the schedule that a charger was sent last."""
    profile = charger.calls("SetChargingProfile")[-1]["csChargingProfiles"]
    text: str = profile["chargingSchedule"]["startSchedule"]
    return text


def test_every_action_is_tested() -> None:
    performed = re.findall(r'\bact\(\s*hass,\s+"(\w+)"', Path(__file__).read_text())
    assert {*performed} - {"get_configuration"} == {
        *COMMANDS,
        *QUERIES,
        "set_charging_limit",
    }


async def test_a_nightly_schedule_is_one_recurring_message(
    hass: HomeAssistant, charger: Charger
) -> None:
    response = await act(
        hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily"
    )
    assert sent(charger) == {
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


CHOICES: list[tuple[Fields, str, str]] = [
    # what is left out is chosen: fields; purpose and kind
    ({"periods": [{"start": 0, "limit": 8}]}, "TxDefaultProfile", "Absolute"),
    ({"periods": DAY_AND_NIGHT}, "TxDefaultProfile", "Absolute"),
    (
        {"periods": DAY_AND_NIGHT, "recurrence": "Weekly"},
        "TxDefaultProfile",
        "Recurring",
    ),
    (
        {"periods": [{"start": 0, "limit": 8}], "kind": "relative"},
        "TxDefaultProfile",
        "Relative",
    ),
    (
        {"periods": [{"start": 0, "limit": 8}], "connector": 0},
        "ChargePointMaxProfile",
        "Absolute",
    ),
    (
        {
            "periods": [{"start": 0, "limit": 8}],
            "connector": 0,
            "purpose": "TxDefaultProfile",
        },
        "TxDefaultProfile",
        "Absolute",
    ),
    (
        {"periods": [{"start": 0, "limit": 8}], "purpose": "chargepointmaxprofile"},
        "ChargePointMaxProfile",
        "Absolute",
    ),
]


@pytest.mark.parametrize(("fields", "purpose", "kind"), CHOICES)
async def test_purpose_and_kind_are_chosen(
    hass: HomeAssistant, charger: Charger, fields: Fields, purpose: str, kind: str
) -> None:
    await act(hass, "set_charging_profile", **fields)
    profile = sent(charger)["csChargingProfiles"]
    assert profile["chargingProfilePurpose"] == purpose
    assert profile["chargingProfileKind"] == kind
    assert ("startSchedule" in profile["chargingSchedule"]) == (kind != "Relative")
    whole = purpose.startswith("ChargePoint") or fields.get("connector") == 0
    assert sent(charger)["connectorId"] == (0 if whole else 1)


async def test_an_open_session_gets_a_profile_of_its_own(
    hass: HomeAssistant, charger: Charger
) -> None:
    number = await charger.start()
    charger.received.clear()
    await act(hass, "set_charging_profile", periods=[{"start": 0, "limit": 8}])
    profile = sent(charger)["csChargingProfiles"]
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert profile["transactionId"] == number
    charger.received.clear()
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    profile = sent(charger)["csChargingProfiles"]
    assert profile["chargingProfilePurpose"] == "TxDefaultProfile"
    assert "transactionId" not in profile


async def test_a_session_is_found_by_its_purpose(
    hass: HomeAssistant, charger: Charger
) -> None:
    charger.configuration["NumberOfConnectors"] = "2"
    await act(hass, "get_configuration")
    await charger.status(2, "Preparing")
    await charger.start(2)
    await hass.async_block_till_done()
    charger.received.clear()
    await act(
        hass,
        "set_charging_profile",
        periods=[{"start": 0, "limit": 8}],
        purpose="TxProfile",
    )
    assert sent(charger)["connectorId"] == 2


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
    charger: Charger,
    written: list[Fields],
    fields: Fields,
    begins: str,
    expected: list[tuple[int, float]],
) -> None:
    await act(hass, "set_charging_profile", periods=written, **fields)
    assert start(charger) == begins
    assert periods(charger) == expected


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
    charger: Charger,
    clock: Clock,
    now: str,
    begins: str,
    morning: int,
) -> None:
    clock.now = datetime.fromisoformat(now)
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT)
    assert start(charger) == begins
    assert periods(charger) == [(0, 16), (morning, 6)]


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
    charger: Charger,
    clock: Clock,
    now: str,
    shown: str,
    begins: str,
) -> None:
    clock.now = datetime.fromisoformat(now)
    periods = [{"start": shown, "limit": 8}]
    await act(hass, "set_charging_profile", periods=periods)
    assert start(charger) == begins


async def test_a_daily_schedule_is_right_for_its_next_time(
    hass: HomeAssistant, charger: Charger, clock: Clock
) -> None:
    clock.now = datetime(2027, 3, 27, 22, tzinfo=UTC)
    written = [{"start": "07:00", "limit": 8}]
    await act(hass, "set_charging_profile", periods=written, recurrence="daily")
    assert start(charger) == "2027-03-27T05:00:00Z"


async def test_everything_may_be_said(hass: HomeAssistant, charger: Charger) -> None:
    await act(
        hass,
        "set_charging_profile",
        periods=[{"start": 0, "limit": 2300.5, "phases": 1}],
        unit="W",
        duration={"hours": 3},
        purpose="TxDefaultProfile",
        kind="absolute",
        stack_level=3,
        valid_from="2026-11-20T12:00:00+01:00",
        valid_to="2026-11-21 06:00:00",
        id=17,
        connector=1,
    )
    assert sent(charger) == {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 17,
            "stackLevel": 3,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "validFrom": "2026-11-20T11:00:00Z",
            "validTo": "2026-11-21T05:00:00Z",
            "chargingSchedule": {
                "duration": 3 * 3600,
                "startSchedule": "2026-11-20T11:00:00Z",
                "chargingRateUnit": "W",
                "chargingSchedulePeriod": [
                    {"startPeriod": 0, "limit": 2300.5, "numberPhases": 1}
                ],
            },
        },
    }


ONE = [{"start": 0, "limit": 8}]


@pytest.mark.parametrize(
    ("fields", "key", "field"),
    [
        ({"periods": []}, "profile_periods_missing", "periods"),
        (
            {"periods": [{"start": 60, "limit": 8}, {"start": 0, "limit": 6}]},
            "profile_periods_order",
            "periods",
        ),
        (
            {"periods": [{"start": 60, "limit": 8}], "kind": "relative"},
            "profile_first_period",
            "periods",
        ),
        ({"periods": [*DAY_AND_NIGHT, *ONE]}, "profile_starts_mixed", "periods"),
        (
            {"periods": [{"start": 1320, "limit": 8}], "recurrence": "daily"},
            "profile_start_no_clock",
            "periods",
        ),
        (
            {"periods": [{"start": "25:00:00", "limit": 8}], "recurrence": "daily"},
            "profile_start_no_clock",
            "periods",
        ),
        (
            {"periods": [{"start": "08:00", "limit": 8, "weekday": "mon"}]},
            "profile_weekday_not_weekly",
            "recurrence",
        ),
        (
            {"periods": DAY_AND_NIGHT, "kind": "relative"},
            "profile_clock_relative",
            "kind",
        ),
        (
            {"periods": DAY_AND_NIGHT, "kind": "absolute", "recurrence": "daily"},
            "profile_recurrence_extraneous",
            "recurrence",
        ),
        (
            {"periods": DAY_AND_NIGHT, "kind": "recurring"},
            "profile_recurrence_missing",
            "recurrence",
        ),
        (
            {"periods": ONE, "connector": 0, "kind": "relative"},
            "profile_station_max_relative",
            "kind",
        ),
        (
            {"periods": ONE, "connector": 1, "purpose": "ChargingStationMaxProfile"},
            "profile_station_max_evse",
            "connector",
        ),
        (
            {"periods": ONE, "connector": 0, "purpose": "TxProfile"},
            "profile_tx_evse",
            "connector",
        ),
        (
            {"periods": ONE, "purpose": "TxProfile"},
            "profile_tx_without_transaction",
            "purpose",
        ),
        (
            {"periods": ONE, "connector": 1, "purpose": "TxProfile"},
            "profile_tx_without_transaction",
            "purpose",
        ),
        (
            {"periods": ONE, "purpose": "PriorityCharging"},
            "profile_purpose_unknown",
            "purpose",
        ),
        (
            {"periods": ONE, "purpose": "ChargingStationExternalConstraints"},
            "profile_purpose_external",
            "purpose",
        ),
        ({"periods": ONE, "kind": "dynamic"}, "profile_kind_unknown", "kind"),
        ({"periods": ONE, "stack_level": 9}, "profile_stack_level_too_high", "stack"),
        ({"periods": ONE, "connector": 9}, "profile_evse_unknown", "connector"),
        (
            {"periods": [{"start": 0, "limit": 8, "phases": 4}]},
            "profile_phases_unknown",
            "phases",
        ),
        (
            {"periods": [{"start": 0, "limit": 8.25}]},
            "profile_decimals",
            "limit",
        ),
        (
            {"periods": [{"start": hour * 60, "limit": 8} for hour in range(25)]},
            "profile_periods_too_many",
            "periods",
        ),
        (
            {
                "periods": ONE,
                "valid_from": "2026-12-24 18:00",
                "valid_to": "2026-12-24 18:00",
            },
            "profile_validity_empty",
            "valid_to",
        ),
        ({"periods": ONE, "id": 2001}, "profile_id_reserved", "id"),
    ],
)
async def test_a_broken_rule_is_named_and_nothing_is_sent(
    hass: HomeAssistant, charger: Charger, fields: Fields, key: str, field: str
) -> None:
    with pytest.raises(ServiceValidationError, match=field) as caught:
        await act(hass, "set_charging_profile", **fields)
    assert caught.value.translation_key == key
    assert charger.received == []
    assert (await act(hass, "get_charging_profiles"))["profiles"] == []


@pytest.mark.parametrize(
    ("limit", "more", "key"),
    [
        (3, {}, "limit_below_minimum"),
        (63, {}, "limit_above_maximum"),
        (1380, {"unit": "W"}, "limit_below_minimum"),
    ],
)
async def test_what_no_limit_may_be_no_period_may_be(
    hass: HomeAssistant, charger: Charger, limit: float, more: Fields, key: str
) -> None:
    written = [{"start": 0, "limit": 16}, {"start": 60, "limit": limit}]
    with pytest.raises(ServiceValidationError) as caught:
        await act(
            hass,
            "set_charging_profile",
            periods=written if not more else [{"start": 0, "limit": limit}],
            **more,
        )
    assert caught.value.translation_key == key
    assert charger.received == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"periods": [{"start": 0}]},
        {"periods": [{"limit": 8}]},
        {"periods": [{"start": 0, "limit": -1}]},
        {"periods": [{"start": "24:00", "limit": 8}]},
        {"periods": [{"start": "noon", "limit": 8}]},
        {"periods": [{"start": True, "limit": 8}]},
        {"periods": [{"start": 0, "limit": 8, "weekday": "someday"}]},
        {"periods": [{"start": 0, "limit": 8, "colour": "red"}]},
        {"periods": ONE, "unit": "kW"},
        {"periods": ONE, "recurrence": "monthly"},
        {"periods": ONE, "duration": 0},
        {"periods": ONE, "purpose": "fun"},
        {"periods": ONE, "valid_from": "soon"},
    ],
)
async def test_bad_fields_are_refused(
    hass: HomeAssistant, charger: Charger, fields: Fields
) -> None:
    with pytest.raises(probatio.Invalid):
        await act(hass, "set_charging_profile", **fields)
    with pytest.raises(probatio.Invalid):
        await act(hass, "get_composite_schedule", duration={"days": 8})
    assert charger.received == []


async def test_a_profile_takes_the_place_of_its_predecessor(
    hass: HomeAssistant, charger: Charger
) -> None:
    ids = [
        (await act(hass, "set_charging_profile", **fields))["profile_id"]
        for fields in (
            {"periods": DAY_AND_NIGHT},
            {"periods": ONE},
            {"periods": ONE, "stack_level": 1},
            {"periods": ONE, "connector": 0},
            {"periods": ONE, "id": 5},
            {"periods": ONE},
        )
    ]
    assert ids == [5000, 5000, 5001, 5002, 5, 5]
    told = (await act(hass, "get_charging_profiles"))["profiles"]
    assert {one["id"] for one in told} == {5001, 5002, 5}


async def test_what_was_accepted_is_listed_even_after_a_restart(
    hass: HomeAssistant, charger: Charger, init_integration: MockConfigEntry
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    await act(hass, "set_charging_profile", periods=ONE, connector=0)
    before = await act(hass, "get_charging_profiles")
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    assert await act(hass, "get_charging_profiles") == before
    assert before["source"] == "journal"
    nightly, most = before["profiles"]
    assert nightly == {
        "id": 5000,
        "connector": 1,
        "purpose": "TxDefaultProfile",
        "kind": "recurring",
        "recurrence": "daily",
        "stack_level": 6,
        "transaction_id": None,
        "valid_from": None,
        "valid_to": None,
        "unit": "A",
        "start": "2026-11-19T22:00:00+01:00",
        "duration": None,
        "periods": [
            {"start": 0, "limit": 16, "phases": None},
            {"start": 28800, "limit": 6, "phases": None},
        ],
        "source": None,
        "confirmed": True,
    }
    assert most["purpose"] == "ChargingStationMaxProfile"
    for fields, expected in (
        ({"connector": 1}, [5000]),
        ({"connector": 0}, [5001]),
        ({"purpose": "TxDefaultProfile"}, [5000]),
        ({"stack_level": 6}, [5000, 5001]),
        ({"id": 5001}, [5001]),
        ({"id": 5001, "connector": 1}, []),
    ):
        found = await act(hass, "get_charging_profiles", **fields)
        assert [one["id"] for one in found["profiles"]] == expected


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({"status": "Rejected"}, "rejected"),
        ({"status": "NotSupported"}, "not_supported_by_charger"),
        (Refusal(code="InternalError"), "rejected"),
    ],
)
async def test_a_refused_profile_leaves_what_was_there(
    hass: HomeAssistant, charger: Charger, answer: Fields | Refusal, key: str
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT)
    before = await act(hass, "get_charging_profiles")
    charger.answers["SetChargingProfile"] = answer
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "set_charging_profile", periods=ONE)
    assert caught.value.translation_key == key
    assert await act(hass, "get_charging_profiles") == before
    charger.answers["ClearChargingProfile"] = answer
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "clear_charging_profile")
    assert caught.value.translation_key == key
    assert await act(hass, "get_charging_profiles") == before


async def test_without_an_answer_nobody_knows(
    hass: HomeAssistant, charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(V16Link.send, "__defaults__", (0.0,))
    charger.answers["SetChargingProfile"] = Silence()
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "set_charging_profile", periods=ONE)
    assert caught.value.translation_key == "timed_out"
    (doubtful,) = (await act(hass, "get_charging_profiles"))["profiles"]
    assert doubtful["confirmed"] is False


async def test_clearing_by_what_the_profiles_have_in_common(
    hass: HomeAssistant, charger: Charger
) -> None:
    await act(hass, "set_charging_profile", periods=ONE)
    await act(hass, "set_charging_profile", periods=ONE, connector=0)
    await act(hass, "set_charging_profile", periods=ONE, stack_level=1)
    cleared = await act(
        hass, "clear_charging_profile", purpose="TxDefaultProfile", stack_level=1
    )
    assert charger.calls("ClearChargingProfile") == [
        {"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1}
    ]
    assert cleared["status"] == "accepted"
    assert cleared["cleared"] == [5002]
    assert [one["limit"] for one in cleared["schedule"]["periods"]] == [8]
    assert (await act(hass, "clear_charging_profile", id=5001))["cleared"] == [5001]
    assert charger.calls("ClearChargingProfile")[-1] == {"id": 5001}
    assert (await act(hass, "clear_charging_profile"))["cleared"] == [5000]
    assert charger.calls("ClearChargingProfile")[-1] == {}
    last = await act(hass, "clear_charging_profile", connector=1)
    assert charger.calls("ClearChargingProfile")[-1] == {"connectorId": 1}
    assert last["cleared"] == []
    assert [one["limit"] for one in last["schedule"]["periods"]] == [None]


async def test_nothing_to_clear_is_no_error(
    hass: HomeAssistant, charger: Charger
) -> None:
    await act(hass, "set_charging_profile", periods=ONE)
    charger.answers["ClearChargingProfile"] = {"status": "Unknown"}
    response = await act(hass, "clear_charging_profile", id=5000)
    assert response["status"] == "accepted"
    assert response["answer"] == "Unknown"
    assert (await act(hass, "get_charging_profiles"))["profiles"] == []


async def test_a_profile_of_a_session_ends_with_it(
    hass: HomeAssistant, charger: Charger
) -> None:
    number = await charger.start()
    await act(hass, "set_charging_profile", periods=ONE)
    (only,) = (await act(hass, "get_charging_profiles"))["profiles"]
    assert only["transaction_id"] == str(number)
    await charger.stop(number, 2000)
    await hass.async_block_till_done()
    assert (await act(hass, "get_charging_profiles"))["profiles"] == []


async def test_without_a_connection_only_the_list_is_told(
    hass: HomeAssistant, hub: OcppHub, charger: Charger
) -> None:
    await act(hass, "set_charging_profile", periods=ONE)
    await hub.central_system.sessions["CP01"].disconnect()
    await charger.closed()
    await hass.async_block_till_done()
    charger.received.clear()
    for action, fields in (
        ("set_charging_profile", {"periods": ONE}),
        ("clear_charging_profile", {}),
        ("get_composite_schedule", {}),
    ):
        with pytest.raises(HomeAssistantError) as caught:
            await act(hass, action, **fields)
        assert caught.value.translation_key == "not_connected"
    assert len((await act(hass, "get_charging_profiles"))["profiles"]) == 1
    assert charger.received == []


async def test_the_composite_schedule_is_told_and_what_we_expect(
    hass: HomeAssistant, charger: Charger
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    charger.answers["GetCompositeSchedule"] = {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": "2026-11-20T10:00:00Z",
        "chargingSchedule": {
            "duration": 7200,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 6.5, "numberPhases": 3},
                {"startPeriod": 3600, "limit": 10},
            ],
        },
    }
    response = await act(hass, "get_composite_schedule", duration="02:00:00", unit="A")
    assert charger.calls("GetCompositeSchedule") == [
        {"connectorId": 1, "duration": 7200, "chargingRateUnit": "A"}
    ]
    assert response["schedule"] == {
        "connector": 1,
        "unit": "A",
        "start": "2026-11-20T11:00:00+01:00",
        "duration": 7200,
        "periods": [
            {
                "start": "2026-11-20T11:00:00+01:00",
                "limit": 6.5,
                "phases": 3,
                "purpose": None,
                "profile_id": None,
            },
            {
                "start": "2026-11-20T12:00:00+01:00",
                "limit": 10,
                "phases": None,
                "purpose": None,
                "profile_id": None,
            },
        ],
    }
    (expected,) = response["expected"]["periods"]
    assert (expected["limit"], expected["profile_id"]) == (6, 5000)


async def test_the_composite_schedule_of_a_day_is_asked_for_if_nothing_is_said(
    hass: HomeAssistant, charger: Charger
) -> None:
    response = await act(hass, "get_composite_schedule", connector=0)
    assert charger.calls("GetCompositeSchedule") == [
        {"connectorId": 0, "duration": 86400}
    ]
    assert response["schedule"]["periods"] == []
    charger.answers["GetCompositeSchedule"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError, match="Rejected"):
        await act(hass, "get_composite_schedule")


async def test_our_own_limits_are_in_the_list_and_above(
    hass: HomeAssistant, charger: Charger, clock: Clock
) -> None:
    clock.now = utc_now()
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    await act(hass, "set_charging_limit", limit=13)
    told = (await act(hass, "get_charging_profiles"))["profiles"]
    assert [one["id"] for one in told] == [5000, 2001]
    expected = (await act(hass, "get_composite_schedule"))["expected"]
    assert [(one["limit"], one["profile_id"]) for one in expected["periods"]] == [
        (13, 2001)
    ]


@pytest.mark.parametrize("kind", ["relative", "absolute"])
async def test_easee_gets_absolute_profiles(
    hass: HomeAssistant, easee: Charger, kind: str
) -> None:
    written = [{"start": 0, "limit": 16}]
    await act(
        hass, "set_charging_profile", periods=written, kind=kind, duration="01:00:00"
    )
    profile = sent(easee)["csChargingProfiles"]
    assert profile["chargingProfileKind"] == "Absolute"
    assert profile["stackLevel"] == 0
    assert profile["chargingSchedule"]["startSchedule"] == "2026-11-20T10:00:00Z"
    assert profile["chargingSchedule"]["duration"] == 3600


async def test_easee_repeats_nothing(hass: HomeAssistant, easee: Charger) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await act(
            hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily"
        )
    assert caught.value.translation_key == "profile_only_absolute"
    assert easee.received == []


async def test_easee_is_told_to_clear_before_it_replaces(
    hass: HomeAssistant, easee: Charger
) -> None:
    await act(hass, "set_charging_profile", periods=ONE)
    with pytest.raises(ServiceValidationError, match="5000") as caught:
        await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT)
    assert caught.value.translation_key == "profile_clear_first"
    assert len(easee.received) == 1
    await act(hass, "clear_charging_profile", id=5000)
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT)
    assert len(easee.calls("SetChargingProfile")) == 2


async def test_a_limit_may_be_for_a_time(
    hass: HomeAssistant, charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = AsyncMock(return_value=Outcome(status=OutcomeStatus.ACCEPTED))
    monkeypatch.setattr(f"{PACKAGE}.services.limits.request", request)
    await act(hass, "set_charging_limit", limit=8, duration="00:30:00")
    await act(hass, "set_charging_limit", limit=8)
    spans = [one.kwargs["duration"] for one in request.await_args_list]
    assert spans == [timedelta(minutes=30), None]


SUMMER = datetime(2027, 3, 28, 1, 1, tzinfo=UTC)
"""Daylight saving time began a minute ago."""


async def pass_quarter(hass: HomeAssistant, quarters: int = 1) -> None:
    """Let the timer fire that looks at the clock of the house."""
    async_fire_time_changed(hass, utc_now() + quarters * timedelta(minutes=16))
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_a_recurring_profile_follows_the_clock_once(
    hass: HomeAssistant, charger: Charger, clock: Clock
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    await act(hass, "set_charging_profile", periods=ONE, connector=0)
    charger.received.clear()
    await pass_quarter(hass)
    assert charger.received == []
    clock.now = SUMMER
    await pass_quarter(hass, 2)
    assert start(charger) == "2027-03-27T20:00:00Z"
    assert sent(charger)["csChargingProfiles"]["chargingProfileId"] == 5000
    clock.now += timedelta(days=3)
    await pass_quarter(hass, 3)
    assert len(charger.received) == 1
    (told, _) = (await act(hass, "get_charging_profiles"))["profiles"][::-1]
    assert told["start"] == "2027-03-27T21:00:00+01:00"
    clock.now = datetime(2027, 11, 1, tzinfo=UTC)
    await pass_quarter(hass, 4)
    assert start(charger) == "2027-10-31T21:00:00Z"


async def test_a_weekly_profile_follows_the_clock_too(
    hass: HomeAssistant, charger: Charger, clock: Clock
) -> None:
    written = [{"start": "02:30", "limit": 8, "weekday": "sun"}]
    await act(hass, "set_charging_profile", periods=written, recurrence="weekly")
    assert start(charger) == "2026-11-15T01:30:00Z"
    # 02:30 is skipped this time, and still to come: at half past three.
    clock.now = SUMMER
    await pass_quarter(hass)
    assert len(charger.received) == 1
    clock.now += timedelta(hours=1)
    await pass_quarter(hass, 2)
    assert start(charger) == "2027-03-28T00:30:00Z"


async def test_what_is_right_after_the_change_is_not_sent_again(
    hass: HomeAssistant, charger: Charger, clock: Clock
) -> None:
    clock.now = SUMMER - timedelta(hours=3)
    written = [{"start": "07:00", "limit": 8}]
    await act(hass, "set_charging_profile", periods=written, recurrence="daily")
    clock.now = SUMMER
    await pass_quarter(hass)
    assert len(charger.received) == 1


async def test_a_charger_that_is_away_follows_the_clock_when_it_is_back(
    hass: HomeAssistant, hub: OcppHub, charger: Charger, clock: Clock
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    await hub.central_system.sessions["CP01"].disconnect()
    await charger.closed()
    clock.now = SUMMER
    await pass_quarter(hass)
    assert start(charger) == "2026-11-19T21:00:00Z"
    await charger.close()
    await charger.connect()
    await charger.call("Heartbeat")
    await pass_quarter(hass, 2)
    await charger.expect("SetChargingProfile", 2)
    assert start(charger) == "2027-03-27T20:00:00Z"


async def test_a_refused_change_is_told_once(
    hass: HomeAssistant,
    charger: Charger,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    charger.answers["SetChargingProfile"] = {"status": "Rejected"}
    clock.now = SUMMER
    await pass_quarter(hass)
    await pass_quarter(hass, 2)
    assert len(charger.calls("SetChargingProfile")) == 2
    assert "refused charging profile 5000" in caplog.text
    assert (await act(hass, "get_charging_profiles"))["profiles"]


async def test_a_change_without_an_answer_is_tried_again(
    hass: HomeAssistant,
    charger: Charger,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    with monkeypatch.context() as patched:
        patched.setattr(V16Link.send, "__defaults__", (0.0,))
        charger.answers["SetChargingProfile"] = Silence()
        clock.now = SUMMER
        await pass_quarter(hass)
    del charger.answers["SetChargingProfile"]
    (doubtful,) = (await act(hass, "get_charging_profiles"))["profiles"]
    assert doubtful["confirmed"] is False
    await pass_quarter(hass, 2)
    (told,) = (await act(hass, "get_charging_profiles"))["profiles"]
    assert told["confirmed"] is True
    assert told["start"] == "2027-03-27T21:00:00+01:00"


async def test_a_quiet_charger_is_left_alone(
    hass: HomeAssistant, hub: OcppHub, charger: Charger, clock: Clock
) -> None:
    await act(hass, "set_charging_profile", periods=DAY_AND_NIGHT, recurrence="daily")
    (subentry,) = hub.entry.subentries.values()
    hass.config_entries.async_update_subentry(
        hub.entry, subentry, data={**subentry.data, CONF_QUIET: True}
    )
    await hass.async_block_till_done()
    charger.received.clear()
    clock.now = SUMMER
    await pass_quarter(hass)
    assert charger.calls("SetChargingProfile") == []
