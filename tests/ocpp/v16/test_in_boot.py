"""BootNotification and Heartbeat of OCPP 1.6."""

import pytest

from .conftest import Charger


@pytest.mark.conformance("TC_001_CSMS")
async def test_cold_boot_is_accepted(charger: Charger) -> None:
    answer = await charger.boot()
    assert answer == {
        "status": "Accepted",
        "currentTime": "2026-11-21T10:00:00.000Z",
        "interval": 300,
    }
