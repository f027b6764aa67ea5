"""The virtual station uploads what it wrote down."""

import json
from pathlib import Path
from typing import Any

import pytest

from .central import PlainCentralSystem
from .files import Depot, FtpDepot
from simulators.charging_station import ChargingStation16, Misbehaviour
from simulators.charging_station.transfer import Way

DIAGNOSTICS = "DiagnosticsStatusNotification"
LOG = "LogStatusNotification"


async def get_log(
    central: PlainCentralSystem,
    location: str,
    request: int = 7,
    *,
    span: dict[str, str] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Ask for the security log and return the answer."""
    log = {"remoteLocation": location} | (span or {})
    answer = await central.ask(
        "GetLog", logType="SecurityLog", requestId=request, log=log, **options
    )
    payload: dict[str, Any] = answer[2]
    return payload


def told(central: PlainCentralSystem, action: str = LOG) -> list[str]:
    """Return the statuses of uploads, one after the other."""
    return [one["status"] for one in central.of(action)]


@pytest.mark.parametrize(
    ("way", "append", "method", "path"),
    [
        (Way.PUT, True, "PUT", "/in/diagnostics-1.log"),
        (Way.POST, True, "POST", "/in/diagnostics-1.log"),
        (Way.PUT, False, "PUT", "/in/"),
        (Way.MULTIPART, True, "MULTIPART", "diagnostics-1.log"),
    ],
)
async def test_diagnostics_are_uploaded_over_http(
    station: ChargingStation16,
    central: PlainCentralSystem,
    way: Way,
    append: bool,
    method: str,
    path: str,
) -> None:
    """TC_045_1: the name is in the answer, the station's state in the file."""
    station.logs.way, station.logs.append = way, append
    async with Depot().open() as depot:
        answer = await central.ask("GetDiagnostics", location=f"{depot.url}/in/")
        assert answer[2] == {"fileName": "diagnostics-1.log"}
        await central.count(DIAGNOSTICS, 2)
        ((how, where, content),) = depot.arrived
    assert told(central, DIAGNOSTICS) == ["Uploading", "Uploaded"]
    assert (how, where) == (method, path)
    assert json.loads(content.splitlines()[0]) == {"identity": "CP1"}


async def test_diagnostics_are_uploaded_over_ftp(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """As most stations do it: log in, change the folder, passive."""
    async with FtpDepot().open() as depot:
        await central.ask("GetDiagnostics", location=depot.url)
        await central.count(DIAGNOSTICS, 2)
    assert told(central, DIAGNOSTICS) == ["Uploading", "Uploaded"]
    assert depot.commands[:2] == ["USER one", "PASS two/"]
    assert "CWD in/logs" in depot.commands
    assert "STOR diagnostics-1.log" in depot.commands
    assert b'"identity": "CP1"' in depot.content


async def test_the_security_log_of_a_time(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """TC_079: what happened in the span that was asked for, under its request."""
    for number in range(3):
        station.security.event("MemoryExhaustion", str(number))
        await station.pass_time(60, step=10)
    async with Depot().open() as depot:
        span = {
            "oldestTimestamp": "2026-11-21T10:00:30Z",
            "latestTimestamp": "2026-11-21T10:01:30Z",
        }
        answer = await get_log(central, depot.url, span=span)
        assert answer == {"status": "Accepted", "filename": "security-1.log"}
        await central.count(LOG, 2)
        ((_, _, content),) = depot.arrived
    assert central.of(LOG) == [
        {"status": "Uploading", "requestId": 7},
        {"status": "Uploaded", "requestId": 7},
    ]
    lines = [json.loads(line) for line in content.splitlines()]
    assert [line["techInfo"] for line in lines if "techInfo" in line] == ["1"]
    assert station.state()["violations"] == []


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, "BadMessage"),
        (403, "PermissionDenied"),
        (405, "NotSupportedOperation"),
        (500, "UploadFailure"),
    ],
)
async def test_a_refused_upload_is_told(
    station: ChargingStation16, central: PlainCentralSystem, status: int, outcome: str
) -> None:
    """With what comes closest to the answer."""
    async with Depot().open() as depot:
        depot.status = status
        await get_log(central, depot.url)
        await central.count(LOG, 2)
    assert told(central) == ["Uploading", outcome]


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:1/in", "ftp://127.0.0.1:1/in", "gopher://127.0.0.1/in"],
)
async def test_where_nobody_listens_nothing_is_uploaded(
    station: ChargingStation16, central: PlainCentralSystem, location: str
) -> None:
    """TC_045_2."""
    await central.ask("GetDiagnostics", location=location)
    await central.count(DIAGNOSTICS, 2)
    assert told(central, DIAGNOSTICS) == ["Uploading", "UploadFailed"]


async def test_an_upload_is_tried_as_often_as_asked(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Retries and retryInterval, on the station's clock."""
    async with Depot().open() as depot:
        depot.status = 503
        await get_log(central, depot.url, retries=1, retryInterval=100)
        await central.count(LOG, 1)
        await station.settle()
        assert told(central) == ["Uploading"]
        depot.status = 200
        await station.pass_time(101)
        await central.count(LOG, 3)
    assert told(central) == ["Uploading", "Uploading", "Uploaded"]


async def test_a_second_request_takes_the_place_of_the_first(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """AcceptedCanceled, and the first is not told of any more."""
    async with Depot().open() as depot:
        depot.status = 503
        await get_log(central, depot.url, retries=1)
        await central.count(LOG, 1)
        depot.status = 200
        answer = await get_log(central, depot.url, 8)
        assert answer["status"] == "AcceptedCanceled"
        await central.count(LOG, 3)
    assert central.of(LOG)[1:] == [
        {"status": "Uploading", "requestId": 8},
        {"status": "Uploaded", "requestId": 8},
    ]


async def test_an_upload_survives_a_loss_of_power(
    central: PlainCentralSystem, tmp_path: Path
) -> None:
    """It is told under the request from before."""
    url = f"ws://127.0.0.1:{central.port}/ocpp"

    def start() -> ChargingStation16:
        return ChargingStation16(url, "CP1", memory=tmp_path / "state")

    station = start()
    await station.connect()
    async with Depot().open() as depot:
        depot.status = 503
        await get_log(central, depot.url, retries=1, retryInterval=0)
        await central.count(LOG, 1)
        await station.settle()
        await station.close()
        depot.status = 200
        station = start()
        await station.connect()
        await station.pass_time(1)
        await central.count(LOG, 3)
    assert central.of(LOG)[-1] == {"status": "Uploaded", "requestId": 7}
    await station.close()


async def test_a_server_that_hangs_up_is_a_failed_upload(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """What it says last comes when the station takes its leave."""
    station.misbehaviours.add(Misbehaviour.UPLOAD_HUGE)
    async with FtpDepot().open() as depot:
        depot.limit = 1000
        await central.ask("GetDiagnostics", location=depot.url)
        await central.count(DIAGNOSTICS, 2)
    assert told(central, DIAGNOSTICS) == ["Uploading", "UploadFailed"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [("TriggerMessage", DIAGNOSTICS), ("ExtendedTriggerMessage", LOG)],
)
async def test_what_goes_on_is_told_when_asked(
    station: ChargingStation16, central: PlainCentralSystem, wanted: str, message: str
) -> None:
    """Idle, or that it uploads."""
    await central.ask(wanted, requestedMessage=message)
    await central.count(message, 1)
    assert central.of(message) == [{"status": "Idle"}]
    station.misbehaviours.add(Misbehaviour.UPLOAD_FAILS)
    await get_log(central, "http://127.0.0.1:1", retries=1)
    await central.ask(wanted, requestedMessage=message)
    await central.seen(
        lambda action, payload: action == message and payload["status"] == "Uploading"
    )


async def test_uploads_go_wrong_on_request(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Refused, nothing there, failed, cut, too long, twice, silent, ill-named."""

    async def outcome(*moods: Misbehaviour) -> str:
        station.misbehaviours = {*moods}
        before = len(central.of(LOG))
        await get_log(central, depot.url)
        await central.count(LOG, before + 2)
        return told(central)[-1]

    async with Depot().open() as depot:
        station.misbehaviours = {Misbehaviour.REJECT_LOG, Misbehaviour.NO_DIAGNOSTICS}
        assert (await get_log(central, depot.url)) == {"status": "Rejected"}
        answer = await central.ask("GetDiagnostics", location=depot.url)
        assert answer[2] == {}
        assert await outcome(Misbehaviour.UPLOAD_FAILS) == "UploadFailure"
        assert await outcome(Misbehaviour.UPLOAD_CUT) == "UploadFailure"
        assert await outcome(Misbehaviour.UPLOAD_HUGE) == "UploadFailure"
        assert depot.arrived == []
        assert await outcome(Misbehaviour.UPLOAD_TWICE) == "Uploaded"
        assert len(depot.arrived) == 2
        assert await outcome(Misbehaviour.UPLOAD_EVIL_NAME) == "Uploaded"
        assert depot.arrived[-1][1] == "/..%2F..%2Fconfiguration.yaml"
        assert await outcome(Misbehaviour.OMIT_REQUEST_ID) == "Uploaded"
        assert central.of(LOG)[-1] == {"status": "Uploaded"}
        station.misbehaviours = {Misbehaviour.UPLOAD_SILENT}
        before = len(central.of(LOG))
        await get_log(central, depot.url)
        await station.settle()
        assert len(depot.arrived) == 5
        assert len(central.of(LOG)) == before
