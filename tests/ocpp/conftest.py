"""Fixtures of the central system's tests."""

from collections.abc import AsyncGenerator

import pytest

from .central import Central, running


@pytest.fixture
async def central(socket_enabled: None) -> AsyncGenerator[Central]:
    """Return a central system that listens, speaks OCPP 1.6 and knows nobody."""
    async with running() as running_central:
        yield running_central
