"""Firmware: what a charger tells on its way to another version, and what is made of it."""

from datetime import UTC, datetime, timedelta

import pytest

from homeassistant.core import HomeAssistant

from ..ha.charger import Charger
from ..ha.entities import act, flush, full_state, state
from ..ha.test_firmware import LOCATION, OFFER, signed_offer


@pytest.fixture
async def charger(hass: HomeAssistant, quiet_charger: Charger) -> Charger:
    """Return a charger that is asked to update by the entity's offer."""
    await act(hass, "offer_firmware", **OFFER)
    await flush(hass)
    assert quiet_charger.received == []
    return quiet_charger


async def _told(hass: HomeAssistant, charger: Charger, status: str) -> tuple[str, bool]:
    """Have the charger tell a status; return what is shown."""
    action = "FirmwareStatusNotification"
    assert await charger.call(action, {"status": status}) == {}
    await flush(hass)
    return _shown(hass)


def _shown(hass: HomeAssistant) -> tuple[str, bool]:
    update = full_state(hass, "update", "CP01_firmware")
    status = state(hass, "sensor", "CP01_firmware_status")
    return status, update.attributes["in_progress"]


@pytest.mark.conformance("TC_044_1_CSMS")
async def test_an_update_is_downloaded_and_installed(
    hass: HomeAssistant, charger: Charger
) -> None:
    response = await act(hass, "update_firmware")
    assert response["status"] == "accepted"
    (sent,) = [(one.action, one.payload) for one in charger.received]
    assert sent[0] == "UpdateFirmware"
    assert set(sent[1]) == {"location", "retrieveDate"}
    assert sent[1]["location"] == LOCATION
    retrieve_at = datetime.fromisoformat(sent[1]["retrieveDate"])
    assert abs(retrieve_at - datetime.now(UTC)) < timedelta(minutes=1)

    assert await _told(hass, charger, "Downloading") == ("downloading", True)
    assert await _told(hass, charger, "Downloaded") == ("downloaded", True)
    assert await _told(hass, charger, "Installing") == ("installing", True)
    await charger.close()
    await charger.connect()
    assert (await charger.boot(firmwareVersion="1.8.30"))["status"] == "Accepted"
    await charger.status(1, "Available")
    assert await _told(hass, charger, "Installed") == ("installed", False)
    assert state(hass, "update", "CP01_firmware") == "off"
    assert state(hass, "sensor", "CP01_1_status") == "available"


@pytest.mark.conformance("TC_044_2_CSMS")
async def test_a_download_fails(hass: HomeAssistant, charger: Charger) -> None:
    await act(hass, "update_firmware")
    assert await _told(hass, charger, "Downloading") == ("downloading", True)
    assert await _told(hass, charger, "DownloadFailed") == ("download_failed", False)
    assert state(hass, "update", "CP01_firmware") == "on"


@pytest.mark.conformance("TC_044_3_CSMS")
async def test_an_installation_fails(hass: HomeAssistant, charger: Charger) -> None:
    await act(hass, "update_firmware")
    assert await _told(hass, charger, "Downloading") == ("downloading", True)
    assert await _told(hass, charger, "Downloaded") == ("downloaded", True)
    await charger.status(1, "Unavailable")
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "unavailable"
    assert await _told(hass, charger, "Installing") == ("installing", True)
    shown = await _told(hass, charger, "InstallationFailed")
    assert shown == ("installation_failed", False)
    assert state(hass, "update", "CP01_firmware") == "on"


async def _signed(hass: HomeAssistant, charger: Charger) -> int:
    """Ask for a signed update and return its request id."""
    charger.answers["SignedUpdateFirmware"] = {"status": "Accepted"}
    offer = signed_offer()
    response = await act(hass, "update_firmware", **offer)
    (sent,) = [(one.action, one.payload) for one in charger.received]
    assert sent[0] == "SignedUpdateFirmware"
    retrieve_at = datetime.fromisoformat(sent[1]["firmware"].pop("retrieveDateTime"))
    assert abs(retrieve_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert sent[1] == {
        "requestId": response["request_id"],
        "firmware": {
            "location": LOCATION,
            "signingCertificate": offer["certificate"],
            "signature": offer["signature"],
        },
    }
    number: int = response["request_id"]
    return number


async def _told_signed(
    hass: HomeAssistant, charger: Charger, status: str, request_id: int
) -> tuple[str, bool]:
    payload = {"status": status, "requestId": request_id}
    assert await charger.call("SignedFirmwareStatusNotification", payload) == {}
    await flush(hass)
    return _shown(hass)


@pytest.mark.conformance("TC_080_CSMS")
async def test_signed_firmware_is_verified_and_installed(
    hass: HomeAssistant, charger: Charger
) -> None:
    number = await _signed(hass, charger)
    for status, word in (
        ("Downloading", "downloading"),
        ("Downloaded", "downloaded"),
        ("SignatureVerified", "signature_verified"),
        ("InstallRebooting", "install_rebooting"),
    ):
        assert await _told_signed(hass, charger, status, number) == (word, True)
    await charger.close()
    await charger.connect()
    await charger.boot()
    await charger.status(1, "Available")
    shown = await _told_signed(hass, charger, "Installing", number)
    assert shown == ("installing", True)
    await charger.boot(firmwareVersion="1.8.30")
    shown = await _told_signed(hass, charger, "Installed", number)
    assert shown == ("installed", False)
    event = {"type": "FirmwareUpdated", "timestamp": datetime.now(UTC).isoformat()}
    assert await charger.call("SecurityEventNotification", event) == {}
    assert state(hass, "update", "CP01_firmware") == "off"


@pytest.mark.conformance("TC_081_CSMS")
async def test_firmware_with_a_wrong_signature_is_not_installed(
    hass: HomeAssistant, charger: Charger
) -> None:
    number = await _signed(hass, charger)
    for status in ("Downloading", "Downloaded"):
        assert (await _told_signed(hass, charger, status, number))[1] is True
    shown = await _told_signed(hass, charger, "InvalidSignature", number)
    assert shown == ("invalid_signature", False)
    event = {
        "type": "InvalidFirmwareSignature",
        "timestamp": datetime.now(UTC).isoformat(),
    }
    assert await charger.call("SecurityEventNotification", event) == {}
    assert state(hass, "update", "CP01_firmware") == "on"
    charger.received.clear()
    await act(hass, "start_charging")
    assert len(charger.calls("RemoteStartTransaction")) == 1
