"""Applied: what a station accepted from us, as those see it who judge what holds."""

from dataclasses import dataclass
from datetime import datetime

from ..link import Limit
from ..profiles.model import Purpose


@dataclass(kw_only=True, slots=True, frozen=True)
class Applied:
    """What a station accepted from us last, by which profile, and when.

    `limit` is as it was sent: in the unit that the station takes, rounded down.
    `purpose` and `profile_id` are None if a link limits without profiles. By
    `settled_at` the limit should be followed; at `expires_at` it ends by itself.
    """

    limit: Limit
    at: datetime
    settled_at: datetime
    purpose: Purpose | None = None
    profile_id: int | None = None
    expires_at: datetime | None = None

    @property
    def of_session(self) -> bool:
        """Return whether it is a profile of the session, and ends with it."""
        return self.purpose is Purpose.TX
