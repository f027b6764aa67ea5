"""Signer: what the authority signs for one charger, and how roots are named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
import pytest

from .certificates import ec_key, signing_request
from custom_components.ev_charger_hub.ocpp.authority import Authority
from custom_components.ev_charger_hub.ocpp.roots import read_root
from custom_components.ev_charger_hub.ocpp.signer import (
    ChargerSigner,
    certificate_hashes,
)

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return a new authority."""
    return Authority.open(tmp_path / "ca", lambda: NOW)


def signer(authority: Authority, *, signs_server: bool = True) -> ChargerSigner:
    """Return what signs for the charger CP01."""
    return ChargerSigner(
        authority, "CP01", lambda: {"CP01", "SN-1"}, signs_server=signs_server
    )


async def test_certificate_is_for_this_charger_only(authority: Authority) -> None:
    signed = await signer(authority).sign(signing_request(ec_key(), "SN-1"))
    leaf = x509.load_pem_x509_certificate(signed.pem.encode())
    der = leaf.public_bytes(Encoding.DER)
    assert int(signed.serial, 16) == leaf.serial_number
    assert signed.issued <= NOW < signed.expires
    assert signed.expires - NOW > timedelta(days=365)
    assert authority.trusts(der, "CP01")
    assert not authority.trusts(der, "SN-1")


async def test_only_its_own_names_are_signed(authority: Authority) -> None:
    check = signer(authority).check
    assert await check(signing_request(ec_key(), "CP01")) is None
    assert await check(signing_request(ec_key(), "SN-1")) is None
    assert await check(signing_request(ec_key(), "CP02")) == "wrong_name"
    assert await check("-----BEGIN") == "unreadable"


async def test_root_is_told_only_if_the_server_is_known_by_it(
    authority: Authority,
) -> None:
    assert await signer(authority).root() == authority.root_pem
    assert await signer(authority, signs_server=False).root() is None


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
def test_roots_are_named_as_by_openssl(
    authority: Authority, tmp_path: Path, algorithm: str
) -> None:
    path = tmp_path / "root.pem"
    path.write_text(authority.root_pem)
    request = ("-issuer", path, "-cert", path, "-reqout", tmp_path / "request")
    digest = f"-{algorithm.lower()}"
    subprocess.run(["openssl", "ocsp", digest, *request], check=True)
    shown = subprocess.run(
        ["openssl", "ocsp", "-reqin", tmp_path / "request", "-req_text"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.replace("\\\n", "")
    named = {
        line.partition(":")[0].strip(): line.partition(":")[2].strip().lower()
        for line in shown.splitlines()
    }
    assert certificate_hashes(authority.root_pem, algorithm) == (
        named["Issuer Name Hash"],
        named["Issuer Key Hash"],
        named["Serial Number"].lstrip("0"),
    )


def test_unknown_algorithm_names_nothing(authority: Authority) -> None:
    with pytest.raises(ValueError, match="MD5"):
        certificate_hashes(authority.root_pem, "MD5")


def test_only_the_certificate_of_a_text_is_read(authority: Authority) -> None:
    text = f"subject=/CN=x\n{authority.root_pem}\n-----BEGIN PRIVATE KEY-----\nx\n"
    assert read_root(text.replace("\n", "\r\n")) == authority.root_pem
    for wrong in ("", "x", authority.root_pem * 2, authority.root_pem[:200]):
        with pytest.raises(ValueError, match=r"\w"):
            read_root(wrong)
