"""Firmware of OCPP 2.x: every way an update goes, and what is shown of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..ha.charger_v2 import Charger2
from ..ha.entities import act, flush, full_state, state
from ..ha.test_firmware import LOCATION, signed_offer
from custom_components.ev_charger_hub.ocpp import availability

OFFER = {"version": "2.4.0", "location": LOCATION}


@pytest.fixture
async def charger(hass: HomeAssistant, charger2: Charger2) -> Charger2:
    """Return a charger whose user has another version for it."""
    await act(hass, "offer_firmware", **OFFER)
    await flush(hass)
    charger2.received.clear()
    return charger2


async def asked(hass: HomeAssistant, charger: Charger2, **fields: Any) -> int:
    """Ask for a signed update and return its request id."""
    response = await act(hass, "update_firmware", **signed_offer(), **fields)
    number: int = response["request_id"]
    assert charger.calls("UpdateFirmware")[-1]["requestId"] == number
    return number


async def told(
    hass: HomeAssistant, charger: Charger2, status: str, number: int
) -> tuple[str, bool]:
    """Have the charger tell a status; return what is shown."""
    payload = {"status": status, "requestId": number}
    assert await charger.call("FirmwareStatusNotification", payload) == {}
    await flush(hass)
    return shown(hass)


def shown(hass: HomeAssistant) -> tuple[str, bool]:
    """Return the status that is shown, and whether an update goes on."""
    update = full_state(hass, "update", "CP01_firmware")
    status = state(hass, "sensor", "CP01_firmware_status")
    return status, update.attributes["in_progress"]


async def security_event(charger: Charger2, kind: str) -> None:
    """Have the charger tell of its security."""
    event = {"type": kind, "timestamp": datetime.now(UTC).isoformat()}
    assert await charger.call("SecurityEventNotification", event) == {}


async def runs(
    hass: HomeAssistant, charger: Charger2, number: int, *statuses: tuple[str, str]
) -> None:
    """Have the charger tell how an update goes on, and see it shown."""
    for status, word in statuses:
        assert await told(hass, charger, status, number) == (word, True)


DOWNLOADED = ("Downloading", "downloading"), ("Downloaded", "downloaded")
VERIFIED = (*DOWNLOADED, ("SignatureVerified", "signature_verified"))


@pytest.mark.conformance("TC_L_01_CSMS")
@pytest.mark.conformance("UC_L01")
async def test_signed_firmware_is_installed(
    hass: HomeAssistant, charger: Charger2
) -> None:
    offer = signed_offer()
    response = await act(hass, "update_firmware", **offer)
    number = response["request_id"]
    (sent,) = charger.calls("UpdateFirmware")
    retrieve_at = datetime.fromisoformat(sent["firmware"].pop("retrieveDateTime"))
    assert abs(retrieve_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert sent == {
        "requestId": number,
        "firmware": {
            "location": LOCATION,
            "signingCertificate": offer["certificate"],
            "signature": offer["signature"],
        },
    }
    await runs(hass, charger, number, *VERIFIED, ("Installing", "installing"))
    await runs(hass, charger, number, ("InstallRebooting", "install_rebooting"))
    await charger.close()
    await charger.connect()
    answer = await charger.boot(reason="FirmwareUpdate", firmwareVersion="2.4.0")
    assert answer["status"] == "Accepted"
    await charger.connector_status("Available")
    await security_event(charger, "FirmwareUpdated")
    assert await told(hass, charger, "Installed", number) == ("installed", False)
    assert state(hass, "update", "CP01_firmware") == "off"
    assert state(hass, "event", "CP01_security") != "unknown"


@pytest.mark.conformance("UC_L02")
async def test_firmware_without_a_signature_is_installed(
    hass: HomeAssistant, charger: Charger2
) -> None:
    response = await act(hass, "update_firmware")
    (sent,) = charger.calls("UpdateFirmware")
    assert set(sent["firmware"]) == {"location", "retrieveDateTime"}
    number = response["request_id"]
    await runs(hass, charger, number, *DOWNLOADED, ("Installing", "installing"))
    assert await told(hass, charger, "Installed", number) == ("installed", False)


@pytest.mark.conformance("TC_L_02_CSMS")
async def test_an_installation_waits_for_its_time(
    hass: HomeAssistant, charger: Charger2
) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=5)
    number = await asked(hass, charger, install_at=at.isoformat())
    (sent,) = charger.calls("UpdateFirmware")
    install_at = datetime.fromisoformat(sent["firmware"]["installDateTime"])
    assert abs(install_at - at) < timedelta(seconds=5)
    scheduled = ("InstallScheduled", "install_scheduled")
    await runs(
        hass, charger, number, *VERIFIED, scheduled, ("Installing", "installing")
    )
    assert await told(hass, charger, "Installed", number) == ("installed", False)


@pytest.mark.conformance("TC_L_03_CSMS")
async def test_a_download_waits_for_its_time(
    hass: HomeAssistant, charger: Charger2
) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)
    number = await asked(hass, charger, retrieve_at=at.isoformat())
    (sent,) = charger.calls("UpdateFirmware")
    retrieve_at = datetime.fromisoformat(sent["firmware"]["retrieveDateTime"])
    assert abs(retrieve_at - at) < timedelta(seconds=5)
    await told(hass, charger, "DownloadScheduled", number)
    assert state(hass, "sensor", "CP01_firmware_status") == "download_scheduled"
    await runs(hass, charger, number, *VERIFIED)


@pytest.mark.parametrize(
    ("answer", "event"),
    [
        pytest.param(
            "RevokedCertificate", None, marks=pytest.mark.conformance("TC_L_04_CSMS")
        ),
        pytest.param(
            "InvalidCertificate",
            "InvalidFirmwareSigningCertificate",
            marks=pytest.mark.conformance("TC_L_05_CSMS"),
        ),
    ],
)
async def test_a_charger_refuses_the_certificate_of_the_firmware(
    hass: HomeAssistant, charger: Charger2, answer: str, event: str | None
) -> None:
    charger.answers["UpdateFirmware"] = {"status": answer}
    with pytest.raises(HomeAssistantError) as raised:
        await asked(hass, charger)
    assert raised.value.translation_key == "rejected"
    assert raised.value.translation_placeholders is not None
    assert raised.value.translation_placeholders["answer"] == answer
    if event is not None:
        await security_event(charger, event)
        await flush(hass)
        seen = full_state(hass, "event", "CP01_security").attributes
        assert seen["event"] == event
    await flush(hass)
    update = full_state(hass, "update", "CP01_firmware")
    assert (update.state, update.attributes["in_progress"]) == ("on", False)


@pytest.mark.parametrize(
    ("before", "status", "word", "event"),
    [
        pytest.param(
            DOWNLOADED,
            "InvalidSignature",
            "invalid_signature",
            "InvalidFirmwareSignature",
            marks=pytest.mark.conformance("TC_L_06_CSMS"),
        ),
        pytest.param(
            DOWNLOADED[:1],
            "DownloadFailed",
            "download_failed",
            None,
            marks=pytest.mark.conformance("TC_L_07_CSMS"),
        ),
        pytest.param(
            (*VERIFIED, ("Installing", "installing")),
            "InstallVerificationFailed",
            "install_verification_failed",
            None,
            marks=pytest.mark.conformance("TC_L_08_CSMS"),
        ),
        pytest.param(
            (*VERIFIED, ("Installing", "installing")),
            "InstallationFailed",
            "installation_failed",
            None,
            marks=pytest.mark.conformance("TC_L_09_CSMS"),
        ),
    ],
)
async def test_an_update_that_fails_is_over_and_still_on_offer(
    hass: HomeAssistant,
    charger: Charger2,
    before: tuple[tuple[str, str], ...],
    status: str,
    word: str,
    event: str | None,
) -> None:
    number = await asked(hass, charger)
    await runs(hass, charger, number, *before)
    assert await told(hass, charger, status, number) == (word, False)
    if event is not None:
        await security_event(charger, event)
        await flush(hass)
        seen = full_state(hass, "event", "CP01_security").attributes
        assert seen["event"] == event
    await charger.close()
    await charger.connect()
    assert (await charger.boot(reason="PowerUp"))["status"] == "Accepted"
    await charger.connector_status("Available")
    await flush(hass)
    assert shown(hass) == (word, False)
    assert state(hass, "update", "CP01_firmware") == "on"


@pytest.mark.conformance("TC_L_10_CSMS")
async def test_a_second_update_takes_the_place_of_the_first(
    hass: HomeAssistant, charger: Charger2
) -> None:
    first = await asked(hass, charger)
    await runs(hass, charger, first, *DOWNLOADED[:1])
    charger.answers["UpdateFirmware"] = {"status": "AcceptedCanceled"}
    with pytest.raises(ServiceValidationError) as raised:
        await asked(hass, charger)
    assert raised.value.translation_key == "update_running"
    response = await act(hass, "update_firmware", replace=True)
    second = response["request_id"]
    assert second != first
    assert (response["status"], response["answer"]) == ("accepted", "AcceptedCanceled")
    await runs(hass, charger, second, *DOWNLOADED)
    # Late news of the first change nothing of the second.
    await told(hass, charger, "DownloadFailed", first)
    assert shown(hass)[1] is True
    assert await told(hass, charger, "Installed", second) == ("installed", False)


@pytest.mark.conformance("TC_L_11_CSMS")
async def test_a_first_update_goes_on_if_the_second_is_refused(
    hass: HomeAssistant, charger: Charger2
) -> None:
    first = await asked(hass, charger)
    await runs(hass, charger, first, *DOWNLOADED[:1])
    charger.answers["UpdateFirmware"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "update_firmware", replace=True)
    assert raised.value.translation_key == "rejected"
    await flush(hass)
    assert shown(hass) == ("downloading", True)
    await runs(hass, charger, first, *VERIFIED[1:])
    assert await told(hass, charger, "Installed", first) == ("installed", False)


@pytest.mark.conformance("TC_L_13_CSMS")
async def test_connectors_go_out_of_service_while_a_session_delays_the_update(
    hass: HomeAssistant, charger: Charger2, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(availability, "PREMATURE", 0.0)
    charger.places = {1: 1, 2: 1}
    await charger.connector_status("Available", 2)
    await charger.connector_status("Occupied")
    await charger.begin()
    number = await asked(hass, charger)
    await runs(hass, charger, number, *VERIFIED)
    await charger.connector_status("Unavailable", 2)
    await runs(hass, charger, number, ("InstallScheduled", "install_scheduled"))
    statuses = [state(hass, "sensor", f"CP01_{one}_status") for one in (1, 2)]
    assert statuses == ["charging", "unavailable"]
    ended = {"stoppedReason": "EVDisconnected"}
    await charger.event("Ended", number=1, energy=3000, info=ended)
    await charger.connector_status("Unavailable", 1)
    await runs(hass, charger, number, ("Installing", "installing"))
    await charger.close()
    await charger.connect()
    await charger.boot(reason="FirmwareUpdate", firmwareVersion="2.4.0")
    for evse_id in (1, 2):
        await charger.connector_status("Available", evse_id)
    assert await told(hass, charger, "Installed", number) == ("installed", False)
    statuses = [state(hass, "sensor", f"CP01_{one}_status") for one in (1, 2)]
    assert statuses == ["available", "available"]
