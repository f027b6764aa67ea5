"""The forms of an Easee account: credentials, products, and each charger."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import probatio as vol

from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .easee.catalog import Catalog

CONF_CHARGER: Final = "charger"
CONF_PRODUCTS: Final = "products"
CONF_SITES: Final = "sites"
CONF_STORE_PASSWORD: Final = "store_password"  # noqa: S105

USER_SELECTOR: Final = TextSelector(
    TextSelectorConfig(autocomplete="username", type=TextSelectorType.TEXT)
)
PASSWORD_SELECTOR: Final = TextSelector(
    TextSelectorConfig(autocomplete="current-password", type=TextSelectorType.PASSWORD)
)
_PASSWORD_FIELDS: Final[dict[vol.Marker, Any]] = {
    vol.Required(CONF_PASSWORD): PASSWORD_SELECTOR,
    vol.Required(CONF_STORE_PASSWORD, default=True): BooleanSelector(),
}

LOGIN_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_USERNAME): USER_SELECTOR, **_PASSWORD_FIELDS}
)
PASSWORD_SCHEMA: Final = vol.Schema(_PASSWORD_FIELDS)


def sites_schema(catalog: Catalog) -> vol.Schema:
    """Return the form of which sites are wanted."""
    options = [(str(site.id), site.name) for site in catalog.sites]
    return vol.Schema({vol.Required(CONF_SITES): _some(options)})


def products_schema(options: Mapping[str, str]) -> vol.Schema:
    """Return the form of which products are wanted, by serial and name."""
    return vol.Schema({vol.Required(CONF_PRODUCTS): _some(options.items())})


def charger_schema(options: Mapping[str, str]) -> vol.Schema:
    """Return the form of which charger is to be changed."""
    return vol.Schema({vol.Required(CONF_CHARGER): _choice(options.items())})


def product_names(catalog: Catalog, but: Iterable[str] = ()) -> dict[str, str]:
    """Return the names of the products of a catalog, but for some, by serial."""
    names = {
        one.serial: one.name if one.name != one.serial else one.model
        for one in catalog.chargers.values()
    }
    names |= {one.serial: one.name for one in catalog.equalizers.values()}
    left_out = set(but)
    return {
        serial: f"{name} ({serial})"
        for serial, name in names.items()
        if serial.upper() not in left_out
    }


def left_out_sites(catalog: Catalog, wanted: Iterable[str]) -> frozenset[int]:
    """Return the sites that somebody has not chosen."""
    chosen = set(wanted)
    return frozenset(one.id for one in catalog.sites if str(one.id) not in chosen)


def _some(options: Iterable[tuple[str, str]]) -> SelectSelector:
    """Return a field for some of what there is."""
    return SelectSelector(
        SelectSelectorConfig(
            mode=SelectSelectorMode.LIST,
            multiple=True,
            options=[SelectOptionDict(value=one, label=name) for one, name in options],
        )
    )


def _choice(options: Iterable[tuple[str, str]]) -> SelectSelector:
    """Return a field for one of what there is."""
    return SelectSelector(
        SelectSelectorConfig(
            mode=SelectSelectorMode.LIST,
            options=[SelectOptionDict(value=one, label=name) for one, name in options],
        )
    )
