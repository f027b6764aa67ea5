"""Publishing: firmware that a station of OCPP 2.x keeps for others (L03, L04)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, override

from ...station.outcome import Outcome, OutcomeStatus
from ...station.publishing import Publication, PublishingLink, PublishRequest
from ..blocks import Answer
from ..rpc import Reply
from ..words import snake
from .sender import Sender

_MAX_LOCATIONS = 20
_MAX_LOCATION = 512
_MAX_STATUS = 50
_UNPUBLISHED = "unpublished"


class PublishingCommands(Sender, PublishingLink):
    """What has a station hand firmware on to others."""

    @property
    def answers(self) -> Mapping[str, Answer]:
        """Return what answers, by the name of the message."""
        return {"PublishFirmwareStatusNotification": self._notified}

    @override
    async def publish(self, request: PublishRequest) -> Outcome:
        """Send PublishFirmware (L03)."""
        payload: dict[str, Any] = {
            "location": request.location,
            "checksum": request.checksum,
            "requestId": request.request_id,
        }
        if request.retries is not None:
            payload["retries"] = request.retries
        if request.retry_interval is not None:
            payload["retryInterval"] = request.retry_interval
        return await self.send("PublishFirmware", payload)

    @override
    async def unpublish(self, checksum: str) -> Outcome:
        """Send UnpublishFirmware (L04)."""
        outcome = await self.send("UnpublishFirmware", {"checksum": checksum})
        if outcome.answer.lower() == _UNPUBLISHED:
            return replace(outcome, status=OutcomeStatus.ACCEPTED)
        return outcome

    def _notified(self, payload: dict[str, Any]) -> Reply:
        """Take how far a station is (PublishFirmwareStatusNotification)."""
        told = payload.get("location")
        # 2.0.1 has a list here; some stations send the one text of its drafts.
        listed = [told] if isinstance(told, str) else told or []
        locations = [str(one)[:_MAX_LOCATION] for one in listed[:_MAX_LOCATIONS]]
        self._context.station.publication.set(
            Publication(
                request_id=payload.get("requestId"),
                status=snake(payload["status"])[:_MAX_STATUS],
                locations=tuple(locations),
            )
        )
        return Reply({})
