"""Limits of a charger in the cloud: what users want is what holds, whatever happens."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from .garage import Garage, ampere
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.enums import LimitedBy, RateUnit
from custom_components.ev_charger_hub.station.link import Limit
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from simulators.easee_cloud import Behaviour, Vehicle


async def charging(garage: Garage, **vehicle: float) -> None:
    """Plug a car in, and let it charge."""
    garage.charger.plug_in(Vehicle(maximum_current=32, **vehicle))  # type: ignore[arg-type]
    await garage.pass_time(10)
    assert garage.charger.mode == 3
    garage.forget()


async def test_a_limit_is_confirmed_by_what_the_charger_reports(garage: Garage) -> None:
    await charging(garage)
    outcome = await garage.want(10)
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert garage.sent == [10]
    assert garage.dynamic == 10
    await garage.pass_time(2)
    assert garage.shown() == (10, LimitedBy.OUR_LIMIT)


async def test_a_limit_without_a_connector_is_that_of_the_only_one(
    garage: Garage,
) -> None:
    await charging(garage)
    await garage.done(limits.request(garage.station, 0, ampere(12)))
    assert garage.evse.wanted_limit.value == ampere(12)
    assert garage.station.whole.wanted_limit.value is None
    assert garage.dynamic == 12


async def test_a_limit_is_rounded_down_to_a_tenth(garage: Garage) -> None:
    await charging(garage)
    await garage.want(10.29)
    assert garage.sent == [10.2]


async def test_a_limit_is_capped_to_what_the_charger_may_offer(garage: Garage) -> None:
    await charging(garage)
    garage.charger.observe(47, 20.0)
    garage.charger.circuit.changed()
    outcome = await garage.want(25)
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert garage.sent == [20]
    await garage.pass_time(200)
    assert garage.sent == [20]
    assert garage.shown()[0] == 20
    assert not garage.ignored()


async def test_no_limit_lifts_ours(garage: Garage) -> None:
    await charging(garage)
    await garage.want(10)
    await garage.want(None)
    assert garage.sent == [10, 32]
    await garage.pass_time(2)
    # All limits are 32 A; the charger says that it is the fuse.
    assert garage.shown() == (32, LimitedBy.CIRCUIT)


async def test_a_pause_keeps_the_session_and_a_resume_goes_on(garage: Garage) -> None:
    await charging(garage)
    await garage.done(limits.pause(garage.station, 1))
    await garage.pass_time(2)
    assert (garage.dynamic, garage.charger.power) == (0, 0)
    assert garage.shown() == (0, LimitedBy.OUR_LIMIT)
    assert garage.evse.transaction is not None
    await garage.pass_time(10)
    await garage.done(limits.resume(garage.station, 1))
    assert garage.sent == ["pause_charging", "resume_charging"]
    assert garage.dynamic == 32


@pytest.mark.conformance("EASEE_A17")
async def test_after_a_resume_the_limit_of_the_user_is_applied_again(
    garage: Garage,
) -> None:
    await charging(garage)
    await garage.want(8)
    await garage.pass_time(10)
    await garage.done(limits.pause(garage.station, 1))
    await garage.pass_time(10)
    await garage.done(limits.resume(garage.station, 1))
    assert garage.sent == [8, "pause_charging", "resume_charging", 8]
    assert garage.dynamic == 8
    assert garage.evse.wanted_limit.value == ampere(8)


async def test_a_resume_that_is_not_seen_to_set_32_is_waited_for(
    garage: Garage,
) -> None:
    await charging(garage)
    await garage.want(8)
    await garage.pass_time(10)
    await garage.done(limits.pause(garage.station, 1))
    await garage.pass_time(10)
    garage.forget()
    garage.cloud.commands.next(Behaviour(delay=4))
    resume = asyncio.ensure_future(limits.resume(garage.station, 1))
    await garage.pass_time(3)
    assert garage.sent == ["resume_charging"]
    await garage.pass_time(4)
    assert (await resume).ok
    assert garage.sent == ["resume_charging", 8]
    assert garage.dynamic == 8


@pytest.mark.parametrize("pause", [0.0, 0.4, 1.5, 6.0])
async def test_wishes_in_quick_succession_end_in_the_last(
    garage: Garage, pause: float
) -> None:
    await charging(garage)
    await garage.want(16)
    station = garage.station
    wishes = []
    for wish in (
        limits.pause(station, 1),
        limits.resume(station, 1),
        limits.request(station, 1, ampere(10)),
        limits.pause(station, 1),
        limits.resume(station, 1),
        limits.request(station, 1, ampere(8)),
    ):
        wishes.append(asyncio.ensure_future(wish))
        await garage.pass_time(pause)
    await garage.pass_time(40)
    outcomes = [one.result().status for one in wishes]
    assert set(outcomes) <= {OutcomeStatus.CONFIRMED, OutcomeStatus.SUPERSEDED}
    assert garage.evse.wanted_limit.value == ampere(8)
    assert garage.dynamic == 8
    assert garage.charger.power > 0


async def test_limits_between_0_and_6_are_never_sent(garage: Garage) -> None:
    await charging(garage)
    with pytest.raises(limits.LimitError):
        await garage.want(5)
    for amps in (6, 10, 0, 7, 6):
        await garage.want(amps)
    amounts = [one for one in garage.sent if isinstance(one, int | float)]
    assert all(one == 0 or one >= 6 for one in amounts)
    assert garage.dynamic == 6


async def test_watts_that_are_too_few_for_the_phases_pause(garage: Garage) -> None:
    await charging(garage)
    await garage.done(limits.request_phases(garage.station, 1, 1), 90)
    await garage.pass_time(10)
    watts = Limit(value=Decimal(1610), unit=RateUnit.WATT)
    await garage.done(limits.request(garage.station, 1, watts))
    assert garage.dynamic == 7
    await garage.pass_time(10)
    await garage.done(limits.request_phases(garage.station, 1, None), 90)
    await garage.pass_time(10)
    assert garage.dynamic == 0


async def test_a_refused_limit_is_an_error_and_not_wanted(garage: Garage) -> None:
    await charging(garage)
    await garage.want(16)
    garage.cloud.commands.next(Behaviour(reject=4, comment="no"))
    outcome = await garage.want(10)
    assert outcome.status is OutcomeStatus.REJECTED
    assert garage.evse.wanted_limit.value == ampere(16)
    await garage.pass_time(100)
    assert garage.dynamic == 16


async def test_a_limit_without_an_answer_gives_way_to_the_one_before(
    garage: Garage,
) -> None:
    await charging(garage)
    await garage.want(16)
    garage.cloud.commands.next(Behaviour(never=True))
    await garage.pass_time(61)
    outcome = await garage.done(limits.request(garage.station, 1, ampere(10)), 60)
    assert outcome.status is OutcomeStatus.TIMED_OUT
    assert garage.evse.wanted_limit.value == ampere(16)
    await garage.pass_time(30)
    assert garage.dynamic == 16


async def test_an_answer_that_got_lost_is_made_up_for_by_what_is_reported(
    garage: Garage,
) -> None:
    await charging(garage)
    garage.cloud.commands.next(Behaviour(silent=True, polls=100))
    await garage.pass_time(61)
    outcome = await garage.done(limits.request(garage.station, 1, ampere(10)), 60)
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert garage.evse.wanted_limit.value == ampere(10)


# What it survives


async def test_a_limit_survives_plugging_in(garage: Garage) -> None:
    await garage.want(10)
    garage.charger.plug_in(Vehicle())
    await garage.pass_time(10)
    assert garage.dynamic == 10
    assert garage.charger.offered == 10
    assert garage.shown() == (10, LimitedBy.OUR_LIMIT)


async def test_a_limit_of_0_survives_plugging_in(garage: Garage) -> None:
    await garage.want(0)
    garage.charger.plug_in(Vehicle())
    await garage.pass_time(10)
    assert garage.charger.power == 0
    assert garage.evse.wanted_limit.value == ampere(0)


async def test_a_limit_survives_a_reboot(garage: Garage) -> None:
    await charging(garage)
    await garage.want(10)
    garage.charger.reboot()
    await garage.pass_time(185)
    await garage.pass_time(20)
    assert garage.dynamic == 10


async def test_a_limit_survives_five_vehicles_in_a_row(garage: Garage) -> None:
    await garage.want(10)
    for _ in range(5):
        garage.charger.plug_in(Vehicle())
        await garage.pass_time(10)
        assert garage.dynamic == 10
        garage.charger.unplug()
        await garage.pass_time(10)
    assert "contested" not in garage.station.findings


async def test_a_restart_of_home_assistant_sends_nothing_if_the_limit_holds(
    garage: Garage,
) -> None:
    await charging(garage)
    await garage.want(10)
    await garage.restart()
    await garage.pass_time(120)
    assert garage.sent == []
    assert garage.evse.wanted_limit.value == ampere(10)
    assert garage.shown() == (10, LimitedBy.OUR_LIMIT)


async def test_a_limit_that_was_lost_meanwhile_holds_after_a_restart(
    garage: Garage,
) -> None:
    await garage.want(10)
    await garage.close()
    garage.charger.plug_in(Vehicle())
    await garage.pass_time(300)
    await garage.open()
    await garage.pass_time(20)
    assert garage.dynamic == 10


async def test_a_pause_survives_a_restart(garage: Garage) -> None:
    await charging(garage)
    await garage.done(limits.pause(garage.station, 1))
    await garage.restart()
    await garage.pass_time(120)
    assert garage.sent == []
    assert limits.paused(garage.evse)
    await garage.done(limits.resume(garage.station, 1))
    assert garage.sent == ["resume_charging"]
    assert garage.charger[48] == 32


async def test_a_limit_survives_an_outage_of_the_cloud(garage: Garage) -> None:
    await charging(garage)
    await garage.want(10)
    garage.cloud.outage()
    garage.charger.unplug()
    garage.charger.plug_in(Vehicle())
    await garage.pass_time(600)
    assert garage.charger[48] == 32
    garage.cloud.recover()
    await garage.pass_time(180)
    assert garage.dynamic == 10


async def test_a_limit_gets_there_although_commands_fail_at_first(
    garage: Garage,
) -> None:
    await garage.want(10)
    garage.cloud.faults.outage(503)
    garage.charger.plug_in(Vehicle())
    await garage.pass_time(600)
    assert garage.charger[48] == 32
    assert garage.ignored()
    garage.cloud.recover()
    await garage.pass_time(180)
    assert garage.dynamic == 10
    assert not garage.ignored()
    assert "contested" not in garage.station.findings


async def test_a_limit_that_ends_gives_way_to_the_one_before(garage: Garage) -> None:
    await charging(garage)
    await garage.want(16)
    await garage.pass_time(61)
    await garage.done(
        limits.request(garage.station, 1, ampere(8), duration=timedelta(minutes=5))
    )
    assert garage.dynamic == 8
    await garage.pass_time(310)
    assert garage.dynamic == 16
    await garage.done(
        limits.request(garage.station, 1, None, duration=timedelta(minutes=5))
    )
    await garage.pass_time(310)
    assert garage.dynamic == 16
