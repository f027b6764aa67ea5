"""Conformance: passwords, certificates, profiles and security events of OCPP 1.6."""

from collections.abc import AsyncGenerator
from pathlib import Path

from aiohttp import ClientError, WSServerHandshakeError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.secured import (
    IDENTITY,
    PASSWORD,
    REJECTED,
    SecuredCharger,
    act,
    encrypting_entry,
    hash_data,
    raise_profile,
    secured_charger,
)
from custom_components.ev_charger_hub.hub import OcppHub

TYPES = {
    "manufacturer_root": "ManufacturerRootCertificate",
    "central_system_root": "CentralSystemRootCertificate",
}


@pytest.fixture
def server_entry() -> MockConfigEntry:
    """Return the entry of a server that encrypts, with an authority of its own."""
    return encrypting_entry()


@pytest.fixture
async def charger(
    hass: HomeAssistant, hub: OcppHub, tmp_path: Path
) -> AsyncGenerator[SecuredCharger]:
    """Return a charger with a password, which is connected without encryption."""
    async with secured_charger(hass, hub, tmp_path) as charger:
        yield charger


@pytest.mark.conformance("TC_073_CSMS")
async def test_password_is_changed(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    await act(hass, init_integration, "rotate_password")
    told = [
        one["value"]
        for one in charger.calls("ChangeConfiguration")
        if one["key"] == "AuthorizationKey"
    ]
    assert len(told) == 1
    assert 16 <= len(bytes.fromhex(told[0])) <= 20
    assert charger.password != PASSWORD
    await charger.redial()
    security = init_integration.runtime_data.stations[IDENTITY].security
    await charger.until(lambda: not security.hashes)
    charger.password, new = PASSWORD, charger.password
    with pytest.raises(WSServerHandshakeError) as err:
        await charger.redial()
    assert err.value.status == 401
    charger.password = new
    await charger.redial()


@pytest.mark.conformance("SEC_03")
async def test_password_may_come_as_text_or_in_hex(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    charger.password = PASSWORD.encode().hex()
    await charger.redial()
    charger.password = PASSWORD.encode().hex().upper()
    await charger.redial()
    await act(hass, init_integration, "rotate_password")
    new = charger.password
    assert new is not None
    charger.password = new.encode().hex()
    await charger.redial()
    charger.password = new
    await charger.redial()


@pytest.mark.conformance("TC_074_CSMS")
async def test_certificate_is_updated_by_our_request(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    await raise_profile(hass, init_integration, charger, 3)
    charger.received.clear()
    charger.order.clear()
    old = charger.chain
    await act(hass, init_integration, "renew_certificate")
    assert charger.calls("ExtendedTriggerMessage") == [
        {"requestedMessage": "SignChargePointCertificate"}
    ]
    signed = await charger.expect("CertificateSigned")
    await charger.until(lambda: charger.chain != old)
    assert charger.chain == signed["certificateChain"]
    assert len(charger.chain) <= 10000
    assert "\r" not in charger.chain
    wanted = ["ExtendedTriggerMessage", "SignCertificate", "CertificateSigned"]
    assert [one for one in charger.order if one in wanted] == wanted
    assert charger.promised[-1] == "Accepted"
    await charger.redial()
    assert charger.profile == 3


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(
            "manufacturer_root", marks=pytest.mark.conformance("TC_075_1_CSMS")
        ),
        pytest.param(
            "central_system_root", marks=pytest.mark.conformance("TC_075_2_CSMS")
        ),
    ],
)
async def test_certificate_is_installed_and_verified(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    charger: SecuredCharger,
    use: str,
) -> None:
    assert hub.authority is not None
    root = hub.authority.root_pem
    answer = await act(
        hass, init_integration, "install_certificate", use=use, certificate=root
    )
    assert answer["status"] == "confirmed"
    assert charger.calls("InstallCertificate") == [
        {"certificateType": TYPES[use], "certificate": root}
    ]
    assert charger.calls("GetInstalledCertificateIds") == [
        {"certificateType": TYPES[use]}
    ]
    found = await act(hass, init_integration, "get_installed_certificates", use=use)
    (one,) = found["certificates"]
    assert one["issuer_key_hash"] == hash_data(root)["issuerKeyHash"]
    # What it says that it keeps has to be what it was sent.
    other = {**hash_data(root), "issuerKeyHash": "00" * 32}
    charger.answers["GetInstalledCertificateIds"] = {
        "status": "Accepted",
        "certificateHashData": [other],
    }
    answer = await act(
        hass, init_integration, "install_certificate", use=use, certificate=root
    )
    assert answer["status"] != "confirmed"


@pytest.mark.conformance("TC_076_CSMS")
@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
async def test_certificate_is_deleted_as_it_was_named(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger,
    algorithm: str,
) -> None:
    named = {
        "hashAlgorithm": algorithm,
        "issuerNameHash": "00Aa" * 8,
        "issuerKeyHash": "fF01" * 8,
        "serialNumber": "0F5A",
    }
    charger.answers["GetInstalledCertificateIds"] = {
        "status": "Accepted",
        "certificateHashData": [named],
    }
    charger.answers["DeleteCertificate"] = {"status": "Accepted"}
    found = await act(
        hass, init_integration, "get_installed_certificates", use="manufacturer_root"
    )
    (one,) = found["certificates"]
    keys = ("algorithm", "issuer_name_hash", "issuer_key_hash", "serial")
    await act(
        hass, init_integration, "delete_certificate", **{key: one[key] for key in keys}
    )
    assert charger.calls("DeleteCertificate") == [{"certificateHashData": named}]


@pytest.mark.conformance("TC_077_CSMS")
async def test_refused_certificate_leaves_the_old_one(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    await raise_profile(hass, init_integration, charger, 3)
    charger.received.clear()
    old = charger.key, charger.chain
    charger.answers["CertificateSigned"] = dict(REJECTED)
    await act(hass, init_integration, "renew_certificate")
    await charger.expect("CertificateSigned")
    await charger.security_event("InvalidChargePointCertificate")
    await hass.async_block_till_done()
    event = hass.states.get("event.garage_security_event")
    assert event is not None
    assert event.attributes["event_type"] == "invalid_charge_point_certificate"
    charger.key, charger.chain = old
    await charger.redial()


@pytest.mark.conformance("TC_078_CSMS")
async def test_refused_root_is_told(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    charger.answers["InstallCertificate"] = dict(REJECTED)
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, init_integration, "install_certificate")
    assert err.value.translation_key == "rejected"
    await charger.security_event("InvalidCentralSystemCertificate")
    await hass.async_block_till_done()
    event = hass.states.get("event.garage_security_event")
    assert event is not None
    assert event.attributes["event_type"] == "invalid_central_system_certificate"


@pytest.mark.conformance("TC_083_CSMS")
@pytest.mark.parametrize("target", [2, 3])
async def test_profile_is_raised_and_the_lower_one_refused(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger,
    target: int,
) -> None:
    if target == 3:
        await raise_profile(hass, init_integration, charger, 2)
    charger.received.clear()
    await raise_profile(hass, init_integration, charger, target)
    told = [
        (one.action, one.payload)
        for one in charger.received
        if one.action == "Reset" or one.payload.get("key") == "SecurityProfile"
    ]
    assert told == [
        ("ChangeConfiguration", {"key": "SecurityProfile", "value": str(target)}),
        ("Reset", {"type": "Hard"}),
    ]
    assert charger.profile == target
    with pytest.raises(ClientError):
        await charger.redial(target - 1)
    await charger.redial()
