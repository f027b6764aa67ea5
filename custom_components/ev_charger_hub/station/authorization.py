"""Authorization: who may charge, whatever protocol asks."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from .enums import AuthorizationStatus


def key_of(id_token: str) -> str:
    """Return a token as it is compared: without case (OCPP 1.6 CiString20Type).

    Some stations fill it up with spaces.
    """
    return id_token.strip().upper()


@dataclass(kw_only=True, slots=True, frozen=True)
class Verdict:
    """What a station is told of an id token.

    `group` is the parent id token, whose members stand in for each other. `language`
    is what its user reads, for the station's display (OCPP 2.x).
    """

    status: AuthorizationStatus
    expires: datetime | None = None
    group: str | None = field(default=None, repr=False)
    language: str | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class Bearer:
    """Who stands behind an id token: its name, if it is known.

    `asked` says that the user is asked about it, `nobody` that it is no card that
    somebody shows: our own token, or what a station says instead of one.
    """

    name: str | None = None
    asked: bool = False
    nobody: bool = False


class Authorizer(Protocol):
    """Decides about id tokens, from memory."""

    def authorize(
        self, identity: str, id_token: str, evse_id: int | None = None
    ) -> Verdict:
        """Return whether `id_token` may charge at station `identity`.

        `evse_id` is where a transaction begins with it; None means that it is only
        asked about, perhaps to end one.
        """

    def bearer(self, identity: str, id_token: str) -> Bearer:
        """Return who stands behind a token that station `identity` was shown."""
