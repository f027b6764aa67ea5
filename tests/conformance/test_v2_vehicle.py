"""Vehicles that tell their needs and plans by ISO 15118 (OCPP 2.x K15 to K20)."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from ..ha.charger import Payload
from ..ha.charger_v2 import Charger2
from ..ha.entities import act, flush, state

DEPARTURE = "2026-11-22T06:30:00Z"
AC = {
    "energyAmount": 20000.0,
    "evMinCurrent": 6.0,
    "evMaxCurrent": 16.0,
    "evMaxVoltage": 230.0,
}
UNKNOWN = "unknown"


@pytest.fixture(autouse=True)
def heard(charger2: Charger2) -> None:
    """Forget what set-up sent."""
    charger2.received.clear()


def needs(evse_id: int = 1, **more: Any) -> Payload:
    """Return what a vehicle needs."""
    told: Payload = {
        "requestedEnergyTransfer": "AC_three_phase",
        "departureTime": DEPARTURE,
        "acChargingParameters": AC,
        **more,
    }
    return {"evseId": evse_id, "chargingNeeds": told}


def plan(limit: float, evse_id: int = 1) -> Payload:
    """Return what a vehicle is going to take."""
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    return {
        "timeBase": "2026-11-21T10:00:00Z",
        "evseId": evse_id,
        "chargingSchedule": schedule,
    }


async def profile_of_session(charger: Charger2, count: int = 1) -> tuple[str, float]:
    """Return for which session the last of some profiles is, and its limit."""
    payload = await charger.expect("SetChargingProfile", count)
    profile = payload["chargingProfile"]
    assert payload["evseId"] == 1
    assert profile["chargingProfilePurpose"] == "TxProfile"
    (schedule,) = profile["chargingSchedule"]
    (period,) = schedule["chargingSchedulePeriod"]
    return profile["transactionId"], period["limit"]


async def limited(hass: HomeAssistant, charger: Charger2, limit: float) -> None:
    """Let a limit be wanted, and forget what was sent for it."""
    await act(hass, "set_charging_limit", limit=limit)
    charger.received.clear()


@pytest.mark.conformance("TC_K_53_CSMS")
@pytest.mark.conformance("TC_K_115_CSMS")
@pytest.mark.parametrize("more", [{}, {"controlMode": "DynamicControl"}])
async def test_needs_are_answered_and_a_profile_follows(
    hass: HomeAssistant, charger2: Charger2, more: Payload
) -> None:
    await charger2.begin("tx-53")
    await limited(hass, charger2, 10)
    answer = await charger2.call("NotifyEVChargingNeeds", needs(**more))
    assert answer == {"status": "Accepted"}
    assert await profile_of_session(charger2) == ("tx-53", 10)
    told = await charger2.call("NotifyEVChargingSchedule", plan(10.0))
    assert told == {"status": "Accepted"}
    # Nobody renegotiates without a cause.
    await flush(hass)
    assert len(charger2.calls("SetChargingProfile")) == 1


async def test_what_a_vehicle_needs_is_shown_until_its_session_ends(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin("tx-53")
    await charger2.call("NotifyEVChargingNeeds", needs())
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_departure_time") == "2026-11-22T06:30:00+00:00"
    assert float(state(hass, "sensor", "CP01_1_requested_energy")) == 20
    assert float(state(hass, "sensor", "CP01_1_vehicle_maximum_current")) == 16
    transfer = state(hass, "sensor", "CP01_1_requested_transfer")
    assert transfer == "ac_three_phase"
    told = await act(hass, "get_charging_needs", connector=1)
    assert told["needs"]["energy"] == 20000
    await charger2.event("Ended", "tx-53", 1, energy=2000)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_departure_time") == UNKNOWN
    assert (await act(hass, "get_charging_needs", connector=1))["needs"] is None


@pytest.mark.conformance("TC_K_126_CSMS")
async def test_without_a_limit_2_1_hears_that_no_profile_comes(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin("tx-126")
    charger2.received.clear()
    answer = await charger2.call("NotifyEVChargingNeeds", needs())
    if charger2.version == "2.1":
        assert answer == {"status": "NoChargingProfile"}
        await flush(hass)
        assert charger2.calls("SetChargingProfile") == []
    else:
        # 2.0.1 has no such word: the profile is the maximum of the charger.
        assert answer == {"status": "Accepted"}
        assert await profile_of_session(charger2) == ("tx-126", 32)


async def test_needs_before_the_session_are_answered_when_it_begins(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await limited(hass, charger2, 10)
    answer = await charger2.call("NotifyEVChargingNeeds", needs())
    assert answer == {"status": "Processing"}
    await charger2.begin("tx-1")
    assert await profile_of_session(charger2) == ("tx-1", 10)


@pytest.mark.conformance("TC_K_55_CSMS")
async def test_a_plan_beyond_the_limit_is_refused_and_the_limit_told_again(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin("tx-55")
    await limited(hass, charger2, 10)
    await charger2.call("NotifyEVChargingNeeds", needs())
    assert await profile_of_session(charger2) == ("tx-55", 10)
    refused = await charger2.call("NotifyEVChargingSchedule", plan(16.0))
    assert refused == {"status": "Rejected"}
    assert await profile_of_session(charger2, 2) == ("tx-55", 10)
    accepted = await charger2.call("NotifyEVChargingSchedule", plan(10.0))
    assert accepted == {"status": "Accepted"}
    assert len(charger2.calls("SetChargingProfile")) == 2
    told = await act(hass, "get_charging_needs", connector=1)
    assert told["plan"]["periods"] == [{"start": 0, "limit": 10, "phases": None}]


async def test_a_vehicle_that_does_not_listen_is_not_asked_for_ever(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin("tx-55")
    await limited(hass, charger2, 10)
    answers = [
        (await charger2.call("NotifyEVChargingSchedule", plan(16.0)))["status"]
        for _ in range(4)
    ]
    assert answers == ["Rejected", "Rejected", "Rejected", "Accepted"]


@pytest.mark.conformance("TC_K_57_CSMS")
@pytest.mark.conformance("TC_K_117_CSMS")
@pytest.mark.parametrize(
    "change",
    [
        {"departureTime": "2026-11-22T09:00:00Z"},
        {"acChargingParameters": AC | {"energyAmount": 5000.0}},
    ],
)
async def test_a_vehicle_renegotiates(
    hass: HomeAssistant, charger2: Charger2, change: Payload
) -> None:
    await charger2.begin("tx-57")
    await limited(hass, charger2, 10)
    for count, told in enumerate((needs(), needs(**change)), 1):
        answer = await charger2.call("NotifyEVChargingNeeds", told)
        assert answer == {"status": "Accepted"}
        assert await profile_of_session(charger2, count) == ("tx-57", 10)
    accepted = await charger2.call("NotifyEVChargingSchedule", plan(9.0))
    assert accepted == {"status": "Accepted"}


@pytest.mark.conformance("TC_K_58_CSMS")
@pytest.mark.conformance("TC_K_59_CSMS")
@pytest.mark.conformance("TC_K_113_CSMS")
async def test_we_renegotiate_and_the_vehicle_may_tell_its_needs_again(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin("tx-58")
    await limited(hass, charger2, 10)
    await charger2.call("NotifyEVChargingNeeds", needs())
    await profile_of_session(charger2)
    await act(hass, "set_charging_limit", limit=8)
    assert await profile_of_session(charger2, 2) == ("tx-58", 8)
    told = await charger2.call("NotifyEVChargingSchedule", plan(8.0))
    assert told == {"status": "Accepted"}
    answer = await charger2.call("NotifyEVChargingNeeds", needs())
    assert answer == {"status": "Accepted"}
    assert await profile_of_session(charger2, 3) == ("tx-58", 8)


async def test_needs_after_every_profile_do_not_end_in_a_flood(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin("tx-59")
    await limited(hass, charger2, 10)
    for _ in range(20):
        answer = await charger2.call("NotifyEVChargingNeeds", needs())
        assert answer == {"status": "Accepted"}
    await flush(hass)
    assert len(charger2.calls("SetChargingProfile")) == 5


@pytest.mark.conformance("TC_Q_103_CSMS")
async def test_energy_flows_back_only_if_the_user_allowed_it(
    hass: HomeAssistant, charger2_ws: Any
) -> None:
    charger = await charger2_ws("CP02", version="2.1")
    await charger.begin("tx-v2x")
    both = needs(
        requestedEnergyTransfer="AC_BPT",
        v2xChargingParameters={"maxChargePower": 11000.0},
    )
    refused = await charger.call("NotifyEVChargingNeeds", both)
    assert refused == {"status": "Rejected"}


async def test_needs_of_an_evse_that_is_not_there_are_refused(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    answer = await charger2.call("NotifyEVChargingNeeds", needs(7))
    assert answer == {"status": "Rejected"}
