"""Test diagnostics and system health of Easee accounts."""

import json
from typing import Any

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
from homeassistant.setup import async_setup_component

from .conftest import device_of
from .easee import EaseeHome
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from simulators.easee_cloud import Vehicle
from simulators.easee_cloud.faults import Fault
from simulators.easee_cloud.seed import CHARGER, EMAIL, EQUALIZER, PASSWORD, SECOND

TAG = "04A1B2C3D4E5F6"
SSID = "Example"
ICCID = "8947080000000000001"


async def test_diagnostics_of_an_account(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
    hass_client: ClientSessionGenerator,
) -> None:
    """Everything is there to find a fault, and nothing to abuse or to find the house."""
    garage = easee_home.cloud.chargers[CHARGER]
    garage.observe(81, ICCID)
    garage.observe(9001, 12345678)
    garage.swipe(TAG)
    garage.plug_in(Vehicle())
    await easee_home.passes(30)
    found: Any = await get_diagnostics_for_config_entry(hass, hass_client, easee_entry)

    assert found["entry"] == {
        "left_out_products": 0,
        "left_out_sites": 0,
        "password_stored": True,
    }
    account = found["account"]
    assert account["trouble"] is None
    assert account["stream"]["connected"] is True
    assert account["requests"]["answers"]["200"] > 1
    assert 0 < account["requests"]["left"] < 90
    (site,) = found["sites"]
    assert site == {"circuits": [2], "currency": "EUR", "rated_current": 63.0}
    charger, other = found["chargers"]
    assert charger["identity"] == "***3456"
    assert charger["settings"]["name"] == "Garage"
    assert charger["connection"]["heard"] is True
    assert charger["connection"]["controlled_by_others"] is False
    assert charger["readings"]["109_charger_op_mode"]["value"] == 3
    assert charger["readings"]["100_pilot_mode"]["value"] == "C"
    assert charger["readings"]["81_iccid"]["value"] == REDACTED
    assert charger["readings"]["36_wifi_ssid"]["value"] == REDACTED
    assert charger["readings"]["9001"]["value"] == REDACTED
    assert charger["product"]["primary"] is True
    assert other["product"]["primary"] is False
    (equalizer,) = found["equalizers"]
    assert equalizer["identity"] == "***3456"
    assert equalizer["readings"]["40_active_power_import"]["value"] > 0

    text = json.dumps(found)
    (session,) = easee_home.cloud.tokens.sessions.values()
    for secret in (
        *(CHARGER, SECOND, EQUALIZER, EMAIL, PASSWORD, TAG, ICCID, SSID),
        *(session.access, session.refresh, garage.pin_code + '"'),
    ):
        assert secret not in text


async def test_diagnostics_of_a_device(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
    hass_client: ClientSessionGenerator,
) -> None:
    """Only what was asked for is there."""
    for identifier, chargers, equalizers in (
        (SECOND, 1, 0),
        (EQUALIZER, 0, 1),
        (easee_entry.entry_id, 0, 0),
    ):
        device = device_of(hass, easee_entry, identifier)
        assert device is not None
        found: Any = await get_diagnostics_for_device(
            hass, hass_client, easee_entry, device
        )
        assert len(found["chargers"]) == chargers
        assert len(found["equalizers"]) == equalizers


async def test_system_health(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """The page of the system says whether accounts work."""
    assert await async_setup_component(hass, "system_health", {})
    await easee_home.passes(600)
    info = await get_system_health_info(hass, DOMAIN)

    assert info["servers"] == 0
    assert info["easee_accounts"] == "1/1"
    assert info["easee_chargers"] == "2/2"
    assert info["easee_stream"] == "1/1"
    assert 0 < int(info["easee_requests_left"]) <= 90
    assert info["easee_token_age"] == "10 min"
    assert await info["easee_api"] == "ok"


async def test_system_health_asks_nothing_while_the_address_is_blocked(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """That would only make it last longer."""
    assert await async_setup_component(hass, "system_health", {})
    easee_home.cloud.limits.block()
    easee_home.cloud.hub.drop()
    await easee_home.passes(120)
    asked = len(easee_home.cloud.journal.requests)
    info = await get_system_health_info(hass, DOMAIN)

    assert info["easee_api"].startswith("blocked until ")
    assert len(easee_home.cloud.journal.requests) == asked


async def test_system_health_of_an_account_that_never_worked(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    """There is one, and it does not work; nobody knows of tokens."""
    assert await async_setup_component(hass, "system_health", {})
    easee_home.cloud.outage()
    await easee_home.set_up_slowly(easee_entry)
    easee_home.cloud.recover()
    info = await get_system_health_info(hass, DOMAIN)

    assert info["easee_accounts"] == "0/1"
    assert info["easee_token_age"] == ""
    assert await info["easee_api"] == "ok"


async def test_a_start_without_the_cloud_has_tokens_of_no_age(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    """What is not known is shown as such."""
    assert await async_setup_component(hass, "system_health", {})
    await easee_home.set_up(easee_entry)
    await hass.config_entries.async_unload(easee_entry.entry_id)
    easee_home.cloud.tokens.revoke_sessions()
    easee_home.cloud.faults.add(Fault(pattern="accounts/login", cut=True, times=None))
    await easee_home.set_up_slowly(easee_entry)
    info = await get_system_health_info(hass, DOMAIN)

    assert info["easee_accounts"] == "1/1"
    assert info["easee_token_age"] == "-"
    assert await info["easee_api"] == "ok"


async def test_a_serial_that_is_the_name_of_a_charger_is_shortened(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
    hass_client: ClientSessionGenerator,
) -> None:
    """A server that is gone called it otherwise."""
    await easee_hub.store.save_identity(CHARGER, "garage-1")
    easee_home.cloud.chargers[CHARGER].name = ""
    await easee_home.restart(easee_entry)
    assert "garage-1" in easee_entry.runtime_data.stations
    told = await get_diagnostics_for_config_entry(hass, hass_client, easee_entry)
    assert CHARGER not in json.dumps(told)
