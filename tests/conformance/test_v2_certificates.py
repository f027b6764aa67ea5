"""Conformance: certificates of stations and of vehicles in OCPP 2.x (block M)."""

from base64 import b64decode
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.x509 import ocsp
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.charger import Payload
from ..ha.secured import REJECTED, act, encrypting_entry, hash_data, raise_profile
from ..ha.secured_v2 import SecuredCharger2, secured_charger2
from custom_components.ev_charger_hub.hub import OcppHub

HASHES: dict[str, HashAlgorithm] = {
    "SHA256": SHA256(),
    "SHA384": SHA384(),
    "SHA512": SHA512(),
}
ACCEPTED = {"status": "Accepted"}
FAILED = {"status": "Failed"}
TYPES = {
    "central_system_root": "CSMSRootCertificate",
    "manufacturer_root": "ManufacturerRootCertificate",
    "v2g_root": "V2GRootCertificate",
    "mo_root": "MORootCertificate",
    "oem_root": "OEMRootCertificate",
    "v2g_chain": "V2GCertificateChain",
}
CSMS, MANUFACTURER = TYPES["central_system_root"], TYPES["manufacturer_root"]


@pytest.fixture
def server_entry() -> MockConfigEntry:
    """Return the entry of a server that encrypts, with an authority of its own."""
    return encrypting_entry()


async def _charger(
    hass: HomeAssistant, hub: OcppHub, folder: Path, version: str
) -> AsyncGenerator[SecuredCharger2]:
    async with secured_charger2(hass, hub, folder, version=version) as charger:
        charger.received.clear()
        yield charger


@pytest.fixture(params=["2.0.1", "2.1"])
async def charger(
    request: pytest.FixtureRequest, hass: HomeAssistant, hub: OcppHub, tmp_path: Path
) -> AsyncGenerator[SecuredCharger2]:
    """Return a charger of each version with a password."""
    async for one in _charger(hass, hub, tmp_path, request.param):
        yield one


@pytest.fixture
async def charger21(
    hass: HomeAssistant, hub: OcppHub, tmp_path: Path
) -> AsyncGenerator[SecuredCharger2]:
    """Return a charger of 2.1."""
    async for one in _charger(hass, hub, tmp_path, "2.1"):
        yield one


@pytest.fixture
def root(hub: OcppHub) -> str:
    """Return a root certificate."""
    assert hub.authority is not None
    return hub.authority.root_pem


def named(algorithm: str = "SHA256", number: int = 1) -> Payload:
    """Return how a charger calls a certificate, in its own spelling."""
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": "00Aa" * 8,
        "issuerKeyHash": "fF01" * 8,
        "serialNumber": f"0F5{number}",
    }


# Installing


async def installs(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    charger: SecuredCharger2,
    root: str,
    use: str,
) -> None:
    """Assert that a root is brought, and that it is looked whether it is there."""
    answer = await act(hass, entry, "install_certificate", use=use, certificate=root)
    assert answer["status"] == "confirmed"
    assert charger.calls("InstallCertificate") == [
        {"certificateType": TYPES[use], "certificate": root}
    ]


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(
            "central_system_root", marks=pytest.mark.conformance("TC_M_01_CSMS")
        ),
        pytest.param(
            "manufacturer_root", marks=pytest.mark.conformance("TC_M_02_CSMS")
        ),
        pytest.param("v2g_root", marks=pytest.mark.conformance("TC_M_03_CSMS")),
        pytest.param("mo_root", marks=pytest.mark.conformance("TC_M_04_CSMS")),
    ],
)
async def test_root_is_installed(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    root: str,
    use: str,
) -> None:
    await installs(hass, init_integration, charger, root, use)


@pytest.mark.conformance("TC_M_101_CSMS")
async def test_root_of_vehicle_makers_is_installed(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger21: SecuredCharger2,
    root: str,
) -> None:
    await installs(hass, init_integration, charger21, root, "oem_root")


@pytest.mark.conformance("TC_M_05_CSMS")
@pytest.mark.parametrize("answer", [FAILED, REJECTED])
async def test_root_that_is_not_installed_is_told(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    answer: Payload,
) -> None:
    charger.answers["InstallCertificate"] = dict(answer)
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, init_integration, "install_certificate")
    assert err.value.translation_key == "rejected"
    assert err.value.translation_placeholders is not None
    assert answer["status"] in str(err.value.translation_placeholders)
    assert (await charger.call("Heartbeat")).keys() == {"currentTime"}


# Listing


@pytest.mark.parametrize("algorithm", HASHES)
@pytest.mark.parametrize(
    "use",
    [
        pytest.param(
            "central_system_root", marks=pytest.mark.conformance("TC_M_12_CSMS")
        ),
        pytest.param(
            "manufacturer_root", marks=pytest.mark.conformance("TC_M_13_CSMS")
        ),
        pytest.param("v2g_root", marks=pytest.mark.conformance("TC_M_14_CSMS")),
        pytest.param("mo_root", marks=pytest.mark.conformance("TC_M_16_CSMS")),
    ],
)
async def test_certificates_of_a_use_are_listed(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    use: str,
    algorithm: str,
) -> None:
    line = {
        "certificateType": TYPES[use],
        "certificateHashData": named(algorithm),
    }
    charger.answers["GetInstalledCertificateIds"] = {
        **ACCEPTED,
        "certificateHashDataChain": [line],
    }
    found = await act(hass, init_integration, "get_installed_certificates", use=use)
    assert charger.calls("GetInstalledCertificateIds") == [
        {"certificateType": [TYPES[use]]}
    ]
    (one,) = found["certificates"]
    assert one["use"] == use
    assert one["algorithm"] == algorithm
    assert one["serial"] == "0F51"
    assert one["children"] == []


@pytest.mark.conformance("TC_M_15_CSMS")
async def test_chain_for_vehicles_is_listed_with_what_is_below_it(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    line = {
        "certificateType": TYPES["v2g_chain"],
        "certificateHashData": named(),
        "childCertificateHashData": [named(number=2), named(number=3)],
    }
    charger.answers["GetInstalledCertificateIds"] = {
        **ACCEPTED,
        "certificateHashDataChain": [line],
    }
    found = await act(
        hass, init_integration, "get_installed_certificates", use="v2g_chain"
    )
    (one,) = found["certificates"]
    assert one["use"] == "v2g_chain"
    assert [child["serial"] for child in one["children"]] == ["0F52", "0F53"]


@pytest.mark.conformance("TC_M_17_CSMS")
async def test_two_uses_are_asked_for_at_once(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    root: str,
) -> None:
    charger.roots = {CSMS: [root], MANUFACTURER: [root], TYPES["v2g_root"]: [root]}
    uses = ["central_system_root", "manufacturer_root"]
    found = await act(hass, init_integration, "get_installed_certificates", use=uses)
    assert charger.calls("GetInstalledCertificateIds") == [
        {"certificateType": [CSMS, MANUFACTURER]}
    ]
    assert [one["use"] for one in found["certificates"]] == uses
    assert all(one["ours"] for one in found["certificates"])


@pytest.mark.conformance("TC_M_18_CSMS")
async def test_all_certificates_are_asked_for_without_a_type(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    root: str,
) -> None:
    uses = ["central_system_root", "manufacturer_root", "v2g_root", "mo_root"]
    charger.roots = {TYPES[use]: [root] for use in uses}
    found = await act(hass, init_integration, "get_installed_certificates")
    assert charger.calls("GetInstalledCertificateIds") == [{}]
    assert [one["use"] for one in found["certificates"]] == uses


@pytest.mark.conformance("TC_M_19_CSMS")
async def test_that_there_are_none_is_no_error(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    found = await act(
        hass, init_integration, "get_installed_certificates", use="manufacturer_root"
    )
    assert found == {"certificates": []}


# Deleting


async def deletes(
    hass: HomeAssistant, entry: MockConfigEntry, charger: SecuredCharger2, line: Payload
) -> dict[str, Any]:
    """Have the charger delete the one certificate that it lists."""
    charger.answers["GetInstalledCertificateIds"] = {
        **ACCEPTED,
        "certificateHashDataChain": [
            {"certificateType": MANUFACTURER, "certificateHashData": line}
        ],
    }
    found = await act(hass, entry, "get_installed_certificates")
    (one,) = found["certificates"]
    keys = ("algorithm", "issuer_name_hash", "issuer_key_hash", "serial")
    return await act(
        hass, entry, "delete_certificate", **{key: one[key] for key in keys}
    )


@pytest.mark.conformance("TC_M_20_CSMS")
@pytest.mark.parametrize("algorithm", HASHES)
async def test_certificate_is_deleted_as_it_was_named(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    algorithm: str,
) -> None:
    charger.answers["DeleteCertificate"] = dict(ACCEPTED)
    line = named(algorithm)
    answer = await deletes(hass, init_integration, charger, line)
    assert answer["status"] == "accepted"
    assert charger.calls("DeleteCertificate") == [{"certificateHashData": line}]


@pytest.mark.conformance("TC_M_21_CSMS")
@pytest.mark.parametrize("status", ["Failed", "NotFound"])
async def test_certificate_that_is_not_deleted_is_told(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    status: str,
) -> None:
    charger.answers["DeleteCertificate"] = {"status": status}
    with pytest.raises(HomeAssistantError) as err:
        await deletes(hass, init_integration, charger, named())
    assert err.value.translation_key == "rejected"
    assert status in str(err.value.translation_placeholders)


# Vehicles


def asked_of(leaf: x509.Certificate, root: x509.Certificate, algorithm: str) -> Payload:
    """Return what a station asks about a certificate (OCSPRequestDataType)."""
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, root, HASHES[algorithm])
    built = request.build()
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": built.issuer_name_hash.hex(),
        "issuerKeyHash": built.issuer_key_hash.hex(),
        "serialNumber": f"{built.serial_number:X}",
        "responderURL": "http://192.168.1.1/ocsp",
    }


@pytest.mark.conformance("TC_M_24_CSMS")
@pytest.mark.parametrize("algorithm", HASHES)
async def test_status_of_our_certificate_is_told(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    root: str,
    algorithm: str,
) -> None:
    await raise_profile(hass, init_integration, charger, 3)
    leaf = x509.load_pem_x509_certificates(charger.chain.encode())[0]
    issuer = x509.load_pem_x509_certificate(root.encode())
    data = asked_of(leaf, issuer, algorithm)
    answer = await charger.call("GetCertificateStatus", {"ocspRequestData": data})
    assert answer["status"] == "Accepted"
    assert len(answer["ocspResult"]) <= 5500
    told = ocsp.load_der_ocsp_response(b64decode(answer["ocspResult"], validate=True))
    assert told.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
    assert told.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert told.serial_number == leaf.serial_number
    key = issuer.public_key()
    assert isinstance(key, RSAPublicKey)
    key.verify(told.signature, told.tbs_response_bytes, PKCS1v15(), SHA256())


async def test_of_other_certificates_nothing_is_told(
    charger: SecuredCharger2, root: str
) -> None:
    issuer = x509.load_pem_x509_certificate(root.encode())
    foreign = named() | {"responderURL": "http://192.168.1.1/ocsp"}
    for data in (foreign, asked_of(issuer, issuer, "SHA256")):
        answer = await charger.call("GetCertificateStatus", {"ocspRequestData": data})
        assert answer["status"] == "Failed"
        assert "ocspResult" not in answer


async def test_contracts_are_refused_politely(charger: SecuredCharger2) -> None:
    for action in ("Install", "Update"):
        answer = await charger.call(
            "Get15118EVCertificate",
            {
                "iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef",
                "action": action,
                "exiRequest": "gJgCAAABAA==",
            },
        )
        assert answer["status"] == "Failed"
        assert answer["exiResponse"] == ""


async def test_status_of_a_chain_is_answered_for_each_of_it(
    charger21: SecuredCharger2,
) -> None:
    asked = [
        {
            "certificateHashData": named(number=number),
            "source": source,
            "urls": ["http://192.168.1.1/"],
        }
        for number, source in enumerate(["OCSP", "CRL", "OCSP"], start=1)
    ]
    answer = await charger21.call(
        "GetCertificateChainStatus", {"certificateStatusRequests": asked}
    )
    told = answer["certificateStatus"]
    assert [one["certificateHashData"] for one in told] == [
        one["certificateHashData"] for one in asked
    ]
    assert [one["source"] for one in told] == ["OCSP", "CRL", "OCSP"]
    assert {one["status"] for one in told} == {"Failed"}


async def test_root_in_use_is_not_deleted(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    root: str,
) -> None:
    await raise_profile(hass, init_integration, charger, 2)
    with pytest.raises(HomeAssistantError) as err:
        await deletes(hass, init_integration, charger, hash_data(root))
    assert err.value.translation_key == "certificate_in_use"
    assert not charger.calls("DeleteCertificate")
