"""Recorded sessions of three 1.6 stations, told to a running server again.

tests/traces/ holds what they said to another central system; here is what that has to
lead to in Home Assistant.
"""

from dataclasses import dataclass

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from .entities import act, flush, full_state, state
from .replay import (
    Recording,
    accepting_entry,
    check_sessions,
    prepared,
    read,
    refused,
    told_of,
)
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub

REGISTER = "energy_active_import_register"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """What a recording leads to; energy in Wh."""

    name: str
    device: tuple[str, str, str | None, str | None]
    """Vendor, model, serial number, firmware."""
    statuses: dict[int, str]
    """Of each connector."""
    register: int
    """Of connector 1."""
    sessions: list[tuple[str, int | None, int | None, int, str, str]]
    """Id token, meter start and stop, energy, reason, state; oldest first."""
    refused: list[tuple[str, str]]
    """Actions that get an error, and which."""


ENDINGS = (
    Ending(
        name="microocpp-1.6",
        device=("MicroOcpp", "MicroOcpp Simulator", None, None),
        statuses={1: "available", 2: "available"},
        register=81,
        sessions=[
            ("TAG1", 0, 49, 49, "remote", "closed"),
            ("TAG1", 49, 81, 32, "local", "closed"),
        ],
        refused=[("CustomOperation", "NotImplemented")],
    ),
    Ending(
        name="ocpp-cp-simulator-1.6",
        device=("Shiv3", "CpSim", "CLI-001", "1.0.0"),
        statuses={1: "available", 2: "available"},
        register=15372,
        sessions=[
            ("TAG1", 0, 85, 85, "remote", "closed"),
            ("TAG1", 85, 13372, 13287, "local", "closed"),
            ("CERT003", 13372, 15372, 2000, "local", "closed"),
        ],
        refused=[],
    ),
    # It starts TAG2 on a connector where TAG1 charges, and stops only TAG1.
    Ending(
        name="sap-simulator-1.6",
        device=("Keba AG", "KC-P30-ESS400C2-E0R", None, "1.10.1"),
        statuses={1: "unavailable"},
        register=17,
        sessions=[
            ("TAG1", 0, 5, 5, "remote", "closed"),
            ("TAG2", 3, None, 0, "lost", "lost"),
            ("TAG1", 0, 17, 17, "local", "closed"),
        ],
        refused=[],
    ),
)


@pytest.fixture
def server_entry() -> MockConfigEntry:
    """Return the entry of a server that lets every charger in."""
    return accepting_entry()


def _children(hass: HomeAssistant, entry: MockConfigEntry, identity: str) -> list[int]:
    """Return the connectors that have a device of their own."""
    devices = dr.async_get(hass)
    return [
        number
        for number in range(1, 10)
        if devices.async_get_child_device_by_identifier(
            (DOMAIN, f"{identity}_{number}"), entry.entry_id
        )
    ]


def _recorded_calls(recording: Recording) -> list[str]:
    """Return the ids of everything that the station asked."""
    return [
        row["frame"][1]
        for row in recording.rows
        if row.get("from") == "station" and row["frame"][0] == 2
    ]


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.name)
async def test_a_recorded_station_leads_to(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    server_entry: MockConfigEntry,
    socket_enabled: None,
    caplog: pytest.LogCaptureFixture,
    ending: Ending,
) -> None:
    recording = read(ending.name)
    identity = recording.identity
    replay = await prepared(hass, server_entry, recording, freezer.move_to)
    hub: OcppHub = server_entry.runtime_data
    async with replay.played(hass.async_block_till_done):
        await flush(hass)

        assert told_of(hass, server_entry, identity) == ending.device
        several = sorted(ending.statuses) if len(ending.statuses) > 1 else []
        assert _children(hass, server_entry, identity) == several
        evses = hub.stations[identity].station.evses
        assert sorted(evses) == sorted(ending.statuses)

        assert state(hass, "binary_sensor", f"{identity}_connectivity") == STATE_ON
        for number, status in ending.statuses.items():
            assert state(hass, "sensor", f"{identity}_{number}_status") == status
        register = full_state(hass, "sensor", f"{identity}_1_{REGISTER}")
        assert register.attributes["unit_of_measurement"] == "kWh"
        assert float(register.state) * 1000 == pytest.approx(ending.register)
        last = float(state(hass, "sensor", f"{identity}_1_session_energy"))
        assert last * 1000 == pytest.approx(ending.sessions[-1][3])

    sessions = (await act(hass, "get_sessions", identity))["sessions"]
    fields = ("id_token", "meter_start", "meter_stop", "energy", "stop_reason", "state")
    check_sessions(sessions, fields, ending.sessions)

    assert replay.asked[0][2] == "GetConfiguration"
    assert [call[1] for call, _ in replay.replies] == _recorded_calls(recording)
    assert refused(replay.replies) == ending.refused
    errors = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert not errors
    assert not [one for one in caplog.records if one.exc_info]
