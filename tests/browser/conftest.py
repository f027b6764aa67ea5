"""Fixtures of the browser tests."""

from collections.abc import Iterator
import os
from pathlib import Path
import shutil
import threading

from playwright.sync_api import Page, expect, sync_playwright
import pytest

from .frontend import Frontend
from .processes import ROOT, home_assistant

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 30.0
"""Seconds until a thread that should end is left to the check of what is left over."""
SHOWN_WITHIN = 120_000
"""Milliseconds until what was to be seen never will be."""

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def auto_enable_custom_integrations() -> None:
    """Do without a Home Assistant in the process of the test."""


@pytest.fixture
def chromium() -> str:
    """Return the path of a Chromium; without one CI fails and others skip."""
    candidates = (os.environ.get("EV_CHARGER_HUB_CHROMIUM"), *BROWSERS)
    for candidate in filter(None, candidates):
        if path := shutil.which(candidate):
            return path
    reason = "no Chromium: install one, or name it in EV_CHARGER_HUB_CHROMIUM"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def page(chromium: str, tmp_path: Path, socket_enabled: None) -> Iterator[Page]:
    """Return an empty page of a browser with an empty profile."""
    before = frozenset(threading.enumerate())
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            args=FLAGS,
            executable_path=chromium,
            locale="en-US",
            viewport={"width": 1280, "height": 1000},
            # A click on what is still moving is lost.
            reduced_motion="reduce",
        )
        context.set_default_timeout(SHOWN_WITHIN)
        expect.set_options(timeout=SHOWN_WITHIN)
        yield context.pages[0]
        context.close()
    # The loop of Playwright lets its threads go without waiting for them.
    for thread in frozenset(threading.enumerate()) - before:
        thread.join(PATIENCE)


@pytest.fixture
def frontend(page: Page, tmp_path: Path, socket_enabled: None) -> Iterator[Frontend]:
    """Return the frontend of a fresh Home Assistant, at its login page."""
    folder = ROOT / os.environ.get("EV_CHARGER_HUB_SCREENSHOTS", "build/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    with home_assistant(tmp_path) as url:
        frontend = Frontend(page, url, folder)
        try:
            yield frontend
        finally:
            frontend.picture("last")
