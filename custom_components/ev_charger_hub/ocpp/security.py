"""Security: events and certificate requests of a station (OCPP 1.6 Security)."""

from datetime import timedelta
from functools import partial
from typing import Any

from ..station.commands import SigningRequest
from ..station.events import SecurityEvent
from ..station.security.events import event_kind
from .adapter import StationContext
from .oddities import Oddities
from .rpc import Reply
from .throttle import Buckets
from .timestamps import parse

_OWN = "ChargingStationCertificate"
"""What can be signed here; all else is for a PKI of ISO 15118 (2.x A02)."""

_EVENTS = 20
_EVENT_EVERY = timedelta(minutes=1)
_MAX_WORD = 50
_MAX_INFO = 255


class SecurityBlock:
    """What a station tells and asks about its security."""

    def __init__(self, context: StationContext, oddities: Oddities) -> None:
        """Feed the station of `context`."""
        self._context = context
        self._oddities = oddities
        # Each of them is a state that is kept for days.
        self._told = Buckets(context.clock, burst=_EVENTS, refill=_EVENT_EVERY)

    def security_event(self, payload: dict[str, Any]) -> Reply:
        """Take a security event (SecurityEventNotification, A04)."""
        word = payload["type"][:_MAX_WORD]
        kind = event_kind(word)
        if not self._told.take(kind):
            self._oddities.note(f"floods us with security events {kind}")
            return Reply({})
        info = payload.get("techInfo") or ""
        self._context.station.emit(
            SecurityEvent(
                kind=kind,
                word=word,
                info=info[:_MAX_INFO] or None,
                at=parse(payload.get("timestamp")),
            )
        )
        return Reply({})

    async def sign_certificate(self, payload: dict[str, Any]) -> Reply:
        """Answer a certificate request, then sign it (SignCertificate, A02 and A03)."""
        security, csr = self._context.station.security, payload["csr"]
        # Of no type is one that serves vehicles, too; 1.6 knows no types.
        wanted = payload.get("certificateType")
        ours = wanted in {None, _OWN}
        if security is None or not ours or not await security.accepts_request(csr):
            self._oddities.note("asks for a certificate that is not signed here")
            return Reply({"status": "Rejected"})
        request = SigningRequest(
            csr=csr, combined=wanted is None, number=payload.get("requestId")
        )
        return Reply(
            {"status": "Accepted"}, partial(security.request_answered, request)
        )
