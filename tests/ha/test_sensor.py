"""Test the sensors: frames in, states out."""

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_registry import RegistryEntryDisabler
from homeassistant.util import dt as dt_util

from .charger import Charger, sampled
from .conftest import ChargerFactory
from .entities import device_id, entity_id, exists, flush, full_state, state
from .profiles import PACKAGE
from custom_components.ev_charger_hub import (
    binary_sensor,
    sensor_place,
    sensor_session,
    sensor_station,
)
from custom_components.ev_charger_hub.const import RESTORE_GRACE
from custom_components.ev_charger_hub.growth import JUST_CREATED
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.clock import utc_now
from custom_components.ev_charger_hub.station.enums import Measurand

REGISTER = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"

MEASUREMENTS = [
    # measurand, value and unit as sent; key; state, unit, device and state class
    ("Current.Export", "1.5", "A", "1.5", "A", "current", "measurement"),
    ("Current.Import", "16", "A", "16", "A", "current", "measurement"),
    ("Current.Offered", "32", "A", "32", "A", "current", "measurement"),
    ("Energy.Active.Export.Interval", "250", "Wh", "0.25", "kWh", "energy", None),
    (
        "Energy.Active.Export.Register",
        "2",
        "kWh",
        "2",
        "kWh",
        "energy",
        "total_increasing",
    ),
    ("Energy.Active.Import.Interval", "0.5", "kWh", "0.5", "kWh", "energy", None),
    (REGISTER, "12345", "Wh", "12.345", "kWh", "energy", "total_increasing"),
    (
        "Energy.Reactive.Export.Interval",
        "100",
        "varh",
        "0.1",
        "kvarh",
        "reactive_energy",
        None,
    ),
    (
        "Energy.Reactive.Export.Register",
        "1.5",
        "kvarh",
        "1.5",
        "kvarh",
        "reactive_energy",
        "total_increasing",
    ),
    (
        "Energy.Reactive.Import.Interval",
        "100",
        "varh",
        "0.1",
        "kvarh",
        "reactive_energy",
        None,
    ),
    (
        "Energy.Reactive.Import.Register",
        "1500",
        "varh",
        "1.5",
        "kvarh",
        "reactive_energy",
        "total_increasing",
    ),
    ("Frequency", "50.02", "Hz", "50.02", "Hz", "frequency", "measurement"),
    ("Power.Active.Export", "1.1", "kW", "1100", "W", "power", "measurement"),
    (POWER, "7.36", "kW", "7360", "W", "power", "measurement"),
    ("Power.Factor", "0.98", "", "0.98", None, "power_factor", "measurement"),
    ("Power.Offered", "11000", "W", "11000", "W", "power", "measurement"),
    ("Power.Reactive.Export", "100", "var", "100", "var", "reactive_power", "m"),
    ("Power.Reactive.Import", "0.2", "kvar", "200", "var", "reactive_power", "m"),
    ("RPM", "1200", "", "1200", "rpm", None, "measurement"),
    ("SoC", "55", "Percent", "55", "%", "battery", "measurement"),
    ("Temperature", "86", "Fahrenheit", "30", "°C", "temperature", "measurement"),
    ("Voltage", "231.4", "V", "231.4", "V", "voltage", "measurement"),
]


def _key(measurand: str) -> str:
    """Return our word for a measurand of the charger."""
    return measurand.lower().replace(".", "_")


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
@pytest.mark.peer("B-14")
@pytest.mark.parametrize(
    (
        "measurand",
        "value",
        "unit",
        "shown",
        "shown_unit",
        "device_class",
        "state_class",
    ),
    MEASUREMENTS,
    ids=[row[0] for row in MEASUREMENTS],
)
async def test_measurement(
    hass: HomeAssistant,
    approved_charger: Charger,
    measurand: str,
    value: str,
    unit: str,
    shown: str,
    shown_unit: str | None,
    device_class: str | None,
    state_class: str | None,
) -> None:
    sample = sampled(value, measurand, unit)
    if not unit:
        del sample["unit"]
    assert not exists(hass, "sensor", f"CP01_1_{_key(measurand)}")
    await approved_charger.meter(1, [sample])
    await flush(hass)
    found = full_state(hass, "sensor", f"CP01_1_{_key(measurand)}")
    assert float(found.state) == pytest.approx(float(shown))
    assert found.attributes.get("unit_of_measurement") == shown_unit
    assert found.attributes.get("device_class") == device_class
    expected = "measurement" if state_class == "m" else state_class
    assert found.attributes.get("state_class") == expected


def test_every_measurand_is_measured_above() -> None:
    assert {_key(row[0]) for row in MEASUREMENTS} == set(Measurand)


async def test_measurements_appear_with_their_data_and_once(
    hass: HomeAssistant,
    approved_charger: Charger,
    entity_registry: er.EntityRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = set(entity_registry.entities)
    for meter in (1000, 2000):
        await approved_charger.meter(
            1, [sampled(meter, REGISTER, "Wh"), sampled(7000, POWER, "W")]
        )
        await flush(hass)
    assert set(entity_registry.entities) - before == {
        "sensor.garage_energy",
        "sensor.garage_power",
    }
    assert state(hass, "sensor", "CP01_1_energy_active_import_register") == "2.0"
    assert "does not generate unique IDs" not in caplog.text


async def test_values_are_written_once_per_interval_and_statuses_at_once(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.meter(1, [sampled(1000, POWER, "W")])
    await flush(hass)
    await approved_charger.meter(1, [sampled(2000, POWER, "W")])
    await approved_charger.status(1, "Charging")
    await hass.async_block_till_done()
    assert state(hass, "sensor", "CP01_1_status") == "charging"
    assert state(hass, "sensor", "CP01_1_power_active_import") == "1000.0"
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_power_active_import") == "2000.0"


async def test_phases_and_other_locations_are_disabled_by_default(
    hass: HomeAssistant, approved_charger: Charger, entity_registry: er.EntityRegistry
) -> None:
    await approved_charger.meter(
        1,
        [
            sampled(16, "Current.Import", "A", "L1"),
            sampled(230, "Voltage", "V", "L1-N"),
            {**sampled(16, "Current.Import", "A"), "location": "Inlet"},
            {**sampled(40, "SoC", "Percent"), "location": "EV"},
            {**sampled(31, "Temperature", "Celsius"), "location": "Body"},
        ],
    )
    await flush(hass)
    disabled = RegistryEntryDisabler.INTEGRATION
    for key, disabled_by, name in (
        ("current_import_l1", disabled, "Current L1"),
        ("voltage_l1_n", disabled, "Voltage L1-N"),
        ("current_import_inlet", disabled, "Current (inlet)"),
        ("soc_ev", None, "Vehicle battery"),
        ("temperature_body", None, "Temperature (body)"),
    ):
        entry = entity_registry.entities[entity_id(hass, "sensor", f"CP01_1_{key}")]
        assert entry.disabled_by is disabled_by
        assert entry.original_name == name


async def test_measurements_of_the_whole_station_have_their_own_names(
    hass: HomeAssistant, approved_charger: Charger, entity_registry: er.EntityRegistry
) -> None:
    await approved_charger.meter(1, [sampled(1000, POWER, "W")])
    await approved_charger.meter(0, [sampled(3000, POWER, "W")])
    await flush(hass)
    whole = entity_registry.entities[
        entity_id(hass, "sensor", "CP01_0_power_active_import")
    ]
    assert whole.original_name == "Power (station)"
    assert state(hass, "sensor", "CP01_0_power_active_import") == "3000.0"
    assert state(hass, "sensor", "CP01_1_power_active_import") == "1000.0"


@pytest.mark.peer("B-12")
async def test_signed_data_and_texts_never_become_numbers(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.meter(1, [sampled(5000, REGISTER, "Wh")])
    await approved_charger.meter(
        1,
        [
            {**sampled("OCMF|{}", REGISTER, "Wh"), "format": "SignedData"},
            sampled("", REGISTER, "Wh"),
            sampled("n/a", POWER, "W"),
            {**sampled("0a1b", "Voltage", "V"), "format": "SignedData"},
        ],
    )
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_energy_active_import_register") == "5.0"
    assert not exists(hass, "sensor", "CP01_1_power_active_import")
    assert not exists(hass, "sensor", "CP01_1_voltage")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Available", "available"),
        ("Preparing", "preparing"),
        ("Charging", "charging"),
        ("SuspendedEVSE", "suspended_evse"),
        ("SuspendedEV", "suspended_ev"),
        ("Finishing", "finishing"),
        ("Reserved", "reserved"),
        ("Unavailable", "unavailable"),
        ("Faulted", "faulted"),
    ],
)
async def test_status(
    hass: HomeAssistant, approved_charger: Charger, sent: str, shown: str
) -> None:
    await approved_charger.status(1, sent)
    await hass.async_block_till_done()
    found = full_state(hass, "sensor", "CP01_1_status")
    assert found.state == shown
    assert shown in found.attributes["options"]


@pytest.mark.peer("B-27")
async def test_a_fault_keeps_everything_visible_and_says_what_is_wrong(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.meter(1, [sampled(5000, REGISTER, "Wh")])
    assert state(hass, "sensor", "CP01_1_error_code") == "no_error"
    assert not exists(hass, "sensor", "CP01_1_vendor_error_code")
    await approved_charger.status(
        1, "Faulted", "GroundFailure", vendorErrorCode="E42", info="x" * 50
    )
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "faulted"
    assert state(hass, "sensor", "CP01_1_error_code") == "GroundFailure"
    assert state(hass, "sensor", "CP01_1_vendor_error_code") == "E42"
    assert state(hass, "sensor", "CP01_1_error_info") == "x" * 50
    unavailable = [one for one in hass.states.async_all() if one.state == "unavailable"]
    assert unavailable == []

    await approved_charger.status(1, "Available")
    await hass.async_block_till_done()
    assert state(hass, "sensor", "CP01_1_error_code") == "no_error"
    assert state(hass, "sensor", "CP01_1_vendor_error_code") == STATE_UNKNOWN
    assert state(hass, "sensor", "CP01_1_error_info") == STATE_UNKNOWN


async def test_a_fault_of_the_station_appears_when_it_comes(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    assert state(hass, "sensor", "CP01_0_status") == "available"
    assert not exists(hass, "sensor", "CP01_0_error_code")
    await approved_charger.status(0, "Faulted", "InternalError")
    await hass.async_block_till_done()
    assert state(hass, "sensor", "CP01_0_status") == "faulted"
    assert state(hass, "sensor", "CP01_0_error_code") == "InternalError"
    assert state(hass, "sensor", "CP01_1_status") == "available"


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_a_session(hass: HomeAssistant, approved_charger: Charger) -> None:
    for key in ("session_energy", "session_duration", "transaction_id", "id_token"):
        assert state(hass, "sensor", f"CP01_1_{key}") == STATE_UNKNOWN
    transaction_id = await approved_charger.start(meter=1000)
    await hass.async_block_till_done()
    assert state(hass, "sensor", "CP01_1_transaction_id") == str(transaction_id)
    assert state(hass, "sensor", "CP01_1_id_token") == "TAG12345"
    assert state(hass, "sensor", "CP01_1_session_energy") == "0.0"
    start = dt_util.parse_datetime(state(hass, "sensor", "CP01_1_session_start"))
    assert start is not None and start <= dt_util.utcnow()
    assert state(hass, "sensor", "CP01_1_stop_reason") == STATE_UNKNOWN

    await approved_charger.meter(1, [sampled(2500, REGISTER, "Wh")], transaction_id)
    await flush(hass)
    energy = full_state(hass, "sensor", "CP01_1_session_energy")
    assert energy.state == "1.5"
    assert energy.attributes["unit_of_measurement"] == "kWh"
    assert energy.attributes["device_class"] == "energy"
    assert energy.attributes["state_class"] == "total_increasing"

    await approved_charger.stop(transaction_id, 4000, reason="EVDisconnected")
    await hass.async_block_till_done()
    assert state(hass, "sensor", "CP01_1_session_energy") == "3.0"
    assert state(hass, "sensor", "CP01_1_stop_reason") == "ev_disconnected"
    assert float(state(hass, "sensor", "CP01_1_session_duration")) >= 0

    await approved_charger.start(meter=4000, id_tag="OTHER")
    await hass.async_block_till_done()
    assert state(hass, "sensor", "CP01_1_session_energy") == "0.0"
    assert state(hass, "sensor", "CP01_1_stop_reason") == STATE_UNKNOWN
    assert state(hass, "sensor", "CP01_1_id_token") == "OTHER"


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_the_station_itself(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    assert state(hass, "sensor", "CP01_protocol_version") == "1.6"
    assert not exists(hass, "sensor", "CP01_firmware_status")
    await approved_charger.call(
        "FirmwareStatusNotification", {"status": "DownloadFailed"}
    )
    await approved_charger.call("DiagnosticsStatusNotification", {"status": "Uploaded"})
    hub.stations["CP01"].station.latency.set(12.5)
    await flush(hass)
    assert state(hass, "sensor", "CP01_firmware_status") == "download_failed"
    assert state(hass, "sensor", "CP01_diagnostics_status") == "uploaded"
    assert state(hass, "sensor", "CP01_latency") == "12.5"
    assert state(hass, "sensor", "CP01_reconnects") == "0"
    for key in ("last_heartbeat", "connected_since"):
        assert dt_util.parse_datetime(state(hass, "sensor", f"CP01_{key}"))


async def test_a_second_connector_makes_child_devices(
    hass: HomeAssistant,
    approved_charger: Charger,
    entity_registry: er.EntityRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await approved_charger.meter(1, [sampled(1000, POWER, "W")])
    await flush(hass)
    later = utc_now() + JUST_CREATED
    monkeypatch.setattr(f"{PACKAGE}.growth.utc_now", lambda: later)
    station = device_id(hass, "CP01")
    ours = er.async_entries_for_device(
        entity_registry, station, include_disabled_entities=True
    )
    before = {one.unique_id: one.entity_id for one in ours}
    assert not exists(hass, "number", "CP01_0_current_limit")

    await approved_charger.status(2, "Preparing")
    await approved_charger.meter(2, [sampled(2000, POWER, "W")])
    await flush(hass)

    first, second = device_id(hass, "CP01_1"), device_id(hass, "CP01_2")
    after = {one.unique_id: one for one in entity_registry.entities.values()}
    for unique_id, its_entity_id in before.items():
        entry = after[unique_id]
        assert entry.entity_id == its_entity_id
        expected = first if unique_id.startswith("CP01_1_") else station
        assert entry.device_id == expected
    assert after["CP01_2_status"].device_id == second
    assert state(hass, "sensor", "CP01_2_status") == "preparing"
    assert state(hass, "sensor", "CP01_2_power_active_import") == "2000.0"
    assert state(hass, "sensor", "CP01_1_power_active_import") == "1000.0"
    assert full_state(hass, "sensor", "CP01_2_status").attributes["friendly_name"] == (
        "Connector 2 Status"
    )
    assert exists(hass, "number", "CP01_0_current_limit")

    await approved_charger.meter(1, [sampled(230, "Voltage", "V")])
    await flush(hass)
    voltage = entity_registry.async_get(entity_id(hass, "sensor", "CP01_1_voltage"))
    assert voltage is not None and voltage.device_id == first


@pytest.mark.peer("B-02")
async def test_a_disconnect_is_pushed_at_once(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    _end_grace(hub)
    await approved_charger.status(1, "Charging")
    await approved_charger.meter(1, [sampled(1000, POWER, "W")])
    await flush(hass)
    await _hang_up(hass, hub, approved_charger)
    assert state(hass, "binary_sensor", "CP01_connectivity") == "off"
    for key in ("status", "power_active_import", "error_code"):
        assert state(hass, "sensor", f"CP01_1_{key}") == STATE_UNAVAILABLE
    assert state(hass, "sensor", "CP01_1_session_energy") == STATE_UNKNOWN


async def test_after_a_restart_restored_values_are_shown_for_a_while(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    await approved_charger.status(1, "Charging")
    await approved_charger.meter(1, [sampled(5000, REGISTER, "Wh")])
    transaction_id = await approved_charger.start(meter=4000)
    await flush(hass)
    assert await hass.config_entries.async_reload(hub.entry.entry_id)
    await hass.async_block_till_done()
    assert state(hass, "binary_sensor", "CP01_connectivity") == "off"
    assert state(hass, "sensor", "CP01_1_status") == "charging"
    assert state(hass, "sensor", "CP01_1_energy_active_import_register") == "5.0"
    assert state(hass, "sensor", "CP01_1_transaction_id") == str(transaction_id)

    restarted: OcppHub = hub.entry.runtime_data
    assert restarted.restoring
    async_fire_time_changed(hass, dt_util.utcnow() + RESTORE_GRACE * 2)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == STATE_UNAVAILABLE
    assert state(hass, "sensor", "CP01_1_transaction_id") == str(transaction_id)


async def test_a_charger_that_was_here_since_the_start_leaves_no_restored_values(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    await approved_charger.status(1, "Charging")
    await flush(hass)
    assert hub.restoring
    await hub.central_system.expel("CP01")
    await flush(hass)
    assert state(hass, "binary_sensor", "CP01_connectivity") == "off"
    assert state(hass, "sensor", "CP01_1_status") == STATE_UNAVAILABLE


async def test_what_existed_before_a_restart_exists_after_it(
    hass: HomeAssistant,
    hub: OcppHub,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    await approved_charger.status(1, "Faulted", "OtherError", vendorErrorCode="E1")
    await approved_charger.status(1, "Available")
    await hass.async_block_till_done()
    assert await hass.config_entries.async_reload(hub.entry.entry_id)
    await hass.async_block_till_done()
    charger = await charger_ws("CP01")
    await charger.boot()
    await hass.async_block_till_done()
    assert state(hass, "sensor", "CP01_1_vendor_error_code") == STATE_UNKNOWN


async def test_a_deleted_charger_takes_its_entities_along(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    hub_station = hub.stations["CP01"]
    hass.config_entries.async_remove_subentry(hub.entry, hub_station.subentry_id)
    await hass.async_block_till_done()
    assert not exists(hass, "sensor", "CP01_1_status")
    hub_station.station.evse(2)
    await hass.async_block_till_done()
    assert not exists(hass, "sensor", "CP01_2_status")


def test_keys_of_stations_and_places_differ() -> None:
    places = {
        one.key
        for table in (
            sensor_place.EVSE_SENSORS,
            sensor_place.WHOLE_SENSORS,
            sensor_session.SESSION_SENSORS,
            binary_sensor.EVSE_SENSORS,
            binary_sensor.WHOLE_SENSORS,
        )
        for one in table
    } | set(Measurand)
    stations = {
        one.key
        for table in (sensor_station.STATION_SENSORS, binary_sensor.STATION_SENSORS)
        for one in table
    }
    assert places.isdisjoint(stations)


def _end_grace(hub: OcppHub) -> None:
    """Make the start of the server long ago."""
    hub.restoring = False


async def _hang_up(hass: HomeAssistant, hub: OcppHub, charger: Charger) -> None:
    """Have the charger gone, and the server know it."""
    station = hub.stations["CP01"].station
    gone = hass.loop.create_future()
    unsubscribe = station.online.subscribe(lambda: gone.set_result(None))
    await charger.close()
    await gone
    unsubscribe()
    await hass.async_block_till_done()
