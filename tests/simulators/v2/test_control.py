"""The command and the control interface of a 2.x station."""

from collections.abc import AsyncGenerator
import sys
from typing import Any

from aiohttp import ClientSession, web
import pytest

from .central import CentralSystem2
from simulators.charging_station import __main__ as command
from simulators.charging_station.v2 import ChargingStation
from simulators.charging_station.v2.control import ACTS, application
from simulators.charging_station.v2.control_handlers import HANDLERS
from simulators.charging_station.v2.handlers import Handlers


@pytest.fixture
async def http(station2: ChargingStation) -> AsyncGenerator[ClientSession]:
    """Return a client of the station's control interface."""
    runner = web.AppRunner(application(station2), access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    await runner.cleanup()


async def act(http: ClientSession, name: str, **body: Any) -> dict[str, Any]:
    async with http.post(f"/{name}", json=body) as answer:
        assert answer.status == 200, await answer.text()
        state: dict[str, Any] = await answer.json()
        return state


async def test_a_day_over_the_control_interface(
    central2: CentralSystem2, station2: ChargingStation, http: ClientSession
) -> None:
    await act(http, "plug", evse=2, connector=2, maximum_current=10)
    await act(http, "swipe", evse=2, token="04A1B2C3")
    state = await act(http, "advance", seconds=60)
    place = state["evses"][1]
    assert place["connectors"] == {"1": "Available", "2": "Occupied"}
    assert place["charging_state"] == "Charging"
    assert place["current"] == 10
    await act(http, "pause", evse=2)
    assert (await act(http, "advance", seconds=5))["evses"][1]["current"] == 0
    await act(http, "pause", evse=2, on=False)
    await act(http, "full", evse=2)
    limit = {
        "id": 9,
        "stackLevel": 0,
        "chargingProfilePurpose": "ChargingStationExternalConstraints",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {
                "id": 1,
                "chargingRateUnit": "A",
                "startSchedule": "2026-11-21T10:00:00Z",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 7}],
            }
        ],
    }
    state = await act(http, "install", profile=limit)
    assert state["evses"][1]["offered"] == 7
    await act(http, "unplug", evse=2)
    await act(http, "fault", code="CX001", info="ground fault")
    state = await act(http, "clear_fault")
    assert state["evses"][0]["connectors"] == {"1": "Available"}
    await act(http, "security_event", type="TamperDetectionActivated")
    await act(http, "sign_certificate")
    await station2.settle()
    assert central2.events()[-1]["eventType"] == "Ended"
    problems = [one["eventData"][0]["cleared"] for one in central2.of("NotifyEvent")]
    assert problems == [False, True]
    assert len(central2.of("SignCertificate")) == 1


async def test_it_comes_and_goes(
    central2: CentralSystem2, station2: ChargingStation, http: ClientSession
) -> None:
    assert (await act(http, "offline"))["connected"] is False
    assert (await act(http, "online"))["connected"] is True
    await act(http, "lose_network")
    await central2.seen(lambda *_: 1006 in central2.close_codes)
    assert (await act(http, "reboot", reason="Watchdog"))["connected"] is True
    await central2.count("BootNotification", 2)
    assert central2.of("BootNotification")[1]["reason"] == "Watchdog"


async def test_what_is_wrong_with_a_request_is_said(http: ClientSession) -> None:
    async with http.post("/fly") as answer:
        assert answer.status == 404
        assert (await answer.json())["acts"] == sorted(ACTS)
    async with http.post("/fault", json={"evse": 9}) as answer:
        assert answer.status == 400


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["--ocpp", "2.0.1"], "ocpp2.0.1"),
        (["--ocpp", "2.1", "--evses", "1,2"], "ocpp2.1,ocpp2.0.1"),
    ],
)
async def test_the_command_runs_the_version_that_was_asked_for(
    central2: CentralSystem2,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    offered: str,
) -> None:
    url = f"ws://127.0.0.1:{central2.port}/ocpp"
    monkeypatch.setattr(sys, "argv", ["charging_station", "--url", url, *words])
    station = command.station_of(command.arguments())
    assert isinstance(station, ChargingStation)
    station.pings = False
    await station.connect()
    await central2.count("StatusNotification", len(station.evses))
    assert central2.offered == offered
    await station.close()


async def test_vendors_of_the_other_version_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["charging_station", "--ocpp", "2.1", "--vendor", "old-tls"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit):
        command.arguments()
    assert "OCPP 1.6" in capsys.readouterr().err


async def test_the_older_version_is_spoken_where_the_newer_one_is_not(
    central2: CentralSystem2,
) -> None:
    central2.versions = ("ocpp2.0.1",)
    station = ChargingStation(f"ws://127.0.0.1:{central2.port}/ocpp", "CP2")
    await station.connect()
    await central2.count("StatusNotification", 1)
    assert station.version == "2.0.1"
    await station.close()


HANDLED: dict[str, dict[str, Any]] = {
    "authorized": {"token": "04A1B2C3"},
    "charging_state_changed": {"state": "Charging"},
    "enabled": {},
    "ev_charging_needs": {"needs": {"requestedEnergyTransfer": "DC"}},
    "event": {
        "component": {"name": "EVSE", "evse": {"id": 1}},
        "variable": {"name": "Temperature"},
        "value": 61.5,
    },
    "fault_cleared": {},
    "faulted": {},
    "firmware_status": {"status": "Downloading", "request_id": 4},
    "get_15118_ev_certificate": {"exi": "AAA="},
    "log_status": {"status": "Uploading", "request_id": 5},
    "meter_value": {"energy": 1234.0, "power": 2000.0},
    "reservation_cleared": {},
    "reservation_status": {"reservation": 7, "status": "Expired"},
    "reserved": {},
    "session_finished": {},
    "session_started": {},
    "transaction_finished": {"token": "04A1B2C3"},
    "transaction_started": {"session": "T1", "token": "04A1B2C3"},
    "unavailable": {},
    "variable_changed": {
        "component": {"name": "TxCtrlr"},
        "variable": {"name": "EVConnectionTimeOut"},
        "value": 90,
    },
}


@pytest.mark.parametrize("name", sorted(HANDLED))
async def test_every_handler_of_the_library_can_be_called(
    station2: ChargingStation, http: ClientSession, name: str
) -> None:
    await act(http, "transaction_started", session="T0", evse=2)
    await act(http, name, **{"evse": 2, **HANDLED[name]})
    assert station2.connected


def test_no_handler_is_left_out() -> None:
    """Each of libocpp's handlers is an act, or what an act is called for people."""
    newer = {"der_alarm", "hurry", "limit", "put_battery_in", "settle"}
    newer |= {"take_battery_out", "validate_vat"}
    assert {*HANDLERS} == {*HANDLED} | newer
    known = {name.removeprefix("on_") for name in vars(Handlers) if name[:3] == "on_"}
    short = {
        "firmware_update_status_notification": "firmware_status",
        "get_15118_ev_certificate_request": "get_15118_ev_certificate",
        "log_status_notification": "log_status",
        "network_disconnected": "lose_network",
        "security_event": "security_event",
    }
    assert {short.get(name, name) for name in known} <= {*ACTS}
