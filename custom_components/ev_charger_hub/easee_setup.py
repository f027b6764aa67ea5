"""Set-up of an Easee account with its chargers and other products, and its end."""

import logging
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN, PLATFORMS
from .devices import async_identities
from .easee.errors import (
    EaseeError,
    InvalidCredentials,
    LoginPaused,
    SessionEnded,
    Unavailable,
)
from .easee.timing import limit
from .easee_errors import key_of, placeholders_of
from .easee_hub import EaseeHub
from .easee_session import async_end_session, async_entry_session
from .handover import (
    async_account_of,
    async_known_elsewhere,
    async_server_of,
    async_take_device,
)
from .leftovers import async_forget_easee
from .models import HubConfigEntry
from .storage import DATA, needs_journal

_LOGGER = logging.getLogger(__name__)

PATIENCE: Final = 10.0
"""Seconds that the start of Home Assistant waits for the cloud."""


async def async_setup_account(hass: HomeAssistant, entry: HubConfigEntry) -> bool:
    """Set up an Easee account.

    Without the cloud it starts with the products that were known last, whose chargers
    show what was known of them: the account comes back by itself, and nothing that the
    user has made of its entities breaks. Only a new account waits for the cloud.
    """
    shared = hass.data[DATA]
    with needs_journal():
        journal = await shared.journal.acquire()
    session = async_entry_session(hass, entry)
    hub = EaseeHub(hass, entry, journal=journal, session=session)
    entry.runtime_data = hub

    async def async_end() -> None:
        # One after the other: callbacks of their own would run at the same time.
        try:
            await hub.async_stop()
        finally:
            await shared.journal.release()

    entry.async_on_unload(async_end)
    await _async_discover(hub)
    with needs_journal():
        await hub.async_prepare()
    # Platforms first: what the stream tells comes at once.
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    hub.start()

    async def async_stop(_event: Event) -> None:
        await hub.async_stop()

    # Home Assistant does not unload its entries when it stops.
    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, async_stop)
    )
    return True


async def async_remove_account(hass: HomeAssistant, entry: HubConfigEntry) -> None:
    """Forget the tokens and the chargers of an account that the user has deleted."""
    shared = hass.data[DATA]
    store = async_entry_session(hass, entry).store
    catalog = await store.load_catalog()
    journal = await shared.journal.acquire()
    try:
        for serial in () if catalog is None else catalog.chargers:
            identity = await store.identity_of(serial)
            await _async_leave(hass, entry, identity)
            if not await async_known_elsewhere(hass, entry, identity, serial):
                await journal.forget(identity)
    finally:
        await shared.journal.release()
        await store.async_remove()
        async_end_session(hass, entry)


async def _async_leave(
    hass: HomeAssistant, entry: HubConfigEntry, identity: str
) -> None:
    """Leave a charger to who has it besides, with its device and its entities."""
    if (other := await async_account_of(hass, identity, entry)) is None:
        await async_forget_easee(hass, identity)
    if (server := async_server_of(hass, identity)) is not None:
        async_take_device(hass, *server, identity, leaving=entry)
    elif other is not None:
        async_take_device(hass, other, None, identity, leaving=entry)


def owns_device(entry: HubConfigEntry, device: dr.AnyDeviceEntry) -> bool:
    """Return whether a device is one of the account that still exists."""
    hub = entry.runtime_data if entry.state is ConfigEntryState.LOADED else None
    if not isinstance(hub, EaseeHub):
        # Nobody knows now what the account has.
        return True
    if hub.owns(device):
        return True
    for identity in async_identities(device):
        entry.async_create_task(
            hub.hass, hub.async_forget(identity), "a charger is deleted"
        )
    return False


async def _async_discover(hub: EaseeHub) -> None:
    """Learn what the account has, from the cloud or else from the last time."""
    if (known := await hub.store.load_catalog()) is not None:
        hub.account.recall(known)
    try:
        async with limit(hub.account.time, PATIENCE):
            await hub.account.discover()
    except TimeoutError:
        err: EaseeError = Unavailable()
    except LoginPaused as pause:
        err = hub.account.trouble.value or pause
    except EaseeError as other:
        err = other
    else:
        return
    if isinstance(err, InvalidCredentials | SessionEnded):
        raise ConfigEntryAuthFailed(**_told(hub, err)) from err
    if known is None:
        raise ConfigEntryNotReady(**_told(hub, err)) from err
    _LOGGER.info("The Easee cloud is not there yet: %s", type(err).__name__)


def _told(hub: EaseeHub, err: EaseeError) -> dict[str, Any]:
    """Return why an account cannot be set up, as users read it."""
    return {
        "translation_domain": DOMAIN,
        "translation_key": key_of(err),
        "translation_placeholders": placeholders_of(err, hub.entry.title),
    }
