"""TLS: what the server's context offers, and what is wrong with its files."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
import ssl

from aiohttp import ClientConnectorError, ClientSession
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
import pytest

from .central import HOST, running
from .certificates import Key, client_context, ec_key, rsa_key
from custom_components.ev_charger_hub.ocpp.tls import (
    Contexts,
    TlsError,
    TlsProblem,
    build_contexts,
    is_for,
)

type Files = tuple[Path, Path]

ODD = """\
-----BEGIN CERTIFICATE-----
MIIBJDCB7qADAgECAhQhayFKpG7CTKppE1EvvJnC4ped8jAKBggqhkjOPQQDAjAM
MQowCAYDVQQDDAF4MCAXDTI2MTEyMTA5MTkxNVoYDzIwNTEwNzEzMDkxOTE1WjAM
MQowCAYDVQQDDAF4MDIwEAYHKoZIzj0CAQYFK4EEAAYDHgAEyMWmj5hj6/SYm0Su
5CMn17mWygUBvaq4cq06KaNTMFEwHQYDVR0OBBYEFHswqaNYwwkavQ7/P9KIQdgK
sRYDMB8GA1UdIwQYMBaAFHswqaNYwwkavQ7/P9KIQdgKsRYDMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDJQAwIgIPAJ2ylCbsWrMpKqVwjQ59Ag8AmglQiO7s
n3lgcc6KqGo=
-----END CERTIFICATE-----
"""
"""A certificate of an elliptic curve that nobody uses (secp112r1)."""

NOW = datetime.now(UTC)


def build(certificate: Path, key: Path, *, now: datetime | None = None) -> Contexts:
    """Return contexts with one certificate."""
    return build_contexts([(certificate, key)], now=now)


def write(
    folder: Path,
    key: Key,
    *,
    expires: datetime = NOW + timedelta(days=1),
    names: tuple[x509.GeneralName, ...] = (),
) -> Files:
    """Write a self-signed certificate and its key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ha.local")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=10))
        .not_valid_after(expires)
    )
    if names:
        alternatives = x509.SubjectAlternativeName(names)
        builder = builder.add_extension(alternatives, critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    folder.mkdir(exist_ok=True)
    files = folder / "fullchain.pem", folder / "privkey.pem"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return files


@pytest.mark.conformance("SEC_05")
def test_context_offers_the_suites_of_ocpp_and_no_old_ones(tmp_path: Path) -> None:
    context = build(*write(tmp_path, ec_key())).silent
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    suites = {suite["name"] for suite in context.get_ciphers()}
    assert suites >= {
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
        "TLS_AES_256_GCM_SHA384",
    }
    assert not [name for name in suites if "CBC" in name or "3DES" in name]
    assert all("GCM" in name or "CHACHA20" in name for name in suites)


@pytest.mark.conformance("TC_086_CSMS")
@pytest.mark.parametrize(
    ("make_key", "suite"),
    [
        (ec_key, "ECDHE-ECDSA-AES128-GCM-SHA256"),
        (ec_key, "ECDHE-ECDSA-AES256-GCM-SHA384"),
        (rsa_key, "AES128-GCM-SHA256"),
        (rsa_key, "AES256-GCM-SHA384"),
        (rsa_key, "ECDHE-RSA-AES128-GCM-SHA256"),
    ],
)
async def test_charger_connects_with_each_mandatory_suite(
    tmp_path: Path, socket_enabled: None, make_key: Callable[[], Key], suite: str
) -> None:
    contexts = build(*write(tmp_path, make_key()))
    client = client_context()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(suite)
    async with running(contexts=contexts) as central:
        central.registrar.approve("CP01")
        charger = await central.connect(ssl=client)
        assert (await charger.call("Heartbeat"))[0] == 3
        assert charger.ws.get_extra_info("cipher")[0] == suite


@pytest.mark.conformance("SEC_05")
async def test_old_tls_is_refused(tmp_path: Path, socket_enabled: None) -> None:
    contexts = build(*write(tmp_path, rsa_key()))
    client = client_context()
    client.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        client.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        client.maximum_version = ssl.TLSVersion.TLSv1_1
    async with running(contexts=contexts) as central, ClientSession() as http:
        # In debug mode asyncio makes an error of every failed TLS handshake.
        asyncio.get_running_loop().set_debug(False)
        with pytest.raises(ClientConnectorError):
            await http.get(f"https://{HOST}:{central.system.port}/CP01", ssl=client)


def broken(path: Path) -> None:
    path.write_text("no PEM at all")


@pytest.mark.parametrize(
    ("number", "damage", "problem"),
    [
        (0, Path.unlink, TlsProblem.CERTIFICATE_MISSING),
        (0, broken, TlsProblem.CERTIFICATE_UNREADABLE),
        (1, Path.unlink, TlsProblem.KEY_MISSING),
        (1, broken, TlsProblem.KEY_UNREADABLE),
    ],
)
def test_file_that_cannot_be_used_is_named(
    tmp_path: Path, number: int, damage: Callable[[Path], None], problem: TlsProblem
) -> None:
    files = write(tmp_path, ec_key())
    damage(files[number])
    with pytest.raises(TlsError) as error:
        build(*files)
    assert error.value.kind is problem


def test_encrypted_key_is_unreadable(tmp_path: Path) -> None:
    key = ec_key()
    certificate, path = write(tmp_path, key)
    path.write_bytes(
        key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
        )
    )
    with pytest.raises(TlsError) as error:
        build(certificate, path)
    assert error.value.kind is TlsProblem.KEY_UNREADABLE


def test_key_of_another_certificate_does_not_match(tmp_path: Path) -> None:
    certificate, _ = write(tmp_path / "a", ec_key())
    _, key = write(tmp_path / "b", rsa_key())
    with pytest.raises(TlsError) as error:
        build(certificate, key)
    assert error.value.kind is TlsProblem.KEY_DOES_NOT_MATCH


def test_expired_certificate_is_refused(tmp_path: Path) -> None:
    files = write(tmp_path, ec_key(), expires=NOW - timedelta(days=1))
    with pytest.raises(TlsError) as error:
        build(*files)
    assert error.value.kind is TlsProblem.CERTIFICATE_EXPIRED
    build(*files, now=NOW - timedelta(days=2))
    ended = build_contexts([files], expired=True).expires
    assert ended is not None and ended < NOW


def test_certificate_with_an_unknown_curve_is_refused(tmp_path: Path) -> None:
    certificate, key = write(tmp_path, ec_key())
    certificate.write_text(ODD)
    with pytest.raises(TlsError) as error:
        build(certificate, key)
    assert error.value.kind is TlsProblem.CERTIFICATE_UNUSABLE


def test_chain_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    certificate, key = write(tmp_path, ec_key())
    certificate.write_text(
        certificate.read_text()
        + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    )
    with pytest.raises(TlsError) as error:
        build(certificate, key)
    assert error.value.kind is TlsProblem.CERTIFICATE_UNREADABLE


def test_key_that_openssl_finds_too_weak_is_refused(tmp_path: Path) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with pytest.raises(TlsError) as error:
        build(*write(tmp_path, weak))
    assert error.value.kind is TlsProblem.CERTIFICATE_UNUSABLE


@pytest.mark.conformance("SEC_05")
@pytest.mark.parametrize(
    "suite",
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
    ],
)
async def test_one_server_serves_chargers_of_either_kind(
    tmp_path: Path, socket_enabled: None, suite: str
) -> None:
    contexts = build_contexts(
        [write(tmp_path / "ec", ec_key()), write(tmp_path / "rsa", rsa_key())]
    )
    client = client_context()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(suite)
    async with running(contexts=contexts) as central:
        central.registrar.approve("CP01")
        charger = await central.connect(ssl=client)
        assert charger.ws.get_extra_info("cipher")[0] == suite


@pytest.mark.parametrize(
    ("names", "host", "good"),
    [
        ((), "ha.local", True),
        ((), "192.168.1.10", False),
        ((x509.DNSName("ev.example"),), "ev.example", True),
        ((x509.DNSName("ev.example"),), "EV.Example", True),
        ((x509.DNSName("ev.example"),), "ha.local", False),
        ((x509.DNSName("*.example.org"),), "ev.example.org", True),
        ((x509.DNSName("*.example.org"),), "a.ev.example.org", False),
        ((x509.DNSName("*.example.org"),), "example.org", False),
        ((x509.IPAddress(ip_address("192.168.1.10")),), "192.168.1.10", True),
        ((x509.DNSName("ev.example"),), "192.168.1.10", False),
    ],
)
def test_a_certificate_is_for_the_hosts_that_it_names(
    tmp_path: Path, names: tuple[x509.GeneralName, ...], host: str, good: bool
) -> None:
    certificate, _ = write(tmp_path, ec_key(), names=names)
    assert is_for(certificate, host) is good


def test_a_certificate_that_cannot_be_read_is_for_nobody(tmp_path: Path) -> None:
    assert not is_for(tmp_path / "missing.pem", "ha.local")


def test_contexts_tell_when_the_first_certificate_ends(tmp_path: Path) -> None:
    soon = NOW.replace(microsecond=0) + timedelta(hours=3)
    pairs = [
        write(tmp_path / "a", ec_key()),
        write(tmp_path / "b", rsa_key(), expires=soon),
    ]
    assert build_contexts(pairs).expires == soon
