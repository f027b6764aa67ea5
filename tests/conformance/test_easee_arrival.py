"""Easee over OCPP: how chargers arrive, boot again and again, and come all at once."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
import gc

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.util import dt as dt_util

from ..ha.charger import CONFIGURATION, PATIENCE, Charger, Refusal, now
from ..ha.conftest import IDENTITY, ChargerFactory, device_of, set_up
from ..ha.entities import act, flush, state
from ..ha.passing import leap
from .answers import sessions
from .conftest import EASEE
from custom_components.ev_charger_hub.const import CONF_PING, CONF_POLICY, DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp import boot
from custom_components.ev_charger_hub.ocpp.turnstile import PLACES
from custom_components.ev_charger_hub.ocpp.waiting import AdmissionPolicy
from custom_components.ev_charger_hub.snapshots import SNAPSHOT_DELAY

CLOUD = {**EASEE, "firmwareVersion": "344/1.8.0.0"}
START = {"connectorId": 1, "idTag": "TAG12345", "meterStart": 0}
STATUSES = {"requestedMessage": "StatusNotification", "connectorId": 1}


def runs(charger: Charger) -> int:
    """Return how often a charger was set up: each time begins with all its keys."""
    return charger.calls("GetConfiguration").count({})


def issues(hass: HomeAssistant) -> set[str | None]:
    """Return the kinds of our repair issues."""
    registry = ir.async_get(hass)
    return {
        issue.translation_key
        for (domain, _), issue in registry.issues.items()
        if domain == DOMAIN and issue.active
    }


async def reconnect(charger: Charger) -> None:
    """Lose the network for a moment."""
    await charger.close()
    await charger.connect()


@pytest.fixture
async def timeless(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, hub: OcppHub, easee: Charger
) -> Charger:
    """Return an Easee charger whose time is that of the test."""
    # In leaps of time every pong comes too late.
    hub.change_charger(IDENTITY, {CONF_PING: False})
    await hass.async_block_till_done()
    return easee


async def heard_after(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, charger: Charger, seconds: int
) -> None:
    """Let time pass, and everything happen that is due; then it says something."""
    await leap(hass, freezer, seconds, charger)
    await charger.call("Heartbeat")
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.mark.conformance("EASEE_S32")
async def test_who_waits_may_begin_nothing_and_is_asked_nothing(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> None:
    """Pending and a minute until the next boot; what is sent anyway is answered."""
    charger = await charger_ws(IDENTITY)
    answer = await charger.boot(**EASEE)
    assert (answer["status"], answer["interval"]) == ("Pending", 60)
    assert "currentTime" in await charger.call("Heartbeat")
    await charger.status(1, "Charging")
    answer = await charger.call("StartTransaction", {**START, "timestamp": now()})
    assert answer["idTagInfo"] == {"status": "Invalid"}
    with pytest.raises(Refusal) as caught:
        await charger.call("Authorize", {"idTag": "TAG12345"})
    assert caught.value.code == "SecurityError"
    assert charger.received == []
    assert device_of(hass, hub.entry) is None

    hub.approve(IDENTITY, "Garage", None)
    await charger.expect("TriggerMessage")
    assert (await charger.boot())["status"] == "Accepted"
    await set_up(hub, charger)
    await hass.async_block_till_done()
    # Nothing of what it said before is true now.
    assert await sessions(hass) == []


@pytest.mark.conformance("EASEE_S32")
async def test_who_is_refused_is_not_let_in_until_the_user_says_so(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    charger_ws: ChargerFactory,
) -> None:
    """The one that nobody wants gets no socket, so it cannot begin anything."""
    hass.config_entries.async_update_entry(
        init_integration, options={CONF_POLICY: AdmissionPolicy.REFUSE}
    )
    await hass.async_block_till_done()
    with pytest.raises(Exception, match=r"40[34]"):
        await charger_ws(IDENTITY)
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws(IDENTITY)
    assert (await charger.boot(**EASEE))["status"] == "Accepted"


@pytest.mark.conformance("EASEE_S33")
async def test_a_configuration_that_is_lost_is_written_again_by_one_set_up(
    hass: HomeAssistant, hub: OcppHub, easee: Charger
) -> None:
    """Another operator clears the keys; after the boot they are as they were."""
    wanted = dict(easee.configuration)
    assert wanted != CONFIGURATION
    easee.configuration = dict(CONFIGURATION)
    easee.received.clear()
    hub.stations[IDENTITY].station.findings.clear()
    await reconnect(easee)
    await easee.boot()
    await set_up(hub, easee)
    assert easee.configuration == wanted
    assert runs(easee) == 1


@pytest.mark.conformance("EASEE_S34")
async def test_a_boot_that_is_repeated_for_minutes_makes_one_more_set_up(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hub: OcppHub,
    timeless: Charger,
) -> None:
    """The same boot three times on one socket: all of them come to one set-up."""
    transaction_id = await timeless.start()
    await timeless.status(1, "Charging")
    timeless.received.clear()
    for _ in range(3):
        await heard_after(hass, freezer, timeless, 50)
        answer = await timeless.boot()
        assert (answer["status"], answer["interval"]) == ("Accepted", 300)
    assert runs(timeless) == 0
    hub.stations[IDENTITY].station.findings.clear()
    await heard_after(hass, freezer, timeless, 180)
    await set_up(hub, timeless)
    await heard_after(hass, freezer, timeless, 180)
    assert runs(timeless) == 1
    (session,) = await sessions(hass)
    assert (session["transaction_id"], session["state"]) == (
        str(transaction_id),
        "open",
    )


@pytest.mark.conformance("EASEE_S37")
async def test_a_network_that_flaps_leaves_nothing_behind(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hub: OcppHub,
    timeless: Charger,
) -> None:
    """A hundred reconnects in ten minutes: one device, and no task for each."""

    async def flap(times: int) -> int:
        for _ in range(times):
            await reconnect(timeless)
            await heard_after(hass, freezer, timeless, 6)
        gc.collect()
        return len(asyncio.all_tasks())

    few = await flap(5)
    entities = len(hass.states.async_all())
    assert await flap(95) <= few
    assert len(hass.states.async_all()) == entities
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), hub.entry.entry_id)
    assert [one for one in devices if (DOMAIN, IDENTITY) in one.identifiers] == [
        device_of(hass, hub.entry)
    ]
    session = hub.central_system.sessions[IDENTITY]
    assert len(session.takeovers) <= 20
    assert session.connected
    await timeless.status(1, "Charging")
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "charging"


@pytest.fixture
async def crowd(hass: HomeAssistant, hub: OcppHub) -> AsyncGenerator[list[Charger]]:
    """Return fifty approved chargers that are not there yet, all of one address."""
    identities = [f"EH{number:06}" for number in range(50)]
    for number, identity in enumerate(identities):
        hub.approve(identity, f"Bay {number}", None)
    await hass.async_block_till_done()
    chargers = [
        Charger(
            identity=identity,
            url=f"ws://127.0.0.1:{hub.port}/ocpp",
            boot_info={**CLOUD, "chargePointSerialNumber": identity},
        )
        for identity in identities
    ]
    yield chargers
    for charger in chargers:
        await charger.close()


async def came(charger: Charger) -> dict[str, object]:
    """Have a charger dial in and boot; return the answer."""
    # The proxy of a cloud leaves its traces.
    await charger.connect(headers={"X-Forwarded-For": "203.0.113.7", "Via": "1.1 pod"})
    return await charger.boot()


@pytest.mark.conformance("EASEE_S42")
@pytest.mark.conformance("EASEE_S55")
@pytest.mark.conformance("EASEE_S56")
async def test_all_chargers_of_a_cloud_come_at_once(
    hass: HomeAssistant, hub: OcppHub, crowd: list[Charger]
) -> None:
    """Nobody of one address is held off; few are set up at a time, all in the end."""
    turnstile, inside = hub.central_system.setups, []
    for charger in crowd:
        known = charger.configuration

        def tell(payload: object, known: dict[str, str] = known) -> dict[str, object]:
            inside.append(turnstile.inside)
            keys = [
                {"key": key, "readonly": False, "value": value}
                for key, value in known.items()
            ]
            return {"configurationKey": keys}

        charger.answers["GetConfiguration"] = tell
    answers = await asyncio.gather(*(came(charger) for charger in crowd))
    assert {answer["status"] for answer in answers} == {"Accepted"}
    async with asyncio.timeout(PATIENCE):
        for charger in crowd:
            await charger.status(1, "Available")
            await set_up(hub, charger)
    assert len(inside) >= len(crowd)
    assert max(inside) <= PLACES
    assert turnstile.inside == 0
    await hass.async_block_till_done()
    for charger in crowd:
        assert device_of(hass, hub.entry, charger.identity) is not None
        assert runs(charger) == 1


@pytest.mark.conformance("EASEE_S55")
async def test_the_pings_of_a_proxy_are_answered(hub: OcppHub, easee: Charger) -> None:
    """What keeps a line open that others hold."""
    await easee.close()
    async with (
        ClientSession() as session,
        session.ws_connect(
            f"{easee.url}/{IDENTITY}", protocols=("ocpp1.6",), autoping=False
        ) as ws,
    ):
        for number in range(3):
            await ws.ping(f"{number}".encode())
            while (message := await ws.receive(PATIENCE)).type != 10:
                pass
            assert message.data == f"{number}".encode()


@pytest.mark.conformance("EASEE_S58")
async def test_a_charger_in_a_boot_loop_is_left_alone(
    hass: HomeAssistant,
    hub: OcppHub,
    easee: Charger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Six restarts: two set-ups at most, an issue, and it need not hurry any more."""
    monkeypatch.setattr(boot, "REPEAT_WITHIN", timedelta(0))
    intervals = []
    for _ in range(6):
        await reconnect(easee)
        answer = await easee.boot()
        assert answer["status"] == "Accepted"
        intervals.append(answer["interval"])
        await easee.status(1, "Available")
    async_fire_time_changed(hass, dt_util.utcnow() + SNAPSHOT_DELAY)
    await hass.async_block_till_done()
    # The first one came with the approval.
    assert runs(easee) <= 2
    assert intervals[0] == 300
    assert intervals[-1] == 900
    assert "boot_loop" in issues(hass)
    easee.received.clear()
    await reconnect(easee)
    await easee.boot()
    await act(hass, "get_sessions")
    assert easee.received == []


@pytest.mark.conformance("EASEE_S58")
async def test_limits_do_not_wait_for_a_charger_to_calm_down(
    hass: HomeAssistant,
    hub: OcppHub,
    easee: Charger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The third restart within minutes: no set-up, but the limit holds again."""
    monkeypatch.setattr(boot, "REPEAT_WITHIN", timedelta(0))
    await act(hass, "set_charging_limit", limit=10)
    hub.stations[IDENTITY].station.findings.clear()
    await reconnect(easee)
    await easee.boot()
    await set_up(hub, easee)
    await hass.async_block_till_done(wait_background_tasks=True)
    easee.received.clear()
    await reconnect(easee)
    await easee.boot()
    await easee.expect("SetChargingProfile")
    assert runs(easee) == 0
