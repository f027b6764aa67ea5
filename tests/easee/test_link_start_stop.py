"""Start and stop, in and out of service, phases: what the cloud carries for a charger."""

import asyncio
from typing import Any

import pytest

from .garage import Garage, ampere
from custom_components.ev_charger_hub.easee.link import EaseeLink
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.errors import NotConnected, NotSupported
from custom_components.ev_charger_hub.station.link import Capability, LinkKind
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from simulators.easee_cloud import Behaviour, Fault, Vehicle


async def start(garage: Garage, **more: Any) -> Outcome:
    """Press the button."""
    return await garage.done(garage.link.start_charging(None, "TAG", **more))


async def stop(garage: Garage) -> Outcome:
    """Press the other button."""
    session = garage.evse.transaction
    transaction_id = "" if session is None else session.transaction_id
    return await garage.done(garage.link.stop_charging(transaction_id))


async def plugged_in(garage: Garage, *, authorize: bool = False) -> None:
    """Plug in a car."""
    garage.charger.observe(42, authorize)
    garage.charger.plug_in(Vehicle(maximum_current=32))
    await garage.pass_time(10)
    garage.forget()


def test_what_the_link_carries(garage: Garage) -> None:
    link = garage.link
    assert link.kind is LinkKind.EASEE
    assert Capability.PROFILES not in link.capabilities
    assert Capability.UNLOCK not in link.capabilities
    assert garage.station.link(Capability.START_STOP) is link


async def test_what_it_does_not_carry_is_not_supported(garage: Garage) -> None:
    link, not_supported = garage.link, OutcomeStatus.NOT_SUPPORTED
    assert (await link.unlock(1, 1)).status is not_supported
    assert (await link.trigger("Heartbeat", 1)).status is not_supported
    assert (await link.set_limit(2, ampere(8))).status is not_supported
    assert (await link.reset(hard=True, resume=True)).status is not_supported
    assert (await link.start_charging(2, "TAG")).status is not_supported
    assert (await link.change_availability(2, operative=True)).status is not_supported
    assert garage.sent == []


# Start


async def test_without_a_vehicle_nothing_starts(garage: Garage) -> None:
    outcome = await start(garage)
    assert (outcome.status, outcome.answer) == (OutcomeStatus.REJECTED, "no vehicle")
    assert garage.sent == []


async def test_a_vehicle_that_awaits_authorization_is_authorized(
    garage: Garage,
) -> None:
    await plugged_in(garage, authorize=True)
    assert garage.charger.mode == 7
    outcome = await start(garage)
    assert outcome.status is OutcomeStatus.CONFIRMED
    await garage.pass_time(5)
    assert garage.sent == ["start_charging"]
    assert garage.charger.mode == 3


@pytest.mark.conformance("EASEE_A18")
async def test_a_start_at_6_a_sets_7_a_first_and_6_a_afterwards(garage: Garage) -> None:
    await plugged_in(garage, authorize=True)
    garage.charger.set_dynamic(6.0)
    await garage.pass_time(5)
    await start(garage)
    assert garage.sent == [7, "start_charging"]
    await garage.pass_time(5)
    assert garage.charger.mode == 3


@pytest.mark.conformance("EASEE_A18")
async def test_a_limit_of_6_a_does_not_hold_up_a_start(garage: Garage) -> None:
    await garage.want(6)
    await plugged_in(garage, authorize=True)
    await start(garage)
    await garage.pass_time(15)
    assert garage.charger.mode == 3
    assert garage.sent[-2:] == ["start_charging", 6]
    assert garage.dynamic == 6
    await garage.pass_time(300)
    assert garage.charger.offered == 6
    assert garage.sent[-1] == 6
    assert not garage.ignored()


async def test_after_a_pause_at_6_a_charging_goes_on_at_once(garage: Garage) -> None:
    await plugged_in(garage)
    await garage.want(6)
    await garage.pass_time(10)
    await garage.done(limits.pause(garage.station, 1))
    await garage.pass_time(10)
    garage.forget()
    await garage.done(limits.resume(garage.station, 1))
    await garage.pass_time(15)
    assert garage.sent == ["resume_charging", 7, 6]
    assert garage.charger.mode == 3
    assert garage.charger.offered == 6


async def test_a_start_ends_a_pause_of_ours(garage: Garage) -> None:
    await plugged_in(garage)
    await garage.want(10)
    await garage.pass_time(10)
    await garage.done(limits.pause(garage.station, 1))
    await garage.pass_time(10)
    outcome = await start(garage)
    assert (outcome.ok, outcome.answer) == (True, "resumed")
    assert garage.dynamic == 10
    assert not limits.paused(garage.evse)


async def test_a_start_ends_a_limit_of_0(garage: Garage) -> None:
    await plugged_in(garage)
    await garage.want(0)
    await garage.pass_time(10)
    assert (await start(garage)).ok
    await garage.pass_time(10)
    assert garage.charger.mode == 3
    assert garage.evse.wanted_limit.value is None


async def test_a_start_ends_a_pause_of_the_app(garage: Garage) -> None:
    await plugged_in(garage)
    garage.cloud.rogue(garage.charger.serial, dynamicChargerCurrent=0.0)
    await garage.pass_time(10)
    assert garage.charger.power == 0
    await start(garage)
    await garage.pass_time(10)
    assert garage.charger.power > 0


async def test_a_start_enables_the_charger_first(garage: Garage) -> None:
    await plugged_in(garage, authorize=True)
    await garage.done(garage.link.change_availability(0, operative=False))
    await garage.pass_time(5)
    assert garage.charger[31] is False
    garage.forget()
    await start(garage)
    await garage.pass_time(5)
    assert garage.sent[0] == {"enabled": True}
    assert garage.charger[31] is True


async def test_a_start_that_waits_for_something_else_says_for_what(
    garage: Garage,
) -> None:
    await plugged_in(garage)
    for circuit in (garage.charger.circuit,):
        circuit.set_dynamic([0.0, 0.0, 0.0])
    await garage.pass_time(5)
    outcome = await start(garage)
    assert outcome.status is OutcomeStatus.REJECTED
    assert outcome.answer == "waiting: circuit_dynamic_too_low"
    assert garage.sent == []


async def test_a_vehicle_that_is_full_is_waited_for(garage: Garage) -> None:
    garage.charger.plug_in(Vehicle(stored=60))
    await garage.pass_time(10)
    outcome = await start(garage)
    assert (outcome.ok, outcome.answer) == (True, "waiting for the vehicle")


async def test_a_charger_that_charges_needs_no_start(garage: Garage) -> None:
    await plugged_in(garage)
    assert (await start(garage)).answer == "no change"
    assert garage.sent == []


async def test_a_start_with_a_limit_limits_that_session_only(garage: Garage) -> None:
    await plugged_in(garage, authorize=True)
    await start(garage, limit=ampere(9))
    await garage.pass_time(30)
    assert garage.dynamic == 9
    assert garage.evse.wanted_limit.value is None
    garage.charger.unplug()
    await garage.pass_time(10)
    garage.charger.plug_in(Vehicle())
    await garage.pass_time(10)
    assert garage.dynamic == 32


async def test_a_start_with_a_limit_limits_a_session_that_is_open(
    garage: Garage,
) -> None:
    await plugged_in(garage)
    await start(garage, limit=ampere(9))
    await garage.pass_time(10)
    assert garage.dynamic == 9


async def test_a_charger_that_is_offline_is_not_connected(garage: Garage) -> None:
    garage.charger.go_offline()
    await garage.pass_time(5)
    with pytest.raises(NotConnected):
        garage.station.link(Capability.START_STOP)
    with pytest.raises(NotConnected):
        await start(garage)


# Stop


async def test_a_stop_takes_back_an_authorization(garage: Garage) -> None:
    await plugged_in(garage, authorize=True)
    await start(garage)
    await garage.pass_time(10)
    garage.forget()
    outcome = await stop(garage)
    assert (outcome.ok, outcome.answer) == (True, "stopped")
    await garage.pass_time(10)
    assert garage.sent == ["stop_charging"]
    assert garage.charger.mode == 7


async def test_a_stop_without_authorization_is_a_pause_that_stays(
    garage: Garage,
) -> None:
    await plugged_in(garage)
    outcome = await stop(garage)
    assert (outcome.ok, outcome.answer) == (True, "paused")
    await garage.pass_time(300)
    assert garage.sent == ["pause_charging"]
    assert garage.charger.power == 0
    assert limits.paused(garage.evse)
    assert (await stop(garage)).answer == "paused"
    assert garage.sent == ["pause_charging"]
    garage.charger.unplug()
    await garage.pass_time(10)
    garage.charger.plug_in(Vehicle())
    await garage.pass_time(10)
    assert garage.charger.power > 0


async def test_a_stop_of_a_session_that_is_over_stops_nothing(garage: Garage) -> None:
    await plugged_in(garage)
    outcome = await garage.done(garage.link.stop_charging("another"))
    assert outcome.status is OutcomeStatus.REJECTED
    assert garage.charger.power > 0


async def test_a_stop_takes_a_session_by_its_name_in_the_cloud(
    garage: Garage,
) -> None:
    await plugged_in(garage)
    session = garage.evse.transaction
    assert session is not None
    name = session.transaction_id
    # The charger itself has told of it since.
    session.transaction_id, session.cloud_id = "12", name
    outcome = await garage.done(garage.link.stop_charging(name))
    assert (outcome.ok, outcome.answer) == (True, "paused")
    assert garage.charger.power == 0


# In and out of service


async def test_in_and_out_of_service(garage: Garage) -> None:
    outcome = await garage.done(garage.link.change_availability(1, operative=False))
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert garage.charger[31] is False
    assert (await garage.done(garage.link.change_availability(1, operative=True))).ok
    assert garage.charger[31] is True


async def test_a_reboot(garage: Garage) -> None:
    outcome = await garage.done(garage.link.reset(hard=False))
    assert outcome.ok
    await garage.pass_time(5)
    assert not garage.station.online.value


async def test_what_nobody_knows_is_no_success(garage: Garage) -> None:
    garage.cloud.commands.next(Behaviour(never=True))
    outcome = await garage.done(garage.link.reset(hard=True), 60)
    assert outcome.status is OutcomeStatus.TIMED_OUT


# Phases


async def test_one_phase_counts_at_once_and_is_seen(garage: Garage) -> None:
    await plugged_in(garage)
    assert garage.charger.phases() == 3
    outcome = await garage.done(limits.request_phases(garage.station, 1, 1), 90)
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert garage.sent == [{"phaseMode": 1}, "pause_charging", "resume_charging"]
    assert (garage.charger.mode, garage.charger.phases()) == (3, 1)
    assert garage.evse.phases == 1
    await garage.pass_time(200)
    assert garage.dynamic == 32


async def test_after_a_change_of_phases_the_limit_holds_again(garage: Garage) -> None:
    await plugged_in(garage)
    await garage.want(10)
    await garage.pass_time(10)
    await garage.done(limits.request_phases(garage.station, 1, 1), 90)
    assert garage.dynamic == 10
    await garage.pass_time(10)
    await garage.done(limits.request_phases(garage.station, 1, 3), 90)
    await garage.pass_time(20)
    assert garage.charger.phases() == 3
    assert garage.dynamic == 10
    assert garage.evse.wanted_limit.value == ampere(10)


async def test_a_limit_of_the_app_outlives_a_change_of_phases(garage: Garage) -> None:
    await plugged_in(garage)
    garage.cloud.rogue(garage.charger.serial, dynamicChargerCurrent=12.0)
    await garage.pass_time(10)
    await garage.done(limits.request_phases(garage.station, 1, 1), 90)
    await garage.pass_time(200)
    assert garage.dynamic == 12


async def test_without_a_vehicle_a_change_of_phases_interrupts_nothing(
    garage: Garage,
) -> None:
    outcome = await garage.done(limits.request_phases(garage.station, 1, 1), 90)
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert garage.sent == [{"phaseMode": 1}]
    await garage.done(limits.request_phases(garage.station, 1, None), 90)
    assert garage.charger[38] == 2


async def test_phases_that_the_charger_ignores_are_an_error(garage: Garage) -> None:
    await plugged_in(garage)
    charger = garage.charger
    charger.phases = lambda: 3  # type: ignore[method-assign]
    outcome = await garage.done(limits.request_phases(garage.station, 1, 1), 120)
    assert (outcome.status, outcome.answer) == (OutcomeStatus.REJECTED, "ignored")
    assert "phases" in garage.station.findings
    assert charger.power > 0


async def test_phases_that_the_app_chooses_are_shown(garage: Garage) -> None:
    garage.cloud.rogue(garage.charger.serial, phaseMode=1)
    await garage.pass_time(5)
    assert garage.phases() == 1
    garage.cloud.rogue(garage.charger.serial, phaseMode=2)
    await garage.pass_time(5)
    assert garage.phases() is None
    assert garage.sent == []


async def test_a_refused_change_of_phases_changes_nothing(garage: Garage) -> None:
    garage.cloud.commands.next(Behaviour(reject=4))
    outcome = await garage.done(limits.request_phases(garage.station, 1, 1), 90)
    assert outcome.status is OutcomeStatus.REJECTED
    assert garage.phases() is None


async def test_charging_that_does_not_go_on_by_itself_is_resumed_again(
    garage: Garage,
) -> None:
    await plugged_in(garage)
    garage.cloud.commands.next(Behaviour(), Behaviour(), Behaviour(reject=4))
    await garage.done(limits.request_phases(garage.station, 1, 1), 120)
    assert garage.sent.count("resume_charging") == 2
    await garage.pass_time(10)
    assert garage.charger.power > 0


@pytest.mark.parametrize("answer", [503, None])
async def test_a_resume_of_which_nobody_knows_leaves_nobody_paused(
    garage: Garage, answer: int | None
) -> None:
    await plugged_in(garage)
    await garage.pass_time(61)
    if answer is None:
        lost = Behaviour(never=True)
        garage.cloud.commands.next(Behaviour(), Behaviour(), lost, lost, lost)
    else:
        fault = Fault(pattern="resume_charging", status=answer, times=None)
        garage.cloud.faults.add(fault)
    await garage.done(limits.request_phases(garage.station, 1, 1), 200)
    assert garage.sent.count("resume_charging") >= 3
    garage.cloud.faults.clear()
    await garage.pass_time(600)
    assert garage.charger.power > 0
    assert garage.charger.phases() == 1


async def test_a_death_in_a_change_of_phases_leaves_nobody_paused(
    garage: Garage,
) -> None:
    await plugged_in(garage)
    await garage.pass_time(61)
    garage.cloud.commands.next(Behaviour(), Behaviour(), Behaviour(never=True))
    change = asyncio.ensure_future(limits.request_phases(garage.station, 1, 1))
    await garage.pass_time(8)
    assert garage.charger.power == 0
    await garage.restart()
    await garage.pass_time(30)
    assert garage.charger.power > 0
    change.cancel()


# What is hardly ever needed


async def test_every_command_of_ocpp_is_answered(garage: Garage) -> None:
    link: Any = garage.link
    asked = [
        link.set_profile(1, None),
        link.clear_profiles(None),
        link.get_profiles(None),
        link.composite_schedule(1, 60),
        link.get_configuration([]),
        link.set_configuration("key", "value"),
        link.clear_cache(),
        link.data_transfer("vendor", None, None),
        link.local_list_version(),
        link.send_local_list(1, [], full=True),
        link.reserve(None),
        link.cancel_reservation(1),
        link.update_firmware(None),
        link.get_log(None),
        link.install_certificate(None, ""),
        link.installed_certificates(),
        link.delete_certificate(None),
        link.certificate_signed("", None),
        link.set_password("secret"),
        link.call("Anything", {}),
    ]
    for answer in asked:
        outcome = await answer
        status = outcome[0].status if isinstance(outcome, tuple) else outcome.status
        assert status is OutcomeStatus.NOT_SUPPORTED
    assert link.profile_support.evses == 1
    assert link.local_list_support.supported is None
    assert link.file_transfers == frozenset()


async def test_a_link_that_serves_nobody_limits_nothing(garage: Garage) -> None:
    link = EaseeLink(
        garage.commands,
        garage.readings,
        garage.time,
        serial=garage.charger.serial,
        reachable=lambda: True,
        echo=garage.echo,
    )
    with pytest.raises(NotSupported):
        await link.set_limit(1, ampere(8))
    link.serve(ChargingStation("EH1", garage.settings))
    await plugged_in(garage)
    with pytest.raises(NotSupported):
        await link.start_charging(1, "TAG", ampere(8))


async def test_a_start_that_cannot_be_prepared_is_not_sent(garage: Garage) -> None:
    await plugged_in(garage, authorize=True)
    garage.charger.set_dynamic(6.0)
    await garage.pass_time(5)
    garage.cloud.commands.next(Behaviour(reject=4))
    outcome = await start(garage)
    assert outcome.status is OutcomeStatus.REJECTED
    assert garage.sent == [7]


async def test_a_charger_that_cannot_be_enabled_is_not_started(garage: Garage) -> None:
    await plugged_in(garage)
    garage.charger.observe(31, False)
    await garage.pass_time(5)
    garage.cloud.commands.next(Behaviour(reject=4))
    assert (await start(garage)).status is OutcomeStatus.REJECTED
    assert garage.sent == [{"enabled": True}]


async def test_a_stop_without_a_session_is_refused(garage: Garage) -> None:
    outcome = await stop(garage)
    assert (outcome.status, outcome.answer) == (OutcomeStatus.REJECTED, "no session")


async def test_a_wait_without_a_reason_is_waited_for(garage: Garage) -> None:
    await plugged_in(garage)
    garage.charger.pretend(109, 2)
    garage.charger.pretend(96, 0)
    await garage.cloud.until(lambda: garage.readings.value(96) == 0)
    outcome = await start(garage)
    assert (outcome.ok, outcome.answer) == (True, "waiting")


async def test_an_answer_of_a_server_that_fails_is_unknown(garage: Garage) -> None:
    garage.cloud.faults.add(Fault(pattern="/commands/reboot", status=502, times=9))
    outcome = await garage.done(garage.link.reset(hard=True), 60)
    assert outcome.status is OutcomeStatus.TIMED_OUT


async def test_phases_that_cannot_count_now_count_later(garage: Garage) -> None:
    await plugged_in(garage)
    garage.cloud.commands.next(Behaviour(), Behaviour(reject=4))
    outcome = await garage.done(garage.link.set_phases(1, 1), 60)
    assert outcome.ok
    assert outcome.detail.startswith("counts from the next start on")
    assert (garage.charger[38], garage.charger.phases()) == (1, 3)
    assert (await garage.link.set_phases(1, 2)).status is OutcomeStatus.NOT_SUPPORTED
