"""A 2.1 station with two EVSEs, one of them with two plugs, as a person sees it."""

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, expect
import pytest

from .frontend import Frontend
from .processes import (
    PASSWORD,
    ROOT,
    USER,
    charging_station,
    complaints,
    free_port,
    home_assistant,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

IDENTITY = "CP-CARPORT"
NAME = "Demo charger"
MINUTE = 60
FIND = """
name => Object.values(document.querySelector('home-assistant').hass.devices)
  .filter(one => (one.name_by_user || one.name) === name).map(one => one.id)
"""


@pytest.fixture
def ocpp_port() -> int:
    """Return the port of the OCPP server."""
    return free_port()


@pytest.fixture
def frontend(
    page: Page, tmp_path: Path, ocpp_port: int, socket_enabled: None
) -> Iterator[Frontend]:
    """Return the frontend of a Home Assistant that knows the charger already."""
    folder = ROOT / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    prepared = ("--ocpp-port", str(ocpp_port), "--charger", IDENTITY)
    with home_assistant(tmp_path, *prepared) as url:
        frontend = Frontend(page, url, folder)
        try:
            yield frontend
        finally:
            frontend.picture("two_connectors_last")


def open_device(frontend: Frontend, name: str) -> None:
    """Go to the page of a device by what it is called."""
    frontend.page.wait_for_function(f"name => ({FIND})(name).length === 1", arg=name)
    (found,) = frontend.page.evaluate(FIND, name)
    frontend.visit(f"/config/devices/device/{found}")


def switch(frontend: Frontend, name: str) -> None:
    """Flip the switch of an entity."""
    frontend.entity(name).locator("ha-switch").click()


def test_two_connectors(frontend: Frontend, ocpp_port: int, tmp_path: Path) -> None:
    """Cars charge at both connectors; a plug is taken out of service."""
    frontend.log_in(USER, PASSWORD)
    more = ("--ocpp", "2.1", "--evses", "1,2")
    with charging_station(tmp_path, ocpp_port, IDENTITY, *more) as station:
        open_device(frontend, NAME)
        frontend.expect_state("OCPP version", "2.1")
        expect(frontend.page.get_by_text("Connector 2").first).to_be_visible()
        frontend.picture("two_connectors")

        open_device(frontend, "Connector 2")
        frontend.expect_state("Status", "Available")
        frontend.expect_state("Plug 1 status", "Available")
        frontend.expect_state("Plug 2 status", "Available")
        switch(frontend, "Plug 1 availability")
        frontend.expect_state("Plug 1 status", "Unavailable")
        frontend.expect_state("Plug 2 status", "Available")

        station.do("plug", evse=2, connector=2)
        frontend.expect_state("Plug 2 status", "Occupied")
        frontend.expect_state("Status", "Preparing")
        switch(frontend, "Charge control")
        frontend.expect_state("Status", "Charging")
        station.do("advance", seconds=MINUTE)
        frontend.expect_state("Power", "11,040 W")
        frontend.picture("second_connector")

        station.do("plug", evse=1)
        station.do("swipe", evse=1, token="04A1B2C3")
        open_device(frontend, "Connector 1")
        frontend.expect_state("Status", "Charging")
        switch(frontend, "Charge control")
        frontend.expect_state("Status", "Finishing")
        frontend.expect_state("Stop reason", "Stopped remotely")
        station.wait_until(lambda evse: evse["transaction"] is None, of="evses")
        assert station.state()["evses"][1]["transaction"] is not None
        frontend.picture("first_connector")
    assert complaints(tmp_path) == []
