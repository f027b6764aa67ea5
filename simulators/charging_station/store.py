"""The certificates that a station trusts, and what it is asked about them."""

from typing import TYPE_CHECKING, Any

from .certificates import hash_data, issued_by, read
from .misbehaviour import Misbehaviour

if TYPE_CHECKING:
    from .v16 import ChargingStation16

CENTRAL_SYSTEM = "CentralSystemRootCertificate"
MANUFACTURER = "ManufacturerRootCertificate"
LONGEST = 5500


class CertificateStore:
    """Root certificates by what they are for (Security 6.3 CertificateUseEnumType)."""

    def __init__(self, station: ChargingStation16) -> None:
        """Serve one station; nothing is trusted yet."""
        self._station = station
        self.roots: dict[str, list[str]] = {CENTRAL_SYSTEM: [], MANUFACTURER: []}
        self.handlers = {
            "DeleteCertificate": self._delete,
            "GetInstalledCertificateIds": self._list,
            "InstallCertificate": self._install,
        }

    @property
    def central_system(self) -> list[str]:
        """Return those that the central system's certificate may come from, as PEM."""
        return self.roots[CENTRAL_SYSTEM]

    @property
    def manufacturer(self) -> list[str]:
        """Return those that firmware may be signed under, as PEM."""
        return self.roots[MANUFACTURER]

    async def _install(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Security 5.12; what is invalid is an event too (TC_078)."""
        station = self._station
        kind, pem = payload["certificateType"], payload["certificate"]
        if (problem := self._objection(kind, pem)) is not None:
            if kind == CENTRAL_SYSTEM:
                station.security.event("InvalidCentralSystemCertificate", problem)
            return {"status": "Rejected"}
        if pem not in self.roots[kind]:
            if self._size >= int(station.keys["CertificateStoreMaxLength"].value or 0):
                return {"status": "Failed"}
            self.roots[kind].append(pem)
        return {"status": "Accepted"}

    @property
    def _size(self) -> int:
        return sum(len(pems) for pems in self.roots.values())

    def _objection(self, kind: str, pem: str) -> str | None:
        """Return why a certificate is not installed, or None."""
        station = self._station
        if Misbehaviour.REJECT_ROOT in station.misbehaviours:
            return "no"
        if len(pem) > LONGEST:
            return "too long"
        try:
            certificate = read(pem)
        except ValueError:
            return "no certificate"
        now = station.clock()
        if (
            not certificate.not_valid_before_utc
            <= now
            <= certificate.not_valid_after_utc
        ):
            return "not valid now"
        careful = station.keys["AdditionalRootCertificateCheck"].value == "true"
        known = self.roots[kind]
        if kind == CENTRAL_SYSTEM and careful and known and pem not in known:
            if not any(issued_by(certificate, read(root)) for root in known):
                return "not signed by the root that is replaced"
        return None

    async def _list(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Security 5.8; no certificate is no error."""
        found = [hash_data(pem) for pem in self.roots[payload["certificateType"]]]
        if not found:
            return {"status": "NotFound"}
        return {"status": "Accepted", "certificateHashData": found}

    async def _delete(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Security 5.3; the root that the connection rests on stays."""
        named = payload["certificateHashData"]
        for kind, pems in self.roots.items():
            for pem in pems:
                if hash_data(pem) != named:
                    continue
                needed = kind == CENTRAL_SYSTEM and self._station.security.profile >= 2
                if needed and len(pems) == 1:
                    return {"status": "Failed"}
                pems.remove(pem)
                return {"status": "Accepted"}
        return {"status": "NotFound"}
