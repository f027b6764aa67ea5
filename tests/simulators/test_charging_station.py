"""The virtual station behaves as a charger does, and misbehaves when asked to."""

from base64 import b64decode
import json
from typing import Any

from aiohttp import ClientSession, web
import pytest

from .central import PlainCentralSystem
from .conftest import FakeClock
from simulators.charging_station import (
    VENDORS,
    ChargingStation16,
    Misbehaviour,
    Vehicle,
)
from simulators.charging_station.control import application

LIMIT: dict[str, Any] = {
    "chargingProfileId": 7,
    "stackLevel": 1,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0}],
    },
}


async def pass_time(station: ChargingStation16, clock: FakeClock, seconds: int) -> None:
    """Let the station and its clock move on together."""
    for _ in range(seconds):
        clock.tick(1)
        await station.advance(1)
    await station.settle()


async def charge(station: ChargingStation16, central: PlainCentralSystem) -> None:
    """Plug a vehicle in and start with a token."""
    await station.plug_in()
    assert await station.swipe("TAG1")
    await station.settle()
    await central.status("Charging")


async def test_boot_reports_who_it_is_and_every_connector(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Identity first, then station and connectors."""
    assert central.of("BootNotification")[0]["chargePointModel"] == "VW-22"
    numbers = [one["connectorId"] for one in central.of("StatusNotification")]
    assert numbers == [0, 1, 2]
    assert station.state()["booted"]


async def test_a_session_delivers_what_the_meter_says(
    station: ChargingStation16, central: PlainCentralSystem, clock: FakeClock
) -> None:
    """Start, samples, stop: the registers fit together."""
    await charge(station, central)
    await pass_time(station, clock, 120)
    assert await station.swipe("TAG1")
    await station.settle()
    await station.unplug()

    start, stop = central.of("StartTransaction")[0], central.of("StopTransaction")[0]
    sample = central.of("MeterValues")[-1]["meterValue"][0]["sampledValue"][0]
    assert start["meterStart"] < int(sample["value"]) <= stop["meterStop"]
    # 16 A on three phases for two minutes, less the ramp
    assert 340 <= stop["meterStop"] - start["meterStart"] <= 368
    assert stop["transactionId"] == 1
    assert stop["reason"] == "Local"
    statuses = [
        one["status"]
        for one in central.of("StatusNotification")
        if one["connectorId"] == 1
    ]
    assert statuses == ["Available", "Preparing", "Charging", "Finishing", "Available"]


async def test_a_limit_is_followed_and_seen(
    station: ChargingStation16, central: PlainCentralSystem, clock: FakeClock
) -> None:
    """The current and the composite schedule show the limit."""
    await charge(station, central)
    answer = await central.ask(
        "SetChargingProfile", connectorId=1, csChargingProfiles=LIMIT
    )
    assert answer[2] == {"status": "Accepted"}
    await pass_time(station, clock, 10)
    assert station.connectors[1].meter.current == 10
    schedule = await central.ask("GetCompositeSchedule", connectorId=1, duration=60)
    assert schedule[2]["chargingSchedule"]["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 10.0}
    ]


async def test_a_limit_is_seen_in_the_second_it_was_set(
    station: ChargingStation16, central: PlainCentralSystem, clock: FakeClock
) -> None:
    """Schedules begin at full seconds, profiles come between them."""
    await charge(station, central)
    clock.tick(0.4)
    await central.ask("SetChargingProfile", connectorId=1, csChargingProfiles=LIMIT)
    schedule = await central.ask("GetCompositeSchedule", connectorId=1, duration=60)
    assert schedule[2]["chargingSchedule"]["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 10.0}
    ]


async def test_a_limit_of_zero_suspends(
    station: ChargingStation16, central: PlainCentralSystem, clock: FakeClock
) -> None:
    """SuspendedEVSE, and no current."""
    await charge(station, central)
    zero = json.loads(json.dumps(LIMIT))
    zero["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] = 0
    await central.ask("SetChargingProfile", connectorId=1, csChargingProfiles=zero)
    await pass_time(station, clock, 10)
    await central.status("SuspendedEVSE")
    assert station.connectors[1].meter.current == 0


@pytest.mark.parametrize(
    ("connector", "change"),
    [
        (1, {"chargingProfilePurpose": "ChargePointMaxProfile"}),
        (0, {"chargingProfilePurpose": "ChargePointMaxProfile"}),
        (1, {"chargingProfilePurpose": "TxProfile"}),
        (1, {"stackLevel": 99}),
        (1, {"chargingProfileKind": "Absolute"}),
        (9, {}),
    ],
)
async def test_profiles_against_the_rules_are_refused(
    station: ChargingStation16,
    central: PlainCentralSystem,
    connector: int,
    change: dict[str, Any],
) -> None:
    """A strict station says no."""
    answer = await central.ask(
        "SetChargingProfile", connectorId=connector, csChargingProfiles=LIMIT | change
    )
    assert answer[2] == {"status": "Rejected"}


async def test_what_happens_offline_is_told_later(
    station: ChargingStation16, central: PlainCentralSystem, clock: FakeClock
) -> None:
    """Start and stop keep their times and their order."""
    await station.disconnect()
    await station.plug_in()
    assert await station.swipe("TAG1")
    await pass_time(station, clock, 30)
    await station.swipe("TAG1")
    assert station.pending == 2
    clock.tick(3600)
    await station.connect()
    await station.settle()
    assert central.of("StartTransaction")[0]["timestamp"] == "2026-11-21T10:00:00.000Z"
    assert central.of("StopTransaction")[0]["timestamp"] == "2026-11-21T10:00:30.000Z"
    assert central.of("StopTransaction")[0]["transactionId"] == 1


async def test_a_refused_token_ends_the_transaction(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """DeAuthorized, for the id it was given."""
    central.token_status = "Invalid"
    await station.plug_in()
    await station.sessions.start(station.connectors[1], "BAD")
    await central.seen(lambda action, _: action == "StopTransaction")
    assert central.of("StopTransaction")[0]["reason"] == "DeAuthorized"
    assert not await station.swipe("BAD")


async def test_remote_start_and_stop(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Both are accepted, and both have their effect."""
    await station.plug_in(2)
    answer = await central.ask("RemoteStartTransaction", idTag="HA")
    assert answer[2] == {"status": "Accepted"}
    start = await central.seen(lambda action, _: action == "StartTransaction")
    assert start["connectorId"] == 2
    await station.settle()
    answer = await central.ask("RemoteStopTransaction", transactionId=99)
    assert answer[2] == {"status": "Rejected"}
    await central.ask("RemoteStopTransaction", transactionId=1)
    stop = await central.seen(lambda action, _: action == "StopTransaction")
    assert stop["reason"] == "Remote"


async def test_remote_start_waits_for_the_vehicle(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Preparing first, the transaction with the plug."""
    await central.ask("RemoteStartTransaction", idTag="HA", connectorId=1)
    await central.status("Preparing")
    await station.plug_in(1)
    await central.seen(lambda action, _: action == "StartTransaction")


async def test_a_hard_reset_ends_transactions_and_boots_again(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """The second boot comes on a new socket."""
    await charge(station, central)
    answer = await central.ask("Reset", type="Hard")
    assert answer[2] == {"status": "Accepted"}
    stop = await central.seen(lambda action, _: action == "StopTransaction")
    assert stop["reason"] == "HardReset"
    await central.count("BootNotification", 2)


async def test_configuration_is_kept(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Known, unknown, read-only and impossible values each get their answer."""

    async def change(key: str, value: str) -> str:
        answer = await central.ask("ChangeConfiguration", key=key, value=value)
        return str(answer[2]["status"])

    assert await change("MeterValueSampleInterval", "10") == "Accepted"
    assert await change("MeterValueSampleInterval", "ten") == "Rejected"
    assert await change("NumberOfConnectors", "9") == "Rejected"
    assert await change("Nonsense", "1") == "NotSupported"
    assert await change("WebSocketPingInterval", "20") == "RebootRequired"
    answer = await central.ask(
        "GetConfiguration", key=["MeterValueSampleInterval", "AuthorizationKey", "X"]
    )
    assert answer[2] == {
        "configurationKey": [
            {"key": "MeterValueSampleInterval", "readonly": False, "value": "10"},
            {"key": "AuthorizationKey", "readonly": False},
        ],
        "unknownKey": ["X"],
    }


async def test_availability_waits_for_the_transaction(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Scheduled during a session, then unavailable."""
    await charge(station, central)
    answer = await central.ask("ChangeAvailability", connectorId=1, type="Inoperative")
    assert answer[2] == {"status": "Scheduled"}
    await station.unplug()
    await central.status("Unavailable")
    answer = await central.ask("ChangeAvailability", connectorId=0, type="Operative")
    assert answer[2] == {"status": "Accepted"}


async def test_reservation_binds_the_connector(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Reserved, and the transaction names the reservation."""
    expiry = "2026-11-21T12:00:00Z"
    reserve = {"connectorId": 1, "expiryDate": expiry, "idTag": "TAG1"}
    answer = await central.ask("ReserveNow", reservationId=5, **reserve)
    assert answer[2] == {"status": "Accepted"}
    await central.status("Reserved")
    await charge(station, central)
    assert central.of("StartTransaction")[0]["reservationId"] == 5
    answer = await central.ask("CancelReservation", reservationId=5)
    assert answer[2] == {"status": "Rejected"}
    answer = await central.ask("ReserveNow", reservationId=6, **reserve)
    assert answer[2] == {"status": "Occupied"}


async def test_triggers_are_obeyed(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Every message of remote trigger, and one that is none."""
    for message in (
        "Heartbeat",
        "MeterValues",
        "FirmwareStatusNotification",
        "DiagnosticsStatusNotification",
        "StatusNotification",
        "BootNotification",
    ):
        before = len(central.of(message))
        answer = await central.ask("TriggerMessage", requestedMessage=message)
        assert answer[2] == {"status": "Accepted"}
        await central.count(message, before + 1)
    answer = await central.ask(
        "TriggerMessage", requestedMessage="StatusNotification", connectorId=9
    )
    assert answer[2] == {"status": "Rejected"}


async def test_faults_come_and_go(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """The error code is told, and the session ends."""
    await charge(station, central)
    await station.fault("GroundFailure")
    fault = await central.status("Faulted")
    assert fault["errorCode"] == "GroundFailure"
    await station.clear_fault()
    await station.unplug()
    assert station.connectors[1].status == "Available"


async def test_small_actions(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Cache, data, unlock, clearing profiles, and what the station never heard of."""
    assert (await central.ask("ClearCache"))[2] == {"status": "Accepted"}
    answer = await central.ask("DataTransfer", vendorId="Nobody")
    assert answer[2] == {"status": "UnknownVendorId"}
    answer = await central.ask("DataTransfer", vendorId="Virtual Works", data="x")
    assert answer[2] == {"status": "Accepted", "data": "x"}
    answer = await central.ask("UnlockConnector", connectorId=9)
    assert answer[2] == {"status": "NotSupported"}
    answer = await central.ask("UnlockConnector", connectorId=1)
    assert answer[2] == {"status": "Unlocked"}
    assert (await central.ask("ClearChargingProfile"))[2] == {"status": "Unknown"}
    await central.ask("SetChargingProfile", connectorId=1, csChargingProfiles=LIMIT)
    answer = await central.ask("ClearChargingProfile", id=7)
    assert answer[2] == {"status": "Accepted"}
    assert (await central.ask("NoSuchAction"))[2] == "NotImplemented"


async def test_a_core_only_charger_supports_only_core(
    central: PlainCentralSystem, clock: FakeClock
) -> None:
    """Smart charging is refused as NotSupported."""
    station = ChargingStation16(
        f"ws://127.0.0.1:{central.port}",
        "CORE",
        vendor=VENDORS["core-only"],
        clock=clock,
    )
    await station.connect()
    answer = await central.ask(
        "SetChargingProfile", connectorId=1, csChargingProfiles=LIMIT
    )
    assert answer[2] == "NotSupported"
    await station.close()


async def test_the_password_goes_with_the_identity(
    central: PlainCentralSystem, clock: FakeClock
) -> None:
    """HTTP Basic, as security profile 1 wants it."""
    station = ChargingStation16(
        f"ws://127.0.0.1:{central.port}", "CP9", password="secret", clock=clock
    )
    await station.connect()
    assert central.authorization is not None
    assert b64decode(central.authorization.removeprefix("Basic ")) == b"CP9:secret"
    await station.close()


async def test_a_refused_boot_is_not_a_boot(
    central: PlainCentralSystem, clock: FakeClock
) -> None:
    """Pending: nothing but the boot goes out."""
    central.boot_status = "Pending"
    station = ChargingStation16(f"ws://127.0.0.1:{central.port}", "CP1", clock=clock)
    await station.connect()
    await station.plug_in()
    assert [action for action, _ in central.calls] == ["BootNotification"]
    await station.close()


async def test_misbehaviours_show_on_the_wire(
    station: ChargingStation16, central: PlainCentralSystem, clock: FakeClock
) -> None:
    """Each of them does what its name says."""
    station.misbehaviours |= {
        Misbehaviour.ALL_KEYS,
        Misbehaviour.DUPLICATE_MESSAGES,
        Misbehaviour.GARBAGE_FRAMES,
        Misbehaviour.IGNORE_LIMIT,
        Misbehaviour.LOSE_STOP,
        Misbehaviour.NULL_PAYLOAD,
        Misbehaviour.REJECT_TX_PROFILE,
        Misbehaviour.RETRY_WITH_NEW_ID,
        Misbehaviour.SIGNED_DATA,
        Misbehaviour.STRING_NUMBERS,
        Misbehaviour.ZERO_REGISTER,
    }
    await charge(station, central)
    await central.ask("SetChargingProfile", connectorId=1, csChargingProfiles=LIMIT)
    await pass_time(station, clock, 301)
    await station.swipe("TAG1")
    await station.settle()

    assert len(central.of("StartTransaction")) == 3
    assert (
        central.message_ids.count(
            central.message_ids[
                [action for action, _ in central.calls].index("StartTransaction")
            ]
        )
        == 2
    )
    assert not central.of("StopTransaction")
    assert central.of("Heartbeat") == [None]
    assert "42" in central.raw
    assert central.of("StatusNotification")[-1]["connectorId"] == "1"
    values = [
        value
        for one in central.of("MeterValues")
        for value in one["meterValue"][0]["sampledValue"]
    ]
    assert any(value.get("format") == "SignedData" for value in values)
    assert any(
        value["value"] == "0" and "Register" in value.get("measurand", "")
        for value in values
    )
    assert station.connectors[1].offered == 0
    keys = await central.ask("GetConfiguration", key=["X"])
    assert len(keys[2]["configurationKey"]) > 20
    answer = await central.ask(
        "SetChargingProfile",
        connectorId=1,
        csChargingProfiles=LIMIT | {"chargingProfilePurpose": "TxProfile"},
    )
    assert answer[2] == {"status": "Rejected"}


async def test_a_reconnect_may_come_without_a_boot(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """As libocpp and Easee do."""
    station.misbehaviours.add(Misbehaviour.NO_BOOT_ON_RECONNECT)
    await station.disconnect()
    await station.connect()
    assert len(central.of("BootNotification")) == 1
    await charge(station, central)


async def test_the_control_interface_moves_the_station(
    station: ChargingStation16, central: PlainCentralSystem, clock: FakeClock
) -> None:
    """Every act over HTTP, and honest answers to nonsense."""
    runner = web.AppRunner(application(station))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with ClientSession() as http:

        async def act(verb: str, **body: Any) -> dict[str, Any]:
            async with http.post(f"{base}/{verb}", json=body) as response:
                answer: dict[str, Any] = await response.json()
                return answer

        await act("plug", maximum_current=8)
        await act("swipe", token="TAG1")
        await central.status("Charging")
        state = await act("advance", seconds=10)
        assert state["connectors"][0]["current"] == 8
        await act("pause")
        assert (await act("advance", seconds=10))["connectors"][0]["current"] == 0
        await act("pause", on=False)
        await act("full")
        assert (await act("advance", seconds=10))["connectors"][0]["current"] == 0
        await act("fault")
        assert (await act("clear_fault"))["connectors"][0]["status"] == "Preparing"
        await act("unplug")
        assert not (await act("offline"))["connected"]
        assert (await act("online"))["connected"]
        await act("reboot")
        assert await act("misbehave", name="lose_stop")
        assert station.misbehaviours == {Misbehaviour.LOSE_STOP}
        await act("misbehave", name="lose_stop", on=False)
        assert "error" in await act("misbehave", name="nonsense")
        assert "acts" in await act("nonsense")
        async with http.get(f"{base}/state") as response:
            assert (await response.json())["identity"] == "CP1"
    await runner.cleanup()


def test_a_full_vehicle_draws_nothing() -> None:
    """And neither does one that is offered too little."""
    vehicle = Vehicle(capacity=100, stored=100)
    assert vehicle.wanted(16) == 0
    vehicle.stored = 0
    assert vehicle.wanted(5) == 0
    assert vehicle.wanted(32) == 16
