"""Limits and phases of a charger in the cloud while there is no stream: it is asked."""

import asyncio
from datetime import datetime, timedelta

import pytest

from .garage import COMMANDS, Garage
from .test_link_limit import charging
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.enums import LimitedBy
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from simulators.easee_cloud import Behaviour, Fault

STATE = "^/state/"


async def deaf(garage: Garage, limit: float | None = None, **vehicle: float) -> None:
    """Let a car charge, with a limit, and then have no stream any more."""
    await charging(garage, **vehicle)
    if limit is not None:
        await garage.want(limit)
    await garage.pass_time(10)
    garage.deafen()
    await garage.pass_time(5)
    assert not garage.stream.hears(garage.charger.serial)
    garage.forget()


def sent_at(garage: Garage) -> list[datetime]:
    """Return when commands arrived."""
    return [one.at for one in garage.cloud.journal.find("POST", COMMANDS)]


async def paused(garage: Garage, limit: float) -> None:
    """Let a car be paused that has a limit, without a stream."""
    await deaf(garage, limit)
    await garage.done(limits.pause(garage.station, 1))
    assert garage.dynamic == 0
    await garage.pass_time(10)
    garage.forget()


async def test_a_limit_is_confirmed_by_what_is_asked_for(garage: Garage) -> None:
    await deaf(garage)
    before = garage.time()
    outcome = await garage.want(10)
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert garage.time() - before < timedelta(seconds=61 + 3)
    assert len(garage.cloud.journal.find("GET", STATE)) == 1


async def test_after_a_resume_the_limit_follows_at_once(garage: Garage) -> None:
    await paused(garage, 8)
    outcome = await garage.done(limits.resume(garage.station, 1))
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert garage.sent == ["resume_charging", 8]
    resumed, limited = sent_at(garage)
    assert limited - resumed <= timedelta(seconds=2)
    assert garage.dynamic == 8


async def test_what_the_charger_does_later_is_asked_for_again(garage: Garage) -> None:
    await paused(garage, 8)
    garage.cloud.commands.next(Behaviour(delay=4, polls=100))
    outcome = await garage.done(limits.resume(garage.station, 1), 40)
    assert outcome.ok
    assert garage.sent == ["resume_charging", 8]
    assert garage.dynamic == 8


async def test_if_nothing_can_be_asked_the_limit_follows_all_the_same(
    garage: Garage,
) -> None:
    await paused(garage, 8)
    garage.cloud.faults.add(Fault(pattern=STATE, status=400, times=None))
    outcome = await garage.done(limits.resume(garage.station, 1))
    assert outcome.status is OutcomeStatus.ACCEPTED
    resumed, limited = sent_at(garage)
    assert limited - resumed <= timedelta(seconds=2)
    assert garage.dynamic == 8


@pytest.mark.parametrize("limit", [None, 10.0])
async def test_phases_that_are_chosen_interrupt_for_a_moment(
    garage: Garage, limit: float | None
) -> None:
    await deaf(garage, limit)
    before = garage.time()
    outcome = await garage.done(limits.request_phases(garage.station, 1, 1), 120)
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert garage.time() - before < timedelta(seconds=15)
    assert garage.charger.phases() == 1
    assert garage.dynamic == (limit or 32)
    await garage.pass_time(2)
    assert garage.shown()[0] == (limit or 32)


@pytest.mark.parametrize("stream", [False, True])
async def test_our_own_interruption_is_nobody_elses_limit(
    garage: Garage, stream: bool
) -> None:
    if stream:
        await charging(garage)
        await garage.want(10)
        await garage.pass_time(10)
    else:
        await deaf(garage, 10)
    # It takes a while, and somebody asks for everything meanwhile.
    garage.cloud.commands.next(Behaviour(), Behaviour(), Behaviour(delay=8))
    work = asyncio.ensure_future(limits.request_phases(garage.station, 1, 1))
    shown: set[tuple[LimitedBy | None, bool]] = set()
    interrupted = 0
    for _ in range(120):
        await garage.pass_time(0.5)
        if garage.dynamic == 0:
            interrupted += 1
            if interrupted % 4 == 0:
                await garage.poller.refresh(garage.charger.serial)
        shown.add((garage.shown()[1], limits.held(garage.evse)))
    assert (await work).ok
    assert interrupted > 4
    # The car takes a moment to begin again.
    assert {who for who, _ in shown} <= {LimitedBy.OUR_LIMIT, LimitedBy.VEHICLE}
    assert {held for _, held in shown} == {False}
    assert garage.dynamic == 10
