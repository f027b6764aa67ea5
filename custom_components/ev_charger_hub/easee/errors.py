"""What can go wrong with the Easee cloud, by meaning (easee_cloud.md 1.3)."""

from datetime import datetime
from enum import StrEnum

from ..station.errors import NotConnected, StationError


class EaseeError(StationError):
    """Base of everything that the Easee client raises.

    Those that are NotConnected, too, say for sure that nothing was sent.
    `title` is what the cloud says of it, to be shown to the user.
    """

    def __init__(self, title: str = "") -> None:
        """Keep what the cloud says."""
        super().__init__(title)
        self.title = title


class InvalidCredentials(EaseeError, NotConnected):
    """User and password do not fit (400, code 100)."""


class EmailNotVerified(EaseeError, NotConnected):
    """The user has not confirmed the e-mail address yet (400, code 727)."""


class SessionEnded(EaseeError, NotConnected):
    """The session is over, and there is no password to begin another with."""


class Forbidden(EaseeError):
    """The account may not do this, or the cloud is out of order (403)."""


class NotFound(EaseeError):
    """There is no such thing, which often is a good answer (404)."""


class Refused(EaseeError):
    """The cloud does not take this now, or not at all (400)."""


class Unavailable(EaseeError):
    """The cloud does not answer, or with 5xx: nobody knows what became of it."""


class NotNow(EaseeError, NotConnected):
    """Nothing was sent, because nothing may be sent before `until`."""

    def __init__(self, until: datetime, title: str = "") -> None:
        """Keep until when it lasts."""
        super().__init__(title)
        self.until = until


class RateLimited(NotNow):
    """There were too many requests (429), or ours are used up."""


class AddressBlocked(NotNow):
    """The cloud blocks our address (403 with that text)."""


class LoginPaused(NotNow):
    """Logging in failed a while ago and is not tried again yet."""


class WritesSpent(NotNow):
    """The memory of a product is spared: it was written to often enough for now."""


class TooOften(WritesSpent):
    """Volatile limits of a product were changed often enough for now."""


class Hindrance(StrEnum):
    """Why a charger cannot do something as it is now."""

    ERRATIC = "erratic"
    FAULTY = "faulty"
    NO_VEHICLE = "no_vehicle"
    OVER = "over"
    STILL_ENDING = "still_ending"
    TOO_HOT = "too_hot"
    WAITS = "waits"


class Hindered(EaseeError, NotConnected):
    """Nothing was sent, because it would come to nothing."""

    def __init__(self, why: Hindrance, title: str = "") -> None:
        """Keep why."""
        super().__init__(title)
        self.why = why


class StreamError(EaseeError):
    """The stream cannot be had; the client tries again by itself."""
