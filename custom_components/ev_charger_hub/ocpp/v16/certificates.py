"""Certificates: the calls about a station's certificates (OCPP 1.6 Security)."""

from ...station.commands import CertificateHash, CertificateUse
from ...station.outcome import Outcome, OutcomeStatus
from ..requests import hash_data, parse_hashes
from .sender import Sender

_USES = {
    CertificateUse.CENTRAL_SYSTEM_ROOT: "CentralSystemRootCertificate",
    CertificateUse.MANUFACTURER_ROOT: "ManufacturerRootCertificate",
}
_NONE = "NotFound"


class CertificateCommands(Sender):
    """The part of a link that looks after certificates."""

    async def install_certificate(self, use: CertificateUse, pem: str) -> Outcome:
        """Send InstallCertificate (Security 5.12)."""
        payload = {"certificateType": _USES[use], "certificate": pem}
        return await self.send("InstallCertificate", payload)

    async def installed_certificates(
        self, use: CertificateUse
    ) -> tuple[Outcome, list[CertificateHash]]:
        """Send GetInstalledCertificateIds (Security 5.8)."""
        payload = {"certificateType": _USES[use]}
        outcome = await self.send("GetInstalledCertificateIds", payload)
        if outcome.answer == _NONE:
            none = OutcomeStatus.ACCEPTED
            return Outcome(status=none, answer=_NONE, response=outcome.response), []
        return outcome, parse_hashes(outcome.response.get("certificateHashData"))

    async def delete_certificate(self, certificate: CertificateHash) -> Outcome:
        """Send DeleteCertificate (Security 5.3), in the station's own words."""
        payload = {"certificateHashData": hash_data(certificate)}
        return await self.send("DeleteCertificate", payload)

    async def certificate_signed(self, chain: str) -> Outcome:
        """Send CertificateSigned (Security 5.2)."""
        return await self.send("CertificateSigned", {"certificateChain": chain})
