"""Rogue: who else commands a charger (easee_cloud.md Q21)."""

from datetime import timedelta

import pytest

from custom_components.ev_charger_hub.easee.command_ids import CommandId
from custom_components.ev_charger_hub.easee.responses import CommandResponse
from custom_components.ev_charger_hub.easee.rogue import Rogue
from simulators.easee_cloud import SimulatedTime


def response(
    time: SimulatedTime, number: int | None = CommandId.SET_DYNAMIC_CHARGER_CURRENT
) -> CommandResponse:
    """Return what somebody else's command led to."""
    return CommandResponse(
        serial="EH123456",
        id=number,
        ticks=None,
        accepted=True,
        result=3,
        comment="",
        at=time(),
    )


@pytest.fixture
def rogue(time: SimulatedTime) -> Rogue:
    """Return what watches for others."""
    return Rogue(time)


@pytest.mark.conformance("EASEE_A9")
def test_three_within_ten_minutes_are_another_system(
    rogue: Rogue, time: SimulatedTime
) -> None:
    told: list[CommandResponse] = []
    forget = rogue.subscribe(told.append)
    for expected in (False, False, True):
        assert not rogue.repeated.value
        rogue.seen(response(time))
        assert rogue.repeated.value is expected
        time.advance(299)
    assert len(told) == 3
    forget()
    rogue.seen(response(time))
    assert len(told) == 3


def test_now_and_then_is_somebody_in_the_app(rogue: Rogue, time: SimulatedTime) -> None:
    for _ in range(20):
        rogue.seen(response(time))
        time.advance(301)
    assert not rogue.repeated.value


def test_questions_control_nothing(rogue: Rogue, time: SimulatedTime) -> None:
    told: list[CommandResponse] = []
    rogue.subscribe(told.append)
    for number in (CommandId.POLL_SINGLE, CommandId.POLL_ALL, CommandId.GET_SCHEDULE):
        rogue.seen(response(time, number))
    assert not rogue.repeated.value
    assert not told
    rogue.seen(response(time, None))
    assert len(told) == 1


def test_after_a_quiet_day_nobody_else_is_in_control(
    rogue: Rogue, time: SimulatedTime
) -> None:
    for _ in range(3):
        rogue.seen(response(time))
    time.advance(timedelta(hours=20).total_seconds())
    rogue.seen(response(time))
    time.advance(timedelta(hours=23, minutes=59).total_seconds())
    assert rogue.repeated.value
    time.advance(60)
    assert not rogue.repeated.value


def test_what_is_forgotten_does_not_count_any_more(
    rogue: Rogue, time: SimulatedTime
) -> None:
    for _ in range(3):
        rogue.seen(response(time))
    rogue.forget()
    assert not rogue.repeated.value
    time.advance(timedelta(hours=23).total_seconds())
    for expected in (False, False, True):
        rogue.seen(response(time))
        assert rogue.repeated.value is expected
    # Nor does the day that has begun before.
    time.advance(timedelta(hours=2).total_seconds())
    assert rogue.repeated.value
