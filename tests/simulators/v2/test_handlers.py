"""The handlers of libocpp: what each of them has the station say."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from .central import CentralSystem2
from simulators.charging_station.v2 import (
    ChargingStation,
    EventData,
    IdToken,
    MeterValue,
    SampledValue,
)
from simulators.charging_station.v2.values import (
    ChargingState,
    FirmwareStatus,
    Get15118EVCertificateRequest,
    LogStatus,
    Reason,
    ReservationStatus,
    TriggerReason,
)

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
TOKEN = IdToken(id_token="04A1B2C3")
ENERGY = "Energy.Active.Import.Register"


def reading(energy: float) -> MeterValue:
    return MeterValue(timestamp=NOW, values=(SampledValue(value=energy, unit="Wh"),))


async def start(station: ChargingStation, **more: Any) -> None:
    station.box.metered = False
    await station.on_session_started(1, 1)
    await station.on_transaction_started(
        1,
        1,
        "T1",
        NOW,
        more.get("trigger", TriggerReason.AUTHORIZED),
        reading(1000.0),
        more.get("token", TOKEN),
        None,
        more.get("reservation"),
        None,
        ChargingState.EV_CONNECTED,
    )
    await station.settle()


async def finish(
    station: ChargingStation,
    trigger: TriggerReason = TriggerReason.EV_DEPARTED,
    signed: str | None = None,
) -> None:
    reason = Reason.EV_DISCONNECTED
    state = ChargingState.IDLE
    await station.on_transaction_finished(
        1, NOW, reading(1500.25), reason, trigger, TOKEN, signed, state
    )
    await station.settle()


async def test_a_station_boots_and_tells_why_it_started_and_every_status(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    assert [action for action, _ in central2.calls] == [
        "BootNotification",
        "SecurityEventNotification",
        *["StatusNotification"] * 3,
    ]
    boot = central2.of("BootNotification")[0]
    assert boot["reason"] == "PowerUp"
    assert boot["chargingStation"]["serialNumber"] == "VIRT0001"
    assert central2.of("SecurityEventNotification")[0]["type"] == "StartupOfTheDevice"
    places = [
        (one["evseId"], one["connectorId"]) for one in central2.of("StatusNotification")
    ]
    assert places == [(1, 1), (2, 1), (2, 2)]
    assert central2.offered == "ocpp2.1,ocpp2.0.1"


@pytest.mark.parametrize(
    ("acts", "statuses"),
    [
        (["on_session_started", "on_session_finished"], ["Occupied", "Available"]),
        (["on_unavailable", "on_enabled"], ["Unavailable", "Available"]),
        (["on_faulted", "on_fault_cleared"], ["Faulted", "Available"]),
        (["on_reserved", "on_reservation_cleared"], ["Reserved", "Available"]),
        (["on_session_started", "on_faulted"], ["Occupied", "Faulted"]),
        (
            ["on_faulted", "on_unavailable", "on_session_started", "on_fault_cleared"],
            ["Faulted", "Unavailable"],
        ),
        (["on_reserved", "on_session_started"], ["Reserved"]),
        (
            ["on_reserved", "on_session_started", "on_reservation_cleared"],
            ["Reserved", "Occupied"],
        ),
    ],
)
async def test_a_connector_tells_only_what_changes_by_precedence(
    central2: CentralSystem2,
    station2: ChargingStation,
    acts: list[str],
    statuses: list[str],
) -> None:
    before = len(central2.statuses)
    for act in acts:
        handler: Callable[[int, int], Awaitable[None]] = getattr(station2, act)
        await handler(2, 2)
        await station2.settle()
    assert central2.statuses[before:] == statuses
    told = central2.of("StatusNotification")[-1]
    assert (told["evseId"], told["connectorId"]) == (2, 2)


async def test_a_transaction_names_its_evse_only_at_its_start(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    await start(station2)
    assert await station2.get_evse_transaction_id(1) == "T1"
    assert await station2.on_charging_state_changed(1, ChargingState.CHARGING)
    await finish(station2)
    started, updated, ended = central2.events("T1")
    assert started["evse"] == {"connectorId": 1, "id": 1}
    assert started["idToken"] == {"idToken": "04A1B2C3", "type": "ISO14443"}
    assert started["meterValue"][0]["sampledValue"][0]["context"] == "Transaction.Begin"
    assert updated["transactionInfo"]["chargingState"] == "Charging"
    assert updated["triggerReason"] == "ChargingStateChanged"
    assert "meterValue" not in updated
    assert ended["transactionInfo"]["stoppedReason"] == "EVDisconnected"
    assert all("evse" not in one for one in (updated, ended))
    assert "idToken" not in ended
    assert [one["seqNo"] for one in (started, updated, ended)] == [0, 1, 2]
    assert not any(one["offline"] for one in (started, updated, ended))
    values = [one["sampledValue"][0] for one in ended["meterValue"]]
    assert [one["context"] for one in values] == [
        "Transaction.Begin",
        "Transaction.End",
    ]
    assert [one["value"] for one in values] == [1000.0, 1500.25]
    assert await station2.get_evse_transaction_id(1) is None


async def test_only_a_stop_by_a_token_names_it_and_a_signature_is_shown(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    await start(station2)
    await finish(station2, TriggerReason.STOP_AUTHORIZED, signed="OCMF|{}|{}")
    ended = central2.events("T1")[-1]
    assert ended["idToken"]["idToken"] == "04A1B2C3"
    signed = ended["meterValue"][-1]["sampledValue"][0]["signedMeterValue"]
    assert signed["signedMeterData"] == "OCMF|{}|{}"


async def test_a_token_is_told_once(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    await start(station2, token=None, trigger=TriggerReason.CABLE_PLUGGED_IN)
    await station2.on_authorized(1, 1, TOKEN)
    await station2.on_authorized(1, 1, IdToken(id_token="OTHER"))
    await station2.settle()
    assert [one.get("triggerReason") for one in central2.events("T1")] == [
        "CablePluggedIn",
        "Authorized",
    ]
    assert central2.events("T1")[1]["idToken"]["idToken"] == "04A1B2C3"


async def test_the_same_state_and_a_state_without_transaction_are_not_told(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    assert not await station2.on_charging_state_changed(1, ChargingState.CHARGING)
    await start(station2)
    assert await station2.on_charging_state_changed(1, ChargingState.EV_CONNECTED)
    await station2.settle()
    assert len(central2.events()) == 1


async def test_a_meter_is_told_in_the_transactions_interval_with_its_last_value(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    station2.model.put("SampledDataCtrlr.TxUpdatedInterval", "10")
    await start(station2)
    # Another interval counts from the next transaction on.
    station2.model.put("SampledDataCtrlr.TxUpdatedInterval", "1")
    await station2.on_meter_value(1, reading(10.724638))
    await station2.pass_time(20)
    updates = central2.events("T1")[1:]
    assert [one["triggerReason"] for one in updates] == ["MeterValuePeriodic"] * 2
    value = updates[0]["meterValue"][0]["sampledValue"][0]
    # 32 bits hold no more.
    assert value["value"] == 10.724637985229492
    assert value["context"] == "Sample.Periodic"


async def test_by_the_clock_a_meter_is_told_inside_and_outside_of_a_transaction(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    station2.box.metered = False
    await central2.request(
        "SetVariables",
        setVariableData=[
            {
                "component": {"name": "AlignedDataCtrlr"},
                "variable": {"name": "Interval"},
                "attributeValue": "60",
            }
        ],
    )
    await station2.on_meter_value(2, reading(500.0))
    await station2.pass_time(61)
    (told,) = central2.of("MeterValues")
    assert told["evseId"] == 2
    assert told["meterValue"][0]["sampledValue"][0]["context"] == "Sample.Clock"
    await station2.pass_time(60)
    assert len(central2.of("MeterValues")) == 1  # Nothing new was said.
    await start(station2)
    await station2.pass_time(60)
    assert central2.events("T1")[-1]["triggerReason"] == "MeterValueClock"


async def test_a_value_of_another_measurand_is_dropped(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    station2.model.put("SampledDataCtrlr.TxUpdatedInterval", "5")
    await start(station2)
    odd = SampledValue(value=1.0, measurand="Power.Factor")
    await station2.on_meter_value(1, MeterValue(timestamp=NOW, values=(odd,)))
    await station2.pass_time(6)
    assert len(central2.events("T1")) == 1


async def test_an_event_goes_out_as_it_is(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    event = EventData(
        event_id=1,
        timestamp=NOW,
        component={"name": "EVSE", "evse": {"id": 1}},
        variable={"name": "Problem"},
        actual_value="true",
        cleared=False,
        tech_code="CX001",
        tech_info="ground fault detected",
    )
    await station2.on_event([event])
    await station2.settle()
    (told,) = central2.of("NotifyEvent")
    assert told["seqNo"] == 0
    assert told["eventData"][0]["techCode"] == "CX001"
    assert told["eventData"][0]["eventNotificationType"] == "HardWiredNotification"


async def test_log_and_firmware_statuses_name_their_request(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    await station2.on_log_status_notification(LogStatus.IDLE, 0)
    downloading = FirmwareStatus.DOWNLOADING
    await station2.on_firmware_update_status_notification(5, downloading)
    await station2.on_firmware_update_status_notification(5, downloading)
    failed = FirmwareStatus.DOWNLOAD_FAILED
    await station2.on_firmware_update_status_notification(-1, failed)
    await station2.settle()
    assert central2.of("LogStatusNotification") == [{"requestId": 0, "status": "Idle"}]
    assert central2.of("FirmwareStatusNotification") == [
        {"requestId": 5, "status": "Downloading"},
        {"status": "DownloadFailed"},
    ]


async def test_a_downloaded_firmware_takes_idle_connectors_out_of_service(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    await start(station2)
    downloaded = FirmwareStatus.DOWNLOADED
    await station2.on_firmware_update_status_notification(5, downloaded)
    await station2.settle()
    last = central2.of("FirmwareStatusNotification")[-1]
    assert last == {"requestId": 5, "status": "InstallScheduled"}
    taken = [one["evseId"] for one in central2.of("StatusNotification")[-2:]]
    assert taken == [2, 2]
    await finish(station2)
    assert central2.of("StatusNotification")[-1]["evseId"] == 1
    assert central2.statuses[-1] == "Unavailable"
    await station2.on_firmware_update_status_notification(5, FirmwareStatus.INSTALLED)
    await station2.settle()
    assert sorted(central2.statuses[-3:]) == ["Available", "Available", "Occupied"]
    assert central2.of("SecurityEventNotification")[-1]["type"] == "FirmwareUpdated"


async def test_only_critical_security_events_are_told(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    await station2.on_security_event("TamperDetectionActivated", "cover opened")
    await station2.on_security_event("SettingTheClock", None)
    await station2.on_security_event("VendorThing", None, critical=True, timestamp=NOW)
    await station2.settle()
    told = [one["type"] for one in central2.of("SecurityEventNotification")[1:]]
    assert told == ["TamperDetectionActivated", "VendorThing"]


async def test_the_end_of_a_reservation_is_told(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    await station2.on_reservation_status(3, ReservationStatus.EXPIRED)
    await station2.settle()
    assert central2.of("ReservationStatusUpdate") == [
        {"reservationId": 3, "reservationUpdateStatus": "Expired"}
    ]


async def test_a_vehicle_gets_its_certificate_from_the_central_system(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    request = Get15118EVCertificateRequest(
        action="Install", exi_request="EXI", iso15118_schema_version="urn:iso"
    )
    answer = await station2.on_get_15118_ev_certificate_request(request)
    assert (answer.status, answer.exi_response) == ("Accepted", "RESPONSE")
    name = "ISO15118Ctrlr.ContractCertificateInstallationEnabled"
    station2.model.put(name, "false")
    answer = await station2.on_get_15118_ev_certificate_request(request)
    assert (answer.status, answer.exi_response) == ("Failed", "")
    assert len(central2.of("Get15118EVCertificate")) == 1


async def test_whole_numbers_of_a_vehicles_needs_go_out_as_floats(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    needs = {
        "requestedEnergyTransfer": "AC_three_phase",
        "acChargingParameters": {
            "energyAmount": 20000,
            "evMinCurrent": 6,
            "evMaxCurrent": 16,
            "evMaxVoltage": 400,
        },
    }
    assert await station2.on_ev_charging_needs(1, needs) == "Accepted"
    told = central2.of("NotifyEVChargingNeeds")[0]["chargingNeeds"]
    assert isinstance(told["acChargingParameters"]["energyAmount"], float)


async def test_a_lost_network_is_a_loss_without_a_word(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    await station2.on_network_disconnected()
    await central2.seen(lambda *_: bool(central2.close_codes))
    assert central2.close_codes == [1006]


async def test_a_changed_variable_takes_effect_and_is_not_told(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    station2.model.put("OCPPCommCtrlr.HeartbeatInterval", "20")
    await station2.on_variable_changed(
        {
            "component": {"name": "OCPPCommCtrlr"},
            "variable": {"name": "HeartbeatInterval"},
            "attributeValue": "20",
        }
    )
    before = len(central2.calls)
    await station2.pass_time(20)
    assert [action for action, _ in central2.calls[before:]] == ["Heartbeat"]


async def test_data_of_a_vendor_is_any_json(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    answer = await station2.data_transfer_req("lab", "ping", {"a": [1]})
    assert answer["status"] == "UnknownVendorId"
    assert central2.of("DataTransfer")[0]["data"] == {"a": [1]}
