"""The virtual station proves who it is, and doubts who others are."""

from base64 import b64decode
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.ocsp import OCSPRequestBuilder
import pytest

from .authority import Authority
from .central import PlainCentralSystem
from simulators.charging_station import VENDORS, ChargingStation16, Misbehaviour
from simulators.charging_station.control import application

PASSWORD = "sesame-sesame-sesame"
ROOT = "CentralSystemRootCertificate"

type Make = Callable[..., ChargingStation16]


@pytest.fixture
def authority() -> Authority:
    """Return the authority that everybody trusts."""
    return Authority()


@pytest.fixture
async def make(central: PlainCentralSystem, tmp_path: Path) -> AsyncGenerator[Make]:
    """Return what makes stations with a memory; switched off after the test."""
    made: list[ChargingStation16] = []

    def create(**options: Any) -> ChargingStation16:
        kept: dict[str, Any] = {"memory": tmp_path / "state.json"}
        options = {"password": PASSWORD} | kept | options
        url = f"ws://127.0.0.1:{central.port}/ocpp"
        made.append(ChargingStation16(url, "CP1", **options))
        return made[-1]

    yield create
    for station in made:
        await station.close()


async def encrypt(
    central: PlainCentralSystem, authority: Authority, folder: Path, **more: Any
) -> None:
    """Have the central system speak TLS from now on, on the same port."""
    await central.stop()
    await central.start(authority.server_context(folder, **more))


async def configure(central: PlainCentralSystem, key: str, value: str) -> str:
    """Change a configuration key and return the answer's status."""
    answer = await central.ask("ChangeConfiguration", key=key, value=value)
    return str(answer[2]["status"])


def password_of(central: PlainCentralSystem) -> bytes:
    """Return the password that the last handshake brought."""
    assert central.authorization is not None
    _, _, word = b64decode(central.authorization.removeprefix("Basic ")).partition(b":")
    return word


async def certify(central: PlainCentralSystem, authority: Authority) -> str:
    """Have a station ask for a certificate, bring it, and return the answer."""
    before = len(central.of("SignCertificate"))
    answer = await central.ask(
        "ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate"
    )
    assert answer[2] == {"status": "Accepted"}
    await central.count("SignCertificate", before + 1)
    chain = authority.sign(central.of("SignCertificate")[-1]["csr"])
    answer = await central.ask("CertificateSigned", certificateChain=chain)
    return str(answer[2]["status"])


async def test_profile_1_to_2_to_3(
    central: PlainCentralSystem, make: Make, authority: Authority, tmp_path: Path
) -> None:
    """Root, encryption, an own certificate: each step after a reset."""
    station = make()
    await station.connect()
    assert await configure(central, "SecurityProfile", "2") == "Rejected"
    answer = await central.ask(
        "InstallCertificate", certificateType=ROOT, certificate=authority.root_pem
    )
    assert answer[2] == {"status": "Accepted"}
    assert await configure(central, "SecurityProfile", "2") == "Accepted"
    assert station.state()["security"]["profile"] == 1
    await encrypt(central, authority, tmp_path)
    await station.reboot(hard=True)
    assert station.state()["security"]["profile"] == 2
    assert password_of(central) == PASSWORD.encode()
    assert await configure(central, "SecurityProfile", "1") == "Rejected"
    assert await configure(central, "SecurityProfile", "3") == "Rejected"
    assert await certify(central, authority) == "Accepted"
    assert await configure(central, "SecurityProfile", "3") == "Accepted"
    await station.reboot(hard=True)
    assert central.authorization is None
    assert central.certificate is not None
    assert central.certificate["subject"] == ((("commonName", "VW22-0001"),),)
    assert station.state()["violations"] == []


async def test_a_station_that_lost_power_comes_back_as_it_was(
    central: PlainCentralSystem, make: Make, authority: Authority, tmp_path: Path
) -> None:
    """The file holds profile, password, roots, the key of a request, certificate."""
    await encrypt(central, authority, tmp_path)
    station = make(security_profile=2)
    station.security.trust([authority.root_pem])
    await station.connect()
    await station.security.request_certificate()
    await station.close()  # Nothing is written by this.

    station = make(password="another-one-is-no-matter", security_profile=0)
    await station.connect()
    assert password_of(central) == PASSWORD.encode()
    chain = authority.sign(central.of("SignCertificate")[-1]["csr"])
    answer = await central.ask("CertificateSigned", certificateChain=chain)
    assert answer[2] == {"status": "Accepted"}
    assert await configure(central, "SecurityProfile", "3") == "Accepted"
    await station.close()

    station = make()
    await station.connect()
    assert central.certificate is not None
    serial = int(central.certificate["serialNumber"], 16)
    assert station.state()["security"]["certificate"] == f"{serial:x}"


async def test_a_renewed_certificate_is_shown_at_once(
    central: PlainCentralSystem, make: Make, authority: Authority, tmp_path: Path
) -> None:
    """On profile 3 the station dials in again with what it was just given."""
    await encrypt(central, authority, tmp_path)
    station = make(security_profile=2)
    station.security.trust([authority.root_pem])
    await station.connect()
    assert await certify(central, authority) == "Accepted"
    assert await configure(central, "SecurityProfile", "3") == "Accepted"
    await station.reboot(hard=True)
    first = central.certificate
    boots = len(central.of("BootNotification"))
    assert await certify(central, authority) == "Accepted"
    await central.count("BootNotification", boots + 1)
    assert central.certificate is not None
    assert central.certificate != first


async def test_a_server_that_is_not_trusted_is_not_talked_to(
    central: PlainCentralSystem, make: Make, authority: Authority, tmp_path: Path
) -> None:
    """Neither from another root nor for another address; told when one is trusted."""
    await encrypt(central, Authority("Stranger"), tmp_path)
    station = make(security_profile=2)
    station.security.trust([authority.root_pem])
    with pytest.raises(ClientError):
        await station.connect()
    await encrypt(central, authority, tmp_path, host="192.0.2.1")
    with pytest.raises(ClientError):
        await station.connect()
    await encrypt(central, authority, tmp_path)
    await station.connect()
    await central.count("SecurityEventNotification", 2)
    assert {one["type"] for one in central.of("SecurityEventNotification")} == {
        "InvalidCentralSystemCertificate"
    }


async def test_old_tls_asks_with_rsa(
    central: PlainCentralSystem, make: Make, authority: Authority, tmp_path: Path
) -> None:
    """RSA key exchange and RSA keys: what the standard has servers offer."""
    await encrypt(central, authority, tmp_path, kind="rsa")
    station = make(security_profile=2, vendor=VENDORS["old-tls"])
    station.security.trust([authority.root_pem])
    await station.connect()
    await station.security.request_certificate()
    csr = central.of("SignCertificate")[0]["csr"]
    key = x509.load_pem_x509_csr(csr.encode()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 2048


async def test_a_url_says_which_profile_it_is(
    central: PlainCentralSystem, make: Make, authority: Authority, tmp_path: Path
) -> None:
    """Wss is profile 2, a password is profile 1, nothing is profile 0."""
    for url, password, profile in (
        ("wss://host", PASSWORD, "2"),
        ("ws://host", PASSWORD, "1"),
        ("ws://host", None, "0"),
    ):
        station = ChargingStation16(url, "CP1", password=password)
        assert station.keys["SecurityProfile"].value == profile
        assert station.address == f"{url}/CP1"


@pytest.mark.parametrize(
    ("value", "sent", "moods"),
    [
        ("0123456789abcdef0123456789abcdef", bytes.fromhex("0123456789abcdef" * 2), []),
        (
            "0123456789abcdef0123456789abcdef",
            b"0123456789abcdef0123456789abcdef",
            [Misbehaviour.KEY_AS_TEXT],
        ),
        ("a-new-word-of-20-byt", b"a-new-word-of-20-byt", []),
        (
            "a-new-word-of-32-characters-at-x",
            b"a-new-word-of-32-characters-at-x",
            [],
        ),
    ],
)
async def test_a_new_password_is_used_at_once(
    central: PlainCentralSystem,
    make: Make,
    value: str,
    sent: bytes,
    moods: list[Misbehaviour],
) -> None:
    """The station dials in again; hex stands for bytes; nobody can read it."""
    station = make(misbehaviours=moods)
    await station.connect()
    assert await configure(central, "AuthorizationKey", value) == "Accepted"
    await central.count("BootNotification", 2)
    assert password_of(central) == sent
    told = await central.ask("GetConfiguration", key=["AuthorizationKey"])
    assert "value" not in told[2]["configurationKey"][0]
    assert central.of("SecurityEventNotification")[0] | {"timestamp": ""} == {
        "type": "ReconfigurationOfSecurityParameters",
        "timestamp": "",
        "techInfo": "AuthorizationKey",
    }


@pytest.mark.parametrize(
    ("value", "mood", "status"),
    [
        ("short", None, "Rejected"),
        ("x" * 41, None, "Rejected"),
        ("x" * 20, Misbehaviour.REJECT_AUTHORIZATION_KEY, "Rejected"),
        ("x" * 20, Misbehaviour.IGNORE_AUTHORIZATION_KEY, "Accepted"),
    ],
)
async def test_the_old_password_stays(
    central: PlainCentralSystem,
    make: Make,
    value: str,
    mood: Misbehaviour | None,
    status: str,
) -> None:
    """What is too short, refused or ignored changes nothing."""
    station = make(misbehaviours=[mood] if mood else [])
    await station.connect()
    assert await configure(central, "AuthorizationKey", value) == status
    await station.reboot(hard=False)
    assert password_of(central) == PASSWORD.encode()


async def test_a_refused_password_is_an_event_once_the_station_is_let_in(
    central: PlainCentralSystem, make: Make
) -> None:
    """What happened outside is told inside, over a loss of power."""
    central.refuse = True
    station = make()
    with pytest.raises(ClientError):
        await station.connect()
    await station.close()
    central.refuse = False
    station = make()
    await station.connect()
    kinds = [one["type"] for one in central.of("SecurityEventNotification")]
    assert kinds == ["FailedToAuthenticateAtCentralSystem"]


async def test_roots_are_installed_listed_and_deleted(
    central: PlainCentralSystem, make: Make, authority: Authority
) -> None:
    """Under the hashes that the station itself reports."""
    station = make()
    await station.connect()

    async def listed(kind: str) -> Any:
        answer = await central.ask("GetInstalledCertificateIds", certificateType=kind)
        return answer[2]

    for kind in (ROOT, "ManufacturerRootCertificate"):
        assert await listed(kind) == {"status": "NotFound"}
        await central.ask(
            "InstallCertificate", certificateType=kind, certificate=authority.root_pem
        )
        (found,) = (await listed(kind))["certificateHashData"]
        assert found["serialNumber"] == f"{authority.root.serial_number:x}"
        request = OCSPRequestBuilder().add_certificate(
            authority.root, authority.root, SHA256()
        )
        named = request.build()
        assert found["issuerNameHash"] == named.issuer_name_hash.hex()
        assert found["issuerKeyHash"] == named.issuer_key_hash.hex()
        answer = await central.ask("DeleteCertificate", certificateHashData=found)
        assert answer[2] == {"status": "Accepted"}
        answer = await central.ask("DeleteCertificate", certificateHashData=found)
        assert answer[2] == {"status": "NotFound"}
    assert station.state()["violations"] == []


async def test_the_root_that_everything_rests_on_is_not_deleted(
    central: PlainCentralSystem, make: Make, authority: Authority, tmp_path: Path
) -> None:
    """The station does not lock itself out."""
    await encrypt(central, authority, tmp_path)
    station = make(security_profile=2)
    station.security.trust([authority.root_pem])
    await station.connect()
    answer = await central.ask("GetInstalledCertificateIds", certificateType=ROOT)
    (found,) = answer[2]["certificateHashData"]
    answer = await central.ask("DeleteCertificate", certificateHashData=found)
    assert answer[2] == {"status": "Failed"}


async def test_an_invalid_root_is_an_event(
    central: PlainCentralSystem, make: Make, authority: Authority
) -> None:
    """TC_078: Rejected, and InvalidCentralSystemCertificate."""
    station = make()
    await station.connect()
    answer = await central.ask(
        "InstallCertificate", certificateType=ROOT, certificate="no certificate"
    )
    assert answer[2] == {"status": "Rejected"}
    await central.count("SecurityEventNotification", 1)
    told = central.of("SecurityEventNotification")[0]
    assert told["type"] == "InvalidCentralSystemCertificate"


async def test_a_careful_station_takes_a_root_that_the_old_one_signed(
    central: PlainCentralSystem, make: Make, authority: Authority
) -> None:
    """AdditionalRootCertificateCheck."""
    station = make()
    station.keys["AdditionalRootCertificateCheck"].value = "true"
    station.security.trust([authority.root_pem])
    await station.connect()
    for pem, status in (
        (Authority("Stranger").root_pem, "Rejected"),
        (authority.other(), "Accepted"),
    ):
        answer = await central.ask(
            "InstallCertificate", certificateType=ROOT, certificate=pem
        )
        assert answer[2] == {"status": status}


async def test_the_store_is_full_at_some_point(
    central: PlainCentralSystem, make: Make
) -> None:
    """CertificateStoreMaxLength."""
    station = make()
    station.keys["CertificateStoreMaxLength"].value = "1"
    await station.connect()
    for name, status in (("One", "Accepted"), ("Two", "Failed")):
        answer = await central.ask(
            "InstallCertificate",
            certificateType=ROOT,
            certificate=Authority(name).root_pem,
        )
        assert answer[2] == {"status": status}


@pytest.mark.parametrize(
    "wrong", ["broken", "expired", "key", "long", "mood", "nothing", "root", "text"]
)
async def test_a_certificate_that_is_not_its_own_is_refused(
    central: PlainCentralSystem, make: Make, authority: Authority, wrong: str
) -> None:
    """TC_077: Rejected, and InvalidChargePointCertificate."""
    station = make()
    station.security.trust([authority.root_pem])
    await station.connect()
    if wrong != "nothing":
        await station.security.request_certificate()
        csr = central.of("SignCertificate")[0]["csr"]
    if wrong == "mood":
        station.misbehaviours.add(Misbehaviour.REJECT_CERTIFICATE)
    match wrong:
        case "broken":
            first, mark, _ = authority.sign(csr).partition("-----END CERTIFICATE-----")
            chain = first + mark + Authority("Stranger").root_pem
        case "expired":
            chain = authority.sign(csr, days=-1)
        case "long":
            chain = authority.sign(csr) + authority.root_pem * 20
        case "root":
            chain = Authority("Stranger").sign(csr)
        case "text":
            chain = "no certificate"
        case "mood":
            chain = authority.sign(csr)
        case _:
            chain = authority.other()
    answer = await central.ask("CertificateSigned", certificateChain=chain)
    assert answer[2] == {"status": "Rejected"}
    await central.count("SecurityEventNotification", 1)
    told = central.of("SecurityEventNotification")[0]
    assert told["type"] == "InvalidChargePointCertificate"
    assert station.state()["security"]["certificate"] is None


@pytest.mark.parametrize(
    ("mood", "profiles"),
    [
        (Misbehaviour.FORGET_SECURITY_PROFILE, (1, 1)),
        (Misbehaviour.NEVER_REBOOT, (1, 1)),
        (Misbehaviour.SWITCH_AT_ONCE, (2, 2)),
    ],
)
async def test_what_becomes_of_a_new_profile(
    central: PlainCentralSystem,
    make: Make,
    authority: Authority,
    mood: Misbehaviour,
    profiles: tuple[int, int],
) -> None:
    """Before and after a reset."""
    station = make(misbehaviours=[mood])
    station.security.trust([authority.root_pem])
    await station.connect()
    answer = central.ask("ChangeConfiguration", key="SecurityProfile", value="2")
    assert (await answer)[2] == {"status": "Accepted"}
    assert station.security.profile == profiles[0]
    if station.connected and profiles[0] == 1:
        answer = central.ask("Reset", type="Hard")
        assert (await answer)[2] == {"status": "Accepted"}
        if mood is not Misbehaviour.NEVER_REBOOT:
            await central.count("BootNotification", 2)
    assert station.security.profile == profiles[1]


async def test_a_profile_that_fails_is_dropped_by_some(
    central: PlainCentralSystem, make: Make, authority: Authority
) -> None:
    """Others stay on it, over a loss of power too."""
    for moods, profile in (([Misbehaviour.FALL_BACK_PROFILE], 1), ([], 2)):
        station = make(misbehaviours=moods)
        station.security.trust([authority.root_pem])
        await station.connect()
        assert await configure(central, "SecurityProfile", "2") == "Accepted"
        with pytest.raises(ClientError):
            await station.reboot(hard=True)  # Nobody speaks TLS here.
        assert station.security.profile == profile
        await station.close()
        assert make(misbehaviours=moods).security.profile == profile


async def test_a_careless_station_trusts_anyone(
    central: PlainCentralSystem, make: Make, authority: Authority, tmp_path: Path
) -> None:
    """No root, and connected."""
    await encrypt(central, authority, tmp_path)
    station = make(security_profile=2, misbehaviours=[Misbehaviour.TRUST_ANYONE])
    await station.connect()
    assert station.connected


async def test_requests_for_certificates_go_wrong_on_request(
    central: PlainCentralSystem, make: Make, authority: Authority
) -> None:
    """Another's name, no request at all, nothing sent, not used."""
    station = make()
    station.security.trust([authority.root_pem])
    await station.connect()

    async def asked(mood: Misbehaviour) -> Any:
        station.misbehaviours = {mood}
        await station.security.request_certificate()
        return central.of("SignCertificate")[-1]["csr"]

    csr = x509.load_pem_x509_csr((await asked(Misbehaviour.WRONG_COMMON_NAME)).encode())
    assert csr.subject.rfc4514_string() == "CN=VW22-0001-2"
    with pytest.raises(ValueError):
        x509.load_pem_x509_csr((await asked(Misbehaviour.BROKEN_REQUEST)).encode())
    await asked(Misbehaviour.NEVER_SIGN)
    assert len(central.of("SignCertificate")) == 2
    station.misbehaviours = {Misbehaviour.IGNORE_SIGNED}
    assert await certify(central, authority) == "Accepted"
    assert station.state()["security"]["certificate"] is None


async def test_a_request_names_the_operator(
    central: PlainCentralSystem, make: Make
) -> None:
    """CpoName is the organization, the common name is the station's."""
    station = make(common_name="CP1")
    await station.connect()
    assert await configure(central, "CpoName", "Home") == "Accepted"
    await station.security.request_certificate()
    csr = central.of("SignCertificate")[0]["csr"]
    subject = x509.load_pem_x509_csr(csr.encode()).subject
    assert subject.rfc4514_string() == "O=Home,CN=CP1"


async def test_a_reboot_is_an_event(central: PlainCentralSystem, make: Make) -> None:
    """Told after the boot that follows it."""
    station = make()
    await station.connect()
    await station.reboot(hard=True)
    kinds = [one["type"] for one in central.of("SecurityEventNotification")]
    assert kinds == ["ResetOrReboot"]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("BootNotification", "BootNotification"),
        ("FirmwareStatusNotification", "SignedFirmwareStatusNotification"),
        ("Heartbeat", "Heartbeat"),
        ("LogStatusNotification", "LogStatusNotification"),
        ("MeterValues", "MeterValues"),
        ("StatusNotification", "StatusNotification"),
    ],
)
async def test_the_extended_trigger(
    central: PlainCentralSystem, make: Make, wanted: str, told: str
) -> None:
    """What is asked for comes once more."""
    station = make()
    await station.connect()
    before = len(central.of(told))
    answer = await central.ask("ExtendedTriggerMessage", requestedMessage=wanted)
    assert answer[2] == {"status": "Accepted"}
    await central.count(told, before + 1)


async def test_a_station_without_the_extensions_knows_none_of_it(
    central: PlainCentralSystem, make: Make
) -> None:
    """NotImplemented, and no key."""
    station = make(vendor=VENDORS["core-only"])
    await station.connect()
    answer = await central.ask("GetInstalledCertificateIds", certificateType=ROOT)
    assert answer[2] == "NotImplemented"
    assert await configure(central, "SecurityProfile", "1") == "NotSupported"


async def test_events_and_requests_are_made_by_the_control_interface(
    central: PlainCentralSystem, make: Make
) -> None:
    """And what there is of security is seen there, without secrets."""
    station = make()
    await station.connect()
    runner = web.AppRunner(application(station))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as http:
        body = {"type": "TamperDetectionActivated", "info": "lid"}
        await http.post("/security_event", json=body)
        async with http.post("/sign_certificate") as response:
            text = await response.text()
    await runner.cleanup()
    await central.count("SecurityEventNotification", 1)
    assert central.of("SecurityEventNotification")[0]["techInfo"] == "lid"
    assert len(central.of("SignCertificate")) == 1
    assert '"requested": true' in text
    assert PASSWORD not in text
    assert "PRIVATE KEY" not in text
