"""EV Charger Hub: chargers in Home Assistant, by OCPP and from the cloud."""

from collections.abc import Generator
from contextlib import contextmanager
import logging

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_PORT, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from .certificate_actions import async_setup_certificate_actions
from .certificate_store import ServerCertificates
from .const import DOMAIN, PLATFORMS
from .devices import async_identities
from .hub import OcppHub
from .log_files import async_remove_files
from .log_views import async_setup_log_views
from .models import EvChargerHubConfigEntry
from .ocpp.authority import AuthorityError
from .ocpp.tls import TlsError
from .profile_clock import async_setup_profile_clock
from .second_listener import async_setup_second_listener
from .services import async_setup_services
from .settings import async_chargers
from .station.errors import JournalError
from .storage import DATA, async_setup_storage
from .token_actions import async_setup_token_actions
from .token_entries import async_follow_tokens

_LOGGER = logging.getLogger(__name__)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what all entries share."""
    async_setup_storage(hass)
    shared = hass.data[DATA]
    await shared.desk.async_load()
    async_follow_tokens(hass, shared.tokens, shared.desk.forget)
    async_setup_services(hass)
    async_setup_certificate_actions(hass)
    async_setup_token_actions(hass)
    async_setup_second_listener(hass)
    async_setup_profile_clock(hass)
    async_setup_log_views(hass)
    return True


async def async_setup_entry(
    hass: HomeAssistant, entry: EvChargerHubConfigEntry
) -> bool:
    """Set up an OCPP server with its approved chargers."""
    shared = hass.data[DATA]
    certificates = ServerCertificates(hass, entry, shared.authority)
    with _needs_certificates():
        await certificates.async_load()
    with _needs_journal():
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
    with _needs_journal():
        await hub.async_prepare()
    # Platforms first: a charger may dial in as soon as the server listens.
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    try:
        await hub.async_start()
    except OSError as err:
        await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key="cannot_listen",
            translation_placeholders={
                "port": str(entry.data[CONF_PORT]),
                "reason": err.strerror or str(err),
            },
        ) from err
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


async def async_unload_entry(
    hass: HomeAssistant, entry: EvChargerHubConfigEntry
) -> bool:
    """Unload an OCPP server; its connections end with what was registered."""
    entry.runtime_data.turns.close()
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(
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
            await journal.forget(identity)
            await async_remove_files(hass, subentry.subentry_id)
    finally:
        await shared.journal.release()


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: EvChargerHubConfigEntry, device: dr.AnyDeviceEntry
) -> bool:
    """Allow to delete the device of something that does not exist any more."""
    chargers, identifiers = async_chargers(entry), async_identities(device)
    if not identifiers.isdisjoint({entry.entry_id, *chargers}):
        return False
    if entry.state is ConfigEntryState.LOADED:
        return not entry.runtime_data.knows(device)
    # Nobody knows now which connectors a charger has.
    owners = {identifier.rpartition("_")[0] for identifier in identifiers}
    return owners.isdisjoint(chargers)


async def _async_entry_updated(
    hass: HomeAssistant, entry: EvChargerHubConfigEntry
) -> None:
    """Apply what changed in the entry, its options or its chargers."""
    await entry.runtime_data.async_apply()


@contextmanager
def _needs_journal() -> Generator[None]:
    """Have the set-up tried again if the journal cannot be used."""
    try:
        yield
    except JournalError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key="journal_unusable",
            translation_placeholders={"reason": str(err)},
        ) from err


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
