"""Certificates: the calls about a station's certificates (2.0.1 A02, M03 to M05)."""

from ...station.commands import CertificateHash, CertificateUse
from ...station.outcome import Outcome, OutcomeStatus
from ..requests import hash_data, parse_hashes
from .sender import Sender

_USES = {
    CertificateUse.CENTRAL_SYSTEM_ROOT: "CSMSRootCertificate",
    CertificateUse.MANUFACTURER_ROOT: "ManufacturerRootCertificate",
}
_NONE = "NotFound"


class CertificateCommands(Sender):
    """The part of a link that looks after certificates."""

    async def install_certificate(self, use: CertificateUse, pem: str) -> Outcome:
        """Send InstallCertificate (M05)."""
        payload = {"certificateType": _USES[use], "certificate": pem}
        return await self.send("InstallCertificate", payload)

    async def installed_certificates(
        self, use: CertificateUse
    ) -> tuple[Outcome, list[CertificateHash]]:
        """Send GetInstalledCertificateIds (M03)."""
        payload = {"certificateType": [_USES[use]]}
        outcome = await self.send("GetInstalledCertificateIds", payload)
        if outcome.answer == _NONE:
            none = OutcomeStatus.ACCEPTED
            return Outcome(status=none, answer=_NONE, response=outcome.response), []
        chains = outcome.response.get("certificateHashDataChain")
        roots = [
            one.get("certificateHashData")
            for one in (chains if isinstance(chains, list) else [])
            if isinstance(one, dict)
            and one.get("certificateType", _USES[use]) == _USES[use]
        ]
        return outcome, parse_hashes(roots)

    async def delete_certificate(self, certificate: CertificateHash) -> Outcome:
        """Send DeleteCertificate (M04), in the station's own words."""
        payload = {"certificateHashData": hash_data(certificate)}
        return await self.send("DeleteCertificate", payload)

    async def certificate_signed(self, chain: str) -> Outcome:
        """Send CertificateSigned (A02) for the certificate of the station itself."""
        payload = {
            "certificateChain": chain,
            "certificateType": "ChargingStationCertificate",
        }
        return await self.send("CertificateSigned", payload)
