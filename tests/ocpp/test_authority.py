"""The authority: what it signs and for whom, what it believes, what is on disk."""

from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
import stat

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store
import pytest

from .central import NOW, Clock
from .certificates import Key, ec_key, rsa_key, signing_request
from custom_components.ev_charger_hub.ocpp.authority import (
    Authority,
    AuthorityError,
    CsrProblem,
    CsrRefused,
)
from custom_components.ev_charger_hub.ocpp.issuing import Pair
from custom_components.ev_charger_hub.ocpp.private_files import write_private

HOSTS = ["ha.local", "192.168.1.10", "fd00::10"]
NAMES = {"CP01", "SN-0001"}


@pytest.fixture
def clock() -> Clock:
    """Return a clock that the test moves."""
    return Clock()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the file of a root, which takes long to make."""
    folder = tmp_path_factory.mktemp("root")
    Authority.open(folder, Clock())
    return (folder / "root.pem").read_bytes()


@pytest.fixture
def authority(tmp_path: Path, clock: Clock, root: bytes) -> Authority:
    """Return an authority that has signed nothing yet."""
    write_private(tmp_path / "root.pem", root)
    return Authority.open(tmp_path, clock)


def root_of(authority: Authority) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authority.root_pem.encode())


def server_pairs(authority: Authority) -> dict[str, Pair]:
    return {path.name: Pair.read(path.read_bytes()) for path in authority.server_files}


def serials(authority: Authority) -> set[int]:
    pairs = server_pairs(authority).values()
    return {pair.certificate.serial_number for pair in pairs}


def der(chain: str) -> bytes:
    leaf = x509.load_pem_x509_certificates(chain.encode())[0]
    return leaf.public_bytes(Encoding.DER)


async def signed(
    authority: Authority, *, common: str = "CP01", identity: str = "CP01"
) -> bytes:
    """Return the certificate (DER) that a charger got."""
    csr = signing_request(ec_key(), common)
    return der(await authority.sign(csr, names={common, identity}, identity=identity))


def test_root_is_the_same_after_a_restart(authority: Authority, tmp_path: Path) -> None:
    again = Authority.open(tmp_path, Clock())
    assert again.root_pem == authority.root_pem
    assert again.fingerprint == authority.fingerprint


def test_root_is_a_ca_for_many_years(authority: Authority) -> None:
    root = root_of(authority)
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert authority.expires > NOW + timedelta(days=7000)
    assert isinstance(key := root.public_key(), rsa.RSAPublicKey)
    assert key.key_size >= 2048
    assert len(authority.root_pem) <= 5500


def test_files_are_for_the_owner_only(authority: Authority, tmp_path: Path) -> None:
    authority.renew_server(HOSTS)
    files = list(tmp_path.iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}


@pytest.mark.parametrize("name", ["root.pem", "clients.json"])
@pytest.mark.parametrize("content", [b"", b"[]", b"-----BEGIN X-----\n"])
def test_damaged_file_is_an_error_and_is_not_replaced(
    authority: Authority, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AuthorityError):
        Authority.open(tmp_path, Clock())
    assert path.read_bytes() == content


@pytest.mark.parametrize("left", ["server_ec.pem", "server_rsa.pem", "clients.json"])
def test_lost_root_is_an_error_and_is_not_replaced(
    authority: Authority, tmp_path: Path, left: str
) -> None:
    (tmp_path / "root.pem").unlink()
    (tmp_path / left).touch()
    with pytest.raises(AuthorityError):
        Authority.open(tmp_path, Clock())
    assert not (tmp_path / "root.pem").exists()


def test_killed_first_write_leaves_no_half_root(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "root.pem.new").write_bytes(b"-----BEGIN PRIV")
    assert "BEGIN CERTIFICATE" in Authority.open(tmp_path, clock).root_pem


def test_repr_of_a_pair_tells_no_key(authority: Authority) -> None:
    authority.renew_server(HOSTS)
    for pair in server_pairs(authority).values():
        assert "PRIVATE" not in f"{pair!r} {pair}"
        assert len(repr(pair)) < 60


# The server


@pytest.mark.conformance("TC_086_CSMS")
@pytest.mark.conformance("SEC_05")
def test_server_has_an_rsa_and_an_elliptic_certificate(authority: Authority) -> None:
    assert authority.renew_server(HOSTS)
    pairs = server_pairs(authority)
    elliptic = pairs["server_ec.pem"].certificate
    with_rsa = pairs["server_rsa.pem"].certificate
    assert isinstance(elliptic.public_key(), ec.EllipticCurvePublicKey)
    assert isinstance(key := with_rsa.public_key(), rsa.RSAPublicKey)
    assert key.key_size == 2048
    for leaf in (elliptic, with_rsa):
        assert leaf.serial_number > 0
        common = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert [part.value for part in common] == ["ha.local"]


def test_server_certificate_is_good_for_every_name_and_address(
    authority: Authority,
) -> None:
    authority.renew_server(HOSTS)
    verify = PolicyBuilder().store(Store([root_of(authority)])).time(NOW)
    for pair in server_pairs(authority).values():
        for host in HOSTS:
            subject: x509.DNSName | x509.IPAddress = x509.DNSName(host)
            if host != "ha.local":
                subject = x509.IPAddress(ip_address(host))
            verify.build_server_verifier(subject).verify(pair.certificate, [])


def test_server_certificate_is_kept_while_it_serves(
    authority: Authority, clock: Clock
) -> None:
    authority.renew_server(HOSTS)
    before = serials(authority)
    clock.advance(days=300)
    assert not authority.renew_server(HOSTS[:2])
    assert serials(authority) == before


def test_server_certificate_is_renewed_before_its_end(
    authority: Authority, clock: Clock
) -> None:
    authority.renew_server(HOSTS)
    before = serials(authority)
    clock.advance(days=340)
    assert authority.renew_server(HOSTS)
    assert serials(authority).isdisjoint(before)
    for pair in server_pairs(authority).values():
        assert pair.certificate.not_valid_after_utc > clock() + timedelta(days=390)


def test_server_certificate_follows_a_new_address(authority: Authority) -> None:
    authority.renew_server(HOSTS)
    assert authority.renew_server([*HOSTS, "10.0.0.5"])
    assert not authority.renew_server(["10.0.0.5"])


@pytest.mark.parametrize("damage", [b"", b"no PEM"])
def test_damaged_server_certificate_is_replaced(
    authority: Authority, damage: bytes
) -> None:
    authority.renew_server(HOSTS)
    authority.server_files[0].write_bytes(damage)
    kept = authority.server_files[1].read_bytes()
    assert authority.renew_server(HOSTS)
    assert authority.server_files[1].read_bytes() == kept
    assert len(serials(authority)) == 2


def test_no_certificate_outlives_the_root(authority: Authority, clock: Clock) -> None:
    clock.now = authority.expires - timedelta(days=10)
    assert authority.renew_server(HOSTS)
    assert not authority.renew_server(HOSTS)
    for pair in server_pairs(authority).values():
        assert pair.certificate.not_valid_after_utc == authority.expires


def test_root_that_has_ended_signs_nothing(authority: Authority, clock: Clock) -> None:
    clock.now = authority.expires
    with pytest.raises(AuthorityError):
        authority.renew_server(HOSTS)


def test_long_host_name_is_no_common_name(authority: Authority) -> None:
    long = ".".join(["a" * 30, "b" * 30, "example.com"])
    authority.renew_server([long])
    for pair in server_pairs(authority).values():
        names = pair.certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
        assert names.get_values_for_type(x509.DNSName) == [long]


# Chargers


@pytest.mark.parametrize("make_key", [ec_key, rsa_key])
@pytest.mark.parametrize("common", ["CP01", "SN-0001", "sn-0001"])
async def test_request_of_a_charger_is_signed(
    authority: Authority, make_key: Callable[[], Key], common: str
) -> None:
    key = make_key()
    csr = signing_request(key, common)
    assert authority.check(csr, names=NAMES) is None
    chain = await authority.sign(csr, names=NAMES, identity="CP01")
    assert len(chain) <= 10000
    assert "\r" not in chain
    leaf = x509.load_pem_x509_certificates(chain.encode())[0]
    assert leaf.public_key() == key.public_key()
    leaf.verify_directly_issued_by(root_of(authority))
    assert leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == common
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def tampered(csr: str) -> str:
    """Return a request whose signature does not fit."""
    request = x509.load_pem_x509_csr(csr.encode())
    whole = bytearray(request.public_bytes(Encoding.DER))
    whole[-1] ^= 1
    return x509.load_der_x509_csr(bytes(whole)).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("csr", "problem"),
    [
        pytest.param("", CsrProblem.UNREADABLE, id="empty"),
        pytest.param("\ud800", CsrProblem.UNREADABLE, id="no text"),
        pytest.param(
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
            "-----END CERTIFICATE REQUEST-----\n",
            CsrProblem.UNREADABLE,
            id="no request",
        ),
        pytest.param("x" * 5501, CsrProblem.TOO_LONG, id="long"),
        pytest.param(
            signing_request(ec_key(), "CP02"), CsrProblem.WRONG_NAME, id="other"
        ),
        pytest.param(signing_request(ec_key()), CsrProblem.WRONG_NAME, id="nameless"),
        pytest.param(
            signing_request(ec_key(), "CP01", "CP02"),
            CsrProblem.WRONG_NAME,
            id="two names",
        ),
        pytest.param(
            signing_request(rsa_key(1024), "CP01"), CsrProblem.WEAK_KEY, id="short RSA"
        ),
        pytest.param(
            signing_request(ec.generate_private_key(ec.SECP192R1()), "CP01"),
            CsrProblem.WEAK_KEY,
            id="short curve",
        ),
        pytest.param(
            tampered(signing_request(rsa_key(), "CP01")),
            CsrProblem.BAD_SIGNATURE,
            id="tampered",
        ),
    ],
)
async def test_request_is_refused(
    authority: Authority, csr: str, problem: CsrProblem
) -> None:
    assert authority.check(csr, names=NAMES) is problem
    with pytest.raises(CsrRefused) as refused:
        await authority.sign(csr, names=NAMES, identity="CP01")
    assert refused.value.problem is problem


@pytest.mark.conformance("SEC_06")
async def test_certificate_proves_the_identity_it_was_signed_for(
    authority: Authority,
) -> None:
    certificate = await signed(authority, common="SN-0001")
    assert authority.trusts(certificate, "CP01")
    assert not authority.trusts(certificate, "CP02")


@pytest.mark.conformance("SEC_06")
async def test_charger_cannot_pass_for_another_by_claiming_its_number(
    authority: Authority,
) -> None:
    certificate = await signed(authority, common="CP02", identity="CP01")
    assert not authority.trusts(certificate, "CP02")
    assert authority.trusts(certificate, "CP01")


@pytest.mark.conformance("SEC_06")
async def test_certificate_proves_nothing_outside_its_time(
    authority: Authority, clock: Clock
) -> None:
    certificate = await signed(authority)
    clock.advance(days=-2)
    assert not authority.trusts(certificate, "CP01")
    clock.advance(days=2 + 729)
    assert authority.trusts(certificate, "CP01")
    clock.advance(days=2)
    assert not authority.trusts(certificate, "CP01")


@pytest.mark.conformance("SEC_06")
async def test_certificate_of_another_authority_proves_nothing(
    authority: Authority, tmp_path: Path, clock: Clock
) -> None:
    other = Authority.open(tmp_path / "other", clock)
    assert not authority.trusts(await signed(other), "CP01")


@pytest.mark.parametrize("certificate", [b"", b"0\x03\x02\x01\x01"])
def test_what_is_no_certificate_proves_nothing(
    authority: Authority, certificate: bytes
) -> None:
    assert not authority.trusts(certificate, "CP01")


def test_certificates_of_the_server_prove_no_charger(authority: Authority) -> None:
    authority.renew_server(["CP01"])
    for pair in server_pairs(authority).values():
        certificate = pair.certificate.public_bytes(Encoding.DER)
        assert not authority.trusts(certificate, "CP01")


@pytest.mark.conformance("SEC_06")
async def test_revoked_certificates_stay_revoked_and_new_ones_are_good(
    authority: Authority, tmp_path: Path, clock: Clock
) -> None:
    old, of_other = await signed(authority), await signed(authority, identity="CP02")
    await authority.revoke("CP01")
    new = await signed(authority)
    for one in (authority, Authority.open(tmp_path, clock)):
        assert not one.trusts(old, "CP01")
        assert one.trusts(of_other, "CP02")
    clock.advance(seconds=1)
    for one in (authority, Authority.open(tmp_path, clock)):
        assert one.trusts(new, "CP01")
        assert not one.trusts(old, "CP01")


async def test_list_of_revoked_forgets_what_has_ended_anyway(
    authority: Authority, tmp_path: Path, clock: Clock
) -> None:
    certificate = await signed(authority, identity="CP01")
    await authority.revoke("CP01")
    clock.advance(days=740)
    await authority.revoke("CP02")
    assert "CP01" not in (tmp_path / "clients.json").read_text()
    assert not authority.trusts(certificate, "CP01")


async def test_clients_are_known_of_until_their_certificates_end(
    authority: Authority, tmp_path: Path, clock: Clock
) -> None:
    assert not authority.has_clients
    await signed(authority)
    again = Authority.open(tmp_path, clock)
    for one in (authority, again):
        assert one.has_clients
    clock.advance(days=731)
    assert not again.has_clients


def test_damaged_list_of_clients_does_not_pass_for_an_empty_one(
    authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "clients.json").write_text('{"signed_until": null}')
    with pytest.raises(AuthorityError):
        Authority.open(tmp_path, Clock())
