"""Authorization: who may charge, whatever protocol asks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, override

from .enums import AuthorizationStatus


@dataclass(kw_only=True, slots=True, frozen=True)
class Verdict:
    """What a station is told of an id token.

    `group` is the parent id token, whose members stand in for each other.
    """

    status: AuthorizationStatus
    expires: datetime | None = None
    group: str | None = None


class Authorizer(Protocol):
    """Decides about id tokens, from memory."""

    def authorize(self, identity: str, id_token: str) -> Verdict:
        """Return whether `id_token` may charge at station `identity`."""


class AcceptAll(Authorizer):
    """Everybody may charge: the charger's own lock is the household's door."""

    @override
    def authorize(self, identity: str, id_token: str) -> Verdict:
        """Return Accepted."""
        return Verdict(status=AuthorizationStatus.ACCEPTED)
