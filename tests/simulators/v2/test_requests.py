"""What the central system may ask for, and what a real library makes of it."""

import asyncio
from typing import Any

import pytest

from .central import CentralSystem2
from simulators.charging_station.v2 import ChargingStation, IdToken
from simulators.charging_station.vehicle import Vehicle

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}
TOKEN = IdToken(id_token="04A1B2C3")
APP = {"idToken": "homeassistant", "type": "Central"}


def variable(name: str, value: str | None = None, /, **evse: int) -> dict[str, Any]:
    component, _, rest = name.partition(".")
    rest, _, instance = rest.partition("[")
    told: dict[str, Any] = {
        "component": {"name": component} | ({"evse": evse} if evse else {}),
        "variable": {"name": rest},
    }
    if instance:
        told["variable"]["instance"] = instance.removesuffix("]")
    return told if value is None else {**told, "attributeValue": value}


async def charge(station: ChargingStation, evse_id: int = 1) -> str:
    await station.box.plug_in(Vehicle(), evse_id)
    assert await station.box.swipe(TOKEN, evse_id)
    await station.settle()
    found = await station.get_evse_transaction_id(evse_id)
    assert found is not None
    return found


# Variables and reports


async def test_variables_are_written_checked_and_answered_in_another_order(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    asked = [
        variable("TxCtrlr.EVConnectionTimeOut", "90"),
        variable("SampledDataCtrlr.TxUpdatedInterval", "ten"),
        variable("AlignedDataCtrlr.Measurands", "Voltage,Nonsense"),
        variable("EVSE.Power", "5", id=1),
        variable("AuthCtrlr.Invented", "1"),
        variable("Invented.Enabled", "1"),
        variable("OCPPCommCtrlr.MessageAttempts[TransactionEvent]", "3"),
        variable("SecurityCtrlr.BasicAuthPassword", "short"),
        variable("AuthCtrlr.Enabled", "yes"),
    ]
    answer = await central2.request("SetVariables", setVariableData=asked)
    told = [
        (one["component"]["name"], one["variable"]["name"], one["attributeStatus"])
        for one in answer["setVariableResult"]
    ]
    assert told == sorted(told)
    assert {(name, status) for _, name, status in told} == {
        ("EVConnectionTimeOut", "Accepted"),
        ("TxUpdatedInterval", "Rejected"),
        ("Measurands", "Rejected"),
        ("Power", "Rejected"),
        ("Invented", "UnknownVariable"),
        ("Enabled", "UnknownComponent"),
        ("MessageAttempts", "Accepted"),
        ("BasicAuthPassword", "Rejected"),
        ("Enabled", "Rejected"),
    }


async def test_variables_are_read(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    asked = [
        variable("EVSE.Power", id=2) | {"attributeType": "MaxSet"},
        variable("EVSE.Power", id=2) | {"attributeType": "Target"},
        variable("EVSE.Power", id=3),
        variable("SecurityCtrlr.BasicAuthPassword"),
        variable("SecurityCtrlr.Identity"),
        variable("Connector.ConnectorType", id=2, connectorId=2),
    ]
    answer = await central2.request("GetVariables", getVariableData=asked)
    told = [
        (one["attributeStatus"], one.get("attributeValue"))
        for one in answer["getVariableResult"]
    ]
    assert told == [
        ("Accepted", ""),
        ("NotSupportedAttributeType", None),
        ("UnknownComponent", None),
        ("Rejected", None),
        ("Accepted", "CP2"),
        ("Accepted", "sType2"),
    ]


async def test_too_many_variables_or_bytes_are_an_error(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    many = [variable("A.B")] * 101
    code = await central2.error("GetVariables", getVariableData=many)
    assert code == "OccurenceConstraintViolation"
    long = [variable("AuthCtrlr.Enabled")] * 40
    code = await central2.error("GetVariables", getVariableData=long)
    assert code == "FormatViolation"


async def test_the_full_inventory_comes_in_pages(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    request = {"requestId": 7, "reportBase": "FullInventory"}
    assert await central2.request("GetBaseReport", **request) == ACCEPTED
    await station2.settle()
    sheets = central2.of("NotifyReport")
    assert len(sheets) >= 3
    assert [one["seqNo"] for one in sheets] == [*range(len(sheets))]
    assert [one["tbc"] for one in sheets] == [*[True] * (len(sheets) - 1), False]
    assert {one["requestId"] for one in sheets} == {7}
    assert len({one["generatedAt"] for one in sheets}) == 1
    data = [one for sheet in sheets for one in sheet["reportData"]]
    assert len(data) == len(station2.model.variables)
    evses = [one["component"] for one in data if one["component"]["name"] == "EVSE"]
    assert {one["evse"]["id"] for one in evses} == {1, 2}


async def test_a_report_of_what_is_not_there_is_empty(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    wanted = {"component": {"name": "Invented"}}
    answer = await central2.request(
        "GetReport", requestId=1, componentVariable=[wanted]
    )
    assert answer == {"status": "EmptyResultSet"}
    problem = {"component": {"name": "ChargingStation"}}
    answer = await central2.request(
        "GetReport",
        requestId=2,
        componentVariable=[problem],
        componentCriteria=["Available"],
    )
    assert answer == ACCEPTED
    await station2.settle()
    names = {
        one["variable"]["name"] for one in central2.of("NotifyReport")[0]["reportData"]
    }
    assert {"Model", "VendorName", "Problem"} <= names


async def test_a_new_password_has_the_station_dial_in_again_without_a_boot(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    password = variable("SecurityCtrlr.BasicAuthPassword", "sixteen-letters-x")
    answer = await central2.request("SetVariables", setVariableData=[password])
    assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"
    await central2.seen(lambda *_: central2.authorization is not None)
    await central2.seen(lambda *_: central2.connected)
    await station2.settle()
    assert len(central2.of("BootNotification")) == 1


async def test_a_reset_while_charging_waits_if_asked_to(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    assert await central2.request("Reset", type="Immediate", evseId=1) == REJECTED
    transaction = await charge(station2)
    assert await central2.request("Reset", type="OnIdle") == {"status": "Scheduled"}
    await station2.settle()
    await station2.box.unplug()
    await central2.count("BootNotification", 2)
    await station2.settle()
    assert central2.events(transaction)[-1]["eventType"] == "Ended"
    assert central2.of("BootNotification")[1]["reason"] == "RemoteReset"
    assert central2.of("SecurityEventNotification")[-1]["type"] == "ResetOrReboot"


async def test_an_immediate_reset_ends_what_runs(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    transaction = await charge(station2)
    assert await central2.request("Reset", type="Immediate") == ACCEPTED
    await central2.count("BootNotification", 2)
    await station2.settle()
    ended = central2.events(transaction)[-1]
    assert ended["triggerReason"] == "ResetCommand"
    assert ended["transactionInfo"]["stoppedReason"] == "ImmediateReset"


# Availability


async def test_what_is_asked_while_it_is_about_to_restart_is_answered(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    answers = await asyncio.gather(
        central2.request("Reset", type="Immediate"),
        central2.request("ClearCache"),
        central2.request("GetLocalListVersion"),
    )
    assert answers[0] == ACCEPTED
    assert "status" in answers[1]
    assert "versionNumber" in answers[2]
    await central2.count("BootNotification", 2)


async def test_each_level_has_its_own_switch(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    async def switch(status: str, **evse: int) -> str:
        more = {"evse": evse} if evse else {}
        answer = await central2.request(
            "ChangeAvailability", operationalStatus=status, **more
        )
        await station2.settle()
        return str(answer["status"])

    before = len(central2.statuses)
    assert await switch("Inoperative", id=2, connectorId=1) == "Accepted"
    assert await switch("Inoperative", id=2) == "Accepted"
    assert await switch("Operative") == "Accepted"
    assert await switch("Operative", id=2) == "Accepted"
    assert await switch("Operative", id=3) == "Rejected"
    told = [
        (one["connectorId"], one["connectorStatus"])
        for one in central2.of("StatusNotification")[before:]
    ]
    # The first connector was switched off by itself, and stays so.
    assert told == [(1, "Unavailable"), (2, "Unavailable"), (2, "Available")]
    await station2.reboot()
    await central2.count("BootNotification", 2)
    await station2.settle()
    assert central2.statuses[-3:] == ["Available", "Unavailable", "Available"]


async def test_the_device_model_knows_what_is_off_since_before_the_power_was_lost(
    station2: ChargingStation,
) -> None:
    station2.availability.switch((2, 2), on=False)
    again = ChargingStation("ws://127.0.0.1:9/ocpp", "CP2", evses=(1, 2))
    again.availability.load(station2.availability.dump())
    told = again.model.variables[again.model.at("Connector.AvailabilityState", 2, 2)]
    assert told.value == "Unavailable"


async def test_a_switch_waits_for_the_transaction(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    await charge(station2)
    answer = await central2.request(
        "ChangeAvailability", operationalStatus="Inoperative", evse={"id": 1}
    )
    assert answer == {"status": "Scheduled"}
    before = len(central2.statuses)
    await station2.box.unplug()
    await station2.settle()
    assert central2.statuses[before:] == ["Unavailable"]


# Tokens


async def test_the_local_list_has_versions_and_decides_without_asking(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    entry = {"idToken": TOKEN.wire(), "idTokenInfo": {"status": "Accepted"}}

    async def send(kind: str, number: int, *entries: Any) -> str:
        more = {"localAuthorizationList": list(entries)} if entries else {}
        answer = await central2.request(
            "SendLocalList", updateType=kind, versionNumber=number, **more
        )
        return str(answer["status"])

    assert await send("Full", 0, entry) == "Failed"
    assert await send("Full", 3, entry, entry) == "Failed"
    assert await send("Full", 3, entry) == "Accepted"
    assert await send("Differential", 3, entry) == "VersionMismatch"
    assert await central2.request("GetLocalListVersion") == {"versionNumber": 3}
    assert (await station2.validate_token(TOKEN))["status"] == "Accepted"
    assert central2.of("Authorize") == []
    assert await send("Differential", 4, {"idToken": TOKEN.wire()}) == "Accepted"
    await station2.validate_token(TOKEN)
    assert len(central2.of("Authorize")) == 1
    # From now on the cache knows it, until it is cleared.
    await station2.validate_token(TOKEN)
    assert len(central2.of("Authorize")) == 1
    assert await central2.request("ClearCache") == ACCEPTED
    await station2.validate_token(TOKEN)
    assert len(central2.of("Authorize")) == 2


@pytest.mark.parametrize(
    ("settings", "known", "status"),
    [
        ({}, False, "Accepted"),
        ({"AuthCtrlr.OfflineTxForUnknownIdEnabled": "false"}, False, "Unknown"),
        ({"AuthCtrlr.OfflineTxForUnknownIdEnabled": "false"}, True, "Accepted"),
        ({"AuthCtrlr.Enabled": "false"}, False, "Accepted"),
    ],
)
async def test_offline_the_list_decides_and_then_the_settings(
    station2: ChargingStation, settings: dict[str, str], known: bool, status: str
) -> None:
    for name, value in settings.items():
        station2.model.put(name, value)
    if known:
        await station2.validate_token(TOKEN)
    await station2.disconnect()
    assert (await station2.validate_token(TOKEN))["status"] == status


@pytest.mark.parametrize(
    ("settings", "last"),
    [
        ({}, ("Deauthorized", "DeAuthorized")),
        (
            {"TxCtrlr.StopTxOnInvalidId": "false", "TxCtrlr.MaxEnergyOnInvalidId": "0"},
            ("ChargingStateChanged", None),
        ),
    ],
)
async def test_a_token_that_a_transaction_is_refused_for_ends_or_pauses_it(
    central2: CentralSystem2,
    station2: ChargingStation,
    settings: dict[str, str],
    last: tuple[str, str | None],
) -> None:
    for name, value in settings.items():
        station2.model.put(name, value)
    await station2.validate_token(TOKEN)
    central2.token_status = "Blocked"
    await charge_refused(station2)
    told = central2.events()[-1]
    assert (told["triggerReason"], told["transactionInfo"].get("stoppedReason")) == last
    assert station2.box.places[1].offered == 0


async def charge_refused(station: ChargingStation) -> None:
    await station.box.plug_in(Vehicle())
    assert await station.box.swipe(TOKEN)
    await station.settle()


async def test_a_refused_transaction_may_deliver_some_energy_before_it_pauses(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    station2.model.put("TxCtrlr.StopTxOnInvalidId", "false")
    station2.model.put("TxCtrlr.MaxEnergyOnInvalidId", "100")
    await station2.validate_token(TOKEN)
    central2.token_status = "Invalid"
    await charge_refused(station2)
    assert station2.box.places[1].offered == 32
    await station2.pass_time(60)
    assert station2.box.places[1].offered == 0
    assert 1090 < station2.box.places[1].meter.register < 1115
    assert central2.events()[-1]["transactionInfo"]["chargingState"] == "SuspendedEVSE"


# Remote control


async def test_a_remote_start_names_no_transaction_until_it_comes(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    assert (
        await central2.request("RequestStartTransaction", idToken=APP, remoteStartId=1)
        == REJECTED
    )
    request = {"idToken": APP, "remoteStartId": 7, "evseId": 1}
    assert await central2.request("RequestStartTransaction", **request) == ACCEPTED
    await station2.settle()
    await station2.box.plug_in(Vehicle())
    await station2.settle()
    events = central2.events()
    assert events[0]["triggerReason"] == "RemoteStart"
    assert {one["transactionInfo"]["remoteStartId"] for one in events} == {7}
    assert central2.of("Authorize") == []
    assert await central2.request("RequestStartTransaction", **request) == REJECTED
    transaction = events[0]["transactionInfo"]["transactionId"]
    status = await central2.request("GetTransactionStatus", transactionId=transaction)
    assert status == {"messagesInQueue": False, "ongoingIndicator": True}
    unlock = {"evseId": 1, "connectorId": 1}
    answer = await central2.request("UnlockConnector", **unlock)
    assert answer == {"status": "OngoingAuthorizedTransaction"}
    stop = {"transactionId": transaction}
    assert await central2.request("RequestStopTransaction", **stop) == ACCEPTED
    await station2.settle()
    assert central2.events()[-1]["triggerReason"] == "RemoteStop"
    assert await central2.request("RequestStopTransaction", **stop) == REJECTED
    assert await central2.request("UnlockConnector", **unlock) == {"status": "Unlocked"}


async def test_a_remote_start_with_a_card_is_authorized_first(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    central2.token_status = "Blocked"
    await station2.box.plug_in(Vehicle())
    request = {"idToken": TOKEN.wire(), "remoteStartId": 7, "evseId": 1}
    assert await central2.request("RequestStartTransaction", **request) == ACCEPTED
    await station2.settle()
    assert len(central2.of("Authorize")) == 1
    assert central2.events() == []


@pytest.mark.parametrize(
    ("name", "evse", "status", "action"),
    [
        ("Heartbeat", None, "Accepted", "Heartbeat"),
        ("BootNotification", None, "Rejected", None),
        ("StatusNotification", {"id": 1}, "Rejected", None),
        (
            "StatusNotification",
            {"id": 2, "connectorId": 2},
            "Accepted",
            "StatusNotification",
        ),
        ("MeterValues", {"id": 1}, "Accepted", "MeterValues"),
        ("TransactionEvent", {"id": 1}, "Accepted", "TransactionEvent"),
        ("TransactionEvent", {"id": 2}, "Rejected", None),
        ("LogStatusNotification", None, "Accepted", "LogStatusNotification"),
        ("FirmwareStatusNotification", None, "Accepted", "FirmwareStatusNotification"),
        ("SignChargingStationCertificate", None, "Accepted", "SignCertificate"),
        ("SignCombinedCertificate", None, "NotImplemented", None),
    ],
)
async def test_a_trigger_is_answered_and_then_followed(
    central2: CentralSystem2,
    station2: ChargingStation,
    name: str,
    evse: dict[str, int] | None,
    status: str,
    action: str | None,
) -> None:
    await charge(station2)
    await station2.pass_time(1)
    frames = len(central2.frames)
    more = {} if evse is None else {"evse": evse}
    answer = await central2.request("TriggerMessage", requestedMessage=name, **more)
    assert answer == {"status": status}
    if action is not None:
        await central2.seen(lambda *_: len(central2.frames) > frames + 1)
    await station2.settle()
    told = [one[2] for one in central2.frames[frames + 1 :]]
    assert told == ([] if action is None else [action])


async def test_a_trigger_for_an_evse_that_is_not_there_is_an_error(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    code = await central2.error(
        "TriggerMessage", requestedMessage="MeterValues", evse={"id": 9}
    )
    assert code == "OccurrenceConstraintViolation"


# Reservations


async def test_a_reservation_keeps_others_away_until_it_is_used(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    reserve = {
        "id": 3,
        "expiryDateTime": "2026-11-21T10:15:00Z",
        "idToken": TOKEN.wire(),
        "evseId": 1,
    }
    assert await central2.request("ReserveNow", **reserve) == ACCEPTED
    await station2.settle()
    assert central2.statuses[-1] == "Reserved"
    other = await central2.request("ReserveNow", **reserve | {"id": 4})
    assert other == {"status": "Occupied"}
    await station2.box.plug_in(Vehicle())
    assert not await station2.box.swipe(IdToken(id_token="OTHER"))
    request = {"idToken": APP, "remoteStartId": 7, "evseId": 1}
    assert await central2.request("RequestStartTransaction", **request) == REJECTED
    assert await station2.box.swipe(TOKEN)
    await station2.settle()
    assert central2.statuses[-1] == "Occupied"
    answer = await central2.request("CancelReservation", reservationId=3)
    assert answer == {"status": "Rejected", "statusInfo": {"reasonCode": ""}}


async def test_a_reservation_is_cancelled_or_expires(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    reserve = {
        "id": 3,
        "expiryDateTime": "2026-11-21T10:01:00Z",
        "idToken": TOKEN.wire(),
        "evseId": 2,
    }
    assert await central2.request("ReserveNow", **reserve) == ACCEPTED
    assert await central2.request("CancelReservation", reservationId=3) == ACCEPTED
    await station2.settle()
    assert central2.statuses[-4:] == ["Reserved"] * 2 + ["Available"] * 2
    assert await central2.request("ReserveNow", **reserve) == ACCEPTED
    await station2.pass_time(61)
    assert central2.statuses[-4:] == ["Reserved"] * 2 + ["Available"] * 2
    assert central2.of("ReservationStatusUpdate") == [
        {"reservationId": 3, "reservationUpdateStatus": "Expired"}
    ]
    station2.model.put("ReservationCtrlr.Available", "false")
    assert (await central2.request("ReserveNow", **reserve))["status"] == "Rejected"


async def test_a_reservation_of_any_evse_ends_where_its_token_charges(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    reserve = {
        "id": 3,
        "expiryDateTime": "2026-11-21T10:15:00Z",
        "idToken": TOKEN.wire(),
    }
    before = len(central2.statuses)
    assert await central2.request("ReserveNow", **reserve) == ACCEPTED
    await station2.settle()
    assert central2.statuses[before:] == []
    await charge(station2)
    assert station2.reservations.reservations == {}
    await station2.on_faulted(2, 1)
    await charge(station2, 2)
    answer = await central2.request("ReserveNow", **reserve)
    assert answer == {"status": "Faulted"}


async def test_the_same_card_ends_what_it_began_and_another_does_not(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    transaction = await charge(station2)
    assert not await station2.box.swipe(IdToken(id_token="OTHER"))
    assert await station2.box.swipe(TOKEN)
    await station2.settle()
    ended = central2.events(transaction)[-1]
    assert ended["triggerReason"] == "StopAuthorized"
    assert ended["transactionInfo"]["stoppedReason"] == "Local"
    assert ended["idToken"] == TOKEN.wire()
    assert central2.statuses[-1] == "Occupied"


async def test_a_remote_start_without_a_vehicle_is_given_up(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    request = {"idToken": APP, "remoteStartId": 7, "evseId": 1}
    assert await central2.request("RequestStartTransaction", **request) == ACCEPTED
    await station2.pass_time(121, step=10)
    await station2.box.plug_in(Vehicle())
    await station2.settle()
    assert central2.events() == []


async def test_an_offline_token_needs_no_answer_and_a_silent_one_is_unknown(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    central2.broken.add("Authorize")
    assert (await station2.validate_token(TOKEN))["status"] == "Unknown"
    station2.model.put("AuthCtrlr.DisableRemoteAuthorization", "true")
    assert (await station2.validate_token(TOKEN))["status"] == "Unknown"
    assert len(central2.of("Authorize")) == 1
