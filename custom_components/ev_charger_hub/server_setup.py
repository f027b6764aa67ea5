"""Set-up of an OCPP server with its approved chargers, and its end."""

from collections.abc import Generator
from contextlib import contextmanager
import logging

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_PORT, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import device_registry as dr

from .certificate_store import ServerCertificates
from .const import DOMAIN, PLATFORMS
from .devices import async_identities
from .handover import async_account_of, async_known_elsewhere, async_take_device
from .hub import OcppHub
from .log_files import async_remove_files
from .models import EvChargerHubConfigEntry
from .ocpp.authority import AuthorityError
from .ocpp.tls import TlsError
from .settings import async_chargers
from .storage import DATA, needs_journal

_LOGGER = logging.getLogger(__name__)


async def async_setup_server(
    hass: HomeAssistant, entry: EvChargerHubConfigEntry
) -> bool:
    """Set up an OCPP server with its approved chargers."""
    shared = hass.data[DATA]
    certificates = ServerCertificates(hass, entry, shared.authority)
    with _needs_certificates():
        await certificates.async_load()
    with needs_journal():
        journal = await shared.journal.acquire()
    hub = entry.runtime_data = OcppHub(
        hass,
        entry,
        journal=journal,
        certificates=certificates,
    )

    async def async_end() -> None:
        # One after the other: callbacks of their own would run at the same time.
        try:
            await hub.async_stop()
        finally:
            await shared.journal.release()

    entry.async_on_unload(async_end)
    with _needs_port(entry):
        await hub.async_reserve()
    with needs_journal():
        await hub.async_prepare()
    # Platforms first: a charger may come in as soon as the server listens.
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    await hub.async_start()
    entry.async_on_unload(certificates.async_follow(hub.central_system.use))
    entry.async_on_unload(entry.add_update_listener(_async_entry_updated))
    # What has changed since the chargers were built.
    entry.async_create_task(hass, hub.async_apply(), "ev_charger_hub catch up")

    async def async_stop(_event: Event) -> None:
        await hub.async_stop()

    # Home Assistant does not unload its entries when it stops.
    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, async_stop)
    )
    return True


async def async_remove_server(
    hass: HomeAssistant, entry: EvChargerHubConfigEntry
) -> None:
    """Forget the chargers of a server that the user has deleted."""
    shared = hass.data[DATA]
    journal = await shared.journal.acquire()
    try:
        for identity, subentry in async_chargers(entry).items():
            try:
                await shared.authority.async_revoke(identity)
            except AuthorityError:
                _LOGGER.exception("Certificates of a deleted server stay valid")
            if (account := await async_account_of(hass, identity, entry)) is not None:
                async_take_device(hass, account, None, identity, leaving=entry)
            if not await async_known_elsewhere(hass, entry, identity):
                await journal.forget(identity)
            await async_remove_files(hass, subentry.subentry_id)
    finally:
        await shared.journal.release()


async def _async_entry_updated(
    hass: HomeAssistant, entry: EvChargerHubConfigEntry
) -> None:
    """Apply what changed in the entry, its options or its chargers."""
    await entry.runtime_data.async_apply()


@contextmanager
def _needs_certificates() -> Generator[None]:
    """Have the set-up tried again if there is no certificate to be had."""
    try:
        yield
    except TlsError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key=f"tls_{err.kind}",
        ) from err
    except AuthorityError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key="authority_unusable",
            translation_placeholders={"reason": str(err)},
        ) from err


@contextmanager
def _needs_port(entry: EvChargerHubConfigEntry) -> Generator[None]:
    """Have the set-up tried again if the port cannot be had."""
    try:
        yield
    except OSError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key="cannot_listen",
            translation_placeholders={
                "port": str(entry.data[CONF_PORT]),
                "reason": err.strerror or str(err),
            },
        ) from err


def owns_device(entry: EvChargerHubConfigEntry, device: dr.AnyDeviceEntry) -> bool:
    """Return whether a device is the server, or a charger or EVSE that still exists."""
    chargers, identifiers = async_chargers(entry), async_identities(device)
    if not identifiers.isdisjoint({entry.entry_id, *chargers}):
        return True
    if entry.state is ConfigEntryState.LOADED:
        return entry.runtime_data.knows(device)
    # Nobody knows now which connectors a charger has.
    owners = {identifier.rpartition("_")[0] for identifier in identifiers}
    return not owners.isdisjoint(chargers)
