"""Watched: what keeps an account from being logged in, told once to who follows it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, override

from ..station.channel import Channel
from .auth import Authenticator
from .errors import EaseeError, EmailNotVerified, InvalidCredentials, SessionEnded

FOR_THE_USER: Final = (EmailNotVerified, InvalidCredentials, SessionEnded)
"""What does not pass by itself."""


class WatchedAuthenticator(Authenticator):
    """An authenticator whose troubles can be followed.

    `trouble` is what only the user can mend; an outage is none, and ends none (S29).
    """

    def __init__(self, authenticator: Authenticator) -> None:
        """Watch another authenticator, whichever way it logs in (S31)."""
        self._authenticator = authenticator
        self.trouble: Channel[EaseeError | None] = Channel(None, urgent=True)

    @override
    async def token(self) -> str:
        """Return an access token that is good for a while."""
        async with self._watched():
            return await self._authenticator.token()

    @override
    async def renew(self, stale: str) -> str:
        """Return another access token than one that was not taken."""
        async with self._watched():
            return await self._authenticator.renew(stale)

    @override
    def age(self) -> datetime | None:
        """Return since when the present tokens are used, None if there are none."""
        return self._authenticator.age()

    @override
    def forget(self) -> None:
        """Use the present tokens no longer."""
        self._authenticator.forget()

    @asynccontextmanager
    async def _watched(self) -> AsyncGenerator[None]:
        try:
            yield
        except FOR_THE_USER as err:
            # Each time it is another object; who follows hears of the first.
            if type(err) is not type(self.trouble.value):
                self.trouble.set(err)
            raise
        self.trouble.set(None)
