"""Certificates: the calls about a station's certificates (2.x A01, A02, M03 to M05)."""

from collections.abc import Collection, Iterator
from typing import Any

from ...station.commands import (
    CertificateHash,
    CertificateUse,
    InstalledCertificate,
    SigningRequest,
)
from ...station.outcome import Outcome, OutcomeStatus
from ..requests import hash_data, parse_hashes
from .names import VariableName
from .variables import VariableCommands

_USES = {
    CertificateUse.CENTRAL_SYSTEM_ROOT: "CSMSRootCertificate",
    CertificateUse.MANUFACTURER_ROOT: "ManufacturerRootCertificate",
    CertificateUse.MO_ROOT: "MORootCertificate",
    CertificateUse.OEM_ROOT: "OEMRootCertificate",
    CertificateUse.V2G_CHAIN: "V2GCertificateChain",
    CertificateUse.V2G_ROOT: "V2GRootCertificate",
}
_WORDS = {word: use for use, word in _USES.items()}
_ONLY_IN_21 = frozenset({CertificateUse.OEM_ROOT})
_NONE = "NotFound"
_MAX_CHAINS = 100
_PASSWORD = VariableName(component="SecurityCtrlr", variable="BasicAuthPassword")


class CertificateCommands(VariableCommands):
    """The part of a link that looks after certificates and the password."""

    async def install_certificate(self, use: CertificateUse, pem: str) -> Outcome:
        """Send InstallCertificate (M05)."""
        if not self._knows(use):
            return self._unknown
        payload = {"certificateType": _USES[use], "certificate": pem}
        return await self.send("InstallCertificate", payload)

    async def installed_certificates(
        self, uses: Collection[CertificateUse] = ()
    ) -> tuple[Outcome, list[InstalledCertificate]]:
        """Send GetInstalledCertificateIds (M03); no use at all asks for all of them."""
        known = [one for one in uses if self._knows(one)]
        if uses and not known:
            return self._unknown, []
        payload = {"certificateType": [_USES[one] for one in known]} if known else {}
        outcome = await self.send("GetInstalledCertificateIds", payload)
        if outcome.answer == _NONE:
            none = OutcomeStatus.ACCEPTED
            return Outcome(status=none, answer=_NONE, response=outcome.response), []
        chains = outcome.response.get("certificateHashDataChain")
        return outcome, [
            one
            for one in _chains(chains, known)
            # Some list all that they have, whatever they are asked for.
            if not known or one.use in known
        ]

    async def delete_certificate(self, certificate: CertificateHash) -> Outcome:
        """Send DeleteCertificate (M04), in the station's own words."""
        payload = {"certificateHashData": hash_data(certificate)}
        return await self.send("DeleteCertificate", payload)

    async def certificate_signed(self, chain: str, request: SigningRequest) -> Outcome:
        """Send CertificateSigned (A02), for what the station said that it is for.

        One that serves vehicles as well is said to be of no type, as in the request.
        """
        payload: dict[str, Any] = {"certificateChain": chain}
        if not request.combined:
            payload["certificateType"] = "ChargingStationCertificate"
        if request.number is not None:
            payload["requestId"] = request.number
        return await self.send("CertificateSigned", payload)

    async def set_password(self, password: str) -> Outcome:
        """Send SetVariables of SecurityCtrlr.BasicAuthPassword (A01)."""
        return (await self.set_variables({_PASSWORD: password}))[_PASSWORD]

    def _knows(self, use: CertificateUse) -> bool:
        return use not in _ONLY_IN_21 or self._version == "2.1"

    @property
    def _version(self) -> str | None:
        return self._context.station.version.value

    @property
    def _unknown(self) -> Outcome:
        return Outcome(
            status=OutcomeStatus.NOT_SUPPORTED,
            detail=f"OCPP {self._version} knows no such certificate; nothing was sent",
        )


def _chains(
    told: object, asked: list[CertificateUse]
) -> Iterator[InstalledCertificate]:
    """Yield what a station lists; what is of no known type was asked for, if one was."""
    sole = asked[0] if len(asked) == 1 else None
    for line in told[:_MAX_CHAINS] if isinstance(told, list) else ():
        if not isinstance(line, dict):
            continue
        use = _WORDS.get(str(line.get("certificateType")), sole)
        hashes = parse_hashes([line.get("certificateHashData")])
        if use is not None and hashes:
            yield InstalledCertificate(
                use=use,
                certificate=hashes[0],
                children=tuple(parse_hashes(line.get("childCertificateHashData"))),
            )
