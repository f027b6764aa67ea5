"""The frontend as a person uses it."""

from contextlib import suppress
from pathlib import Path
import re

from playwright.sync_api import Error, Locator, Page, expect

CLICKS = 5
NOTICED = 10_000
"""Milliseconds within which something is to be seen of a click."""


class Frontend:
    """One browser page that shows Home Assistant."""

    def __init__(self, page: Page, url: str, pictures: Path) -> None:
        """Use a page, and keep pictures of it in a folder."""
        self.page = page
        self.url = url
        self._pictures = pictures

    def picture(self, name: str, of: Locator | None = None) -> None:
        """Keep a picture of what is to be seen, or of a part of it."""
        path = self._pictures / f"{name}.png"
        (of or self.page).screenshot(path=path, animations="disabled")

    def dialog_picture(self, name: str) -> None:
        """Keep a picture of the dialog that is open."""
        self.picture(name, self.page.get_by_role("dialog"))

    def log_in(self, user: str, password: str) -> None:
        """Enter through the login page."""
        self.page.goto(self.url)
        self.page.get_by_role("textbox", name="Username").fill(user)
        self.page.get_by_role("textbox", name="Password").fill(password)
        self.picture("login")
        self.press("Log in")
        self.page.wait_for_url(re.compile(r"/(home|lovelace)"))

    def visit(self, path: str) -> None:
        """Go to a panel, even while the frontend is just going somewhere by itself.

        A dialog that closes goes a step back in the history of the browser, away from
        a panel that was visited before that step was done.
        """
        self.page.wait_for_function("() => !history.state?.dialog")
        url = f"{self.url}{path}"
        try:
            self.page.goto(url)
        except Error as err:
            if "ERR_ABORTED" not in err.message:
                raise
            self.page.goto(url)

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name).click()

    def click_away(self, item: Locator, gone: Locator | None = None) -> None:
        """Click on what goes away by that, or makes something else go away.

        A menu that is just opening may miss the first click.
        """
        for _ in range(CLICKS):
            item.click()
            with suppress(AssertionError):
                expect(gone or item).to_be_hidden(timeout=NOTICED)
                return
        raise AssertionError(f"nothing comes of clicks on {item}")

    def add_integration(self, kind: str) -> None:
        """Begin to add the integration, as one of its kinds of entries."""
        self.visit("/config/integrations/dashboard")
        self.press("Add integration")
        self.page.get_by_placeholder("Search for a brand name").fill("EV Charger")
        # There may be a card of the same name behind the dialog.
        dialog = self.page.locator("dialog-add-integration")
        dialog.get_by_text("EV Charger Hub").first.click()
        self.page.get_by_text(kind).wait_for()
        self.picture("kinds")
        self.page.get_by_text(kind).click()

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
        expect(self.entity(name)).to_contain_text(state)
