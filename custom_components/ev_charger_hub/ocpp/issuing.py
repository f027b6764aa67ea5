"""Issuing: the certificates that the authority signs, and pairs of key and certificate."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Self, override

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

type PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
type PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

ORGANIZATION = "EV Charger Hub"
"""O of everything we sign (OCPP 1.6 Security A00, O = the operator)."""

ROOT_LIFETIME = timedelta(days=20 * 365)
SERVER_LIFETIME = timedelta(days=397)
CLIENT_LIFETIME = timedelta(days=730)
# Clocks of chargers are behind.
BACKDATED = timedelta(days=1)

_MAX_NAME = 64


@dataclass(slots=True, frozen=True)
class Pair:
    """A certificate and its private key, kept in one file so that they cannot part."""

    certificate: x509.Certificate
    key: PrivateKey

    @classmethod
    def read(cls, pem: bytes) -> Self:
        """Return the pair in a PEM file; raises ValueError, TypeError."""
        key = load_pem_private_key(pem, password=None)
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise TypeError("neither an RSA nor an elliptic curve key")
        certificate = x509.load_pem_x509_certificate(pem)
        if certificate.public_key() != key.public_key():
            raise ValueError("the key belongs to another certificate")
        return cls(certificate, key)

    @override
    def __repr__(self) -> str:
        """Return the certificate's number only: the key is a secret."""
        return f"<Pair {self.certificate.serial_number:x}>"

    @property
    def pem(self) -> bytes:
        """Return key and certificate as OpenSSL reads them from one file."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + self.certificate.public_bytes(Encoding.PEM)


def new_rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return a new RSA key; blocking, for seconds on small machines."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def new_ec_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key on P-256, the curve that every charger knows."""
    return ec.generate_private_key(ec.SECP256R1())


def new_root(now: datetime) -> Pair:
    """Return a new root of an authority.

    RSA, because a charger that verifies elliptic curves verifies RSA too, but not the
    other way round; 3072 bits, because it lives for 20 years.
    """
    key = new_rsa_key(3072)
    name = _name(f"{ORGANIZATION} Root {x509.random_serial_number():x}"[:32])
    builder = (
        _builder(name, name, key.public_key(), now - BACKDATED, now + ROOT_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def new_server(
    root: Pair, key: PrivateKey, names: Sequence[str], now: datetime
) -> Pair:
    """Return a server's pair for host names and addresses, the first its CN."""
    public = key.public_key()
    common = names[0] if len(names[0]) <= _MAX_NAME else ORGANIZATION
    builder = _leaf(
        root, _name(common), public, now - BACKDATED, now + SERVER_LIFETIME
    ).add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
    is_rsa = isinstance(public, rsa.RSAPublicKey)
    certificate = (
        builder.add_extension(_usage(enciphers=is_rsa), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .sign(root.key, hashes.SHA256())
    )
    return Pair(certificate, key)


def new_client(
    root: Pair, public: PublicKey, common: str, identity: str, valid_from: datetime
) -> x509.Certificate:
    """Return a charger's certificate; OU binds it to the identity it was signed for.

    CN is what the charger claims, such as its serial number: alone it would let a
    charger that lies about its number pass for another.
    """
    until = valid_from + BACKDATED + CLIENT_LIFETIME
    return (
        _leaf(root, _name(common, identity), public, valid_from, until)
        .add_extension(_usage(), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .sign(root.key, hashes.SHA256())
    )


def name_part(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    """Return the one part of a name, None if there is none or more than one."""
    parts = name.get_attributes_for_oid(oid)
    return str(parts[0].value) if len(parts) == 1 else None


def server_names(certificate: x509.Certificate) -> set[str]:
    """Return the host names and addresses that a certificate is good for."""
    try:
        found = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except x509.ExtensionNotFound:
        return set()
    return set(found.get_values_for_type(x509.DNSName))


def _leaf(
    root: Pair,
    subject: x509.Name,
    public: PublicKey,
    valid_from: datetime,
    until: datetime,
) -> x509.CertificateBuilder:
    """Return what all certificates have in common that are no root."""
    above = root.certificate
    until = min(until, above.not_valid_after_utc)
    return (
        _builder(subject, above.subject, public, valid_from, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()),
            critical=False,
        )
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: PublicKey,
    valid_from: datetime,
    until: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from)
        .not_valid_after(until)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public), critical=False
        )
    )


def _name(common: str, unit: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION)]
    if unit is not None:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(
    *, signs_certificates: bool = False, enciphers: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        # TLS_RSA suites, which OCPP demands, encipher with the server's key.
        key_encipherment=enciphers,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(names: Iterable[str]) -> list[x509.GeneralName]:
    """Return names for a certificate, addresses in two ways.

    mbed TLS before 3.5 compares the address that was dialed with DNS names only.
    """
    found: list[x509.GeneralName] = []
    for name in names:
        found.append(x509.DNSName(name))
        try:
            found.append(x509.IPAddress(ip_address(name)))
        except ValueError:
            continue
    return found
