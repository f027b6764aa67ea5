"""What OCPP 2.1 adds, at a station that can do all of it."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from .central import CentralSystem2
from .test_charging import composite, give, own, profile
from .test_requests import ACCEPTED, TOKEN, charge, variable
from simulators.charging_station.v2 import EVERYTHING, Battery, ChargingStation
from simulators.charging_station.vehicle import Vehicle
from tests.simulators.conftest import FakeClock

NEWER: tuple[tuple[str, dict[str, Any]], ...] = (
    ("AFRRSignal", {"timestamp": "2026-11-21T10:00:00Z", "signal": 1}),
    ("AdjustPeriodicEventStream", {"id": 1, "params": {}}),
    ("ClearDERControl", {"isDefault": False}),
    ("ClearTariffs", {}),
    ("GetDERControl", {"requestId": 1}),
    ("GetPeriodicEventStream", {}),
    ("GetTariffs", {"evseId": 0}),
    ("RequestBatterySwap", {"idToken": TOKEN.wire(), "requestId": 1}),
    ("UpdateDynamicSchedule", {"chargingProfileId": 1, "scheduleUpdate": {}}),
    ("UsePriorityCharging", {"transactionId": "T", "activate": True}),
)


@pytest.fixture
async def newer(
    central2: CentralSystem2, clock: FakeClock
) -> AsyncGenerator[ChargingStation]:
    """Return a booted station with two EVSEs that can do all of OCPP 2.1."""
    virtual = ChargingStation(
        f"ws://127.0.0.1:{central2.port}/ocpp",
        "CP21",
        evses=(1, 1),
        clock=clock,
        device_model=EVERYTHING,
    )
    await virtual.connect()
    await central2.count("StatusNotification", 2)
    await virtual.settle()
    yield virtual
    await virtual.close()


@pytest.mark.parametrize(("action", "payload"), NEWER)
async def test_the_real_library_knows_none_of_it(
    central2: CentralSystem2,
    station2: ChargingStation,
    action: str,
    payload: dict[str, Any],
) -> None:
    assert await central2.error(action, **payload) == "NotImplemented"


# Distributed energy


def droop(control: str, priority: int, **more: Any) -> dict[str, Any]:
    field = {
        "priority": priority,
        "overFreq": 50.2,
        "underFreq": 49.8,
        "overDroop": 5.0,
        "underDroop": 5.0,
        "responseTime": 2.0,
        **more,
    }
    return {
        "isDefault": not more,
        "controlId": control,
        "controlType": "FreqDroop",
        "freqDroop": field,
    }


async def test_a_control_supersedes_those_that_count_less(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    assert await central2.request("SetDERControl", **droop("a", 5)) == ACCEPTED
    told = await central2.request("SetDERControl", **droop("b", 1))
    assert told == {"status": "Accepted", "supersededIds": ["a"]}
    told = await central2.request("SetDERControl", **droop("c", 9))
    assert told == {"status": "Accepted", "supersededIds": ["c"]}
    assert await central2.request("GetDERControl", requestId=7) == ACCEPTED
    await newer.settle()
    (report,) = central2.of("ReportDERControl")
    assert (report["requestId"], report["tbc"]) == (7, False)
    told = {one["id"]: one["isSuperseded"] for one in report["freqDroop"]}
    assert told == {"a": True, "b": False, "c": True}


async def test_a_scheduled_control_tells_that_it_starts_and_stops(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    timed = {"startTime": "2026-11-21T10:01:00Z", "duration": 60.0}
    assert await central2.request("SetDERControl", **droop("s", 1, **timed)) == ACCEPTED
    assert central2.of("NotifyDERStartStop") == []
    await newer.pass_time(60, step=30)
    assert [one["started"] for one in central2.of("NotifyDERStartStop")] == [True]
    await newer.pass_time(60, step=30)
    told = central2.of("NotifyDERStartStop")
    assert [one["started"] for one in told] == [True, False]
    assert await central2.request("GetDERControl", requestId=1) == {
        "status": "NotFound"
    }


@pytest.mark.parametrize(
    "told",
    [
        droop("x", 1) | {"controlType": "EnterService"},
        droop("x", 1) | {"isDefault": True, "fixedVar": {"priority": 0}},
        droop("x", 1, startTime="2026-11-21T10:00:00Z") | {"isDefault": True},
        {
            "isDefault": True,
            "controlId": "x",
            "controlType": "VoltWatt",
            "curve": {
                "priority": 1,
                "yUnit": "PctMaxVar",
                "curveData": [{"x": 1, "y": 1}],
            },
        },
    ],
)
async def test_a_control_that_makes_no_sense_is_refused(
    central2: CentralSystem2, newer: ChargingStation, told: dict[str, Any]
) -> None:
    if "fixedVar" in told:
        told["fixedVar"] |= {"setpoint": 1, "unit": "PctMaxVar"}
    answer = await central2.request("SetDERControl", **told)
    assert answer["status"] == "Rejected"


async def test_controls_are_cleared_and_kinds_may_be_unknown(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    unknown = droop("x", 1) | {"controlType": "LFMustTrip"}
    answer = await central2.request("SetDERControl", **unknown)
    assert answer == {"status": "NotSupported"}
    await central2.request("SetDERControl", **droop("a", 5))
    answer = await central2.request("ClearDERControl", isDefault=False)
    assert answer == {"status": "NotFound"}
    assert await central2.request("ClearDERControl", isDefault=True) == ACCEPTED
    await newer.der.alarm("HVMustTrip", fault="OverVoltage")
    assert central2.of("NotifyDERAlarm")[0]["gridEventFault"] == "OverVoltage"


# Energy that flows back


async def test_a_vehicle_gives_energy_back_as_told(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    await newer.box.plug_in(Vehicle(bidirectional=True))
    await newer.box.swipe(TOKEN)
    await newer.settle()
    transaction = await newer.get_evse_transaction_id(1)
    assert transaction is not None
    allowed = {"transactionId": transaction, "allowedEnergyTransfer": ["AC_BPT"]}
    assert await central2.request("NotifyAllowedEnergyTransfer", **allowed) == ACCEPTED
    period = {"startPeriod": 0, "operationMode": "CentralSetpoint", "setpoint": -6900.0}
    told = own(transaction, 100, unit="W", periods=[period])
    assert await give(central2, 1, told) == ACCEPTED
    await newer.settle()
    modes = [
        one["transactionInfo"].get("operationMode")
        for one in central2.events()
        if one["triggerReason"] == "OperationModeChanged"
    ]
    assert modes == ["CentralSetpoint"]
    register = newer.box.places[1].meter.register
    await newer.pass_time(3600, step=60)
    meter = newer.box.places[1].meter
    assert meter.register == register
    assert meter.exported == 6900


@pytest.mark.parametrize(
    "period",
    [
        {"operationMode": "ChargingOnly", "limit": 10, "dischargeLimit": -5},
        {"operationMode": "CentralSetpoint", "limit": 10},
        {"setpoint": -5},
    ],
)
async def test_a_mode_says_what_a_period_may_say(
    central2: CentralSystem2, newer: ChargingStation, period: dict[str, Any]
) -> None:
    transaction = await charge(newer)
    told = own(transaction, 100, periods=[{"startPeriod": 0, **period}])
    answer = await give(central2, 1, told)
    problem = "ChargingSchedulePeriodUnsupportedLimitSetpoint"
    assert answer["statusInfo"]["additionalInfo"] == problem


async def test_the_grid_signals_where_a_profile_listens(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    signal = {"timestamp": "2026-11-21T10:00:00Z", "signal": 1}
    transaction = await charge(newer)
    assert (await central2.request("AFRRSignal", **signal))["status"] == "Rejected"
    curve = [{"signal": 0, "power": 0.0}, {"signal": 1, "power": -2300.0}]
    period = {
        "startPeriod": 0,
        "operationMode": "LocalFrequency",
        "v2xBaseline": 0.0,
        "v2xSignalWattCurve": curve,
    }
    told = own(transaction, 100, unit="W", periods=[period])
    assert await give(central2, 1, told) == ACCEPTED
    assert await central2.request("AFRRSignal", **signal) == ACCEPTED
    assert newer.v2x.setpoint(1) == -2300


# Profiles that change, and drivers in a hurry


async def test_a_dynamic_profile_is_pushed_and_pulled(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    transaction = await charge(newer)
    told = own(transaction, 100, limit=16.0)
    told |= {"chargingProfileKind": "Dynamic", "dynUpdateInterval": 60}
    assert await give(central2, 1, told) == ACCEPTED
    update = {"chargingProfileId": 100, "scheduleUpdate": {"limit": 9.0}}
    assert await central2.request("UpdateDynamicSchedule", **update) == ACCEPTED
    assert await composite(central2) == [(0, 9)]
    unknown = update | {"chargingProfileId": 101}
    answer = await central2.request("UpdateDynamicSchedule", **unknown)
    assert answer["status"] == "Rejected"
    central2.pulled = {"status": "Accepted", "scheduleUpdate": {"limit": 7.5}}
    await newer.pass_time(60, step=30)
    assert await composite(central2) == [(0, 7.5)]
    assert len(central2.of("PullDynamicScheduleUpdate")) == 1


async def test_a_driver_in_a_hurry_comes_first(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    transaction = await charge(newer)
    await give(central2, 1, own(transaction, 100, limit=6.0))
    ask = {"transactionId": transaction, "activate": True}
    answer = await central2.request("UsePriorityCharging", **ask)
    assert answer == {"status": "NoProfile"}
    hurried = profile(101, 20.0, chargingProfilePurpose="PriorityCharging")
    assert await give(central2, 0, hurried) == ACCEPTED
    assert await composite(central2) == [(0, 6)]
    assert await central2.request("UsePriorityCharging", **ask) == ACCEPTED
    assert await composite(central2) == [(0, 20)]
    await newer.dynamic.hurry(1, on=False)
    assert central2.of("NotifyPriorityCharging")[0]["activated"] is False
    assert await composite(central2) == [(0, 6)]


async def test_what_is_generated_is_added_to_the_station_s_limit(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    await charge(newer)
    top = profile(100, 10.0, chargingProfilePurpose="ChargingStationMaxProfile")
    assert await give(central2, 0, top) == ACCEPTED
    sun = profile(101, 5.0, chargingProfilePurpose="LocalGeneration")
    assert await give(central2, 0, sun) == ACCEPTED
    assert await composite(central2) == [(0, 15)]


async def test_numbers_below_those_of_external_limits_are_refused(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    answer = await give(central2, 0, profile(99))
    assert answer["statusInfo"]["reasonCode"] == "InvalidProfileId"


async def test_a_profile_does_not_outlast_its_central_system(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    await charge(newer)
    told = profile(100, 20.0, maxOfflineDuration=60, invalidAfterOfflineDuration=True)
    assert await give(central2, 1, told) == ACCEPTED
    newer.reconnect = False
    await newer.disconnect()
    await newer.pass_time(61, step=61)
    await newer.box.apply_limits()
    assert newer.box.places[1].offered == 32
    await newer.connect()
    assert newer.charging.profiles == {}


# Limits of a transaction


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"maxEnergy": 1000.0}, "EnergyLimitReached"),
        ({"maxTime": 600}, "TimeLimitReached"),
        ({"maxSoC": 40}, "SOCLimitReached"),
    ],
)
async def test_a_transaction_ends_at_its_limit(
    central2: CentralSystem2,
    newer: ChargingStation,
    limit: dict[str, float],
    reason: str,
) -> None:
    central2.transaction_limit = limit
    await charge(newer)
    await newer.pass_time(3600, step=60)
    confirmed = [
        one["transactionInfo"]["transactionLimit"]
        for one in central2.events()
        if one["triggerReason"] == "LimitSet"
    ]
    assert confirmed == [limit]
    ended = central2.events()[-1]
    assert ended["transactionInfo"]["stoppedReason"] == reason


# Tariffs


def tariff(number: str = "T1", price: float = 0.5, **more: Any) -> dict[str, Any]:
    energy = {"prices": [{"priceKwh": price}]}
    return {"tariffId": number, "currency": "EUR", "energy": energy, **more}


async def test_a_default_tariff_is_set_shown_and_charged_for(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    told = {"evseId": 0, "tariff": tariff()}
    assert await central2.request("GetTariffs", evseId=0) == {"status": "NoTariff"}
    assert await central2.request("SetDefaultTariff", **told) == ACCEPTED
    other = {"evseId": 1, "tariff": tariff(price=1.0)}
    answer = await central2.request("SetDefaultTariff", **other)
    assert answer == {"status": "DuplicateTariffId"}
    answer = await central2.request("GetTariffs", evseId=1)
    assert answer["tariffAssignments"] == [
        {"tariffId": "T1", "tariffKind": "DefaultTariff", "evseIds": [0]}
    ]
    transaction = await charge(newer)
    await newer.pass_time(600, step=60)
    changed = {"transactionId": transaction, "tariff": tariff("T2", 2.0)}
    assert await central2.request("ChangeTransactionTariff", **changed) == ACCEPTED
    await newer.box.unplug()
    await newer.settle()
    ended = central2.events()[-1]
    usage, cost = ended["costDetails"]["totalUsage"], ended["costDetails"]["totalCost"]
    assert cost["energy"]["exclTax"] == pytest.approx(usage["energy"] * 2)
    answer = await central2.request("ClearTariffs", tariffIds=["T1", "T9"])
    assert [one["status"] for one in answer["clearTariffsResult"]] == [
        "Accepted",
        "NoTariff",
    ]


async def test_a_tariff_may_be_too_much(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    prices = [{"priceKwh": 0.1 * number} for number in range(6)]
    told = tariff() | {"energy": {"prices": prices}}
    answer = await central2.request("SetDefaultTariff", evseId=0, tariff=told)
    assert answer == {"status": "TooManyElements"}
    name = "TariffCostCtrlr.ConditionsSupported[Tariff]"
    newer.model.put(name, "false")
    condition = {"priceKwh": 0.1, "conditions": {"minEnergy": 1}}
    told = tariff() | {"energy": {"prices": [condition]}}
    answer = await central2.request("SetDefaultTariff", evseId=0, tariff=told)
    assert answer == {"status": "ConditionNotSupported"}


# Streams


async def test_a_stream_sends_values_that_nobody_answers(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    item = variable("EVSE.Power", id=1) | {
        "value": 1.0,
        "type": "Periodic",
        "severity": 9,
        "periodicEventStream": {"interval": 5, "values": 3},
    }
    answer = await central2.request("SetVariableMonitoring", setMonitoringData=[item])
    number = answer["setMonitoringResult"][0]["id"]
    await newer.settle()
    (opened,) = central2.of("OpenPeriodicEventStream")
    assert opened["constantStreamData"]["variableMonitoringId"] == number
    await newer.pass_time(6)
    sends = [one for one in central2.frames if one[0] == 6]
    assert [one[2] for one in sends] == ["NotifyPeriodicEventStream"] * 2
    assert [one["t"] for one in sends[0][3]["data"]] == [0, 1, 2]
    answer = await central2.request("GetPeriodicEventStream")
    assert answer == {"constantStreamData": [opened["constantStreamData"]]}
    adjusted = {"id": opened["constantStreamData"]["id"], "params": {"values": 1}}
    assert await central2.request("AdjustPeriodicEventStream", **adjusted) == ACCEPTED
    await newer.pass_time(2)
    assert len([one for one in central2.frames if one[0] == 6]) == 4
    await central2.request("ClearVariableMonitoring", id=[number])
    await newer.settle()
    assert len(central2.of("ClosePeriodicEventStream")) == 1
    assert central2.of("NotifyEvent") == []


# Batteries


async def test_batteries_are_swapped(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    asked = {"idToken": TOKEN.wire(), "requestId": 7}
    answer = await central2.request("RequestBatterySwap", **asked)
    assert answer["statusInfo"]["reasonCode"] == "NoBatteryAvailable"
    await newer.swap.fill(2, Battery(serial="B2", soc=95))
    await newer.settle()
    assert await central2.request("RequestBatterySwap", **asked) == ACCEPTED
    await newer.swap.put_in(1, Battery(serial="B1", soc=10))
    await newer.settle()
    taken = await newer.swap.take_out()
    await newer.settle()
    assert taken is not None
    assert taken.serial == "B2"
    told = central2.of("BatterySwap")
    assert [one["eventType"] for one in told] == ["BatteryIn", "BatteryOut"]
    assert {one["requestId"] for one in told} == {7}
    started = [one for one in central2.events() if one["eventType"] == "Started"]
    assert {one["idToken"]["idToken"] for one in started} == {"SWAP-CHARGING"}


async def test_who_takes_no_battery_leaves_it_there(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    await newer.swap.fill(2, Battery(serial="B2", soc=95))
    await newer.swap.put_in(1, Battery(serial="B1", soc=10), TOKEN)
    assert await newer.swap.take_out(timeout=True) is None
    await newer.settle()
    told = [one["eventType"] for one in central2.of("BatterySwap")]
    assert told == ["BatteryIn", "BatteryOutTimeout"]
    assert {*newer.swap.slots} == {1, 2}


async def test_controls_and_tariffs_survive_a_reboot(
    central2: CentralSystem2, newer: ChargingStation
) -> None:
    await central2.request("SetDERControl", **droop("a", 5))
    await newer.reboot()
    await newer.settle()
    assert await central2.request("GetDERControl", requestId=1) == ACCEPTED
