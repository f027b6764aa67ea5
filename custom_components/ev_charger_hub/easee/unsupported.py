"""Unsupported: what a link answers to the commands that the Easee cloud has no word for."""

from collections.abc import Collection, Sequence
from typing import Any, Final, override

from ..station.commands import (
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
from ..station.enums import RateUnit
from ..station.link import ConfigurationKey, Link
from ..station.outcome import Outcome, OutcomeStatus
from ..station.profiles.model import (
    ChargingProfile,
    CompositeSchedule,
    Installed,
    ProfileCriteria,
    ProfileSupport,
)

NOT_SUPPORTED: Final = Outcome(status=OutcomeStatus.NOT_SUPPORTED)


class UnsupportedCommands(Link):
    """The commands of OCPP that the Easee cloud does not carry."""

    @property
    @override
    def profile_support(self) -> ProfileSupport:
        """Return that nothing is known of profiles."""
        return ProfileSupport(evses=1)

    @override
    async def set_profile(self, evse_id: int, profile: ChargingProfile) -> Outcome:
        """Return that there are no profiles."""
        return NOT_SUPPORTED

    @override
    async def clear_profiles(self, criteria: ProfileCriteria) -> Outcome:
        """Return that there are no profiles."""
        return NOT_SUPPORTED

    @override
    async def get_profiles(
        self, criteria: ProfileCriteria
    ) -> tuple[Outcome, list[Installed]]:
        """Return that there are no profiles."""
        return NOT_SUPPORTED, []

    @override
    async def composite_schedule(
        self, evse_id: int, duration: int, unit: RateUnit | None = None
    ) -> tuple[Outcome, CompositeSchedule | None]:
        """Return that there are no profiles."""
        return NOT_SUPPORTED, None

    @override
    async def unlock(self, evse_id: int, connector_id: int) -> Outcome:
        """Return that the cloud unlocks nothing."""
        return NOT_SUPPORTED

    @override
    async def trigger(self, message: str, evse_id: int | None) -> Outcome:
        """Return that messages of OCPP cannot be asked for."""
        return NOT_SUPPORTED

    @override
    async def get_configuration(
        self, keys: list[str]
    ) -> tuple[Outcome, list[ConfigurationKey], list[str]]:
        """Return that there are no configuration keys."""
        return NOT_SUPPORTED, [], []

    @override
    async def set_configuration(self, key: str, value: str) -> Outcome:
        """Return that there are no configuration keys."""
        return NOT_SUPPORTED

    @override
    async def clear_cache(self) -> Outcome:
        """Return that there is no authorization cache."""
        return NOT_SUPPORTED

    @override
    async def data_transfer(
        self, vendor_id: str, message_id: str | None, data: str | None
    ) -> Outcome:
        """Return that there are no vendor messages."""
        return NOT_SUPPORTED

    @property
    @override
    def local_list_support(self) -> LocalListSupport:
        """Return that nothing is known of a local list."""
        return LocalListSupport()

    @override
    async def local_list_version(self) -> tuple[Outcome, int | None]:
        """Return that there is no local list."""
        return NOT_SUPPORTED, None

    @override
    async def send_local_list(
        self, version: int, entries: Sequence[ListEntry], *, full: bool
    ) -> Outcome:
        """Return that there is no local list."""
        return NOT_SUPPORTED

    @override
    async def reserve(self, request: ReservationRequest) -> Outcome:
        """Return that nothing can be reserved."""
        return NOT_SUPPORTED

    @override
    async def cancel_reservation(self, reservation_id: int) -> Outcome:
        """Return that nothing can be reserved."""
        return NOT_SUPPORTED

    @override
    async def update_firmware(self, request: FirmwareRequest) -> Outcome:
        """Return that no firmware can be sent: the cloud has its own."""
        return NOT_SUPPORTED

    @property
    @override
    def file_transfers(self) -> frozenset[str] | None:
        """Return that there are no uploads."""
        return frozenset()

    @override
    async def get_log(self, request: LogRequest) -> tuple[Outcome, str | None]:
        """Return that there are no uploads."""
        return NOT_SUPPORTED, None

    @override
    async def install_certificate(self, use: CertificateUse, pem: str) -> Outcome:
        """Return that there are no certificates."""
        return NOT_SUPPORTED

    @override
    async def installed_certificates(
        self, uses: Collection[CertificateUse] = ()
    ) -> tuple[Outcome, list[InstalledCertificate]]:
        """Return that there are no certificates."""
        return NOT_SUPPORTED, []

    @override
    async def delete_certificate(self, certificate: CertificateHash) -> Outcome:
        """Return that there are no certificates."""
        return NOT_SUPPORTED

    @override
    async def certificate_signed(self, chain: str, request: SigningRequest) -> Outcome:
        """Return that there are no certificates."""
        return NOT_SUPPORTED

    @override
    async def set_password(self, password: str) -> Outcome:
        """Return that there is no password of OCPP."""
        return NOT_SUPPORTED

    @override
    async def call(self, action: str, payload: dict[str, Any]) -> Outcome:
        """Return that calls of OCPP cannot be sent."""
        return NOT_SUPPORTED
