"""Prepare a configuration directory of Home Assistant that needs no onboarding.

`python -m scripts.lib.prepare_config --help`. Home Assistant's own classes do it, so
what is stored is what Home Assistant itself would store. A directory that is prepared
already only gets new ports and addresses.
"""

import argparse
import asyncio
from pathlib import Path
from types import MappingProxyType
from typing import Any

from homeassistant.auth import auth_manager_from_config
from homeassistant.auth.const import GROUP_ID_ADMIN
from homeassistant.auth.providers.homeassistant import HassAuthProvider
from homeassistant.components.http import config as http_config
from homeassistant.components.onboarding import (
    STORAGE_KEY as ONBOARDING_KEY,
    STORAGE_VERSION as ONBOARDING_VERSION,
)
from homeassistant.components.onboarding.const import STEPS
from homeassistant.config_entries import (
    SOURCE_USER,
    STORAGE_KEY,
    STORAGE_VERSION,
    STORAGE_VERSION_MINOR,
    ConfigEntries,
    ConfigEntry,
    ConfigSubentryData,
)
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.storage import Store

from .components import CONFIGURED
from custom_components.ev_charger_hub.config_flow import EvChargerHubConfigFlow
from custom_components.ev_charger_hub.const import (
    CONF_FALLBACK_CURRENT,
    CONF_PASSWORD_HASH,
    CONF_POLICY,
    CONF_TLS,
    DOMAIN,
    SUBENTRY_CHARGER,
)
from custom_components.ev_charger_hub.entries import async_servers
from custom_components.ev_charger_hub.ocpp.credentials import hash_password
from custom_components.ev_charger_hub.ocpp.waiting import AdmissionPolicy
from custom_components.ev_charger_hub.tls_settings import TlsMode

INTEGRATION = Path(__file__).parents[2] / "custom_components" / DOMAIN
LOOPBACK = "127.0.0.1"
LOGGER = """\
logger:
  default: warning
  logs:
    custom_components.ev_charger_hub: info
    # Programs for cameras, which nobody needs here.
    haffmpeg: critical
    homeassistant.components.camera: critical
"""


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--port", type=int, required=True, help="of the frontend")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--ocpp-port", type=int, help="add an OCPP server")
    parser.add_argument("--ocpp-host", default=LOOPBACK, help="where that listens")
    parser.add_argument("--charger", help="approve a charger of this identity")
    parser.add_argument(
        "--more-chargers", nargs="*", default=(), help="approve these, too"
    )
    parser.add_argument("--charger-password", help="which it has to give")
    parser.add_argument("--fallback", type=int, help="its fall-back current in A")
    parser.add_argument(
        "--own-authority",
        action="store_true",
        help="encrypt with a certificate of ours",
    )
    parser.add_argument(
        "--policy",
        choices=sorted(AdmissionPolicy),
        default=AdmissionPolicy.ASK,
        help="what happens to unknown chargers",
    )
    return parser.parse_args()


def write_files(config: Path) -> None:
    """Write configuration.yaml and link the integration in."""
    components = config / "custom_components"
    components.mkdir(parents=True, exist_ok=True)
    link = components / DOMAIN
    if link.resolve() != INTEGRATION:
        link.unlink(missing_ok=True)
        link.symlink_to(INTEGRATION)
    text = "".join(f"{domain}:\n" for domain in CONFIGURED) + LOGGER
    (config / "configuration.yaml").write_text(text, encoding="utf-8")


async def add_user(hass: HomeAssistant, name: str, password: str) -> None:
    """Add the owner, unless there is one."""
    hass.auth = await auth_manager_from_config(hass, [{"type": "homeassistant"}], [])
    if await hass.auth.async_get_owner() is not None:
        return
    provider = hass.auth.auth_providers[0]
    assert isinstance(provider, HassAuthProvider)
    await provider.async_initialize()
    await provider.async_add_auth(name, password)
    credentials = await provider.async_get_or_create_credentials({"username": name})
    user = await hass.auth.async_create_user(
        name.capitalize(), group_ids=[GROUP_ID_ADMIN]
    )
    await hass.auth.async_link_user(user, credentials)


async def finish_onboarding(hass: HomeAssistant) -> None:
    """Tell Home Assistant where it is and that every question is answered."""
    await hass.config.async_update(
        country="NO",
        currency="EUR",
        elevation=10,
        latitude=59.91,
        longitude=10.75,
        time_zone="Europe/Oslo",
    )
    onboarding = Store[dict[str, list[str]]](
        hass, ONBOARDING_VERSION, ONBOARDING_KEY, private=True
    )
    await onboarding.async_save({"done": STEPS})


async def set_port(hass: HomeAssistant, port: int) -> None:
    """Serve the frontend on a port of the loopback interface."""
    store = await http_config.async_get_and_load_store(hass)
    await store.async_mark_yaml_migration_done()
    await store.async_set_pending(
        http_config.HTTP_STORAGE_SCHEMA({"server_host": LOOPBACK, "server_port": port})
    )
    # What nobody promotes is undone after five minutes.
    if store.pending is not None:
        await store.async_promote_pending()


def server_entry(args: argparse.Namespace) -> ConfigEntry:
    """Return the entry of an OCPP server that knows a charger."""
    settings: dict[str, Any] = {}
    if args.fallback is not None:
        settings[CONF_FALLBACK_CURRENT] = args.fallback
    if args.charger_password is not None:
        settings[CONF_PASSWORD_HASH] = hash_password(args.charger_password)
    tls = {CONF_TLS: TlsMode.OWN_AUTHORITY} if args.own_authority else {}
    return ConfigEntry(
        data={CONF_HOST: args.ocpp_host, CONF_PORT: args.ocpp_port, **tls},
        discovery_keys=MappingProxyType({}),
        domain=DOMAIN,
        minor_version=EvChargerHubConfigFlow.MINOR_VERSION,
        options={CONF_POLICY: args.policy},
        source=SOURCE_USER,
        subentries_data=[
            ConfigSubentryData(
                data=settings,
                subentry_type=SUBENTRY_CHARGER,
                title="Demo charger" if identity == args.charger else identity,
                unique_id=identity,
            )
            for identity in (args.charger, *args.more_chargers)
            if identity
        ],
        title="OCPP server",
        unique_id=None,
        version=EvChargerHubConfigFlow.VERSION,
    )


async def add_server(hass: HomeAssistant, args: argparse.Namespace) -> None:
    """Add an OCPP server, or have the one that there is listen elsewhere."""
    store = Store[dict[str, list[object]]](
        hass, STORAGE_VERSION, STORAGE_KEY, minor_version=STORAGE_VERSION_MINOR
    )
    entries = hass.config_entries.async_entries()
    if ours := async_servers(hass):
        place = {CONF_HOST: args.ocpp_host, CONF_PORT: args.ocpp_port}
        hass.config_entries.async_update_entry(ours[0], data={**ours[0].data, **place})
    else:
        entries.append(server_entry(args))
    await store.async_save({"entries": [one.as_storage_fragment for one in entries]})


async def main() -> None:
    """Prepare the directory that the command line names."""
    args = arguments()
    config: Path = args.config
    write_files(config)
    hass = HomeAssistant(str(config.resolve()))
    hass.config_entries = ConfigEntries(hass, {})
    await hass.config_entries.async_initialize()
    dr.async_setup(hass)
    await asyncio.gather(dr.async_load(hass), er.async_load(hass))
    await add_user(hass, args.user, args.password)
    await finish_onboarding(hass)
    await set_port(hass, args.port)
    if args.ocpp_port is not None:
        await add_server(hass, args)
    await hass.async_stop(force=True)


if __name__ == "__main__":
    asyncio.run(main())
