"""History: sessions and usage of the past, as the cloud lists them."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from .yard import SERIAL, Yard, ended
from custom_components.ev_charger_hub.easee import history
from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.errors import Refused
from custom_components.ev_charger_hub.easee.history import (
    FACT,
    import_sessions,
    session_in,
    usage_in,
)
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.easee.told_sessions import unnamed
from custom_components.ev_charger_hub.station.enums import StopReason
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.transaction import (
    Transaction,
    TransactionState,
)
from custom_components.ev_charger_hub.station.transaction_events import TransactionEvent
from simulators.easee_cloud import Charger, EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.vehicle import Vehicle

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def charger(cloud: EaseeCloud) -> Charger:
    """Return the charger, with two months of a past."""
    charger = cloud.chargers[SERIAL]
    assert len(charger.history.sessions) == 30
    return charger


@pytest.fixture
async def yard(tmp_path: Path, time: SimulatedTime) -> AsyncGenerator[Yard]:
    """Return a yard that knows nothing of the charger's past."""
    yard = Yard(tmp_path, time)
    await yard.open()
    yield yard
    await yard.close()


async def bring(yard: Yard, api: EaseeApi) -> int:
    """Import the past into the journal of a yard."""
    return await import_sessions(
        api, yard.transactions, yard.journal, SERIAL, SERIAL, now=yard.time()
    )


async def test_the_past_is_imported_once(
    charger: Charger, api: EaseeApi, yard: Yard, cloud: EaseeCloud
) -> None:
    assert await bring(yard, api) == 30
    found = await yard.journaled()
    assert [
        (one.transaction_id, one.started_at, one.stopped_at, one.energy, one.id_token)
        for one in found
    ] == [
        (f"easee-{one.id}", one.start, one.stop, round(one.energy * 1000), one.auth)
        for one in charger.history.sessions
    ]
    assert {one.state for one in found} == {TransactionState.CLOSED}
    assert yard.events == []
    assert yard.session.transaction_id == found[-1].transaction_id
    asked = len(cloud.journal.find(pattern="/api/sessions/charger/"))
    assert asked == 4

    assert await bring(yard, api) == 0
    assert len(await yard.journaled()) == 30
    assert len(cloud.journal.find(pattern="/api/sessions/charger/")) == asked + 1


async def test_an_import_that_is_cut_short_goes_on_where_it_was(
    charger: Charger, api: EaseeApi, yard: Yard, cloud: EaseeCloud
) -> None:
    path = "/api/sessions/charger/"
    now = yard.time()
    until = now - history.PAST + 2 * history.PAGE
    third = f"{path}.*/{until:%Y-%m-%dT%H:%M:%SZ}/"
    cloud.faults.add(Fault(pattern=third, status=400))
    with pytest.raises(Refused):
        await bring(yard, api)
    assert await yard.journal.load(SERIAL, FACT) == until.isoformat()
    before = len(await yard.journaled())
    assert 0 < before < 30
    assert before + await bring(yard, api) == 30


async def test_sessions_that_were_seen_are_not_imported_again(
    charger: Charger, api: EaseeApi, yard: Yard
) -> None:
    first, second, third = charger.history.sessions[-3:]
    assert first.stop is not None
    assert second.stop is not None
    assert third.stop is not None
    # One under another number, one of which the end was missed, one that had no name.
    text = ended(7001, first.start, first.stop, first.energy, None)
    await yard.told(Id.CHARGING_SESSION, text, at=first.stop)
    yard.time.now = second.start
    lost = unnamed(second.start + timedelta(seconds=1))
    await yard.transactions.event(lost)
    await yard.transactions.close_lost(lost.transaction_id)
    yard.time.now = third.start
    local = await yard.transactions.start(
        evse_id=1, id_token="TAG", meter_start=0, claimed_at=third.start
    )
    yard.time.now = third.stop
    await yard.transactions.stop(
        transaction_id=local.transaction_id,
        meter_stop=5_000,
        claimed_at=third.stop,
        reason=StopReason.LOCAL,
    )
    yard.time.now = third.stop + DAY

    assert await bring(yard, api) == 27
    found = await yard.journaled()
    assert len(found) == 30
    assert [one.transaction_id for one in found[-3:]] == [
        "easee-7001",
        f"easee-{second.id}",
        local.transaction_id,
    ]
    assert found[-2].state is TransactionState.CLOSED
    assert found[-2].energy == round(second.energy * 1000)
    assert found[-1].energy == 5_000


async def test_a_session_that_was_imported_is_not_kept_again_when_it_is_told(
    charger: Charger, api: EaseeApi, yard: Yard
) -> None:
    await bring(yard, api)
    last = charger.history.sessions[-1]
    assert last.stop is not None
    for number in (last.id, 7001):
        text = ended(number, last.start, last.stop, last.energy)
        await yard.told(Id.CHARGING_SESSION, text, at=last.stop)
    assert len(await yard.journaled()) == 30


async def test_a_session_that_goes_on_is_not_imported(
    cloud: EaseeCloud, api: EaseeApi, yard: Yard
) -> None:
    charger = cloud.chargers[SERIAL]
    assert await history.ongoing(api, SERIAL) is None
    charger.history.sessions.clear()
    assert await history.latest(api, SERIAL) is None
    charger.plug_in(Vehicle())
    yard.time.advance(1800)
    found = await history.ongoing(api, SERIAL)
    assert found is not None
    assert found.stopped_at is None
    assert found.energy > 0
    assert await bring(yard, api) == 0

    charger.unplug()
    yard.time.advance(60)
    over = await history.latest(api, SERIAL)
    assert over is not None
    assert over.id == found.id
    assert over.energy >= found.energy
    assert over.price == pytest.approx(0.3)
    assert await bring(yard, api) == 1


async def test_sessions_that_a_charger_tells_late_are_imported(
    charger: Charger, api: EaseeApi, yard: Yard, cloud: EaseeCloud
) -> None:
    """One that was offline for weeks has kept them, and the list gets them then."""
    kept = charger.history.sessions[-12:]
    del charger.history.sessions[-12:]
    assert await bring(yard, api) == 18
    yard.time.advance(DAY.total_seconds())
    assert await bring(yard, api) == 0
    charger.history.sessions += kept
    yard.time.advance(DAY.total_seconds())
    cloud.journal.clear()
    assert await bring(yard, api) == 12
    assert len(cloud.journal.find(pattern="/api/sessions/charger/")) == 1


async def test_an_import_that_dies_in_the_middle_doubles_nothing(
    charger: Charger, api: EaseeApi, yard: Yard
) -> None:
    tells, kept = yard.transactions.told, 0

    async def told(event: TransactionEvent) -> tuple[Transaction, bool]:
        nonlocal kept
        kept += 1
        if kept > 5:
            raise JournalError
        return await tells(event)

    with (
        patch.object(yard.transactions, "told", told),
        pytest.raises(JournalError),
    ):
        await bring(yard, api)
    await yard.restart()
    assert len(await yard.journaled()) == 5
    assert await bring(yard, api) == 25
    assert len(await yard.journaled()) == 30


async def test_an_import_ends_when_another_has_the_charger(
    charger: Charger, api: EaseeApi, yard: Yard
) -> None:
    tells, kept = yard.transactions.told, 0

    async def told(event: TransactionEvent) -> tuple[Transaction, bool]:
        nonlocal kept
        kept += 1
        if kept == 5:
            await yard.transactions.close()
        return await tells(event)

    with patch.object(yard.transactions, "told", told):
        assert await bring(yard, api) == 5
    assert await yard.journal.load(SERIAL, FACT) is None
    assert len(await yard.journaled()) == 5
    await yard.restart()
    assert await bring(yard, api) == 25


async def test_the_past_is_not_shown_as_a_present_that_changes(
    charger: Charger, api: EaseeApi, yard: Yard
) -> None:
    """The newest comes first: what is shown is no session that was long ago."""
    del charger.history.sessions[:-10]
    shown = []
    yard.evse.session.subscribe(lambda: shown.append(yard.session.transaction_id))
    assert await bring(yard, api) == 10
    assert set(shown) == {f"easee-{charger.history.sessions[-1].id}"}


async def test_usage_comes_by_the_hour(
    charger: Charger, api: EaseeApi, yard: Yard
) -> None:
    end = yard.time()
    found = await history.hourly_usage(api, SERIAL, end - 40 * DAY, end)
    assert len(found) == 40 * 24
    assert [one.start for one in found] == [
        end - 40 * DAY + number * HOUR for number in range(40 * 24)
    ]
    delivered = {
        hour: round(energy * 1000)
        for hour, energy in charger.history.hours.items()
        if hour >= end - 40 * DAY
    }
    assert {one.start: one.energy for one in found if one.energy} == delivered


LISTED = {
    "carConnected": "2026-10-01T06:00:00Z",
    "carDisconnected": "2026-10-01T08:00:00Z",
    "kiloWattHours": 7.5,
}


@pytest.mark.parametrize(
    "item",
    [
        None,
        [],
        {},
        {"carConnected": "2026-10-01T06:00:00Z"},
        LISTED | {"kiloWattHours": "much"},
        LISTED | {"carConnected": None},
        LISTED | {"carConnected": 3},
    ],
)
def test_what_is_no_session_is_left_out(item: object) -> None:
    assert session_in(item) is None
    assert usage_in(item) is None


def test_a_session_without_an_id_is_named_after_its_start() -> None:
    found = session_in(LISTED)
    assert found is not None
    assert found.id is None
    assert found.told.transaction_id == "easee-at-1790834400"
    assert found.charging_time is None
    open_one = session_in(LISTED | {"isComplete": False, "id": 3})
    assert open_one is not None
    assert open_one.stopped_at is None
    backwards = session_in(LISTED | {"carDisconnected": "2026-10-01T05:00:00Z"})
    assert backwards == replace(found, stopped_at=found.started_at)
