"""Certificates: the calls about a station's certificates (OCPP 1.6 Security)."""

from typing import Any

from ...station.commands import CertificateHash, CertificateUse
from ...station.outcome import Outcome, OutcomeStatus
from .sender import Sender

_USES = {
    CertificateUse.CENTRAL_SYSTEM_ROOT: "CentralSystemRootCertificate",
    CertificateUse.MANUFACTURER_ROOT: "ManufacturerRootCertificate",
}
_NONE = "NotFound"
_MAX_CERTIFICATES = 100


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
        return outcome, _hashes(outcome.response)

    async def delete_certificate(self, certificate: CertificateHash) -> Outcome:
        """Send DeleteCertificate (Security 5.3), in the station's own words."""
        named = {
            "hashAlgorithm": certificate.algorithm,
            "issuerNameHash": certificate.issuer_name_hash,
            "issuerKeyHash": certificate.issuer_key_hash,
            "serialNumber": certificate.serial,
        }
        return await self.send("DeleteCertificate", {"certificateHashData": named})

    async def certificate_signed(self, chain: str) -> Outcome:
        """Send CertificateSigned (Security 5.2)."""
        return await self.send("CertificateSigned", {"certificateChain": chain})


def _hashes(response: dict[str, Any]) -> list[CertificateHash]:
    listed = response.get("certificateHashData")
    lines = listed[:_MAX_CERTIFICATES] if isinstance(listed, list) else []
    return [
        CertificateHash(
            algorithm=str(line.get("hashAlgorithm", "")),
            issuer_name_hash=str(line.get("issuerNameHash", "")),
            issuer_key_hash=str(line.get("issuerKeyHash", "")),
            serial=str(line.get("serialNumber", "")),
        )
        for line in lines
        if isinstance(line, dict)
    ]
