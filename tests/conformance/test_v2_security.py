"""Conformance: passwords, TLS, certificates and security profiles of OCPP 2.x (block A)."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
import ssl
from typing import Any

from aiohttp import ClientError, ClientSession, WSServerHandshakeError
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..ha.charger import PATIENCE
from ..ha.secured import (
    IDENTITY,
    PASSWORD,
    REJECTED,
    act,
    encrypting_entry,
    raise_profile,
)
from ..ha.secured_v2 import BASIC, PRIORITY, SecuredCharger2, secured_charger2
from ..ocpp.certificates import client_context, ec_key, private_pem
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.issuing import Pair, new_client, new_root

SUITES = [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
]


@pytest.fixture
def server_entry() -> MockConfigEntry:
    """Return the entry of a server that encrypts, with an authority of its own."""
    return encrypting_entry()


@pytest.fixture(params=["2.0.1", "2.1"])
async def charger(
    request: pytest.FixtureRequest, hass: HomeAssistant, hub: OcppHub, tmp_path: Path
) -> AsyncGenerator[SecuredCharger2]:
    """Return a charger with a password, which is connected without encryption."""
    # In debug mode asyncio makes an error of every failed TLS handshake.
    asyncio.get_running_loop().set_debug(False)
    async with secured_charger2(hass, hub, tmp_path, version=request.param) as charger:
        yield charger


async def knocked(charger: SecuredCharger2, user: str, password: str) -> None:
    """Dial with any credentials; raises WSServerHandshakeError when turned away."""
    credentials = b64encode(f"{user}:{password}".encode()).decode()
    async with (
        ClientSession() as http,
        http.ws_connect(
            f"{charger.url}/{IDENTITY}",
            protocols=[f"ocpp{charger.version}"],
            headers={"Authorization": f"Basic {credentials}"},
        ),
    ):
        return


# Passwords


@pytest.mark.conformance("TC_A_01_CSMS")
async def test_right_password_is_let_in(
    charger: SecuredCharger2, init_integration: MockConfigEntry
) -> None:
    await charger.hang_up()
    await charger.connect()
    assert (await charger.boot())["status"] == "Accepted"
    security = init_integration.runtime_data.stations[IDENTITY].security
    assert security.profile.value == 1


@pytest.mark.conformance("TC_A_02_CSMS")
@pytest.mark.parametrize("user", ["CP02", "cp01", ""])
async def test_name_of_another_charger_is_refused(
    charger: SecuredCharger2, user: str
) -> None:
    with pytest.raises(WSServerHandshakeError) as err:
        await knocked(charger, user, PASSWORD)
    assert err.value.status == 401
    await charger.redial()


@pytest.mark.conformance("TC_A_03_CSMS")
@pytest.mark.parametrize("password", ["", PASSWORD.lower(), f"{PASSWORD}0"])
async def test_wrong_password_is_refused(
    charger: SecuredCharger2, password: str
) -> None:
    with pytest.raises(WSServerHandshakeError) as err:
        await knocked(charger, IDENTITY, password)
    assert err.value.status == 401
    await charger.redial()


@pytest.mark.conformance("TC_A_09_CSMS")
async def test_new_password_takes_the_place_of_the_old_one(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    charger.received.clear()
    await act(hass, init_integration, "rotate_password")
    (told,) = [one["setVariableData"] for one in charger.calls("SetVariables")]
    assert told == [
        {
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": "BasicAuthPassword"},
            "attributeValue": charger.password,
        }
    ]
    new = charger.password
    assert new is not None
    assert 16 <= len(new) <= 40
    assert new != PASSWORD
    await charger.redial()
    security = init_integration.runtime_data.stations[IDENTITY].security
    await charger.until(lambda: not security.hashes)
    with pytest.raises(WSServerHandshakeError) as err:
        await knocked(charger, IDENTITY, PASSWORD)
    assert err.value.status == 401
    await charger.redial()


@pytest.mark.conformance("TC_A_10_CSMS")
async def test_refused_password_leaves_the_old_one(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    value, _ = charger.variables[BASIC]
    charger.variables[BASIC] = (value, True)
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, init_integration, "rotate_password")
    assert err.value.translation_key == "rejected"
    refused, charger.password = charger.password, PASSWORD
    assert (await charger.call("Heartbeat")).keys() == {"currentTime"}
    await charger.redial()
    assert refused is not None
    with pytest.raises(WSServerHandshakeError):
        await knocked(charger, IDENTITY, refused)


# TLS


@pytest.mark.conformance("TC_A_04_CSMS")
@pytest.mark.parametrize("suite", SUITES)
async def test_server_shows_a_certificate_for_each_suite(
    hub: OcppHub, charger: SecuredCharger2, suite: str
) -> None:
    assert hub.authority is not None
    client = client_context(root=hub.authority.root_pem)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(suite)
    socket = await _socket(charger, client)
    assert socket.version() == "TLSv1.2"
    assert socket.cipher()[0] == suite
    shown = x509.load_der_x509_certificate(socket.getpeercert(binary_form=True))
    match shown.public_key():
        case rsa.RSAPublicKey() as key:
            assert "ECDSA" not in suite
            assert key.key_size >= 2048
        case ec.EllipticCurvePublicKey() as key:
            assert "ECDSA" in suite
            assert key.key_size >= 224
    assert shown.serial_number > 0
    assert shown.subject.rfc4514_string().startswith("CN=127.0.0.1")


async def _socket(charger: SecuredCharger2, client: ssl.SSLContext) -> Any:
    """Return the TLS socket of a charger that was let in and booted with a client."""
    await charger.hang_up()
    charger.url = charger.url.replace("ws://", "wss://")
    charger.tls = client
    await charger.connect()
    assert (await charger.boot())["status"] == "Accepted"
    assert charger._ws is not None
    return charger._ws.get_extra_info("ssl_object")


@pytest.mark.conformance("TC_A_06_CSMS")
async def test_tls_below_1_2_is_turned_away(
    hub: OcppHub, charger: SecuredCharger2
) -> None:
    assert hub.authority is not None
    old = client_context(root=hub.authority.root_pem)
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    for version in ("minimum_version", "maximum_version"):
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            setattr(old, version, ssl.TLSVersion.TLSv1_1)
    with pytest.raises(ClientError):
        await _socket(charger, old)
    client = client_context(root=hub.authority.root_pem)
    charger.url = charger.url.replace("wss://", "ws://")
    socket = await _socket(charger, client)
    assert socket.version() in {"TLSv1.2", "TLSv1.3"}


@pytest.mark.conformance("TC_A_07_CSMS")
async def test_charger_with_a_certificate_is_let_in(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    await raise_profile(hass, init_integration, charger, 3)
    await charger.hang_up()
    charger.password = None
    await charger.dial()
    assert (await charger.boot())["status"] == "Accepted"
    security = init_integration.runtime_data.stations[IDENTITY].security
    assert security.profile.value == 3


@pytest.mark.conformance("TC_A_08_CSMS")
@pytest.mark.parametrize("wrong", ["unknown_authority", "expired", "other_charger"])
async def test_wrong_certificate_is_turned_away(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    wrong: str,
) -> None:
    await raise_profile(hass, init_integration, charger, 3)
    right = charger.key, charger.chain
    folder = Path(hass.config.path(DOMAIN, "authority"))
    ours = await hass.async_add_executor_job(
        lambda: Pair.read((folder / "root.pem").read_bytes())
    )
    now = dt_util.utcnow()
    root = new_root(now) if wrong == "unknown_authority" else ours
    name = "CP02" if wrong == "other_charger" else IDENTITY
    since = now - timedelta(days=1200 if wrong == "expired" else 1)
    charger.key = ec_key()
    made = new_client(root, charger.key.public_key(), name, name, since)
    charger.chain = made.public_bytes(Encoding.PEM).decode()
    assert private_pem(charger.key) not in charger.chain
    with pytest.raises(ClientError):
        await charger.redial()
    charger.key, charger.chain = right
    await charger.redial()


# Certificates of chargers


async def signed_again(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    message: str,
) -> dict[str, Any]:
    """Have an encrypted charger ask for a certificate; return what it was brought."""
    charger.received.clear()
    charger.order.clear()
    await act(hass, init_integration, "trigger_message", message=message)
    assert {"requestedMessage": message} in charger.calls("TriggerMessage")
    signed = await charger.expect("CertificateSigned")
    wanted = [message, "SignCertificate", "CertificateSigned"]
    assert [one for one in charger.order if one in wanted] == wanted
    assert charger.promised[-1] == "Accepted"
    return signed


@pytest.mark.conformance("TC_A_11_CSMS")
async def test_certificate_is_updated_by_our_request(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    await raise_profile(hass, init_integration, charger, 3)
    charger.received.clear()
    charger.order.clear()
    old = charger.chain
    await act(hass, init_integration, "renew_certificate")
    signed = await charger.expect("CertificateSigned")
    wanted = ["SignChargingStationCertificate", "SignCertificate", "CertificateSigned"]
    assert [one for one in charger.order if one in wanted] == wanted
    assert signed["certificateType"] == "ChargingStationCertificate"
    await charger.until(lambda: charger.chain != old)
    assert charger.chain == signed["certificateChain"]
    assert "\r" not in charger.chain
    await charger.redial()
    assert charger.profile == 3


@pytest.mark.conformance("TC_A_13_CSMS")
async def test_combined_certificate_is_signed_as_such(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    await raise_profile(hass, init_integration, charger, 3)
    signed = await signed_again(
        hass, init_integration, charger, "SignCombinedCertificate"
    )
    # As in the request, no type stands for both uses.
    assert signed == {"certificateChain": charger.chain}
    await charger.redial()


async def test_certificate_for_vehicles_is_refused_politely(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    await raise_profile(hass, init_integration, charger, 2)
    answer = await charger.ask_for_certificate("V2GCertificate")
    assert answer == {"status": "Rejected"}
    if charger.version == "2.1":
        answer = await charger.ask_for_certificate("V2G20Certificate", requestId=3)
        assert answer == {"status": "Rejected"}
    answer = await charger.ask_for_certificate()
    assert answer == {"status": "Accepted"}


async def test_number_of_a_request_comes_back_with_the_certificate(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    await raise_profile(hass, init_integration, charger, 2)
    charger.received.clear()
    more: dict[str, Any] = {"requestId": 4711} if charger.version == "2.1" else {}
    await charger.ask_for_certificate(**more)
    signed = await charger.expect("CertificateSigned")
    assert signed.get("requestId") == more.get("requestId")


@pytest.mark.conformance("TC_A_14_CSMS")
async def test_refused_certificate_leaves_the_old_one(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    await raise_profile(hass, init_integration, charger, 3)
    charger.received.clear()
    old = charger.key, charger.chain
    charger.answers["CertificateSigned"] = dict(REJECTED)
    await act(hass, init_integration, "renew_certificate")
    await charger.expect("CertificateSigned")
    answer = await charger.security_event("InvalidChargingStationCertificate")
    assert answer == {}
    await hass.async_block_till_done()
    event = hass.states.get("event.garage_security_event")
    assert event is not None
    assert event.attributes["event_type"] == "invalid_charge_point_certificate"
    findings = init_integration.runtime_data.stations[IDENTITY].station.findings
    assert findings["certificate"] == "refused: Rejected"
    charger.key, charger.chain = old
    await charger.redial()


# Security profiles


@pytest.mark.conformance("TC_A_19_CSMS")
@pytest.mark.conformance("UC_A05")
@pytest.mark.parametrize("target", [2, 3])
async def test_profile_is_raised_and_the_lower_one_refused(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    target: int,
) -> None:
    if target == 3:
        await raise_profile(hass, init_integration, charger, 2)
    charger.received.clear()
    before = charger.slot
    await raise_profile(hass, init_integration, charger, target)
    wanted = {"SetNetworkProfile", "Reset"}
    told = [
        one
        for one in charger.received
        if one.action in wanted or PRIORITY.partition(".")[2] in str(one.payload)
    ]
    told = [one for one in told if not one.action.startswith("Get")]
    assert [one.action for one in told] == [
        "SetNetworkProfile",
        "SetVariables",
        "Reset",
    ]
    slot = told[0].payload["configurationSlot"]
    assert slot != before
    data = told[0].payload["connectionData"]
    assert data["securityProfile"] == target
    assert data["ocppTransport"] == "JSON"
    assert data["ocppCsmsUrl"] == f"wss://127.0.0.1:{hub.port}"
    assert data["messageTimeout"] == 30
    if charger.version == "2.0.1":
        assert data["ocppVersion"] == "OCPP20"
        assert data["ocppInterface"] == "Wired0"
    (one,) = told[1].payload["setVariableData"]
    assert one["attributeValue"].split(",")[:2] == [str(slot), str(before)]
    assert told[2].payload == {"type": "Immediate"}
    assert charger.profile == target
    with pytest.raises(ClientError):
        await charger.redial(target - 1)
    await charger.redial()


async def test_charger_that_does_not_arrive_is_let_in_as_before(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    charger.reset_works = False
    await act(hass, init_integration, "set_security_profile", profile=2)
    await charger.expect("Reset")
    # It tries the new way in vain, and then dials the old one.
    await charger.redial()
    assert charger.profile == 1
    async with asyncio.timeout(PATIENCE):
        assert (await charger.call("Heartbeat")).keys() == {"currentTime"}
