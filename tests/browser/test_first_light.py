"""The first hour with the integration: from the login page to a stopped session."""

from pathlib import Path

from playwright.sync_api import expect
import pytest

from .frontend import Frontend
from .processes import PASSWORD, USER, charging_station, complaints, free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

IDENTITY = "CP-GARAGE"
NAME = "Garage charger"
MINUTE = 60


def add_integration(frontend: Frontend, port: int) -> None:
    """Add an OCPP server on a port through the forms."""
    frontend.add_integration("Locally, over OCPP")
    frontend.fill("Listen on", "127.0.0.1")
    frontend.fill("Port", str(port))
    frontend.picture("add_integration")
    frontend.press("Submit")
    expect(frontend.page.get_by_text(f"ws://127.0.0.1:{port}/")).to_be_visible()
    frontend.picture("integration_added")
    frontend.press("Skip and finish")


def approve_charger(frontend: Frontend) -> None:
    """Approve the charger that waits, by its repair issue."""
    frontend.visit("/config/repairs")
    frontend.page.get_by_text(f"The charger {IDENTITY} wants to connect").click()
    frontend.page.get_by_text("Approve it").wait_for()
    frontend.picture("charger_waits")
    frontend.page.get_by_text("Approve it").click()
    frontend.fill("Name", NAME)
    frontend.picture("approve_charger")
    frontend.press("Submit")
    frontend.press("Finish")


def open_device(frontend: Frontend) -> None:
    """Go to the device page of the charger, by the list of devices."""
    frontend.visit("/config/devices/dashboard")
    frontend.page.get_by_text(NAME, exact=True).first.click()
    frontend.expect_state("Status", "Available")
    frontend.picture("device")


def switch(frontend: Frontend, name: str) -> None:
    """Flip the switch of an entity."""
    frontend.entity(name).locator("ha-switch").click()


def lower_limit(frontend: Frontend) -> float:
    """Drag the current limit to a third of its range and return it, in A."""
    row = frontend.entity("Current limit")
    slider = row.locator("ha-slider")
    box = slider.bounding_box()
    assert box is not None
    slider.click(position={"x": box["width"] / 3, "y": box["height"] / 2})
    return float(row.get_by_role("slider").get_attribute("aria-valuenow") or "nan")


def test_first_light(frontend: Frontend, tmp_path: Path) -> None:
    """A person adds the integration, approves a charger, and charges a car."""
    port = free_port()
    frontend.log_in(USER, PASSWORD)
    add_integration(frontend, port)
    with charging_station(tmp_path, port, IDENTITY) as station:
        approve_charger(frontend)
        open_device(frontend)

        station.do("plug")
        frontend.expect_state("Status", "Preparing")
        switch(frontend, "Charge control")
        frontend.expect_state("Status", "Charging")
        station.do("advance", seconds=MINUTE)
        frontend.expect_state("Current", "16.0 A")
        frontend.expect_state("Power", "11,040 W")
        frontend.expect_state("Effective limit", "32.0 A")
        frontend.expect_state("Limited by", "Vehicle")
        frontend.picture("charging")

        limit = lower_limit(frontend)
        assert 6 <= limit < 16
        station.wait_until(lambda connector: connector["offered"] == limit)
        frontend.expect_state("Effective limit", f"{limit:.1f} A")
        frontend.expect_state("Limited by", "Your limit")
        station.do("advance", seconds=MINUTE)
        frontend.expect_state("Current", f"{limit:.1f} A")
        frontend.expect_state("Current offered", f"{limit:.1f} A")
        frontend.picture("limited")

        switch(frontend, "Charge control")
        frontend.expect_state("Status", "Finishing")
        frontend.expect_state("Stop reason", "Stopped remotely")
        station.wait_until(lambda connector: connector["transaction_id"] is None)
        frontend.picture("stopped")
        assert station.state()["violations"] == []
    assert complaints(tmp_path) == []
