"""Local OCPP at its edges: what was there before, other names, and who goes meanwhile."""

from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.x509 import DNSName
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.util import dt as dt_util

from .easee import other_easee_entry
from .easee_local import HOST, Mover
from .local_window import two_addresses
from custom_components.ev_charger_hub.const import (
    CONF_CERTIFICATE,
    CONF_CERTIFICATE_KEY,
    CONF_NAMES,
    CONF_PASSWORD_HASH,
    CONF_TLS,
    DOMAIN,
)
from custom_components.ev_charger_hub.easee.local_problems import Check
from custom_components.ev_charger_hub.easee.local_progress import FACT, Stage, Trouble
from custom_components.ev_charger_hub.easee_local import LocalCharging, LocalStatus
from custom_components.ev_charger_hub.easee_local_address import async_suggested_urls
from custom_components.ev_charger_hub.easee_local_errors import LocalRefused
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.settings import async_chargers
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.journal import Journal
from simulators.easee_cloud import Charger, EaseeCloud
from simulators.easee_cloud.seed import CHARGER
from tests.ocpp.certificates import ec_key
from tests.ocpp.test_tls import write as write_certificate

STORES = "/local-ocpp/v1/connection-details/"


@pytest.fixture
def easee_epoch() -> datetime:
    """Return the present: chargers that dial in know no other time."""
    return dt_util.utcnow()


@pytest.fixture
def url(hub: OcppHub) -> str:
    """Return the address of the server."""
    return f"ws://{HOST}:{hub.port}"


@pytest.fixture
def charger(easee_cloud: EaseeCloud) -> Charger:
    """Return the charger in the cloud."""
    return easee_cloud.chargers[CHARGER]


async def begin(mover: Mover, hub: OcppHub) -> None:
    """Begin to move the charger."""
    await mover.hub.local.begin(
        CHARGER,
        hub.entry,
        f"ws://{HOST}:{hub.port}",
        confirmed={Check.ADDRESS_ELSEWHERE},
    )


@pytest.fixture
async def moved(mover: Mover, hub: OcppHub) -> Mover:
    """Return a charger that has been moved here."""
    await begin(mover, hub)
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    await mover.home.passes(15)
    return mover


def issues(hass: HomeAssistant) -> list[str]:
    """Return the issues of local OCPP that are raised."""
    return [
        issue_id
        for domain, issue_id in ir.async_get(hass).issues
        if domain == DOMAIN and issue_id.startswith("easee_local")
    ]


def devices(hass: HomeAssistant) -> int:
    """Return how many devices are the charger."""
    return sum(one.serial_number == CHARGER for one in dr.async_get(hass).devices)


async def test_charger_that_was_there_before_stays_when_it_is_undone(
    hass: HomeAssistant, mover: Mover, hub: OcppHub
) -> None:
    hub.approve(CHARGER, "Mine", "a hash")
    await hass.async_block_till_done()
    await mover.home.settle()
    await begin(mover, hub)
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    assert async_chargers(hub.entry)[CHARGER].data[CONF_PASSWORD_HASH] != "a hash"
    await mover.hub.local.undo(CHARGER)
    await mover.until(lambda: mover.progress is None)
    await mover.home.passes(90)
    subentry = async_chargers(hub.entry)[CHARGER]
    assert subentry.title == "Mine"
    assert subentry.data[CONF_PASSWORD_HASH] == "a hash"


async def test_charger_that_is_moved_again_before_it_has_left_leaves_later(
    mover: Mover, hub: OcppHub, moved: Mover
) -> None:
    """What is there then is what was made the first time."""
    local: LocalCharging = mover.hub.local
    await local.undo(CHARGER)
    for _ in range(300):
        await mover.home.passes(0.2)
        try:
            await begin(mover, hub)
        except LocalRefused:
            continue
        break
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    await local.undo(CHARGER)
    await mover.until(lambda: CHARGER in mover.hub.stations)
    assert not hub.entry.subentries


async def test_what_is_adopted_may_have_another_name(
    hass: HomeAssistant, moved: Mover, hub: OcppHub, charger: Charger, url: str
) -> None:
    """By which no server knows it yet."""
    moved.home.cloud.local_ocpp.foreign_change(
        charger, url, chargePointId="garage", basicAuthPassword="bythehandoftheuser"
    )
    await moved.hub.local.charger(CHARGER).inspect()
    assert moved.is_troubled_by(Trouble.FOREIGN)
    await moved.hub.local.adopt(CHARGER)
    await moved.until(lambda: moved.stage is Stage.VERIFIED)
    await moved.home.settle()
    assert [*async_chargers(hub.entry)] == ["garage"]
    assert devices(hass) == 1
    await moved.hub.local.undo(CHARGER)
    await moved.until(lambda: moved.progress is None)
    await moved.home.passes(90)
    assert not hub.entry.subentries
    assert devices(hass) == 1
    assert "garage" in moved.hub.stations
    assert CHARGER not in moved.hub.stations


async def test_what_is_adopted_may_have_another_password(
    moved: Mover, hub: OcppHub, charger: Charger, url: str
) -> None:
    """The server lets it in by that from then on."""
    moved.home.cloud.local_ocpp.foreign_change(
        charger, url, basicAuthPassword="bythehandoftheuser"
    )
    await moved.hub.local.charger(CHARGER).inspect()
    assert moved.is_troubled_by(Trouble.FOREIGN)
    await moved.hub.local.adopt(CHARGER)
    await moved.until(lambda: moved.stage is Stage.VERIFIED)
    await moved.until(lambda: hub.stations[CHARGER].station.local.value)
    # What it dialed with before is not what it dials with now.
    await moved.home.passes(15)
    await moved.until(lambda: hub.stations[CHARGER].station.local.value)
    await moved.hub.local.undo(CHARGER)
    await moved.until(lambda: CHARGER in moved.hub.stations)
    assert not hub.entry.subentries


@pytest.mark.parametrize("removed", [False, True])
async def test_undone_without_the_server(
    hass: HomeAssistant, moved: Mover, hub: OcppHub, removed: bool
) -> None:
    entry = hub.entry
    if removed:
        await hass.config_entries.async_remove(entry.entry_id)
    else:
        await hass.config_entries.async_set_disabled_by(
            entry.entry_id, ConfigEntryDisabler.USER
        )
    await moved.home.passes(5)
    await moved.hub.local.undo(CHARGER)
    await moved.until(lambda: moved.progress is None)
    await moved.home.passes(90)
    assert not async_chargers(entry) or removed
    assert CHARGER in moved.hub.stations
    assert devices(hass) == 1
    assert not issues(hass)
    found = moved.home.cloud.journal.find("POST", STORES)
    assert [one.body["connectivityMode"] for one in found] == [
        "DualProtocol",
        "OcppOff",
    ]
    assert await moved.hub.journal.load(CHARGER, "easee_local_place") is None


@pytest.mark.parametrize("seconds", [0, 1, 3, 10])
async def test_account_that_is_removed_in_the_midst_leaves_nothing_to_decide(
    hass: HomeAssistant, mover: Mover, hub: OcppHub, charger: Charger, seconds: int
) -> None:
    """The server keeps what dials it."""
    await begin(mover, hub)
    await mover.home.passes(seconds)
    if seconds == 10:
        mover.home.cloud.local_ocpp.foreign_change(charger, "ws://127.0.0.1:1")
        await mover.hub.local.charger(CHARGER).inspect()
        assert issues(hass)
    await hass.config_entries.async_remove(mover.hub.entry.entry_id)
    await hass.async_block_till_done()
    assert not issues(hass)
    assert [*async_chargers(hub.entry)] == [CHARGER]
    assert CHARGER in hub.stations


async def test_account_that_cannot_read_how_far_it_is_looks_again(
    hass: HomeAssistant,
    mover: Mover,
    hub: OcppHub,
    moved: Mover,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Or it would begin anew."""
    entry = mover.hub.entry
    await hass.config_entries.async_unload(entry.entry_id)
    load = Journal.load

    async def broken(self: Journal, identity: str, name: str) -> Any:
        if name == FACT:
            raise JournalError("the disk is tired")
        return await load(self, identity, name)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "load", broken)
        await hass.config_entries.async_setup(entry.entry_id)
        await mover.home.settle()
        mover.hub = entry.runtime_data
        assert CHARGER not in mover.hub.local.chargers
    caplog.clear()
    mover.hub.look_again()
    await mover.home.settle()
    assert mover.status is LocalStatus.CONNECTED


@pytest.mark.parametrize("seconds", [0, 2, 20])
@pytest.mark.parametrize("way", ["removed", "unloaded", "lost"])
async def test_another_account_goes_on_with_what_one_began(
    hass: HomeAssistant, mover: Mover, hub: OcppHub, seconds: int, way: str
) -> None:
    """One of them at a time looks after it."""
    first, cloud = mover.hub, mover.home.cloud
    other = await mover.home.set_up(other_easee_entry(cloud))
    assert other is not None
    assert CHARGER not in other.local.chargers
    await begin(mover, hub)
    await mover.home.passes(seconds)
    assert CHARGER not in other.local.chargers
    if way == "removed":
        await hass.config_entries.async_remove(first.entry.entry_id)
    elif way == "unloaded":
        await hass.config_entries.async_unload(first.entry.entry_id)
    else:
        cloud.tokens.accounts[0].sites.remove(1)
        await first.account.discover()
    await mover.home.settle()
    assert CHARGER not in first.local.chargers
    mover.hub = other
    # One that is connected already may say nothing before its next heartbeat.
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    found = cloud.journal.find("POST", STORES)
    assert [one.body["connectivityMode"] for one in found] == ["DualProtocol"]
    await other.local.undo(CHARGER)
    await mover.until(lambda: CHARGER in other.stations, 200)
    assert not hub.entry.subentries
    assert devices(hass) == 1


async def test_address_with_the_serial_number_has_it_once(
    mover: Mover, hub: OcppHub, url: str
) -> None:
    """As it is typed into chargers that do not add it."""
    await mover.hub.local.begin(
        CHARGER, hub.entry, f"{url}/{CHARGER}/", confirmed={Check.ADDRESS_ELSEWHERE}
    )
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    (stored,) = mover.home.cloud.journal.find("POST", STORES)
    assert stored.body["websocketConnectionArgs"]["url"] == url


async def test_only_what_the_certificate_names_is_suggested(
    hass: HomeAssistant,
    mover: Mover,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No charger trusts a server by another address."""
    monkeypatch.setattr(
        "custom_components.ev_charger_hub.easee_local_address.async_get_adapters",
        two_addresses,
    )
    names = (DNSName("ev.example"),)
    certificate, key = write_certificate(tmp_path, ec_key(), names=names)
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={
            CONF_HOST: "0.0.0.0",
            CONF_PORT: 9000,
            CONF_TLS: "files",
            CONF_CERTIFICATE: str(certificate),
            CONF_CERTIFICATE_KEY: str(key),
            CONF_NAMES: ["ev.example"],
        },
    )
    found = await async_suggested_urls(hass, entry, CHARGER)
    good, *bad = found
    assert good.url == "wss://ev.example:9000"
    assert good.possible
    assert f"wss://{HOST}:9000" in [one.url for one in bad]
    assert not any(one.possible for one in bad)
    assert Check.CERTIFICATE_DOMAIN in {
        problem.check for one in bad for problem in one.problems
    }
