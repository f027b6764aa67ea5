"""Smart charging: what is refused and why, and what the rest comes to."""

from typing import Any

import pytest

from .central import CentralSystem2
from .test_requests import ACCEPTED, charge
from simulators.charging_station.v2 import ChargingStation


def profile(number: int = 1, limit: float = 10.0, **more: Any) -> dict[str, Any]:
    """Return a default profile that counts from the morning of the test on."""
    schedule = {
        "id": 1,
        "chargingRateUnit": more.pop("unit", "A"),
        "chargingSchedulePeriod": more.pop(
            "periods", [{"startPeriod": 0, "limit": limit}]
        ),
    }
    if (start := more.pop("start", "2026-11-21T10:00:00Z")) is not None:
        schedule["startSchedule"] = start
    return {
        "id": number,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
        **more,
    }


def own(transaction: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """Return a profile of a transaction."""
    return profile(
        number,
        start=None,
        chargingProfilePurpose="TxProfile",
        chargingProfileKind="Relative",
        transactionId=transaction,
        **more,
    )


async def give(
    central: CentralSystem2, evse_id: int, told: dict[str, Any]
) -> dict[str, Any]:
    return await central.request(
        "SetChargingProfile", evseId=evse_id, chargingProfile=told
    )


async def composite(
    central: CentralSystem2, evse_id: int = 1, unit: str = "A"
) -> list[tuple[int, float]]:
    answer = await central.request(
        "GetCompositeSchedule", evseId=evse_id, duration=600, chargingRateUnit=unit
    )
    assert answer["status"] == "Accepted"
    assert answer["schedule"]["evseId"] == evse_id
    periods = answer["schedule"]["chargingSchedulePeriod"]
    return [(one["startPeriod"], one["limit"]) for one in periods]


async def test_without_a_profile_the_default_limit_shows(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    assert await composite(central2) == [(0, 48.0)]
    assert await composite(central2, unit="W") == [(0, 33120.0)]


async def test_the_lowest_of_transaction_and_station_counts(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    transaction = await charge(station2)
    steps = [{"startPeriod": 0, "limit": 6.0}, {"startPeriod": 300, "limit": 20.0}]
    assert await give(central2, 0, profile(1, 8.0)) == ACCEPTED
    assert await give(central2, 1, own(transaction, 2, periods=steps)) == ACCEPTED
    most = profile(3, 16.0, chargingProfilePurpose="ChargingStationMaxProfile")
    assert await give(central2, 0, most) == ACCEPTED
    await station2.settle()
    assert await composite(central2) == [(0, 6.0), (300, 16.0)]
    assert await composite(central2, 2) == [(0, 8.0)]
    assert await composite(central2, 2, "W") == [(0, 5520.0)]
    assert station2.box.places[1].offered == 6
    await station2.box.unplug()
    # The profile of the transaction went with it.
    assert await composite(central2) == [(0, 8.0)]


async def test_all_share_the_maximum_of_the_station(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    await charge(station2)
    await charge(station2, 2)
    most = profile(3, 20.0, chargingProfilePurpose="ChargingStationMaxProfile")
    assert await give(central2, 0, most) == ACCEPTED
    await station2.settle()
    assert [station2.box.places[one].offered for one in (1, 2)] == [10, 10]
    assert await give(central2, 1, profile(4, 6.0)) == ACCEPTED
    await station2.settle()
    assert [station2.box.places[one].offered for one in (1, 2)] == [6, 14]


async def test_the_same_id_replaces_and_zero_pauses(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    await charge(station2)
    assert await give(central2, 0, profile(1, 8.0)) == ACCEPTED
    assert await give(central2, 0, profile(1, 0.0)) == ACCEPTED
    await station2.settle()
    last = central2.events()[-1]
    assert last["transactionInfo"]["chargingState"] == "SuspendedEVSE"
    assert len(station2.charging.profiles) == 1


@pytest.mark.parametrize(
    ("evse_id", "told", "code", "info"),
    [
        (9, profile(), "InvalidValue", "EvseDoesNotExist"),
        (
            1,
            profile(periods=[{"startPeriod": 1, "limit": 6}]),
            "InvalidSchedule",
            "ChargingProfileFirstStartScheduleIsNotZero",
        ),
        (
            1,
            profile(periods=[]),
            "InvalidSchedule",
            "ChargingProfileNoChargingSchedulePeriods",
        ),
        (
            1,
            profile(
                periods=[
                    {"startPeriod": 0, "limit": 6},
                    {"startPeriod": 9, "limit": 6},
                    {"startPeriod": 5, "limit": 6},
                ]
            ),
            "InvalidSchedule",
            "ChargingSchedulePeriodsOutOfOrder",
        ),
        (
            1,
            profile(start=None),
            "InvalidSchedule",
            "ChargingProfileMissingRequiredStartSchedule",
        ),
        (
            1,
            profile(chargingProfileKind="Relative"),
            "InvalidSchedule",
            "ChargingProfileExtraneousStartSchedule",
        ),
        (
            1,
            profile(periods=[{"startPeriod": 0, "limit": 6, "phaseToUse": 1}]),
            "InvalidSchedule",
            "ChargingSchedulePeriodPhaseToUseACPhaseSwitchingUnsupported",
        ),
        (0, own("T1"), "InvalidValue", "TxProfileEvseIdNotGreaterThanZero"),
        (1, own("T1"), "TxNotFound", "TxProfileEvseHasNoActiveTransaction"),
        (
            1,
            profile(chargingProfilePurpose="ChargingStationMaxProfile"),
            "InvalidValue",
            "ChargingStationMaxProfileEvseIdGreaterThanZero",
        ),
        (
            0,
            profile(chargingProfilePurpose="ChargingStationExternalConstraints"),
            "InvalidValue",
            "ChargingStationExternalConstraintsInSetChargingProfileRequest",
        ),
    ],
)
async def test_a_profile_is_refused_with_a_reason(
    central2: CentralSystem2,
    station2: ChargingStation,
    evse_id: int,
    told: dict[str, Any],
    code: str,
    info: str,
) -> None:
    assert await give(central2, evse_id, told) == {
        "status": "Rejected",
        "statusInfo": {"reasonCode": code, "additionalInfo": info},
    }
    assert station2.charging.profiles == {}


async def test_profiles_that_collide_are_refused(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    transaction = await charge(station2)
    assert await give(central2, 1, own(transaction, 1)) == ACCEPTED
    assert await give(central2, 2, profile(2)) == ACCEPTED

    async def refused(evse_id: int, told: dict[str, Any]) -> str:
        answer = await give(central2, evse_id, told)
        return str(answer["statusInfo"]["reasonCode"])

    assert await refused(1, own(transaction, 5)) == "InvalidStackLevel"
    assert await refused(2, profile(5)) == "DuplicateProfile"
    assert await refused(0, profile(5)) == "DuplicateProfile"
    assert await refused(1, own("another", 5)) == "TxNotFound"
    later = profile(5, validFrom="2030-01-01T00:00:00Z")
    assert await refused(2, later) == "DuplicateProfile"
    first = profile(2, validTo="2030-01-01T00:00:00Z")
    assert await give(central2, 2, first) == ACCEPTED
    assert await give(central2, 2, later) == ACCEPTED


async def test_profiles_are_reported_by_evse_and_source_and_cleared(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    ask = {"requestId": 4, "chargingProfile": {}}
    answer = await central2.request("GetChargingProfiles", **ask)
    assert answer == {"status": "NoProfiles"}
    assert await give(central2, 0, profile(1)) == ACCEPTED
    outside = profile(9, chargingProfilePurpose="ChargingStationExternalConstraints")
    station2.charging.install(0, outside)
    assert await central2.request("GetChargingProfiles", **ask) == ACCEPTED
    await station2.settle()
    reports = central2.of("ReportChargingProfiles")
    told = [(one["evseId"], one["chargingLimitSource"], one["tbc"]) for one in reports]
    assert told == [(0, "CSO", True), (0, "EMS", False)]
    shown = reports[0]["chargingProfile"][0]
    assert shown["validTo"] == "2262-04-11T23:46:49.854Z"
    period = shown["chargingSchedule"][0]["chargingSchedulePeriod"][0]
    assert period == {"limit": 10.0, "numberPhases": 3, "startPeriod": 0}
    default = {"chargingProfilePurpose": "TxDefaultProfile"}
    clear = {"chargingProfileCriteria": default}
    assert await central2.request("ClearChargingProfile", **clear) == ACCEPTED
    unknown = {"status": "Unknown"}
    assert await central2.request("ClearChargingProfile", **clear) == unknown
    assert [*station2.charging.profiles] == [9]


async def test_a_profile_of_a_remote_start_is_kept_and_has_no_effect(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    wrong = own("T1", periods=[{"startPeriod": 5, "limit": 6}])
    for number, told in enumerate((wrong, own("T1"))):
        del told["transactionId"]
        answer = await central2.request(
            "RequestStartTransaction",
            idToken={"idToken": "homeassistant", "type": "Central"},
            remoteStartId=number,
            evseId=1,
            chargingProfile=told,
        )
        assert answer["status"] == "Accepted"
        assert ("statusInfo" in answer) is (told is wrong)
    assert await composite(central2) == [(0, 48.0)]
    assert [*station2.charging.profiles] == [1]


async def test_without_smart_charging_every_question_is_an_error(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    station2.model.put("SmartChargingCtrlr.Available", "false")
    code = await central2.error("GetCompositeSchedule", evseId=1, duration=60)
    assert code == "NotSupported"


async def test_profiles_survive_a_reboot(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    assert await give(central2, 0, profile(1, 8.0)) == ACCEPTED
    await station2.reboot()
    await central2.count("BootNotification", 2)
    await station2.settle()
    assert await composite(central2) == [(0, 8.0)]
