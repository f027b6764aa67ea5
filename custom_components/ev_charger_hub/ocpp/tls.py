"""TLS: the server's context, built to what OCPP asks (security profile 2, A00.FR.318)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from cryptography.x509.oid import NameOID

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


@dataclass(kw_only=True, slots=True, frozen=True)
class Contexts:
    """How one server speaks TLS: to who may have a certificate, and to everybody."""

    silent: ssl.SSLContext
    """Asks for no certificate."""
    asking: ssl.SSLContext | None = None
    """Asks for a certificate; one that is not from our authority ends the handshake."""
    asks: Callable[[], bool] = lambda: True
    """Whether anybody has a certificate of ours; until then nobody is asked."""
    expires: datetime | None = None
    """When the first of the server's own certificates ends."""

    def choose(self, *, spared: bool) -> ssl.SSLContext:
        """Return the context for a new socket; who is spared is not asked."""
        if self.asking is None or spared or not self.asks():
            return self.silent
        return self.asking


def build_contexts(
    pairs: Sequence[tuple[Path | str, Path | str]],
    *,
    now: datetime | None = None,
    expired: bool = False,
    client_root: str | None = None,
    asks: Callable[[], bool] = lambda: True,
) -> Contexts:
    """Return contexts for PEM files of certificate and key; raises TlsError; blocking.

    An RSA pair and one with an elliptic curve serve together (A00.FR.318). With
    `expired` a pair will do that has ended. Chargers may prove themselves with certificates below `client_root`, if there is one.
    """
    ends = [_check_pair(Path(certificate), Path(key)) for certificate, key in pairs]
    if not expired and min(ends) < (now or datetime.now(UTC)):
        raise TlsError(TlsProblem.CERTIFICATE_EXPIRED)
    silent = _context(pairs)
    asking = None
    if client_root is not None:
        asking = _context(pairs)
        # Optional: chargers with a password come to the same port (A00.FR.006).
        asking.verify_mode = ssl.CERT_OPTIONAL
        asking.load_verify_locations(cadata=client_root)
    return Contexts(silent=silent, asking=asking, asks=asks, expires=min(ends))


def _context(pairs: Sequence[tuple[Path | str, Path | str]]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    try:
        for certificate, key in pairs:
            context.load_cert_chain(certificate, key)
    except (OSError, ValueError) as err:
        raise TlsError(TlsProblem.CERTIFICATE_UNUSABLE) from err
    return context


def _check_pair(certificate: Path, key: Path) -> datetime:
    """Return when a certificate ends; raises TlsError."""
    leaf = _read_certificate(certificate)
    _check_match(leaf, _read_key(key))
    return leaf.not_valid_after_utc


def _read_certificate(path: Path) -> x509.Certificate:
    """Return the first certificate of the chain, the server's own."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except FileNotFoundError as err:
        raise TlsError(TlsProblem.CERTIFICATE_MISSING) from err
    except (OSError, ValueError) as err:
        raise TlsError(TlsProblem.CERTIFICATE_UNREADABLE) from err


def is_for(certificate: Path, host: str) -> bool:
    """Return whether the certificate in a file is for a host; blocking.

    One that cannot be read is for nobody, one without alternative names for its CN.
    """
    try:
        leaf = _read_certificate(certificate)
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except TlsError, ValueError:
        return False
    except x509.ExtensionNotFound:
        parts = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return any(_covers(str(one.value), host) for one in parts)
    names = found.value.get_values_for_type(x509.DNSName)
    addresses = found.value.get_values_for_type(x509.IPAddress)
    return any(_covers(one, host) for one in (*names, *map(str, addresses)))


def _covers(name: str, host: str) -> bool:
    """Return whether a name of a certificate, perhaps with a star, stands for a host."""
    name, host = name.lower(), host.lower()
    _, dot, domain = host.partition(".")
    return name == host or (dot == "." and name == f"*.{domain}")


def _read_key(path: Path) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError as err:
        raise TlsError(TlsProblem.KEY_MISSING) from err
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise TlsError(TlsProblem.KEY_UNREADABLE) from err


def _check_match(leaf: x509.Certificate, key: PrivateKeyTypes) -> None:
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    try:
        public = leaf.public_key()
    except (ValueError, UnsupportedAlgorithm) as err:
        raise TlsError(TlsProblem.CERTIFICATE_UNUSABLE) from err
    if public.public_bytes(*form) != key.public_key().public_bytes(*form):
        raise TlsError(TlsProblem.KEY_DOES_NOT_MATCH)
