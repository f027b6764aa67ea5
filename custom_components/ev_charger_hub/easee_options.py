"""Options of an Easee account: what each charger may do, and what is shown."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult

from .charger_settings_form import (
    charging_data,
    charging_form,
    charging_problem,
    charging_schema,
)
from .easee.catalog import Catalog
from .easee.readings import Readings
from .easee_form import (
    CONF_CHARGER,
    CONF_PRODUCTS,
    CONF_SITES,
    charger_schema,
    left_out_sites,
    product_names,
    products_schema,
    sites_schema,
)
from .easee_hub import EaseeHub
from .easee_local_flow import LocalFlow
from .easee_local_place import async_server_of
from .easee_session import async_entry_session
from .easee_settings import CONF_CHARGERS, LeftOut, charger_options, charger_settings
from .models import EvChargerHubConfigEntry


class EaseeOptionsFlow(LocalFlow):
    """Change what an account shows, what its chargers may do, and who they dial."""

    _catalog = Catalog()
    _identity = ""
    _left_out = LeftOut()

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Learn what there is."""
        store = async_entry_session(self.hass, self.config_entry).store
        self._catalog = await store.load_catalog() or Catalog()
        return await self.async_step_account()

    async def async_step_account(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose between a charger, its second way, and what is shown."""
        return self.async_show_menu(
            step_id="account", menu_options=["charger", "local", "sites"]
        )

    # A charger

    async def async_step_charger(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which charger is meant, if there are several."""
        left_out = LeftOut.of(self.config_entry.options)
        catalog = self._catalog.without(left_out.sites, left_out.products)
        names = {
            serial: name
            for serial, name in product_names(catalog).items()
            if serial in catalog.chargers
        }
        if not names:
            return self.async_abort(reason="no_chargers")
        if user_input is None and len(names) > 1:
            return self.async_show_form(
                step_id="charger", data_schema=charger_schema(names)
            )
        serial = next(iter(names)) if user_input is None else user_input[CONF_CHARGER]
        self._identity = serial.upper()
        return await self.async_step_settings()

    async def async_step_settings(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what a charger may do, unless a server here knows that."""
        if (server := await self._async_server()) is not None:
            return self.async_abort(
                reason="charger_at_server",
                description_placeholders={
                    "charger": self._name(),
                    "server": server.title,
                },
            )
        errors: dict[str, str] = {}
        readings = self._readings()
        chosen = charger_options(self.config_entry, self._identity)
        shown = charging_form(charger_settings(chosen, "", readings))
        if user_input is not None:
            if not (errors := charging_problem(user_input)):
                return self._changed(charging_data(user_input), readings)
            shown = user_input
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(charging_schema(), shown),
            description_placeholders={"charger": self._name()},
            errors=errors,
        )

    def _changed(self, wanted: dict[str, Any], readings: Readings) -> ConfigFlowResult:
        """Keep what is other than usual: the rest follows what the charger reports."""
        usual = charging_data(charging_form(charger_settings({}, "", readings)))
        options = self.config_entry.options
        before = charger_options(self.config_entry, self._identity)
        kept = {key: value for key, value in before.items() if key not in wanted}
        kept |= {key: one for key, one in wanted.items() if one != usual[key]}
        chargers = {**options.get(CONF_CHARGERS, {}), self._identity: kept}
        return self.async_create_entry(data={**options, CONF_CHARGERS: chargers})

    def _readings(self) -> Readings:
        """Return what the charger has reported, as far as it is here."""
        hub = getattr(self.config_entry, "runtime_data", None)
        if isinstance(hub, EaseeHub):
            charger = hub.account.chargers.get(self._identity)
            if charger is not None:
                return charger.readings
        return Readings()

    async def _async_server(self) -> EvChargerHubConfigEntry | None:
        """Return the server that has the charger, and its settings, None if none has."""
        store = async_entry_session(self.hass, self.config_entry).store
        return async_server_of(self.hass, await store.identity_of(self._identity))

    def _name(self) -> str:
        """Return the name of the charger."""
        return next(
            one.name
            for one in self._catalog.chargers.values()
            if one.serial.upper() == self._identity
        )

    # What is shown

    async def async_step_sites(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which sites are wanted, if there are several."""
        catalog, errors = self._catalog, dict[str, str]()
        left_out = LeftOut.of(self.config_entry.options)
        if user_input is not None:
            sites = left_out_sites(catalog, user_input[CONF_SITES])
            if product_names(catalog.without(sites, ())):
                self._left_out = LeftOut(sites=sites, products=left_out.products)
                return await self.async_step_products()
            errors = {CONF_SITES: "nothing_chosen"}
        elif len(catalog.sites) < 2:
            self._left_out = LeftOut(products=left_out.products)
            return await self.async_step_products()
        wanted = user_input or {
            CONF_SITES: [
                str(site.id) for site in catalog.sites if site.id not in left_out.sites
            ]
        }
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
        """Ask which products are wanted."""
        names = product_names(self._catalog.without(self._left_out.sites, ()))
        errors: dict[str, str] = {}
        wanted = {CONF_PRODUCTS: [*(names.keys() - self._left_out.products)]}
        if user_input is not None:
            wanted = user_input
            if chosen := set(user_input[CONF_PRODUCTS]):
                # What is on a site that is left out stays as it was.
                others = self._left_out.products - names.keys()
                left_out = LeftOut(
                    sites=self._left_out.sites,
                    products=others | (names.keys() - chosen),
                )
                return self.async_create_entry(
                    data={**self.config_entry.options, **left_out.as_options()}
                )
            errors = {CONF_PRODUCTS: "nothing_chosen"}
        return self.async_show_form(
            step_id="products",
            data_schema=self.add_suggested_values_to_schema(
                products_schema(names), wanted
            ),
            errors=errors,
        )
