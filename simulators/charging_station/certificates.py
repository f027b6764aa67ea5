"""Certificates as a station sees them: keys, requests, chains and their names."""

from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

type KeyKind = Literal["ec", "rsa"]
type PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

RSA_BITS = 2048
SHA256 = hashes.SHA256()


def new_key(kind: KeyKind) -> str:
    """Return a new private key as PEM; takes a while where it is RSA."""
    key: PrivateKey
    if kind == "rsa":
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def load_key(pem: str) -> PrivateKey:
    """Return the private key in a PEM text."""
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise TypeError(f"no key for TLS: {type(key).__name__}")
    return key


def signing_request(key_pem: str, common_name: str, organization: str | None) -> str:
    """Return a certificate signing request (PKCS #10) as PEM."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    request = builder.sign(load_key(key_pem), hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def read(pem: str) -> x509.Certificate:
    """Return the first certificate of a PEM text; raises ValueError if there is none."""
    return x509.load_pem_x509_certificate(pem.encode())


def certificates_in(path: Path | None) -> list[str]:
    """Return the certificates of a file, one PEM text each; none without a file."""
    if path is None:
        return []
    found = x509.load_pem_x509_certificates(path.read_bytes())
    return [one.public_bytes(Encoding.PEM).decode() for one in found]


def _sha256(data: bytes) -> str:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize().hex()


def _key_bits(certificate: x509.Certificate) -> bytes:
    """Return what a certificate's key hash is taken of: the key without its type."""
    public = certificate.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if isinstance(public, rsa.RSAPublicKey):
        return public.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def hash_data(pem: str, *, issuer: str | None = None) -> dict[str, str]:
    """Return how OCPP names a certificate (Security 6.1 CertificateHashDataType).

    The key hash is the issuer's, which for a root is its own.
    """
    certificate = read(pem)
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": _sha256(certificate.issuer.public_bytes()),
        "issuerKeyHash": _sha256(_key_bits(read(issuer) if issuer else certificate)),
        "serialNumber": f"{certificate.serial_number:x}",
    }


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether a certificate names an issuer and carries its signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except ValueError, TypeError, InvalidSignature:
        return False
    return True


def _untrusted(
    chain: list[x509.Certificate], roots: list[x509.Certificate], now: datetime
) -> str | None:
    """Return what is wrong with a chain, leaf first, seen from some roots."""
    for one in chain:
        if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
            return "not valid now"
    for one, issuer in pairwise(chain):
        if not issued_by(one, issuer):
            return "the chain is broken"
    last = chain[-1]
    if last in roots or any(issued_by(last, root) for root in roots):
        return None
    return "from nobody that is trusted"


def signs(pem: str, signature: str, content: bytes) -> bool:
    """Return whether a signature (base64, SHA-256) of a certificate is of a content."""
    try:
        key, signed = read(pem).public_key(), b64decode(signature, validate=True)
    except ValueError:
        return False
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _verified(key.verify, signed, content, ec.ECDSA(SHA256))
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    pss = padding.PSS(padding.MGF1(SHA256), padding.PSS.AUTO)
    return any(
        _verified(key.verify, signed, content, one, SHA256)
        for one in (pss, padding.PKCS1v15())
    )


def _verified(verify: Callable[..., None], *arguments: object) -> bool:
    try:
        verify(*arguments)
    except InvalidSignature:
        return False
    return True


def chain_problem(
    pem: str, roots: list[str], now: datetime, *, key_pem: str | None = None
) -> str | None:
    """Return what is wrong with a certificate chain; with a key, if it is another's."""
    try:
        chain = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return "no certificate"
    if key_pem is not None and chain[0].public_key() != load_key(key_pem).public_key():
        return "for another key"
    return _untrusted(chain, [read(root) for root in roots], now)
