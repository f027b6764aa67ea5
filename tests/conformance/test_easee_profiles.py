"""Easee over OCPP: charging profiles, as its release notes and its users tell of them.

The virtual station refuses what Easee refuses; what it offers its vehicle is what counts.
"""

from datetime import datetime
from typing import Any

import pytest

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from ..ha.drive import Dialled, Drive
from ..ha.entities import exists, state
from ..ha.profiles import DAY_AND_NIGHT
from simulators.charging_station import Misbehaviour

ACCEPTED = {"accepted", "confirmed"}
LONG_ENOUGH = 600
NOT_FOLLOWED = "CP01_1_limit_not_followed"
PERSONALITIES = ["easee", "easee-cloud"]


def profiles(drive: Drive) -> list[dict[str, Any]]:
    """Return every profile that the station was sent."""
    return [
        payload["csChargingProfiles"]
        for action, payload in drive.station.received
        if action == "SetChargingProfile"
    ]


def order(drive: Drive) -> list[tuple[str, int]]:
    """Return what was set and cleared, by the ids of the profiles."""
    found = []
    for action, payload in drive.station.received:
        if action == "SetChargingProfile":
            profile_id = payload["csChargingProfiles"]["chargingProfileId"]
            found.append(("set", profile_id))
        elif action == "ClearChargingProfile":
            found.append(("clear", payload["id"]))
    return found


def steady(limit: float) -> list[dict[str, Any]]:
    """Return the periods of a profile that is always the same."""
    return [{"start": 0, "limit": limit}]


def foreign(limit: float) -> dict[str, Any]:
    """Return a default profile that somebody else has set."""
    return {
        "chargingProfileId": 77,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "startSchedule": "2026-01-01T00:00:00Z",
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        },
    }


@pytest.mark.conformance("EASEE_S1")
@pytest.mark.parametrize("vendor", PERSONALITIES)
async def test_a_profile_of_the_session_names_it_and_is_followed(
    dial: Dialled, vendor: str
) -> None:
    drive = await dial(vendor=vendor)
    await drive.charge()
    answer = await drive.perform(
        "set_charging_profile", purpose="TxProfile", periods=steady(10)
    )
    assert answer["status"] in ACCEPTED
    transaction = drive.station.connectors[1].transaction
    assert transaction is not None
    (profile,) = profiles(drive)
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert profile["transactionId"] == transaction.id
    await drive.pass_time(10)
    assert drive.station.offered() == 10


@pytest.mark.conformance("EASEE_S1")
async def test_a_refused_profile_is_an_error_and_the_limit_goes_another_way(
    dial: Dialled,
) -> None:
    """What is refused once is not tried again: it is known of this firmware."""
    drive = await dial(Misbehaviour.REJECT_TX_PROFILE, vendor="easee-cloud")
    await drive.charge()
    with pytest.raises(HomeAssistantError) as caught:
        await drive.perform(
            "set_charging_profile", purpose="TxProfile", periods=steady(10)
        )
    assert caught.value.translation_key == "rejected"
    assert await drive.limit(10) in ACCEPTED
    await drive.pass_time(LONG_ENOUGH)
    assert drive.station.offered() == 10
    drive.station.received.clear()
    assert await drive.limit(9) in ACCEPTED
    await drive.pass_time(LONG_ENOUGH)
    assert drive.station.offered() == 9
    assert {one["chargingProfilePurpose"] for one in profiles(drive)} == {
        "TxDefaultProfile"
    }


@pytest.mark.conformance("EASEE_S2")
async def test_a_profile_for_a_charger_that_is_away_is_an_error_and_is_not_kept(
    dial: Dialled,
) -> None:
    drive = await dial(vendor="easee-cloud")
    await drive.charge()
    await drive.station.disconnect()
    await drive.hass.async_block_till_done()
    with pytest.raises(HomeAssistantError) as caught:
        await drive.perform(
            "set_charging_profile", purpose="TxProfile", periods=steady(10)
        )
    assert caught.value.translation_key == "not_connected"
    await drive.station.connect()
    await drive.pass_time(LONG_ENOUGH)
    assert order(drive) == []


@pytest.mark.conformance("EASEE_S3")
@pytest.mark.parametrize("vendor", PERSONALITIES)
async def test_a_profile_is_replaced_by_clearing_it_first(
    dial: Dialled, vendor: str
) -> None:
    drive = await dial(vendor=vendor)
    await drive.charge()
    for limit in (10, 12):
        await drive.perform(
            "set_charging_profile", purpose="TxProfile", periods=steady(limit)
        )
    first, clear, second = order(drive)
    assert (first[0], clear[0], second[0]) == ("set", "clear", "set")
    assert clear[1] == first[1]
    assert {one["stackLevel"] for one in profiles(drive)} == {0}
    await drive.pass_time(10)
    assert drive.station.offered() == 12


@pytest.mark.conformance("EASEE_S3")
@pytest.mark.parametrize("vendor", PERSONALITIES)
async def test_a_limit_is_replaced_by_clearing_it_first(
    dial: Dialled, vendor: str
) -> None:
    drive = await dial(vendor=vendor)
    await drive.charge()
    assert await drive.limit(10) in ACCEPTED
    await drive.pass_time(LONG_ENOUGH)
    assert await drive.limit(12) in ACCEPTED
    await drive.pass_time(LONG_ENOUGH)
    assert drive.station.offered() == 12
    there: set[int] = set()
    for action, profile_id in order(drive):
        if action == "set":
            assert not there
            there.add(profile_id)
        else:
            there.discard(profile_id)


@pytest.mark.conformance("EASEE_S3")
async def test_profiles_are_not_stacked(dial: Dialled) -> None:
    drive = await dial(vendor="easee-cloud")
    with pytest.raises(ServiceValidationError) as caught:
        await drive.perform("set_charging_profile", stack_level=1, periods=steady(10))
    assert caught.value.translation_key == "profile_stack_level_too_high"
    assert order(drive) == []


@pytest.mark.conformance("EASEE_S4")
async def test_a_relative_profile_becomes_one_from_now_on(dial: Dialled) -> None:
    drive = await dial(vendor="easee-cloud")
    before = dt_util.utcnow().replace(microsecond=0)
    await drive.perform(
        "set_charging_profile", kind="relative", duration=3600, periods=steady(10)
    )
    (profile,) = profiles(drive)
    assert profile["chargingProfileKind"] == "Absolute"
    schedule = profile["chargingSchedule"]
    assert schedule["startSchedule"].endswith("Z")
    begins = datetime.fromisoformat(schedule["startSchedule"])
    assert before <= begins <= dt_util.utcnow()
    assert schedule["duration"] == 3600


@pytest.mark.conformance("EASEE_S4")
async def test_a_recurring_profile_is_no_profile_of_easee(dial: Dialled) -> None:
    drive = await dial(vendor="easee-cloud")
    with pytest.raises(ServiceValidationError) as caught:
        await drive.perform(
            "set_charging_profile", recurrence="daily", periods=DAY_AND_NIGHT
        )
    assert caught.value.translation_key == "profile_only_absolute"
    assert order(drive) == []


@pytest.mark.conformance("EASEE_S5")
async def test_a_profile_of_the_session_leaves_the_default_alone(
    dial: Dialled,
) -> None:
    drive = await dial(vendor="easee-cloud")
    default = await drive.perform(
        "set_charging_profile", purpose="TxDefaultProfile", periods=steady(16)
    )
    await drive.charge()
    session = await drive.perform(
        "set_charging_profile", purpose="TxProfile", periods=steady(10)
    )
    await drive.pass_time(LONG_ENOUGH)
    assert drive.station.offered() == 10
    assert [action for action, _ in order(drive)] == ["set", "set"]
    await drive.station.unplug()
    await drive.pass_time(60)
    listed = await drive.perform("get_charging_profiles")
    assert [one["id"] for one in listed["profiles"]] == [default["profile_id"]]
    assert session["profile_id"] != default["profile_id"]


@pytest.mark.conformance("EASEE_S6")
@pytest.mark.parametrize("vendor", PERSONALITIES)
async def test_a_lower_default_of_ours_is_cleared_and_the_session_limited_anew(
    dial: Dialled, vendor: str
) -> None:
    drive = await dial(vendor=vendor)
    assert await drive.limit(10) in ACCEPTED
    ((_, default),) = order(drive)
    assert profiles(drive)[0]["chargingProfilePurpose"] == "TxDefaultProfile"
    await drive.charge()
    assert drive.station.offered() == 10
    drive.station.received.clear()
    await drive.limit(16)
    await drive.pass_time(LONG_ENOUGH)
    assert drive.station.offered() == 16
    sent = order(drive)
    assert ("clear", default) in sent
    action, last = sent[-1]
    assert action == "set"
    assert last != default
    assert profiles(drive)[-1]["chargingProfilePurpose"] == "TxProfile"
    assert float(state(drive.hass, "sensor", "CP01_1_effective_limit")) == 16
    assert drive.issues == set()


@pytest.mark.conformance("EASEE_S6")
@pytest.mark.parametrize("vendor", PERSONALITIES)
async def test_a_lower_default_of_somebody_else_is_an_issue_and_stays(
    dial: Dialled, vendor: str
) -> None:
    drive = await dial(vendor=vendor)
    drive.station.install(foreign(8))
    await drive.charge()
    await drive.limit(16)
    await drive.pass_time(LONG_ENOUGH)
    assert drive.station.offered() == 8
    assert "profile_conflict" in drive.issues
    assert state(drive.hass, "sensor", "CP01_1_limited_by") == "other_profile"
    assert ("clear", 77) not in order(drive)
    # The user may: that is who "force" is.
    await drive.perform("clear_charging_profile", id=77)
    await drive.limit(15)
    await drive.pass_time(LONG_ENOUGH)
    assert drive.station.offered() == 15
    assert drive.issues == set()


@pytest.mark.conformance("EASEE_S7")
async def test_what_is_accepted_and_not_followed_is_told_within_two_minutes(
    dial: Dialled,
) -> None:
    drive = await dial(Misbehaviour.IGNORE_LIMIT, vendor="easee")
    await drive.charge()
    assert await drive.limit(10) in ACCEPTED
    await drive.pass_time(120)
    assert drive.station.offered() > 10
    assert state(drive.hass, "binary_sensor", NOT_FOLLOWED) == "on"


@pytest.mark.conformance("EASEE_S8")
async def test_what_the_cloud_passes_on_late_is_sent_once(dial: Dialled) -> None:
    """It follows after 90 seconds; the cloud tries three times in three minutes."""
    drive = await dial(Misbehaviour.SLOW_LIMIT, vendor="easee-cloud")
    await drive.charge()
    assert await drive.limit(10) in ACCEPTED
    await drive.pass_time(80)
    assert drive.station.offered() > 10
    assert state(drive.hass, "number", "CP01_1_current_limit") == "10.0"
    await drive.pass_time(20)
    assert drive.station.offered() == 10
    await drive.pass_time(LONG_ENOUGH)
    assert drive.sent() == 1
    assert state(drive.hass, "sensor", "CP01_1_limited_by") == "our_limit"
    if exists(drive.hass, "binary_sensor", NOT_FOLLOWED):
        assert state(drive.hass, "binary_sensor", NOT_FOLLOWED) == "off"


@pytest.mark.conformance("EASEE_S8")
@pytest.mark.parametrize(("vendor", "seconds"), [("easee", 60), ("easee-cloud", 180)])
async def test_a_profile_has_the_time_that_its_way_takes(
    dial: Dialled, vendor: str, seconds: int
) -> None:
    """It is looked at again only then; until then nothing is sent."""
    drive = await dial(Misbehaviour.IGNORE_LIMIT, vendor=vendor)
    await drive.charge()
    assert await drive.limit(10) in ACCEPTED
    await drive.pass_time(seconds - 20)
    assert drive.sent() == 1
    assert not exists(drive.hass, "binary_sensor", NOT_FOLLOWED) or (
        state(drive.hass, "binary_sensor", NOT_FOLLOWED) == "off"
    )


@pytest.mark.conformance("EASEE_S9")
@pytest.mark.parametrize(
    ("ours", "theirs", "limit", "by"),
    [
        (None, None, 32, "vehicle"),
        (0, None, 0, "our_limit"),
        (10, None, 10, "our_limit"),
        (10, 16, 10, "our_limit"),
        (16, 8, 8, "other_profile"),
    ],
)
async def test_the_lowest_profile_holds_and_is_named(
    dial: Dialled, ours: float | None, theirs: float | None, limit: float, by: str
) -> None:
    drive = await dial(vendor="easee-cloud")
    if theirs is not None:
        drive.station.install(foreign(theirs))
    await drive.charge()
    if ours is not None:
        await drive.limit(ours)
    await drive.pass_time(LONG_ENOUGH)
    assert drive.station.offered() == limit
    assert float(state(drive.hass, "sensor", "CP01_1_effective_limit")) == limit
    assert state(drive.hass, "sensor", "CP01_1_limited_by") == by
