"""Token types: what kind of token each is, in the words of the station that read it."""

from collections.abc import Callable
from typing import Any, Final

from .authorization import key_of

FACT: Final = "token_types"

_REMEMBERED: Final = 256
_MAX_LENGTH: Final = 20


class TokenTypes:
    """The types that a station told with its tokens (OCPP 2.x IdTokenEnumType).

    A list or a remote start has to name a token as the station's reader does.
    """

    def __init__(self) -> None:
        """Know of no token."""
        self._known: dict[str, str] = {}
        self.keep: Callable[[Any], None] | None = None
        """What keeps them, once there is something to keep."""

    def note(self, id_token: str, kind: str) -> None:
        """Take note of the type that a token was told with."""
        key = key_of(id_token)
        usable = kind.isascii() and kind.isalnum() and len(kind) <= _MAX_LENGTH
        if not usable or self._known.get(key) == kind:
            return
        self._known.pop(key, None)
        self._known[key] = kind
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        if self.keep is not None:
            self.keep(dict(self._known))

    def find(self, id_token: str) -> str | None:
        """Return the type of a token, None if it was never told."""
        return self._known.get(key_of(id_token))

    def restore(self, kept: object) -> None:
        """Take what was kept."""
        if isinstance(kept, dict):
            self._known = {str(key): str(kind) for key, kind in kept.items()}
