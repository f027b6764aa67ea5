"""Boots and heartbeats of OCPP 2.x (B01, G02)."""

import pytest

from .conftest import Charger
from custom_components.ev_charger_hub.station.events import Booted
from custom_components.ev_charger_hub.station.model import StationInfo


async def test_a_station_is_accepted_and_known(charger: Charger) -> None:
    answer = await charger.boot(
        serialNumber="S1", firmwareVersion="1.0", modem={"iccid": "I", "imsi": "M"}
    )
    assert answer == {
        "status": "Accepted",
        "currentTime": charger.clock.text(),
        "interval": 300,
    }
    assert charger.station.online.value
    assert charger.station.info.value == StationInfo(
        vendor="Vendor",
        model="Model",
        serial="S1",
        firmware="1.0",
        iccid="I",
        imsi="M",
    )
    assert len(charger.events_of(Booted)) == 1


async def test_it_goes_on_without_a_boot(charger: Charger) -> None:
    await charger.status("Available")
    assert charger.station.online.value
    charger.clock.tick(10)
    await charger.settle()
    assert charger.called("TriggerMessage") == [
        {"requestedMessage": "BootNotification"}
    ]


async def test_heartbeat_tells_the_time(charger: Charger) -> None:
    frame = await charger.call("Heartbeat", None)
    assert charger.payload(frame) == {"currentTime": charger.clock.text()}


@pytest.mark.parametrize("action", ["CustomOperation", "Reset"])
async def test_what_is_not_served_is_refused(charger: Charger, action: str) -> None:
    frame = await charger.call(action, {})
    assert frame[0] == 4
    assert frame[2] in {"NotImplemented", "NotSupported"}
