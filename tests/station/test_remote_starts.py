"""Remote starts: known until their transaction comes, also after a restart."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.remote_starts import WINDOW, RemoteStarts


class Clock:
    """A clock that moves when told to."""

    now = datetime(2026, 11, 21, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the present."""
        return self.now


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncGenerator[Journal]:
    """Return an open journal."""
    journal = await Journal.open(tmp_path / "journal.db")
    yield journal
    await journal.close()


async def test_a_start_is_known_until_its_transaction_is(journal: Journal) -> None:
    clock = Clock()
    starts = RemoteStarts("CP1", journal, clock)
    number = await starts.begin("CARD", 2)
    assert await starts.begin("CARD", 1) == number + 1
    again = RemoteStarts("CP1", journal, clock)
    start = await again.find(number)
    assert start is not None
    assert (start.id_token, start.evse_id, start.at) == ("CARD", 2, clock.now)
    assert "CARD" not in repr(start)
    assert await RemoteStarts("CP2", journal, clock).find(number) is None
    await again.over(number)
    await again.over(number)
    assert await RemoteStarts("CP1", journal, clock).find(number) is None


async def test_a_start_is_not_waited_for_for_ever(journal: Journal) -> None:
    clock = Clock()
    starts = RemoteStarts("CP1", journal, clock)
    number = await starts.begin("CARD", 2)
    clock.now += WINDOW + timedelta(seconds=1)
    assert await starts.find(number) is None


async def test_nobody_fills_the_memory_with_starts(journal: Journal) -> None:
    starts = RemoteStarts("CP1", journal, Clock())
    numbers = [await starts.begin("CARD", 1) for _ in range(40)]
    assert await starts.find(numbers[0]) is None
    assert await starts.find(numbers[-1]) is not None
