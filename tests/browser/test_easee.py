"""An Easee account, from the login to a refused command, as a person sees it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

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
    home_assistant,
)
from .test_first_light import lower_limit, switch
from .test_two_connectors import open_device

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

ACCOUNT = "kari@example.com"
ACCOUNT_PASSWORD = "correct horse"
CHARGER = "EH123456"
CAR = {"reaction": 0.5}
HOME = ZoneInfo("Europe/Oslo")
"""Where Home Assistant is."""


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
            frontend.picture("easee_last")


def add_account(frontend: Frontend) -> None:
    """Add the account through the forms, at first with a wrong password."""
    page = frontend.page
    frontend.add_integration("Through an Easee account")
    frontend.fill("E-mail or phone number", ACCOUNT)
    frontend.fill("Password", "wrong horse")
    frontend.press("Submit")
    expect(page.get_by_text("The user or the password is wrong.")).to_be_visible()
    frontend.picture("easee_wrong_password")
    frontend.fill("Password", ACCOUNT_PASSWORD)
    frontend.press("Submit")
    page.get_by_text("Cabin", exact=True).click()
    frontend.picture("easee_sites")
    frontend.press("Submit")
    expect(page.get_by_text("Garage (EH123456)")).to_be_visible()
    expect(page.get_by_text("Meter (QP123456)")).to_be_visible()
    expect(page.get_by_text("Cabin")).not_to_be_visible()
    frontend.picture("easee_products")
    frontend.press("Submit")
    expect(page.get_by_text("The account is set up.")).to_be_visible()
    frontend.picture("easee_added")
    frontend.press("Skip and finish")


def choose(frontend: Frontend, name: str, option: str) -> None:
    """Choose an option of a select on a device page."""
    frontend.page.get_by_role("combobox", name=name).or_(
        frontend.page.locator("ha-select").filter(has_text=name)
    ).first.click()
    item = frontend.page.get_by_role("menuitem", name=option).or_(
        frontend.page.get_by_role("option", name=option)
    )
    frontend.click_away(item.first)


def set_schedule(frontend: Frontend, start: datetime) -> None:
    """Let the charger charge for two hours of each day, by an action."""
    page = frontend.page
    frontend.visit("/config/tools/action?service=ev_charger_hub.easee_set_schedule")
    page.get_by_text("Select a device").click()
    garage = page.get_by_text("Garage", exact=True).first
    frontend.click_away(garage, page.get_by_text("Select a device"))
    page.get_by_text("Every day").click()
    frontend.press("Add")
    frontend.fill("Start", f"{start:%H:%M}")
    frontend.fill("Stop", f"{start + timedelta(hours=2):%H:%M}")
    frontend.picture("easee_period")
    page.get_by_role("button", name="Add", exact=True).last.click()
    frontend.press("Perform action")
    expect(page.get_by_text("kind: daily")).to_be_visible()
    frontend.picture("easee_schedule")


def test_easee_account(frontend: Frontend, cloud: Cloud, tmp_path: Path) -> None:
    """A person adds an account, limits and schedules charging, and is refused once."""
    frontend.log_in(USER, PASSWORD)
    add_account(frontend)

    open_device(frontend, "Meter")
    frontend.expect_state("Connectivity", "Connected")
    frontend.expect_state("Grid voltage L1", "230 V")
    frontend.expect_state("Surplus charging", "Off")
    frontend.picture("easee_equalizer")

    open_device(frontend, "Garage")
    frontend.expect_state("Status", "Charging")
    frontend.expect_state("Power", "11,040 W")
    frontend.expect_state("Limited by", "Vehicle")
    frontend.picture("easee_charger")

    limit = lower_limit(frontend)
    assert 6 <= limit < 16
    cloud.wait_until(lambda charger: charger["dynamic"] == limit, CHARGER)
    frontend.expect_state("Effective limit", f"{limit:.1f} A")
    frontend.expect_state("Current offered", f"{limit:.1f} A")
    frontend.expect_state("Power", f"{limit * 690:,.0f} W")
    frontend.expect_state("Limited by", "Your limit")
    frontend.picture("easee_limited")

    choose(frontend, "Phase mode", "One phase")
    cloud.wait_until(lambda charger: charger["phase_mode"] == 1, CHARGER)
    frontend.expect_state("Phases in use", "N and L1")
    frontend.expect_state("Power", f"{limit * 230:,.0f} W")
    frontend.picture("easee_one_phase")

    set_schedule(frontend, datetime.now(UTC).astimezone(HOME) + timedelta(hours=3))
    cloud.wait_until(lambda charger: charger["schedule"] == "daily", CHARGER)
    open_device(frontend, "Garage")
    frontend.expect_state("Status", "Paused by charger")
    frontend.expect_state("Reason for no current", "Waiting for the schedule")
    frontend.expect_state("Power", "0 W")
    frontend.picture("easee_waits_for_schedule")
    frontend.entity("Override schedule").get_by_role("button").click()
    frontend.expect_state("Status", "Charging")
    frontend.picture("easee_overridden")

    cloud.do("command", reject=4, comment="NOT_ALLOWED_NOW")
    switch(frontend, "Lock cable permanently")
    said = "Garage refused; it answered: rejected (NOT_ALLOWED_NOW)."
    expect(frontend.page.get_by_text(said).first).to_be_visible()
    frontend.picture("easee_refused")
    frontend.expect_state("Commands", "Refused")
    lock = frontend.entity("Lock cable permanently").get_by_role("switch")
    expect(lock).not_to_be_checked()
    assert complaints(tmp_path) == []
