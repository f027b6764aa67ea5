"""Sessions: what the cloud tells of them, and what the journal has."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from .yard import SERIAL, Yard, ended, started
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.station import signed_values
from custom_components.ev_charger_hub.station.costs import Costs
from custom_components.ev_charger_hub.station.enums import ConnectorStatus, StopReason
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.events import (
    SessionEnded,
    SessionKnown,
    SessionSettled,
    SessionStarted,
    TokenPresented,
)
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.link import LinkKind
from custom_components.ev_charger_hub.station.transaction import TransactionState
from simulators.easee_cloud import SimulatedTime

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def yard(tmp_path: Path, time: SimulatedTime) -> AsyncGenerator[Yard]:
    """Return a yard whose charger is there, without a car."""
    yard = Yard(tmp_path, time)
    await yard.open()
    await yard.appear()
    await yard.wait(60)
    yield yard
    await yard.close()


async def begin(yard: Yard, number: int = 5, **more: Any) -> datetime:
    """Let a session begin as the cloud tells it; return when it did."""
    start = yard.time()
    await yard.told(Id.SESSION_ENERGY, 0.0)
    await yard.told(Id.CHARGING_SESSION_START, started(number, start, **more))
    await yard.told(Id.CHARGER_OP_MODE, 3)
    return start


async def unplug(yard: Yard, number: int, start: datetime, energy: float) -> None:
    """Let the car go, and the session with it."""
    text = ended(number, start, yard.time(), energy)
    await yard.told(Id.CHARGING_SESSION, text)
    await yard.told(Id.CHARGER_OP_MODE, 1)


async def test_a_session_as_the_cloud_tells_it(yard: Yard) -> None:
    start = await begin(yard, Auth="CARD", AuthReason=1)
    session = yard.session
    assert session.open
    assert session.transaction_id == "easee-5"
    assert session.started_at == start
    assert session.id_token == "CARD"
    assert yard.evse.id_token_seen.value == ("CARD", start)
    assert yard.events == [
        SessionStarted(evse_id=1, transaction=session),
        SessionKnown(evse_id=1, transaction=session),
        TokenPresented(id_token="CARD", status=None, evse_id=1),
    ]
    assert session.values_start == {
        "Energy.Active.Import.Register": {"value": "1000000", "unit": "Wh"},
        "Easee.AuthReason": {"value": "1", "unit": None},
    }

    await yard.wait(1800)
    await yard.told(Id.SESSION_ENERGY, 3.604)
    assert session.energy == 3604
    assert yard.register() == 1_003_604

    await yard.wait(1800)
    yard.events.clear()
    await unplug(yard, 5, start, 7.25)
    assert yard.events == [
        SessionEnded(evse_id=1, transaction=session),
        SessionSettled(evse_id=1, transaction=session),
    ]
    assert session.state is TransactionState.CLOSED
    assert session.energy == 7250
    assert session.stopped_at == yard.time()
    assert session.stop_reason is StopReason.EV_DISCONNECTED
    assert yard.register() == 1_007_250
    assert await yard.journaled() == [session]


async def test_a_card_that_was_shown_before_is_not_shown_again_by_its_session(
    yard: Yard,
) -> None:
    await yard.told(Id.USER_ID_TOKEN, "CARD")
    await begin(yard, Auth="CARD")
    assert len([one for one in yard.events if isinstance(one, TokenPresented)]) == 1


@pytest.mark.conformance("EASEE_A3")
async def test_a_zero_while_charging_changes_no_session_energy(yard: Yard) -> None:
    await begin(yard)
    await yard.wait(60)
    await yard.told(Id.SESSION_ENERGY, 5.5)
    await yard.wait(60)
    await yard.told(Id.SESSION_ENERGY, 0.0)

    assert yard.session.energy == 5500
    assert yard.charger.readings.value(Id.SESSION_ENERGY) == 5.5
    await yard.wait(60)
    await yard.told(Id.SESSION_ENERGY, 5.6)
    assert yard.session.energy == 5600
    assert not yard.session.meter_reset


@pytest.mark.conformance("EASEE_A3")
async def test_the_next_car_begins_at_zero(yard: Yard) -> None:
    start = await begin(yard)
    await yard.wait(60)
    await yard.told(Id.SESSION_ENERGY, 5.5)
    await unplug(yard, 5, start, 5.5)
    await yard.wait(60)
    assert yard.charger.readings.value(Id.SESSION_ENERGY) == 5.5

    await yard.told(Id.CHARGER_OP_MODE, 2)
    assert yard.charger.readings.value(Id.SESSION_ENERGY) == 0
    text = started(6, yard.time(), 1005.5)
    await yard.told(Id.CHARGING_SESSION_START, text)
    assert yard.session.transaction_id == "easee-6"
    assert yard.session.energy == 0


async def test_a_session_is_closed_whatever_comes_first(yard: Yard) -> None:
    start = await begin(yard)
    await yard.wait(3600)
    stop = yard.time()
    await yard.told(Id.CHARGER_OP_MODE, 1)
    await yard.wait(30)
    await yard.told(Id.CHARGING_SESSION, ended(5, start, stop, 7.0))
    assert yard.session.state is TransactionState.CLOSED
    assert yard.session.stop_reason is StopReason.EV_DISCONNECTED


async def test_an_end_that_never_comes_is_a_loss_until_it_does(yard: Yard) -> None:
    start = await begin(yard)
    await yard.wait(1800)
    await yard.told(Id.SESSION_ENERGY, 3.0)
    stop = yard.time()
    await yard.told(Id.CHARGER_OP_MODE, 1)
    await yard.wait(120)
    assert yard.session.state is TransactionState.LOST
    assert yard.session.energy == 3000

    await yard.wait(24 * 3600)
    await yard.told(Id.CHARGING_SESSION, ended(5, start, stop, 3.1))
    (session,) = await yard.journaled()
    assert session.state is TransactionState.CLOSED
    assert (session.energy, session.stopped_at) == (3100, stop)


async def test_a_session_that_is_ended_by_its_user_says_so(yard: Yard) -> None:
    start = await begin(yard)
    await yard.wait(60)
    text = ended(5, start, yard.time(), 0.5)
    await yard.told(Id.CHARGING_SESSION, text)
    assert yard.session.open
    await yard.told(Id.CHARGER_OP_MODE, 8)
    assert yard.session.stop_reason is StopReason.DE_AUTHORIZED
    await yard.wait(3)
    await yard.told(Id.CHARGER_OP_MODE, 7)
    await yard.wait(300)
    assert len(await yard.journaled()) == 1


async def test_an_end_does_not_wait_for_its_reason_for_long(yard: Yard) -> None:
    start = await begin(yard)
    await yard.wait(60)
    await yard.told(Id.CHARGING_SESSION, ended(5, start, yard.time(), 0.5))
    await yard.wait(6)
    assert yard.session.stop_reason is StopReason.OTHER


async def test_what_is_told_again_changes_nothing(yard: Yard) -> None:
    start = await begin(yard)
    await yard.wait(3600)
    stop = yard.time()
    await unplug(yard, 5, start, 7.0)
    yard.events.clear()
    for _ in range(3):
        yard.tell(Id.CHARGING_SESSION_START, started(5, start), at=start, replay=True)
        yard.tell(Id.CHARGING_SESSION, ended(5, start, stop, 7.0), at=stop, replay=True)
        yard.tell(Id.CHARGER_OP_MODE, 1, at=stop, replay=True)
        await yard.wait(600)
    assert len(await yard.journaled()) == 1
    assert yard.events == []


async def test_a_session_of_which_only_the_end_is_told_is_history(yard: Yard) -> None:
    stop = yard.time() - timedelta(days=45)
    text = ended(4, stop - HOUR, stop, 7.0, 900.0, Auth="CARD")
    await yard.told(Id.CHARGING_SESSION, text, at=stop, replay=True)
    (session,) = await yard.journaled()
    assert session.transaction_id == "easee-4"
    assert (session.started_at, session.stopped_at) == (stop - HOUR, stop)
    assert (session.energy, session.id_token) == (7000, "CARD")
    assert yard.events == []
    assert yard.register() == 907_000


async def test_the_session_before_is_no_news_while_one_goes_on(yard: Yard) -> None:
    await begin(yard)
    before = yard.time() - HOUR
    text = ended(4, before - HOUR, before, 7.0, 900.0)
    await yard.told(Id.CHARGING_SESSION, text, at=before)
    assert yard.session.transaction_id == "easee-5"
    assert [one.transaction_id for one in await yard.journaled()] == [
        "easee-4",
        "easee-5",
    ]


async def test_a_session_whose_end_was_missed_is_lost_by_the_next(yard: Yard) -> None:
    start = await begin(yard)
    await yard.wait(3600)
    await yard.told(Id.SESSION_ENERGY, 7.0)
    second = yard.time()
    await yard.told(Id.CHARGING_SESSION_START, started(6, second, 1007.0))
    first, running = await yard.journaled()
    assert first.state is TransactionState.LOST
    assert running.open

    text = ended(5, start, second, 7.0)
    await yard.told(Id.CHARGING_SESSION, text)
    await yard.wait(10)
    first, running = await yard.journaled()
    assert first.state is TransactionState.CLOSED
    assert running.open
    assert yard.session.transaction_id == "easee-6"


async def test_an_end_that_comes_late_is_paid(yard: Yard) -> None:
    """Also when another session is shown by then."""
    costs = Costs(
        yard.station,
        yard.journal,
        yard.time,
        spawn=lambda work, _: asyncio.ensure_future(work),
    )
    await costs.load()
    costs.set_price(Decimal("0.5"), "EUR")
    start = await begin(yard)
    first = yard.session
    await yard.wait(1800)
    await yard.told(Id.SESSION_ENERGY, 3.0)
    second = yard.time()
    await yard.told(Id.CHARGING_SESSION_START, started(6, second, 1007.0))
    assert first.state is TransactionState.LOST
    assert costs.of(first) == Decimal("1.50")
    await yard.told(Id.CHARGING_SESSION, ended(5, start, second, 7.0))
    await yard.wait(10)
    assert (first.state, first.energy) == (TransactionState.CLOSED, 7000)
    assert costs.of(first) == Decimal("3.50")
    costs.close()


async def test_an_end_does_not_wait_when_the_next_session_is_told(yard: Yard) -> None:
    """The stream was away when the one car left and the other one came."""
    start = await begin(yard)
    first = yard.session
    await yard.wait(3600)
    yard.events.clear()
    stop = yard.time() - timedelta(seconds=20)
    yard.tell(Id.CHARGING_SESSION, ended(5, start, stop, 7.0), at=stop)
    second = yard.time() - timedelta(seconds=10)
    yard.tell(Id.CHARGING_SESSION_START, started(6, second, 1007.0), at=second)
    yard.tell(Id.CHARGER_OP_MODE, 3, at=second)
    await yard.charger.settle()
    assert first.state is TransactionState.CLOSED
    assert (first.energy, first.stopped_at) == (7000, stop)
    assert yard.events[:3] == [
        SessionEnded(evse_id=1, transaction=first),
        SessionSettled(evse_id=1, transaction=first),
        SessionStarted(evse_id=1, transaction=yard.session),
    ]
    assert yard.session.transaction_id == "easee-6"
    await yard.wait(60)
    assert len(await yard.journaled()) == 2


# Restarts


async def test_a_restart_in_the_middle_keeps_the_session(yard: Yard) -> None:
    start = await begin(yard)
    await yard.wait(1800)
    await yard.told(Id.SESSION_ENERGY, 3.5)
    mode_at = yard.charger.readings.channel(Id.CHARGER_OP_MODE).at
    await yard.restart()
    yard.events.clear()
    assert yard.session.open
    assert yard.session.energy == 3500

    yard.tell(Id.SESSION_ENERGY, 3.5, at=yard.time(), replay=True)
    yard.tell(Id.CHARGING_SESSION_START, started(5, start), at=start, replay=True)
    yard.tell(Id.CONNECTED_TO_CLOUD, value=True, replay=True)
    yard.tell(Id.CHARGER_OP_MODE, 3, at=mode_at, replay=True)
    await yard.wait(120)
    assert yard.events == []
    assert yard.session.transaction_id == "easee-5"
    assert yard.register() == 1_003_500

    await unplug(yard, 5, start, 4.0)
    (session,) = await yard.journaled()
    assert session.energy == 4000
    assert session.started_at == start


async def test_a_session_that_began_while_we_were_off_can_be_addressed(
    yard: Yard,
) -> None:
    await yard.close()
    start = yard.time()
    yard.time.advance(7200)
    await yard.open()
    yard.tell(Id.CHARGER_OP_MODE, 3, at=start, replay=True)
    yard.tell(Id.CHARGING_SESSION_START, started(5, start), at=start, replay=True)
    yard.tell(Id.SESSION_ENERGY, 7.0, at=yard.time() - MINUTE, replay=True)
    yard.tell(Id.CONNECTED_TO_CLOUD, value=True, at=start, replay=True)
    await yard.wait(60)
    session = yard.session
    assert session.open
    assert (session.started_at, session.energy) == (start, 7000)
    assert yard.events == [SessionKnown(evse_id=1, transaction=session)]
    assert yard.register() == 1_007_000


async def test_a_session_that_ended_while_we_were_off_is_closed(yard: Yard) -> None:
    start = await begin(yard)
    await yard.close()
    yard.time.advance(7200)
    stop = yard.time() - HOUR
    await yard.open()
    yard.tell(Id.CHARGING_SESSION_START, started(5, start), at=start, replay=True)
    yard.tell(Id.CONNECTED_TO_CLOUD, value=True, replay=True)
    yard.tell(Id.CHARGER_OP_MODE, 1, at=stop, replay=True)
    yard.tell(Id.CHARGING_SESSION, ended(5, start, stop, 7.0), at=stop, replay=True)
    await yard.wait(300)
    (session,) = await yard.journaled()
    assert session.state is TransactionState.CLOSED
    assert session.stopped_at == stop


async def test_an_old_start_does_not_begin_again_at_a_free_charger(yard: Yard) -> None:
    start = yard.time() - HOUR
    text = started(5, start)
    await yard.told(Id.CHARGING_SESSION_START, text, at=start, replay=True)
    await yard.wait(600)
    assert await yard.journaled() == []


async def test_a_clock_of_ours_that_is_behind_changes_no_session(yard: Yard) -> None:
    """What is yet to come by our clock was now, as for all that is reported."""
    ahead = timedelta(minutes=10)
    noticed = yard.time()
    text = started(5, noticed + ahead)
    await yard.told(Id.CHARGING_SESSION_START, text)
    await yard.told(Id.CHARGER_OP_MODE, 3)
    await yard.wait(120)
    await yard.told(Id.SESSION_ENERGY, 3.5)
    assert yard.session.started_at == noticed
    assert yard.session.energy == 3500

    await yard.restart()
    yard.tell(Id.CONNECTED_TO_CLOUD, value=True, replay=True)
    yard.tell(Id.CHARGER_OP_MODE, 3, replay=True)
    yard.tell(Id.SESSION_ENERGY, 3.5, replay=True)
    yard.tell(Id.CHARGING_SESSION_START, text, replay=True)
    await yard.wait(60)
    assert yard.session.energy == 3500
    assert not yard.session.meter_reset

    stop = yard.time()
    text = ended(5, noticed + ahead, stop + ahead, 4.0)
    await yard.told(Id.CHARGING_SESSION, text)
    await yard.told(Id.CHARGER_OP_MODE, 1)
    (session,) = await yard.journaled()
    assert (session.started_at, session.stopped_at) == (noticed, stop)
    assert session.energy == 4000
    assert session.stop_reason is StopReason.EV_DISCONNECTED
    second = yard.time()
    await yard.told(Id.CHARGING_SESSION_START, started(6, second + ahead, 1004.0))
    await yard.told(Id.CHARGER_OP_MODE, 3)
    assert yard.session.started_at >= stop
    assert len(await yard.journaled()) == 2


# Sessions without an id


async def test_a_session_of_which_nothing_is_told_is_noticed(yard: Yard) -> None:
    await yard.told(Id.CHARGER_OP_MODE, 2)
    since = yard.time()
    await yard.wait(20)
    await yard.told(Id.CHARGER_OP_MODE, 3)
    assert yard.evse.session.value is None
    await yard.wait(11)
    session = yard.session
    assert session.open
    assert session.transaction_id == f"easee-at-{int(since.timestamp())}"
    assert session.started_at == since
    assert SessionStarted(evse_id=1, transaction=session) in yard.events

    await yard.told(Id.SESSION_ENERGY, 2.5)
    assert session.energy == 2500
    assert yard.register() is None
    await yard.told(Id.LIFETIME_ENERGY, 1002.5)
    assert yard.register() == 1_002_500

    await yard.told(Id.CHARGER_OP_MODE, 1)
    await yard.wait(120)
    assert session.state is TransactionState.LOST
    assert session.energy == 2500


@pytest.mark.parametrize("only_end", [True, False])
async def test_a_session_that_was_noticed_has_its_id_once_it_is_told(
    yard: Yard, *, only_end: bool
) -> None:
    start = yard.time()
    await yard.told(Id.CHARGER_OP_MODE, 3, at=start + MINUTE / 60)
    await yard.wait(60)
    await yard.told(Id.SESSION_ENERGY, 0.2)
    session = yard.session
    if not only_end:
        text = started(5, start)
        await yard.told(Id.CHARGING_SESSION_START, text, at=start)
        assert session.transaction_id == "easee-5"
        assert session.open
        assert session.energy == 200
        assert yard.register() == 1_000_200
    await yard.wait(600)
    await unplug(yard, 5, start, 1.0)
    assert await yard.journaled() == [session]
    assert session.transaction_id == "easee-5"
    assert session.started_at == start
    assert session.energy == 1000
    assert yard.register() == 1_001_000


async def test_who_waits_for_authorization_has_no_session(yard: Yard) -> None:
    await yard.told(Id.CHARGER_OP_MODE, 7)
    await yard.wait(600)
    assert yard.status() is ConnectorStatus.PREPARING
    assert await yard.journaled() == []
    start = await begin(yard)
    assert yard.session.started_at == start


# Others


async def test_a_session_that_the_charger_tells_of_itself_is_only_completed(
    yard: Yard,
) -> None:
    yard.station.ways = {LinkKind.OCPP, LinkKind.EASEE}
    yard.station.local.set(True)
    start = yard.time()
    local = await yard.transactions.start(
        evse_id=1, id_token="TAG", meter_start=1_000_000, claimed_at=start
    )
    yard.events.clear()
    await begin(yard, Auth="CARD", AuthReason=3)
    await yard.wait(300)
    await yard.told(Id.SESSION_ENERGY, 1.0)
    assert yard.session is local
    assert (local.energy, local.id_token, local.cloud_id) == (0, "TAG", "easee-5")
    assert "Easee.AuthReason" in local.values_start
    stop = yard.time()
    await yard.told(Id.CHARGING_SESSION, ended(5, start, stop, 1.0))
    await yard.wait(60)
    assert local.open
    assert yard.events == []
    await yard.transactions.stop(
        transaction_id=local.transaction_id,
        meter_stop=1_001_100,
        claimed_at=stop,
        reason=StopReason.LOCAL,
    )
    await yard.wait(300)
    assert await yard.journaled() == [local]
    assert local.energy == 1_100
    assert yard.events == [SessionEnded(evse_id=1, transaction=local)]
    assert yard.register() == 1_001_000


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[]", "{}", '{"Id": 3}', '{"Id": 3, "Start": "soon"}']
)
@pytest.mark.parametrize("number", [Id.CHARGING_SESSION_START, Id.CHARGING_SESSION])
async def test_what_nobody_understands_is_no_session(
    yard: Yard, number: int, text: str
) -> None:
    await yard.told(number, text)
    await yard.told(number, 3)
    assert await yard.journaled() == []
    assert yard.events == []


@pytest.mark.parametrize(
    ("energy", "meter", "stop", "expected"),
    [
        (7.0004, 1000.0, 1007.0, 7000),
        (7.0, 1000.0, 1007.001, 7000),
        (7.0, None, None, 7000),
        (None, 1000.0, 1006.5, 6500),
        (None, 1000.0, 999.0, 0),
        ("7.5", 1000.0, 0.0, 7500),
        (-1.0, 1000.0, 1002.0, 2000),
        (None, None, None, 0),
    ],
)
async def test_energies_are_those_that_are_billed(
    yard: Yard,
    energy: float | str | None,
    meter: float | None,
    stop: float | None,
    expected: int,
) -> None:
    at = yard.time() - HOUR
    text = ended(4, at - HOUR, at, None, meter, EnergyKwh=energy, MeterValueStop=stop)
    await yard.told(Id.CHARGING_SESSION, text, at=at)
    (session,) = await yard.journaled()
    assert session.energy == expected


async def test_a_journal_that_fails_is_tried_again(yard: Yard) -> None:
    start = await begin(yard)
    await yard.wait(60)
    with patch.object(Journal, "save", side_effect=JournalError("full")):
        await unplug(yard, 5, start, 0.5)
        await yard.wait(61)
    assert yard.session.open
    await yard.wait(61)
    (session,) = await yard.journaled()
    assert session.state is TransactionState.CLOSED
    assert session.energy == 500


# Signatures


@pytest.mark.parametrize("before_its_session", [True, False])
async def test_what_is_signed_is_kept_with_its_session(
    yard: Yard, *, before_its_session: bool
) -> None:
    start = await begin(yard)
    await yard.wait(600)
    at = yard.time()
    if before_its_session:
        await yard.told(Id.CHARGING_SESSION_SIGNED, "OCMF|{}|{}")
    await unplug(yard, 5, start, 1.0)
    for _ in range(2):
        await yard.told(Id.CHARGING_SESSION_SIGNED, "OCMF|{}|{}", at=at)
    await yard.wait(60)
    await yard.restart()
    await yard.told(Id.CHARGING_SESSION_SIGNED, "OCMF|{}|{}", at=at, replay=True)
    await yard.wait(60)
    sessions = await yard.journaled()
    ((kept,),) = await signed_values.of_sessions(yard.journal, sessions)
    assert kept.value == "OCMF|{}|{}"
    assert kept.measured_at == at.isoformat()


async def test_what_is_signed_stays_with_a_session_that_gets_its_name(
    yard: Yard,
) -> None:
    start = yard.time()
    await yard.told(Id.CHARGER_OP_MODE, 3)
    await yard.wait(600)
    stop = yard.time()
    await yard.told(Id.CHARGING_SESSION_SIGNED, "OCMF|{}|{}", at=stop)
    await yard.wait(60)
    await yard.told(Id.CHARGING_SESSION, ended(5, start, stop, 1.0), at=stop)
    await yard.told(Id.CHARGER_OP_MODE, 1)
    await yard.wait(60)
    sessions = await yard.journaled()
    assert [one.transaction_id for one in sessions] == ["easee-5"]
    ((kept,),) = await signed_values.of_sessions(yard.journal, sessions)
    assert kept.value == "OCMF|{}|{}"
    await yard.told(Id.CHARGING_SESSION_SIGNED, "OCMF|{}|{}", at=stop, replay=True)
    await yard.wait(60)
    assert await signed_values.counts(yard.journal, SERIAL) == {sessions[0].key: 1}


async def test_what_is_signed_of_no_session_is_kept_too(yard: Yard) -> None:
    await yard.told(Id.CHARGING_SESSION_SIGNED, "OCMF|{}|{}")
    await yard.wait(60)
    (kept,) = await signed_values.of_nobody(yard.journal, "EH123456")
    assert kept.value == "OCMF|{}|{}"
