"""Test the flow of a charger: add by hand, change."""

from typing import Any

from aiohttp import WSServerHandshakeError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SOURCE_USER, ConfigSubentry, SubentryFlowResult
from homeassistant.const import CONF_NAME, CONF_PASSWORD
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr

from .charger import Charger
from .conftest import IDENTITY, ChargerFactory
from custom_components.ev_charger_hub.const import (
    CONF_GENERATE_PASSWORD,
    CONF_IDENTITY,
    CONF_PASSWORD_HASH,
    DOMAIN,
    SUBENTRY_CHARGER,
)
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.credentials import verify_password

ADD = {CONF_IDENTITY: IDENTITY, CONF_NAME: "Garage", CONF_GENERATE_PASSWORD: False}
SETTINGS: dict[str, Any] = {
    CONF_NAME: "Garage",
    "password_change": "keep",
    "charging": {"maximum_current": 32, "minimum_current": 6, "phases": "3"},
    "metering": {"measurands": [], "meter_interval": 30, "clock_interval": 900},
    "connection": {"protocol": "automatic", "ping": True, "quiet": False},
}


async def begin(hass: HomeAssistant, entry: MockConfigEntry) -> SubentryFlowResult:
    """Open the form of a new charger."""
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_CHARGER), context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "user"
    return result


async def submit(
    hass: HomeAssistant, result: SubentryFlowResult, user_input: dict[str, Any]
) -> SubentryFlowResult:
    """Send a form."""
    result = await hass.config_entries.subentries.async_configure(
        result["flow_id"], user_input
    )
    await hass.async_block_till_done()
    return result


async def begin_change(
    hass: HomeAssistant, entry: MockConfigEntry
) -> SubentryFlowResult:
    """Open the form of the only charger."""
    result: SubentryFlowResult = await entry.start_subentry_reconfigure_flow(
        hass, only(entry).subentry_id
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "reconfigure"
    return result


async def change(
    hass: HomeAssistant, entry: MockConfigEntry, **fields: Any
) -> SubentryFlowResult:
    """Open and send the form of the only charger."""
    return await submit(hass, await begin_change(hass, entry), {**SETTINGS, **fields})


def only(entry: MockConfigEntry) -> ConfigSubentry:
    """Return the only charger of a server."""
    subentries: list[ConfigSubentry] = list(entry.subentries.values())
    (subentry,) = subentries
    return subentry


def suggested(form: Any, name: str) -> dict[str, Any]:
    """Return what the fields of a section show at first."""
    fields = form.schema[name].schema.schema
    return {str(key): key.description for key in fields}


def assert_changed(result: SubentryFlowResult) -> None:
    """Check that a change was accepted."""
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"


async def test_add_a_charger(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    charger_ws: ChargerFactory,
) -> None:
    """Test that a charger that was added by hand is let in at once."""
    result = await begin(hass, init_integration)
    assert result["description_placeholders"] == {
        "url": f"ws://127.0.0.1:{init_integration.data['port']}/"
    }
    result = await submit(hass, result, ADD)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    subentry = only(init_integration)
    assert subentry.title == "Garage"
    assert subentry.unique_id == IDENTITY
    assert subentry.data == {}

    charger = await charger_ws(IDENTITY)
    assert (await charger.boot())["status"] == "Accepted"
    assert hub.stations[IDENTITY].station.online.value


async def test_a_charger_without_a_name_is_called_by_its_identity(
    hass: HomeAssistant, init_integration: MockConfigEntry
) -> None:
    """Test that errors and devices always have a name to speak of."""
    result = await begin(hass, init_integration)
    await submit(hass, result, {**ADD, CONF_NAME: " "})
    assert only(init_integration).title == IDENTITY
    assert_changed(await change(hass, init_integration, **{CONF_NAME: ""}))
    assert only(init_integration).title == IDENTITY


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({CONF_IDENTITY: " "}, {CONF_IDENTITY: "identity_empty"}),
        ({CONF_IDENTITY: "a/b"}, {CONF_IDENTITY: "identity_invalid"}),
        ({CONF_IDENTITY: "a:b"}, {CONF_IDENTITY: "identity_invalid"}),
        ({CONF_IDENTITY: "a\x07b"}, {CONF_IDENTITY: "identity_invalid"}),
        ({CONF_IDENTITY: "x" * 49}, {CONF_IDENTITY: "identity_too_long"}),
        ({CONF_IDENTITY: "TAKEN"}, {CONF_IDENTITY: "identity_taken"}),
        (
            {CONF_PASSWORD: "secret", CONF_GENERATE_PASSWORD: True},
            {CONF_PASSWORD: "password_or_generated"},
        ),
    ],
)
async def test_what_a_charger_cannot_be(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    fields: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """Test every error of the form, and recovery."""
    other = MockConfigEntry(
        domain=DOMAIN,
        subentries_data=[
            {
                "data": {},
                "subentry_type": SUBENTRY_CHARGER,
                "title": "Elsewhere",
                "unique_id": "TAKEN",
            }
        ],
    )
    other.add_to_hass(hass)
    result = await submit(hass, await begin(hass, init_integration), {**ADD, **fields})
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    result = await submit(hass, result, ADD)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_add_a_charger_with_a_typed_password(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger_ws: ChargerFactory
) -> None:
    """Test that a password is kept as a hash only."""
    result = await begin(hass, init_integration)
    result = await submit(hass, result, {**ADD, CONF_PASSWORD: "correct horse"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    data = only(init_integration).data
    assert list(data) == [CONF_PASSWORD_HASH]
    assert "correct horse" not in str(data)
    assert verify_password(b"correct horse", data[CONF_PASSWORD_HASH])

    with pytest.raises(WSServerHandshakeError, match="401"):
        await charger_ws(IDENTITY)
    charger = await charger_ws(IDENTITY, password="correct horse")
    assert (await charger.boot())["status"] == "Accepted"


async def test_a_generated_password_is_shown_once(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger_ws: ChargerFactory
) -> None:
    """Test that a generated password is shown before the charger is added."""
    result = await begin(hass, init_integration)
    result = await submit(hass, result, {**ADD, CONF_GENERATE_PASSWORD: True})
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "password"
    shown = result["description_placeholders"]
    assert shown is not None
    assert shown["identity"] == IDENTITY
    assert shown["url"].endswith(f"/{IDENTITY}")
    assert not init_integration.subentries

    result = await submit(hass, result, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    charger = await charger_ws(IDENTITY, password=shown["password"])
    assert (await charger.boot())["status"] == "Accepted"


async def test_change_settings_live(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
    device_registry: dr.DeviceRegistry,
) -> None:
    """Test that every setting reaches the station while it stays connected."""
    station = hub.stations[IDENTITY].station
    result = await change(
        hass,
        init_integration,
        name="Carport",
        charging={
            "fallback_current": 8,
            "limit_interval": 10,
            "maximum_current": 16,
            "minimum_current": 8,
            "phases": "1",
        },
        metering={
            "measurands": ["SoC", "Current.Import.L1"],
            "meter_interval": 10,
            "price_entity": "sensor.price",
        },
        connection={"protocol": "ocpp1.6", "ping": False, "quiet": True},
    )
    assert_changed(result)
    settings = station.settings
    assert settings.name == "Carport"
    assert settings.maximum_current == 16
    assert settings.minimum_current == 8
    assert settings.fallback_current == 8
    assert settings.limit_interval == 10
    assert settings.phases == 1
    assert settings.measurands == ("SoC", "Current.Import.L1")
    assert settings.meter_interval == 10
    assert settings.clock_interval is None
    assert settings.price_entity == "sensor.price"
    assert settings.protocol == "ocpp1.6"
    assert not settings.ping
    assert settings.quiet
    device = device_registry.async_get(hub.stations[IDENTITY].device_id)
    assert device is not None
    assert device.name == "Carport"
    assert init_integration.runtime_data is hub
    await approved_charger.call("Heartbeat")

    form = (await begin_change(hass, init_integration))["data_schema"]
    assert suggested(form, "charging")["fallback_current"] == {"suggested_value": 8}
    price = suggested(form, "metering")["price_entity"]
    assert price == {"suggested_value": "sensor.price"}

    result = await change(hass, init_integration, metering={"clock_interval": 0})
    assert_changed(result)
    assert station.settings.fallback_current is None
    assert station.settings.limit_interval == 5
    assert station.settings.measurands is None
    assert station.settings.meter_interval is None
    assert station.settings.clock_interval == 0
    assert station.settings.price_entity is None

    # What is left to the charger leaves its field empty.
    form = (await begin_change(hass, init_integration))["data_schema"]
    shown = suggested(form, "metering")
    assert shown["clock_interval"] == {"suggested_value": 0}
    assert shown["meter_interval"] is None
    assert suggested(form, "charging")["fallback_current"] is None


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        (
            {"charging": {"maximum_current": 8, "minimum_current": 9, "phases": "3"}},
            {"base": "minimum_above_maximum"},
        ),
        (
            {"charging": {**SETTINGS["charging"], "fallback_current": 5}},
            {"base": "fallback_out_of_range"},
        ),
        (
            {"charging": {**SETTINGS["charging"], "fallback_current": 33}},
            {"base": "fallback_out_of_range"},
        ),
        ({"password_change": "change"}, {CONF_PASSWORD: "password_missing"}),
        ({CONF_PASSWORD: "secret"}, {CONF_PASSWORD: "password_unused"}),
    ],
)
async def test_what_settings_cannot_be(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    fields: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """Test every error of the settings, and recovery."""
    result = await change(hass, init_integration, **fields)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    assert_changed(await submit(hass, result, SETTINGS))


async def test_change_the_password(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    """Test setting, keeping and removing a password."""
    result = await change(
        hass, init_integration, password_change="change", password="battery staple"
    )
    assert_changed(result)
    # It did not give the password with which it would have to come now.
    await approved_charger.closed()
    assert_changed(await change(hass, init_integration, name="Carport"))
    charger = await charger_ws(IDENTITY, password="battery staple")
    assert_changed(await change(hass, init_integration, password_change="remove"))
    assert only(init_integration).data.get(CONF_PASSWORD_HASH) is None
    await charger.close()
    await charger_ws(IDENTITY)


async def test_generate_a_new_password(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    """Test that a new password is shown before it is asked for."""
    result = await change(hass, init_integration, password_change="generate")
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "password"
    shown = result["description_placeholders"]
    assert shown is not None
    assert CONF_PASSWORD_HASH not in only(init_integration).data
    assert_changed(await submit(hass, result, {}))
    await approved_charger.closed()
    await charger_ws(IDENTITY, password=shown["password"])


@pytest.mark.parametrize(
    ("profile", "password_change", "error"),
    [
        ("1", "keep", "profile_needs_password"),
        ("2", "remove", "profile_needs_password"),
        ("2", "generate", "profile_needs_encryption"),
        ("3", "keep", "profile_needs_encryption"),
    ],
)
async def test_security_that_no_charger_could_reach_is_refused(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    profile: str,
    password_change: str,
    error: str,
) -> None:
    """Test that a charger is not locked out by its settings."""
    hub.approve("CP01", "Garage", None)
    await hass.async_block_till_done()
    connection = {**SETTINGS["connection"], "security_profile": profile}
    result = await change(
        hass, init_integration, password_change=password_change, connection=connection
    )
    assert result["errors"] == {"base": error}


async def test_least_security_is_kept_and_shown(
    hass: HomeAssistant, init_integration: MockConfigEntry, hub: OcppHub
) -> None:
    """Test that a password can be demanded, and the demand be taken back."""
    hub.approve("CP01", "Garage", None)
    await hass.async_block_till_done()
    connection = {**SETTINGS["connection"], "security_profile": "1"}
    result = await change(
        hass,
        init_integration,
        password_change="change",
        password="Kx7mPq2nRt9wYz4bCd6e",
        connection=connection,
    )
    assert_changed(result)
    await hass.async_block_till_done()
    assert only(init_integration).data["security_profile"] == 1
    form = await begin_change(hass, init_integration)
    shown = suggested(form.get("data_schema"), "connection")["security_profile"]
    assert shown == {"suggested_value": "1"}


async def test_form_that_was_open_lowers_no_security_reached_meanwhile(
    hass: HomeAssistant, init_integration: MockConfigEntry, hub: OcppHub
) -> None:
    """Test that what the user left alone in a form stays as it is by now."""
    hub.approve("CP01", "Garage", "hash")
    await hass.async_block_till_done()
    form = await begin_change(hass, init_integration)
    hub.change_charger("CP01", {"security_profile": 1})
    assert_changed(await submit(hass, form, {**SETTINGS, CONF_NAME: "Car"}))
    assert only(init_integration).title == "Car"
    assert only(init_integration).data["security_profile"] == 1
    assert_changed(await change(hass, init_integration))
    assert only(init_integration).data["security_profile"] == 0
