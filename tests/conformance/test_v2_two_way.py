"""OCPP 2.1, block Q: energy that flows in both directions."""

import asyncio
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..ha.charger import Refusal
from ..ha.charger_v2 import Charger2
from ..ha.conftest import IDENTITY, Charger2Factory
from ..ha.entities import act, flush, state
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.stepwise import Step
from simulators.charging_station import Vehicle
from simulators.charging_station.v2 import EVERYTHING, ChargingStation, IdToken

BALANCING = "V2XChargingCtrlr#1.LocalLoadBalancing[UpperThreshold]"


@pytest.fixture
async def charger(charger2_ws: Charger2Factory) -> Charger2:
    """Return a charger of OCPP 2.1 with a session."""
    charger = await charger2_ws(version="2.1", variables={BALANCING: ("3000", False)})
    await charger.begin()
    charger.received.clear()
    return charger


async def sent(hass: HomeAssistant, charger: Charger2, **fields: Any) -> dict[str, Any]:
    """Set a profile, and return it as the charger got it."""
    answer = await act(hass, "set_bidirectional_profile", **fields)
    (asked,) = charger.calls("SetChargingProfile")
    profile: dict[str, Any] = asked["chargingProfile"]
    assert asked["evseId"] == 1
    assert profile["id"] == answer["profile_id"]
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert profile["transactionId"] == "tx-1"
    return profile


def period(profile: dict[str, Any]) -> dict[str, Any]:
    """Return the only period of a profile."""
    (schedule,) = profile["chargingSchedule"]
    (only,) = schedule["chargingSchedulePeriod"]
    assert isinstance(only, dict)
    return only


@pytest.mark.conformance("TC_Q_107_CSMS")
@pytest.mark.conformance("UC_Q02")
async def test_charging_only_says_a_limit_and_nothing_else(
    hass: HomeAssistant, charger: Charger2
) -> None:
    profile = await sent(hass, charger, operation_mode="charging_only", limit=7000)
    assert period(profile) == {
        "startPeriod": 0,
        "operationMode": "ChargingOnly",
        "limit": 7000,
    }
    assert profile["chargingSchedule"][0]["chargingRateUnit"] == "W"


@pytest.mark.conformance("TC_Q_108_CSMS")
@pytest.mark.conformance("UC_Q03")
async def test_a_central_setpoint_comes_without_a_limit(
    hass: HomeAssistant, charger: Charger2
) -> None:
    profile = await sent(
        hass,
        charger,
        operation_mode="central_setpoint",
        setpoint=-3000,
        duration="01:00:00",
    )
    assert period(profile) == {
        "startPeriod": 0,
        "operationMode": "CentralSetpoint",
        "setpoint": -3000,
    }
    assert profile["chargingProfileKind"] == "Absolute"
    assert profile["chargingSchedule"][0]["duration"] == 3600


@pytest.mark.conformance("TC_Q_109_CSMS")
@pytest.mark.conformance("TC_Q_117_CSMS")
@pytest.mark.conformance("UC_Q04")
@pytest.mark.conformance("UC_Q07")
@pytest.mark.parametrize("mode", ["central_setpoint", "central_frequency"])
async def test_a_dynamic_setpoint_is_pushed_again_and_again_and_cleared(
    hass: HomeAssistant, charger: Charger2, mode: str
) -> None:
    profile = await sent(
        hass, charger, operation_mode=mode, setpoint=-3000, dynamic=True
    )
    assert profile["chargingProfileKind"] == "Dynamic"
    for setpoint in (-1500, 0, 2000):
        await act(hass, "update_bidirectional_profile", setpoint=setpoint)
    pushed = charger.calls("UpdateDynamicSchedule")
    assert [one["scheduleUpdate"] for one in pushed] == [
        {"setpoint": -1500},
        {"setpoint": 0},
        {"setpoint": 2000},
    ]
    assert {one["chargingProfileId"] for one in pushed} == {profile["id"]}
    await act(hass, "clear_charging_profile", id=profile["id"])
    assert charger.calls("ClearChargingProfile") == [
        {"chargingProfileId": profile["id"]}
    ]
    with pytest.raises(ServiceValidationError) as err:
        await act(hass, "update_bidirectional_profile", setpoint=1)
    assert err.value.translation_key == "two_way_not_dynamic"


@pytest.mark.conformance("TC_Q_110_CSMS")
@pytest.mark.conformance("UC_Q12")
async def test_a_charger_that_asks_for_its_setpoint_gets_it(
    hass: HomeAssistant, charger: Charger2
) -> None:
    profile = await sent(
        hass,
        charger,
        operation_mode="central_setpoint",
        setpoint=-3000,
        dynamic=True,
        update_interval="00:00:30",
    )
    assert profile["dynUpdateInterval"] == 30
    asked = {"chargingProfileId": profile["id"]}
    answer = await charger.call("PullDynamicScheduleUpdate", asked)
    assert answer == {"status": "Accepted", "scheduleUpdate": {"setpoint": -3000}}
    await act(hass, "update_bidirectional_profile", setpoint=500)
    answer = await charger.call("PullDynamicScheduleUpdate", asked)
    assert answer == {"status": "Accepted", "scheduleUpdate": {"setpoint": 500}}
    unknown = {"chargingProfileId": profile["id"] + 1}
    answer = await charger.call("PullDynamicScheduleUpdate", unknown)
    assert answer["status"] == "Rejected"


@pytest.mark.conformance("TC_Q_111_CSMS")
@pytest.mark.conformance("TC_Q_112_CSMS")
@pytest.mark.conformance("UC_Q05")
@pytest.mark.parametrize(
    ("mode", "word"),
    [("external_setpoint", "ExternalSetpoint"), ("external_limits", "ExternalLimits")],
)
async def test_someone_else_is_let_decide(
    hass: HomeAssistant, charger: Charger2, mode: str, word: str
) -> None:
    profile = await sent(hass, charger, operation_mode=mode, duration="00:15:00")
    assert period(profile) == {"startPeriod": 0, "operationMode": word}


@pytest.mark.conformance("TC_Q_121_CSMS")
@pytest.mark.conformance("UC_Q08")
async def test_the_charger_follows_the_frequency_by_a_curve(
    hass: HomeAssistant, charger: Charger2
) -> None:
    profile = await sent(
        hass,
        charger,
        operation_mode="local_frequency",
        baseline=500,
        frequency_curve=[
            {"frequency": 49.8, "power": -3000},
            {"frequency": 50.2, "power": 3000},
        ],
        signal_curve=[{"signal": -1, "power": -3000}, {"signal": 1, "power": 3000}],
    )
    assert period(profile) == {
        "startPeriod": 0,
        "operationMode": "LocalFrequency",
        "v2xBaseline": 500,
        "v2xFreqWattCurve": [
            {"frequency": 49.8, "power": -3000},
            {"frequency": 50.2, "power": 3000},
        ],
        "v2xSignalWattCurve": [
            {"signal": -1, "power": -3000},
            {"signal": 1, "power": 3000},
        ],
    }


@pytest.mark.conformance("TC_Q_124_CSMS")
@pytest.mark.conformance("UC_Q09")
async def test_the_charger_balances_the_house_by_thresholds(
    hass: HomeAssistant, charger: Charger2
) -> None:
    await act(hass, "set_configuration", key=BALANCING, value="4500")
    (asked,) = charger.calls("SetVariables")[-1]["setVariableData"]
    assert asked["variable"] == {
        "name": "LocalLoadBalancing",
        "instance": "UpperThreshold",
    }
    assert asked["attributeValue"] == "4500"
    profile = await sent(hass, charger, operation_mode="local_load_balancing")
    assert period(profile)["operationMode"] == "LocalLoadBalancing"


@pytest.mark.conformance("UC_Q11")
@pytest.mark.conformance("TC_K_100_CSMS")
async def test_a_profile_does_not_count_for_long_without_us(
    hass: HomeAssistant, charger: Charger2
) -> None:
    profile = await sent(
        hass,
        charger,
        operation_mode="central_setpoint",
        setpoint=-3000,
        dynamic=True,
        max_offline="00:10:00",
        invalid_after_offline=True,
        update_interval="00:01:00",
    )
    assert profile["maxOfflineDuration"] == 600
    assert profile["invalidAfterOfflineDuration"] is True
    assert profile["dynUpdateInterval"] == 60


@pytest.mark.conformance("TC_K_101_CSMS")
@pytest.mark.conformance("UC_Q10")
async def test_the_operation_mode_changes_within_a_session(
    hass: HomeAssistant, charger: Charger2
) -> None:
    first = await act(
        hass, "set_bidirectional_profile", operation_mode="charging_only", limit=7000
    )
    second = await act(hass, "set_bidirectional_profile", operation_mode="idle")
    # The same number takes the place of what it named before.
    assert first["profile_id"] == second["profile_id"]
    told = [one["chargingProfile"] for one in charger.calls("SetChargingProfile")]
    assert [period(one).get("operationMode") for one in told] == [
        "ChargingOnly",
        "Idle",
    ]
    assert "limit" not in period(told[1])
    answer = await charger.event(
        "Updated",
        number=1,
        trigger="OperationModeChanged",
        info={"operationMode": "Idle"},
    )
    assert answer == {}


@pytest.mark.conformance("TC_Q_102_CSMS")
@pytest.mark.conformance("UC_Q01")
async def test_what_a_vehicle_may_is_not_made_up(
    hass: HomeAssistant, charger: Charger2
) -> None:
    token = {"idToken": "TAG12345", "type": "ISO14443"}
    answer = await charger.call("Authorize", {"idToken": token})
    assert answer["idTokenInfo"]["status"] == "Accepted"
    assert "allowedEnergyTransfer" not in answer


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"operation_mode": "charging_only"}, "limit"),
        (
            {"operation_mode": "charging_only", "limit": 1, "setpoint": 1},
            "setpoint",
        ),
        ({"operation_mode": "central_setpoint", "limit": 1}, "setpoint"),
        ({"operation_mode": "external_limits", "limit": 1}, "limit"),
        ({"operation_mode": "local_frequency"}, "baseline"),
        ({"operation_mode": "idle", "discharge_limit": 5}, "discharge_limit"),
    ],
)
async def test_what_does_not_go_with_a_mode_is_not_sent(
    hass: HomeAssistant, charger: Charger2, fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(ServiceValidationError) as err:
        await act(hass, "set_bidirectional_profile", **fields)
    assert err.value.translation_key == "two_way_fields"
    assert err.value.translation_placeholders is not None
    assert err.value.translation_placeholders["fields"] == named
    assert charger.calls("SetChargingProfile") == []


async def test_who_cannot_do_it_says_so(hass: HomeAssistant, charger: Charger2) -> None:
    charger.answers["SetChargingProfile"] = {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "InvalidSchedule"},
    }
    with pytest.raises(HomeAssistantError, match="InvalidSchedule") as err:
        await act(hass, "set_bidirectional_profile", operation_mode="idle")
    assert err.value.translation_key == "rejected"
    charger.answers["SetChargingProfile"] = {"status": "Accepted"}
    await act(
        hass,
        "set_bidirectional_profile",
        operation_mode="central_setpoint",
        setpoint=1,
        dynamic=True,
    )
    charger.answers["UpdateDynamicSchedule"] = Refusal(code="NotImplemented")
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, "update_bidirectional_profile", setpoint=2)
    assert err.value.translation_key == "not_supported_by_charger"


async def test_older_versions_have_no_words_for_directions(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.0.1")
    await charger.begin()
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, "set_bidirectional_profile", operation_mode="idle")
    assert err.value.translation_key == "not_supported"


@pytest.mark.conformance("UC_Q06")
async def test_someone_else_s_schedule_for_both_directions_is_taken_note_of(
    hass: HomeAssistant, charger: Charger2
) -> None:
    limit = {"chargingLimitSource": "EMS", "isGridCritical": False}
    schedule = {
        "id": 1,
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "operationMode": "ExternalSetpoint", "setpoint": -4000},
            {"startPeriod": 900, "operationMode": "ExternalLimits"},
        ],
    }
    told = {"evseId": 1, "chargingLimit": limit, "chargingSchedule": [schedule]}
    assert await charger.call("NotifyChargingLimit", told) == {}
    await flush(hass)
    # Nothing flows into the vehicle, whatever flows out of it.
    assert float(state(hass, "sensor", "CP01_1_effective_limit")) == 0
    assert state(hass, "sensor", "CP01_1_limited_by") == "energy_management"
    cleared = {"evseId": 1, "chargingLimitSource": "EMS"}
    assert await charger.call("ClearedChargingLimit", cleared) == {}


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_a_car_gives_energy_back_until_it_is_told_otherwise(
    hass: HomeAssistant, hub: OcppHub
) -> None:
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    station = ChargingStation(
        f"ws://127.0.0.1:{hub.port}/ocpp", IDENTITY, device_model=EVERYTHING
    )
    await station.connect()
    findings = hub.stations[IDENTITY].station.findings
    async with asyncio.timeout(60):
        while Step.LIMITS not in findings or station.queue.busy:
            await asyncio.sleep(0.01)
    await station.box.plug_in(Vehicle(bidirectional=True))
    await station.box.swipe(IdToken(id_token="04A1B2C3"))
    await station.settle()
    await act(
        hass,
        "set_bidirectional_profile",
        operation_mode="central_setpoint",
        setpoint=-6900,
        dynamic=True,
    )
    await station.pass_time(120, step=10)
    await flush(hass)
    meter = station.box.places[1].meter
    assert meter.exported > 150
    exported = float(state(hass, "sensor", "CP01_1_energy_active_export_register"))
    assert exported * 1000 == pytest.approx(meter.exported, abs=60)
    await act(hass, "update_bidirectional_profile", setpoint=6900)
    before = meter.exported
    await station.pass_time(120, step=10)
    assert meter.exported == pytest.approx(before, abs=5)
    assert station.box.places[1].offered == pytest.approx(10)
    await station.close()
