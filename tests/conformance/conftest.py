"""Fixtures of the conformance tests: a charger at a running integration."""

from collections.abc import AsyncGenerator

import pytest

from homeassistant.core import HomeAssistant

from ..ha.charger import Charger
from ..ha.conftest import (
    IDENTITY,
    ChargerFactory,
    approved_charger,
    auto_enable_custom_integrations,
    charger2,
    charger2_ws,
    charger_ws,
    dial,
    easee_entry,
    easee_epoch,
    easee_home,
    entity_registry_enabled_by_default,
    hass_config_dir,
    hub,
    init_integration,
    schedule_clock,
    secrets_kept,
    server_entry,
    set_up,
    settle,
    translations_checked,
    unpaced,
)
from .wire import Wire, dialled
from custom_components.ev_charger_hub.const import CONF_QUIET
from custom_components.ev_charger_hub.hub import OcppHub

__all__ = [
    "approved_charger",
    "auto_enable_custom_integrations",
    "charger2",
    "charger2_ws",
    "charger_ws",
    "dial",
    "easee_entry",
    "easee_epoch",
    "easee_home",
    "entity_registry_enabled_by_default",
    "hass_config_dir",
    "hub",
    "init_integration",
    "schedule_clock",
    "secrets_kept",
    "server_entry",
    "settle",
    "translations_checked",
    "unpaced",
]


EASEE = {
    "chargePointVendor": "Easee",
    "chargePointModel": "Charge",
    "chargePointSerialNumber": "EH123456",
    "firmwareVersion": "344",
}


@pytest.fixture
async def quiet(hass: HomeAssistant, hub: OcppHub) -> None:
    """Approve a charger that is sent nothing but what the test asks for."""
    hub.approve(IDENTITY, "Garage", None)
    (subentry,) = hub.entry.subentries.values()
    hass.config_entries.async_update_subentry(
        hub.entry, subentry, data={**subentry.data, CONF_QUIET: True}
    )
    await hass.async_block_till_done()


@pytest.fixture
async def quiet_charger(
    hass: HomeAssistant, quiet: None, charger_ws: ChargerFactory
) -> Charger:
    """Return a charger with one connector that hears only what the test sends."""
    charger = await charger_ws(IDENTITY)
    await charger.boot()
    await charger.status(0, "Available")
    await charger.status(1, "Available")
    await hass.async_block_till_done()
    return charger


@pytest.fixture
async def easee(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> Charger:
    """Return an Easee charger that dials in itself, approved, set up and available."""
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws(IDENTITY)
    await charger.boot(**EASEE)
    await charger.status(0, "Available")
    await charger.status(1, "Available")
    await set_up(hub, charger)
    await hass.async_block_till_done()
    return charger


@pytest.fixture
async def wire(hass: HomeAssistant, hub: OcppHub, quiet: None) -> AsyncGenerator[Wire]:
    """Return the socket of an approved and booted charger, frame by frame."""
    async with dialled(hub.port) as wire:
        boot = {"chargePointVendor": "Acme", "chargePointModel": "Wall One"}
        answer = await wire.call("BootNotification", boot)
        assert answer[2]["status"] == "Accepted"
        status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
        await wire.call("StatusNotification", status)
        await hass.async_block_till_done()
        yield wire
