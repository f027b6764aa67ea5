"""Ports: what the security of a station needs of the floors above."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(kw_only=True, slots=True, frozen=True)
class NewPassword:
    """A password made just now: `key` as a station is told it, `hashed` as we keep it."""

    key: str = field(repr=False)
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
    whether the station, where it dials now, can reach us with a profile.
    """

    new_password: Callable[[], Awaitable[NewPassword]]
    signer: Callable[[], Signer | None]
    amend: Callable[[Mapping[str, Any]], None]
    offers: Callable[[int], bool]
