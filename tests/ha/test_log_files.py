"""Logs: asked for, received at our own port, and offered as a download."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from ftplib import FTP
from io import BytesIO
from pathlib import Path
import re
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientSession
import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.persistent_notification import (
    _async_get_or_create_notifications as notifications_of,
)
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.util import dt as dt_util

from .charger import Charger, Payload, Refusal
from .conftest import ChargerFactory
from .entities import act, device_id, entity_id
from custom_components.ev_charger_hub.const import CONF_HOME_ASSISTANT_PORT, DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.credentials import hash_password

CONTENT = b"10:00:00 relay closed\n" * 20_000
DIAGNOSTICS = "DiagnosticsStatusNotification"


class Uploader:
    """The part of a charger that uploads."""

    def __init__(self, charger: Charger) -> None:
        """Upload what the charger is asked for."""
        self.charger = charger
        self.http = ClientSession()

    async def location(self, count: int = 1) -> str:
        """Wait for the request and return where the file is to go."""
        location: str = (await self.charger.expect("GetDiagnostics", count))["location"]
        return location

    async def put(self, url: str, data: bytes = CONTENT) -> int:
        """Upload by HTTP."""
        async with self.http.put(url, data=data) as response:
            return response.status

    async def status(self, *statuses: str) -> None:
        """Tell how far it is."""
        for status in statuses:
            await self.charger.call(DIAGNOSTICS, {"status": status})


@pytest.fixture
async def uploader(
    hass: HomeAssistant, approved_charger: Charger
) -> AsyncGenerator[Uploader]:
    """Return a charger that is asked for nothing yet."""
    approved_charger.received.clear()
    uploader = Uploader(approved_charger)
    yield uploader
    await uploader.http.close()


def _asked(hass: HomeAssistant, **fields: Any) -> asyncio.Task[dict[str, Any]]:
    """Ask for a log and wait for it meanwhile."""
    return hass.async_create_task(act(hass, "get_log", wait=30, **fields))


def _told(hass: HomeAssistant) -> list[str]:
    """Return title and message of the notifications."""
    return [
        f"{one['title']}|{one['message']}" for one in notifications_of(hass).values()
    ]


def _on_disk(hass: HomeAssistant) -> list[str]:
    """Return the names of all files that were received."""
    folder = Path(hass.config.path(DOMAIN, "logs"))
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_diagnostics_come_and_can_be_downloaded(
    hass: HomeAssistant,
    uploader: Uploader,
    hub: OcppHub,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    uploader.charger.answers["GetDiagnostics"] = {"fileName": "diag.zip"}
    asked = _asked(hass)
    location = await uploader.location()
    pattern = rf"http://127\.0\.0\.1:{hub.port}/upload/[0-9a-f]{{32}}/"
    assert re.fullmatch(pattern, location)
    await uploader.status("Uploading")
    assert await uploader.put(location) == 201
    await uploader.status("Uploaded")
    response = await asked
    assert response["status"] == "uploaded"
    assert response["filename"] == "diag.zip"
    assert response["size"] == len(CONTENT)
    client = await hass_client_no_auth()
    answer = await client.get(response["url"])
    assert answer.status == 200
    assert await answer.read() == CONTENT
    assert answer.headers["Content-Disposition"] == 'attachment; filename="diag.zip"'
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert (await client.get(response["url"].partition("?")[0])).status == 401


async def test_the_button_offers_the_file_in_a_notification(
    hass: HomeAssistant,
    uploader: Uploader,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    target = {ATTR_ENTITY_ID: entity_id(hass, "button", "CP01_fetch_diagnostics")}
    await hass.services.async_call("button", "press", target, blocking=True)
    await uploader.put(await uploader.location() + "log<b>.txt")
    await _notified(hass)
    (told,) = _told(hass)
    assert told.startswith("Log of a charger|Garage has uploaded a log: ")
    found = re.search(r'<a href="([^"]+)" target="_blank">([^<]+)</a>', told)
    assert found is not None
    assert found[2] == "log_b_.txt"
    client = await hass_client_no_auth()
    answer = await client.get(found[1].replace("&amp;", "&"))
    assert await answer.read() == CONTENT


async def _notified(hass: HomeAssistant) -> None:
    """Wait for a notification."""
    async with asyncio.timeout(60):
        while not _told(hass):
            await asyncio.sleep(0)


async def test_a_security_log_is_followed_by_its_id(
    hass: HomeAssistant, uploader: Uploader
) -> None:
    charger = uploader.charger
    charger.answers["GetLog"] = {"status": "Accepted", "filename": "security.log"}
    asked = _asked(
        hass,
        log="security",
        since="2026-11-20T00:00:00+00:00",
        until="2026-11-21T00:00:00+00:00",
        retries=2,
        retry_interval={"minutes": 1},
    )
    sent = await charger.expect("GetLog")
    location = sent["log"].pop("remoteLocation")
    number = sent.pop("requestId")
    assert sent == {
        "log": {
            "oldestTimestamp": "2026-11-20T00:00:00.000Z",
            "latestTimestamp": "2026-11-21T00:00:00.000Z",
        },
        "logType": "SecurityLog",
        "retries": 2,
        "retryInterval": 60,
    }
    for request_id in (number, number + 1):
        status = "Uploading" if request_id == number else "UploadFailure"
        payload = {"status": status, "requestId": request_id}
        await charger.call("LogStatusNotification", payload)
    await uploader.put(location)
    response = await asked
    assert response["request_id"] == number
    assert response["filename"] == "security.log"
    assert response["log"] == "security"


async def test_a_charger_without_http_is_asked_again_for_ftp(
    hass: HomeAssistant, uploader: Uploader
) -> None:
    asked = _asked(hass)
    assert (await uploader.location()).startswith("http://")
    await uploader.status("UploadFailed")
    location = urlsplit(await uploader.location(2))
    assert location.scheme == "ftp"
    await asyncio.to_thread(_store, location)
    response = await asked
    assert response["filename"] == "diag.tar"
    assert response["size"] == len(CONTENT)

    asked = _asked(hass)
    location = urlsplit(await uploader.location(3))
    assert location.scheme == "ftp", "what worked is remembered"
    await asyncio.to_thread(_store, location)
    assert (await asked)["status"] == "uploaded"


def _store(url: Any) -> None:
    with FTP(timeout=60) as ftp:
        ftp.connect(url.hostname, url.port)
        ftp.login(url.username, url.password)
        ftp.storbinary("STOR diag.tar", BytesIO(CONTENT))


async def test_what_a_charger_says_it_can_is_tried_first(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> None:
    hub.approve("CP01", "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws("CP01")
    charger.configuration["SupportedFileTransferProtocols"] = "FTP,FTPS"
    await charger.boot()
    await charger.expect("GetConfiguration")
    await act(hass, "get_configuration", keys=[])
    await act(hass, "get_log", wait=0)
    assert (await charger.expect("GetDiagnostics"))["location"].startswith("ftp://")


@pytest.mark.parametrize("transfer", ["http", "ftp"])
async def test_a_failed_upload_is_an_error(
    hass: HomeAssistant, uploader: Uploader, transfer: str
) -> None:
    asked = _asked(hass, transfer=transfer)
    assert (await uploader.location()).startswith(transfer)
    await uploader.status("Uploading", "UploadFailed")
    with pytest.raises(HomeAssistantError) as caught:
        await asked
    assert caught.value.translation_key == "log_not_uploaded"
    assert "upload_failed" in str(caught.value)
    assert len(uploader.charger.calls("GetDiagnostics")) == 1
    (told,) = _told(hass)
    assert told.startswith("No log came from a charger|Garage ")
    assert "upload_failed" in told


async def test_a_file_may_come_after_the_action_has_ended(
    hass: HomeAssistant, uploader: Uploader
) -> None:
    response = await act(hass, "get_log", wait=0)
    assert response["status"] == "requested"
    assert response["url"] is None
    await uploader.put(await uploader.location())
    await _notified(hass)
    (listed,) = (await act(hass, "get_log_files"))["logs"]
    assert listed["request_id"] == response["request_id"]
    assert listed["status"] == "uploaded"
    assert listed["url"].startswith("/api/ev_charger_hub/logs/")


async def test_a_file_may_come_after_a_restart(
    hass: HomeAssistant,
    uploader: Uploader,
    init_integration: MockConfigEntry,
    charger_ws: ChargerFactory,
) -> None:
    response = await act(hass, "get_log", wait=0)
    path = urlsplit(await uploader.location()).path
    await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    port = init_integration.runtime_data.port
    assert await uploader.put(f"http://127.0.0.1:{port}{path}") == 201
    await _notified(hass)
    (listed,) = (await act(hass, "get_log_files"))["logs"]
    assert listed["request_id"] == response["request_id"]
    assert listed["size"] == len(CONTENT)
    assert await uploader.put(f"http://127.0.0.1:{port}{path}") == 404


async def test_a_file_that_came_is_uploaded_after_a_restart(
    hass: HomeAssistant, uploader: Uploader, init_integration: MockConfigEntry
) -> None:
    response = await act(hass, "get_log", wait=0)
    path = urlsplit(await uploader.location()).path
    port = init_integration.runtime_data.port
    assert await uploader.put(f"http://127.0.0.1:{port}{path}") == 201
    await _notified(hass)
    await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    (listed,) = (await act(hass, "get_log_files"))["logs"]
    assert listed["request_id"] == response["request_id"]
    assert (listed["status"], listed["size"]) == ("uploaded", len(CONTENT))


async def test_another_location_is_the_users_business(
    hass: HomeAssistant, uploader: Uploader
) -> None:
    location = "sftp://user:pass@192.168.1.2/logs"
    asked = _asked(hass, location=location)
    assert await uploader.location() == location
    await uploader.status("Uploading", "Uploaded")
    response = await asked
    assert (response["status"], response["url"]) == ("uploaded", None)
    assert _told(hass) == []


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (Refusal(code="NotImplemented"), "not_supported_by_charger"),
        (Refusal(code="InternalError"), "rejected"),
    ],
)
async def test_a_refusal_is_an_error_and_opens_nothing(
    hass: HomeAssistant, uploader: Uploader, answer: Refusal, key: str
) -> None:
    uploader.charger.answers["GetDiagnostics"] = answer
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "get_log")
    assert caught.value.translation_key == key
    assert await uploader.put(await uploader.location()) == 404
    assert (await act(hass, "get_log_files"))["logs"] == []


async def test_an_absent_charger_is_not_asked(
    hass: HomeAssistant, uploader: Uploader
) -> None:
    await uploader.charger.close()
    await hass.async_block_till_done()
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "get_log")
    assert caught.value.translation_key == "not_connected"


async def test_a_newer_request_may_take_the_place_of_one(
    hass: HomeAssistant, uploader: Uploader
) -> None:
    charger = uploader.charger
    first = _asked(hass, log="security")
    await charger.expect("GetLog")
    charger.answers["GetLog"] = {"status": "AcceptedCanceled"}
    await act(hass, "get_log", log="security", wait=0)
    with pytest.raises(HomeAssistantError) as caught:
        await first
    assert "accepted_canceled" in str(caught.value)
    newer, older = (await act(hass, "get_log_files"))["logs"]
    assert (older["status"], newer["status"]) == ("accepted_canceled", "requested")


async def test_the_newest_five_files_are_kept(
    hass: HomeAssistant,
    uploader: Uploader,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    links = []
    for number in range(7):
        asked = _asked(hass)
        await uploader.put(await uploader.location(number + 1), b"%d" % number)
        links.append((await asked)["url"])
    await hass.async_block_till_done()
    assert len(_on_disk(hass)) == 5
    client = await hass_client_no_auth()
    assert [(await client.get(url)).status for url in links] == [404] * 2 + [200] * 5


async def test_a_file_outlives_requests_that_come_to_nothing(
    hass: HomeAssistant,
    uploader: Uploader,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    asked = _asked(hass)
    await uploader.put(await uploader.location())
    url = (await asked)["url"]
    for number in range(12):
        asked = _asked(hass, transfer="http")
        await uploader.location(number + 2)
        await uploader.status("UploadFailed")
        with pytest.raises(HomeAssistantError):
            await asked
    client = await hass_client_no_auth()
    assert (await client.get(url)).status == 200
    assert len((await act(hass, "get_log_files"))["logs"]) == 10


async def test_requests_without_number_do_not_pile_up(
    hass: HomeAssistant, uploader: Uploader
) -> None:
    first = _asked(hass)
    path = await uploader.location()
    for _ in range(10):
        await act(hass, "get_log", wait=0)
    with pytest.raises(HomeAssistantError) as caught:
        await first
    assert "accepted_canceled" in str(caught.value)
    assert await uploader.put(path) == 404
    assert len((await act(hass, "get_log_files"))["logs"]) == 10


async def test_a_file_that_comes_after_all_is_told(
    hass: HomeAssistant, uploader: Uploader
) -> None:
    asked = _asked(hass, transfer="http")
    location = await uploader.location()
    await uploader.status("UploadFailed")
    with pytest.raises(HomeAssistantError):
        await asked
    assert "No log came" in _told(hass)[0]
    assert await uploader.put(location) == 201
    await hass.async_block_till_done(wait_background_tasks=True)
    assert "Garage has uploaded a log: " in _told(hass)[-1]


async def test_times_are_those_of_the_clock_of_the_charger(
    hass: HomeAssistant, uploader: Uploader
) -> None:
    ahead = dt_util.utcnow() + timedelta(hours=2)
    for _ in range(3):
        status = {"connectorId": 1, "status": "Available", "errorCode": "NoError"}
        stamp = {"timestamp": ahead.isoformat()}
        await uploader.charger.call("StatusNotification", {**status, **stamp})
    since, until = "2026-11-20T10:00:00+00:00", "2026-11-20T11:00:00+00:00"
    await act(hass, "get_log", wait=0, since=since, until=until)
    sent = await uploader.charger.expect("GetDiagnostics")
    assert re.match(r"2026-11-20T(11:59:5|12:00:0)", sent["startTime"])
    assert re.match(r"2026-11-20T(12:59:5|13:00:0)", sent["stopTime"])


async def test_the_files_of_a_deleted_charger_are_deleted(
    hass: HomeAssistant, uploader: Uploader, init_integration: MockConfigEntry
) -> None:
    asked = _asked(hass)
    await uploader.put(await uploader.location())
    await asked
    assert len(_on_disk(hass)) == 1
    (subentry,) = init_integration.subentries.values()
    hass.config_entries.async_remove_subentry(init_integration, subentry.subentry_id)
    await hass.async_block_till_done()
    assert _on_disk(hass) == []


async def test_the_files_of_a_deleted_server_are_deleted(
    hass: HomeAssistant, uploader: Uploader, init_integration: MockConfigEntry
) -> None:
    asked = _asked(hass)
    await uploader.put(await uploader.location())
    await asked
    await hass.config_entries.async_remove(init_integration.entry_id)
    await hass.async_block_till_done()
    assert _on_disk(hass) == []


@pytest.mark.parametrize("number", ["0", "01", "..", "secrets", "\u0661", "1" * 5000])
@pytest.mark.parametrize("place", ["{subentry}", "CP01"])
async def test_only_files_that_are_kept_can_be_downloaded(
    hass: HomeAssistant,
    uploader: Uploader,
    init_integration: MockConfigEntry,
    hass_client: Any,
    place: str,
    number: str,
) -> None:
    (subentry,) = init_integration.subentries.values()
    asked = _asked(hass)
    await uploader.put(await uploader.location())
    assert (await asked)["request_id"] == 1
    client = await hass_client()
    place = place.format(subentry=subentry.subentry_id)
    answer = await client.get(f"/api/ev_charger_hub/logs/{place}/{number}")
    assert answer.status == 404


async def test_only_an_administrator_sends_logs_anywhere(
    hass: HomeAssistant, uploader: Uploader, hass_read_only_user: MockUser
) -> None:
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "get_log",
            {ATTR_DEVICE_ID: device_id(hass, "CP01"), "location": "ftp://evil/"},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert uploader.charger.received == []


@pytest.mark.parametrize(
    "fields",
    [{"log": "other"}, {"transfer": "fax"}, {"wait": 601}, {"location": "/tmp/log"}],
)
async def test_what_makes_no_sense_is_not_sent(
    hass: HomeAssistant, uploader: Uploader, fields: Payload
) -> None:
    with pytest.raises(probatio.Invalid):
        await act(hass, "get_log", **fields)
    assert uploader.charger.received == []


async def test_the_secret_path_is_in_no_log(
    hass: HomeAssistant, uploader: Uploader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    asked = _asked(hass, transfer="ftp")
    location = urlsplit(await uploader.location())
    await asyncio.to_thread(_store, location)
    await asked
    asked = _asked(hass, transfer="http")
    path = urlsplit(await uploader.location(2)).path.strip("/").rpartition("/")[2]
    await uploader.put(await uploader.location(2))
    await asked
    ours = [one for one in caplog.records if DOMAIN in one.name]
    assert ours
    assert location.password
    assert not [
        one
        for one in ours
        if location.password in one.getMessage() or path in one.getMessage()
    ]


@pytest.mark.parametrize("spelling", ["{0}", "{0}diag.zip"])
async def test_a_file_may_come_by_the_port_of_home_assistant(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    spelling: str,
) -> None:
    password = "Kx7mPq2nRt9wYz4bCd6e"
    hashed = await hass.async_add_executor_job(hash_password, password)
    hub.approve("CP01", "Garage", hashed)
    hass.config_entries.async_update_entry(
        init_integration, options={CONF_HOME_ASSISTANT_PORT: True}
    )
    await hass.async_block_till_done()
    client = await hass_client_no_auth()
    url = str(client.make_url(f"/api/{DOMAIN}/ocpp")).rstrip("/")
    charger = await Charger(identity="CP01", url=url, password=password).connect()
    await charger.boot()
    response = await act(hass, "get_log", wait=0)
    location = (await charger.expect("GetDiagnostics"))["location"]
    start = str(client.make_url(f"/api/{DOMAIN}/upload/"))
    assert location.startswith(start)
    path = spelling.format(location)
    wrong = location.replace(location[-10:-1], "0" * 9)
    async with ClientSession() as http:
        for url, status in ((wrong, 404), (path, 201), (path, 404)):
            async with http.put(url, data=CONTENT) as answer:
                assert answer.status == status
    (listed,) = (await act(hass, "get_log_files"))["logs"]
    assert listed["request_id"] == response["request_id"]
    assert listed["size"] == len(CONTENT)
    await charger.close()
    await hass.async_block_till_done()
