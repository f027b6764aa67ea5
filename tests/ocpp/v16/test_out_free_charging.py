"""Free charging with an OCPP 1.6 station: statuses in, remote starts out."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from .conftest import Charger, FakeClock
from custom_components.ev_charger_hub.station.free_charging import DELAY, FreeCharging

OWN = "HA0001"
START = ("RemoteStartTransaction", {"connectorId": 1, "idTag": OWN})


@pytest.fixture
def free(charger: Charger, clock: FakeClock) -> Iterator[FreeCharging]:
    """Let everybody charge at the charger."""
    _set(charger, True)
    free = FreeCharging(
        charger.station,
        OWN,
        clock=clock,
        spawn=charger.spawn,
        call_later=clock.call_later,
    )
    yield free
    free.close()


def _set(charger: Charger, on: bool) -> None:
    station = charger.station
    station.settings = replace(station.settings, free_charging=on)


async def _status(charger: Charger, *statuses: str, connector: int = 1) -> None:
    for status in statuses:
        await charger.status(status, connector)


async def _starts(charger: Charger) -> int:
    """Return how often the charger was asked to start."""
    await charger.settle()
    return charger.calls.count(START)


@pytest.mark.usefixtures("free")
async def test_a_vehicle_that_is_plugged_in_is_started(
    charger: Charger, clock: FakeClock
) -> None:
    await _status(charger, "Available", "Preparing")
    clock.tick(DELAY - 1)
    assert await _starts(charger) == 0
    clock.tick(1)
    assert await _starts(charger) == 1


@pytest.mark.usefixtures("free")
async def test_it_is_started_once_for_each_time(
    charger: Charger, clock: FakeClock
) -> None:
    await _status(charger, "Available", "Preparing")
    clock.tick(DELAY)
    await _status(charger, "Finishing", "Preparing")
    clock.tick(DELAY)
    assert await _starts(charger) == 1
    await _status(charger, "Available", "Preparing")
    clock.tick(DELAY)
    assert await _starts(charger) == 2


@pytest.mark.usefixtures("free")
async def test_whoever_starts_in_time_is_left_alone(
    charger: Charger, clock: FakeClock
) -> None:
    await _status(charger, "Available", "Preparing")
    await charger.start()
    clock.tick(DELAY)
    assert await _starts(charger) == 0


@pytest.mark.usefixtures("free")
async def test_a_vehicle_that_left_is_not_started(
    charger: Charger, clock: FakeClock
) -> None:
    await _status(charger, "Available", "Preparing", "Available")
    clock.tick(DELAY)
    assert await _starts(charger) == 0


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize("before", ["Reserved", "Unavailable", "Faulted", "Finishing"])
async def test_only_what_was_free_is_started(
    charger: Charger, clock: FakeClock, before: str
) -> None:
    await _status(charger, before, "Preparing")
    clock.tick(DELAY)
    assert await _starts(charger) == 0


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize("change", [lambda one: _set(one, False), Charger.disconnect])
async def test_it_is_not_started_if_that_is_not_wanted_or_possible_any_more(
    charger: Charger, clock: FakeClock, change: Callable[[Charger], None]
) -> None:
    await _status(charger, "Available", "Preparing")
    change(charger)
    clock.tick(DELAY)
    assert await _starts(charger) == 0


@pytest.mark.usefixtures("free")
async def test_each_connector_is_started_by_itself(
    charger: Charger, clock: FakeClock
) -> None:
    await _status(charger, "Available", "Preparing")
    await _status(charger, "Available", "Preparing", connector=2)
    clock.tick(DELAY)
    await charger.settle()
    assert charger.called(START[0]) == [
        {"connectorId": 1, "idTag": OWN},
        {"connectorId": 2, "idTag": OWN},
    ]


async def test_nothing_is_started_once_it_is_closed(
    charger: Charger, clock: FakeClock, free: FreeCharging
) -> None:
    await _status(charger, "Available", "Preparing")
    free.close()
    await _status(charger, "Available", "Preparing")
    clock.tick(DELAY)
    assert await _starts(charger) == 0


@pytest.mark.usefixtures("free")
async def test_a_refusal_is_not_answered_by_another_try(
    charger: Charger, clock: FakeClock
) -> None:
    charger.answers["RemoteStartTransaction"] = {"status": "Rejected"}
    await _status(charger, "Available", "Preparing")
    for _ in range(5):
        clock.tick(DELAY)
        await charger.settle()
    assert await _starts(charger) == 1
