"""Test diagnostics and system health."""

from decimal import Decimal
import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
    get_diagnostics_for_device,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component

from .charger import Charger, sampled
from .conftest import IDENTITY, ChargerFactory, device_of
from custom_components.ev_charger_hub.const import CONF_PASSWORD_HASH, DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.link import Limit

LONG_IDENTITY = "EH12345678"
ID_TAG = "04A1B2C3D4"
KEY = "hunter2"
SERIAL = "SN-0001-4711"


@pytest.fixture
async def charging(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> Charger:
    """Return a charger in a session, with a fault, a limit, and a key that it told."""
    approved_charger.configuration["AuthorizationKey"] = KEY
    await hub.central_system.sessions[IDENTITY].call("GetConfiguration", {})
    transaction_id = await approved_charger.start(id_tag=ID_TAG)
    await approved_charger.meter(
        1, [sampled(7000, "Power.Active.Import", "W")], transaction_id
    )
    await approved_charger.status(1, "Faulted", "GroundFailure")
    hub.stations[IDENTITY].station.evse(1).wanted_limit.set(Limit(value=Decimal(16)))
    await hass.async_block_till_done()
    return approved_charger


async def test_diagnostics_of_a_server(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charging: Charger,
    hass_client: ClientSessionGenerator,
    charger_ws: ChargerFactory,
) -> None:
    """Test that everything is there to find a fault, and nothing to abuse."""
    waiting = await charger_ws(LONG_IDENTITY)
    await waiting.boot()
    found: Any = await get_diagnostics_for_config_entry(
        hass, hass_client, init_integration
    )
    assert found["entry"]["policy"] == "ask"
    assert found["tokens"] == {"known": 0, "unknown_tokens": "accept"}
    assert found["entry"]["tls"]["mode"] == "none"
    assert found["waiting"][0]["identity"] == REDACTED
    assert found["waiting"][0]["model"] == "Wall One"
    (charger,) = found["chargers"]
    assert charger["connection"]["online"] is True
    assert charger["connection"]["state"] == "accepted"
    assert charger["connection"]["version"] == "1.6"
    assert charger["findings"]["configuration"].startswith("ok")
    assert charger["info"]["serial"] == REDACTED
    assert charger["info"]["firmware"] == "1.2.3"
    assert charger["settings"]["maximum_current"] == 32
    place = charger["places"]["1"]
    assert place["status"] == "faulted"
    assert place["fault"]["error_code"] == "GroundFailure"
    assert place["wanted_limit"] == "16 A"
    assert place["measurements"]["power_active_import"]["value"] == 7000
    (session,) = charger["sessions"]
    assert session["state"] == "open"
    assert session["id_token"] == REDACTED

    frames = charger["frames"]
    assert {one["direction"] for one in frames} == {"from charger", "to charger"}
    assert any('"StartTransaction"' in one["frame"] for one in frames)
    assert any('"AuthorizationKey"' in one["frame"] for one in frames)

    text = json.dumps(found)
    for secret in (ID_TAG, KEY, SERIAL, LONG_IDENTITY):
        assert secret not in text


async def test_a_charger_named_by_its_identity_is_not_named(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    hass_client: ClientSessionGenerator,
) -> None:
    """Test that an identity does not show as the name that nobody gave."""
    hub.approve(LONG_IDENTITY, LONG_IDENTITY, None)
    await hass.async_block_till_done()
    found: Any = await get_diagnostics_for_config_entry(
        hass, hass_client, init_integration
    )
    assert LONG_IDENTITY not in json.dumps(found)


async def test_diagnostics_of_a_device(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
    device_registry: dr.DeviceRegistry,
    hass_client: ClientSessionGenerator,
) -> None:
    """Test that a device shows its own charger, with a password it does not show."""
    hub.approve("CP02", "Carport", "scrypt$hash")
    await hass.async_block_till_done()
    device = device_of(hass, init_integration, "CP02")
    assert device is not None
    found: Any = await get_diagnostics_for_device(
        hass, hass_client, init_integration, device
    )
    (charger,) = found["chargers"]
    assert charger["settings"]["name"] == "Carport"
    assert charger["settings"][CONF_PASSWORD_HASH] == REDACTED
    assert charger["connection"]["state"] is None

    child = device_registry.async_get_or_create_child(
        config_entry_id=init_integration.entry_id,
        config_subentry_id=hub.stations["CP02"].subentry_id,
        identifiers={(DOMAIN, "CP02_1")},
        name="Connector 1",
        parent_device_id=device.id,
    )
    assert found == await get_diagnostics_for_device(
        hass, hass_client, init_integration, child
    )

    server = device_of(hass, init_integration, init_integration.entry_id)
    assert server is not None
    found = await get_diagnostics_for_device(
        hass, hass_client, init_integration, server
    )
    assert found["chargers"] == []


async def test_system_health(
    hass: HomeAssistant,
    hub: OcppHub,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    """Test what the system information page shows."""
    hub.approve("CP02", "Carport", None)
    await charger_ws(LONG_IDENTITY)
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    assert await get_system_health_info(hass, DOMAIN) == {
        "servers": 1,
        "ports": str(hub.port),
        "tls": "0/1",
        "chargers": "1/2",
        "waiting": 1,
    }
