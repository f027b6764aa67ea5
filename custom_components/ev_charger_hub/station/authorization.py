"""Authorization: who may charge, whatever protocol asks."""

from typing import Protocol, override

from .enums import AuthorizationStatus


class Authorizer(Protocol):
    """Decides about id tokens."""

    def authorize(self, identity: str, id_token: str) -> AuthorizationStatus:
        """Return whether `id_token` may charge at station `identity`."""


class AcceptAll(Authorizer):
    """Everybody may charge: the charger's own lock is the household's door."""

    @override
    def authorize(self, identity: str, id_token: str) -> AuthorizationStatus:
        """Return Accepted."""
        return AuthorizationStatus.ACCEPTED
