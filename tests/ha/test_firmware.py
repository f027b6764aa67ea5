"""Firmware: offers, updates by entity and action, progress, and what it blocks."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)

from .charger import Charger, Payload, Refusal
from .conftest import ChargerFactory
from .entities import act, device_id, entity_id, exists, flush, full_state, state
from custom_components.ev_charger_hub.const import DOMAIN

LOCATION = "https://example.com/wall-1.8.30.bin"
WHEN = "2026-11-22T02:00:00+00:00"
OFFER = {"version": "1.8.30", "location": LOCATION}


@pytest.fixture
def charger(approved_charger: Charger) -> Charger:
    """Return a charger with firmware 1.2.3 that can be updated."""
    approved_charger.answers["UpdateFirmware"] = {}
    approved_charger.received.clear()
    return approved_charger


async def _status(hass: HomeAssistant, charger: Charger, *statuses: str) -> None:
    """Have the charger tell how far it is."""
    for status in statuses:
        await charger.call("FirmwareStatusNotification", {"status": status})
    await flush(hass)


async def _install(hass: HomeAssistant) -> None:
    """Press Install."""
    await flush(hass)
    target = {ATTR_ENTITY_ID: entity_id(hass, "update", "CP01_firmware")}
    await hass.services.async_call("update", "install", target, blocking=True)


def _shown(hass: HomeAssistant) -> tuple[str, Any, Any, Any]:
    """Return what the update entity shows."""
    shown = full_state(hass, "update", "CP01_firmware")
    return (
        shown.state,
        shown.attributes["installed_version"],
        shown.attributes["latest_version"],
        shown.attributes["in_progress"],
    )


async def test_offer_makes_an_entity_that_installs(
    hass: HomeAssistant, charger: Charger
) -> None:
    assert not exists(hass, "update", "CP01_firmware")
    page = "https://example.com/notes"
    assert await act(hass, "offer_firmware", **OFFER, release_url=page) == {
        "version": "1.8.30"
    }
    await flush(hass)
    assert _shown(hass) == ("on", "1.2.3", "1.8.30", False)
    shown = full_state(hass, "update", "CP01_firmware")
    assert shown.attributes["release_url"] == page
    assert charger.received == []

    await _install(hass)
    await flush(hass)
    (sent,) = charger.calls("UpdateFirmware")
    assert sent["location"] == LOCATION
    assert set(sent) == {"location", "retrieveDate"}
    retrieve_at = datetime.fromisoformat(sent["retrieveDate"])
    assert abs(retrieve_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert _shown(hass) == ("on", "1.2.3", "1.8.30", True)

    await _status(hass, charger, "Downloading", "Downloaded", "Installing")
    assert _shown(hass)[3] is True
    await charger.boot(firmwareVersion="1.8.30")
    await _status(hass, charger, "Installed")
    assert _shown(hass) == ("off", "1.8.30", "1.8.30", False)


async def test_a_charger_that_boots_with_another_version_has_installed_it(
    hass: HomeAssistant, charger: Charger
) -> None:
    await act(hass, "offer_firmware", **OFFER)
    await _install(hass)
    await _status(hass, charger, "Downloading")
    await charger.boot(firmwareVersion="1.8.30")
    await flush(hass)
    assert _shown(hass) == ("off", "1.8.30", "1.8.30", False)
    await act(hass, "reset")


@pytest.mark.parametrize("last", ["DownloadFailed", "InstallationFailed"])
async def test_a_failed_update_may_be_tried_again(
    hass: HomeAssistant, charger: Charger, last: str
) -> None:
    await act(hass, "offer_firmware", **OFFER)
    await _install(hass)
    await _status(hass, charger, "Downloading", last)
    assert _shown(hass) == ("on", "1.2.3", "1.8.30", False)
    await _install(hass)
    assert len(charger.calls("UpdateFirmware")) == 2


async def test_a_charger_may_try_again_by_itself(
    hass: HomeAssistant, charger: Charger
) -> None:
    await act(hass, "offer_firmware", **OFFER)
    await act(hass, "update_firmware", retries=3)
    await _status(hass, charger, "Downloading", "DownloadFailed", "Downloading")
    assert _shown(hass)[3] is True
    await _status(hass, charger, "Installing", "Installed")
    assert _shown(hass)[3] is False


async def test_withdrawn_firmware_is_not_offered(
    hass: HomeAssistant, charger: Charger
) -> None:
    await act(hass, "offer_firmware", **OFFER)
    await flush(hass)
    await act(hass, "withdraw_firmware")
    await flush(hass)
    assert _shown(hass) == ("off", "1.2.3", "1.2.3", False)
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "update_firmware")
    assert caught.value.translation_key == "firmware_no_location"
    assert charger.received == []


async def test_everything_of_an_update_reaches_the_charger(
    hass: HomeAssistant, charger: Charger
) -> None:
    response = await act(
        hass,
        "update_firmware",
        location=LOCATION,
        retrieve_at=WHEN,
        retries=3,
        retry_interval={"minutes": 5},
    )
    assert charger.calls("UpdateFirmware") == [
        {
            "location": LOCATION,
            "retrieveDate": "2026-11-22T02:00:00.000Z",
            "retries": 3,
            "retryInterval": 300,
        }
    ]
    assert response["status"] == "accepted"
    again = await act(hass, "update_firmware", location=LOCATION)
    assert again["request_id"] > response["request_id"]


async def test_a_time_without_a_zone_is_that_of_the_house(
    hass: HomeAssistant, charger: Charger
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    when = "2026-11-22 03:00:00"
    await act(hass, "update_firmware", location=LOCATION, retrieve_at=when)
    (sent,) = charger.calls("UpdateFirmware")
    assert sent["retrieveDate"] == "2026-11-22T02:00:00.000Z"


@pytest.mark.parametrize(
    "location",
    ["", "1.8.30.bin", "file:///etc/passwd", "https://", "https://a b/", "ftp:x"],
)
async def test_an_address_that_no_charger_can_fetch_from_is_refused(
    hass: HomeAssistant, charger: Charger, location: str
) -> None:
    with pytest.raises(probatio.Invalid):
        await act(hass, "update_firmware", location=location)
    assert charger.received == []


async def test_a_refused_update_is_none(hass: HomeAssistant, charger: Charger) -> None:
    charger.answers["UpdateFirmware"] = Refusal(code="NotSupported")
    await act(hass, "offer_firmware", **OFFER)
    with pytest.raises(HomeAssistantError) as caught:
        await _install(hass)
    assert caught.value.translation_key == "not_supported_by_charger"
    await flush(hass)
    assert _shown(hass)[3] is False


async def test_an_absent_charger_is_not_updated(
    hass: HomeAssistant, charger: Charger
) -> None:
    await act(hass, "offer_firmware", **OFFER)
    await charger.close()
    await hass.async_block_till_done()
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "update_firmware")
    assert caught.value.translation_key == "not_connected"


type Doing = Callable[[HomeAssistant], Awaitable[Any]]
START: Doing = lambda hass: act(hass, "start_charging")  # noqa: E731
RESET: Doing = lambda hass: act(hass, "reset", type="hard")  # noqa: E731
UPDATE: Doing = lambda hass: act(hass, "update_firmware", location=LOCATION)  # noqa: E731


@pytest.mark.parametrize(
    ("status", "blocked"),
    [
        ("Downloading", {"reset", "update"}),
        # Some install only when they restart.
        ("Downloaded", set()),
        ("Installing", {"reset", "start", "update"}),
        ("InstallationFailed", set()),
        ("Installed", set()),
        ("Idle", set()),
    ],
)
async def test_what_an_update_blocks(
    hass: HomeAssistant, charger: Charger, status: str, blocked: set[str]
) -> None:
    await UPDATE(hass)
    await _status(hass, charger, "Downloading", status)
    found = set()
    for name, do in (("start", START), ("reset", RESET), ("update", UPDATE)):
        charger.received.clear()
        try:
            await do(hass)
        except ServiceValidationError as err:
            found.add((name, err.translation_key, len(charger.received)))
    assert found == {(name, "update_running", 0) for name in blocked}


async def test_an_update_of_the_vendor_blocks_as_well(
    hass: HomeAssistant, charger: Charger
) -> None:
    await _status(hass, charger, "Installing")
    with pytest.raises(ServiceValidationError):
        await START(hass)
    await _status(hass, charger, "Installed")
    await START(hass)


async def test_an_update_outlives_a_restart(
    hass: HomeAssistant,
    charger: Charger,
    init_integration: MockConfigEntry,
    charger_ws: ChargerFactory,
) -> None:
    await act(hass, "offer_firmware", **OFFER)
    await _install(hass)
    await _status(hass, charger, "Downloading", "Installing")
    await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    with pytest.raises(ServiceValidationError):
        await RESET(hass)
    back = await charger_ws("CP01")
    await back.boot(firmwareVersion="1.8.30")
    await flush(hass)
    assert _shown(hass) == ("off", "1.8.30", "1.8.30", False)


async def test_only_an_administrator_sends_firmware(
    hass: HomeAssistant, charger: Charger, hass_read_only_user: MockUser
) -> None:
    for action, fields in (
        ("update_firmware", {"location": LOCATION}),
        ("offer_firmware", OFFER),
        ("withdraw_firmware", {}),
    ):
        with pytest.raises(Unauthorized):
            await hass.services.async_call(
                DOMAIN,
                action,
                {ATTR_DEVICE_ID: device_id(hass, "CP01"), **fields},
                blocking=True,
                context=Context(user_id=hass_read_only_user.id),
            )
    assert charger.received == []


# Signed firmware


@cache
def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def _curve() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _certificate(
    key: Any, *, days: tuple[int, int] = (-1, 1), algorithm: Any = None
) -> str:
    """Return a certificate in PEM of a manufacturer."""
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Acme")])
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=7,
        not_valid_before=now + timedelta(days=days[0]),
        not_valid_after=now + timedelta(days=days[1]),
    )
    signed = builder.sign(_rsa(), SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


def _signature(key: Any) -> str:
    """Return the signature of a file."""
    file = b"firmware"
    if isinstance(key, rsa.RSAPrivateKey):
        return b64encode(key.sign(file, PKCS1v15(), SHA256())).decode()
    return b64encode(key.sign(file, ec.ECDSA(SHA256()))).decode()


def signed_offer() -> Payload:
    """Return firmware with a certificate and a signature."""
    signed = {"certificate": _certificate(_rsa()), "signature": _signature(_rsa())}
    return {**OFFER, **signed}


@pytest.mark.parametrize("key", [_rsa, _curve])
async def test_signed_firmware_goes_out_with_its_signature(
    hass: HomeAssistant, charger: Charger, key: Callable[[], Any]
) -> None:
    charger.answers["SignedUpdateFirmware"] = {"status": "Accepted"}
    certificate, signature = _certificate(key()), _signature(key())
    response = await act(
        hass,
        "update_firmware",
        location=LOCATION,
        certificate=certificate,
        signature=signature,
        retrieve_at=WHEN,
        install_at="2026-11-23T02:00:00+00:00",
    )
    assert charger.calls("SignedUpdateFirmware") == [
        {
            "requestId": response["request_id"],
            "firmware": {
                "location": LOCATION,
                "retrieveDateTime": "2026-11-22T02:00:00.000Z",
                "installDateTime": "2026-11-23T02:00:00.000Z",
                "signingCertificate": certificate,
                "signature": signature,
            },
        }
    ]


def _weak() -> Any:
    return rsa.generate_private_key(65537, 1024)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        (lambda: {"signature": _signature(_rsa())}, "firmware_half_signed"),
        (lambda: {"certificate": _certificate(_rsa())}, "firmware_half_signed"),
        (
            lambda: {"certificate": "MIIC", "signature": _signature(_rsa())},
            "firmware_certificate_unreadable",
        ),
        (
            lambda: {
                "certificate": _certificate(_rsa()) + " " * 5500,
                "signature": _signature(_rsa()),
            },
            "firmware_certificate_unreadable",
        ),
        (
            lambda: {
                "certificate": _certificate(_rsa(), days=(-9, -1)),
                "signature": _signature(_rsa()),
            },
            "firmware_certificate_expired",
        ),
        (
            lambda: {
                "certificate": _certificate(_weak()),
                "signature": _signature(_rsa()),
            },
            "firmware_certificate_weak",
        ),
        (
            lambda: {"certificate": _certificate(_rsa()), "signature": "?"},
            "firmware_signature_unreadable",
        ),
        (
            lambda: {"certificate": _certificate(_rsa()), "signature": "A" * 804},
            "firmware_signature_unreadable",
        ),
        (
            lambda: {
                "certificate": _certificate(_rsa()),
                "signature": _signature(_curve()),
            },
            "firmware_signature_mismatch",
        ),
        (
            lambda: {
                "certificate": _certificate(_curve()),
                "signature": _signature(_rsa()),
            },
            "firmware_signature_mismatch",
        ),
    ],
)
@pytest.mark.parametrize("action", ["update_firmware", "offer_firmware"])
async def test_a_signature_that_cannot_work_is_not_sent(
    hass: HomeAssistant,
    charger: Charger,
    action: str,
    fields: Callable[[], Payload],
    key: str,
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, action, **OFFER, **fields())
    assert caught.value.translation_key == key
    assert charger.received == []


async def test_news_of_another_update_changes_nothing(
    hass: HomeAssistant, charger: Charger
) -> None:
    charger.answers["SignedUpdateFirmware"] = {"status": "Accepted"}
    await act(hass, "offer_firmware", **signed_offer())
    response = await act(hass, "update_firmware")
    number = response["request_id"]
    for request_id, status in (
        (number, "Downloading"),
        (number + 1, "Installing"),
        (number, "InvalidSignature"),
        (number, "Downloading"),
    ):
        await charger.call(
            "SignedFirmwareStatusNotification",
            {"status": status, "requestId": request_id},
        )
        await flush(hass)
        if status == "Installing":
            await START(hass)
    assert state(hass, "sensor", "CP01_firmware_status") == "downloading"
    # A charger may try again after a failure.
    assert _shown(hass)[3] is True
