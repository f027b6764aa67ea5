"""Accounts and their sessions: refresh tokens are used once, sessions come to an end."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import timedelta
import hashlib
import hmac
from itertools import count
import json
from typing import Any

from .answers import Refused, refusal
from .clock import CloudClock

KEY = b"simulators.easee_cloud"


@dataclass(kw_only=True, slots=True)
class Account:
    """Somebody who can log in."""

    user_id: int
    email: str
    phone: str
    password: str
    sites: list[int] = field(default_factory=list)
    email_verified: bool = True
    claims: list[str] = field(default_factory=lambda: ["User"])

    def answers_to(self, name: str) -> bool:
        """Return whether somebody calls this account by a name."""
        return name.strip().casefold() == self.email.casefold() or (
            name.replace(" ", "") == self.phone
        )


@dataclass(kw_only=True, slots=True)
class Session:
    """A log-in, and the only tokens of it that are good."""

    id: str
    account: Account
    access: str = ""
    refresh: str = ""


class Tokens:
    """Hands out tokens, and knows which of them still count."""

    def __init__(self, clock: CloudClock) -> None:
        """Start without accounts."""
        self._clock = clock
        self._numbers = count(1)
        self.accounts: list[Account] = []
        self.sessions: dict[str, Session] = {}
        self.access_ttl = 3600.0
        self.refresh_ttl = 86400.0
        self.refused_refresh = 401
        """The status for a refresh token that is used up or revoked: 400, 401, 403."""
        self.reuse_ends_session = False
        self.reused = 0
        """How often a used refresh token came again."""
        self.issued: set[str] = set()
        """Every token that was ever handed out, for those who look for leaks."""
        self._used: dict[str, str] = {}
        self._access: dict[str, tuple[str, float]] = {}
        self._refresh: dict[str, float] = {}

    def account(self, **what: Any) -> Account:
        """Add an account."""
        self.accounts.append(account := Account(**what))
        return account

    def login(self, name: str, password: str) -> dict[str, Any]:
        """Return the tokens of a new session."""
        for account in self.accounts:
            if account.answers_to(name) and account.password == password:
                if not account.email_verified:
                    raise refusal(727, "EmailNotVerified", "E-mail is not verified")
                session = Session(id=f"session-{next(self._numbers)}", account=account)
                self.sessions[session.id] = session
                return self._issue(session)
        raise refusal(100, "InvalidUserPassword", "Username or password is invalid")

    def refresh(self, token: str) -> dict[str, Any]:
        """Return new tokens for a refresh token, which is good only once."""
        if (session_id := self._used.get(token)) is not None:
            self.reused += 1
            if self.reuse_ends_session:
                self.sessions.pop(session_id, None)
            raise self._refused()
        session = next((s for s in self.sessions.values() if s.refresh == token), None)
        if session is None:
            raise self._refused()
        if self._refresh[token] <= self._clock().timestamp():
            del self.sessions[session.id]
            raise self._refused()
        self._used[token] = session.id
        return self._issue(session)

    def _refused(self) -> Refused:
        return refusal(
            105, "RefreshTokenExpired", "Refresh token expired", self.refused_refresh
        )

    def whose(self, access: str | None) -> Account | None:
        """Return whose access token this is; None if it does not count."""
        session_id, until = self._access.get(access or "", ("", 0.0))
        session = self.sessions.get(session_id)
        if session is None or until <= self._clock().timestamp():
            return None
        return session.account

    def revoke_sessions(self, account: Account | None = None) -> None:
        """End the sessions of one account, or all: none of their tokens count."""
        for session in [*self.sessions.values()]:
            if account is None or session.account is account:
                del self.sessions[session.id]

    def revoke_access(self) -> None:
        """Invalidate all access tokens; the refresh tokens stay good."""
        self._access.clear()

    def _issue(self, session: Session) -> dict[str, Any]:
        now = self._clock().timestamp()
        number = next(self._numbers)
        claims = {"iat": int(now), "sid": session.id, "sub": session.account.user_id}
        session.access = _jwt(
            claims | {"exp": int(now + self.access_ttl), "jti": number, "typ": "Bearer"}
        )
        session.refresh = _jwt(
            claims
            | {
                "exp": int(now + self.refresh_ttl),
                "jti": number,
                "reuse_id": f"reuse-{number}",
                "typ": "Refresh",
            }
        )
        self.issued |= {session.access, session.refresh}
        self._access[session.access] = (session.id, now + self.access_ttl)
        self._refresh[session.refresh] = now + self.refresh_ttl
        return {
            "accessToken": session.access,
            "expiresIn": timedelta(seconds=self.access_ttl).total_seconds(),
            "accessClaims": session.account.claims,
            "tokenType": "Bearer",
            "refreshToken": session.refresh,
        }


def _jwt(claims: dict[str, Any]) -> str:
    parts = [
        urlsafe_b64encode(json.dumps(part, sort_keys=True).encode())
        .decode()
        .rstrip("=")
        for part in ({"alg": "HS512", "typ": "JWT"}, claims)
    ]
    body = ".".join(parts)
    digest = hmac.new(KEY, body.encode(), hashlib.sha512).digest()
    return f"{body}.{urlsafe_b64encode(digest).decode().rstrip('=')}"
