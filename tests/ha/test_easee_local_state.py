"""Local OCPP in the options of an account: how it stands, and what may be decided."""

from collections.abc import AsyncGenerator
from datetime import datetime

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import (
    EVENT_DATA_ENTRY_FLOW_PROGRESSED,
    FlowResultType,
)
from homeassistant.util import dt as dt_util

from .easee import EaseeHome
from .easee_local import HOST, Mover, house_dialer
from .local_window import Window, address_of, new_server, two_addresses
from .profiles import PACKAGE
from custom_components.ev_charger_hub.easee.local_details import Details
from custom_components.ev_charger_hub.easee.local_progress import (
    Goal,
    Progress,
    Stage,
    Trouble,
)
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from custom_components.ev_charger_hub.easee_local import LocalStatus
from custom_components.ev_charger_hub.hub import OcppHub
from simulators.easee_cloud.dialer import Dialer
from simulators.easee_cloud.faults import Fault
from simulators.easee_cloud.seed import CHARGER

STORE = "/local-ocpp/v1/connection-details/"
TOLD_THRICE = 70
"""Minutes after which a charger that does not come is told no more."""


@pytest.fixture
def easee_epoch() -> datetime:
    """Return the present: chargers that dial in know no other time."""
    return dt_util.utcnow()


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a machine in the network of the house."""
    monkeypatch.setattr(
        f"{PACKAGE}.easee_local_address.async_get_adapters", two_addresses
    )


@pytest.fixture
def server_entry() -> MockConfigEntry:
    """Return the entry of a server at all addresses of this machine."""
    return new_server()


@pytest.fixture
async def dialer(easee_home: EaseeHome) -> AsyncGenerator[Dialer]:
    """Return what lets the chargers of the cloud dial in."""
    dialer = house_dialer(easee_home.cloud)
    yield dialer
    await dialer.close()


@pytest.fixture
def mover(easee_home: EaseeHome, easee_hub: EaseeHub) -> Mover:
    """Return the charger that is moved."""
    return Mover(easee_home, easee_hub)


@pytest.fixture
def window(easee_home: EaseeHome, easee_entry: MockConfigEntry) -> Window:
    """Return the window of options, which is closed."""
    return Window(easee_home, easee_entry)


@pytest.fixture
async def moved(window: Window, mover: Mover, hub: OcppHub, dialer: Dialer) -> Mover:
    """Return a charger that has been moved in the window."""
    await window.begin()
    await mover.until(lambda: mover.stage is Stage.VERIFIED)
    await window.look()
    assert window.shows == "local_done"
    return mover


async def comes_back(mover: Mover, hub: OcppHub) -> None:
    """Let a charger dial that was told to, and have something to say there.

    One that comes back does not boot, and may be silent until its next heartbeat.
    """
    await mover.until(lambda: mover.stage is not Stage.STORED)
    await mover.home.passes(10)
    await mover.until(lambda: hub.stations[CHARGER].station.local.value)
    mover.home.cloud.chargers[CHARGER].plug_in()
    await mover.reaches(LocalStatus.CONNECTED)


async def in_vain(mover: Mover) -> None:
    """Let a charger be told again and again, without coming."""
    for _ in range(TOLD_THRICE):
        await mover.home.passes(60)
    assert mover.status is LocalStatus.TROUBLE


# While it goes on


async def test_a_window_that_is_closed_ends_nothing(
    window: Window, mover: Mover, hub: OcppHub, dialer: Dialer
) -> None:
    """Who opens it again sees how far it is, and may watch on."""
    await window.begin()
    window.close()
    await mover.home.passes(1)
    await window.open()
    assert window.shows == "local_state"
    assert window.choices == ["local_progress", "local_undo"]
    await window.choose("local_progress")
    assert window.result["type"] is FlowResultType.SHOW_PROGRESS
    await mover.reaches(LocalStatus.CONNECTED)
    await window.look()
    assert window.shows == "local_state"
    assert window.choices == ["local_look", "local_undo"]


async def test_nobody_watches_for_ever(
    window: Window, mover: Mover, hub: OcppHub
) -> None:
    """A charger that does not come is left to itself after six minutes."""
    await window.begin()
    await mover.reaches(LocalStatus.WAITING)
    await window.look()
    assert window.result["progress_action"] == "local_waiting"
    for _ in range(7):
        await mover.home.passes(60)
    await window.look()
    assert window.shows == "local_state"
    assert window.choices == ["local_progress", "local_undo"]
    assert "has not come yet" in window.said("state")
    assert "none" not in window.said("state")
    await window.choose("local_progress")
    assert window.result["type"] is FlowResultType.SHOW_PROGRESS


async def test_a_window_that_opens_misses_no_change(
    hass: HomeAssistant, window: Window, mover: Mover, hub: OcppHub
) -> None:
    """The frontend listens only once it shows the page; what came before is lost."""
    heard = async_capture_events(hass, EVENT_DATA_ENTRY_FLOW_PROGRESSED)
    await window.begin()
    assert await mover.reaches(LocalStatus.WAITING) < 3
    assert heard == []
    await mover.home.passes(3)
    assert [one.data["flow_id"] for one in heard] == [window.result["flow_id"]]


async def test_an_account_that_is_loaded_again_goes_on(
    hass: HomeAssistant, window: Window, mover: Mover, hub: OcppHub, dialer: Dialer
) -> None:
    """The window shows what comes of it, though all is new."""
    await window.begin()
    await mover.reaches(LocalStatus.WAITING)
    await hass.config_entries.async_reload(window.entry.entry_id)
    await mover.home.settle()
    mover.hub = window.entry.runtime_data
    await window.look()
    assert window.shows in {"local_progress", "local_state"}
    await mover.reaches(LocalStatus.CONNECTED)
    await window.open()
    assert window.choices == ["local_look", "local_undo"]


async def test_what_is_undone_while_it_goes_on_is_undone(
    window: Window, mover: Mover, hub: OcppHub, dialer: Dialer
) -> None:
    await window.begin()
    window.close()
    await window.open()
    await window.choose("local_undo")
    await window.submit()
    await mover.reaches(LocalStatus.OFF)
    await window.look()
    assert window.shows == "local_undone"
    await mover.home.passes(120)
    assert CHARGER in mover.hub.stations
    assert not hub.entry.subentries


# Trouble


async def test_a_charger_that_does_not_come_is_told_of(
    window: Window, mover: Mover, hub: OcppHub
) -> None:
    """With what to look at; then it can be tried again, and undone."""
    await window.begin()
    await in_vain(mover)
    await window.open()
    assert window.choices == ["local_retry", "local_undo"]
    assert f"told three times to connect to {address_of(hub)}" in window.said("state")
    await window.choose("local_retry")
    assert window.result["type"] is FlowResultType.SHOW_PROGRESS
    window.close()
    await window.open()
    await window.choose("local_undo")
    await window.submit()
    await mover.reaches(LocalStatus.OFF)
    await window.look()
    assert window.shows == "local_undone"


async def test_it_comes_when_it_is_tried_again(
    window: Window, mover: Mover, hub: OcppHub, easee_home: EaseeHome
) -> None:
    """After the firewall was opened, say."""
    await window.begin()
    await in_vain(mover)
    dialer = house_dialer(easee_home.cloud)
    await window.open()
    await window.choose("local_retry")
    await mover.reaches(LocalStatus.CONNECTED)
    await window.look()
    assert window.shows == "local_done"
    await dialer.close()


async def test_what_somebody_else_changes_is_theirs(
    window: Window, moved: Mover, hub: OcppHub
) -> None:
    """It can be left, and is not touched."""
    cloud = moved.home.cloud
    cloud.local_ocpp.foreign_change(cloud.chargers[CHARGER], "ws://other.example/x")
    stored = len(cloud.journal.find("POST", STORE))
    await moved.hub.local.charger(CHARGER).inspect()
    await window.open()
    assert window.choices == ["local_adopt", "local_retry", "local_leave"]
    assert "`other.example`" in window.said("state")
    await window.choose("local_leave")
    assert window.shows == "local_leave"
    await window.submit()
    assert window.shows == "local_left"
    assert len(cloud.journal.find("POST", STORE)) == stored


async def test_what_somebody_else_switched_off_leads_nowhere(
    window: Window, moved: Mover
) -> None:
    """To adopt that is to have undone it."""
    cloud = moved.home.cloud
    cloud.local_ocpp.foreign_change(
        cloud.chargers[CHARGER], "ws://other.example/x", mode="OcppOff"
    )
    await moved.hub.local.charger(CHARGER).inspect()
    await window.open()
    assert "It leads nowhere now." in window.said("state")
    await window.choose("local_adopt")
    await window.submit(ours=True)
    await moved.until(lambda: moved.progress is None)
    await window.look()
    assert window.shows == "local_undone"


async def test_what_somebody_else_changed_back_can_go_on(
    window: Window, moved: Mover, hub: OcppHub
) -> None:
    cloud = moved.home.cloud
    charger, ours = cloud.chargers[CHARGER], cloud.local_ocpp.stored[CHARGER]
    cloud.local_ocpp.foreign_change(charger, "ws://other.example/x")
    await moved.hub.local.charger(CHARGER).inspect()
    cloud.local_ocpp.foreign_change(charger, ours.url, basicAuthPassword=ours.password)
    await window.open()
    await window.choose("local_retry")
    await comes_back(moved, hub)
    await window.look()
    assert window.shows == "local_done"


async def test_what_was_lost_is_stored_again(
    window: Window, moved: Mover, hub: OcppHub
) -> None:
    """Another operator came and went (S33)."""
    cloud = moved.home.cloud
    cloud.pair_operator(CHARGER, 42)
    cloud.pair_operator(CHARGER, 1)
    await moved.hub.local.charger(CHARGER).inspect()
    await window.open()
    assert window.choices == ["local_retry", "local_undo"]
    assert "has forgotten" in window.said("state")
    await window.choose("local_retry")
    await comes_back(moved, hub)
    await window.look()
    assert window.shows == "local_done"


async def test_a_charger_that_was_deleted_at_its_server_is_let_in_again(
    hass: HomeAssistant, window: Window, moved: Mover, hub: OcppHub
) -> None:
    """Or it cannot, if the server is gone as well."""
    (subentry_id,) = hub.entry.subentries
    hass.config_entries.async_remove_subentry(hub.entry, subentry_id)
    await hass.async_block_till_done()
    await moved.home.settle()
    await window.open()
    assert "was deleted from its OCPP server" in window.said("state")
    await window.choose("local_retry")
    await comes_back(moved, hub)
    await window.look()
    assert window.shows == "local_done"
    assert CHARGER in hub.stations

    await hass.config_entries.async_remove(hub.entry.entry_id)
    await moved.home.settle()
    await window.open()
    await window.choose("local_retry")
    assert window.shows == "local_retry"
    assert window.errors == {"base": "local_no_server"}


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize("trouble", Trouble)
async def test_every_trouble_has_words_and_ways_out(
    window: Window, mover: Mover, trouble: Trouble, goal: Goal
) -> None:
    """Among them one that ends it."""
    details = Details(url=f"ws://{HOST}:9000", identity=CHARGER)
    progress = Progress(
        goal=goal, details=details, settings={}, trouble=trouble, detail="Some `one`"
    )
    mover.hub.local.progress(CHARGER).set(progress)
    await window.open()
    assert window.said("state").startswith("**")
    assert "Garage" in window.said("state")
    assert "{" not in window.said("state")
    assert {"local_undo", "local_leave"} & {*window.choices}
    mover.hub.local.progress(CHARGER).set(None)


# What was there before


async def test_what_a_user_did_by_hand_is_adopted(
    window: Window, mover: Mover, hub: OcppHub, dialer: Dialer
) -> None:
    """Nothing is stored; from then on it can be undone like any other."""
    cloud = mover.home.cloud
    cloud.local_ocpp.foreign_change(
        cloud.chargers[CHARGER], address_of(hub), basicAuthPassword="a" * 16
    )
    stored = len(cloud.journal.find("POST", STORE))
    await window.open()
    assert window.shows == "local_stopped"
    assert window.choices == ["local_checks", "local_adopt"]
    await window.choose("local_adopt")
    assert window.shows == "local_adopt"
    assert window.said("host") == HOST
    assert window.fields == {}
    await window.submit()
    await mover.reaches(LocalStatus.CONNECTED)
    await window.look()
    assert window.shows == "local_done"
    assert hub.stations[CHARGER].station.local.value
    assert len(cloud.journal.find("POST", STORE)) == stored


async def test_what_leads_elsewhere_is_not_adopted_by_mistake(
    window: Window, moved: Mover, hub: OcppHub
) -> None:
    """Undoing it later would take it from somebody else."""
    cloud = moved.home.cloud
    cloud.local_ocpp.foreign_change(cloud.chargers[CHARGER], "ws://other.example/x")
    await window.open()
    await window.choose("local_look")
    assert "`other.example`" in window.said("state")
    await window.choose("local_adopt")
    assert window.fields == {"ours": None}
    await window.submit(ours=False)
    assert window.errors == {"ours": "local_not_ours"}
    assert moved.status is LocalStatus.TROUBLE
    await window.submit(ours=True)
    assert window.shows == "local_progress"
    assert window.said("url") == "ws://other.example/x"


async def test_the_state_knows_whether_it_is_connected_now(
    window: Window, moved: Mover, hub: OcppHub, dialer: Dialer
) -> None:
    await window.open()
    assert "It is connected now" in window.said("state")
    window.close()
    dialer.hang_up(moved.home.cloud.chargers[CHARGER])
    await moved.until(lambda: not hub.stations[CHARGER].station.local.value)
    await window.open()
    assert "not connected just now" in window.said("state")
    await window.choose("local_look")
    assert window.shows == "local_state"
    assert window.choices == ["local_look", "local_undo"]


async def test_where_it_is_adopted_is_chosen(
    hass: HomeAssistant, window: Window, mover: Mover, hub: OcppHub
) -> None:
    """If there are several servers, and none has it."""
    other = new_server("Carport server", "01JEVCHARGERHUB00000000002")
    other.add_to_hass(hass)
    await hass.config_entries.async_setup(other.entry_id)
    cloud = mover.home.cloud
    cloud.local_ocpp.foreign_change(cloud.chargers[CHARGER], f"ws://{HOST}:9000")
    await window.open()
    await window.choose("local_adopt")
    assert list(window.fields) == ["server"]
    await window.submit(server=other.entry_id)
    assert window.shows == "local_progress"
    assert CHARGER in other.runtime_data.stations


async def test_a_cloud_that_does_not_answer_adopts_nothing(
    window: Window, mover: Mover, hub: OcppHub
) -> None:
    cloud = mover.home.cloud
    cloud.local_ocpp.foreign_change(cloud.chargers[CHARGER], address_of(hub))
    await window.open()
    await window.choose("local_adopt")
    cloud.faults.add(Fault(pattern=STORE, status=403))
    await window.submit()
    assert window.shows == "local_adopt"
    assert window.errors == {"base": "forbidden"}


async def test_what_was_decided_elsewhere_meanwhile_is_not_decided_twice(
    window: Window, moved: Mover, hub: OcppHub
) -> None:
    await window.open()
    await window.choose("local_undo")
    await moved.hub.local.undo(CHARGER)
    await moved.reaches(LocalStatus.OFF)
    await window.submit()
    assert window.errors == {"base": "local_not_moved"}


async def test_a_charger_that_went_meanwhile_is_not_undone(
    hass: HomeAssistant, window: Window, moved: Mover, hub: OcppHub
) -> None:
    await window.open()
    await window.choose("local_undo")
    await hass.config_entries.async_unload(window.entry.entry_id)
    await window.submit()
    assert window.shows == "account_not_running"


async def test_a_look_that_fails_says_so(
    window: Window, moved: Mover, hub: OcppHub
) -> None:
    await window.open()
    moved.home.cloud.faults.add(Fault(pattern=STORE, status=403))
    await window.choose("local_look")
    assert window.shows == "local_look"
    assert window.errors == {"base": "forbidden"}
    await window.submit()
    assert window.shows == "local_state"


async def test_what_it_may_do_is_changed_at_its_server(
    hass: HomeAssistant, window: Window, moved: Mover, hub: OcppHub
) -> None:
    """The account would keep what nobody obeys."""
    options = hass.config_entries.options
    shown = await options.async_init(window.entry.entry_id)
    chosen = {"next_step_id": "charger"}
    await options.async_configure(shown["flow_id"], chosen)
    told = await options.async_configure(shown["flow_id"], {"charger": CHARGER})
    assert told["reason"] == "charger_at_server"
    assert told["description_placeholders"] == {
        "charger": "Garage",
        "server": hub.entry.title,
    }
