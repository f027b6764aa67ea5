"""Commands: what those about lists, reservations, files and certificates carry."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .authorization import Verdict


@dataclass(kw_only=True, slots=True, frozen=True)
class ListEntry:
    """One line of a local authorization list; `verdict` None takes the token off it."""

    id_token: str = field(repr=False)
    verdict: Verdict | None


@dataclass(kw_only=True, slots=True, frozen=True)
class LocalListSupport:
    """What a station says of its local authorization list; None: it does not say.

    `max_entries` is what the list holds, `max_per_message` what one message may bring,
    `max_token` how many characters an id token has room for.
    """

    supported: bool | None = None
    enabled: bool | None = None
    max_entries: int | None = None
    max_per_message: int | None = None
    max_token: int | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class ReservationRequest:
    """A wish to keep a connector free for a token; `evse_id` 0 is any of the station.

    `connector_type` is which kind of connector, in the words of OCPP 2.x.
    """

    reservation_id: int
    evse_id: int
    id_token: str = field(repr=False)
    expires: datetime
    group: str | None = field(default=None, repr=False)
    connector_type: str | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class FirmwareRequest:
    """An update: where the firmware is, when to fetch and when to install it.

    `certificate` (PEM) and `signature` (base64) make it a signed one. `retry_interval`
    in seconds; None leaves retries to the station.
    """

    request_id: int
    location: str
    retrieve_at: datetime
    install_at: datetime | None = None
    retries: int | None = None
    retry_interval: int | None = None
    certificate: str | None = None
    signature: str | None = None


class LogKind(StrEnum):
    """Which log a station is asked for."""

    DATA_COLLECTOR = "data_collector"
    """What OCPP 2.1 collects by itself (N15)."""
    DIAGNOSTICS = "diagnostics"
    SECURITY = "security"


@dataclass(kw_only=True, slots=True, frozen=True)
class LogRequest:
    """A log to be uploaded to `location`; `since` and `until` bound it."""

    request_id: int
    kind: LogKind
    location: str
    since: datetime | None = None
    until: datetime | None = None
    retries: int | None = None
    retry_interval: int | None = None


class CertificateUse(StrEnum):
    """What a certificate of a station is for (OCPP 1.6 Security 5.8, 2.x M03)."""

    CENTRAL_SYSTEM_ROOT = "central_system_root"
    MANUFACTURER_ROOT = "manufacturer_root"
    MO_ROOT = "mo_root"
    """The root of the operators that sell contracts to drivers."""
    OEM_ROOT = "oem_root"
    """The root of the makers of vehicles (2.1)."""
    V2G_CHAIN = "v2g_chain"
    """The station's own certificate for vehicles; it can be listed and deleted only."""
    V2G_ROOT = "v2g_root"
    """The root by which vehicles know stations (ISO 15118)."""


INSTALLABLE = frozenset(CertificateUse) - {CertificateUse.V2G_CHAIN}


@dataclass(kw_only=True, slots=True, frozen=True)
class CertificateHash:
    """How a station names one of its certificates; hashes and serial in hex.

    `algorithm` is the station's word (SHA256, SHA384, SHA512) and goes back unchanged.
    """

    algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial: str


@dataclass(kw_only=True, slots=True, frozen=True)
class InstalledCertificate:
    """A certificate that a station lists; `children` are those below it in a chain."""

    use: CertificateUse
    certificate: CertificateHash
    children: tuple[CertificateHash, ...] = ()


@dataclass(kw_only=True, slots=True, frozen=True)
class SigningRequest:
    """A wish of a station for a certificate of its own; `csr` is PKCS #10 in PEM.

    `combined` is whether it serves vehicles, too; `number` is the station's own for
    the wish, if it gave one (2.1).
    """

    csr: str = field(repr=False)
    combined: bool = False
    number: int | None = None
