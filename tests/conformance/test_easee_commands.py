"""Easee over OCPP: what it is told to do, and what it is never told."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.button.const import DOMAIN as BUTTON_DOMAIN, SERVICE_PRESS
from homeassistant.components.switch.const import DOMAIN as SWITCH_DOMAIN
from homeassistant.const import (
    ATTR_ENTITY_ID,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from ..ha.cards import authorized, keep, started, strangers
from ..ha.charger import Charger, Payload
from ..ha.conftest import IDENTITY, ChargerFactory, set_up
from ..ha.drive import Dialled
from ..ha.entities import act, entity_id, flush, full_state, state
from .answers import sessions
from .conftest import EASEE
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.tokens import UnknownTokens

UNLOCK = "CP01_1_unlock"
FREE = "CP01_free_charging"
FREE_KEY = "freecharging"
AUTHORIZATION_KEY = "AuthorizationRequired"
CLOUD = "344/1.8.0.0"


async def switch(hass: HomeAssistant, service: str) -> None:
    """Switch free charging."""
    target = {ATTR_ENTITY_ID: entity_id(hass, "switch", FREE)}
    await hass.services.async_call(SWITCH_DOMAIN, service, target, blocking=True)
    await hass.async_block_till_done()


def changed(charger: Charger) -> dict[str, str]:
    """Return the keys that were written, with their last values."""
    calls = charger.calls("ChangeConfiguration")
    return {payload["key"]: payload["value"] for payload in calls}


async def came(
    hass: HomeAssistant, hub: OcppHub, charger: Charger, firmware: str
) -> Charger:
    """Have an Easee charger of some firmware boot, and wait for its set-up."""
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    await charger.boot(**{**EASEE, "firmwareVersion": firmware})
    await charger.status(1, "Available")
    await set_up(hub, charger)
    await hass.async_block_till_done()
    charger.received.clear()
    return charger


@pytest.mark.conformance("EASEE_S36")
@pytest.mark.parametrize(
    ("firmware", "can"),
    [("309", False), ("289/1.5.2.0", False), ("310", True), (CLOUD, True)],
)
async def test_a_connector_is_unlocked_from_firmware_310_on(
    hass: HomeAssistant,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    firmware: str,
    can: bool,
) -> None:
    """Before that there is nothing to press, and the action says why."""
    charger = await came(hass, hub, await charger_ws(IDENTITY), firmware)
    await flush(hass)
    assert (state(hass, "button", UNLOCK) != STATE_UNAVAILABLE) is can
    if can:
        await act(hass, "unlock_connector")
        assert charger.calls("UnlockConnector") == [{"connectorId": 1}]
        return
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "unlock_connector")
    assert caught.value.translation_key == "not_supported"
    assert charger.received == []
    await charger.close()
    await charger.connect()
    await charger.boot(firmwareVersion="344")
    await flush(hass)
    assert state(hass, "button", UNLOCK) != STATE_UNAVAILABLE


@pytest.mark.conformance("EASEE_S36")
async def test_an_unlock_ends_no_session_by_itself(
    hass: HomeAssistant, easee: Charger
) -> None:
    """It unlocks when that is safe: the session goes on until the charger ends it."""
    number = await easee.start()
    await easee.status(1, "Charging")
    target = {ATTR_ENTITY_ID: entity_id(hass, "button", UNLOCK)}
    for answer, key in (
        ("UnlockFailed", "rejected"),
        ("NotSupported", "not_supported_by_charger"),
    ):
        easee.answers["UnlockConnector"] = {"status": answer}
        with pytest.raises(HomeAssistantError, match=answer) as caught:
            await hass.services.async_call(
                BUTTON_DOMAIN, SERVICE_PRESS, target, blocking=True
            )
        assert caught.value.translation_key == key
    easee.answers["UnlockConnector"] = {"status": "Unlocked"}
    await hass.services.async_call(BUTTON_DOMAIN, SERVICE_PRESS, target, blocking=True)
    await flush(hass)
    (session,) = await sessions(hass)
    assert (session["transaction_id"], session["state"]) == (str(number), "open")
    assert easee.calls("RemoteStopTransaction") == []


@pytest.mark.conformance("EASEE_S39")
@pytest.mark.parametrize("tag", ["FreeCharging", "", "00000000", "GARAGE-FREE-1"])
async def test_a_placeholder_is_good_only_while_charging_is_free(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    easee: Charger,
    tag: str,
) -> None:
    """Accepted with the switch on, Invalid with it off, and nobody's card."""
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    keep(hass, init_integration, "04AABBCC")
    before = dict(init_integration.subentries)
    await switch(hass, SERVICE_TURN_ON)
    easee.received.clear()
    answer = await started(easee, tag)
    assert answer["idTagInfo"]["status"] == "Accepted"
    await flush(hass)
    told = full_state(hass, "event", "CP01_1_session").attributes
    assert told["event_type"] == "started"
    free = tag != "GARAGE-FREE-1"
    assert told.get("auth_reason") == ("free_charging" if free else None)
    await easee.stop(answer["transactionId"], 1500)
    await switch(hass, SERVICE_TURN_OFF)
    answer = await started(easee, tag, timestamp="2026-01-01T00:00:00Z")
    assert answer["idTagInfo"]["status"] == "Invalid"
    assert easee.calls("SendLocalList") == []
    assert init_integration.subentries.keys() == before.keys()


@pytest.mark.conformance("EASEE_S43")
async def test_free_charging_is_never_changed_by_itself(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> None:
    """Set-up and limits leave alone who may charge."""
    charger = await charger_ws(IDENTITY)
    charger.configuration |= {FREE_KEY: "True", AUTHORIZATION_KEY: "false"}
    await came(hass, hub, charger, CLOUD)
    await act(hass, "set_charging_limit", limit=10)
    await charger.close()
    await charger.connect()
    await charger.boot()
    await flush(hass)
    assert not {FREE_KEY, AUTHORIZATION_KEY} & changed(charger).keys()
    assert charger.configuration[FREE_KEY] == "True"


@pytest.mark.conformance("EASEE_S43")
async def test_free_charging_is_confirmed_by_the_charger(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> None:
    """Written and read back; what it does not keep is not shown."""
    charger = await charger_ws(IDENTITY)
    charger.configuration |= {FREE_KEY: "False"}
    await came(hass, hub, charger, CLOUD)

    number = await charger.start()
    with pytest.raises(ServiceValidationError) as refused:
        await switch(hass, SERVICE_TURN_ON)
    assert refused.value.translation_key == "session_open"
    assert charger.received == []
    await charger.stop(number, 2000)

    for answer, key in (("Accepted", "not_kept"), ("Rejected", "rejected")):
        charger.answers["ChangeConfiguration"] = {"status": answer}
        with pytest.raises(HomeAssistantError) as caught:
            await switch(hass, SERVICE_TURN_ON)
        assert caught.value.translation_key == key
        assert state(hass, "switch", FREE) == STATE_OFF

    del charger.answers["ChangeConfiguration"]
    for service, value, shown in (
        (SERVICE_TURN_ON, "true", STATE_ON),
        (SERVICE_TURN_OFF, "false", STATE_OFF),
    ):
        await switch(hass, service)
        assert charger.configuration[FREE_KEY] == value
        assert state(hass, "switch", FREE) == shown
    assert AUTHORIZATION_KEY not in changed(charger)


@pytest.mark.conformance("EASEE_S43")
async def test_a_charger_without_the_key_is_written_nothing(
    hass: HomeAssistant, easee: Charger
) -> None:
    """One that dials in itself is started from here instead."""
    easee.received.clear()
    await switch(hass, SERVICE_TURN_ON)
    assert state(hass, "switch", FREE) == STATE_ON
    assert easee.received == []


class Stubborn:
    """A charger that keeps its default until it is cleared in the right words."""

    def __init__(self, charger: Charger, wanted: tuple[set[str], ...]) -> None:
        """Give the default up for a message with exactly one of these sets of fields."""
        self.limit = 10.0
        self.wanted = wanted
        charger.answers["ClearChargingProfile"] = self.clear
        charger.answers["GetCompositeSchedule"] = self.tell

    def clear(self, payload: Payload) -> Payload:
        """Say that it is cleared."""
        if set(payload) in self.wanted:
            self.limit = 32.0
        return {"status": "Accepted"}

    def tell(self, payload: Payload) -> Payload:
        """Say what holds."""
        period = {"startPeriod": 0, "limit": self.limit}
        return {
            "status": "Accepted",
            "connectorId": payload["connectorId"],
            "scheduleStart": dt_util.utcnow().isoformat(),
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [period],
            },
        }


BY_ID = {"id"}
BY_PLACE = {"connectorId", "chargingProfilePurpose"}


@pytest.mark.conformance("EASEE_S53")
@pytest.mark.parametrize(
    ("asked", "understood", "sent", "verified"),
    [
        ({}, ({*()}, BY_PLACE, BY_ID), [set()], True),
        ({}, (BY_PLACE,), [set(), BY_PLACE], True),
        ({}, (BY_ID,), [set(), BY_PLACE, BY_ID], True),
        ({"id": 5711}, (BY_PLACE,), [BY_ID, BY_PLACE], True),
        ({"id": 5711}, (), [BY_ID, BY_PLACE], False),
    ],
)
async def test_a_profile_that_stays_is_cleared_in_other_words(
    hass: HomeAssistant,
    easee: Charger,
    asked: dict[str, Any],
    understood: tuple[set[str], ...],
    sent: list[set[str]],
    verified: bool,
) -> None:
    """All at once, by purpose and connector, by number: until it is gone, or told."""
    await act(
        hass,
        "set_charging_profile",
        id=5711,
        connector=1,
        purpose="TxDefaultProfile",
        kind="Absolute",
        periods=[{"start": 0, "limit": 10}],
    )
    Stubborn(easee, understood)
    answer = await act(hass, "clear_charging_profile", **asked)
    assert [set(one) for one in easee.calls("ClearChargingProfile")] == sent
    assert answer["cleared"] == [5711]
    assert answer["verified"] is verified


@pytest.mark.conformance("EASEE_N8")
async def test_a_pause_is_said_as_it_works(hass: HomeAssistant, easee: Charger) -> None:
    """Absolute, level 0, no current, with its end, in whole seconds, and its session."""
    number = await easee.start()
    await easee.status(1, "Charging")
    begin = dt_util.utcnow().replace(microsecond=0)
    end = begin + timedelta(hours=2)
    await act(
        hass,
        "set_charging_profile",
        id=5711,
        connector=1,
        purpose="TxProfile",
        kind="Absolute",
        stack_level=0,
        duration="02:00:00",
        valid_from=begin.isoformat(),
        valid_to=end.isoformat(),
        periods=[{"start": 0, "limit": 0}],
    )
    payload = easee.calls("SetChargingProfile")[-1]
    profile = payload["csChargingProfiles"]
    schedule = profile["chargingSchedule"]
    assert payload["connectorId"] == 1
    assert profile["transactionId"] == number
    assert (profile["stackLevel"], profile["chargingProfileKind"]) == (0, "Absolute")
    assert (schedule["chargingRateUnit"], schedule["duration"]) == ("A", 7200)
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 0}]
    for text in (profile["validFrom"], profile["validTo"], schedule["startSchedule"]):
        assert datetime.fromisoformat(text).microsecond == 0
    for answer in ("Accepted", "Unknown"):
        easee.answers["ClearChargingProfile"] = {"status": answer}
        cleared = await act(hass, "clear_charging_profile", id=5711)
        assert cleared["status"] == "accepted"


@pytest.mark.conformance("EASEE_N8")
@pytest.mark.parametrize("vendor", ["easee", "easee-cloud"])
async def test_a_pause_of_ours_is_followed(dial: Dialled, vendor: str) -> None:
    """The limit of 0 A holds a vehicle back, and its session goes on."""
    drive = await dial(vendor=vendor)
    await drive.charge()
    assert await drive.limit(0) in {"accepted", "confirmed"}
    await drive.pass_time(600)
    assert drive.station.offered() == 0
    assert drive.station.connectors[1].transaction is not None
    for action, payload in drive.station.received:
        if action == "SetChargingProfile":
            start = payload["csChargingProfiles"]["chargingSchedule"]["startSchedule"]
            assert datetime.fromisoformat(start).microsecond == 0


@pytest.mark.conformance("EASEE_N10")
async def test_what_charges_because_charging_is_free_is_not_remembered(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    easee: Charger,
) -> None:
    """Accepted, and expired at once: its cache holds nothing when the switch is off."""
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    keep(hass, init_integration, "04AABBCC")
    assert await authorized(easee, "04AABBCC") == {"status": "Accepted"}
    await switch(hass, SERVICE_TURN_ON)
    for told in (
        await authorized(easee, "04112233"),
        (await started(easee, "FreeCharging"))["idTagInfo"],
    ):
        assert told["status"] == "Accepted"
        expires = datetime.fromisoformat(told["expiryDate"])
        assert abs(dt_util.utcnow() - expires) < timedelta(minutes=1)


@pytest.mark.conformance("EASEE_N12")
async def test_what_a_set_up_asks_for(easee: Charger) -> None:
    """Energy, power, currents and voltages every 30 s, and how things stand now."""
    written = changed(easee)
    listed = written["MeterValuesSampledData"].split(",")
    wanted = ["Energy.Active.Import.Register", "Power.Active.Import"]
    assert {*wanted, "Current.Import", "Voltage"} <= set(listed)
    assert written["MeterValueSampleInterval"] == "30"
    triggers = easee.calls("TriggerMessage")
    for message in ("StatusNotification", "MeterValues"):
        assert {"requestedMessage": message, "connectorId": 1} in triggers
