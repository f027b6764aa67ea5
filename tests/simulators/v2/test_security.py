"""Ways to the central system: passwords, certificates, profiles, networks."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from aiohttp import ClientError
import pytest

from .central import CentralSystem2
from .test_requests import ACCEPTED, REJECTED, variable
from simulators.charging_station.certificates import hash_data
from simulators.charging_station.v2 import ChargingStation
from tests.simulators.authority import Authority
from tests.simulators.conftest import FakeClock

ROOT = "CSMSRootCertificate"


@pytest.fixture
def authority() -> Authority:
    """Return whom the central system has its certificate from."""
    return Authority()


@pytest.fixture
async def secure(
    socket_enabled: None, authority: Authority, tmp_path: Path
) -> AsyncGenerator[CentralSystem2]:
    """Return a central system that listens with TLS."""
    system = CentralSystem2()
    await system.start(authority.server_context(tmp_path))
    yield system
    await system.stop()
    assert system.violations == []


def data(port: int, profile: int, **more: Any) -> dict[str, Any]:
    """Return a way to a central system."""
    return {
        "messageTimeout": 30,
        "ocppCsmsUrl": f"ws://127.0.0.1:{port}/ocpp",
        "ocppInterface": "Wired0",
        "ocppTransport": "JSON",
        "ocppVersion": "OCPP20",
        "securityProfile": profile,
    } | more


async def test_roots_are_installed_listed_and_deleted(
    central2: CentralSystem2, station2: ChargingStation, authority: Authority
) -> None:
    kinds = {"certificateType": [ROOT]}
    none = {"status": "NotFound"}
    assert await central2.request("GetInstalledCertificateIds", **kinds) == none
    install = {"certificateType": ROOT, "certificate": authority.root_pem}
    assert await central2.request("InstallCertificate", **install) == ACCEPTED
    nonsense = install | {"certificate": "nonsense"}
    assert await central2.request("InstallCertificate", **nonsense) == REJECTED
    listed = await central2.request("GetInstalledCertificateIds", **kinds)
    (chain,) = listed["certificateHashDataChain"]
    assert chain["certificateHashData"] == hash_data(authority.root_pem)
    delete = {"certificateHashData": chain["certificateHashData"]}
    assert await central2.request("DeleteCertificate", **delete) == ACCEPTED
    assert await central2.request("DeleteCertificate", **delete) == none


async def test_a_certificate_is_requested_verified_and_asked_for_again(
    central2: CentralSystem2, station2: ChargingStation, authority: Authority
) -> None:
    station2.security.trust([authority.root_pem])
    kind = {"certificateType": "ChargingStationCertificate"}
    trigger = {"requestedMessage": "SignChargingStationCertificate"}
    assert await central2.request("TriggerMessage", **trigger) == ACCEPTED
    await central2.count("SignCertificate", 1)
    await station2.settle()
    await station2.pass_time(31)
    await central2.count("SignCertificate", 2)  # Nothing came.
    await station2.settle()
    old, new = (one["csr"] for one in central2.of("SignCertificate"))
    for csr, status in ((old, REJECTED), (new, ACCEPTED), (new, REJECTED)):
        chain = authority.sign(csr)
        answer = await central2.request(
            "CertificateSigned", certificateChain=chain, **kind
        )
        assert answer == status
    await station2.settle()
    told = [one["type"] for one in central2.of("SecurityEventNotification")]
    assert told[1:] == ["InvalidChargingStationCertificate"] * 2
    assert station2.security.chain is not None


async def test_without_an_organization_a_trigger_is_accepted_and_nothing_follows(
    central2: CentralSystem2, station2: ChargingStation
) -> None:
    station2.model.put("SecurityCtrlr.OrganizationName", "")
    trigger = {"requestedMessage": "SignChargingStationCertificate"}
    assert await central2.request("TriggerMessage", **trigger) == ACCEPTED
    await station2.pass_time(1)
    assert central2.of("SignCertificate") == []


async def test_from_a_password_to_tls_and_never_back(
    central2: CentralSystem2,
    secure: CentralSystem2,
    station2: ChargingStation,
    authority: Authority,
) -> None:
    station2.security.password = "sixteen-letters-x"
    there = {"configurationSlot": 2, "connectionData": data(secure.port, 2)}
    # Without a root nothing could be trusted.
    assert await central2.request("SetNetworkProfile", **there) == REJECTED
    station2.security.trust([authority.root_pem])
    assert await central2.request("SetNetworkProfile", **there) == ACCEPTED
    order = [variable("OCPPCommCtrlr.NetworkConfigurationPriority", "2,1")]
    await central2.request("SetVariables", setVariableData=order)
    await station2.reboot("RemoteReset")
    await secure.count("StatusNotification", 3)
    await station2.settle()
    assert secure.authorization is not None
    assert [*station2.security.networks] == [2]
    back = {"configurationSlot": 1, "connectionData": data(central2.port, 1)}
    assert await secure.request("SetNetworkProfile", **back) == REJECTED
    asked = [variable("SecurityCtrlr.SecurityProfile")]
    answer = await secure.request("GetVariables", getVariableData=asked)
    assert answer["getVariableResult"][0]["attributeValue"] == "2"
    named = {"certificateHashData": hash_data(authority.root_pem)}
    # The connection rests on it.
    assert await secure.request("DeleteCertificate", **named) == {"status": "Failed"}


async def test_with_a_certificate_of_its_own_it_sends_no_password(
    secure: CentralSystem2, authority: Authority, clock: FakeClock, tmp_path: Path
) -> None:
    url, file = f"wss://127.0.0.1:{secure.port}/ocpp", tmp_path / "state.json"
    station = ChargingStation(url, "CP2", password="sesame", clock=clock, memory=file)
    station.security.trust([authority.root_pem])
    await station.connect()
    await secure.count("StatusNotification", 1)
    await station.settle()
    password = secure.authorization
    assert password is not None
    await station.security.request_certificate()
    chain = authority.sign(secure.of("SignCertificate")[0]["csr"])
    kind = {"certificateType": "ChargingStationCertificate"}
    signed = {"certificateChain": chain, **kind}
    assert await secure.request("CertificateSigned", **signed) == ACCEPTED
    there = {"configurationSlot": 1, "connectionData": data(secure.port, 3)}
    assert await secure.request("SetNetworkProfile", **there) == ACCEPTED
    await station.close()
    again = ChargingStation("ws://nowhere", "CP2", clock=clock, memory=file)
    await again.connect()
    await secure.count("BootNotification", 2)
    await again.settle()
    assert again.security.profile == 3
    assert secure.authorization is None
    await again.close()


async def test_who_is_not_trusted_is_told_of_later(
    central2: CentralSystem2, secure: CentralSystem2, clock: FakeClock
) -> None:
    station = ChargingStation(f"wss://127.0.0.1:{secure.port}/ocpp", "CP2", clock=clock)
    station.security.trust([Authority("Other").root_pem])
    with pytest.raises(ClientError):
        await station.connect()
    station.security.networks[1] = data(central2.port, 0)
    central2.refuse = True
    with pytest.raises(ClientError):
        await station.connect()
    central2.refuse = False
    await station.connect()
    await central2.count("SecurityEventNotification", 3)
    await station.settle()
    told = [one["type"] for one in central2.of("SecurityEventNotification")]
    assert told == [
        "StartupOfTheDevice",
        "InvalidCsmsCertificate",
        "FailedToAuthenticateAtCsms",
    ]
    await station.close()
