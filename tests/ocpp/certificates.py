"""Keys, signing requests and TLS clients for tests, as chargers make them."""

from pathlib import Path
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

type Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return a new RSA key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def ec_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def signing_request(key: Key, *names: str) -> str:
    """Return a PKCS #10 request in PEM with these common names."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names]
    request = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([*parts, x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme")])
    )
    return request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def private_pem(key: Key) -> str:
    """Return a private key in PEM."""
    form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    return key.private_bytes(*form).decode()


def client_context(
    *, root: str | None = None, certificate: str = "", folder: Path | None = None
) -> ssl.SSLContext:
    """Return what a charger dials with: its roots, its key and certificate.

    Without a root it believes any server; `certificate` is key and chain in PEM, which
    OpenSSL reads from a file in `folder` only.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if root is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=root)
    if certificate and folder is not None:
        path = folder / "client.pem"
        path.write_text(certificate)
        context.load_cert_chain(path)
    return context
