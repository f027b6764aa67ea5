"""Test what a connected charger is sent because its settings changed."""

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant

from .charger import Charger
from .conftest import IDENTITY
from .entities import entity_id
from .test_subentry_flow import SETTINGS, assert_changed, change

OFTENER = {**SETTINGS["metering"], "meter_interval": 10}


async def sent_for(charger: Charger, since: int) -> list[str]:
    """Return the actions that a charger was sent, once the server is idle again."""
    for _ in range(20):
        await charger.call("Heartbeat")
    return [one.action for one in charger.received[since:]]


async def test_a_new_meter_interval_is_written_to_the_connected_charger(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    written = len(approved_charger.calls("ChangeConfiguration"))
    assert_changed(await change(hass, init_integration, metering=OFTENER))
    sent = await approved_charger.expect("ChangeConfiguration", written + 1)
    assert sent == {"key": "MeterValueSampleInterval", "value": "10"}
    assert approved_charger.close_code is None


async def test_a_lower_maximum_lowers_the_limit_in_the_charger(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    number = {ATTR_ENTITY_ID: entity_id(hass, "number", f"{IDENTITY}_1_current_limit")}
    await hass.services.async_call(
        "number", "set_value", {**number, "value": 20}, blocking=True
    )
    profiles = len(approved_charger.calls("SetChargingProfile"))
    charging = {**SETTINGS["charging"], "maximum_current": 16}
    assert_changed(await change(hass, init_integration, charging=charging))
    sent = await approved_charger.expect("SetChargingProfile", profiles + 1)
    schedule = sent["csChargingProfiles"]["chargingSchedule"]
    assert [one["limit"] for one in schedule["chargingSchedulePeriod"]] == [16]


async def test_a_new_name_sends_the_charger_nothing(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    before = len(approved_charger.received)
    assert_changed(await change(hass, init_integration, name="Carport"))
    assert await sent_for(approved_charger, before) == []


async def test_a_charger_is_sent_no_new_settings_in_quiet_mode_but_after_it(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    before = len(approved_charger.received)
    quiet = {**SETTINGS["connection"], "quiet": True}
    assert_changed(await change(hass, init_integration, connection=quiet))
    assert_changed(
        await change(hass, init_integration, connection=quiet, metering=OFTENER)
    )
    assert await sent_for(approved_charger, before) == []
    written = len(approved_charger.calls("ChangeConfiguration"))
    assert_changed(await change(hass, init_integration, metering=OFTENER))
    sent = await approved_charger.expect("ChangeConfiguration", written + 1)
    assert sent == {"key": "MeterValueSampleInterval", "value": "10"}
