"""Handover: a charger that two entries have is shown by one of them.

An OCPP server that has a charger shows it, whether or not it is connected: what is local
does not depend on a cloud. An Easee account shows what no server has, or can show, and is
a guest at the others. Who takes a charger over has its device and its entities from then on, as
they are in the registries, after who had them let go of them.
"""

from collections.abc import Collection
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN
from .easee.catalog import Catalog
from .easee_session import async_entry_session
from .entries import async_servers, is_easee
from .one_device import async_unite
from .settings import async_chargers
from .station.clock import utc_now
from .station.journal import Journal
from .station.registry import normal
from .station.uniting import unite
from .token_entries import async_rename_charger

RUNNING: Final = (ConfigEntryState.LOADED, ConfigEntryState.SETUP_IN_PROGRESS)
COMING: Final = (
    ConfigEntryState.LOADED,
    ConfigEntryState.NOT_LOADED,
    ConfigEntryState.SETUP_IN_PROGRESS,
    ConfigEntryState.UNLOAD_IN_PROGRESS,
)
"""States of an entry that has its chargers soon, unless it is disabled."""


async def async_claim(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    subentry_id: str,
    identity: str,
    *,
    serial: str | None,
    journal: Journal,
) -> None:
    """Have a charger of a server to ourselves, with all that is known of it.

    No account shows it any more, and what an account knew it by it is called no longer:
    its device, entities and sessions are those of `identity`. Raises JournalError.
    """
    former = await _async_know_as(hass, identity, serial)
    for other in hass.config_entries.async_entries(DOMAIN):
        if is_easee(other) and other.state in RUNNING and _is_up(other):
            await other.runtime_data.async_give_up(identity, *former)
    async_take_device(hass, entry, subentry_id, identity, *former)
    for one in former:
        await journal.rename(one, identity)
        async_rename_charger(hass, one, identity)
    if former:
        await unite(journal, identity, utc_now())


async def _async_know_as(
    hass: HomeAssistant, identity: str, serial: str | None
) -> list[str]:
    """Have accounts know a charger by its identity; return what they know it by else."""
    wanted = {normal(identity), normal(serial)} - {""}
    names: set[str] = set()
    for other in hass.config_entries.async_entries(DOMAIN):
        if not is_easee(other):
            continue
        kept = async_entry_session(hass, other).store
        catalog = await _async_catalog(hass, other)
        for one in catalog.chargers:
            if normal(one) in wanted:
                names |= {one.upper(), await kept.identity_of(one)}
                await kept.save_identity(one, identity)
    taken = {one for server in async_servers(hass) for one in async_chargers(server)}
    return sorted(names - taken - {identity})


async def _async_catalog(hass: HomeAssistant, account: ConfigEntry[Any]) -> Catalog:
    """Return what an account has, or last had."""
    if account.state in RUNNING and _is_up(account):
        known: Catalog = account.runtime_data.account.catalog.value
        return known
    kept = await async_entry_session(hass, account).store.load_catalog()
    return Catalog() if kept is None else kept


@callback
def async_take_device(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    subentry_id: str | None,
    identity: str,
    *former: str,
    leaving: ConfigEntry[Any] | None = None,
) -> None:
    """Take over the device of a charger, with its entities, whoever has it.

    It may have been known by `former` names. Nobody may hold objects of its entities
    any more, but for those that are let go of soon. `leaving` is an entry that Home
    Assistant removes just now.
    """
    entries = {one.entry_id for one in hass.config_entries.async_entries(DOMAIN)}
    if leaving is not None:
        entries.add(leaving.entry_id)
    async_unite(hass, entry, subentry_id, (identity, *former), entries)


@callback
def async_server_of(
    hass: HomeAssistant, identity: str
) -> tuple[ConfigEntry[Any], str] | None:
    """Return the server that has a charger, running or not, and its subentry."""
    for entry in async_servers(hass):
        if (subentry := async_chargers(entry).get(identity)) is not None:
            return entry, subentry.subentry_id
    return None


async def async_account_of(
    hass: HomeAssistant, identity: str, without: ConfigEntry[Any]
) -> ConfigEntry[Any] | None:
    """Return an account that has a charger, one that runs if there is one."""
    found = []
    for entry in hass.config_entries.async_entries(DOMAIN, include_disabled=False):
        if is_easee(entry) and entry.entry_id != without.entry_id:
            kept = async_entry_session(hass, entry).store
            catalog = await _async_catalog(hass, entry)
            if identity in [await kept.identity_of(one) for one in catalog.chargers]:
                found.append(entry)
    found.sort(key=lambda one: one.state is not ConfigEntryState.LOADED)
    return found[0] if found else None


@callback
def async_known_by(hass: HomeAssistant, serial: str) -> str | None:
    """Return the identity by which a server has a charger, running or not."""
    registry, wanted = dr.async_get(hass), normal(serial)
    for entry in async_servers(hass):
        for identity in async_chargers(entry):
            key = DOMAIN, identity
            device = registry.async_get_device_by_identifier(key, entry.entry_id)
            told = None if device is None else device.serial_number
            if wanted in {normal(identity), normal(told)}:
                return identity
    return None


@callback
def async_coming_owners(
    hass: HomeAssistant, account: ConfigEntry[Any], identity: str
) -> list[ConfigEntry[Any]]:
    """Return who is to show a charger before an account may, as far as is known."""
    registry, key = dr.async_get(hass), (DOMAIN, identity)
    return [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN)
        if entry is not account
        and (
            entry.disabled_by is None
            # It has not let go of what it had yet.
            or entry.state is ConfigEntryState.UNLOAD_IN_PROGRESS
        )
        and (
            (
                entry.state is not ConfigEntryState.LOADED
                and registry.async_get_device_by_identifier(key, entry.entry_id)
            )
            if is_easee(entry)
            else identity in async_chargers(entry) and not _is_given_up(entry, identity)
        )
    ]


async def async_known_elsewhere(
    hass: HomeAssistant, entry: ConfigEntry[Any], *names: str
) -> bool:
    """Return whether another entry has a charger, by its identity or serial number."""
    wanted = {normal(one) for one in names} - {""}
    for other in hass.config_entries.async_entries(DOMAIN):
        if other is entry:
            continue
        known: Collection[str]
        if is_easee(other):
            kept = async_entry_session(hass, other).store
            catalog = await kept.load_catalog()
            serials = () if catalog is None else tuple(catalog.serials)
            known = {*serials, *[await kept.identity_of(one) for one in serials]}
        else:
            known = async_chargers(other)
        if not wanted.isdisjoint(normal(one) for one in known):
            return True
    return False


def _is_given_up(server: ConfigEntry[Any], identity: str) -> bool:
    """Return whether a server that runs cannot show a charger that it has."""
    if server.state is not ConfigEntryState.LOADED:
        return False
    return identity in server.runtime_data.chargers.failed


def _is_up(entry: ConfigEntry[Any]) -> bool:
    """Return whether an entry that is being set up has come to its hub."""
    return getattr(entry, "runtime_data", None) is not None
