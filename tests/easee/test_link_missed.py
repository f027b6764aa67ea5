"""Limits of a charger in the cloud: what could not be sent when it was due is made up for."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from .garage import Garage, ampere
from .test_link_limit import charging
from custom_components.ev_charger_hub.easee.commands import Refusal
from custom_components.ev_charger_hub.easee.errors import TooOften
from custom_components.ev_charger_hub.easee.wear import A_MINUTE, Wear
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.link import Limit
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from simulators.easee_cloud import Behaviour, Fault, Vehicle

COMMANDS = "/commands/"


async def for_a_minute(garage: Garage, amps: float) -> None:
    """Limit a charger for a minute, after some quiet."""
    await garage.pass_time(61)
    minute = timedelta(minutes=1)
    wish = limits.request(garage.station, 1, ampere(amps), duration=minute)
    assert (await garage.done(wish)).ok
    garage.forget()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(pattern=COMMANDS, status=429, headers={"Retry-After": "120"}),
        Fault(pattern=COMMANDS, status=400, times=3),
        Fault(pattern=COMMANDS, status=503, times=3),
    ],
)
@pytest.mark.parametrize("before", [None, 12.0])
async def test_a_limit_whose_end_cannot_be_sent_ends_all_the_same(
    garage: Garage, fault: Fault, before: float | None
) -> None:
    await charging(garage)
    await garage.want(before)
    await for_a_minute(garage, 8)
    garage.cloud.faults.add(replace(fault))
    await garage.pass_time(61)
    assert garage.dynamic == 8
    await garage.pass_time(360)
    assert garage.dynamic == (before or 32)
    assert garage.evse.wanted_limit.value == (
        None if before is None else ampere(before)
    )


@pytest.mark.parametrize("behaviour", [Behaviour(never=True), Behaviour(reject=4)])
async def test_a_limit_whose_end_is_not_carried_out_ends_all_the_same(
    garage: Garage, behaviour: Behaviour
) -> None:
    await charging(garage)
    await garage.want(12)
    await for_a_minute(garage, 8)
    garage.cloud.commands.next(behaviour)
    await garage.pass_time(61)
    assert garage.dynamic == 8
    await garage.pass_time(180)
    assert garage.dynamic == 12


FORBIDDEN = Fault(pattern=COMMANDS, status=403, body={"message": "no"}, times=None)
REJECTED = Behaviour(reject=4, comment="no")


@pytest.mark.parametrize("fault", [FORBIDDEN, None])
async def test_what_is_always_refused_is_tried_less_and_less(
    garage: Garage, fault: Fault | None
) -> None:
    await garage.want(10)
    refusals: list[Refusal] = []
    garage.commands.on_refused(refusals.append)
    if fault is None:
        garage.cloud.commands.usual = REJECTED
    else:
        garage.cloud.faults.add(replace(fault))
    garage.charger.plug_in(Vehicle(maximum_current=32))
    tries = []
    for _ in range(4):
        garage.forget()
        await garage.pass_time(3600)
        tries.append(len(garage.sent))
    assert tries[0] >= 4
    assert sum(tries) <= 12
    assert tries[2:] in ([1, 1], [1, 2], [2, 1], [1, 0], [0, 1])
    assert len(refusals) == 1

    garage.cloud.commands.usual = Behaviour()
    garage.cloud.recover()
    await garage.pass_time(3700)
    assert garage.dynamic == 10


async def test_a_renewal_that_is_always_refused_is_tried_less_and_less(
    garage: Garage,
) -> None:
    garage.settings = replace(garage.settings, fallback_current=8)
    await garage.restart()
    await charging(garage)
    await garage.want(10)
    garage.cloud.commands.usual = REJECTED
    await garage.pass_time(2 * 3600)
    garage.forget()
    await garage.pass_time(3 * 3600)
    assert 1 <= len(garage.sent) <= 9
    garage.cloud.commands.usual = Behaviour()
    await garage.pass_time(3700)
    assert garage.dynamic == 10


async def test_the_next_vehicle_need_not_wait_for_what_was_refused(
    garage: Garage,
) -> None:
    await garage.want(10)
    garage.cloud.commands.usual = REJECTED
    garage.charger.plug_in(Vehicle(maximum_current=32))
    await garage.pass_time(4 * 3600)
    garage.cloud.commands.usual = Behaviour()
    garage.charger.unplug()
    await garage.pass_time(10)
    garage.charger.plug_in(Vehicle(maximum_current=32))
    await garage.pass_time(20)
    assert garage.dynamic == 10


async def test_a_charger_that_reports_much_is_not_told_more_often(
    garage: Garage,
) -> None:
    await charging(garage)
    await garage.want(10)
    garage.cloud.commands.usual = REJECTED
    garage.charger.set_dynamic(20.0)
    await garage.pass_time(3600)
    garage.forget()
    for _ in range(20):
        garage.charger.pause_car(True)
        await garage.pass_time(30)
        garage.charger.pause_car(False)
        await garage.pass_time(30)
    assert len(garage.sent) <= 2


async def test_watts_are_those_of_the_phases_that_are_chosen(garage: Garage) -> None:
    await charging(garage)
    await garage.pass_time(61)
    watts = Limit(value=Decimal(4830), unit=RateUnit.WATT)
    await garage.done(limits.request(garage.station, 1, watts))
    assert garage.dynamic == 7
    await garage.pass_time(61)
    outcome = await garage.done(limits.request_phases(garage.station, 1, 1), 90)
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert garage.dynamic == 21
    await garage.pass_time(61)
    await garage.done(limits.request_phases(garage.station, 1, 3), 90)
    await garage.pass_time(120)
    assert garage.dynamic == 7
    assert garage.charger.power <= 4.83


@pytest.mark.parametrize("behaviour", [Behaviour(never=True), Behaviour(reject=4)])
async def test_a_pause_whose_end_is_not_carried_out_is_nobody_elses(
    garage: Garage, behaviour: Behaviour
) -> None:
    await charging(garage)
    await garage.want(12)
    await for_a_minute(garage, 0)
    garage.cloud.commands.next(behaviour)
    await garage.pass_time(61)
    assert garage.dynamic == 0
    await garage.pass_time(180)
    assert garage.dynamic == 12


async def test_a_death_before_the_end_of_a_pause_is_sent_leaves_nobody_paused(
    garage: Garage,
) -> None:
    await charging(garage)
    await garage.want(12)
    await for_a_minute(garage, 0)
    garage.cloud.faults.add(Fault(pattern=COMMANDS, delay=30, cut=True))
    await garage.pass_time(61)
    assert garage.dynamic == 0
    await garage.restart()
    await garage.pass_time(60)
    assert garage.dynamic == 12
    assert garage.charger.mode == 3


async def test_a_pause_of_the_app_after_a_limit_that_was_missed_is_left_alone(
    garage: Garage,
) -> None:
    await charging(garage)
    await garage.want(0)
    await garage.want(12)
    garage.cloud.rogue(garage.charger.serial, dynamicChargerCurrent=0.0)
    await garage.pass_time(300)
    assert garage.dynamic == 0
    await garage.restart()
    await garage.pass_time(300)
    assert garage.dynamic == 0


@pytest.mark.parametrize("way", ["resume", "phases"])
async def test_nobody_is_let_go_whose_limit_cannot_follow(
    garage: Garage, way: str
) -> None:
    garage.wear = Wear(garage.time, _nothing, _keep)
    await garage.restart()
    await charging(garage)
    await garage.want(8)
    await garage.pass_time(61)
    if way == "resume":
        await garage.done(limits.pause(garage.station, 1))
    for amps in range(A_MINUTE):
        await garage.wear.spend(garage.charger.serial, {"phase1": 6 + amps})
    garage.forget()
    wish = (
        limits.resume(garage.station, 1)
        if way == "resume"
        else limits.request_phases(garage.station, 1, 1)
    )
    with pytest.raises(TooOften):
        await garage.done(wish)
    assert garage.dynamic == (0 if way == "resume" else 8)
    assert "resume_charging" not in garage.sent
    await garage.pass_time(61)
    await garage.done(limits.resume(garage.station, 1))
    assert garage.dynamic == 8


async def _nothing() -> None:
    return None


async def _keep(_: dict[str, Any]) -> None:
    return None
