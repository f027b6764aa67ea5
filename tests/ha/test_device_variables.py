"""Variables of OCPP 2.x as entities: shown as told, set honestly, bounded."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er

from .charger import Charger, Refusal
from .charger_v2 import Charger2, named
from .conftest import IDENTITY, Charger2Factory, set_up
from .entities import device_id, entity_id, exists, flush, full_state, state
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.variables import MAX_SHOWN

TIMEOUT = "TxCtrlr.EVConnectionTimeOut"
UNKNOWN_CARDS = "AuthCtrlr.OfflineTxForUnknownIdEnabled"
COLOR = "ChargingStatusIndicator.Color"
BRIGHTNESS = "ChargingStatusIndicator.Brightness"
NTP = "ClockCtrlr.NtpSource"
DIMMED = "ChargingStatusIndicator.Active"
START_POINT = "TxCtrlr.TxStartPoint"
WARMTH = "EVSE#1.Temperature"

CHARACTERISTICS: dict[str, dict[str, Any]] = {
    TIMEOUT: {"dataType": "integer", "unit": "s"},
    BRIGHTNESS: {"dataType": "integer", "minLimit": 0, "maxLimit": 10},
    COLOR: {"dataType": "string", "maxLimit": 6},
    DIMMED: {"dataType": "boolean"},
    NTP: {"dataType": "OptionList", "valuesList": "DHCP,manual"},
    START_POINT: {"dataType": "MemberList", "valuesList": "EVConnected,Authorized"},
    WARMTH: {"dataType": "decimal", "unit": "Celsius"},
    "EVSE#1.Power": {"dataType": "decimal", "unit": "W", "maxLimit": 22000},
    "EVSE#1.SupplyPhases": {"dataType": "integer"},
}
THERE = {
    TIMEOUT: ("120", False),
    UNKNOWN_CARDS: ("true", False),
    BRIGHTNESS: ("7", False),
    COLOR: ("FFFF00", False),
    DIMMED: ("false", False),
    NTP: ("DHCP", False),
    START_POINT: ("EVConnected", False),
    WARMTH: ("31.5", True),
    "EVSE#1.Power": ("0", True),
    "EVSE#1.SupplyPhases": ("3", True),
}


def other(name: str) -> str:
    """Return the unique id of the entity of a variable without a name of ours."""
    return f"{IDENTITY}_variable_{name.lower()}"


async def dialled(
    hass: HomeAssistant,
    hub: OcppHub,
    charger2_ws: Charger2Factory,
    version: str,
    variables: dict[str, tuple[str, bool]] | None = None,
) -> Charger2:
    """Return a charger that has booted and told what it is."""
    charger = await charger2_ws(version=version, boots=False)
    charger.variables |= THERE | (variables or {})
    charger.characteristics |= CHARACTERISTICS
    await charger.boot()
    await charger.connector_status("Available")
    await set_up(hub, charger)
    await flush(hass)
    charger.received.clear()
    return charger


@pytest.fixture(params=["2.0.1", "2.1"])
async def charger(
    hass: HomeAssistant,
    hub: OcppHub,
    charger2_ws: Charger2Factory,
    request: pytest.FixtureRequest,
    entity_registry_enabled_by_default: None,
) -> Charger2:
    """Return a charger all of whose variables are enabled."""
    return await dialled(hass, hub, charger2_ws, request.param)


async def set_number(hass: HomeAssistant, unique_id: str, value: float) -> None:
    """Set a number as a user does."""
    entity = entity_id(hass, "number", unique_id)
    await hass.services.async_call(
        "number",
        "set_value",
        {ATTR_ENTITY_ID: entity, "value": value},
        blocking=True,
    )
    await flush(hass)


# What is shown


async def test_variables_that_matter_to_a_home_have_names(
    hass: HomeAssistant, charger: Charger2
) -> None:
    timeout = full_state(hass, "number", "CP01_connection_timeout")
    assert timeout.state == "120.0"
    assert timeout.name == "Garage Time to plug in"
    assert timeout.attributes["unit_of_measurement"] == "s"
    assert state(hass, "switch", "CP01_offline_unknown") == "on"
    assert state(hass, "sensor", "CP01_1_supply_phases") == "3"
    assert state(hass, "sensor", "CP01_1_rated_power") == "22.0"


async def test_every_other_variable_that_can_be_set_is_an_entity_of_its_kind(
    hass: HomeAssistant, charger: Charger2
) -> None:
    brightness = full_state(hass, "number", other(BRIGHTNESS))
    assert brightness.state == "7.0"
    assert (brightness.attributes["min"], brightness.attributes["max"]) == (0, 10)
    assert brightness.name == f"Garage {BRIGHTNESS}"
    assert state(hass, "switch", other(DIMMED)) == "off"
    source = full_state(hass, "select", other(NTP))
    assert source.state == "DHCP"
    assert source.attributes["options"] == ["DHCP", "manual"]
    assert state(hass, "text", other(START_POINT)) == "EVConnected"
    warmth = full_state(hass, "sensor", f"CP01_1_variable_{WARMTH.lower()}")
    assert warmth.state == "31.5"
    assert warmth.attributes["device_class"] == "temperature"


async def test_a_text_without_a_list_is_left_to_the_action(
    hass: HomeAssistant, charger: Charger2
) -> None:
    for platform in ("number", "select", "switch", "text"):
        assert not exists(hass, platform, other(COLOR))


async def test_variables_without_a_name_wait_to_be_enabled(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    await dialled(hass, hub, charger2_ws, "2.0.1")
    registry = er.async_get(hass)
    for platform, name in (
        ("number", BRIGHTNESS),
        ("switch", DIMMED),
        ("select", NTP),
        ("text", START_POINT),
    ):
        entry = registry.async_get(entity_id(hass, platform, other(name)))
        assert entry is not None
        assert entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert state(hass, "number", "CP01_connection_timeout") == "120.0"
    assert state(hass, "sensor", f"CP01_1_variable_{WARMTH.lower()}") == "31.5"


async def test_what_is_read_only_cannot_be_set(
    hass: HomeAssistant,
    hub: OcppHub,
    charger2_ws: Charger2Factory,
    entity_registry_enabled_by_default: None,
) -> None:
    readonly = {TIMEOUT: ("120", True), DIMMED: ("false", True)}
    await dialled(hass, hub, charger2_ws, "2.0.1", readonly)
    assert not exists(hass, "number", "CP01_connection_timeout")
    assert not exists(hass, "switch", other(DIMMED))


async def test_a_made_up_device_model_makes_no_more_entities_than_there_may_be(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(boots=False)
    names = [f"Odd{number}.Enabled" for number in range(2 * MAX_SHOWN)]
    charger.variables |= dict.fromkeys(names, ("true", False))
    charger.characteristics |= {name: {"dataType": "boolean"} for name in names}
    await charger.boot()
    await set_up(hub, charger)
    await flush(hass)
    known = er.async_entries_for_config_entry(er.async_get(hass), hub.entry.entry_id)
    made_up = [one for one in known if "_variable_odd" in one.unique_id]
    assert 0 < len(made_up) <= MAX_SHOWN


async def test_a_variable_of_an_evse_belongs_to_its_device(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(evses={1: 1, 2: 1}, boots=False)
    charger.variables |= {"EVSE#2.Temperature": ("28", True)}
    charger.characteristics["EVSE#2.Temperature"] = CHARACTERISTICS[WARMTH]
    await charger.boot()
    await set_up(hub, charger)
    await flush(hass)
    unique_id = "CP01_2_variable_evse#2.temperature"
    entry = er.async_get(hass).async_get(entity_id(hass, "sensor", unique_id))
    assert entry is not None
    assert entry.device_id == device_id(hass, "CP01_2")


async def test_what_a_charger_tells_later_is_shown(
    hass: HomeAssistant, charger: Charger2
) -> None:
    charger.variables |= {TIMEOUT: ("90", False), WARMTH: ("44", True)}
    report = {
        "requestId": 4711,
        "generatedAt": "2026-11-21T10:00:00Z",
        "seqNo": 0,
        "reportData": charger.entries(TIMEOUT, WARMTH),
    }
    assert await charger.call("NotifyReport", report) == {}
    await flush(hass)
    assert state(hass, "number", "CP01_connection_timeout") == "90.0"
    assert state(hass, "sensor", f"CP01_1_variable_{WARMTH.lower()}") == "44.0"


@pytest.mark.parametrize("value", ["", "often", "nan", "-inf", "1,5"])
async def test_a_value_that_is_no_number_is_unknown(
    hass: HomeAssistant,
    hub: OcppHub,
    charger2_ws: Charger2Factory,
    value: str,
) -> None:
    await dialled(hass, hub, charger2_ws, "2.0.1", {TIMEOUT: (value, False)})
    assert state(hass, "number", "CP01_connection_timeout") == STATE_UNKNOWN


async def test_what_makes_no_sense_is_shown_as_far_as_it_can_be(
    hass: HomeAssistant,
    hub: OcppHub,
    charger2_ws: Charger2Factory,
    entity_registry_enabled_by_default: None,
) -> None:
    """A range turned round, endless names and lists, and numbers beyond all numbers."""
    charger = await charger2_ws(boots=False)
    endless = f"{'X' * 150}.{'Y' * 150}"
    charger.variables |= {
        "Odd.Range": ("5", False),
        "Odd.List": ("a", False),
        "Odd.Huge": ("1", False),
        endless: ("true", False),
    }
    charger.characteristics |= {
        "Odd.Range": {"dataType": "integer", "minLimit": 10, "maxLimit": -10},
        "Odd.List": {"dataType": "OptionList", "valuesList": "a,a, b,," + "c" * 9000},
        "Odd.Huge": {"dataType": "integer", "minLimit": 0, "maxLimit": 1e300},
        endless: {"dataType": "boolean"},
    }
    await charger.boot()
    await set_up(hub, charger)
    await flush(hass)
    shown = full_state(hass, "number", other("Odd.Range"))
    assert (shown.attributes["min"], shown.attributes["max"]) == (-10, 10)
    assert full_state(hass, "select", other("Odd.List")).attributes["options"] == [
        "a",
        "b",
    ]
    assert state(hass, "number", other("Odd.Huge")) == "1.0"
    assert state(hass, "switch", other(endless)) == "on"


async def test_what_was_changed_at_the_charger_is_read_after_a_boot(
    hass: HomeAssistant, hub: OcppHub, charger: Charger2
) -> None:
    charger.variables |= {TIMEOUT: ("45", False), NTP: ("manual", False)}
    hub.stations[IDENTITY].station.findings.clear()
    await charger.close()
    await charger.connect()
    await charger.boot(reason="LocalReset")
    await set_up(hub, charger)
    await flush(hass)
    assert charger.calls("GetBaseReport") == []
    assert state(hass, "number", "CP01_connection_timeout") == "45.0"
    assert state(hass, "select", other(NTP)) == "manual"


# What is set


async def test_a_number_is_written_and_read_back(
    hass: HomeAssistant, charger: Charger2
) -> None:
    await set_number(hass, "CP01_connection_timeout", 240)
    entry = {**named(TIMEOUT), "attributeValue": "240"}
    assert charger.calls("SetVariables") == [{"setVariableData": [entry]}]
    assert charger.calls("GetVariables") == [{"getVariableData": [named(TIMEOUT)]}]
    assert state(hass, "number", "CP01_connection_timeout") == "240.0"


@pytest.mark.parametrize(
    ("platform", "name", "action", "data", "sent"),
    [
        ("switch", DIMMED, "turn_on", {}, "true"),
        ("select", NTP, "select_option", {"option": "manual"}, "manual"),
        (
            "text",
            START_POINT,
            "set_value",
            {"value": "Authorized, EVConnected"},
            "Authorized,EVConnected",
        ),
        ("number", BRIGHTNESS, "set_value", {"value": 3}, "3"),
    ],
)
async def test_every_kind_is_written_as_the_charger_spells_it(
    hass: HomeAssistant,
    charger: Charger2,
    platform: str,
    name: str,
    action: str,
    data: dict[str, Any],
    sent: str,
) -> None:
    entity = entity_id(hass, platform, other(name))
    await hass.services.async_call(
        platform, action, {ATTR_ENTITY_ID: entity, **data}, blocking=True
    )
    entry = {**named(name), "attributeValue": sent}
    assert charger.calls("SetVariables") == [{"setVariableData": [entry]}]
    assert charger.variables[name] == (sent, False)


@pytest.mark.parametrize(
    ("value", "sent"),
    [(0.00001, "0.00001"), (1 / 3, "0.333333"), (-1e-9, "0"), (2.5, "2.5"), (3, "3")],
)
async def test_a_decimal_is_written_with_six_places_at_most(
    hass: HomeAssistant,
    hub: OcppHub,
    charger2_ws: Charger2Factory,
    entity_registry_enabled_by_default: None,
    value: float,
    sent: str,
) -> None:
    charger = await charger2_ws(boots=False)
    charger.variables["Odd.Share"] = ("1", False)
    charger.characteristics["Odd.Share"] = {
        "dataType": "decimal",
        "minLimit": -1,
        "maxLimit": 10,
    }
    await charger.boot()
    await set_up(hub, charger)
    await flush(hass)
    await set_number(hass, other("Odd.Share"), value)
    assert charger.variables["Odd.Share"] == (sent, False)


@pytest.mark.parametrize("unique_id", ["CP01_meter_interval", other(BRIGHTNESS)])
async def test_a_part_of_a_whole_number_is_not_sent(
    hass: HomeAssistant, charger: Charger2, unique_id: str
) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await set_number(hass, unique_id, 2.5)
    assert raised.value.translation_key == "variable_whole"
    assert charger.received == []


async def test_a_member_that_is_not_allowed_is_not_sent(
    hass: HomeAssistant, charger: Charger2
) -> None:
    entity = entity_id(hass, "text", other(START_POINT))
    with pytest.raises(ServiceValidationError) as raised:
        await hass.services.async_call(
            "text",
            "set_value",
            {ATTR_ENTITY_ID: entity, "value": "EVConnected,Tuesday"},
            blocking=True,
        )
    assert raised.value.translation_key == "variable_members"
    assert charger.received == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("Rejected", "rejected"),
        ("UnknownVariable", "not_supported_by_charger"),
        (Refusal(code="InternalError"), "rejected"),
        (Refusal(code="NotImplemented"), "not_supported_by_charger"),
    ],
)
async def test_a_refusal_is_told_and_nothing_changes(
    hass: HomeAssistant, charger: Charger2, answer: str | Refusal, error: str
) -> None:
    if isinstance(answer, str):
        result = {"attributeStatus": answer, **named(TIMEOUT)}
        charger.answers["SetVariables"] = {"setVariableResult": [result]}
    else:
        charger.answers["SetVariables"] = answer
    with pytest.raises(HomeAssistantError) as raised:
        await set_number(hass, "CP01_connection_timeout", 240)
    assert raised.value.translation_key == error
    assert state(hass, "number", "CP01_connection_timeout") == "120.0"


async def test_a_charger_that_goes_on_with_another_value_is_told_of(
    hass: HomeAssistant, charger: Charger2
) -> None:
    result = {"attributeStatus": "Accepted", **named(TIMEOUT)}
    charger.answers["SetVariables"] = {"setVariableResult": [result]}
    with pytest.raises(HomeAssistantError) as raised:
        await set_number(hass, "CP01_connection_timeout", 240)
    assert raised.value.translation_key == "variable_not_taken"
    await flush(hass)
    assert state(hass, "number", "CP01_connection_timeout") == "120.0"


async def test_the_meter_interval_stays_as_it_was_set(
    hass: HomeAssistant, hub: OcppHub, charger: Charger2
) -> None:
    """Set-up does not write the old one again after the next boot."""
    assert state(hass, "number", "CP01_meter_interval") == "30.0"
    await set_number(hass, "CP01_meter_interval", 15)
    await set_up(hub, charger)
    charger.received.clear()
    hub.stations[IDENTITY].station.findings.clear()
    await charger.close()
    await charger.connect()
    await charger.boot(reason="PowerUp")
    await set_up(hub, charger)
    await flush(hass)
    assert charger.calls("SetVariables") == []
    assert charger.variables["SampledDataCtrlr.TxUpdatedInterval"] == ("15", False)
    assert state(hass, "number", "CP01_meter_interval") == "15.0"


# Restarts, versions, firmware


async def test_a_restart_of_home_assistant_keeps_what_was_told(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: Charger2
) -> None:
    await charger.close()
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    assert state(hass, "number", "CP01_connection_timeout") == "120.0"
    assert state(hass, "select", other(NTP)) == "DHCP"


async def test_what_was_set_last_is_shown_after_a_restart_of_home_assistant(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: Charger2
) -> None:
    await set_number(hass, "CP01_connection_timeout", 240)
    await set_number(hass, other(BRIGHTNESS), 3)
    await charger.close()
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    assert state(hass, "number", "CP01_connection_timeout") == "240.0"
    assert state(hass, "number", other(BRIGHTNESS)) == "3.0"
    assert state(hass, "select", other(NTP)) == "DHCP"


async def test_what_another_firmware_lacks_is_unavailable_and_told(
    hass: HomeAssistant,
    hub: OcppHub,
    charger: Charger2,
    caplog: pytest.LogCaptureFixture,
) -> None:
    del charger.variables[NTP]
    charger.variables["New.Thing"] = ("1", False)
    hub.stations[IDENTITY].station.findings.clear()
    await charger.close()
    await charger.connect()
    await charger.boot(firmwareVersion="2.4.0")
    await set_up(hub, charger)
    await flush(hass)
    assert state(hass, "select", other(NTP)) == STATE_UNAVAILABLE
    finding = hub.stations[IDENTITY].station.findings["variables_changed"]
    assert finding == f"new: New.Thing; gone: {NTP}; changed: none"
    assert f"gone {NTP}" in caplog.text


async def test_a_password_is_no_entity(
    hass: HomeAssistant,
    hub: OcppHub,
    charger2_ws: Charger2Factory,
    entity_registry_enabled_by_default: None,
) -> None:
    charger = await charger2_ws(boots=False)
    name = "LocalController.WifiPassword"
    charger.variables[name] = ("planted-wifi-secret", False)
    charger.characteristics[name] = {
        "dataType": "OptionList",
        "valuesList": "planted-wifi-secret,other",
    }
    await charger.boot()
    await set_up(hub, charger)
    await flush(hass)
    assert not exists(hass, "select", other(name))


async def test_a_charger_that_goes_back_to_1_6_keeps_what_1_6_knows(
    hass: HomeAssistant, hub: OcppHub, charger: Charger2
) -> None:
    assert state(hass, "number", "CP01_heartbeat_interval") == "300.0"
    await charger.close()
    hub.stations[IDENTITY].station.findings.clear()
    older = Charger(identity=IDENTITY, url=charger.url)
    older.configuration["HeartbeatInterval"] = "120"
    await older.connect()
    await older.boot()
    await older.status(1, "Available")
    await set_up(hub, older)
    await flush(hass)
    assert state(hass, "number", "CP01_heartbeat_interval") == "120.0"
    assert state(hass, "number", "CP01_connection_timeout") == STATE_UNAVAILABLE
    assert state(hass, "select", other(NTP)) == STATE_UNAVAILABLE
    await older.close()


# Beside OCPP 1.6


async def test_a_charger_of_1_6_has_the_same_entities_for_the_same_settings(
    hass: HomeAssistant,
    entity_registry_enabled_by_default: None,
    approved_charger: Charger,
) -> None:
    assert state(hass, "number", "CP01_heartbeat_interval") == "300.0"
    assert state(hass, "number", "CP01_meter_interval") == "30.0"
    assert state(hass, "switch", "CP01_authorize_remote_start") == "off"
    assert not exists(hass, "number", "CP01_connection_timeout")
    approved_charger.received.clear()
    await set_number(hass, "CP01_heartbeat_interval", 600)
    written = {"key": "HeartbeatInterval", "value": "600"}
    assert approved_charger.calls("ChangeConfiguration") == [written]
    assert state(hass, "number", "CP01_heartbeat_interval") == "600.0"


@pytest.mark.parametrize("action", ["get_base_report", "get_report", "set_variables"])
async def test_a_charger_of_1_6_has_no_reports(
    hass: HomeAssistant, approved_charger: Charger, action: str
) -> None:
    approved_charger.received.clear()
    fields = {"values": {TIMEOUT: "1"}} if action == "set_variables" else {}
    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(
            DOMAIN,
            action,
            {"device_id": device_id(hass, IDENTITY), **fields},
            blocking=True,
            return_response=True,
        )
    assert raised.value.translation_key == "not_supported"
    assert approved_charger.received == []
