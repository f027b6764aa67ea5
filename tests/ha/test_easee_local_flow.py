"""Local OCPP in the options of an account: the guided way to a server here."""

from collections.abc import AsyncGenerator, Callable
from datetime import datetime
import json
import socket
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import dt as dt_util

from .easee import EaseeHome, easee_config_entry
from .easee_local import HOST, Mover, house_dialer
from .local_window import Window, address_of, new_server, two_addresses
from .profiles import PACKAGE
from .translations import EN
from custom_components.ev_charger_hub.const import CONF_UNKNOWN_TOKENS
from custom_components.ev_charger_hub.easee.local_problems import Check
from custom_components.ev_charger_hub.easee.local_progress import Trouble
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from custom_components.ev_charger_hub.easee_local import LocalStatus
from custom_components.ev_charger_hub.easee_local_findings import Subject
from custom_components.ev_charger_hub.easee_local_words import STOP, WARNING, WELL
from custom_components.ev_charger_hub.entries import async_servers
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.errors import JournalError
from simulators.easee_cloud import EaseeCloud
from simulators.easee_cloud.dialer import Dialer
from simulators.easee_cloud.faults import Fault
from simulators.easee_cloud.seed import CHARGER, SECOND

DAILY = {"periods": [], "timezone": "UTC", "enabled": True}
STORE = "/local-ocpp/v1/connection-details/"


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
def mover(easee_home: EaseeHome, easee_hub: EaseeHub, dialer: Dialer) -> Mover:
    """Return the charger that is moved."""
    return Mover(easee_home, easee_hub)


@pytest.fixture
def window(easee_home: EaseeHome, easee_entry: MockConfigEntry) -> Window:
    """Return the window of options, which is closed."""
    return Window(easee_home, easee_entry)


async def test_charger_is_moved_and_moved_back(
    window: Window, mover: Mover, hub: OcppHub
) -> None:
    """Every page says what it is about, and the last ones how it came out."""
    await window.open()
    assert window.shows == "local_checks"
    assert window.said("checks").count(WELL) == 6
    assert window.fields == {}
    await window.submit()
    assert window.shows == "local_address"
    assert window.fields == {"url": address_of(hub)}
    assert window.said("warnings") == ""
    await window.submit(url=address_of(hub))
    assert window.shows == "local_consequences"
    assert window.said("tokens") == "Let everybody charge"
    assert window.said("session") == ""
    assert not mover.home.cloud.journal.find("POST", STORE)
    await window.submit(charge_when_away=True)
    assert window.result["type"] is FlowResultType.SHOW_PROGRESS
    assert window.result["progress_action"] == "local_preparing"
    await mover.reaches(LocalStatus.WAITING)
    await window.look()
    assert window.result["progress_action"] == "local_waiting"
    await mover.reaches(LocalStatus.CONNECTED)
    await window.look()
    assert window.shows == "local_done"
    assert window.said("charger") == "Garage"
    assert hub.stations[CHARGER].station.local.value

    await window.open()
    assert window.shows == "local_state"
    assert window.choices == ["local_look", "local_undo"]
    assert address_of(hub) in window.said("state")
    await window.choose("local_undo")
    await window.submit()
    assert window.result["progress_action"] == "local_undoing"
    await mover.reaches(LocalStatus.OFF)
    await window.look()
    assert window.shows == "local_undone"
    assert len(mover.home.cloud.journal.find("POST", STORE)) == 2


async def test_without_a_choice_nothing_is_asked(
    easee_home: EaseeHome,
) -> None:
    """With one charger that is the one that is meant."""
    entry = easee_config_entry(options={"left_out_products": [SECOND]})
    await easee_home.set_up(entry)
    window = Window(easee_home, entry)
    await window.open()
    assert window.shows == "local_checks"


async def test_an_account_of_equalizers_has_no_charger_to_move(
    easee_home: EaseeHome,
) -> None:
    entry = easee_config_entry(options={"left_out_products": [CHARGER, SECOND]})
    await easee_home.set_up(entry)
    window = Window(easee_home, entry)
    await window.open()
    assert window.shows == "no_chargers"


async def test_without_the_account_running_nothing_can_be_moved(
    hass: HomeAssistant, window: Window, mover: Mover, hub: OcppHub
) -> None:
    """Neither from the beginning nor from the middle."""
    await window.to_consequences()
    await hass.config_entries.async_unload(window.entry.entry_id)
    await window.submit(charge_when_away=True)
    assert window.shows == "account_not_running"
    await window.open()
    assert window.shows == "account_not_running"


async def test_a_charger_that_went_meanwhile_cannot_be_moved(
    window: Window, mover: Mover, hub: OcppHub
) -> None:
    """The window says so, wherever it is."""
    await window.to_consequences()
    mover.home.cloud.sites[1].circuits[0].chargers.pop(0)
    await mover.home.restart(window.entry)
    await window.submit(charge_when_away=True)
    assert window.shows == "charger_gone"


# Whether it is ready


def observing(number: int, value: Any) -> Callable[[EaseeCloud], None]:
    """Return what has the charger report something."""
    return lambda cloud: cloud.chargers[CHARGER].observe(number, value)


def elsewhere(cloud: EaseeCloud) -> None:
    """Have somebody else use the charger."""
    cloud.local_ocpp.foreign_change(cloud.chargers[CHARGER], "ws://evil`.example/x")


@pytest.mark.parametrize(
    ("happen", "line"),
    [
        (observing(80, 327), f"{STOP} Its firmware `327` is too old"),
        (observing(141, 0), f"{STOP} It uses the mobile network"),
        (lambda cloud: cloud.chargers[CHARGER].go_offline(), f"{STOP} It is offline"),
        (
            lambda cloud: cloud.pair_operator(CHARGER, 42),
            f"{STOP} Its operator is `Operator 42`",
        ),
        (elsewhere, f"{STOP} It connects to another system already: `evil.example`"),
    ],
)
async def test_what_stops_it_is_said_until_it_is_gone(
    window: Window,
    mover: Mover,
    hub: OcppHub,
    happen: Callable[[EaseeCloud], None],
    line: str,
) -> None:
    """With what to do about it; nothing is changed."""
    happen(mover.home.cloud)
    asked = len(mover.home.cloud.journal.find("POST", STORE))
    await mover.home.settle()
    await window.open()
    assert window.shows == "local_stopped"
    assert line in window.said("checks")
    assert window.said("checks").count(WELL) == 5
    await window.choose("local_checks")
    assert window.shows == "local_stopped"
    assert len(mover.home.cloud.journal.find("POST", STORE)) == asked


@pytest.mark.parametrize(
    ("happen", "line"),
    [
        (observing(80, 330), f"{WARNING} Its firmware `330` can do this as a beta"),
        (observing(141, 7), f"{WARNING} It does not tell whether it is in your Wi-Fi"),
        (
            lambda cloud: setattr(cloud.chargers[CHARGER], "operator", None),
            f"{WARNING} This account may not see its operator",
        ),
        (
            lambda cloud: cloud.chargers[CHARGER].schedules.write("daily", DAILY),
            f"{WARNING} It follows a schedule of Easee (`daily`)",
        ),
    ],
)
async def test_a_warning_has_to_be_confirmed(
    window: Window,
    mover: Mover,
    hub: OcppHub,
    happen: Callable[[EaseeCloud], None],
    line: str,
) -> None:
    happen(mover.home.cloud)
    await mover.home.settle()
    await window.open()
    assert window.shows == "local_checks"
    assert line in window.said("checks")
    await window.submit(go_on=False)
    assert window.errors == {"go_on": "local_confirm"}
    assert line in window.said("checks")
    await window.submit(go_on=True)
    assert window.shows == "local_address"


async def test_what_was_confirmed_is_not_asked_again(
    window: Window, mover: Mover, hub: OcppHub
) -> None:
    """The charger is moved in spite of its schedule."""
    charger = mover.home.cloud.chargers[CHARGER]
    charger.schedules.write("daily", DAILY)
    await window.open()
    await window.submit(go_on=True)
    await window.submit(url=address_of(hub))
    await window.submit(charge_when_away=False)
    await mover.reaches(LocalStatus.CONNECTED)
    assert mover.progress is not None
    assert not mover.progress.charge_when_away


async def test_a_cloud_that_does_not_answer_is_asked_again(
    window: Window, mover: Mover, hub: OcppHub
) -> None:
    mover.home.cloud.faults.add(Fault(pattern="/connection-details/", status=403))
    await window.open()
    assert window.shows == "local_unanswered"
    assert window.errors == {"base": "forbidden"}
    await window.submit()
    assert window.shows == "local_checks"


# Where to


async def test_without_a_server_one_is_added(
    hass: HomeAssistant,
    window: Window,
    mover: Mover,
    unused_tcp_port_factory: Callable[[], int],
) -> None:
    """At a port that is free; then it goes on."""
    taken, free = unused_tcp_port_factory(), unused_tcp_port_factory()
    await window.open()
    await window.submit()
    assert window.shows == "local_new_server"
    with socket.create_server(("", taken)):
        await window.submit(port=taken)
    assert window.errors == {"port": "port_in_use"}
    assert not hass.config_entries.flow.async_progress()
    await window.submit(port=free)
    assert window.shows == "local_checks"
    (server,) = async_servers(hass)
    assert server.data[CONF_PORT] == free
    await window.submit()
    assert window.fields == {"url": f"ws://{HOST}:{free}"}


async def test_a_server_that_does_not_run_lets_nobody_in(
    hass: HomeAssistant, window: Window, mover: Mover, hub: OcppHub
) -> None:
    await hass.config_entries.async_unload(hub.entry.entry_id)
    await window.open()
    await window.submit()
    assert window.shows == "local_server_stopped"
    assert window.said("server") == "OCPP server"
    await hass.config_entries.async_setup(hub.entry.entry_id)
    await window.choose("local_checks")
    await window.submit()
    assert window.shows == "local_address"


async def test_of_several_servers_one_is_chosen(
    hass: HomeAssistant, window: Window, mover: Mover, hub: OcppHub
) -> None:
    other = new_server("Carport server", "01JEVCHARGERHUB00000000002")
    other.add_to_hass(hass)
    await hass.config_entries.async_setup(other.entry_id)
    await window.open()
    await window.submit()
    assert window.shows == "local_server"
    await window.submit(server=other.entry_id)
    assert window.shows == "local_address"
    assert window.said("server") == "Carport server"
    await window.submit(url=window.fields["url"])
    await window.submit(charge_when_away=True)
    await mover.reaches(LocalStatus.CONNECTED)
    assert CHARGER in other.runtime_data.stations


async def test_an_address_that_cannot_be_is_refused(
    window: Window, mover: Mover, hub: OcppHub
) -> None:
    """Whatever else the user types is looked at, too."""
    await window.to_address()
    await window.submit(url="ws://127.0.0.1:9000")
    assert window.errors == {"url": "local_address_wrong"}
    assert f"{STOP} `127.0.0.1` means the charger itself" in window.said("warnings")
    assert window.fields == {"url": "ws://127.0.0.1:9000"}
    await window.submit(url="garage")
    assert f"{STOP} It is no address" in window.said("warnings")
    await window.submit(url=address_of(hub))
    assert window.shows == "local_consequences"


async def test_a_doubtful_address_has_to_be_confirmed(
    window: Window, mover: Mover, hub: OcppHub
) -> None:
    """The one that was confirmed, not another one."""
    await window.to_address()
    await window.submit(url=" ws://192.168.1.77:9000 ")
    assert window.errors == {"go_on": "local_confirm"}
    assert f"{WARNING} `192.168.1.77` is no address of this machine" in window.said(
        "warnings"
    )
    await window.submit(url="ws://192.168.1.77:9000", go_on=False)
    assert window.errors == {"go_on": "local_confirm"}
    await window.submit(url="ws://192.168.1.77:9000", go_on=True)
    assert window.shows == "local_consequences"
    await window.submit(charge_when_away=True)
    assert window.shows == "local_progress"
    assert window.said("url") == "ws://192.168.1.77:9000"


async def test_a_server_that_none_can_reach_has_to_be_found_by_hand(
    hass: HomeAssistant,
    window: Window,
    mover: Mover,
) -> None:
    """What is suggested is shown with what is wrong with it."""
    entry = new_server()
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        entry, data={CONF_HOST: "127.0.0.1", CONF_PORT: 0}
    )
    await hass.config_entries.async_setup(entry.entry_id)
    await window.to_address()
    assert STOP in window.said("warnings")
    assert list(window.fields) == ["url"]


# What follows


async def test_the_last_page_knows_the_house(
    hass: HomeAssistant, window: Window, mover: Mover, hub: OcppHub
) -> None:
    """Who may charge, and that a car is there."""
    hass.config_entries.async_update_entry(
        hub.entry, options={CONF_UNKNOWN_TOKENS: "refuse"}
    )
    await hass.async_block_till_done()
    mover.home.cloud.chargers[CHARGER].plug_in()
    await mover.home.passes(30)
    await window.to_consequences()
    assert window.said("tokens") == "Refuse them"
    assert "plugged in or charging" in window.said("session")


async def test_what_changes_meanwhile_is_shown_again(
    window: Window, mover: Mover, hub: OcppHub
) -> None:
    """Nobody has confirmed a schedule that was not there."""
    await window.to_consequences()
    mover.home.cloud.chargers[CHARGER].schedules.write("daily", DAILY)
    await window.submit(charge_when_away=True)
    assert window.shows == "local_checks"
    assert "go_on" in window.fields
    assert mover.progress is None
    assert CHARGER not in hub.stations


async def test_who_moves_it_twice_sees_how_it_stands(
    window: Window, mover: Mover, hub: OcppHub
) -> None:
    """As when an action was faster than the window."""
    await window.to_consequences()
    await mover.hub.local.begin(CHARGER, hub.entry, address_of(hub))
    await window.submit(charge_when_away=True)
    assert window.shows == "local_state"
    assert window.choices == ["local_progress", "local_undo"]


async def test_who_dials_here_already_is_not_moved(
    window: Window, mover: Mover, hub: OcppHub
) -> None:
    """By a way that the cloud does not know of, such as a proxy."""
    await window.to_consequences()
    mover.hub.local.charger(CHARGER).arrivals.here.set(True)
    await window.submit(charge_when_away=True)
    assert window.shows == "local_consequences"
    assert window.errors == {"base": "local_connected"}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(pattern=STORE, status=403), "forbidden"),
        (Fault(pattern=STORE, status=400, body={"title": "No"}), "refused"),
    ],
)
async def test_what_the_cloud_does_not_let_pass_can_be_tried_again(
    window: Window, mover: Mover, hub: OcppHub, fault: Fault, error: str
) -> None:
    """The form says why, and goes on from there."""
    await window.to_consequences()
    mover.home.cloud.faults.add(fault)
    await window.submit(charge_when_away=True)
    assert window.shows == "local_consequences"
    assert window.errors == {"base": error}
    assert CHARGER not in hub.stations
    await window.submit(charge_when_away=True)
    assert window.shows == "local_progress"


async def test_a_server_that_stops_meanwhile_lets_nobody_in(
    hass: HomeAssistant, window: Window, mover: Mover, hub: OcppHub
) -> None:
    await window.to_consequences()
    await hass.config_entries.async_unload(hub.entry.entry_id)
    await window.submit(charge_when_away=True)
    assert window.errors == {"base": "local_no_server"}


async def test_a_charger_that_another_server_got_meanwhile_stays_there(
    hass: HomeAssistant, window: Window, mover: Mover, hub: OcppHub
) -> None:
    other = new_server("Carport server", "01JEVCHARGERHUB00000000002")
    other.add_to_hass(hass)
    await hass.config_entries.async_setup(other.entry_id)
    await window.open()
    await window.submit()
    await window.submit(server=hub.entry.entry_id)
    await window.submit(url=address_of(hub))
    other.runtime_data.approve(CHARGER, "Garage", None)
    await hass.async_block_till_done()
    await mover.home.settle()
    await window.submit(charge_when_away=True)
    assert window.errors == {"base": "local_identity_taken"}


async def test_a_disk_that_is_full_changes_nothing(
    window: Window, mover: Mover, hub: OcppHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> None:
        raise JournalError("disk full")

    await window.to_consequences()
    with monkeypatch.context() as patched:
        patched.setattr(mover.hub.journal, "store", full)
        await window.submit(charge_when_away=True)
    assert window.errors == {"base": "local_journal"}
    assert not mover.home.cloud.journal.find("POST", STORE)


def test_every_check_has_words() -> None:
    """And every subject that is well."""
    common = json.loads(EN.read_text())["common"]
    assert not [one for one in Check if f"local_check_{one}" not in common]
    assert not [one for one in Subject if f"local_subject_{one}" not in common]
    assert not [one for one in Trouble if f"local_trouble_{one}" not in common]
