"""Signer: the authority as one charger meets it."""

import asyncio
from collections.abc import Callable
from typing import override

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.x509.ocsp import OCSPRequestBuilder

from ..station.commands import CertificateHash
from ..station.security.kept import ClientCertificate
from ..station.security.ports import SignedChain, Signer
from .authority import Authority

_ALGORITHMS: dict[str, HashAlgorithm] = {
    "SHA256": SHA256(),
    "SHA384": SHA384(),
    "SHA512": SHA512(),
}


class ChargerSigner(Signer):
    """Signs for one charger, under the names that are its own."""

    def __init__(
        self,
        authority: Authority,
        identity: str,
        names: Callable[[], set[str]],
        *,
        signs_server: bool,
    ) -> None:
        """Sign with `authority`; `names` are the identity and the serial number.

        `signs_server` is whether the server's own certificate is of it, too.
        """
        self._authority = authority
        self._identity = identity
        self._names = names
        self._signs_server = signs_server

    @override
    async def root(self) -> str | None:
        """Return the root of the server's certificate, None if it is the user's own."""
        return self._authority.root_pem if self._signs_server else None

    @override
    async def check(self, csr: str) -> str | None:
        """Return why a certificate request cannot be signed for this charger."""
        names = self._names()
        return await asyncio.to_thread(self._authority.check, csr, names=names)

    @override
    async def sign(self, csr: str) -> SignedChain:
        """Sign a certificate request; raises CsrRefused."""
        pem = await self._authority.sign(
            csr, names=self._names(), identity=self._identity
        )
        leaf = x509.load_pem_x509_certificate(pem.encode())
        return SignedChain(
            pem=pem,
            serial=f"{leaf.serial_number:x}",
            issued=leaf.not_valid_before_utc,
            expires=leaf.not_valid_after_utc,
        )

    @override
    async def status(self, certificate: CertificateHash) -> str | None:
        """Return the OCSP response for a certificate of the authority."""
        return await asyncio.to_thread(self._authority.vouch, certificate)

    @override
    def names(self, pem: str, algorithm: str) -> tuple[str, str, str]:
        """Return how chargers name a root certificate; raises ValueError."""
        return certificate_hashes(pem, algorithm)


def client_certificate(der: bytes) -> ClientCertificate:
    """Return what we keep of a charger's certificate; raises ValueError."""
    leaf = x509.load_der_x509_certificate(der)
    return ClientCertificate(
        serial=f"{leaf.serial_number:x}",
        issued=leaf.not_valid_before_utc,
        expires=leaf.not_valid_after_utc,
    )


def certificate_hashes(pem: str, algorithm: str) -> tuple[str, str, str]:
    """Return name hash, key hash and serial of a root (CertificateHashDataType).

    All in hex; the hashes are those of OCSP (RFC 6960). Raises ValueError.
    """
    if (chosen := _ALGORITHMS.get(algorithm.upper().replace("-", ""))) is None:
        raise ValueError(algorithm)
    root = x509.load_pem_x509_certificate(pem.encode())
    named = OCSPRequestBuilder().add_certificate(root, root, chosen).build()
    return (
        named.issuer_name_hash.hex(),
        named.issuer_key_hash.hex(),
        f"{named.serial_number:x}",
    )
