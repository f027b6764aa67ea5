"""Tokens: the pair that opens the Easee cloud, and where it is kept (easee_cloud.md 1.2)."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, Self

import orjson

MARGIN = timedelta(seconds=60)
"""How long before its end an access token is not used any more."""
LIFETIME = timedelta(hours=1)
"""How long access tokens last if nothing says so."""
LONGEST = timedelta(days=30)


@dataclass(kw_only=True, slots=True, frozen=True)
class TokenPair:
    """An access token, and the refresh token that is good for one more pair.

    Both moments are ours: the cloud's clock may be wrong, and ours, too.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime
    taken_at: datetime

    @classmethod
    def from_answer(cls, body: Any, asked_at: datetime) -> Self | None:
        """Return the pair that was asked for at `asked_at`, None if there is none."""
        match body:
            case {"accessToken": str(access), "refreshToken": str(refresh)}:
                lifetime = _lifetime(access, body.get("expiresIn"))
                return cls(
                    access=access,
                    refresh=refresh,
                    expires_at=asked_at + lifetime,
                    taken_at=asked_at,
                )
        return None

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self | None:
        """Return a pair that was stored, None if it cannot be read."""
        match stored:
            case {
                "access": str(access),
                "refresh": str(refresh),
                "expires_at": str(expires_at),
                "taken_at": str(taken_at),
            }:
                try:
                    return cls(
                        access=access,
                        refresh=refresh,
                        expires_at=datetime.fromisoformat(expires_at).astimezone(UTC),
                        taken_at=datetime.fromisoformat(taken_at).astimezone(UTC),
                    )
                except ValueError:
                    return None
        return None

    def as_dict(self) -> dict[str, str]:
        """Return what is to be stored; both tokens are in it."""
        return {
            "access": self.access,
            "refresh": self.refresh,
            "expires_at": self.expires_at.isoformat(),
            "taken_at": self.taken_at.isoformat(),
        }

    def lasts(self, now: datetime) -> bool:
        """Return whether the access token is good for a while yet.

        A pair from the future is from before our clock was set back: nobody knows.
        """
        margin = min(MARGIN, (self.expires_at - self.taken_at) / 2)
        return self.taken_at - MARGIN <= now < self.expires_at - margin


class TokenStore(Protocol):
    """Where the pair of an account survives restarts."""

    async def load(self) -> TokenPair | None:
        """Return what was saved last, None if there is nothing that can be read."""

    async def save(self, pair: TokenPair | None) -> None:
        """Keep a pair, or none; returns when a power cut cannot undo it any more.

        Raises OSError if that cannot be.
        """


def _lifetime(access: str, expires_in: Any) -> timedelta:
    """Return how long an access token lasts, by the shortest of what is said of it."""
    claims = _claims(access)
    said = [expires_in]
    match claims:
        case {"exp": int() | float() as end, "iat": int() | float() as start}:
            said.append(end - start)
    seconds = [
        float(one)
        for one in said
        if isinstance(one, int | float) and not isinstance(one, bool) and one > 0
    ]
    if not seconds:
        return LIFETIME
    return timedelta(seconds=min(*seconds, LONGEST.total_seconds()))


def _claims(token: str) -> Any:
    """Return what a JSON web token says of itself, None if it is something else."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        return orjson.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
