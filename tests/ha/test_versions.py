"""Versions of OCPP: which one is spoken, and chargers that change theirs."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .charger import Charger
from .charger_v2 import Charger2
from .conftest import IDENTITY, set_up
from .entities import act, device_id, flush, state
from custom_components.ev_charger_hub.const import CONF_PROTOCOL
from custom_components.ev_charger_hub.hub import OcppHub

ALL = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")
STATUS = "CP01_1_status"
LIMIT = "CP01_1_current_limit"

type Dial = Callable[[str], Awaitable[Charger]]
"""Has the charger come, booted and available, with an OCPP version."""


@pytest.fixture
async def dial(hass: HomeAssistant, hub: OcppHub) -> AsyncGenerator[Dial]:
    """Return what has one charger come with a version, after it left."""
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    url = f"ws://127.0.0.1:{hub.port}/ocpp"
    present: list[Charger] = []

    async def dialled(version: str) -> Charger:
        for gone in present:
            await gone.close()
        # What set-up found before is no sign that it has come to its end again.
        hub.stations[IDENTITY].station.findings.clear()
        if version == "1.6":
            charger = await Charger(identity=IDENTITY, url=url).connect()
            present[:] = [charger]
            await charger.boot(firmwareVersion="1.6.0")
            await charger.status(1, "Available")
        else:
            second = Charger2(identity=IDENTITY, url=url, version=version)
            charger = await second.connect()
            present[:] = [charger]
            await second.boot(
                vendorName="Acme",
                model="Wall One",
                serialNumber="SN-0001-4711",
                firmwareVersion=f"{version}.0",
            )
            await second.connector_status("Available")
        await set_up(hub, charger)
        await flush(hass)
        return charger

    yield dialled
    for charger in present:
        await charger.close()


@pytest.mark.parametrize("offered", [ALL, ALL[::-1]])
async def test_the_newest_common_version_is_spoken(
    hass: HomeAssistant, hub: OcppHub, offered: tuple[str, ...]
) -> None:
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = Charger2(identity=IDENTITY, url=f"ws://127.0.0.1:{hub.port}/ocpp")
    try:
        await charger.connect(protocols=offered)
        await charger.boot()
        await flush(hass)
        assert state(hass, "sensor", "CP01_protocol_version") == "2.1"
    finally:
        await charger.close()


@pytest.mark.parametrize(
    ("pin", "version"), [("ocpp2.0.1", "2.0.1"), ("ocpp1.6", "1.6")]
)
async def test_a_charger_is_held_to_a_version(
    hass: HomeAssistant, hub: OcppHub, pin: str, version: str
) -> None:
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    url = f"ws://127.0.0.1:{hub.port}/ocpp"
    charger = Charger2(identity=IDENTITY, url=url)
    old = Charger(identity=IDENTITY, url=url)
    try:
        await charger.connect(protocols=ALL)
        await charger.boot()
        (subentry,) = hub.entry.subentries.values()
        hass.config_entries.async_update_subentry(
            hub.entry, subentry, data={**subentry.data, CONF_PROTOCOL: pin}
        )
        # It has to come again, because it speaks another version.
        assert await charger.closed() is not None
        await charger.close()
        again = old if version == "1.6" else charger
        await again.connect(protocols=ALL)
        await again.boot()
        await flush(hass)
        assert state(hass, "sensor", "CP01_protocol_version") == version
    finally:
        await charger.close()
        await old.close()


async def test_a_charger_keeps_everything_while_its_version_changes(
    hass: HomeAssistant,
    dial: Dial,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    first = await dial("1.6")
    transaction_id = await first.start(meter=1000)
    await first.stop(transaction_id, 3000)
    await act(hass, "set_charging_limit", connector=1, limit=10)
    device = device_id(hass, IDENTITY)
    before = {
        one.unique_id: one.entity_id
        for one in er.async_entries_for_device(
            entity_registry, device, include_disabled_entities=True
        )
    }
    for number, version in enumerate(("2.0.1", "2.1", "1.6", "2.1"), 1):
        charger = await dial(version)
        assert state(hass, "sensor", "CP01_protocol_version") == version
        assert state(hass, "sensor", STATUS) == "available"
        assert device_id(hass, IDENTITY) == device
        found = device_registry.async_get(device)
        assert isinstance(found, dr.DeviceEntry)
        assert found.sw_version == f"{version}.0"
        after = {one.unique_id: one for one in entity_registry.entities.values()}
        for unique_id, entity_id in before.items():
            assert after[unique_id].entity_id == entity_id, unique_id
            assert after[unique_id].device_id == device
        # The limit that was set before holds in the words of the new version.
        assert float(state(hass, "number", LIMIT)) == 10
        profile = charger.calls("SetChargingProfile")[-1]
        assert ("evseId" in profile) == (version != "1.6")
        if isinstance(charger, Charger2):
            key = "session-" + str(number)
            await charger.begin(key)
            await charger.event("Ended", key, 1, energy=1500)
        else:
            await charger.stop(await charger.start(meter=1000), 1500)
        sessions = (await act(hass, "get_sessions"))["sessions"]
        assert len(sessions) == number + 1
        assert [one["energy"] for one in sessions] == [*[500] * number, 2000]
        assert {one["state"] for one in sessions} == {"closed"}


async def test_a_session_that_was_open_under_another_version_ends_as_it_is_known(
    hass: HomeAssistant, dial: Dial
) -> None:
    first = await dial("1.6")
    transaction_id = await first.start(meter=1000)
    register = {"value": "1800", "measurand": "Energy.Active.Import.Register"}
    await first.meter(1, [register], transaction_id)
    second = await dial("2.0.1")
    assert isinstance(second, Charger2)
    (session,) = (await act(hass, "get_sessions"))["sessions"]
    assert session["transaction_id"] == str(transaction_id)
    await second.begin("tx-new", energy=5000)
    new, old = (await act(hass, "get_sessions"))["sessions"]
    assert (old["state"], old["energy"]) == ("lost", 800)
    assert (new["state"], new["transaction_id"]) == ("open", "tx-new")
    await act(hass, "stop_charging")
    assert second.calls("RequestStopTransaction") == [{"transactionId": "tx-new"}]


async def test_what_was_learnt_under_one_version_is_not_believed_in_another(
    hass: HomeAssistant, hub: OcppHub, dial: Dial
) -> None:
    await dial("1.6")
    await act(hass, "set_charging_limit", connector=1, limit=10)
    limiter = hub.stations[IDENTITY].limiter
    assert limiter.learnt.purposes
    assert limiter.learnt.charger[-1] == "1.6"
    hub.stations[IDENTITY].station.speak("2.0.1")
    assert limiter.learnt.purposes == {}
