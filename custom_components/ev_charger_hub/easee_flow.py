"""The part of the config flow that is about Easee accounts."""

from collections.abc import Mapping
from itertools import chain, count
import logging
from typing import Any, Final

import probatio as vol

from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant

from .const import CONF_KIND, KIND_EASEE
from .easee.catalog import Catalog
from .easee.errors import EaseeError
from .easee_errors import form_key_of, placeholders_of
from .easee_form import (
    CONF_PRODUCTS,
    CONF_SITES,
    CONF_STORE_PASSWORD,
    LOGIN_SCHEMA,
    PASSWORD_SCHEMA,
    left_out_sites,
    product_names,
    products_schema,
    sites_schema,
)
from .easee_login import Login, async_log_in
from .easee_session import async_session
from .easee_settings import LeftOut

_LOGGER = logging.getLogger(__name__)

TITLE: Final = "Easee"


class EaseeFlow(ConfigFlow):
    """Set up an Easee account, log in again, or change it."""

    _login: Login
    _data: dict[str, Any]
    _left_out = LeftOut()

    async def async_step_easee(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask who the user is."""
        errors: dict[str, str] = {}
        placeholders = {"reason": "", "until": ""}
        if user_input is not None:
            login = await self._async_try(user_input, errors, placeholders)
            if login is not None:
                # A form that was left open in another window is in nobody's way.
                await self.async_set_unique_id(login.unique_id, raise_on_progress=False)
                self._abort_if_unique_id_configured(error="account_configured")
                self._login, self._data = login, account_data(user_input)
                return await self.async_step_sites()
        return self._show_login("easee", LOGIN_SCHEMA, user_input, errors, placeholders)

    async def async_step_sites(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which sites are wanted, if there are several."""
        catalog, errors = self._login.catalog, {}
        if not product_names(catalog):
            return self.async_abort(reason="no_products")
        if user_input is not None:
            sites = left_out_sites(catalog, user_input[CONF_SITES])
            if product_names(catalog.without(sites, ())):
                self._left_out = LeftOut(sites=sites)
                return await self.async_step_products()
            errors = {CONF_SITES: "nothing_chosen"}
        elif len(catalog.sites) < 2:
            return await self.async_step_products()
        wanted = user_input or {CONF_SITES: [str(site.id) for site in catalog.sites]}
        return self.async_show_form(
            step_id="sites",
            data_schema=self.add_suggested_values_to_schema(
                sites_schema(catalog), wanted
            ),
            errors=errors,
        )

    async def async_step_products(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which products are wanted, if there are several."""
        catalog = self._login.catalog.without(self._left_out.sites, ())
        names = product_names(catalog)
        errors: dict[str, str] = {}
        if user_input is not None:
            if user_input[CONF_PRODUCTS]:
                self._left_out = LeftOut(
                    sites=self._left_out.sites,
                    products=frozenset(names.keys() - set(user_input[CONF_PRODUCTS])),
                )
                return await self._async_create()
            errors = {CONF_PRODUCTS: "nothing_chosen"}
        elif len(names) < 2:
            return await self._async_create()
        return self.async_show_form(
            step_id="products",
            data_schema=self.add_suggested_values_to_schema(
                products_schema(names), user_input or {CONF_PRODUCTS: [*names]}
            ),
            errors=errors,
        )

    async def _async_create(self) -> ConfigFlowResult:
        """Create the entry, which finds tokens and products in its store."""
        login, left_out = self._login, self._left_out
        self._abort_if_unique_id_configured(error="account_configured")
        await async_keep_login(self.hass, login)
        chosen = login.catalog.without(left_out.sites, left_out.products)
        return self.async_create_entry(
            title=self._title(chosen),
            data=self._data,
            options=left_out.as_options(),
            description="easee",
        )

    def _title(self, chosen: Catalog) -> str:
        """Return what the entry is called: another account may see the same site."""
        title = f"{TITLE} ({chosen.sites[0].name})" if chosen.sites else TITLE
        taken = {entry.title for entry in self._async_current_entries()}
        numbered = (f"{title} {number}" for number in count(2))
        return next(one for one in chain([title], numbered) if one not in taken)

    # Again

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Log in again because the session is over (only accounts are asked)."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the password of the account."""
        entry = self._get_reauth_entry()
        return await self._async_again(
            "reauth_confirm", entry, PASSWORD_SCHEMA, user_input
        )

    async def async_step_reconfigure_easee(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask by what name and password the account is reached from now on."""
        entry = self._get_reconfigure_entry()
        return await self._async_again(
            "reconfigure_easee", entry, LOGIN_SCHEMA, user_input
        )

    async def _async_again(
        self,
        step_id: str,
        entry: ConfigEntry,
        schema: vol.Schema,
        user_input: dict[str, Any] | None,
    ) -> ConfigFlowResult:
        """Log in to the account of an entry, and have it start anew with that."""
        user: str = entry.data[CONF_USERNAME]
        errors: dict[str, str] = {}
        placeholders = {"reason": "", "until": "", "user": user}
        shown = {
            CONF_USERNAME: user,
            CONF_STORE_PASSWORD: CONF_PASSWORD in entry.data,
        }
        if user_input is not None:
            shown |= user_input
            login = await self._async_try(shown, errors, placeholders)
            if login is not None:
                await self.async_set_unique_id(login.unique_id)
                self._abort_if_unique_id_mismatch(reason="wrong_account")
                await async_keep_login(self.hass, login)
                return self.async_update_reload_and_abort(
                    entry, data=account_data(shown)
                )
        return self._show_login(step_id, schema, shown, errors, placeholders)

    # How

    async def _async_try(
        self,
        user_input: Mapping[str, Any],
        errors: dict[str, str],
        placeholders: dict[str, str],
    ) -> Login | None:
        """Return who has logged in, or None with what went wrong."""
        user, password = user_input[CONF_USERNAME].strip(), user_input[CONF_PASSWORD]
        try:
            return await async_log_in(self.hass, user, password)
        except EaseeError as err:
            errors["base"] = form_key_of(err)
            placeholders |= placeholders_of(err, user)
        except Exception:
            _LOGGER.exception("Nobody knows why this login failed")
            errors["base"] = "unknown"
        return None

    def _show_login(
        self,
        step_id: str,
        schema: vol.Schema,
        shown: Mapping[str, Any] | None,
        errors: dict[str, str],
        placeholders: Mapping[str, str],
    ) -> ConfigFlowResult:
        """Show a form for credentials; the password has to be typed again."""
        kept = {
            key: value for key, value in (shown or {}).items() if key != CONF_PASSWORD
        }
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, kept),
            description_placeholders=placeholders,
            errors=errors,
        )


def account_data(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of an entry from its form."""
    data = {CONF_KIND: KIND_EASEE, CONF_USERNAME: user_input[CONF_USERNAME].strip()}
    if user_input[CONF_STORE_PASSWORD]:
        data[CONF_PASSWORD] = user_input[CONF_PASSWORD]
    return data


async def async_keep_login(hass: HomeAssistant, login: Login) -> None:
    """Keep what an entry begins with: without a password the tokens are all it has."""
    session = async_session(hass, login.unique_id)
    await session.store.save(login.pair)
    await session.store.save_catalog(login.catalog)
    session.forget()
