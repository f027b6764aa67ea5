"""Publishing: firmware that a station keeps for others behind it (OCPP 2.x L03, L04)."""

from dataclasses import dataclass
from typing import Final, Protocol

from .outcome import Outcome

PUBLISHED: Final = "published"
FAILURES: Final = frozenset({"download_failed", "invalid_checksum", "publish_failed"})


@dataclass(kw_only=True, slots=True, frozen=True)
class PublishRequest:
    """Firmware that a station is to keep; `checksum` is its MD5 in hex.

    `retry_interval` in seconds; None leaves retries to the station.
    """

    request_id: int
    location: str
    checksum: str
    retries: int | None = None
    retry_interval: int | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class Publication:
    """How far a station is; `status` is its word in snake case.

    `locations` are where others find the firmware once it is published.
    """

    request_id: int | None
    status: str
    locations: tuple[str, ...] = ()

    @property
    def over(self) -> bool:
        """Return whether nothing more is to be expected."""
        return self.failed or self.status == PUBLISHED

    @property
    def failed(self) -> bool:
        """Return whether it came to nothing."""
        return self.status in FAILURES


class PublishingLink(Protocol):
    """The part of a link that has firmware published."""

    async def publish(self, request: PublishRequest) -> Outcome:
        """Ask the station to fetch firmware and keep it for others (L03)."""

    async def unpublish(self, checksum: str) -> Outcome:
        """Ask the station to keep it no longer (L04); what is not there is refused."""
