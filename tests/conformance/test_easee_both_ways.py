"""Easee over OCPP: a charger that dials in while an account of Easee knows it, too."""

from datetime import datetime

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util

from ..ha.charger import Charger, sampled
from ..ha.conftest import ChargerFactory, set_up
from ..ha.easee import EaseeHome
from ..ha.entities import act, flush, full_state, state
from .conftest import EASEE
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from simulators.easee_cloud import Vehicle
from simulators.easee_cloud.seed import CHARGER


@pytest.fixture
def easee_epoch() -> datetime:
    """Return the present: chargers that dial in know no other time."""
    return dt_util.utcnow()


@pytest.fixture
async def twice(
    hass: HomeAssistant,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
) -> Charger:
    """Return a charger that charges, at our server and for the cloud."""
    hub.approve(CHARGER, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws(CHARGER)
    await charger.boot(**EASEE)
    await charger.status(1, "Available")
    await set_up(hub, charger)
    assert await easee_home.set_up(easee_entry) is not None
    easee_home.cloud.chargers[CHARGER].plug_in(Vehicle(maximum_current=32))
    # The cloud is the first to tell of it, and leaves it to the charger for a while.
    await easee_home.passes(20)
    return charger


@pytest.mark.conformance("EASEE_S11")
async def test_what_dials_in_is_controlled_by_ocpp(
    hass: HomeAssistant, easee_home: EaseeHome, twice: Charger
) -> None:
    """The cloud is online as well, and is sent nothing."""
    number = await twice.start()
    await twice.status(1, "Charging")
    await hass.async_block_till_done()
    twice.received.clear()
    easee_home.cloud.journal.clear()
    assert easee_home.cloud.chargers[CHARGER].online
    await act(hass, "set_charging_limit", CHARGER, limit=10)
    await act(hass, "stop_charging", CHARGER)
    assert len(twice.calls("SetChargingProfile")) == 1
    assert twice.calls("RemoteStopTransaction") == [{"transactionId": number}]
    await easee_home.passes(60)
    assert easee_home.cloud.journal.find("POST", CHARGER) == []


@pytest.mark.conformance("EASEE_S10")
async def test_less_than_the_limit_on_a_shared_circuit_is_no_failure(
    hass: HomeAssistant, hub: OcppHub, easee_home: EaseeHome, twice: Charger
) -> None:
    """Of 16 A 10 A are left by the other charger of the circuit, which is told."""
    number = await twice.start()
    await twice.status(1, "Charging")
    await act(hass, "set_charging_limit", CHARGER, limit=16)
    sent = len(twice.calls("SetChargingProfile"))
    for offered in (16, *[10] * 10):
        values = [
            sampled(offered, "Current.Offered", "A"),
            sampled(offered - 0.2, "Current.Import", "A"),
        ]
        await twice.meter(1, values, number)
        await easee_home.passes(30)
    await flush(hass)
    limit = full_state(hass, "sensor", f"{CHARGER}_1_effective_limit")
    assert limit.attributes["shared_circuit"] is True
    shown = full_state(hass, "sensor", f"{CHARGER}_1_current_offered")
    assert shown.attributes["shared_circuit"] is True
    wanted = full_state(hass, "number", f"{CHARGER}_1_current_limit")
    assert wanted.attributes["shared_circuit"] is True
    assert float(wanted.state) == 16
    assert not hub.stations[CHARGER].station.evse(1).limit_ignored.value
    assert float(state(hass, "sensor", f"{CHARGER}_1_effective_limit")) == 10
    assert state(hass, "sensor", f"{CHARGER}_1_limited_by") == "load_balancing"
    assert len(twice.calls("SetChargingProfile")) == sent


@pytest.mark.conformance("EASEE_S22")
async def test_who_is_known_twice_is_one_device_with_each_session_once(
    hass: HomeAssistant, easee_epoch: datetime, easee_home: EaseeHome, twice: Charger
) -> None:
    """The cloud tells of the same session, and counts it neither again nor more."""
    told = async_capture_events(hass, EVENT_STATE_CHANGED)
    number = await twice.start(meter=1000)
    await twice.status(1, "Charging")
    await easee_home.passes(600)
    await twice.stop(number, 2500)
    await twice.status(1, "Available")
    easee_home.cloud.chargers[CHARGER].unplug()
    await easee_home.passes(600)
    await flush(hass)
    devices = [
        one
        for one in dr.async_get(hass).devices
        if isinstance(one, dr.DeviceEntry) and one.serial_number == CHARGER
    ]
    assert len(devices) == 1
    assert state(hass, "sensor", f"{CHARGER}_1_status") == "available"
    # What the cloud knows of the weeks before has come in as well.
    (session,) = (
        one
        for one in (await act(hass, "get_sessions", CHARGER))["sessions"]
        if datetime.fromisoformat(one["start"]) > easee_epoch
    )
    assert (session["transaction_id"], session["energy"]) == (str(number), 1500)
    # Observations 223 and 129 told of it, too: the event shows neither again.
    (real,) = (
        one
        for one in easee_home.cloud.chargers[CHARGER].history.sessions
        if one.start >= easee_epoch
    )
    assert session["cloud_id"] == f"easee-{real.id}"
    entity_id = er.async_get(hass).async_get_entity_id(
        "event", DOMAIN, f"{CHARGER}_1_session"
    )
    assert [
        event.data["new_state"].attributes["event_type"]
        for event in told
        if event.data["entity_id"] == entity_id
    ] == ["started", "ended"]
