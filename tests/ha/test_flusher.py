"""Test the flusher: coalesced, urgent first, never stopped by one bad write."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from custom_components.ev_charger_hub.flusher import RATE, SLICE, URGENT, Flusher


async def _next_iteration() -> None:
    """Let the event loop turn once."""
    await asyncio.sleep(0)


def _next_interval(hass: HomeAssistant, seconds: float = 2) -> None:
    """Let the time pass until the next interval is over."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))


async def test_marks_are_written_once_per_interval(hass: HomeAssistant) -> None:
    written: list[str] = []
    flusher = Flusher(hass)
    write = lambda: written.append("a")  # noqa: E731
    for _ in range(3):
        flusher.mark(write, urgent=False)
    await _next_iteration()
    assert written == []
    _next_interval(hass)
    assert written == ["a"]
    _next_interval(hass)
    assert written == ["a"]


async def test_urgent_marks_are_written_at_the_next_iteration(
    hass: HomeAssistant,
) -> None:
    written: list[str] = []
    flusher = Flusher(hass)
    status = lambda: written.append("status")  # noqa: E731
    power = lambda: written.append("power")  # noqa: E731
    flusher.mark(power, urgent=False)
    flusher.mark(status, urgent=True)
    flusher.mark(status, urgent=True)
    assert written == []
    await _next_iteration()
    assert written == ["status"]
    _next_interval(hass)
    assert written == ["status", "power"]


async def test_what_is_urgent_all_the_time_waits_like_the_rest(
    hass: HomeAssistant,
) -> None:
    written: list[str] = []
    flusher = Flusher(hass, interval=60)
    wild = lambda: written.append("wild")  # noqa: E731
    calm = lambda: written.append("calm")  # noqa: E731
    for _ in range(20):
        flusher.mark(wild, urgent=True)
        await _next_iteration()
    assert written == ["wild"] * URGENT
    flusher.mark(calm, urgent=True)
    await _next_iteration()
    assert written[URGENT:] == ["calm"]
    # The last of what it was is not lost.
    _next_interval(hass, 61)
    assert written[URGENT + 1 :] == ["wild"]
    # It may be urgent again.
    flusher._counted_from -= 61
    flusher.mark(wild, urgent=True)
    await _next_iteration()
    assert written[URGENT + 2 :] == ["wild"]
    flusher.close()


async def test_writes_that_come_once_are_not_remembered(hass: HomeAssistant) -> None:
    flusher = Flusher(hass, interval=0)
    written: list[int] = []
    for number in range(100):
        flusher.mark(partial(written.append, number), urgent=True)
        await _next_iteration()
    assert len(written) == 100
    assert len(flusher._made) <= 1


async def test_a_mark_that_becomes_urgent_is_written_once(hass: HomeAssistant) -> None:
    written: list[str] = []
    flusher = Flusher(hass)
    write = lambda: written.append("a")  # noqa: E731
    flusher.mark(write, urgent=False)
    flusher.mark(write, urgent=True)
    flusher.mark(write, urgent=False)
    await _next_iteration()
    _next_interval(hass)
    assert written == ["a"]


async def test_one_bad_write_stops_no_other(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    written: list[str] = []

    def bad() -> None:
        raise ValueError

    flusher = Flusher(hass)
    flusher.mark(bad, urgent=True)
    flusher.mark(lambda: written.append("good"), urgent=True)
    await _next_iteration()
    assert written == ["good"]
    assert "A state could not be written" in caplog.text
    caplog.clear()


async def test_discarded_and_closed_marks_are_forgotten(hass: HomeAssistant) -> None:
    written: list[str] = []
    first = lambda: written.append("first")  # noqa: E731
    second = lambda: written.append("second")  # noqa: E731
    flusher = Flusher(hass)
    for urgent in (True, False):
        flusher.mark(first, urgent=urgent)
        flusher.discard(first)
    await _next_iteration()
    flusher.mark(first, urgent=False)
    flusher.mark(second, urgent=True)
    flusher.close()
    await _next_iteration()
    _next_interval(hass)
    assert written == []
    flusher.close()


async def test_a_pending_flush_does_not_hold_up_the_end(hass: HomeAssistant) -> None:
    Flusher(hass, interval=500).mark(lambda: None, urgent=False)


async def test_a_flood_is_followed_by_a_longer_rest(hass: HomeAssistant) -> None:
    flusher = Flusher(hass)
    flood: list[int] = []
    for number in range(10 * RATE):
        flusher.mark(partial(flood.append, number), urgent=False)
    _next_interval(hass)
    while len(flood) < 10 * RATE:
        await _next_iteration()
    written: list[str] = []
    flusher.mark(lambda: written.append("power"), urgent=False)
    flusher.mark(lambda: written.append("status"), urgent=True)
    await _next_iteration()
    _next_interval(hass, 5)
    assert written == ["status"]
    _next_interval(hass, 11)
    assert written == ["status", "power"]


@pytest.mark.parametrize("urgent", [True, False])
async def test_many_writes_leave_room_for_others(
    hass: HomeAssistant, urgent: bool
) -> None:
    """Every write is made once, and other work comes between the slices."""
    flusher = Flusher(hass, interval=0)
    done: list[object] = []
    writes = [partial(done.append, number) for number in range(3 * SLICE)]
    for write in writes:
        flusher.mark(write, urgent=urgent)
    while not done:
        await asyncio.sleep(0)
    assert len(done) == SLICE
    while len(done) < len(writes):
        await asyncio.sleep(0)
    assert done == list(range(3 * SLICE))
