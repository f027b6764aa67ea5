"""Firmware, logs, monitors, messages and customers: asked for, and followed."""

from typing import Any

import pytest

from .central import CentralSystem2
from .test_requests import ACCEPTED, TOKEN, charge, variable
from simulators.charging_station.v2 import ChargingStation
from simulators.charging_station.v2.values import FirmwareStatus
from tests.simulators.authority import Authority
from tests.simulators.files import Depot

FIRMWARE = {
    "location": "http://127.0.0.1/fw-2.5.0.bin",
    "retrieveDateTime": "2026-11-21T10:00:00Z",
}


async def update(central: CentralSystem2, **more: Any) -> str:
    answer = await central.request(
        "UpdateFirmware", requestId=5, firmware=FIRMWARE | more
    )
    return str(answer["status"])


def steps(central: CentralSystem2) -> list[str]:
    return [one["status"] for one in central.of("FirmwareStatusNotification")]


async def test_an_update_goes_step_by_step_to_the_new_version(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    assert await update(central2) == "Accepted"
    await station2.pass_time(31)
    assert steps(central2) == ["Downloading", "Downloaded"]
    assert central2.statuses[-3:] == ["Unavailable"] * 3
    await station2.pass_time(60)
    assert steps(central2) == ["Downloading", "Downloaded", "Installing", "Installed"]
    assert central2.statuses[-3:] == ["Available"] * 3
    await station2.reboot()
    await central2.count("BootNotification", 2)
    told = central2.of("BootNotification")[1]["chargingStation"]
    assert told["firmwareVersion"] == "2.5.0"
    ids = {one["requestId"] for one in central2.of("FirmwareStatusNotification")}
    assert ids == {5}


async def test_an_update_waits_for_a_time_and_for_the_vehicle(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    await charge(station2)
    assert await update(central2, retrieveDateTime="2026-11-21T10:01:00Z") == "Accepted"
    await station2.pass_time(200)
    assert steps(central2) == [
        "DownloadScheduled",
        "Downloading",
        "Downloaded",
        "InstallScheduled",
    ]
    await station2.box.unplug()
    await station2.pass_time(62)
    assert steps(central2)[-1] == "Installed"


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (FirmwareStatus.DOWNLOAD_FAILED, ["Downloading", "DownloadFailed"]),
        (
            FirmwareStatus.INSTALLATION_FAILED,
            ["Downloading", "Downloaded", "Installing", "InstallationFailed"],
        ),
    ],
)
async def test_an_update_ends_badly_and_the_connectors_come_back(
    central2: CentralSystem2,
    station2: ChargingStation,
    end: FirmwareStatus,
    told: list[str],
) -> None:
    station2.firmware.fails_at = end
    assert await update(central2) == "Accepted"
    await station2.pass_time(120)
    assert steps(central2) == told
    assert central2.statuses[-1] == "Available"
    assert station2.firmware.version == "1.2.3"


async def test_a_signed_update_is_checked_first(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    signer = Authority()
    signed = {"signature": "c2lnbmF0dXJl"}
    wrong = await update(central2, signingCertificate="none", **signed)
    assert wrong == "InvalidCertificate"
    station2.firmware.fails_at = FirmwareStatus.INVALID_SIGNATURE
    right = await update(central2, signingCertificate=signer.root_pem, **signed)
    assert right == "Accepted"
    await station2.pass_time(120)
    assert steps(central2) == ["Downloading", "Downloaded", "InvalidSignature"]
    told = [one["type"] for one in central2.of("SecurityEventNotification")]
    assert told[1:] == [
        "InvalidFirmwareSigningCertificate",
        "InvalidFirmwareSignature",
    ]
    assert central2.statuses[-3:] == ["Available"] * 3


async def test_a_log_is_really_uploaded(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    async with Depot().open() as depot:
        answer = await central2.request(
            "GetLog",
            logType="SecurityLog",
            requestId=4,
            log={"remoteLocation": f"{depot.url}/up"},
        )
        assert answer == {"filename": "security-4.log", "status": "Accepted"}
        await central2.count("LogStatusNotification", 2)
        await station2.settle()
    (method, path, content) = depot.arrived[0]
    assert (method, path) == ("PUT", "/up/security-4.log")
    assert b"StartupOfTheDevice" in content
    told = central2.of("LogStatusNotification")
    assert [one["status"] for one in told] == ["Uploading", "Uploaded"]
    assert {one["requestId"] for one in told} == {4}


async def test_a_refused_upload_is_told(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    async with Depot().open() as depot:
        depot.status = 403
        await central2.request(
            "GetLog",
            logType="DiagnosticsLog",
            requestId=4,
            log={"remoteLocation": depot.url},
        )
        await central2.count("LogStatusNotification", 2)
    assert central2.of("LogStatusNotification")[-1]["status"] == "PermissionDenied"


# Monitors


def monitor(name: str, kind: str, value: float, **evse: int) -> dict[str, Any]:
    return {**variable(name, **evse), "type": kind, "value": value, "severity": 5}


async def test_a_monitor_tells_of_changes_once_it_is_enabled_and_rebooted(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    wanted = [
        monitor("EVSE.AvailabilityState", "Delta", 0, id=1),
        monitor("EVSE.AvailabilityState", "UpperThreshold", 1, id=1),
        monitor("EVSE.Invented", "Delta", 0, id=1),
    ]
    answer = await central2.request("SetVariableMonitoring", setMonitoringData=wanted)
    results = answer["setMonitoringResult"]
    assert [one["status"] for one in results] == [
        "Accepted",
        "UnsupportedMonitorType",
        "UnknownVariable",
    ]
    await station2.on_faulted(1, 1)
    await station2.pass_time(2)
    assert central2.of("NotifyEvent") == []
    enabled = [variable("MonitoringCtrlr.Enabled", "true")]
    await central2.request("SetVariables", setVariableData=enabled)
    await station2.reboot()
    await central2.count("BootNotification", 2)
    await station2.pass_time(2)
    event = central2.of("NotifyEvent")[-1]["eventData"][0]
    assert event["actualValue"] == "Faulted"
    assert event["eventNotificationType"] == "CustomMonitor"
    assert event["variableMonitoringId"] == results[0]["id"]
    # Grave enough to be told later.
    await station2.disconnect()
    await station2.on_fault_cleared(1, 1)
    await station2.advance(1)
    await station2.connect()
    await station2.settle()
    assert central2.of("NotifyEvent")[-1]["eventData"][0]["actualValue"] == "Available"
    answer = await central2.request("ClearVariableMonitoring", id=[1, 99])
    assert [one["status"] for one in answer["clearMonitoringResult"]] == [
        "Accepted",
        "NotFound",
    ]


async def test_thresholds_and_intervals(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    station2.monitoring.on = True
    wanted = [
        monitor("EVSE.Power", "UpperThreshold", 1000, id=1),
        monitor("EVSE.Power", "Periodic", 10, id=2),
    ]
    await central2.request("SetVariableMonitoring", setMonitoringData=wanted)
    for power in ("2000", "3000", "500"):
        station2.model.put("EVSE.Power", power, 1)
        await station2.pass_time(1)
    told = [one["eventData"][0] for one in central2.of("NotifyEvent")]
    assert [(one["actualValue"], one["cleared"]) for one in told] == [
        ("2000", False),
        ("500", True),
    ]
    await station2.pass_time(8)
    last = central2.of("NotifyEvent")[-1]["eventData"][0]
    assert last["trigger"] == "Periodic"


async def test_a_monitoring_report_loses_what_is_too_much(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    empty = await central2.request("GetMonitoringReport", requestId=1)
    assert empty == {"status": "EmptyResultSet"}
    wanted = [monitor("EVSE.Power", "Delta", number, id=1) for number in range(12)]
    await central2.request("SetVariableMonitoring", setMonitoringData=wanted)
    assert await central2.request("GetMonitoringReport", requestId=2) == ACCEPTED
    await station2.settle()
    assert len(central2.of("NotifyMonitoringReport")[0]["monitor"]) == 10
    level = await central2.request("SetMonitoringLevel", severity=10)
    assert level == {"status": "Rejected"}
    base = {"monitoringBase": "FactoryDefault"}
    assert await central2.request("SetMonitoringBase", **base) == ACCEPTED
    assert station2.monitoring.monitors == {}
    station2.model.put("MonitoringCtrlr.Available", "false")
    assert await central2.error("SetMonitoringBase", **base) == "NotImplemented"


# Messages and customers


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, "Accepted"),
        ({"priority": "AlwaysFront"}, "NotSupportedPriority"),
        ({"transactionId": "none"}, "UnknownTransaction"),
        ({"message": {"format": "HTML", "content": "x"}}, "NotSupportedMessageFormat"),
    ],
)
async def test_a_message_is_shown_where_it_can_be(
    central2: CentralSystem2,
    station2: ChargingStation,
    more: dict[str, Any],
    status: str,
) -> None:
    content = {"format": "UTF8", "content": "0,30 €/kWh"}
    told = {"id": 1, "priority": "NormalCycle", "message": content} | more
    answer = await central2.request("SetDisplayMessage", message=told)
    assert answer == {"status": status}
    answer = await central2.request("GetDisplayMessages", requestId=3)
    if status != "Accepted":
        assert answer == {"status": "Unknown"}
        return
    await station2.settle()
    assert station2.state()["messages"] == [told]
    assert central2.of("NotifyDisplayMessages")[0]["messageInfo"] == [told]
    assert await central2.request("ClearDisplayMessage", id=1) == ACCEPTED
    unknown = {"status": "Unknown"}
    assert await central2.request("ClearDisplayMessage", id=1) == unknown


async def test_costs_are_taken_and_data_of_a_vendor_is_not(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    cost = {"totalCost": 1.5, "transactionId": "T1"}
    assert await central2.request("CostUpdated", **cost) == {}
    assert station2.state()["costs"] == {"T1": 1.5}
    answer = await central2.request("DataTransfer", vendorId="somebody")
    assert answer == {"status": "UnknownVendorId"}


async def test_what_is_known_of_a_customer_is_told_and_forgotten(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    await station2.validate_token(TOKEN)
    ask = {"requestId": 1, "report": True, "clear": True}
    invalid = {"status": "Invalid"}
    assert await central2.request("CustomerInformation", **ask) == invalid
    for _ in range(2):
        answer = await central2.request(
            "CustomerInformation", idToken=TOKEN.wire(), **ask
        )
        assert answer == ACCEPTED
        await station2.settle()
    first, second = (one["data"] for one in central2.of("NotifyCustomerInformation"))
    assert TOKEN.id_token in first
    assert second == ""
