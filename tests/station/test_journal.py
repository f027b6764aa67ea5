"""The journal: what it returns, what it shares, and what it refuses."""

import asyncio
from collections.abc import Awaitable, Callable
import json
import logging
from pathlib import Path
import sqlite3
import stat
import threading

import pytest

from .conftest import Hall, Timers
from custom_components.ev_charger_hub.station import rows
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.rows import MIGRATIONS


async def test_a_fact_is_returned_as_it_was_stored(hall: Hall) -> None:
    fact = {"a": [1, 2.5, None, "ä"], "b": {"c": True}}

    await hall.journal.store("CP1", "limits", fact)

    assert await hall.journal.load("CP1", "limits") == fact
    assert await hall.journal.load("CP2", "limits") is None
    assert await hall.journal.load("CP1", "other") is None


async def test_facts_for_soon_are_written_together(hall: Hall) -> None:
    hall.journal.store_soon("CP1", "snapshot", {"n": 1})
    hall.journal.store_soon("CP1", "snapshot", {"n": 2})
    hall.journal.store_soon("CP2", "snapshot", {"n": 3})
    assert len(hall.timers.pending) == 1
    assert facts_in(hall.path) == {}
    assert await hall.journal.load("CP1", "snapshot") == {"n": 2}

    hall.timers.fire()
    await hall.journal.flush()
    await hall.journal.load("", "")

    assert facts_in(hall.path) == {
        ("CP1", "snapshot"): {"n": 2},
        ("CP2", "snapshot"): {"n": 3},
    }


async def test_facts_for_soon_are_written_at_close(hall: Hall) -> None:
    hall.journal.store_soon("CP1", "snapshot", {"n": 1})
    await hall.journal.close()

    assert facts_in(hall.path) == {("CP1", "snapshot"): {"n": 1}}
    await hall.open()


async def test_the_event_loop_is_the_timer_by_default(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.db")
    journal.store_soon("CP1", "snapshot", 1)
    await journal.close()

    assert facts_in(tmp_path / "journal.db") == {("CP1", "snapshot"): 1}


async def test_close_waits_for_what_is_being_written(hall: Hall) -> None:
    hall.journal.store_soon("CP1", "snapshot", 1)
    hall.timers.fire()
    await hall.journal.close()

    assert facts_in(hall.path) == {("CP1", "snapshot"): 1}
    await hall.open()


async def test_a_stored_fact_replaces_the_one_for_soon(hall: Hall) -> None:
    hall.journal.store_soon("CP1", "snapshot", 1)
    await hall.journal.store("CP1", "snapshot", 2)
    await hall.journal.flush()

    assert await hall.journal.load("CP1", "snapshot") == 2


async def test_what_could_not_be_written_is_tried_again(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    broken = sqlite3.connect(hall.path)
    broken.execute("ALTER TABLE facts RENAME TO elsewhere")
    hall.journal.store_soon("CP1", "snapshot", 1)

    with caplog.at_level(logging.ERROR):
        hall.timers.fire()
        while not hall.timers.pending:
            await asyncio.sleep(0)

    assert "will be tried again" in caplog.text
    broken.execute("ALTER TABLE elsewhere RENAME TO facts")
    broken.close()
    await hall.journal.flush()
    assert facts_in(hall.path) == {("CP1", "snapshot"): 1}


async def interrupted(hall: Hall, meanwhile: Callable[[], Awaitable[None]]) -> None:
    """Let a flush fail, and something happen that reaches the disk after it."""
    gate = threading.Event()

    def fail(connection: sqlite3.Connection) -> None:
        gate.wait()
        connection.execute("ALTER TABLE facts RENAME TO elsewhere")

    def repair(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE elsewhere RENAME TO facts")

    async with asyncio.TaskGroup() as group:
        group.create_task(hall.journal.run(fail))
        await asyncio.sleep(0)
        flush = group.create_task(failing(hall))
        await asyncio.sleep(0)
        group.create_task(hall.journal.run(repair))
        await asyncio.sleep(0)
        group.create_task(awaited(meanwhile))
        await asyncio.sleep(0)
        gate.set()
    assert flush.done()
    await hall.journal.flush()


async def failing(hall: Hall) -> None:
    with pytest.raises(JournalError):
        await hall.journal.flush()


async def awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()


async def test_what_could_not_be_written_does_not_replace_what_is_newer(
    hall: Hall,
) -> None:
    hall.journal.store_soon("CP1", "wishes", "old")
    hall.journal.store_soon("CP1", "other", "kept")
    await interrupted(hall, lambda: hall.journal.store("CP1", "wishes", "new"))
    assert facts_in(hall.path) == {
        ("CP1", "wishes"): "new",
        ("CP1", "other"): "kept",
    }


async def test_what_could_not_be_written_of_a_forgotten_station_stays_forgotten(
    hall: Hall,
) -> None:
    hall.journal.store_soon("CP1", "wishes", "old")
    hall.journal.store_soon("CP2", "wishes", "kept")
    await interrupted(hall, lambda: hall.journal.forget("CP1"))
    assert facts_in(hall.path) == {("CP2", "wishes"): "kept"}


async def test_a_newer_fact_that_cannot_be_written_leaves_the_one_for_soon(
    hall: Hall,
) -> None:
    hall.journal.store_soon("CP1", "wishes", "old")
    with sqlite3.connect(hall.path) as broken:
        broken.execute("ALTER TABLE facts RENAME TO elsewhere")
    with pytest.raises(JournalError):
        await hall.journal.store("CP1", "wishes", "new")
    broken.execute("ALTER TABLE elsewhere RENAME TO facts")
    broken.close()
    await hall.journal.flush()
    assert facts_in(hall.path) == {("CP1", "wishes"): "old"}


async def test_close_waits_for_everything_that_is_written_slowly(hall: Hall) -> None:
    gate = threading.Event()
    slow = asyncio.create_task(hall.journal.run(lambda connection: gate.wait()))
    await asyncio.sleep(0)
    for number in range(2):
        hall.journal.store_soon("CP1", f"fact {number}", number)
        hall.timers.fire()
        await asyncio.sleep(0)
    flushing = set(hall.journal._flushing)
    assert len(flushing) == 2
    closing = asyncio.create_task(hall.journal.close())
    await asyncio.sleep(0)
    gate.set()
    await slow
    await closing
    assert all(one.done() for one in flushing)
    assert len(facts_in(hall.path)) == 2
    await hall.open()


async def test_numbers_are_never_given_twice(hall: Hall) -> None:
    assert [await hall.journal.next_number("profile") for _ in range(3)] == [1, 2, 3]
    assert await hall.journal.next_number("remote_start") == 1

    await hall.journal.close()
    await hall.open()

    assert await hall.journal.next_number("profile") == 4


async def test_forgetting_a_station_leaves_the_others(hall: Hall) -> None:
    one, two = await hall.station("CP1"), await hall.station("CP2")
    for transactions in (one, two):
        begun = await transactions.start(
            evse_id=1, id_token="TAG", meter_start=0, claimed_at=hall.now
        )
        transactions.meter(evse_id=1, transaction_id=None, register=1, at=hall.now)
    await hall.journal.store("CP1", "kept", 1)
    hall.journal.store_soon("CP1", "snapshot", 1)
    hall.journal.store_soon("CP2", "snapshot", 2)
    hall.timers.fire()

    await hall.journal.forget("CP1")

    assert await hall.journal.sessions("CP1") == []
    assert await hall.journal.load("CP1", "kept") is None
    assert await hall.journal.load("CP1", "snapshot") is None
    assert await hall.journal.load("CP2", "snapshot") == 2
    assert await hall.journal.sessions("CP2") == [begun]


async def test_a_station_that_is_renamed_goes_on_with_what_is_known_of_it(
    hall: Hall,
) -> None:
    journal = hall.journal
    begun = await (await hall.station("CP1")).start(
        evse_id=1, id_token="TAG", meter_start=0, claimed_at=hall.now
    )
    await journal.store("CP1", "kept", 1)
    journal.store_soon("CP1", "snapshot", 1)
    await journal.store("CP2", "snapshot", 2)
    assert not await journal.knows("CP3")

    await journal.rename("CP1", "CP2")

    assert [one.key for one in await journal.sessions("CP2")] == [begun.key]
    assert await journal.load("CP2", "kept") == 1
    assert await journal.load("CP2", "snapshot") == 2
    assert not await journal.knows("CP1")
    assert await journal.knows("CP2")
    await journal.rename("CP1", "CP2")
    assert await journal.load("CP2", "snapshot") == 2


async def test_another_program_reads_plain_tables(hall: Hall) -> None:
    transactions = await hall.station()
    begun = await transactions.start(
        evse_id=1, id_token="TAG", meter_start=100, claimed_at=hall.now
    )

    with sqlite3.connect(hall.path) as reader:
        row = reader.execute(
            "SELECT transaction_id, identity, started_at, state FROM transactions"
        ).fetchone()

    assert row == (
        begun.transaction_id,
        "CP1",
        "2026-11-20T12:00:00.000000+00:00",
        "open",
    )
    reader.close()


async def test_the_file_is_only_for_its_owner(hall: Hall) -> None:
    assert stat.S_IMODE(hall.path.stat().st_mode) == 0o600


async def test_a_file_from_elsewhere_becomes_private(tmp_path: Path) -> None:
    """A backup that was copied by hand is readable by everybody."""
    path = tmp_path / "journal.db"
    path.touch(mode=0o644)
    journal = await Journal.open(path)
    await journal.store("CP1", "fact", "secret")
    found = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    await journal.close()
    assert found == dict.fromkeys(
        ("journal.db", "journal.db-shm", "journal.db-wal"), 0o600
    )


async def test_every_write_is_synced(hall: Hall) -> None:
    def pragmas(connection: sqlite3.Connection) -> tuple[str, int, int]:
        return tuple(
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "user_version")
        )

    assert await hall.journal.run(pragmas) == ("wal", 2, len(MIGRATIONS))


async def test_an_older_file_is_brought_up_to_date(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions = await hall.station()
    begun = await transactions.start(
        evse_id=1, id_token="TAG", meter_start=100, claimed_at=hall.now
    )
    addition = ("ALTER TABLE facts ADD COLUMN written_at TEXT",)
    monkeypatch.setattr(rows, "MIGRATIONS", (*MIGRATIONS, addition))

    transactions = await hall.restart()

    assert await transactions.sessions() == [begun]
    with sqlite3.connect(hall.path) as reader:
        assert reader.execute("PRAGMA user_version").fetchone() == (
            len(MIGRATIONS) + 1,
        )
    reader.close()


async def test_a_failed_migration_changes_nothing(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hall.journal.close()
    broken = ("ALTER TABLE facts ADD COLUMN written_at TEXT", "NONSENSE")
    monkeypatch.setattr(rows, "MIGRATIONS", (*MIGRATIONS, broken))

    with pytest.raises(JournalError, match="NONSENSE"):
        await Journal.open(hall.path)

    monkeypatch.undo()
    await hall.open()
    await hall.journal.store("CP1", "fact", 1)


async def test_a_newer_file_is_refused(hall: Hall) -> None:
    await hall.journal.close()
    with sqlite3.connect(hall.path) as newer:
        newer.execute("PRAGMA user_version = 99")

    with pytest.raises(JournalError, match="version 99"):
        await Journal.open(hall.path)

    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    newer.close()
    await hall.open()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_text("something else entirely, and long enough to be noticed" * 20)

    with pytest.raises(JournalError, match=r"journal\.db"):
        await Journal.open(path, call_later=Timers())


async def test_what_sqlite_cannot_store_is_an_error_of_the_journal(hall: Hall) -> None:
    transactions = await hall.station()

    with pytest.raises(JournalError):
        await transactions.start(
            evse_id=2**70, id_token="TAG", meter_start=0, claimed_at=hall.now
        )
    with pytest.raises(JournalError):
        await transactions.start(
            evse_id=1, id_token="\ud800", meter_start=0, claimed_at=hall.now
        )


def facts_in(path: Path) -> dict[tuple[str, str], object]:
    reader = sqlite3.connect(path)
    found = reader.execute("SELECT identity, name, value FROM facts").fetchall()
    reader.close()
    return {(identity, name): json.loads(value) for identity, name, value in found}
