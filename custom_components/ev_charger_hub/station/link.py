"""Links: the ways to reach a station, and the commands they carry."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from .commands import (
    CertificateHash,
    CertificateUse,
    FirmwareRequest,
    InstalledCertificate,
    ListEntry,
    LocalListSupport,
    LogRequest,
    ReservationRequest,
    SigningRequest,
)
from .enums import RateUnit
from .facets import Facets
from .monitoring import CustomerLink, MonitoringLink
from .outcome import Outcome, OutcomeStatus
from .profiles.model import (
    ChargingProfile,
    CompositeSchedule,
    Installed,
    ProfileCriteria,
    ProfileSupport,
)

if TYPE_CHECKING:
    from .battery_swap import BatterySwapLink
    from .flexible import FlexibleLink
    from .grid import GridLink
    from .networks import NetworkLink
    from .two_way import TwoWayLink
    from .variables import ReportsLink
from .transaction_status import TransactionStatusLink


class LinkKind(StrEnum):
    """Which way a link goes; the order is the order of preference."""

    OCPP = "ocpp"
    EASEE = "easee"


class Capability(StrEnum):
    """A command that a link may carry."""

    CALL = "call"
    CERTIFICATES = "certificates"
    CONFIGURATION = "configuration"
    COSTS = "costs"
    CUSTOMERS = "customers"
    DISPLAY = "display"
    FIRMWARE = "firmware"
    FLEXIBLE = "flexible"
    GRID = "grid"
    LIMIT = "limit"
    LOCAL_LIST = "local_list"
    LOGS = "logs"
    MONITORING = "monitoring"
    NETWORKS = "networks"
    PHASES = "phases"
    PROFILES = "profiles"
    PUBLISHING = "publishing"
    REPORTS = "reports"
    RESERVATION = "reservation"
    RESET = "reset"
    SINGLE_LIMIT = "single_limit"
    """Its LIMIT is one number for the whole station, which tells it back."""
    START_STOP = "start_stop"
    TARIFFS = "tariffs"
    TRANSACTION_STATUS = "transaction_status"
    TRIGGER = "trigger"
    TWO_WAY = "two_way"
    UNLOCK = "unlock"
    AVAILABILITY = "availability"
    BATTERY_SWAP = "battery_swap"
    CLEAR_CACHE = "clear_cache"
    DATA_TRANSFER = "data_transfer"


@dataclass(kw_only=True, slots=True, frozen=True)
class Limit:
    """A wish for a charging limit; `value` in `unit`, per phase for ampere."""

    value: Decimal
    unit: RateUnit = RateUnit.AMPERE


@dataclass(kw_only=True, slots=True, frozen=True)
class ConfigurationKey:
    """One configuration key of a station; `value` is None for write-only keys."""

    key: str
    value: str | None
    readonly: bool


class Link(Facets, Protocol):
    """One way to reach a station.

    Commands return an Outcome for every answer, refusal, time-out or dropped
    connection; they raise NotConnected only if nothing was sent. `evse_id` None means
    "the station decides", 0 the whole station. Each of them sends exactly one message
    and checks only its form; only `set_limit` and `clear_limit`, the commands of links
    without profiles, may send several, and OCPP 2.x where its messages have no room
    for all variables, connectors or purposes of profiles.
    """

    kind: LinkKind

    @property
    def connected(self) -> bool:
        """Return whether a command would be sent now."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Return what this link can carry, as far as is known."""

    async def start_charging(
        self, evse_id: int | None, id_token: str, limit: Limit | None = None
    ) -> Outcome:
        """Ask for a transaction (OCPP 1.6 5.11, 2.0.1 F01/F02)."""

    async def stop_charging(self, transaction_id: str) -> Outcome:
        """Ask for the end of a transaction (OCPP 1.6 5.12, 2.0.1 F03)."""

    @property
    def battery_swaps(self) -> BatterySwapLink | None:
        """Return what asks for battery swaps, None before 2.1."""
        return None

    @property
    def flexible(self) -> FlexibleLink | None:
        """Return what changes what flows without a new profile, None before 2.1."""
        return None

    @property
    def grid(self) -> GridLink | None:
        """Return what says what the grid wants, None before 2.1."""
        return None

    @property
    def two_way(self) -> TwoWayLink | None:
        """Return what says how much is to flow which way, None before 2.1."""
        return None

    @property
    def customers(self) -> CustomerLink | None:
        """Return what asks what the station knows of somebody, None before 2.x."""
        return None

    @property
    def monitoring(self) -> MonitoringLink | None:
        """Return what has the station watch its variables, None before 2.x."""
        return None

    @property
    def transactions(self) -> TransactionStatusLink | None:
        """Return what asks about transactions, None where that is unheard of."""
        return None

    async def set_limit(
        self, evse_id: int, limit: Limit, lasts: int | None = None
    ) -> Outcome:
        """Make a limit hold at an EVSE, or with 0 at the whole station.

        With `lasts` it ends by itself after so many seconds, unless it is set again.
        """

    async def clear_limit(self, evse_id: int) -> Outcome:
        """Remove our limits from an EVSE, or with 0 from the whole station."""

    @property
    def limit_in_force(self) -> Decimal | None:
        """Return what a station with a SINGLE_LIMIT says that is, in A; None if unknown."""
        return None

    @property
    def limit_written(self) -> Decimal | None:
        """Return what we made of that last, in A; None for nothing."""
        return None

    @property
    def limit_afterwards(self) -> Decimal | None:
        """Return what holds when a limit that `lasts` is over, in A; None if unknown."""
        return None

    async def set_phases(self, evse_id: int, phases: int | None) -> Outcome:
        """Charge with so many phases; None leaves it to the station.

        For links without profiles that carry PHASES.
        """
        return Outcome(status=OutcomeStatus.NOT_SUPPORTED)

    async def phases_followed(self, evse_id: int, phases: int | None) -> bool | None:
        """Return whether a vehicle comes to charge so; None if nothing tells."""
        return None

    @property
    def profile_support(self) -> ProfileSupport:
        """Return what the station supports of charging profiles, as far as is known."""

    async def set_profile(self, evse_id: int, profile: ChargingProfile) -> Outcome:
        """Install a charging profile (OCPP 1.6 5.16, 2.0.1 K01)."""

    async def clear_profiles(self, criteria: ProfileCriteria) -> Outcome:
        """Remove charging profiles (OCPP 1.6 5.5, 2.0.1 K10); "Unknown" is rejected."""

    async def get_profiles(
        self, criteria: ProfileCriteria
    ) -> tuple[Outcome, list[Installed]]:
        """Return what the station holds (2.0.1 K09); NOT_SUPPORTED if it cannot tell."""

    async def composite_schedule(
        self, evse_id: int, duration: int, unit: RateUnit | None = None
    ) -> tuple[Outcome, CompositeSchedule | None]:
        """Return what the station says will hold (OCPP 1.6 5.7, 2.0.1 K08).

        A schedule without periods says that nothing limits the EVSE.
        """

    async def unlock(self, evse_id: int, connector_id: int) -> Outcome:
        """Unlock a connector (OCPP 1.6 5.18, 2.0.1 F05)."""

    async def reset(
        self, *, hard: bool, evse_id: int | None = None, resume: bool = False
    ) -> Outcome:
        """Restart the station, or one EVSE (OCPP 1.6 5.14, 2.0.1 B11).

        `resume` has its transactions go on afterwards (2.1 B11).
        """

    async def change_availability(
        self, evse_id: int, *, operative: bool, connector_id: int | None = None
    ) -> Outcome:
        """Take the station, an EVSE or one connector of it in or out of service.

        OCPP 1.6 5.2, 2.0.1 G03, G04.
        """

    async def trigger(self, message: str, evse_id: int | None) -> Outcome:
        """Ask the station to send a message now (OCPP 1.6 5.17, 2.0.1 F06)."""

    async def get_configuration(
        self, keys: list[str]
    ) -> tuple[Outcome, list[ConfigurationKey], list[str]]:
        """Return the named keys (all if empty) and the unknown ones (OCPP 1.6 5.8)."""

    async def set_configuration(self, key: str, value: str) -> Outcome:
        """Write one configuration key (OCPP 1.6 5.3)."""

    @property
    def reports(self) -> ReportsLink | None:
        """Return what reports and writes many variables at once, None before 2.x."""
        return None

    async def clear_cache(self) -> Outcome:
        """Clear the authorization cache (OCPP 1.6 5.4, 2.0.1 C11)."""

    async def data_transfer(
        self, vendor_id: str, message_id: str | None, data: str | None
    ) -> Outcome:
        """Send vendor data (OCPP 1.6 5.6, 2.0.1 P01)."""

    @property
    def local_list_support(self) -> LocalListSupport:
        """Return what the station says of its local authorization list."""

    async def local_list_version(self) -> tuple[Outcome, int | None]:
        """Return the version of the list: 0 is empty (OCPP 1.6 5.10, 2.0.1 D02).

        -1, which says that there is no such list, is NOT_SUPPORTED.
        """

    async def send_local_list(
        self, version: int, entries: Sequence[ListEntry], *, full: bool
    ) -> Outcome:
        """Replace the list, or change it (OCPP 1.6 5.15, 2.0.1 D01)."""

    async def reserve(self, request: ReservationRequest) -> Outcome:
        """Reserve an EVSE, or the station (OCPP 1.6 5.13, 2.0.1 H01)."""

    async def cancel_reservation(self, reservation_id: int) -> Outcome:
        """Give a reservation up (OCPP 1.6 5.1, 2.0.1 H02)."""

    async def update_firmware(self, request: FirmwareRequest) -> Outcome:
        """Ask for an update (OCPP 1.6 5.19, Security 5.17, 2.0.1 L01)."""

    @property
    def file_transfers(self) -> frozenset[str] | None:
        """Return the protocols that the station uploads by, None if it does not say."""

    async def get_log(self, request: LogRequest) -> tuple[Outcome, str | None]:
        """Ask for an upload; return its file name (OCPP 1.6 5.9, Security 5.10)."""

    async def install_certificate(self, use: CertificateUse, pem: str) -> Outcome:
        """Install a root certificate (OCPP 1.6 Security 5.12, 2.0.1 M05)."""

    async def installed_certificates(
        self, uses: Collection[CertificateUse] = ()
    ) -> tuple[Outcome, list[InstalledCertificate]]:
        """Return the certificates of these uses, or all (Security 5.8, 2.0.1 M03).

        That there are none is no error. OCPP 1.6 takes a message for each use.
        """

    async def delete_certificate(self, certificate: CertificateHash) -> Outcome:
        """Delete a certificate (OCPP 1.6 Security 5.3, 2.0.1 M04)."""

    async def certificate_signed(self, chain: str, request: SigningRequest) -> Outcome:
        """Bring the certificate that was asked for, PEM, leaf first (2.0.1 A02)."""

    async def set_password(self, password: str) -> Outcome:
        """Give the station a new password (OCPP 1.6 Security A01, 2.0.1 A01)."""

    @property
    def networks(self) -> NetworkLink | None:
        """Return what knows the ways by which the station dials (2.x B09)."""
        return None

    async def call(self, action: str, payload: dict[str, Any]) -> Outcome:
        """Send a raw call, for experts."""
