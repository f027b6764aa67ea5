"""The log of a charger, from the button to the file on the disk of the person."""

import json
from pathlib import Path

from playwright.sync_api import expect
import pytest

from .frontend import Frontend
from .processes import PASSWORD, USER, charging_station, complaints, free_port
from .test_first_light import (
    IDENTITY,
    NAME,
    add_integration,
    approve_charger,
    open_device,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_log_is_fetched(frontend: Frontend, tmp_path: Path) -> None:
    """A person presses a button, reads a notification, and saves the file."""
    port = free_port()
    page = frontend.page
    frontend.log_in(USER, PASSWORD)
    add_integration(frontend, port)
    with charging_station(tmp_path, port, IDENTITY) as station:
        approve_charger(frontend)
        open_device(frontend)
        station.do("misbehave", name="upload_evil_name")
        frontend.entity("Fetch diagnostics").get_by_role("button").click()
        page.get_by_text("Notifications", exact=True).first.click()
        expect(page.get_by_text(f"{NAME} has uploaded a log")).to_be_visible()
        frontend.picture("log_came")
        with page.expect_download() as caught:
            page.get_by_role("link", name="configuration.yaml").click()
        assert caught.value.suggested_filename == "configuration.yaml"
        first = caught.value.path().read_text(encoding="utf-8").splitlines()[0]
        assert json.loads(first) == {"identity": IDENTITY}
        assert station.state()["violations"] == []
    assert complaints(tmp_path) == []
