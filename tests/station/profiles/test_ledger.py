"""The ledger: written before a profile is sent, true whatever becomes of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast, override

import pytest

from ..conftest import NOON, Hall
from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.errors import NotConnected
from custom_components.ev_charger_hub.station.link import Link
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from custom_components.ev_charger_hub.station.profiles.ledger import FACT, Entry, Ledger
from custom_components.ev_charger_hub.station.profiles.model import (
    ChargingProfile,
    Installed,
    Kind,
    Period,
    ProfileCriteria,
    Purpose,
    Recurrence,
    Schedule,
)
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transaction import Transaction

ACCEPTED = Outcome(status=OutcomeStatus.ACCEPTED, answer="Accepted")
REJECTED = Outcome(status=OutcomeStatus.REJECTED, answer="Rejected")
SILENT = Outcome(status=OutcomeStatus.TIMED_OUT)
UNKNOWN = Outcome(status=OutcomeStatus.REJECTED, answer="Unknown")


@dataclass(kw_only=True)
class Wire:
    """A link that answers as it is told."""

    answer: Outcome | Exception = ACCEPTED

    async def set_profile(self, evse_id: int, profile: ChargingProfile) -> Outcome:
        """Answer."""
        return self.answered()

    async def clear_profiles(self, criteria: ProfileCriteria) -> Outcome:
        """Answer."""
        return self.answered()

    def answered(self) -> Outcome:
        """Return or raise the answer."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    """Return an open hall."""
    hall = Hall(tmp_path / "hub" / "journal.db")
    await hall.open()
    yield hall
    await hall.close()


@pytest.fixture
def station() -> ChargingStation:
    """Return a station with one EVSE."""
    station = ChargingStation("CP1", StationSettings(name="CP1"))
    station.evse(1)
    return station


@pytest.fixture
def ledger(station: ChargingStation, hall: Hall) -> Ledger:
    """Return an empty ledger."""
    return Ledger(station, hall.journal)


def entry(number: int, *, evse_id: int = 1, limit: int = 10, **more: Any) -> Entry:
    """Return an entry whose profile has this id."""
    profile = ChargingProfile(
        id=number,
        purpose=more.pop("purpose", Purpose.TX_DEFAULT),
        kind=Kind.ABSOLUTE,
        stack_level=more.pop("stack_level", 0),
        schedule=Schedule(
            unit=RateUnit.AMPERE,
            start=NOON,
            periods=(Period(start=0, limit=Decimal(limit)),),
        ),
    )
    installed = Installed(
        evse_id=evse_id, profile=replace(profile, **more), set_at=NOON
    )
    return Entry(installed=installed)


def link(answer: Outcome | Exception = ACCEPTED) -> Link:
    """Return a link that answers as it is told."""
    return cast(Link, Wire(answer=answer))


def ids(ledger: Ledger) -> list[int]:
    """Return the ids of what the station holds."""
    return [one.profile.id for one in ledger.installed]


async def reloaded(ledger: Ledger, station: ChargingStation, hall: Hall) -> Ledger:
    """Return the ledger as it is after a restart."""
    again = Ledger(station, hall.journal)
    await again.load()
    return again


async def test_everything_comes_back_after_a_restart(
    ledger: Ledger, station: ChargingStation, hall: Hall
) -> None:
    full = Schedule(
        unit=RateUnit.WATT,
        start=NOON,
        duration=3600,
        minimum_rate=Decimal("4140.5"),
        use_local_time=True,
        periods=(
            Period(start=0, limit=Decimal("7360.1")),
            Period(start=60, limit=Decimal(0), phases=1, phase_to_use=2),
        ),
    )
    rich = entry(
        5000,
        kind=Kind.RECURRING,
        recurrence=Recurrence.WEEKLY,
        valid_from=NOON,
        valid_to=NOON + timedelta(days=1),
        schedule=full,
    )
    await ledger.install(link(), replace(rich, wall_start=NOON.replace(tzinfo=None)))
    await ledger.install(link(SILENT), entry(5001, evse_id=0))
    assert (await reloaded(ledger, station, hall)).entries == ledger.entries
    assert [one.sure for one in ledger.entries] == [True, False]


async def test_it_is_on_disk_before_the_profile_is_sent(
    ledger: Ledger, hall: Hall
) -> None:
    seen: list[Any] = []

    class Reader(Wire):
        """Looks at the disk while it sends."""

        @override
        async def set_profile(self, evse_id: int, profile: ChargingProfile) -> Outcome:
            """Look, and answer."""
            seen.append(await hall.journal.load("CP1", FACT))
            return self.answered()

    await ledger.install(cast(Link, Reader()), entry(1))
    ((kept,),) = seen
    assert (kept["profile"]["id"], kept["sure"]) == (1, False)
    assert [one.sure for one in ledger.entries] == [True]


@pytest.mark.parametrize(
    ("answer", "held"),
    [(ACCEPTED, [2]), (REJECTED, [1]), (SILENT, [2]), (NotConnected(), [1])],
)
async def test_what_was_replaced_is_back_only_if_the_station_refused(
    ledger: Ledger,
    station: ChargingStation,
    hall: Hall,
    answer: Outcome | Exception,
    held: list[int],
) -> None:
    await ledger.note(entry(1))
    if isinstance(answer, Exception):
        with pytest.raises(NotConnected):
            await ledger.install(link(answer), entry(2))
    else:
        assert await ledger.install(link(answer), entry(2)) == answer
    assert ids(ledger) == held
    assert ids(await reloaded(ledger, station, hall)) == held


@pytest.mark.parametrize(
    ("version", "other", "held"),
    [
        (None, entry(1, evse_id=0), [1]),
        (None, entry(2), [2]),
        (None, entry(2, stack_level=1), [1, 2]),
        (None, entry(2, evse_id=0), [1, 2]),
        (None, entry(2, purpose=Purpose.STATION_MAX), [1, 2]),
        ("2.0.1", entry(2), [1, 2]),
        ("2.1", entry(1, evse_id=0), [1]),
    ],
)
async def test_a_profile_replaces_what_its_version_says(
    ledger: Ledger,
    station: ChargingStation,
    version: str | None,
    other: Entry,
    held: list[int],
) -> None:
    station.version.set(version)
    await ledger.note(entry(1))
    assert [one.installed.profile.id for one in ledger.replaced(other.installed)] == [
        one for one in [1] if other.installed.profile.id == 1 or held == [2]
    ]
    await ledger.note(other)
    assert ids(ledger) == held


@pytest.mark.parametrize(
    ("answer", "held", "sure"),
    [
        (ACCEPTED, [2], [True]),
        (UNKNOWN, [2], [True]),
        (REJECTED, [1, 2], [True, True]),
        (SILENT, [1, 2], [False, True]),
    ],
)
async def test_clearing_forgets_what_is_gone(
    ledger: Ledger, answer: Outcome, held: list[int], sure: list[bool]
) -> None:
    await ledger.note(entry(1))
    await ledger.note(entry(2, evse_id=2))
    outcome = await ledger.clear(link(answer), ProfileCriteria(evse_id=1))
    assert outcome.ok is (answer in (ACCEPTED, UNKNOWN))
    assert outcome.answer == answer.answer
    assert ids(ledger) == held
    assert [one.sure for one in ledger.entries] == sure
    await ledger.forget(ProfileCriteria(id=2))
    assert 2 not in ids(ledger)


async def test_a_tx_profile_goes_with_its_transaction_and_is_not_hurried(
    ledger: Ledger, station: ChargingStation, hall: Hall
) -> None:
    station.evse(1).session.set(
        Transaction(
            key=1,
            identity="CP1",
            transaction_id="7",
            evse_id=1,
            started_at=NOON,
            received_at=NOON,
        )
    )
    mine = entry(3001, purpose=Purpose.TX, transaction_id="7")
    await ledger.install(link(), mine)
    await ledger.install(link(), entry(3001, purpose=Purpose.TX, transaction_id="7"))
    assert ids(ledger) == [3001]
    # It waits for others, so that changes every few seconds wear out no disk.
    assert hall.timers.pending
    await hall.journal.flush()
    assert ids(await reloaded(ledger, station, hall)) == [3001]
    station.evse(1).session.set(None)
    assert ids(ledger) == []
    await ledger.note(entry(1))
    assert ids(await reloaded(ledger, station, hall)) == [1]


@pytest.mark.parametrize("kept", ["text", [1], [{"evse": 1}], {"evse": 1}])
async def test_what_cannot_be_read_is_forgotten(
    station: ChargingStation, hall: Hall, kept: Any
) -> None:
    await hall.journal.store("CP1", FACT, kept)
    ledger = Ledger(station, hall.journal)
    await ledger.load()
    assert ledger.entries == ()
    await ledger.note(entry(1))
    assert ids(ledger) == [1]
