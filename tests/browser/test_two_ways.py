"""One charger, two ways: moved to local OCPP and back, as a person sees it."""

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, expect
import pytest

from .frontend import Frontend
from .processes import (
    PASSWORD,
    ROOT,
    USER,
    Cloud,
    complaints,
    easee_cloud,
    free_port,
    home_assistant,
    wait_until,
)
from .test_easee import CAR, CHARGER, add_account
from .test_two_connectors import open_device

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

NAME = "Garage"
ACCOUNT_ENTRY = "Easee (Home)"
LARGEST = 32
"""What the cloud allows where nobody limits it, in A."""
STATE = "entity => document.querySelector('home-assistant').hass.states[entity].state"
VOLTS = 690
"""What three phases have together."""


@pytest.fixture
def cloud(tmp_path: Path, socket_enabled: None) -> Iterator[Cloud]:
    """Return a cloud with a home, where a car stands at the charger, and a cabin."""
    with easee_cloud(tmp_path, "--second-site") as cloud:
        cloud.do("plug", serial=CHARGER, **CAR)
        yield cloud


@pytest.fixture
def frontend(page: Page, tmp_path: Path, cloud: Cloud) -> Iterator[Frontend]:
    """Return the frontend of a Home Assistant that looks for accounts at the cloud."""
    folder = ROOT / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    with home_assistant(tmp_path, environment=cloud.environment) as url:
        frontend = Frontend(page, url, folder)
        try:
            yield frontend
        finally:
            frontend.picture("two_ways_last")


def set_limit(frontend: Frontend, share: float) -> float:
    """Drag the current limit to a share of its range and return it, in A."""
    row = frontend.entity("Current limit")
    slider = row.locator("ha-slider")
    box = slider.bounding_box()
    assert box is not None
    slider.click(position={"x": box["width"] * share, "y": box["height"] / 2})
    return float(row.get_by_role("slider").get_attribute("aria-valuenow") or "nan")


def expect_limit(frontend: Frontend, cloud: Cloud, limit: float) -> None:
    """Wait until the car gets what it may have, and all that shows it says so."""
    cloud.wait_until(lambda charger: charger["offered"] == limit, CHARGER)
    frontend.expect_state("Effective limit", f"{limit:.1f} A")
    frontend.expect_state("Current offered", f"{limit:.1f} A")
    frontend.expect_state("Power", f"{limit * VOLTS:,.0f} W")
    frontend.expect_state("Limited by", "Your limit")
    frontend.expect_state("Status", "Charging")


def open_local(frontend: Frontend) -> None:
    """Open the pages of the account about local OCPP; there is one charger only."""
    page = frontend.page
    frontend.visit("/config/integrations/integration/ev_charger_hub")
    entry = page.locator("ha-config-entry-row").filter(has_text=ACCOUNT_ENTRY).first
    entry.get_by_role("button", name="Configure").click()
    page.get_by_text("Connect a charger to Home Assistant directly").click()


def close(frontend: Frontend) -> None:
    """Close a dialog that has nothing more to say."""
    footer = frontend.page.locator("ha-dialog-footer")
    footer.get_by_role("button", name="Close").click()
    expect(footer).not_to_be_visible()


def move_to_server(frontend: Frontend, cloud: Cloud, port: int) -> None:
    """Move the charger to a server, which is added on the way, and see it connect."""
    page = frontend.page
    # So that it can be seen that it is waited for.
    cloud.do("cut_ocpp")
    open_local(frontend)
    expect(page.get_by_text("can connect to Home Assistant directly")).to_be_visible()
    frontend.dialog_picture("local_checks")
    frontend.press("Submit")
    expect(page.get_by_text("Add an OCPP server")).to_be_visible()
    frontend.fill("Port", str(port))
    frontend.dialog_picture("local_new_server")
    frontend.press("Submit")
    expect(page.get_by_text("Is the charger ready?")).to_be_visible()
    frontend.press("Submit")
    expect(page.get_by_text("Where does the charger connect to?")).to_be_visible()
    frontend.dialog_picture("local_address")
    frontend.press("Submit")
    expect(page.get_by_text("Local first")).to_be_visible()
    frontend.dialog_picture("local_consequences")
    frontend.press("Submit")
    told = page.get_by_text("was told to connect to ws://")
    expect(told).to_be_visible()
    frontend.dialog_picture("local_waiting")
    cloud.do("restore_ocpp")
    done = page.get_by_text("is connected to Home Assistant directly")
    expect(done).to_be_visible()
    frontend.dialog_picture("local_done")
    close(frontend)


def undo(frontend: Frontend) -> None:
    """Have the charger connect to the cloud only, as before."""
    page = frontend.page
    open_local(frontend)
    page.get_by_text("connects to Home Assistant directly").wait_for()
    frontend.dialog_picture("local_state")
    page.get_by_text("Undo local OCPP").click()
    expect(page.get_by_text("Schedules of Easee work again")).to_be_visible()
    frontend.dialog_picture("local_undo")
    frontend.press("Submit")
    done = page.get_by_text("connects to the cloud of Easee only, as before.")
    expect(done).to_be_visible()
    frontend.dialog_picture("local_undone")
    close(frontend)


def limits_written(cloud: Cloud) -> int:
    """Return how often the cloud was told a limit."""
    said = [line for line in cloud.transcript() if line.startswith("C> POST ")]
    return sum("dynamicChargerCurrent" in line for line in said)


def session_since(frontend: Frontend) -> str:
    """Return when the event of the session was last fired."""
    when: str = frontend.page.evaluate(STATE, "event.garage_session")
    return when


def test_two_ways(frontend: Frontend, cloud: Cloud, tmp_path: Path) -> None:
    """A person moves a charger that charges, loses either way once, and moves it back."""
    frontend.log_in(USER, PASSWORD)
    add_account(frontend)
    open_device(frontend, NAME)
    frontend.expect_state("Status", "Charging")
    frontend.expect_state("Session", "Started")
    began = session_since(frontend)
    move_to_server(frontend, cloud, free_port())

    open_device(frontend, NAME)
    frontend.expect_state("Connection", "Local")
    frontend.expect_state("Local OCPP", "Set up")
    frontend.expect_state("OCPP version", "1.6")
    written = limits_written(cloud)
    limit = set_limit(frontend, 0.3)
    assert 9 < limit < 16
    expect_limit(frontend, cloud, limit)
    frontend.picture("local_charger")
    diagnostic = frontend.page.locator("ha-device-entities-card").filter(
        has=frontend.page.get_by_text("Connection", exact=True)
    )
    frontend.picture("local_diagnostic", diagnostic)

    cloud.do("cut_cloud")
    lower = set_limit(frontend, 0.1)
    assert 6 < lower < limit
    cloud.wait_until(lambda charger: charger["offered"] == lower, CHARGER)
    frontend.expect_state("Power", f"{lower * VOLTS:,.0f} W")
    frontend.expect_state("Effective limit", f"{lower:.1f} A")
    frontend.expect_state("Limited by", "Your limit")
    frontend.expect_state("Connection", "Local")
    frontend.picture("local_without_cloud")
    cloud.do("restore_cloud")
    wait_until(cloud.state, lambda state: state["streams"] == 1)
    expect_limit(frontend, cloud, lower)
    assert limits_written(cloud) == written

    cloud.do("cut_ocpp")
    frontend.expect_state("Connection", "Cloud")
    lowest = set_limit(frontend, 0)
    assert lowest < lower
    expect_limit(frontend, cloud, lowest)
    frontend.picture("local_without_server")
    cloud.do("restore_ocpp")
    frontend.expect_state("Connection", "Local")
    cloud.wait_until(lambda charger: charger["ocpp"]["limit"] == lowest, CHARGER)
    cloud.wait_until(lambda charger: charger["dynamic"] >= LARGEST, CHARGER)
    expect_limit(frontend, cloud, lowest)

    undo(frontend)
    cloud.wait_until(lambda charger: charger["ocpp"]["dials"] is None, CHARGER)
    open_device(frontend, NAME)
    frontend.expect_state("Local OCPP", "Off")
    limit = set_limit(frontend, 0.2)
    expect_limit(frontend, cloud, limit)
    cloud.wait_until(lambda charger: charger["dynamic"] == limit, CHARGER)
    assert session_since(frontend) == began
    frontend.picture("local_left")

    cloud.do("unplug", serial=CHARGER)
    frontend.expect_state("Status", "Available")
    frontend.expect_state("Session", "Ended")
    assert complaints(tmp_path) == []
