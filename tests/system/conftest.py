"""Fixtures of tests with a whole Home Assistant in another process."""

import pytest


@pytest.fixture
def auto_enable_custom_integrations() -> None:
    """Do without a Home Assistant in the process of the test."""
