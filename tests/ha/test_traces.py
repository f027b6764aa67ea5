"""Recorded sessions of three 1.6 stations, told to a running server again.

tests/traces/ holds what they said to another central system; here is what that has to
lead to in Home Assistant.
"""

from dataclasses import dataclass
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import ATTR_DEVICE_ID, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from .conftest import device_of
from .entities import device_id, flush, full_state, state
from .replay import Frame, Recording, Replay, read
from custom_components.ev_charger_hub.const import CONF_POLICY, DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.waiting import AdmissionPolicy

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
    return MockConfigEntry(
        domain=DOMAIN,
        title="OCPP server",
        data={"host": "127.0.0.1", "port": 0},
        options={CONF_POLICY: AdmissionPolicy.ACCEPT},
    )


async def _sessions(hass: HomeAssistant, identity: str) -> list[dict[str, Any]]:
    """Return what the action says, oldest first."""
    response = await hass.services.async_call(
        DOMAIN,
        "get_sessions",
        {ATTR_DEVICE_ID: device_id(hass, identity)},
        blocking=True,
        return_response=True,
    )
    assert response is not None
    sessions: Any = response["sessions"]
    return list(reversed(sessions))


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


def _refused(replies: list[tuple[Frame, Frame]]) -> list[tuple[str, str]]:
    """Return the calls that got an error; every other one got a result."""
    assert all(call[1] == reply[1] for call, reply in replies)
    assert {reply[0] for _, reply in replies} <= {3, 4}
    return [(call[2], reply[2]) for call, reply in replies if reply[0] == 4]


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
    # The clock never runs backwards for the server.
    freezer.move_to(recording.rows[0]["t"])
    server_entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(server_entry.entry_id)
    hub: OcppHub = server_entry.runtime_data
    replay = Replay(recording, hub.port, freezer.move_to)
    async with replay.played(hass.async_block_till_done):
        await flush(hass)

        device = device_of(hass, server_entry, identity)
        assert device is not None
        info = (device.manufacturer, device.model, device.serial_number)
        assert (*info, device.sw_version) == ending.device
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

    sessions = await _sessions(hass, identity)
    fields = ("id_token", "meter_start", "meter_stop", "energy", "stop_reason", "state")
    assert [tuple(one[field] for field in fields) for one in sessions] == (
        ending.sessions
    )
    assert {one["connector"] for one in sessions} == {1}
    assert len({one["transaction_id"] for one in sessions}) == len(sessions)
    assert all(one["start"] <= one["stop"] for one in sessions)

    assert replay.asked[0][2] == "GetConfiguration"
    assert [call[1] for call, _ in replay.replies] == _recorded_calls(recording)
    assert _refused(replay.replies) == ending.refused
    errors = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert not errors
    assert not [one for one in caplog.records if one.exc_info]
