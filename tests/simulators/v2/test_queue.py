"""What the station does when nobody listens, answers, or answers well."""

import asyncio
from pathlib import Path

import pytest

from .central import CentralSystem2
from simulators.charging_station.v2 import ChargingStation, IdToken
from simulators.charging_station.v2.values import ChargingState, LogStatus
from simulators.charging_station.vehicle import Vehicle
from tests.simulators.conftest import FakeClock

TOKEN = IdToken(id_token="04A1B2C3")


async def charge(station: ChargingStation) -> str:
    """Charge, and return the transaction's id."""
    await station.box.plug_in(Vehicle())
    assert await station.box.swipe(TOKEN)
    await station.settle()
    found = await station.get_evse_transaction_id(1)
    assert found is not None
    return found


async def let(station: ChargingStation, clock: FakeClock, seconds: float) -> None:
    """Let time pass without waiting for answers that do not come."""
    clock.tick(seconds)
    await station.advance(seconds)


async def seen(central: CentralSystem2, action: str, number: int) -> None:
    async with asyncio.timeout(60):
        await central.count(action, number)


async def test_an_event_without_answer_is_repeated_under_new_ids_then_dropped(
    central2: CentralSystem2, station2: ChargingStation, clock: FakeClock
) -> None:
    station2.box.metered = False
    central2.silent.add("TransactionEvent")
    await station2.box.plug_in(Vehicle())
    assert await station2.box.swipe(TOKEN)
    first = len(central2.calls)
    for attempt in range(1, 6):
        await seen(central2, "TransactionEvent", attempt)
        await let(station2, clock, 30)  # nobody answers
        if attempt < 5:
            await let(station2, clock, 10 * attempt - 1)
            assert len(central2.events()) == attempt
            await let(station2, clock, 1)
    await seen(central2, "TransactionEvent", 6)
    told = central2.events()[:6]
    assert all(one == told[0] for one in told[:5])
    ids = central2.message_ids[first - 1 :]
    assert len({*ids}) == len(ids)
    # What comes next is the next event: the first one is gone.
    assert told[5]["seqNo"] == 1
    assert [one["seqNo"] for one in station2.queue.dropped] == [0]


async def test_an_error_counts_like_no_answer(
    central2: CentralSystem2, station2: ChargingStation, clock: FakeClock
) -> None:
    central2.broken.add("TransactionEvent")
    await station2.box.plug_in(Vehicle())
    assert await station2.box.swipe(TOKEN)
    await station2.settle()
    assert len(central2.events()) == 1
    central2.broken.clear()
    await let(station2, clock, 10)
    await station2.settle()
    assert [one["seqNo"] for one in central2.events()] == [0, 0, 1]


async def test_one_call_at_a_time_and_all_wait_for_its_answer(
    central2: CentralSystem2, station2: ChargingStation, clock: FakeClock
) -> None:
    central2.silent.add("StatusNotification")
    before = len(central2.calls)
    await station2.on_faulted(1, 1)
    await seen(central2, "StatusNotification", 4)
    await station2.on_faulted(2, 1)
    clock.tick(1)
    await station2.on_security_event("TamperDetectionActivated")
    answer = await central2.request("GetLocalListVersion")  # answers pass
    assert answer == {"versionNumber": 0}
    assert len(central2.calls) == before + 1
    central2.silent.clear()
    await let(station2, clock, 30)
    await station2.settle()
    # A status that nobody answered is not repeated; the oldest goes first.
    assert [one for one, _ in central2.calls[before + 1 :]] == [
        "StatusNotification",
        "SecurityEventNotification",
    ]
    assert central2.of("StatusNotification")[-1]["evseId"] == 2


async def test_offline_events_are_kept_and_told_before_the_status(
    central2: CentralSystem2, station2: ChargingStation, clock: FakeClock
) -> None:
    await station2.disconnect()
    station2.model.put("SampledDataCtrlr.TxUpdatedInterval", "20")
    transaction = await charge(station2)
    for _ in range(65):
        await let(station2, clock, 1)
    await station2.box.unplug()
    before = len(central2.calls)
    await station2.connect()
    await station2.settle()
    told = [action for action, _ in central2.calls[before:]]
    events = central2.events(transaction)
    assert told == ["TransactionEvent"] * len(events) + ["StatusNotification"] * 3
    assert [one["seqNo"] for one in events] == [*range(len(events))]
    assert all(one["offline"] for one in events)
    assert events[0]["eventType"] == "Started"
    assert events[-1]["eventType"] == "Ended"
    assert events[0]["timestamp"] < events[-1]["timestamp"]


@pytest.mark.parametrize(
    ("seconds", "fault", "threshold", "statuses"),
    [
        (10, False, "60", []),
        (10, True, "60", ["Faulted"]),
        (61, False, "60", ["Available"] * 3),
        (61, True, "0", []),
    ],
)
async def test_after_a_short_outage_there_is_no_boot_and_only_what_changed(
    central2: CentralSystem2,
    station2: ChargingStation,
    clock: FakeClock,
    seconds: float,
    fault: bool,
    threshold: str,
    statuses: list[str],
) -> None:
    station2.model.put("OCPPCommCtrlr.OfflineThreshold", threshold)
    await station2.disconnect()
    if fault:
        await station2.on_faulted(1, 1)
    await let(station2, clock, seconds)
    before = len(central2.statuses)
    await station2.connect()
    await station2.settle()
    assert central2.statuses[before:] == statuses
    assert len(central2.of("BootNotification")) == 1


async def test_normal_messages_are_thrown_away_offline_unless_all_are_queued(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    for number, queued in enumerate(("false", "true")):
        station2.model.put("OCPPCommCtrlr.QueueAllMessages", queued)
        await station2.disconnect()
        await station2.on_log_status_notification(LogStatus.IDLE, 0)
        await station2.connect()
        await station2.settle()
        assert len(central2.of("LogStatusNotification")) == number


async def test_a_call_in_flight_blocks_until_its_time_is_up_after_a_reconnect(
    central2: CentralSystem2, station2: ChargingStation, clock: FakeClock
) -> None:
    station2.box.metered = False
    central2.silent.add("TransactionEvent")
    await station2.box.plug_in(Vehicle())
    assert await station2.box.swipe(TOKEN)
    await seen(central2, "TransactionEvent", 1)
    await station2.disconnect()
    central2.silent.clear()
    await station2.connect()
    await let(station2, clock, 29)
    assert await central2.request("GetLocalListVersion")
    assert len(central2.events()) == 1
    await let(station2, clock, 1)
    await let(station2, clock, 10)
    await station2.settle()
    assert [one["seqNo"] for one in central2.events()] == [0, 0, 1]


async def test_too_much_costs_first_the_normal_messages_then_every_second_update(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    station2.model.put("OCPPCommCtrlr.QueueAllMessages", "true")
    await station2.disconnect()
    await station2.on_log_status_notification(LogStatus.IDLE, 0)
    transaction = await charge(station2)
    station2.model.put("InternalCtrlr.MessageQueueSizeThreshold", "8")
    states = [ChargingState.SUSPENDED_EV, ChargingState.CHARGING]
    for number in range(8):
        await station2.on_charging_state_changed(1, states[number % 2])
    await station2.connect()
    await station2.settle()
    told = [one["seqNo"] for one in central2.events(transaction)]
    assert told[0] == 0
    assert told == sorted({*told})
    assert len(told) < 10
    assert central2.of("LogStatusNotification") == []


async def test_a_transaction_that_power_was_lost_in_never_ends(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    transaction = await charge(station2)
    await station2.reboot()
    await station2.settle()
    assert [one["eventType"] for one in central2.events(transaction)].count(
        "Ended"
    ) == 0
    answer = await central2.request("GetTransactionStatus", transactionId=transaction)
    assert answer == {"messagesInQueue": False, "ongoingIndicator": False}


async def test_what_is_kept_outlives_the_process(
    central2: CentralSystem2, clock: FakeClock, tmp_path: Path
) -> None:
    url, file = f"ws://127.0.0.1:{central2.port}/ocpp", tmp_path / "state.json"
    first = ChargingStation(url, "CP2", clock=clock, memory=file)
    await first.connect()
    await central2.status_of("Available")
    await first.settle()
    await first.disconnect()
    transaction = await charge(first)
    # Not closed in any orderly way: nothing is written after this.
    second = ChargingStation(url, "CP2", clock=clock, memory=file)
    await second.connect()
    await seen(central2, "TransactionEvent", 2)
    await second.settle()
    assert [one["seqNo"] for one in central2.events(transaction)] == [0, 1]
    assert await second.get_evse_transaction_id(1) is None
    await first.close()
    await second.close()


async def test_a_transaction_goes_on_after_a_start_where_that_is_configured(
    central2: CentralSystem2, clock: FakeClock, tmp_path: Path
) -> None:
    url, file = f"ws://127.0.0.1:{central2.port}/ocpp", tmp_path / "state.json"
    stations = []
    for _ in range(2):
        station = ChargingStation(url, "CP2", clock=clock, memory=file)
        station.model.variables[
            station.model.at("InternalCtrlr.ResumeTransactionsOnBoot")
        ].changed = True
        station.model.put("InternalCtrlr.ResumeTransactionsOnBoot", "true")
        stations.append(station)
        await station.connect()
        await central2.count("BootNotification", len(stations))
        await station.settle()
        if len(stations) == 1:
            transaction = await charge(station)
            await station.disconnect()
    second = stations[1]
    assert await second.get_evse_transaction_id(1) == transaction
    await second.box.unplug()
    await second.settle()
    events = central2.events(transaction)
    assert [one["seqNo"] for one in events] == [*range(len(events))]
    assert events[-1]["eventType"] == "Ended"
    for station in stations:
        await station.close()


async def test_a_boot_that_is_not_accepted_is_repeated_and_little_is_served(
    central2: CentralSystem2, clock: FakeClock
) -> None:
    central2.boot_status, central2.interval = "Pending", 20
    station = ChargingStation(
        f"ws://127.0.0.1:{central2.port}/ocpp", "CP2", clock=clock
    )
    await station.connect()
    await seen(central2, "BootNotification", 1)
    await station.settle()
    start = {"idToken": TOKEN.wire(), "remoteStartId": 1, "evseId": 1}
    rejected = {"status": "Rejected"}
    assert await central2.request("RequestStartTransaction", **start) == rejected
    assert await central2.error("ClearCache") == "SecurityError"
    report = {"requestId": 1, "reportBase": "SummaryInventory"}
    assert await central2.request("GetBaseReport", **report) == {"status": "Accepted"}
    await seen(central2, "NotifyReport", 1)
    await station.on_faulted(1, 1)
    await let(station, clock, 19)
    await station.settle()
    assert [one for one, _ in central2.calls] == ["BootNotification", "NotifyReport"]
    central2.boot_status = "Accepted"
    await let(station, clock, 1)
    await station.settle()
    told = [one for one, _ in central2.calls[2:]]
    assert told == [
        "BootNotification",
        "SecurityEventNotification",
        "StatusNotification",
    ]
    assert central2.statuses == ["Faulted"]
    await station.close()


async def test_a_boot_without_answer_is_repeated_a_minute_later(
    central2: CentralSystem2, clock: FakeClock
) -> None:
    central2.broken.add("BootNotification")
    station = ChargingStation(
        f"ws://127.0.0.1:{central2.port}/ocpp", "CP2", clock=clock
    )
    await station.connect()
    await seen(central2, "BootNotification", 1)
    await station.settle()
    central2.broken.clear()
    await let(station, clock, 59)
    await station.settle()
    assert len(central2.calls) == 1
    await let(station, clock, 1)
    await seen(central2, "BootNotification", 2)
    await station.settle()
    assert station.listened_to
    await station.close()


async def test_without_an_interval_there_are_no_heartbeats(
    central2: CentralSystem2, clock: FakeClock
) -> None:
    central2.interval = 0
    station = ChargingStation(
        f"ws://127.0.0.1:{central2.port}/ocpp", "CP2", clock=clock
    )
    await station.connect()
    await seen(central2, "StatusNotification", 1)
    await station.pass_time(4000, step=400)
    assert central2.of("Heartbeat") == []
    await station.close()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "FormationViolation"),
        ("42", "RpcFrameworkError"),
        ('[9, "x"]', "MessageTypeNotSupported"),
        ('[2, "1", "Invented", {}]', "MessageTypeNotSupported"),
        (f'[2, "{"1" * 37}", "ClearCache", {{}}]', "RpcFrameworkError"),
    ],
)
async def test_what_is_no_request_is_objected_to_under_nobodys_id(
    central2: CentralSystem2, station2: ChargingStation, frame: str, code: str
) -> None:
    before = len(central2.frames)
    await central2.tell(frame)
    await central2.seen(lambda *_: len(central2.frames) > before)
    assert central2.frames[-1][:3] == [4, "-1", code]


async def test_a_request_lacks_a_field_or_is_of_a_later_version_or_has_too_much(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    assert await central2.error("SetVariables") == "FormationViolation"
    schedule = {"limit": 6}
    assert (
        await central2.error(
            "UpdateDynamicSchedule", chargingProfileId=1, scheduleUpdate=schedule
        )
        == "NotImplemented"
    )
    assert await central2.request("ClearCache", surplus=1) == {"status": "Accepted"}


async def test_power_lost_with_a_call_in_flight_has_it_told_again(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    central2.silent.add("TransactionEvent")
    await station2.box.plug_in(Vehicle())
    assert await station2.box.swipe(TOKEN)
    await seen(central2, "TransactionEvent", 1)
    central2.silent.clear()
    await station2.reboot()
    await seen(central2, "TransactionEvent", 3)
    await station2.settle()
    assert [one["seqNo"] for one in central2.events()] == [0, 0, 1]
