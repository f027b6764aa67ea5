"""Recorded sessions of five 2.x stations, told to a running server again.

tests/traces/ holds what they said to another central system; here is what that has to
lead to in Home Assistant.
"""

from dataclasses import dataclass, field

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant

from .entities import act, flush, state
from .replay import accepting_entry, check_sessions, prepared, read, refused, told_of
from custom_components.ev_charger_hub.hub import OcppHub


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """What a recording leads to; energy in Wh."""

    name: str
    version: str
    device: tuple[str, str, str | None, str | None]
    """Vendor, model, serial number, firmware."""
    statuses: dict[int, str]
    """Of each EVSE."""
    sessions: list[tuple[str | None, int, str, str]] = field(default_factory=list)
    """Id token, energy, reason, state; oldest first."""
    refused: dict[str, str] = field(default_factory=dict)
    """Actions that get an error, and which."""
    sensors: dict[str, str | float] = field(default_factory=dict)
    """What sensors of the charger show, by their key."""


ENDINGS = (
    # Its meter has decimals, and the last session was held while it was offline.
    Ending(
        name="libocpp-2.0.1",
        version="2.0.1",
        device=("LabVendor", "LabModel", "LAB0001", "1.2.3"),
        statuses={1: "available"},
        sessions=[
            ("04A1B2C3D4E5F6", 43, "ev_disconnected", "closed"),
            ("homeassistant", 21, "remote", "closed"),
            ("OFFLINE1", 16, "ev_disconnected", "closed"),
        ],
        sensors={
            "1_energy_active_import_register": 1.08,
            "1_soc_ev": 35.0,
            "1_voltage": 231.5,
            "1_session_energy": 0.016,
            "firmware_status": "idle",
        },
    ),
    # It sends no reading with the start, and messages that nobody knows.
    Ending(
        name="microocpp-2.0.1",
        version="2.0.1",
        device=("MicroOcpp", "MicroOcpp Simulator", None, None),
        statuses={1: "available", 2: "available"},
        sessions=[
            ("TAG1", 37, "remote", "closed"),
            ("TAG1", 10, "local", "closed"),
        ],
        refused={"CustomOperation": "NotImplemented"},
        sensors={"1_energy_active_import_register": 0.068},
    ),
    # It names no connector, and counts from 0 in each session.
    Ending(
        name="sap-simulator-2.0.1",
        version="2.0.1",
        device=("Keba AG", "KC-P30-ESS400C2-E0R", None, "1.10.1"),
        statuses={1: "unavailable"},
        sessions=[
            (None, 4937, "remote", "closed"),
            ("TAG1", 0, "local", "closed"),
            ("TAG1", 11, "local", "closed"),
        ],
        sensors={"0_status": "unavailable", "firmware_status": "installed"},
    ),
    # Of its second session there is only one reading.
    Ending(
        name="virtual-charge-point-2.0.1",
        version="2.0.1",
        device=("Solidstudio", "VirtualChargePoint", None, None),
        statuses={1: "available"},
        sessions=[
            ("TAG1", 493, "local", "closed"),
            ("TAG1", 0, "ev_disconnected", "closed"),
        ],
        sensors={"1_energy_active_import_register": 4.2},
    ),
    Ending(
        name="ocpp-cp-simulator-2.1",
        version="2.1",
        device=("Shiv3", "CpSim", "CLI-001", "1.0.0"),
        statuses={1: "available", 2: "available"},
        sessions=[
            ("TAG1", 47, "remote", "closed"),
            ("TAG1", 1503, "local", "closed"),
            ("USER001", 155, "local", "closed"),
        ],
        sensors={
            "0_status": "available",
            "1_energy_active_import_register": 1.705,
            "1_session_energy": 0.155,
        },
    ),
)


@pytest.fixture
def server_entry() -> MockConfigEntry:
    """Return the entry of a server that lets every charger in."""
    return accepting_entry()


def _shown(hass: HomeAssistant, identity: str, key: str) -> str | float:
    """Return the state of a sensor, a number as a number."""
    text = state(hass, "sensor", f"{identity}_{key}")
    try:
        return float(text)
    except ValueError:
        return text


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
        assert sorted(hub.stations[identity].station.evses) == [*ending.statuses]
        assert state(hass, "binary_sensor", f"{identity}_connectivity") == STATE_ON
        shown = state(hass, "sensor", f"{identity}_protocol_version")
        assert shown == ending.version
        for number, status in ending.statuses.items():
            assert state(hass, "sensor", f"{identity}_{number}_status") == status
        for key, value in ending.sensors.items():
            assert _shown(hass, identity, key) == pytest.approx(value), key
    sessions = (await act(hass, "get_sessions", identity))["sessions"]
    fields = ("id_token", "energy", "stop_reason", "state")
    check_sessions(sessions, fields, ending.sessions)
    assert replay.asked[0][2] == "GetBaseReport"
    assert dict(refused(replay.replies)) == ending.refused
    ours = [one for one in caplog.records if "ev_charger_hub" in one.name]
    assert not [one.getMessage() for one in ours if one.levelname == "ERROR"]
    assert not [one for one in ours if one.exc_info]
