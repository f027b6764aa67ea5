"""Logs of OCPP 2.x: uploads to the hub and elsewhere, and what is told of them."""

import asyncio
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.charger import PATIENCE
from ..ha.charger_v2 import Charger2
from ..ha.conftest import Charger2Factory
from ..ha.entities import act, flush, state
from .test_logs import CONTENT, _upload as upload

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")


async def told(hass: HomeAssistant, charger: Charger2, status: str, number: int) -> str:
    """Have the charger tell a status; return what is shown."""
    payload = {"status": status, "requestId": number}
    assert await charger.call("LogStatusNotification", payload) == {}
    await flush(hass)
    return state(hass, "sensor", "CP01_diagnostics_status")


async def listed(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return what became of the logs that were asked for, newest first."""
    found: list[dict[str, Any]] = (await act(hass, "get_log_files"))["logs"]
    return found


async def uploads(hass: HomeAssistant, charger: Charger2, log: str, word: str) -> None:
    """Ask for a log and have it uploaded, seen from both ends."""
    name = f"{log}.log"
    charger.answers["GetLog"] = {"status": "Accepted", "filename": name}
    response = await act(hass, "get_log", log=log, wait=0)
    sent = await charger.expect("GetLog")
    number = sent["requestId"]
    assert (sent["logType"], response["request_id"]) == (word, number)
    assert set(sent) == {"log", "logType", "requestId"}
    assert await told(hass, charger, "Uploading", number) == "uploading"
    assert await upload(sent["log"]["remoteLocation"]) == 201
    assert await told(hass, charger, "Uploaded", number) == "uploaded"
    (found,) = await listed(hass)
    assert (found["request_id"], found["status"]) == (number, "uploaded")
    assert (found["filename"], found["size"]) == (name, len(CONTENT))


@pytest.mark.parametrize(
    ("log", "word"),
    [
        pytest.param(
            "diagnostics",
            "DiagnosticsLog",
            marks=[
                pytest.mark.conformance("TC_N_25_CSMS"),
                pytest.mark.conformance("UC_N01"),
            ],
        ),
        pytest.param(
            "security", "SecurityLog", marks=pytest.mark.conformance("TC_N_35_CSMS")
        ),
    ],
)
async def test_a_log_is_uploaded(
    hass: HomeAssistant, charger2: Charger2, log: str, word: str
) -> None:
    await uploads(hass, charger2, log, word)


@pytest.mark.conformance("TC_N_100_CSMS")
async def test_what_was_collected_is_uploaded_in_2_1(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    await uploads(hass, charger, "data_collector", "DataCollectorLog")


async def test_2_0_1_collects_nothing(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws()
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "get_log", log="data_collector", wait=0)
    assert raised.value.translation_key == "not_supported_by_charger"
    assert charger.calls("GetLog") == []


@pytest.mark.conformance("TC_N_34_CSMS")
async def test_a_charger_refuses_to_upload(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["GetLog"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "get_log", wait=0)
    assert raised.value.translation_key == "rejected"
    assert len(charger2.calls("GetLog")) == 1
    assert await listed(hass) == []


@pytest.mark.conformance("TC_N_36_CSMS")
async def test_a_second_log_takes_the_place_of_the_first(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    first = (await act(hass, "get_log", wait=0))["request_id"]
    assert await told(hass, charger2, "Uploading", first) == "uploading"
    charger2.answers["GetLog"] = {"status": "AcceptedCanceled", "filename": "two.log"}
    second = (await act(hass, "get_log", wait=0))["request_id"]
    assert second != first
    await told(hass, charger2, "AcceptedCanceled", first)
    sent = charger2.calls("GetLog")[1]
    assert sent["requestId"] == second
    assert await told(hass, charger2, "Uploading", second) == "uploading"
    assert await upload(sent["log"]["remoteLocation"]) == 201
    assert await told(hass, charger2, "Uploaded", second) == "uploaded"
    found = {one["request_id"]: one["status"] for one in await listed(hass)}
    assert found == {first: "accepted_canceled", second: "uploaded"}


@pytest.mark.parametrize(
    "scheme",
    [
        pytest.param("http", marks=pytest.mark.conformance("TC_N_102_CSMS")),
        pytest.param("https", marks=pytest.mark.conformance("TC_N_102_2_CSMS")),
    ],
)
async def test_a_log_goes_where_other_credentials_are_asked_for(
    hass: HomeAssistant, charger2_ws: Charger2Factory, scheme: str
) -> None:
    charger = await charger2_ws(version="2.1")
    location = f"{scheme}://logs:other-than-ocpp@192.0.2.1/upload"
    number = (await act(hass, "get_log", wait=0, location=location))["request_id"]
    (sent,) = charger.calls("GetLog")
    assert sent["log"] == {"remoteLocation": location}
    assert await told(hass, charger, "Uploading", number) == "uploading"
    assert await told(hass, charger, "Uploaded", number) == "uploaded"
    (found,) = await listed(hass)
    assert (found["status"], found["size"]) == ("uploaded", None)


async def test_a_file_that_could_not_be_sent_is_asked_for_by_the_other_way(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    response = await act(hass, "get_log", wait=0)
    await told(hass, charger2, "UploadFailure", response["request_id"])
    async with asyncio.timeout(PATIENCE):
        sent = await charger2.expect("GetLog", 2)
    assert sent["log"]["remoteLocation"].startswith("ftp://")
