"""Certificates of a station's own: signed when it asks, renewed in time (2.0.1 A02)."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Final

from ..clock import Clock
from ..commands import CertificateHash, SigningRequest
from ..errors import NotConnected, NotSupported
from ..link import Capability
from ..model import ChargingStation
from ..outcome import Outcome
from ..secrets import shortened
from .kept import ClientCertificate, Keeper
from .ports import Ports
from .profile import ENCRYPTED

_LOGGER = logging.getLogger(__name__)

SIGN_CHARGE_POINT_CERTIFICATE: Final = "SignChargePointCertificate"
FINDING: Final = "certificate"

RENEW_BEFORE: Final = timedelta(days=30)
MAX_REQUESTS: Final = 10
REQUESTS_WITHIN: Final = timedelta(hours=1)


class Certificates:
    """Signs what one station asks for."""

    def __init__(
        self, station: ChargingStation, keeper: Keeper, ports: Ports, clock: Clock
    ) -> None:
        """Write down in `keeper` what the station got."""
        self._station = station
        self._keeper = keeper
        self._ports = ports
        self._clock = clock
        self._requests: deque[datetime] = deque(maxlen=MAX_REQUESTS)
        self.on_delivered: Callable[[Outcome], None] | None = None
        """Hears how the station took a certificate."""
        self.on_refused: Callable[[], None] | None = None
        """Hears of a request that nobody could sign."""

    @property
    def due(self) -> bool:
        """Return whether the certificate should be renewed now.

        One that is valid for less than three months gets its last third for it.
        """
        if (known := self._keeper.kept.certificate) is None:
            return False
        before = min(RENEW_BEFORE, (known.expires - known.issued) / 3)
        return known.expires - self._clock() <= before

    async def request(self) -> Outcome:
        """Ask the station to ask for a certificate (OCPP 1.6 Security A02)."""
        link = self._station.link(Capability.CERTIFICATES)
        return await link.trigger(SIGN_CHARGE_POINT_CERTIFICATE, None)

    async def accepts(self, csr: str, profile: int) -> bool:
        """Return whether a request of the station will be signed."""
        problem = await self._problem(csr, profile)
        if problem is not None:
            self._station.findings[FINDING] = f"refused: {problem}"
            name = shortened(self._station.identity)
            _LOGGER.debug("%s: certificate request refused: %s", name, problem)
        return problem is None

    async def _problem(self, csr: str, profile: int) -> str | None:
        signer = self._ports.signer()
        if signer is None:
            return "no_authority"
        if profile < ENCRYPTED:
            # Who can change what goes over the wire could have a key of theirs signed.
            return "not_encrypted"
        now = self._clock()
        full = len(self._requests) == MAX_REQUESTS
        if full and now - self._requests[0] < REQUESTS_WITHIN:
            return "too_many"
        self._requests.append(now)
        problem = await signer.check(csr)
        if problem is not None and self.on_refused is not None:
            self.on_refused()
        return problem

    async def status(self, certificate: CertificateHash) -> str | None:
        """Return the OCSP response for the certificate that we gave the station last.

        Of all others nothing is known here (2.0.1 M06).
        """
        signer, known = self._ports.signer(), self._keeper.kept.certificate
        if signer is None or known is None:
            return None
        if certificate.serial.lower().lstrip("0") != known.serial.lstrip("0"):
            return None
        return await signer.status(certificate)

    async def deliver(self, request: SigningRequest) -> None:
        """Sign an accepted request and send the station its certificate.

        Raises JournalError, and as the signer does.
        """
        if (signer := self._ports.signer()) is None:
            return
        connection = self._station.reconnects.value
        signed = await signer.sign(request.csr)
        try:
            link = self._station.link(Capability.CERTIFICATES)
            outcome = await link.certificate_signed(signed.pem, request)
        except NotConnected, NotSupported:
            # It asks again once it is back.
            return
        answer = outcome.answer or outcome.status
        self._station.findings[FINDING] = "ok" if outcome.ok else f"refused: {answer}"
        if outcome.ok:
            certificate = ClientCertificate(
                serial=signed.serial, issued=signed.issued, expires=signed.expires
            )
            await self._keeper.change(
                lambda kept: replace(kept, certificate=certificate)
            )
        if connection != self._station.reconnects.value and not outcome.ok:
            # It began anew meanwhile, and forgot its request.
            return
        if self.on_delivered is not None:
            self.on_delivered(outcome)
