"""Logs: uploads that a charger is asked for, and what it tells of them."""

from typing import Any

from aiohttp import ClientSession
import pytest

from homeassistant.core import HomeAssistant

from ..ha.charger import Charger
from ..ha.entities import act, flush, state

CONTENT = b"2026-11-20T10:00:00Z relay closed\n"


async def _upload(location: str) -> int:
    """Upload a file as a charger does."""
    async with ClientSession() as http, http.put(location, data=CONTENT) as response:
        return response.status


async def _told(hass: HomeAssistant, charger: Charger, status: str) -> str:
    """Have the charger tell a status; return what is shown."""
    action = "DiagnosticsStatusNotification"
    assert await charger.call(action, {"status": status}) == {}
    await flush(hass)
    return state(hass, "sensor", "CP01_diagnostics_status")


async def _listed(hass: HomeAssistant) -> dict[str, Any]:
    """Return what became of the only log that was asked for."""
    (listed,) = (await act(hass, "get_log_files"))["logs"]
    assert isinstance(listed, dict)
    return listed


@pytest.mark.conformance("TC_045_1_CSMS")
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_diagnostics_are_uploaded(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    quiet_charger.answers["GetDiagnostics"] = {"fileName": "diagnostics.log"}
    assert (await act(hass, "get_log", wait=0))["status"] == "requested"
    sent = await quiet_charger.expect("GetDiagnostics")
    assert set(sent) == {"location"}
    assert await _told(hass, quiet_charger, "Uploading") == "uploading"
    assert await _upload(sent["location"]) == 201
    assert await _told(hass, quiet_charger, "Uploaded") == "uploaded"
    listed = await _listed(hass)
    assert listed["status"] == "uploaded"
    assert (listed["filename"], listed["size"]) == ("diagnostics.log", len(CONTENT))
    assert [one.action for one in quiet_charger.received] == ["GetDiagnostics"]


@pytest.mark.conformance("TC_045_2_CSMS")
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_an_upload_of_diagnostics_fails(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    location = "ftp://user:password@192.0.2.1/logs"
    await act(hass, "get_log", wait=0, location=location)
    assert await quiet_charger.expect("GetDiagnostics") == {"location": location}
    assert await _told(hass, quiet_charger, "Uploading") == "uploading"
    assert await _told(hass, quiet_charger, "UploadFailed") == "upload_failed"
    assert (await _listed(hass))["status"] == "upload_failed"
    assert len(quiet_charger.received) == 1


@pytest.mark.conformance("TC_079_CSMS")
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_a_security_log_is_uploaded(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    quiet_charger.answers["GetLog"] = {"status": "Accepted", "filename": "security.log"}
    response = await act(hass, "get_log", log="security", wait=0)
    sent = await quiet_charger.expect("GetLog")
    assert sent["logType"] == "SecurityLog"
    assert set(sent) == {"log", "logType", "requestId"}
    for status in ("Uploading", "Uploaded"):
        if status == "Uploaded":
            assert await _upload(sent["log"]["remoteLocation"]) == 201
        payload = {"status": status, "requestId": sent["requestId"]}
        assert await quiet_charger.call("LogStatusNotification", payload) == {}
        await flush(hass)
        shown = state(hass, "sensor", "CP01_diagnostics_status")
        assert shown == status.lower()
    assert response["request_id"] == sent["requestId"]
    listed = await _listed(hass)
    assert listed["request_id"] == sent["requestId"]
    assert (listed["filename"], listed["status"]) == ("security.log", "uploaded")
