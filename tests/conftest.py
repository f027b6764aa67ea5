"""What all tests share: virtual time waits for what is under way."""

import pytest

from .underway import UNDERWAY, watch

watch()


@pytest.fixture(autouse=True)
def nothing_underway() -> None:
    """Wait for nothing that another test has left."""
    UNDERWAY.forget()
