"""Certificates: the calls about a station's certificates (OCPP 1.6 Security)."""

from collections.abc import Collection

from ...station.commands import (
    CertificateHash,
    CertificateUse,
    InstalledCertificate,
    SigningRequest,
)
from ...station.outcome import Outcome, OutcomeStatus
from ..credentials import authorization_key
from ..requests import hash_data, parse_hashes
from .sender import Sender

_USES = {
    CertificateUse.CENTRAL_SYSTEM_ROOT: "CentralSystemRootCertificate",
    CertificateUse.MANUFACTURER_ROOT: "ManufacturerRootCertificate",
}
_NONE = "NotFound"
_UNSPEAKABLE = Outcome(
    status=OutcomeStatus.NOT_SUPPORTED,
    detail="OCPP 1.6 knows no such certificate; nothing was sent",
)


class CertificateCommands(Sender):
    """The part of a link that looks after certificates and the password."""

    async def install_certificate(self, use: CertificateUse, pem: str) -> Outcome:
        """Send InstallCertificate (Security 5.12)."""
        if use not in _USES:
            return _UNSPEAKABLE
        payload = {"certificateType": _USES[use], "certificate": pem}
        return await self.send("InstallCertificate", payload)

    async def installed_certificates(
        self, uses: Collection[CertificateUse] = ()
    ) -> tuple[Outcome, list[InstalledCertificate]]:
        """Send GetInstalledCertificateIds (Security 5.8), once for each use."""
        outcome, found = _UNSPEAKABLE, []
        for use in [one for one in uses or _USES if one in _USES]:
            payload = {"certificateType": _USES[use]}
            outcome = await self.send("GetInstalledCertificateIds", payload)
            if outcome.answer == _NONE:
                none = OutcomeStatus.ACCEPTED
                outcome = Outcome(status=none, answer=_NONE, response=outcome.response)
                continue
            if not outcome.ok:
                break
            found += [
                InstalledCertificate(use=use, certificate=one)
                for one in parse_hashes(outcome.response.get("certificateHashData"))
            ]
        return outcome, found

    async def delete_certificate(self, certificate: CertificateHash) -> Outcome:
        """Send DeleteCertificate (Security 5.3), in the station's own words."""
        payload = {"certificateHashData": hash_data(certificate)}
        return await self.send("DeleteCertificate", payload)

    async def certificate_signed(self, chain: str, request: SigningRequest) -> Outcome:
        """Send CertificateSigned (Security 5.2)."""
        return await self.send("CertificateSigned", {"certificateChain": chain})

    async def set_password(self, password: str) -> Outcome:
        """Send ChangeConfiguration of AuthorizationKey, which is in hex (1.6J 6.2)."""
        payload = {"key": "AuthorizationKey", "value": authorization_key(password)}
        return await self.send("ChangeConfiguration", payload)
