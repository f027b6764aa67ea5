"""Actions about what is around Easee chargers: the equalizer, the price of the site."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import probatio as vol

from homeassistant.util.json import JsonObjectType

from .easee.equalizer import Equalizer
from .easee.json_values import currency
from .easee.outcomes import DONE
from .easee.products import SiteInfo
from .easee.sites import Sites
from .easee.surplus import SurplusMode, wanted
from .easee_equalizer_settings import async_set
from .easee_limit_actions import whole_amps
from .easee_targets import EaseeTarget, async_resolve_easee
from .fields import ActionGroup, Data, response
from .helpers import invalid
from .profile_words import one_of

ATTR_CURRENCY: Final = "currency"
ATTR_CURRENT: Final = "current"
ATTR_MODE: Final = "mode"
ATTR_PRICE: Final = "price"
ATTR_VAT: Final = "vat"

MOST: Final = 500
"""No equalizer guards more, in A."""


async def _set_surplus(target: EaseeTarget, data: Data) -> JsonObjectType:
    equalizer, mode = target.equalizer, data[ATTR_MODE]
    current: float | None = data.get(ATTR_CURRENT)
    if current is None:
        outcome = await async_set(equalizer, equalizer.set_surplus_mode(mode))
    elif mode is SurplusMode.WITH_IMPORT and current > 0:
        wish = equalizer.set_surplus(wanted(mode, current))
        outcome = await async_set(equalizer, wish)
    else:
        raise invalid("easee_surplus_current")
    return {**response(outcome), **_surplus(equalizer)}


def _surplus(equalizer: Equalizer) -> Mapping[str, Any]:
    """Return how surplus is used as the equalizer tells it."""
    found = equalizer.surplus.value
    if found is None:
        return {"mode": None, "current": None}
    return {"mode": found.mode, "current": found.import_current}


async def _set_load_balancing(target: EaseeTarget, data: Data) -> JsonObjectType:
    equalizer, amps = target.equalizer, data[ATTR_CURRENT]
    structure = equalizer.structure.value
    fuse = None if structure is None else structure.rated
    if fuse is not None and amps > fuse:
        raise invalid("easee_above_main_fuse", device=target.name, fuse=f"{fuse:g}")
    outcome = await async_set(equalizer, equalizer.set_max_allocated(amps))
    structure = equalizer.structure.value
    return {
        **response(outcome),
        "current": None if structure is None else structure.allocated,
    }


async def _set_price(target: EaseeTarget, data: Data) -> JsonObjectType:
    known, sites = _known(target), Sites(target.account.requests)
    with target.errors():
        if None in (
            data.get(ATTR_VAT, known.vat),
            data.get(ATTR_CURRENCY, known.currency),
        ):
            # What is left out is to stay as it is.
            known = await sites.site(known.id) or known
    vat: float = data.get(ATTR_VAT, known.vat or 0.0)
    name: str = data.get(ATTR_CURRENCY) or known.currency or ""
    name = name or target.hub.hass.config.currency
    price: float = data[ATTR_PRICE]
    with target.errors():
        await sites.set_price(known.id, price, vat=vat, currency_id=name)
    changed = replace(
        target.site,
        currency=name,
        price=price,
        price_without_vat=price / (100 + vat) * 100,
        vat=vat,
    )
    target.account.change_site(changed)
    return {**response(DONE), "price": price, "vat": vat, "currency": name}


def _known(target: EaseeTarget) -> SiteInfo:
    """Return the site with its present price, if anybody asked for it."""
    site = target.site
    costs = target.hub.products.costs.get(site.id)
    return site if costs is None else costs.site.value


def _currency(value: object) -> str:
    """Return the three letters of a currency."""
    if (name := currency(value)) is None:
        raise vol.Invalid("expected a currency such as EUR")
    return name


def _amount(most: float) -> Any:
    return vol.All(vol.Coerce(float), vol.Range(min=0, max=most))


ACTIONS: Final = ActionGroup(
    commands={
        "easee_set_load_balancing": (
            _set_load_balancing,
            {
                vol.Required(ATTR_CURRENT): whole_amps(MOST),
            },
        ),
        "easee_set_price": (
            _set_price,
            {
                vol.Required(ATTR_PRICE): _amount(1_000_000),
                vol.Optional(ATTR_VAT): _amount(100),
                vol.Optional(ATTR_CURRENCY): _currency,
            },
        ),
        "easee_set_surplus": (
            _set_surplus,
            {
                vol.Required(ATTR_MODE): one_of(SurplusMode),
                vol.Optional(ATTR_CURRENT): _amount(MOST),
            },
        ),
    },
    resolve=async_resolve_easee,
)
