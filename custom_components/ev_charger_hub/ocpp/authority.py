"""Authority: the small CA of one Home Assistant, for its server and its chargers."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
import json
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import (
    OCSPCertStatus,
    OCSPRequestBuilder,
    OCSPResponderEncoding,
    OCSPResponseBuilder,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..station.clock import Clock
from ..station.commands import CertificateHash
from .errors import OcppError
from .issuing import (
    BACKDATED,
    CLIENT_LIFETIME,
    ORGANIZATION,
    Pair,
    PrivateKey,
    PublicKey,
    name_part,
    new_client,
    new_ec_key,
    new_root,
    new_rsa_key,
    new_server,
    server_names,
)
from .private_files import write_private

MAX_CSR = 5500
"""Characters of SignCertificate.csr (OCPP 1.6 Security 5.17)."""

RENEW_BEFORE = timedelta(days=60)
"""How long before its end a server's certificate is replaced."""

OCSP_LIFETIME = timedelta(days=7)
"""How long a station may show what we say of its certificate (2.0.1 M06)."""

_OCSP = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
_MIN_RSA, _MAX_RSA, _MIN_EC = 2048, 8192, 224
_ROOT = "root.pem"
_CLIENTS = "clients.json"
_SERVERS: dict[str, Callable[[], PrivateKey]] = {
    "server_ec.pem": new_ec_key,
    "server_rsa.pem": new_rsa_key,
}
"""The server's pairs: chargers need either the one or the other (A00.FR.318)."""


_UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    UnsupportedAlgorithm,
)


class AuthorityError(OcppError):
    """The authority's files cannot be used."""


class CsrProblem(StrEnum):
    """Why a signing request is not fulfilled."""

    BAD_SIGNATURE = "bad_signature"
    TOO_LONG = "too_long"
    UNREADABLE = "unreadable"
    WEAK_KEY = "weak_key"
    WRONG_NAME = "wrong_name"


class CsrRefused(OcppError):
    """A signing request is not fulfilled, for the reason `problem`."""

    def __init__(self, problem: CsrProblem) -> None:
        """Keep the reason."""
        super().__init__(problem)
        self.problem = problem


@dataclass(kw_only=True, slots=True, frozen=True)
class _Clients:
    """What has to be known of the certificates of chargers.

    They tell themselves for whom they are, so there is no list of them that a restored
    backup could lack: `revoked` holds up to which start they are void, by identity.
    """

    signed_until: datetime | None = None
    revoked: Mapping[str, datetime] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return what a file says; raises as JSON and its content do."""
        try:
            content = json.loads(path.read_bytes())
        except FileNotFoundError:
            return cls()
        until = content["signed_until"]
        return cls(
            signed_until=None if until is None else datetime.fromisoformat(until),
            revoked={
                identity: datetime.fromisoformat(start)
                for identity, start in content["revoked"].items()
            },
        )

    def write(self, path: Path) -> None:
        """Write a file; blocking."""
        content = {
            "signed_until": self.signed_until and self.signed_until.isoformat(),
            "revoked": {one: start.isoformat() for one, start in self.revoked.items()},
        }
        write_private(path, json.dumps(content).encode())


class Authority:
    """A root, the server's certificates it signed, and those of chargers."""

    def __init__(
        self, folder: Path, clock: Clock, root: Pair, clients: _Clients
    ) -> None:
        """Use what is in a folder; see `open`."""
        self.root_pem = root.certificate.public_bytes(Encoding.PEM).decode()
        """The root certificate, as chargers are to trust it."""
        self._folder = folder
        self._clock = clock
        self._root = root
        self._clients = clients
        self._lock = asyncio.Lock()

    @classmethod
    def open(cls, folder: Path, clock: Clock) -> Self:
        """Return the authority of a folder, new if there is none; blocking.

        Raises AuthorityError; a root that cannot be read, or is lost, is never
        replaced, because chargers that trust it would be locked out.
        """
        try:
            root = _open_root(folder, clock)
            clients = _Clients.read(folder / _CLIENTS)
        except _UNREADABLE as err:
            raise AuthorityError(f"{type(err).__name__} in {folder.name}") from err
        return cls(folder, clock, root, clients)

    @property
    def expires(self) -> datetime:
        """Return when the root ends."""
        return self._root.certificate.not_valid_after_utc

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 fingerprint of the root as people compare it."""
        return self._root.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    # The server

    @property
    def server_files(self) -> tuple[Path, ...]:
        """Return the PEM files with key and certificate of the server."""
        return tuple(self._folder / name for name in _SERVERS)

    def renew_server(self, names: Sequence[str]) -> bool:
        """Make sure of server certificates for all names; blocking.

        Return whether one had to be made, which is also some time before one ends;
        raises AuthorityError, OSError.
        """
        now = self._clock()
        missing = [
            path for path in self.server_files if not self._serves(path, names, now)
        ]
        if missing and self.expires <= now:
            raise AuthorityError("the root certificate has ended")
        for path in missing:
            pair = new_server(self._root, _SERVERS[path.name](), names, now)
            write_private(path, pair.pem)
        return bool(missing)

    def _serves(self, path: Path, names: Sequence[str], now: datetime) -> bool:
        try:
            leaf = Pair.read(path.read_bytes()).certificate
            leaf.verify_directly_issued_by(self._root.certificate)
        except OSError, ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature:
            return False
        in_time = leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc
        # The last one of a root cannot outlive it.
        ends = min(now + RENEW_BEFORE, self.expires)
        return (
            in_time
            and leaf.not_valid_after_utc >= ends
            and (server_names(leaf) >= set(names))
        )

    # Chargers

    def check(self, csr: str, *, names: set[str]) -> CsrProblem | None:
        """Return what is wrong with a PKCS #10 request in PEM of who has these names.

        Names are the charger's identity and its serial number (A02.FR.05, CN).
        """
        try:
            _read_request(csr, names)
        except CsrRefused as err:
            return err.problem
        return None

    async def sign(self, csr: str, *, names: set[str], identity: str) -> str:
        """Return a certificate chain in PEM for a request; raises CsrRefused.

        It is good for `identity` only; the root is not part of it (A02.FR.06).
        """
        async with self._lock:
            return await asyncio.to_thread(self._sign, csr, names, identity)

    def _sign(self, csr: str, names: set[str], identity: str) -> str:
        public, common = _read_request(csr, names)
        valid_from = self._clock().replace(microsecond=0) - BACKDATED
        if (revoked := self._clients.revoked.get(identity)) is not None:
            valid_from = max(valid_from, revoked + timedelta(seconds=1))
        leaf = new_client(self._root, public, common, identity, valid_from)
        until = leaf.not_valid_after_utc
        if (known := self._clients.signed_until) is None or known < until:
            # Known before anybody has it: it is asked for from now on.
            self._keep(replace(self._clients, signed_until=until))
        return leaf.public_bytes(Encoding.PEM).decode()

    async def revoke(self, identity: str) -> None:
        """Take back every certificate that was signed for a charger, durably."""
        async with self._lock:
            await asyncio.to_thread(self._revoke, identity)

    def _revoke(self, identity: str) -> None:
        now = self._clock()
        kept = {
            one: start
            for one, start in self._clients.revoked.items()
            if start + BACKDATED + CLIENT_LIFETIME > now
        }
        kept[identity] = now.replace(microsecond=0) - BACKDATED
        self._keep(replace(self._clients, revoked=kept))

    def _keep(self, clients: _Clients) -> None:
        clients.write(self._folder / _CLIENTS)
        self._clients = clients

    @property
    def has_clients(self) -> bool:
        """Return whether any charger can have a certificate of its own now."""
        until = self._clients.signed_until
        return until is not None and until > self._clock()

    def vouch(self, named: CertificateHash) -> str | None:
        """Return an OCSP response (base64 DER) that a certificate is good; blocking.

        None if it names another issuer; that it was signed here is for the caller.
        """
        root = self._root.certificate
        algorithm = _OCSP.get(named.algorithm.upper())
        if algorithm is None or not named.serial:
            return None
        issuer = OCSPRequestBuilder().add_certificate(root, root, algorithm).build()
        told = named.issuer_name_hash.lower(), named.issuer_key_hash.lower()
        if told != (issuer.issuer_name_hash.hex(), issuer.issuer_key_hash.hex()):
            return None
        now = self._clock()
        response = (
            OCSPResponseBuilder()
            .add_response_by_hash(
                issuer.issuer_name_hash,
                issuer.issuer_key_hash,
                int(named.serial, 16),
                algorithm,
                OCSPCertStatus.GOOD,
                now,
                now + OCSP_LIFETIME,
                None,
                None,
            )
            .responder_id(OCSPResponderEncoding.HASH, root)
            .sign(self._root.key, hashes.SHA256())
        )
        return b64encode(response.public_bytes(Encoding.DER)).decode()

    def trusts(self, certificate: bytes, identity: str) -> bool:
        """Return whether a client certificate (DER) proves an identity (SEC_06)."""
        try:
            leaf = x509.load_der_x509_certificate(certificate)
            leaf.verify_directly_issued_by(self._root.certificate)
            usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        except ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound:
            return False
        revoked = self._clients.revoked.get(identity)
        return (
            leaf.not_valid_before_utc <= self._clock() < leaf.not_valid_after_utc
            and (revoked is None or leaf.not_valid_before_utc > revoked)
            and ExtendedKeyUsageOID.CLIENT_AUTH in usage.value
            and name_part(leaf.subject, NameOID.ORGANIZATION_NAME) == ORGANIZATION
            and name_part(leaf.subject, NameOID.ORGANIZATIONAL_UNIT_NAME) == identity
        )


def _open_root(folder: Path, clock: Clock) -> Pair:
    path = folder / _ROOT
    try:
        return Pair.read(path.read_bytes())
    except FileNotFoundError:
        if any((folder / name).exists() for name in (_CLIENTS, *_SERVERS)):
            raise
    root = new_root(clock())
    write_private(path, root.pem)
    return root


def _read_request(csr: str, names: set[str]) -> tuple[PublicKey, str]:
    """Return key and CN of a request that may be signed; raises CsrRefused."""
    if len(csr) > MAX_CSR:
        raise CsrRefused(CsrProblem.TOO_LONG)
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        public = _strong(request.public_key())
        signed = request.is_signature_valid
        common = name_part(request.subject, NameOID.COMMON_NAME)
    except (ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise CsrRefused(CsrProblem.UNREADABLE) from err
    if not signed:
        raise CsrRefused(CsrProblem.BAD_SIGNATURE)
    if common is None or common.casefold() not in {one.casefold() for one in names}:
        raise CsrRefused(CsrProblem.WRONG_NAME)
    return public, common


def _strong(public: object) -> PublicKey:
    """Return a public key that is one we sign; raises CsrRefused (A00.FR.507 f.)."""
    match public:
        case rsa.RSAPublicKey() if _MIN_RSA <= public.key_size <= _MAX_RSA:
            return public
        case ec.EllipticCurvePublicKey() if public.key_size >= _MIN_EC:
            return public
    raise CsrRefused(CsrProblem.WEAK_KEY)
