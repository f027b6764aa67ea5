"""Ports: what the security of a station needs of the floors above."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ..commands import CertificateHash


@dataclass(kw_only=True, slots=True, frozen=True)
class NewPassword:
    """A password made just now: `plain` for the station, `hashed` as we keep it."""

    plain: str = field(repr=False)
    hashed: str = field(repr=False)


@dataclass(kw_only=True, slots=True, frozen=True)
class SignedChain:
    """A certificate signed just now: PEM, leaf first, and what it says; serial in hex."""

    pem: str
    serial: str
    issued: datetime
    expires: datetime


class Signer(Protocol):
    """Who signs the certificates of this station, and proves who the server is."""

    async def root(self) -> str | None:
        """Return the root of the server's certificate as PEM, None if it is not ours."""

    async def check(self, csr: str) -> str | None:
        """Return why a certificate request cannot be signed for this station."""

    async def sign(self, csr: str) -> SignedChain:
        """Sign a certificate request that `check` found right."""

    async def status(self, certificate: CertificateHash) -> str | None:
        """Return the OCSP response for a certificate that `sign` made, DER in base64.

        None if it is not said to be of this authority (2.0.1 M06).
        """

    def names(self, pem: str, algorithm: str) -> tuple[str, str, str]:
        """Return how stations name a root certificate (CertificateHashDataType).

        Hash of the issuer's name and of its key, and the serial number, in hex;
        raises ValueError for an algorithm that nobody knows.
        """


@dataclass(kw_only=True, slots=True, frozen=True)
class Ports:
    """The means that security works with.

    `signer` returns None where no authority of ours exists. `amend` takes over fields
    of StationSettings into what the user set; it is done within seconds. `offers` tells
    whether the station, where it dials now, can reach us with a profile; `address` is
    the URL to dial then, without its identity, None if it is not known.
    """

    new_password: Callable[[], Awaitable[NewPassword]]
    signer: Callable[[], Signer | None]
    amend: Callable[[Mapping[str, Any]], None]
    offers: Callable[[int], bool]
    address: Callable[[int], str | None]
