"""Easee sessions: what of an account outlives its entry being set up again.

Whoever loads an entry once more does not get around a pause: neither that of logging in
(S30), nor that of a blocked address (A11), which all accounts and forms keep to.
"""

from dataclasses import dataclass
from typing import Any, Final

from aiohttp import ClientSession

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .easee.auth import PasswordAuthenticator
from .easee.budget import Budget, Hold
from .easee.timing import Time
from .easee.watched import WatchedAuthenticator
from .easee_store import AccountStore

type Credentials = tuple[str, str | None]


@dataclass(kw_only=True, slots=True)
class AccountSession:
    """The session of one account, and what it may still ask for."""

    store: AccountStore
    hold: Hold
    budget: Budget | None = None
    authenticator: PasswordAuthenticator | None = None
    watched: WatchedAuthenticator | None = None
    credentials: Credentials | None = None

    @callback
    def begin(
        self, entry: ConfigEntry[Any], session: ClientSession, time: Time, url: str
    ) -> tuple[WatchedAuthenticator, Budget]:
        """Return what logs in for an entry; it is the same as long as the user is."""
        if self.budget is None:
            self.budget = Budget(time, self.hold)
        credentials = entry.data[CONF_USERNAME], entry.data.get(CONF_PASSWORD)
        if self.watched is None or credentials != self.credentials:
            user, password = self.credentials = credentials
            self.authenticator = PasswordAuthenticator(
                session,
                self.store,
                self.budget,
                time,
                user=user,
                password=password,
                url=url,
            )
            self.watched = WatchedAuthenticator(self.authenticator)
        return self.watched, self.budget

    async def async_rest(self) -> None:
        """Wait until no tokens are on their way, so that none are lost."""
        if self.authenticator is not None:
            await self.authenticator.close()

    @callback
    def forget(self) -> None:
        """Go on with tokens that were saved by somebody else."""
        if self.authenticator is not None:
            self.authenticator.forget()


type Sessions = dict[str, AccountSession]

SESSIONS: Final[HassKey[Sessions]] = HassKey(f"{DOMAIN}_easee_sessions")

_HOLD: Final[HassKey[Hold]] = HassKey(f"{DOMAIN}_easee_hold")


@callback
def async_hold(hass: HomeAssistant) -> Hold:
    """Return until when our address is to send nothing, which is one for everybody."""
    return hass.data.setdefault(_HOLD, Hold())


@callback
def async_entry_session(hass: HomeAssistant, entry: ConfigEntry[Any]) -> AccountSession:
    """Return the one session of the account of an entry."""
    return async_session(hass, entry.unique_id or entry.entry_id)


@callback
def async_session(hass: HomeAssistant, account: str) -> AccountSession:
    """Return the one session of an account, by its unique id."""
    sessions = hass.data.setdefault(SESSIONS, {})
    if account not in sessions:
        store = AccountStore(hass, account)
        sessions[account] = AccountSession(store=store, hold=async_hold(hass))
    return sessions[account]


@callback
def async_end_session(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Know nothing more of the account of an entry."""
    hass.data.get(SESSIONS, {}).pop(entry.unique_id or entry.entry_id, None)
