"""Equalizers and sites of an Easee account, as Home Assistant shows them."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache_with_extra_data,
)

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .conftest import device_of
from .easee import EaseeHome, other_easee_entry
from .entities import entity_id, exists, full_state, state
from custom_components.ev_charger_hub import async_remove_config_entry_device
from custom_components.ev_charger_hub.easee.surplus import SurplusMode
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from simulators.easee_cloud import Behaviour, Equalizer, Fault, Vehicle
from simulators.easee_cloud.seed import CHARGER, EQUALIZER, SECOND

STORE = "custom_components.ev_charger_hub.easee_store"
SITE = "easee_site_1"
IMPORT_ENERGY = f"{EQUALIZER}_import_energy"
ALLOCATED = f"{EQUALIZER}_max_allocated_current"
SURPLUS_IMPORT = f"{EQUALIZER}_surplus_import"
SURPLUS_MODE = f"{EQUALIZER}_surplus_mode"
PRICE = f"{SITE}_energy_price"

GRID: dict[str, tuple[str, str | None, str | None, str | None]] = {
    "import_power": ("1.035", "kW", "power", "measurement"),
    "export_power": ("0.0", "kW", "power", "measurement"),
    "import_reactive_power": ("0.12", "kvar", "reactive_power", "measurement"),
    "export_reactive_power": ("0.0", "kvar", "reactive_power", "measurement"),
    "import_energy": ("12345.0", "kWh", "energy", "total_increasing"),
    "export_energy": ("678.0", "kWh", "energy", "total_increasing"),
    "import_reactive_energy": ("12.0", "kvarh", "reactive_energy", "total_increasing"),
    "export_reactive_energy": ("34.0", "kvarh", "reactive_energy", "total_increasing"),
    "grid_current_l1": ("2.0", "A", "current", "measurement"),
    "grid_current_l2": ("1.0", "A", "current", "measurement"),
    "grid_current_l3": ("1.5", "A", "current", "measurement"),
    "grid_voltage_l1": ("230.0", "V", "voltage", "measurement"),
    "grid_voltage_l2": ("230.0", "V", "voltage", "measurement"),
    "grid_voltage_l3": ("230.0", "V", "voltage", "measurement"),
    "available_current_l1": ("61.0", "A", "current", "measurement"),
    "available_current_l2": ("62.0", "A", "current", "measurement"),
    "available_current_l3": ("61.5", "A", "current", "measurement"),
    "cars_current_l1": ("0.0", "A", "current", "measurement"),
    "cars_current_l2": ("0.0", "A", "current", "measurement"),
    "cars_current_l3": ("0.0", "A", "current", "measurement"),
    "equalizer_temperature": ("31.0", "°C", "temperature", "measurement"),
}
"""What everybody sees: state, unit, device class, state class."""

HIDDEN: dict[str, tuple[str, str | None, str | None, str | None]] = {
    "maximum_import_power": ("5.0", "kW", "power", "measurement"),
    "grid_voltage_l1_l2": ("400.0", "V", "voltage", "measurement"),
    "grid_voltage_l1_l3": ("400.0", "V", "voltage", "measurement"),
    "grid_voltage_l2_l3": ("400.0", "V", "voltage", "measurement"),
    "main_fuse": ("63.0", "A", "current", None),
    "continuous_current": ("63.0", "A", "current", None),
    "local_signal": ("-60", "dBm", "signal_strength", "measurement"),
    "meter_grid_type": ("tn", None, "enum", None),
    "meter_phases": ("3", None, None, None),
    "meter_type": ("AIDON", None, None, None),
    "meter_id": ("6970631400000000", None, None, None),
}
"""What who wants to can enable."""

LATE: dict[str, tuple[int, float | str, str]] = {
    "wifi_signal": (50, -61.0, "-61.0"),
    "load_balancing_throttle": (86, 40, "40"),
    "meter_errors": (90, 2, "2"),
    "meter_clock": (49, "2026-10-01 08:00", "2026-10-01 08:00"),
    "cloud_disconnect_reason": (251, "timeout", "timeout"),
}
"""What not every equalizer reports: number, value, state."""


@pytest.fixture
async def easee_home(easee_home: EaseeHome) -> EaseeHome:
    """Return Home Assistant with a cloud whose equalizer has read its meter."""
    meter = easee_home.cloud.equalizers[EQUALIZER]
    meter.observe_all({45: 12_345.0, 46: 678.0})
    return easee_home


@pytest.fixture
def meter(easee_home: EaseeHome) -> Equalizer:
    """Return the equalizer of the cloud."""
    return easee_home.cloud.equalizers[EQUALIZER]


@pytest.fixture
async def whole(
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    entity_registry_enabled_by_default: None,
) -> EaseeHub:
    """Return the hub of an account whose entities are all enabled."""
    hub = await easee_home.set_up(easee_entry)
    assert hub is not None
    return hub


def device(hass: HomeAssistant, hub: EaseeHub, identifier: str) -> dr.DeviceEntry:
    """Return a device of an account."""
    found = device_of(hass, hub.entry, identifier)
    assert found is not None
    return found


def asked(home: EaseeHome) -> list[str]:
    """Return the questions for costs."""
    return [one.path for one in home.cloud.journal if "breakdown" in one.path]


async def call(
    home: EaseeHome, platform: str, service: str, unique_id: str, **fields: Any
) -> None:
    """Change an entity, as time passes."""
    target = {"entity_id": entity_id(home.hass, platform, unique_id)}
    task = home.hass.async_create_task(
        home.hass.services.async_call(platform, service, target | fields, blocking=True)
    )
    while not task.done():
        await home.time.pass_time(0.5)
    await home.settle()
    await task


async def set_number(home: EaseeHome, unique_id: str, value: float) -> None:
    """Set a number."""
    await call(home, "number", "set_value", unique_id, value=value)


async def select(home: EaseeHome, option: str) -> None:
    """Use surplus in another way."""
    await call(home, "select", "select_option", SURPLUS_MODE, option=option)


# What is there


async def test_values_have_their_units_and_classes(
    hass: HomeAssistant, whole: EaseeHub
) -> None:
    shown = {}
    for key in GRID | HIDDEN:
        found = full_state(hass, "sensor", f"{EQUALIZER}_{key}")
        facts = ("unit_of_measurement", "device_class", "state_class")
        unit, device_class, state_class = map(found.attributes.get, facts)
        shown[key] = (found.state, unit, device_class, state_class)
    assert shown == GRID | HIDDEN


async def test_what_few_want_to_see_is_hidden(
    hass: HomeAssistant, easee_hub: EaseeHub
) -> None:
    registry = er.async_get(hass)
    for keys, disabled in ((GRID, False), (HIDDEN, True)):
        for key in keys:
            entry = registry.async_get(entity_id(hass, "sensor", f"{EQUALIZER}_{key}"))
            assert entry is not None
            assert entry.disabled is disabled, key


async def test_an_equalizer_is_below_its_site(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, meter: Equalizer
) -> None:
    site, known = (device(hass, easee_hub, one) for one in (SITE, EQUALIZER))
    assert known.via_device_id == site.id
    assert (known.name, known.model, known.sw_version) == ("Meter", "Equalizer", "220")
    meter.observe(21, 221)
    await easee_home.settle()
    assert device(hass, easee_hub, EQUALIZER).sw_version == "221"


@pytest.mark.parametrize("key", LATE)
async def test_what_is_reported_later_appears_then(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    whole: EaseeHub,
    meter: Equalizer,
    key: str,
) -> None:
    number, value, shown = LATE[key]
    unique_id = f"{EQUALIZER}_{key}"
    assert not exists(hass, "sensor", unique_id)
    meter.observe(number, value)
    await easee_home.settle()
    assert state(hass, "sensor", unique_id) == shown
    del meter.known[number]
    await hass.config_entries.async_reload(whole.entry.entry_id)
    await easee_home.settle()
    assert state(hass, "sensor", unique_id) == STATE_UNKNOWN


# Whether it is there


async def test_an_equalizer_without_a_line_is_unavailable(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, meter: Equalizer
) -> None:
    online, power = f"{EQUALIZER}_online", f"{EQUALIZER}_import_power"
    assert state(hass, "binary_sensor", online) == "on"
    meter.go_offline()
    await easee_home.settle()
    assert state(hass, "binary_sensor", online) == "off"
    for platform, unique_id in (
        ("number", ALLOCATED),
        ("select", SURPLUS_MODE),
        ("sensor", IMPORT_ENERGY),
        ("sensor", power),
    ):
        assert state(hass, platform, unique_id) == STATE_UNAVAILABLE
    assert state(hass, "sensor", PRICE) == "0.3"
    meter.go_online()
    await easee_home.settle()
    assert state(hass, "binary_sensor", online) == "on"
    assert state(hass, "sensor", power) == "1.035"


async def test_an_equalizer_that_says_nothing_for_twenty_minutes_is_unavailable(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, meter: Equalizer
) -> None:
    """A house that takes nothing changes nothing."""
    meter.set_house([0.0, 0.0, 0.0])
    await easee_home.passes(19 * 60)
    assert state(hass, "sensor", f"{EQUALIZER}_import_power") == "0.0"
    await easee_home.passes(3 * 60)
    assert state(hass, "sensor", f"{EQUALIZER}_import_power") == STATE_UNAVAILABLE
    meter.set_house([1.0, 1.0, 1.0])
    await easee_home.settle()
    assert state(hass, "sensor", f"{EQUALIZER}_import_power") == "0.69"


@pytest.mark.parametrize("skew", [-7200.0, 7200.0])
async def test_a_clock_that_is_wrong_hides_no_equalizer(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    meter: Equalizer,
    skew: float,
) -> None:
    easee_home.cloud.clock.skew = timedelta(seconds=skew)
    assert await easee_home.set_up(easee_entry)
    await easee_home.passes(300)
    assert state(hass, "binary_sensor", f"{EQUALIZER}_online") == "on"


async def test_an_equalizer_that_goes_and_comes_back_is_the_same(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, meter: Equalizer
) -> None:
    site = easee_home.cloud.sites[1]
    site.equalizer = None
    await easee_hub.account.discover()
    await easee_home.settle()
    assert state(hass, "sensor", f"{EQUALIZER}_import_power") == STATE_UNAVAILABLE
    assert EQUALIZER not in easee_hub.account.equalizers
    site.equalizer = meter
    await easee_hub.account.discover()
    await easee_home.settle()
    assert state(hass, "sensor", f"{EQUALIZER}_import_power") == "1.035"


async def test_a_new_equalizer_appears(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    cabin = easee_home.cloud.add_site(2, "Cabin")
    easee_home.cloud.tokens.accounts[0].sites.append(2)
    cabin.price.currency = "NOK"
    easee_home.cloud.add_equalizer(cabin, "QP777777", "Cabin meter").measure()
    await easee_hub.account.discover()
    await easee_home.settle()
    assert state(hass, "sensor", "QP777777_import_power") == "1.035"
    price = full_state(hass, "sensor", "easee_site_2_energy_price")
    assert price.attributes["unit_of_measurement"] == "NOK/kWh"
    cabin.name = "Hut"
    easee_home.cloud.tokens.accounts[0].sites.remove(2)
    await easee_hub.account.discover()
    await easee_home.settle()
    assert state(hass, "sensor", "easee_site_2_energy_price") == STATE_UNAVAILABLE


async def test_what_was_deleted_meanwhile_comes_back_with_its_entities(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, meter: Equalizer
) -> None:
    cloud, account = easee_home.cloud, easee_hub.account
    cloud.add_site(2, "Cabin")
    sites = cloud.tokens.accounts[0].sites
    sites.append(2)
    await account.discover()
    await easee_home.passes(120)
    shown = (f"{EQUALIZER}_import_power", "easee_site_2_energy_price")
    assert all(exists(hass, "sensor", one) for one in shown)
    cloud.sites[1].equalizer = None
    sites.remove(2)
    await account.discover()
    await easee_home.settle()
    for identifier in (EQUALIZER, "easee_site_2"):
        await delete(easee_home, easee_hub, identifier)
    assert not any(exists(hass, "sensor", one) for one in shown)
    cloud.sites[1].equalizer = meter
    sites.append(2)
    await account.discover()
    await easee_home.passes(120)
    assert [state(hass, "sensor", one) for one in shown] == ["1.035", "0.3"]


async def delete(home: EaseeHome, hub: EaseeHub, identifier: str) -> None:
    """Delete a device, as the user may where nobody has it any more."""
    device = device_of(home.hass, hub.entry, identifier)
    assert device is not None
    assert await async_remove_config_entry_device(home.hass, hub.entry, device)
    dr.async_get(home.hass).async_remove_device(device.id)
    await home.settle()


# Energy


async def test_a_meter_that_stutters_or_starts_again_does_not_make_energy_jump(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, meter: Equalizer
) -> None:
    before = float(state(hass, "sensor", IMPORT_ENERGY))
    meter.pretend(45, 0.0)
    await easee_home.settle()
    assert float(state(hass, "sensor", IMPORT_ENERGY)) == before
    await easee_home.passes(3600)
    hour = float(state(hass, "sensor", IMPORT_ENERGY)) - before
    assert hour == pytest.approx(1.035, abs=0.1)
    meter._imported = 0.0
    await easee_home.passes(3600)
    assert float(state(hass, "sensor", IMPORT_ENERGY)) == pytest.approx(
        before + 2 * hour, abs=0.1
    )
    shown = state(hass, "sensor", IMPORT_ENERGY)
    await hass.config_entries.async_reload(easee_hub.entry.entry_id)
    await easee_home.settle()
    assert float(state(hass, "sensor", IMPORT_ENERGY)) == pytest.approx(
        float(shown), abs=0.1
    )


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        (
            {"total": 99_000, "level": 12_344_000, "at": "2026-10-01T05:00:00+00:00"},
            "100.0",
        ),
        ({"total": "much"}, "12345.0"),
        ({}, "12345.0"),
    ],
)
async def test_energy_goes_on_after_a_restart(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    kept: dict[str, Any],
    shown: str,
) -> None:
    """Whatever Home Assistant has kept of it."""
    restored = State("sensor.meter_import_energy", "99.0")
    mock_restore_cache_with_extra_data(hass, [(restored, kept)])
    assert await easee_home.set_up(easee_entry)
    assert state(hass, "sensor", IMPORT_ENERGY) == shown


# What it can be told


async def test_the_current_of_cars_is_set_and_read_back(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, meter: Equalizer
) -> None:
    assert full_state(hass, "number", ALLOCATED).attributes["max"] == 63.0
    await set_number(easee_home, ALLOCATED, 20)
    assert state(hass, "number", ALLOCATED) == "20.0"
    assert meter.max_allocated == 20


async def test_the_current_of_cars_is_set_once_a_minute(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, meter: Equalizer
) -> None:
    await set_number(easee_home, ALLOCATED, 20)
    with pytest.raises(HomeAssistantError) as caught:
        await set_number(easee_home, ALLOCATED, 21)
    assert caught.value.translation_key == "easee_writes_spent"
    assert state(hass, "number", ALLOCATED) == "20.0"
    await easee_home.passes(60)
    await set_number(easee_home, ALLOCATED, 21)
    assert state(hass, "number", ALLOCATED) == "21.0"


async def test_a_current_of_cars_that_is_refused_is_an_error(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    easee_home.cloud.commands.next(Behaviour(reject=4, comment="not now"))
    with pytest.raises(HomeAssistantError) as caught:
        await set_number(easee_home, ALLOCATED, 20)
    assert caught.value.translation_key == "rejected"
    assert caught.value.translation_placeholders == {
        "answer": "rejected (not now)",
        "charger": "Meter",
    }
    assert state(hass, "number", ALLOCATED) == "63.0"


async def test_a_current_of_cars_that_becomes_another_one_is_an_error(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_hub: EaseeHub,
    meter: Equalizer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = meter.set_max_allocated
    monkeypatch.setattr(meter, "set_max_allocated", lambda amps: real(amps + 5))
    with pytest.raises(HomeAssistantError) as caught:
        await set_number(easee_home, ALLOCATED, 20)
    assert caught.value.translation_placeholders == {
        "answer": "another value (25 A)",
        "charger": "Meter",
    }
    assert state(hass, "number", ALLOCATED) == "25.0"


async def test_a_cloud_that_is_down_sets_nothing(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    easee_home.cloud.faults.outage()
    with pytest.raises(HomeAssistantError) as caught:
        await set_number(easee_home, ALLOCATED, 20)
    assert caught.value.translation_key == "easee_cannot_connect"
    assert state(hass, "number", ALLOCATED) == "63.0"


async def test_surplus_is_used_as_selected(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, meter: Equalizer
) -> None:
    select_state = full_state(hass, "select", SURPLUS_MODE)
    assert select_state.state == SurplusMode.NONE
    assert select_state.attributes["options"] == ["none", "with_import", "only"]
    assert state(hass, "number", SURPLUS_IMPORT) == STATE_UNKNOWN
    await select(easee_home, SurplusMode.ONLY)
    assert state(hass, "select", SURPLUS_MODE) == SurplusMode.ONLY
    assert state(hass, "number", SURPLUS_IMPORT) == "0.0"
    await set_number(easee_home, SURPLUS_IMPORT, 8)
    assert state(hass, "select", SURPLUS_MODE) == SurplusMode.WITH_IMPORT
    assert state(hass, "number", SURPLUS_IMPORT) == "8.0"
    assert meter.surplus["chargingWithImport"]["maximumImportAddedCurrent"] == 8
    await select(easee_home, SurplusMode.NONE)
    assert state(hass, "number", SURPLUS_IMPORT) == STATE_UNKNOWN
    await select(easee_home, SurplusMode.WITH_IMPORT)
    assert state(hass, "number", SURPLUS_IMPORT) == "8.0"


async def test_an_added_current_without_a_mode_is_refused(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await set_number(easee_home, SURPLUS_IMPORT, 8)
    assert caught.value.translation_key == "easee_surplus_off"
    assert not easee_home.cloud.journal.find("POST", "surplus-energy")


async def test_a_mode_that_is_not_known_is_shown_and_kept(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, meter: Equalizer
) -> None:
    meter.observe(115, json.dumps({"mode": "moonlight", "standbycurrent": 3}))
    await easee_home.settle()
    shown = full_state(hass, "select", SURPLUS_MODE)
    assert shown.state == "moonlight"
    assert shown.attributes["options"] == ["none", "with_import", "only", "moonlight"]
    with pytest.raises(ServiceValidationError) as caught:
        await set_number(easee_home, SURPLUS_IMPORT, 8)
    assert caught.value.translation_key == "easee_surplus_unknown"
    await select(easee_home, "moonlight")
    assert not easee_home.cloud.journal.find("POST", "surplus-energy")
    await select(easee_home, SurplusMode.ONLY)
    assert state(hass, "select", SURPLUS_MODE) == SurplusMode.ONLY


async def test_a_mode_is_set_that_was_changed_elsewhere_and_is_not_told_yet(
    easee_home: EaseeHome, easee_hub: EaseeHub, meter: Equalizer
) -> None:
    only = {"mode": "chargingWithoutImport"}
    meter.surplus = only | {"chargingWithoutImport": {"eligible": True}}
    await select(easee_home, SurplusMode.NONE)
    assert meter.surplus == {"mode": "none"}


async def test_a_mode_that_may_not_be_set_is_an_error(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    easee_home.cloud.faults.add(
        Fault(pattern="surplus-energy", status=403, body={"message": "Forbidden"})
    )
    with pytest.raises(HomeAssistantError) as caught:
        await select(easee_home, SurplusMode.ONLY)
    assert caught.value.translation_key == "rejected"
    assert state(hass, "select", SURPLUS_MODE) == SurplusMode.NONE


# Firmware


async def test_newer_firmware_of_an_equalizer_is_an_update(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, meter: Equalizer
) -> None:
    update = full_state(hass, "update", f"{EQUALIZER}_firmware")
    assert (update.state, update.attributes["installed_version"]) == ("off", "220")
    meter.latest_firmware = 230
    await hass.config_entries.async_reload(easee_hub.entry.entry_id)
    await easee_home.settle()
    update = full_state(hass, "update", f"{EQUALIZER}_firmware")
    assert (update.state, update.attributes["latest_version"]) == ("on", "230")
    meter.observe(21, 230)
    await easee_home.settle()
    assert state(hass, "update", f"{EQUALIZER}_firmware") == "off"


# Sites and costs


async def test_a_site_has_its_fuse_and_price(
    hass: HomeAssistant, easee_home: EaseeHome, whole: EaseeHub
) -> None:
    assert device(hass, whole, SITE).entry_type is dr.DeviceEntryType.SERVICE
    facts = {
        key: (found.state, found.attributes["unit_of_measurement"])
        for key in ("main_fuse", "energy_price", "energy_price_without_vat", "vat")
        if (found := full_state(hass, "sensor", f"{SITE}_{key}"))
    }
    assert facts == {
        "main_fuse": ("63.0", "A"),
        "energy_price": ("0.3", "EUR/kWh"),
        "energy_price_without_vat": ("0.24", "EUR/kWh"),
        "vat": ("25.0", "%"),
    }
    price = easee_home.cloud.sites[1].price
    price.currency, price.including_vat = "NOK", 2.5
    await whole.account.discover()
    await easee_home.settle()
    found = full_state(hass, "sensor", PRICE)
    assert (found.state, found.attributes["unit_of_measurement"]) == ("2.5", "NOK/kWh")


@pytest.mark.parametrize(
    ("period", "since"),
    [
        ("day", "2026-10-01T00:00:00+02:00"),
        ("month", "2026-10-01T00:00:00+02:00"),
        ("year", "2026-01-01T00:00:00+01:00"),
    ],
)
async def test_what_a_charger_costs_is_at_the_charger(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    entity_registry_enabled_by_default: None,
    period: str,
    since: str,
) -> None:
    """Money in the currency of the site, counted since the period began."""
    await hass.config.async_set_time_zone("Europe/Oslo")
    easee_home.cloud.sites[1].price.currency = "NOK"
    hub = await easee_home.set_up(easee_entry)
    assert hub is not None
    unique_id = f"{CHARGER}_cost_{period}"
    assert not exists(hass, "sensor", unique_id)
    await easee_home.passes(70)
    entity = er.async_get(hass).async_get(entity_id(hass, "sensor", unique_id))
    assert entity is not None
    assert entity.device_id == device(hass, hub, CHARGER).id
    cost = full_state(hass, "sensor", unique_id)
    energy = full_state(hass, "sensor", f"{CHARGER}_energy_{period}")
    for one, unit, kind in ((cost, "NOK", "monetary"), (energy, "kWh", "energy")):
        assert one.attributes["unit_of_measurement"] == unit
        assert one.attributes["device_class"] == kind
        assert one.attributes["state_class"] == "total"
        assert one.attributes["last_reset"] == since
    assert float(cost.state) == pytest.approx(float(energy.state) * 0.3, abs=0.01)
    assert (float(energy.state) > 0) is (period == "year")
    assert state(hass, "sensor", f"{SECOND}_cost_{period}") == "0.0"


async def test_a_session_costs_something_a_minute_after_its_end(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    charger = easee_home.cloud.chargers[CHARGER]
    await easee_home.passes(70)
    assert state(hass, "sensor", f"{CHARGER}_cost_day") == "0.0"
    charger.plug_in(Vehicle())
    await easee_home.passes(600)
    charger.unplug()
    await easee_home.passes(10)
    assert state(hass, "sensor", f"{CHARGER}_cost_day") == "0.0"
    await easee_home.passes(65)
    cost = float(state(hass, "sensor", f"{CHARGER}_cost_day"))
    assert cost == pytest.approx(charger.history.sessions[-1].energy * 0.3, abs=0.01)
    assert cost > 0


async def test_costs_that_may_not_be_known_are_no_entities(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    easee_home.cloud.faults.add(
        Fault(
            pattern="breakdown", times=None, status=403, body={"message": "Forbidden"}
        )
    )
    assert await easee_home.set_up(easee_entry)
    await easee_home.passes(3600)
    assert not exists(hass, "sensor", f"{CHARGER}_cost_day")
    assert state(hass, "sensor", PRICE) == "0.3"


async def test_a_restart_asks_for_no_costs_that_are_known(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    """However often it happens, the quota of the cloud lasts."""
    easee_home.cloud.limits.strict()
    assert await easee_home.set_up(easee_entry)
    await easee_home.passes(70)
    costs = state(hass, "sensor", f"{CHARGER}_cost_year")
    assert float(costs) > 0
    for _ in range(5):
        await hass.config_entries.async_reload(easee_entry.entry_id)
        await easee_home.settle()
        assert state(hass, "sensor", f"{CHARGER}_cost_year") == costs
        await easee_home.passes(70)
    assert len(asked(easee_home)) == 3
    await easee_home.passes(1800)
    assert len(asked(easee_home)) == 4
    assert easee_home.cloud.limits.offences == 0


async def test_a_session_of_two_months_costs_something_though_we_restart_at_its_end(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    """Before the cloud has booked it, and what was before is not asked for again."""
    await hass.config.async_set_time_zone("Europe/Oslo")
    charger = easee_home.cloud.chargers[CHARGER]
    # An hour before the end of October.
    easee_home.time.now = datetime(2026, 10, 31, 22, 0, tzinfo=UTC)
    assert await easee_home.set_up(easee_entry)
    await easee_home.passes(70)
    before = float(state(hass, "sensor", f"{CHARGER}_cost_year"))
    charger.plug_in(Vehicle())
    for _ in range(8):
        await easee_home.passes(900)
    charger.unplug()
    await easee_home.passes(10)
    cost = charger.history.sessions[-1].energy * 0.3
    assert cost > 1
    await hass.config_entries.async_reload(easee_entry.entry_id)
    await easee_home.settle()
    await easee_home.passes(130)
    shown = float(state(hass, "sensor", f"{CHARGER}_cost_year"))
    assert shown == pytest.approx(before + cost, abs=0.02)


async def test_costs_that_cannot_be_kept_are_known_all_the_same(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_hub: EaseeHub,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with patch(f"{STORE}.DurableStore.async_save", side_effect=OSError):
        await easee_home.passes(70)
    assert float(state(hass, "sensor", f"{CHARGER}_cost_year")) > 0
    assert "The costs of an Easee account are not kept" in caplog.text


async def test_a_start_without_the_cloud_shows_what_is_known(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    assert await easee_home.set_up(easee_entry)
    await hass.config_entries.async_unload(easee_entry.entry_id)
    easee_home.cloud.outage(None)
    assert await easee_home.set_up_slowly(easee_entry)
    assert state(hass, "sensor", PRICE) == "0.3"
    assert state(hass, "sensor", IMPORT_ENERGY) == STATE_UNAVAILABLE
    assert state(hass, "binary_sensor", f"{EQUALIZER}_online") == "off"
    easee_home.cloud.recover()
    await easee_home.passes(120)
    assert state(hass, "binary_sensor", f"{EQUALIZER}_online") == "on"


async def test_a_charger_that_moves_to_another_site(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
) -> None:
    cloud, cost = easee_home.cloud, f"{SECOND}_cost_day"
    hub = await easee_home.set_up(easee_entry)
    assert hub is not None
    await easee_home.passes(70)
    charger = cloud.chargers[SECOND]
    cabin = cloud.add_site(2, "Cabin")
    cloud.tokens.accounts[0].sites.append(2)
    circuit = cloud.add_circuit(cabin)
    charger.circuit.chargers.remove(charger)
    circuit.add(charger)
    charger.circuit = circuit
    await hub.account.discover()
    await easee_home.passes(70)
    charger.plug_in(Vehicle())
    await easee_home.passes(1800)
    charger.unplug()
    # The session is over only when the journal, in its thread, has it.
    await easee_home.passes(10)
    await easee_home.passes(120)
    moved = device(hass, hub, SECOND)
    assert moved.via_device_id == device(hass, hub, "easee_site_2").id
    assert float(state(hass, "sensor", cost)) > 0
    # The site that it has left may go.
    cloud.tokens.accounts[0].sites.remove(1)
    await hub.account.discover()
    await easee_home.settle()
    assert float(state(hass, "sensor", cost)) > 0
    assert state(hass, "sensor", f"{CHARGER}_cost_day") == STATE_UNAVAILABLE


@pytest.fixture
async def other(easee_home: EaseeHome, easee_hub: EaseeHub) -> MockConfigEntry:
    """Return the entry of another account that sees the same site."""
    entry = other_easee_entry(easee_home.cloud)
    assert await easee_home.set_up(entry)
    await easee_home.passes(70)
    return entry


async def test_what_an_account_had_that_is_disabled_is_the_others(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_hub: EaseeHub,
    other: MockConfigEntry,
) -> None:
    await hass.config_entries.async_set_disabled_by(
        easee_hub.entry.entry_id, ConfigEntryDisabler.USER
    )
    await easee_home.passes(70)
    assert {*other.runtime_data.stations} == {CHARGER, SECOND}
    assert state(hass, "sensor", f"{EQUALIZER}_import_power") == "1.035"
    assert state(hass, "sensor", PRICE) == "0.3"


async def test_what_is_deleted_that_an_account_has_lost_is_the_others(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_hub: EaseeHub,
    other: MockConfigEntry,
) -> None:
    easee_home.cloud.tokens.accounts[0].sites.remove(1)
    await easee_hub.account.discover()
    await easee_home.settle()
    await delete(easee_home, easee_hub, EQUALIZER)
    await easee_home.passes(70)
    assert state(hass, "sensor", f"{EQUALIZER}_import_power") == "1.035"


async def test_two_accounts_may_see_the_same_site(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_hub: EaseeHub,
    other: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert state(hass, "sensor", f"{EQUALIZER}_import_power") == "1.035"
    assert "does not generate unique IDs" not in caplog.text
    assert device_of(hass, other, EQUALIZER) is None
    assert other.runtime_data.account.equalizers == {}
    # Who had it keeps it, whichever is set up first.
    for entry in (easee_hub.entry, other):
        await hass.config_entries.async_unload(entry.entry_id)
    assert await easee_home.set_up(other)
    await hass.config_entries.async_setup(easee_hub.entry.entry_id)
    await easee_home.settle()
    assert not other.runtime_data.stations
    assert {*easee_hub.entry.runtime_data.stations} == {CHARGER, SECOND}
    # What the one had is the other's at once.
    await hass.config_entries.async_remove(easee_hub.entry.entry_id)
    await easee_home.settle()
    assert {*other.runtime_data.stations} == {CHARGER, SECOND}
    assert state(hass, "sensor", f"{CHARGER}_1_status") == "available"
    assert state(hass, "sensor", f"{EQUALIZER}_import_power") == "1.035"
    assert state(hass, "sensor", PRICE) == "0.3"
