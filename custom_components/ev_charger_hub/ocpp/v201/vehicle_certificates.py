"""Vehicle certificates: what a station asks for cars, answered without a PKI (M01 to M07)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ..adapter import StationContext
from ..blocks import Answer
from ..requests import hash_data, parse_hashes
from ..rpc import Reply
from ..timestamps import render

_ASK_AGAIN = timedelta(days=1)
_MAX_CHAIN = 4
"""What GetCertificateChainStatus has room for (2.1 1.27)."""

_MAX_TEXT = 128


class VehicleCertificates:
    """Says what is known, which is little: nobody here sells contracts to drivers."""

    def __init__(self, context: StationContext) -> None:
        """Answer the station of `context`."""
        self._context = context

    @property
    def answers(self) -> Mapping[str, Answer]:
        """Return what answers, by the name of the message."""
        return {
            "Get15118EVCertificate": self.ev_certificate,
            "GetCertificateChainStatus": self.chain_status,
            "GetCertificateStatus": self.certificate_status,
        }

    def ev_certificate(self, payload: dict[str, Any]) -> Reply:
        """Answer that no contract can be installed or updated (M01, M02).

        The field for what the car is told is required, and empty.
        """
        info = {"reasonCode": "NoPKI"}
        return Reply({"status": "Failed", "exiResponse": "", "statusInfo": info})

    async def certificate_status(self, payload: dict[str, Any]) -> Reply:
        """Answer for the certificate that we gave the station itself (M06).

        Of others nothing is known: what a station names as responder is not asked,
        because it could be any address within this network.
        """
        result = await self._vouched(payload["ocspRequestData"])
        if result is None:
            return Reply({"status": "Failed", "statusInfo": {"reasonCode": "NoPKI"}})
        return Reply({"status": "Accepted", "ocspResult": result})

    async def _vouched(self, named: dict[str, Any]) -> str | None:
        if (security := self._context.station.security) is None:
            return None
        (certificate,) = parse_hashes([named])
        return await security.certificate_status(certificate)

    async def chain_status(self, payload: dict[str, Any]) -> Reply:
        """Answer for each certificate of a car's chain (M07): none can be looked up."""
        again = render(self._context.clock() + _ASK_AGAIN)
        told = [
            {
                "certificateHashData": _named(one["certificateHashData"]),
                "source": one["source"][:_MAX_TEXT],
                "status": "Failed",
                "nextUpdate": again,
            }
            for one in payload["certificateStatusRequests"][:_MAX_CHAIN]
        ]
        return Reply({"certificateStatus": told})


def _named(told: dict[str, Any]) -> dict[str, str]:
    """Return which certificate is meant, without what else was said of it."""
    (certificate,) = parse_hashes([told])
    return {name: text[:_MAX_TEXT] for name, text in hash_data(certificate).items()}
