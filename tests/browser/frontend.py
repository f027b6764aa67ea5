"""The frontend as a person uses it."""

from pathlib import Path
import re

from playwright.sync_api import Locator, Page, expect


class Frontend:
    """One browser page that shows Home Assistant."""

    def __init__(self, page: Page, url: str, pictures: Path) -> None:
        """Use a page, and keep pictures of it in a folder."""
        self.page = page
        self.url = url
        self._pictures = pictures

    def picture(self, name: str) -> None:
        """Keep a picture of what is to be seen."""
        self.page.screenshot(path=self._pictures / f"{name}.png", animations="disabled")

    def log_in(self, user: str, password: str) -> None:
        """Enter through the login page."""
        self.page.goto(self.url)
        self.page.get_by_role("textbox", name="Username").fill(user)
        self.page.get_by_role("textbox", name="Password").fill(password)
        self.picture("login")
        self.press("Log in")
        self.page.wait_for_url(re.compile(r"/(home|lovelace)"))

    def visit(self, path: str) -> None:
        """Go to a panel."""
        self.page.goto(f"{self.url}{path}")

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name).click()

    def fill(self, name: str, text: str) -> None:
        """Type into a field of a form, for words or for a number."""
        number = self.page.get_by_role("spinbutton", name=name)
        self.page.get_by_role("textbox", name=name).or_(number).fill(text)

    def entity(self, name: str) -> Locator:
        """Return the row of an entity on a device page."""
        return self.page.locator("hui-generic-entity-row").filter(
            has=self.page.get_by_text(name, exact=True)
        )

    def expect_state(self, name: str, state: str) -> None:
        """Wait until the row of an entity shows a state."""
        expect(self.entity(name)).to_contain_text(state, timeout=60_000)
