"""Firmware that a charger of OCPP 2.x keeps for others: published and unpublished."""

import asyncio
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.charger import Charger
from ..ha.charger_v2 import Charger2
from ..ha.entities import act, flush, state

LOCATION = "https://example.com/wall-2.4.0.bin"
CHECKSUM = "d41d8cd98f00b204e9800998ecf8427e"
URIS = ["http://192.0.2.1/wall.bin", "ftp://192.0.2.1/wall.bin"]


async def publish(
    hass: HomeAssistant, charger: Charger2, *statuses: str
) -> dict[str, Any]:
    """Have firmware published, of which the charger tells these statuses."""
    action = hass.async_create_task(
        act(hass, "publish_firmware", location=LOCATION, checksum=CHECKSUM, wait=10)
    )
    sent = await charger.expect("PublishFirmware")
    await asyncio.sleep(0)
    for status in statuses:
        told = {"status": status, "requestId": sent["requestId"]}
        if status == "Published":
            told["location"] = URIS
        assert await charger.call("PublishFirmwareStatusNotification", told) == {}
    try:
        return await action
    finally:
        await flush(hass)
        assert sent == {
            "location": LOCATION,
            "checksum": CHECKSUM,
            "requestId": sent["requestId"],
        }


@pytest.mark.conformance("TC_L_17_CSMS")
@pytest.mark.conformance("UC_L03")
async def test_firmware_is_published(hass: HomeAssistant, charger2: Charger2) -> None:
    steps = ("Downloading", "Downloaded", "ChecksumVerified", "Published")
    response = await publish(hass, charger2, *steps)
    assert (response["answer"], response["progress"]) == ("Accepted", "published")
    assert response["locations"] == URIS
    assert state(hass, "sensor", "CP01_publish_status") == "published"


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        pytest.param(
            ("Downloading", "Downloaded", "InvalidChecksum"),
            "invalid_checksum",
            marks=pytest.mark.conformance("TC_L_19_CSMS"),
        ),
        pytest.param(
            ("Downloading", "Downloaded", "ChecksumVerified", "PublishFailed"),
            "publish_failed",
            marks=pytest.mark.conformance("TC_L_20_CSMS"),
        ),
        pytest.param(
            ("Downloading", "DownloadFailed"),
            "download_failed",
            marks=pytest.mark.conformance("TC_L_24_CSMS"),
        ),
    ],
)
async def test_firmware_that_cannot_be_published(
    hass: HomeAssistant, charger2: Charger2, steps: tuple[str, ...], shown: str
) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await publish(hass, charger2, *steps)
    assert raised.value.translation_key == "publishing_failed"
    assert state(hass, "sensor", "CP01_publish_status") == shown


async def test_a_charger_refuses_to_publish(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    charger2.answers["PublishFirmware"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError) as raised:
        await publish(hass, charger2)
    assert raised.value.translation_key == "rejected"


@pytest.mark.conformance("TC_L_21_CSMS")
@pytest.mark.conformance("UC_L04")
async def test_firmware_is_unpublished(hass: HomeAssistant, charger2: Charger2) -> None:
    charger2.answers["UnpublishFirmware"] = {"status": "Unpublished"}
    response = await act(hass, "unpublish_firmware", checksum=CHECKSUM)
    assert (response["status"], response["answer"]) == ("accepted", "Unpublished")
    assert charger2.calls("UnpublishFirmware") == [{"checksum": CHECKSUM}]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(
            "NoFirmware",
            "publishing_no_firmware",
            marks=pytest.mark.conformance("TC_L_22_CSMS"),
        ),
        pytest.param(
            "DownloadOngoing",
            "publishing_ongoing",
            marks=pytest.mark.conformance("TC_L_23_CSMS"),
        ),
    ],
)
async def test_firmware_that_cannot_be_unpublished(
    hass: HomeAssistant, charger2: Charger2, answer: str, error: str
) -> None:
    charger2.answers["UnpublishFirmware"] = {"status": answer}
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "unpublish_firmware", checksum=CHECKSUM)
    assert raised.value.translation_key == error


async def test_1_6_publishes_nothing(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "unpublish_firmware", checksum=CHECKSUM)
    assert raised.value.translation_key == "not_supported"


async def test_how_often_it_is_tried_is_told(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    response = await act(
        hass,
        "publish_firmware",
        location=LOCATION,
        checksum=CHECKSUM,
        retries=3,
        retry_interval=90,
        wait=0,
    )
    (sent,) = charger2.calls("PublishFirmware")
    assert (sent["retries"], sent["retryInterval"]) == (3, 90)
    assert (response["progress"], response["locations"]) == (None, [])


async def test_what_a_charger_tells_of_it_is_bounded(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    told = {"status": "Published", "location": ["http://192.0.2.1/x"] * 1000}
    assert await charger2.call("PublishFirmwareStatusNotification", told) == {}
    response = await act(
        hass, "publish_firmware", location=LOCATION, checksum=CHECKSUM, wait=0
    )
    assert len(response["locations"]) == 20
