"""Test turns: pieces of work in order, one per turn of the event loop."""

import asyncio
from functools import partial

import pytest

from homeassistant.core import HomeAssistant

from custom_components.ev_charger_hub.turns import Turns


@pytest.fixture
def turns(hass: HomeAssistant) -> Turns:
    """Return turns without work."""
    return Turns(hass.async_create_task)


async def test_one_piece_is_done_per_turn(turns: Turns) -> None:
    done: list[int] = []
    for number in range(3):
        turns.add(partial(done.append, number))
    seen = []
    while len(done) < 3:
        seen.append(list(done))
        await asyncio.sleep(0)
    assert [0] in seen
    assert [0, 1] in seen
    assert done == [0, 1, 2]


async def test_a_piece_may_add_another(hass: HomeAssistant, turns: Turns) -> None:
    done: list[str] = []
    turns.add(lambda: turns.add(partial(done.append, "second")))
    await hass.async_block_till_done()
    turns.add(partial(done.append, "third"))
    await hass.async_block_till_done()
    assert done == ["second", "third"]


async def test_one_bad_piece_stops_no_other(
    hass: HomeAssistant, turns: Turns, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def bad() -> None:
        raise ValueError

    turns.add(bad)
    turns.add(partial(done.append, "good"))
    await hass.async_block_till_done()
    assert done == ["good"]
    assert "A piece of work failed" in caplog.text
    caplog.clear()


async def test_what_is_closed_is_not_done(hass: HomeAssistant, turns: Turns) -> None:
    done: list[str] = []
    turns.add(partial(done.append, "never"))
    turns.close()
    await hass.async_block_till_done()
    assert done == []
