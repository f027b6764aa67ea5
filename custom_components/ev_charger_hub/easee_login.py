"""Easee login: who a user is and what the account has, for a form that waits."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from . import easee_hub
from .easee.api import EaseeApi
from .easee.auth import Authenticator, login
from .easee.budget import Budget
from .easee.catalog import Catalog
from .easee.discovery import catalog_of, user_of
from .easee.errors import EaseeError, Forbidden, Unavailable
from .easee.requests import Lane
from .easee.timing import Time, limit
from .easee.tokens import TokenPair
from .easee_session import async_hold

PATIENCE: Final = 60.0
"""Seconds that somebody waits in front of a form."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Login:
    """Somebody who has logged in."""

    user_id: str
    pair: TokenPair = field(repr=False)
    catalog: Catalog

    @property
    def unique_id(self) -> str:
        """Return the unique id of the account's entry."""
        return f"easee_{self.user_id}"


class _Fresh(Authenticator):
    """A session that began just now, and is not renewed."""

    def __init__(self, pair: TokenPair) -> None:
        """Use one pair of tokens."""
        self._pair = pair

    @override
    async def token(self) -> str:
        return self._pair.access

    @override
    async def renew(self, stale: str) -> str:
        raise Forbidden

    @override
    def age(self) -> datetime:
        return self._pair.taken_at

    @override
    def forget(self) -> None:
        return None


async def async_log_in(hass: HomeAssistant, user: str, password: str) -> Login:
    """Return who has logged in; raises EaseeError.

    A cloud that said until when it is to be left alone is not asked before, whichever
    form or account was told: it means our address, not who logs in.
    """
    time = easee_hub.easee_time()
    try:
        async with limit(time, PATIENCE):
            return await _async_logged_in(hass, time, user, password)
    except TimeoutError as err:
        raise Unavailable from err


async def _async_logged_in(
    hass: HomeAssistant, time: Time, user: str, password: str
) -> Login:
    session, url = async_get_clientsession(hass), easee_hub.easee_addresses().api
    budget = Budget(time, async_hold(hass))
    await budget.take(Lane.AUTH)
    try:
        pair = await login(session, time, user, password, url)
    except EaseeError as err:
        budget.heed(err)
        raise
    api = EaseeApi(session, _Fresh(pair), budget, time, url=url)
    return Login(user_id=await user_of(api), pair=pair, catalog=await catalog_of(api))
