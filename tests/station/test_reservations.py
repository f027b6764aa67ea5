"""Reservations: each ends once, in the right way, whatever is late, lost or restarted."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest

from .conftest import NOON, Hall
from custom_components.ev_charger_hub.station.commands import ReservationRequest
from custom_components.ev_charger_hub.station.enums import ConnectorStatus
from custom_components.ev_charger_hub.station.errors import (
    JournalError,
    NotConnected,
    NotSupported,
)
from custom_components.ev_charger_hub.station.link import Capability
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from custom_components.ev_charger_hub.station.reservation import (
    Reservation,
    ReservationState,
)
from custom_components.ev_charger_hub.station.reservations import RECENT, Reservations
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transaction import Transaction

HOUR = timedelta(hours=1)
ACCEPTED = Outcome(status=OutcomeStatus.ACCEPTED, answer="Accepted")
REJECTED = Outcome(status=OutcomeStatus.REJECTED, answer="Rejected")
TIMED_OUT = Outcome(status=OutcomeStatus.TIMED_OUT)

State = ReservationState


@dataclass
class Carrier:
    """A link that carries reservations, and answers as it is told."""

    connected: bool = True
    capabilities: frozenset[Capability] = frozenset({Capability.RESERVATION})
    answer: Outcome | Exception = ACCEPTED
    asked: list[ReservationRequest | int] = field(default_factory=list)

    async def reserve(self, request: ReservationRequest) -> Outcome:
        """Answer a wish for a reservation."""
        return self._answered(request)

    async def cancel_reservation(self, reservation_id: int) -> Outcome:
        """Answer that it is given up."""
        return self._answered(reservation_id)

    def _answered(self, asked: ReservationRequest | int) -> Outcome:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Desk:
    """The reservations of a station with two connectors."""

    def __init__(self, hall: Hall) -> None:
        """Know nothing yet."""
        self.hall = hall
        self.link = Carrier()
        self.station: ChargingStation
        self.reservations: Reservations

    async def open(self) -> None:
        """Begin, or begin again after a restart of Home Assistant."""
        self.station = ChargingStation("CP1", StationSettings(name="CP1"))
        self.station.links = [cast(Any, self.link)]
        for evse_id in (1, 2):
            self.station.evse(evse_id).status.set(ConnectorStatus.AVAILABLE)
        self.reservations = Reservations(
            self.station,
            self.hall.journal,
            lambda: self.hall.now,
            name_of={"ANNA": "Anna"}.get,
            call_later=self.hall.timers,
        )
        await self.reservations.load()

    async def restart(self) -> None:
        """Stop and start again with the same journal."""
        await self.reservations.close()
        await self.hall.journal.close()
        await self.hall.open()
        await self.open()

    async def reserve(self, evse_id: int = 1, **more: Any) -> Reservation:
        """Reserve a connector for Anna for an hour."""
        wish: dict[str, Any] = {"id_token": "ANNA", "group": None} | more
        wish.setdefault("expires", self.hall.now + HOUR)
        _, made = await self.reservations.reserve(evse_id=evse_id, **wish)
        return made

    async def start(
        self,
        *,
        evse_id: int = 1,
        id_token: str = "ANNA",
        named: int | None = None,
        group: str | None = None,
        ago: timedelta = timedelta(),
        transaction_id: str = "4711",
    ) -> None:
        """Let a session begin."""
        transaction = Transaction(
            key=1,
            identity="CP1",
            transaction_id=transaction_id,
            evse_id=evse_id,
            id_token=id_token,
            started_at=self.hall.now - ago,
            received_at=self.hall.now,
            reservation_id=named,
        )
        await self.reservations.started(transaction, group)

    def status(self, evse_id: int, status: ConnectorStatus) -> None:
        """Let a connector, or with 0 the station, tell its status."""
        self.station.place(evse_id).status.set(status)

    async def state(self, reservation: Reservation) -> ReservationState:
        """Return what the journal says of a reservation."""
        found = await self.reservations.history(limit=99)
        states = {one.reservation_id: one.state for one in found}
        return states[reservation.reservation_id]


@pytest.fixture
async def desk(hall: Hall) -> AsyncIterator[Desk]:
    """Return an open desk."""
    desk = Desk(hall)
    await desk.open()
    yield desk
    await desk.reservations.close()


async def test_a_reservation_is_told_and_shown(desk: Desk) -> None:
    made = await desk.reserve(1, group="FAMILY")
    assert desk.link.asked == [
        ReservationRequest(
            reservation_id=made.reservation_id,
            evse_id=1,
            id_token="ANNA",
            expires=NOON + HOUR,
            group="FAMILY",
        )
    ]
    assert desk.station.evse(1).reservation.value == made
    assert (made.state, made.ended_at) == (State.ACTIVE, None)
    assert desk.reservations.open_ones == [made]
    assert desk.reservations.holder(made) == "Anna"


async def test_a_stranger_is_named_by_the_end_of_the_token(desk: Desk) -> None:
    made = await desk.reserve(id_token="04A2B3C4D5")
    assert desk.reservations.holder(made) == "***C4D5"
    assert "04A2B3C4D5" not in repr(made)
    assert "04A2B3C4D5" not in repr(desk.link.asked)


async def test_a_clock_that_is_off_is_told_its_own_time(desk: Desk) -> None:
    desk.station.skew.observe(NOON + HOUR, NOON)
    made = await desk.reserve()
    (asked,) = desk.link.asked
    assert isinstance(asked, ReservationRequest)
    assert asked.expires == made.expires_at + HOUR


async def test_ids_are_given_once(desk: Desk) -> None:
    ids = [(await desk.reserve()).reservation_id]
    await desk.restart()
    ids.append((await desk.reserve()).reservation_id)
    assert ids[0] < ids[1]


async def test_the_journal_has_it_before_the_station_hears_of_it(desk: Desk) -> None:
    written: list[Reservation] = []

    async def reserve(request: ReservationRequest) -> Outcome:
        written.extend(await desk.reservations.history())
        return ACCEPTED

    cast(Any, desk.link).reserve = reserve
    made = await desk.reserve()
    assert [(one.reservation_id, one.state) for one in written] == [
        (made.reservation_id, State.PENDING)
    ]


@pytest.mark.parametrize("answer", ["Faulted", "Occupied", "Rejected", "Unavailable"])
async def test_a_refused_reservation_is_over(desk: Desk, answer: str) -> None:
    desk.link.answer = Outcome(status=OutcomeStatus.REJECTED, answer=answer)
    made = await desk.reserve()
    assert await desk.state(made) is State.REFUSED
    assert desk.reservations.open_ones == []
    assert desk.hall.timers.pending == []


async def test_what_was_not_sent_never_was(desk: Desk) -> None:
    for trouble in (NotConnected(), None):
        desk.link.answer = trouble or ACCEPTED
        desk.link.connected = trouble is not None
        with pytest.raises(NotConnected):
            await desk.reserve()
    desk.link.connected = True
    desk.link.capabilities = frozenset()
    with pytest.raises(NotSupported):
        await desk.reserve()
    assert await desk.reservations.history() == []
    assert desk.station.evse(1).reservation.value is None
    assert desk.hall.timers.pending == []


async def test_an_unanswered_reservation_may_hold(desk: Desk) -> None:
    desk.link.answer = TIMED_OUT
    made = await desk.reserve()
    assert await desk.state(made) is State.PENDING
    desk.status(1, ConnectorStatus.RESERVED)
    assert await desk.state(made) is State.ACTIVE


async def test_a_session_that_names_it_uses_it(desk: Desk) -> None:
    first, second = await desk.reserve(1), await desk.reserve(2)
    await desk.start(evse_id=2, id_token="OTHER", named=second.reservation_id)
    assert await desk.state(first) is State.ACTIVE
    used = desk.station.evse(2).reservation.value
    assert used is not None
    assert (used.state, used.transaction_id) == (State.USED, "4711")
    assert used.ended_at == NOON


@pytest.mark.parametrize(
    "start",
    [
        {"id_token": "anna"},
        {"id_token": "BERT", "group": "family"},
    ],
)
@pytest.mark.parametrize("reserved", [0, 1])
async def test_a_token_or_its_group_uses_it_without_naming_it(
    desk: Desk, start: dict[str, str], reserved: int
) -> None:
    made = await desk.reserve(reserved, group="FAMILY")
    await desk.start(**start)  # type: ignore[arg-type]
    assert await desk.state(made) is State.USED


@pytest.mark.parametrize(
    "start",
    [
        {"id_token": "BERT"},
        {"id_token": "BERT", "group": "OTHERS"},
        {"evse_id": 2},
        {"ago": timedelta(minutes=5)},
        {"id_token": "BERT", "named": 99},
    ],
)
async def test_other_sessions_leave_it_alone(desk: Desk, start: dict[str, Any]) -> None:
    made = await desk.reserve(1, group="FAMILY")
    await desk.start(**start)
    assert await desk.state(made) is State.ACTIVE


async def test_of_several_the_nearest_is_used(desk: Desk) -> None:
    anywhere = await desk.reserve(0)
    of_group = await desk.reserve(1, id_token="BERT", group="FAMILY")
    here = await desk.reserve(1)
    for number, used in enumerate((here, anywhere, of_group)):
        await desk.start(group="FAMILY", transaction_id=str(number))
        assert await desk.state(used) is State.USED


async def test_the_same_start_again_uses_nothing_else(desk: Desk) -> None:
    first, second = await desk.reserve(), await desk.reserve()
    await desk.start(named=first.reservation_id)
    await desk.start(named=first.reservation_id)
    assert await desk.state(second) is State.ACTIVE


async def test_a_start_that_is_told_late_has_used_it(desk: Desk) -> None:
    made = await desk.reserve()
    desk.hall.pass_time(hours=3)
    desk.hall.timers.fire()
    assert await desk.state(made) is State.EXPIRED
    await desk.start(ago=timedelta(hours=2, minutes=30))
    assert await desk.state(made) is State.USED


async def test_it_expires_by_time(desk: Desk) -> None:
    made = await desk.reserve()
    (alarm,) = desk.hall.timers.pending
    assert alarm.delay == 3600
    desk.hall.pass_time(hours=1)
    desk.hall.timers.fire()
    assert await desk.state(made) is State.EXPIRED


async def test_it_expires_while_home_assistant_is_away(desk: Desk) -> None:
    made = await desk.reserve()
    desk.hall.pass_time(hours=5)
    desk.hall.timers.pending.clear()
    await desk.restart()
    desk.hall.timers.fire()
    assert await desk.state(made) is State.EXPIRED
    ended = desk.station.evse(1).reservation.value
    assert ended is not None
    assert ended.ended_at == NOON + HOUR


async def test_it_outlives_a_restart(desk: Desk) -> None:
    made = await desk.reserve()
    await desk.restart()
    assert desk.reservations.open_ones == [made]
    assert desk.station.evse(1).reservation.value == made
    await desk.start(named=made.reservation_id)
    assert await desk.state(made) is State.USED


async def test_a_station_that_becomes_available_at_the_end_says_that_it_expired(
    desk: Desk,
) -> None:
    made = await desk.reserve()
    desk.status(1, ConnectorStatus.RESERVED)
    desk.hall.pass_time(minutes=59, seconds=30)
    desk.status(1, ConnectorStatus.AVAILABLE)
    assert await desk.state(made) is State.EXPIRED


async def test_a_station_that_becomes_available_before_has_given_it_up(
    desk: Desk,
) -> None:
    made, other = await desk.reserve(1), await desk.reserve(2)
    desk.status(1, ConnectorStatus.RESERVED)
    desk.hall.pass_time(minutes=10)
    desk.status(1, ConnectorStatus.AVAILABLE)
    assert await desk.state(made) is State.ACTIVE
    grace = desk.hall.timers.pending.pop()
    assert grace.delay == 60
    grace.callback()
    assert await desk.state(made) is State.REMOVED
    assert await desk.state(other) is State.ACTIVE


@pytest.mark.parametrize(
    "status", [ConnectorStatus.RESERVED, ConnectorStatus.PREPARING]
)
async def test_a_station_that_is_available_for_a_moment_keeps_it(
    desk: Desk, status: ConnectorStatus
) -> None:
    made = await desk.reserve()
    desk.status(1, ConnectorStatus.RESERVED)
    desk.status(1, ConnectorStatus.AVAILABLE)
    desk.status(1, status)
    assert [one.delay for one in desk.hall.timers.pending] == [3600]
    assert await desk.state(made) is State.ACTIVE


@pytest.mark.parametrize(
    "status", [ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE]
)
async def test_what_is_out_of_order_or_service_reserves_nothing(
    desk: Desk, status: ConnectorStatus
) -> None:
    first, second, anywhere = [await desk.reserve(evse_id) for evse_id in (1, 2, 0)]
    desk.status(1, status)
    assert await desk.state(first) is State.REMOVED
    assert await desk.state(second) is State.ACTIVE
    assert await desk.state(anywhere) is State.ACTIVE
    desk.status(2, status)
    assert await desk.state(second) is State.REMOVED
    assert await desk.state(anywhere) is State.REMOVED


async def test_a_station_that_is_out_of_order_reserves_nothing(desk: Desk) -> None:
    made = [await desk.reserve(evse_id) for evse_id in (1, 2, 0)]
    desk.status(0, ConnectorStatus.FAULTED)
    assert {await desk.state(one) for one in made} == {State.REMOVED}


async def test_a_connector_that_appears_later_is_followed(desk: Desk) -> None:
    made = await desk.reserve(3)
    evse = desk.station.evse(3)
    assert evse.reservation.value == made
    desk.status(3, ConnectorStatus.FAULTED)
    assert await desk.state(made) is State.REMOVED


async def test_it_is_cancelled(desk: Desk) -> None:
    made = await desk.reserve()
    assert (await desk.reservations.cancel(made.reservation_id)).ok
    assert desk.link.asked[-1] == made.reservation_id
    assert await desk.state(made) is State.CANCELLED
    assert desk.hall.timers.pending == []


async def test_what_the_station_does_not_know_is_over(desk: Desk) -> None:
    made = await desk.reserve()
    desk.link.answer = REJECTED
    assert not (await desk.reservations.cancel(made.reservation_id)).ok
    assert await desk.state(made) is State.REMOVED


@pytest.mark.parametrize(
    "answer",
    [TIMED_OUT, Outcome(status=OutcomeStatus.REJECTED, answer="InternalError")],
)
async def test_an_unclear_answer_cancels_nothing(desk: Desk, answer: Outcome) -> None:
    made = await desk.reserve()
    desk.link.answer = answer
    assert not (await desk.reservations.cancel(made.reservation_id)).ok
    assert await desk.state(made) is State.ACTIVE


@pytest.mark.parametrize("state", [State.EXPIRED, State.REMOVED])
async def test_a_station_tells_that_it_is_over(desk: Desk, state: State) -> None:
    made = await desk.reserve()
    await desk.reservations.over(made.reservation_id, state)
    await desk.reservations.over(made.reservation_id + 1, state)
    assert await desk.state(made) is state
    assert desk.hall.timers.pending == []


async def test_the_newest_come_first(desk: Desk) -> None:
    made = [await desk.reserve() for _ in range(4)]
    await desk.reservations.cancel(made[3].reservation_id)
    ids = [one.reservation_id for one in made]
    newest = await desk.reservations.history(limit=2)
    assert [one.reservation_id for one in newest] == ids[:1:-1]
    usable = await desk.reservations.history(open_only=True)
    assert [one.reservation_id for one in usable] == ids[2::-1]
    shown = desk.station.evse(1).reservation.value
    assert shown is not None
    assert shown.reservation_id == ids[2]


async def test_an_old_reservation_is_found_by_its_id(desk: Desk) -> None:
    made = await desk.reserve()
    await desk.reservations.cancel(made.reservation_id)
    for _ in range(70):
        one = await desk.reserve(2)
        await desk.reservations.cancel(one.reservation_id)
    await desk.start(named=made.reservation_id)
    assert [
        one.state
        for one in await desk.reservations.history(limit=99)
        if one.reservation_id == made.reservation_id
    ] == [State.USED]


async def test_a_forgotten_station_leaves_no_reservations(desk: Desk) -> None:
    made = await desk.reserve()
    await desk.hall.journal.forget("CP1")
    # An answer that comes afterwards brings nothing back.
    await desk.reservations.cancel(made.reservation_id)
    assert await desk.reservations.history() == []


async def test_an_end_that_cannot_be_written_is_logged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = await desk.reserve()
    with monkeypatch.context() as broken:
        broken.setattr(desk.hall.journal, "run", AsyncMock(side_effect=JournalError))
        desk.status(1, ConnectorStatus.FAULTED)
        await desk.reservations.close()
    assert "end of a reservation not recorded" in caplog.text
    assert await desk.state(made) is State.ACTIVE


async def test_after_the_end_nothing_is_waited_for(desk: Desk) -> None:
    made = await desk.reserve()
    await desk.reservations.close()
    assert desk.hall.timers.pending == []
    desk.status(1, ConnectorStatus.FAULTED)
    assert await desk.state(made) is State.ACTIVE


async def test_a_connector_that_is_freed_gives_up_only_what_was_there(
    desk: Desk,
) -> None:
    first, second = await desk.reserve(), await desk.reserve()
    desk.status(1, ConnectorStatus.RESERVED)
    desk.status(1, ConnectorStatus.AVAILABLE)
    later = await desk.reserve()
    graces = [one for one in desk.hall.timers.pending if one.delay == 60]
    assert len(graces) == 1
    graces[0].callback()
    states = [await desk.state(one) for one in (first, second, later)]
    assert states == [State.REMOVED, State.REMOVED, State.ACTIVE]


async def test_the_same_start_again_uses_no_other_of_the_same_token(
    desk: Desk,
) -> None:
    anywhere, here = await desk.reserve(0), await desk.reserve(1)
    for _ in range(2):
        await desk.start()
    assert await desk.state(here) is State.USED
    assert await desk.state(anywhere) is State.ACTIVE
    await desk.restart()
    await desk.start()
    assert await desk.state(anywhere) is State.ACTIVE


async def test_all_that_may_be_used_outlive_a_restart(desk: Desk) -> None:
    made = [await desk.reserve() for _ in range(RECENT + 2)]
    await desk.restart()
    assert desk.reservations.open_ones == made
    desk.hall.pass_time(hours=2)
    desk.hall.timers.fire()
    assert await desk.state(made[0]) is State.EXPIRED


# Changes


async def test_a_reservation_is_changed_under_its_id(desk: Desk) -> None:
    made = await desk.reserve(1, group="FAMILY")
    until = desk.hall.now + 3 * HOUR
    number = made.reservation_id
    outcome, changed = await desk.reservations.change(number, expires=until, evse_id=2)
    assert outcome.ok
    assert desk.link.asked[-1] == ReservationRequest(
        reservation_id=number,
        evse_id=2,
        id_token="ANNA",
        expires=until,
        group="FAMILY",
    )
    assert changed == replace(made, evse_id=2, expires_at=until)
    assert await desk.reservations.history() == [changed]
    assert desk.station.evse(1).reservation.value is None
    assert desk.station.evse(2).reservation.value == changed
    assert [one.delay for one in desk.hall.timers.pending] == [3 * 3600]
    # The end that it had before is none any more.
    desk.hall.pass_time(hours=2)
    await desk.restart()
    await desk.start(evse_id=2)
    assert await desk.state(made) is State.USED


async def test_another_token_brings_its_own_group(desk: Desk) -> None:
    made = await desk.reserve(group="FAMILY")
    number = made.reservation_id
    _, changed = await desk.reservations.change(number, id_token="BERT")
    assert (changed.id_token, changed.group) == ("BERT", None)
    _, changed = await desk.reservations.change(number, group="TEAM")
    assert (changed.id_token, changed.group) == ("BERT", "TEAM")


@pytest.mark.parametrize("answer", [REJECTED, NotConnected()])
async def test_a_change_that_is_refused_or_not_sent_is_none(
    desk: Desk, answer: Outcome | Exception
) -> None:
    made = await desk.reserve()
    desk.link.answer = answer
    with suppress(NotConnected):
        await desk.reservations.change(made.reservation_id, expires=NOON + 3 * HOUR)
    assert await desk.reservations.history() == [made]
    assert desk.reservations.open_ones == [made]
    assert [one.delay for one in desk.hall.timers.pending] == [3600]


async def test_a_change_without_an_answer_may_hold(desk: Desk) -> None:
    made = await desk.reserve()
    desk.link.answer = TIMED_OUT
    until = NOON + 3 * HOUR
    await desk.reservations.change(made.reservation_id, expires=until)
    await desk.restart()
    (kept,) = desk.reservations.open_ones
    assert kept == replace(made, expires_at=until, state=State.PENDING)


async def test_what_ends_while_it_is_changed_stays_ended(desk: Desk) -> None:
    made = await desk.reserve()

    async def reserve(request: ReservationRequest) -> Outcome:
        await desk.start(named=made.reservation_id)
        return REJECTED

    cast(Any, desk.link).reserve = reserve
    _, told = await desk.reservations.change(made.reservation_id, id_token="BERT")
    assert told.state is State.USED
    assert await desk.state(made) is State.USED


async def test_what_is_over_cannot_be_changed(desk: Desk) -> None:
    made = await desk.reserve()
    await desk.reservations.cancel(made.reservation_id)
    for number in (made.reservation_id, 99):
        with pytest.raises(KeyError):
            await desk.reservations.change(number, id_token="BERT")
    assert len(desk.link.asked) == 2
