"""TLS: the server's context, built to what OCPP asks (security profile 2, A00.FR.318)."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
import ssl

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from .errors import OcppError

# The suites that 2.0.1 A00.FR.318 and 1.6 security wants: forward secret ones and plain
# RSA with GCM, no CBC, no 3DES. OpenSSL's own defaults differ from build to build.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:AES128-GCM-SHA256:AES256-GCM-SHA384"


class TlsProblem(StrEnum):
    """What is wrong with certificate and key; values are translation keys."""

    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_MISSING = "certificate_missing"
    CERTIFICATE_UNREADABLE = "certificate_unreadable"
    CERTIFICATE_UNUSABLE = "certificate_unusable"
    """OpenSSL refuses it, for example because its key is too short."""
    KEY_DOES_NOT_MATCH = "key_does_not_match"
    KEY_MISSING = "key_missing"
    KEY_UNREADABLE = "key_unreadable"


class TlsError(OcppError):
    """Certificate and key cannot be used, for the reason `kind`."""

    def __init__(self, kind: TlsProblem) -> None:
        """Keep the reason."""
        super().__init__(kind)
        self.kind = kind


def build_server_context(
    certificate: Path | str, key: Path | str, *, now: datetime | None = None
) -> ssl.SSLContext:
    """Return a context for PEM files; raises TlsError; blocking."""
    leaf = _read_certificate(Path(certificate))
    _check_match(leaf, _read_key(Path(key)))
    if leaf.not_valid_after_utc < (now or datetime.now(UTC)):
        raise TlsError(TlsProblem.CERTIFICATE_EXPIRED)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ValueError) as err:
        raise TlsError(TlsProblem.CERTIFICATE_UNUSABLE) from err
    return context


def _read_certificate(path: Path) -> x509.Certificate:
    """Return the first certificate of the chain, the server's own."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except FileNotFoundError as err:
        raise TlsError(TlsProblem.CERTIFICATE_MISSING) from err
    except (OSError, ValueError) as err:
        raise TlsError(TlsProblem.CERTIFICATE_UNREADABLE) from err


def _read_key(path: Path) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError as err:
        raise TlsError(TlsProblem.KEY_MISSING) from err
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise TlsError(TlsProblem.KEY_UNREADABLE) from err


def _check_match(leaf: x509.Certificate, key: PrivateKeyTypes) -> None:
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if leaf.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        raise TlsError(TlsProblem.KEY_DOES_NOT_MATCH)
