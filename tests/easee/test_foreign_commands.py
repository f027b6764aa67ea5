"""Commands: which responses are to ours, and which to those of others (Q21)."""

import asyncio
from typing import Any

import pytest

from .listener import DONE, LIMIT, TEN, Listener
from custom_components.ev_charger_hub.easee.command_ids import CommandId
from custom_components.ev_charger_hub.easee.responses import CommandResponse
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from simulators.easee_cloud import Behaviour, Charger, EaseeCloud, Fault
from simulators.easee_cloud.seed import CHARGER, EQUALIZER, SECOND


async def test_a_late_response_is_nobody_elses(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(delay=45))
    outcome = await listener.outcome(listener.commands.command(CHARGER, LIMIT, TEN))
    assert outcome.status is OutcomeStatus.TIMED_OUT
    cloud.commands.next(Behaviour(never=True))
    task = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
    await listener.time.pass_time(24)
    assert [one.id for one in listener.heard] == []
    await listener.time.pass_time(3)
    assert [one.id for one in listener.heard] == [48]
    assert task.result().status is OutcomeStatus.TIMED_OUT
    assert not listener.foreign


async def test_a_command_for_a_charger_that_is_gone_is_not_its_neighbors(
    listener: Listener, charger: Charger, cloud: EaseeCloud
) -> None:
    charger.go_offline()
    gone = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
    other = await listener.outcome(listener.commands.command(SECOND, LIMIT, TEN))
    assert other == DONE
    await listener.time.pass_time(21)
    assert gone.result().status is OutcomeStatus.TIMED_OUT
    await listener.time.pass_time(120)
    assert [one.result for one in listener.heard] == [3, 2]
    assert not listener.foreign


async def test_who_gives_up_waiting_holds_nobody_up(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(delay=5))
    task = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
    await listener.time.pass_time(1)
    task.cancel()
    twelve = {"amps": 12, "minutes": 0}
    outcome = await listener.outcome(listener.commands.command(CHARGER, LIMIT, twelve))
    assert outcome == DONE
    await listener.time.pass_time(6)
    assert len(listener.heard) == 2
    assert not listener.foreign


async def test_who_gives_up_before_the_answer_is_no_stranger(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(delay=1))
    cloud.faults.add(Fault(pattern="/commands/", delay=5))
    task = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
    await listener.time.pass_time(4.9)
    task.cancel()
    await listener.time.pass_time(5)
    assert [one.id for one in listener.heard] == [48]
    assert not listener.foreign


@pytest.mark.conformance("EASEE_A9")
async def test_commands_of_others_are_told_once_each(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.rogue(CHARGER, dynamicChargerCurrent=8.0)
    cloud.commands.next(Behaviour(duplicate=True))
    cloud.rogue(CHARGER, enabled=False)
    cloud.rogue_response(EQUALIZER, 15)
    await listener.time.pass_time(1)
    told = [(one.serial, one.id) for one in listener.foreign]
    assert sorted(told) == [
        (CHARGER, CommandId.SET_ENABLED),
        (CHARGER, CommandId.SET_DYNAMIC_CHARGER_CURRENT),
        (EQUALIZER, 15),
    ]


async def test_a_command_of_others_is_not_taken_for_ours_meanwhile(
    listener: Listener, cloud: EaseeCloud, charger: Charger
) -> None:
    cloud.commands.next(Behaviour(delay=1.5, reject=4))
    task = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
    await listener.time.pass_time(0.5)
    cloud.rogue_response(CHARGER, 48)
    await listener.time.pass_time(0.5)
    assert not task.done()
    await listener.time.pass_time(3)
    assert task.result().status is OutcomeStatus.REJECTED
    assert [one.id for one in listener.foreign] == [48]


async def test_what_was_told_to_be_others_stays_theirs(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.rogue_response(CHARGER, 48)
    await listener.time.pass_time(1)
    cloud.commands.next(Behaviour(delay=15))
    task = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
    await listener.time.pass_time(1)
    listener.commands.responded(listener.heard[0])
    await listener.time.pass_time(5)
    assert not task.done()
    await listener.time.pass_time(10)
    assert task.result() == DONE
    assert listener.foreign == listener.heard[:1]


async def test_what_was_taken_for_ours_is_given_back_when_ours_comes(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(delay=10))
    task = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
    await listener.time.pass_time(0.5)
    cloud.rogue_response(CHARGER, 48)
    await listener.time.pass_time(5)
    assert task.done()
    assert not listener.foreign
    await listener.time.pass_time(10)
    assert len(listener.heard) == 2
    assert listener.foreign == listener.heard[:1]


async def test_a_product_is_the_same_however_it_is_spelled(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(silent=True))
    task = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
    await listener.time.pass_time(1)
    ((_, number, ticks),) = cloud.commands.sent
    response = {"serialNumber": CHARGER.lower(), "id": number, "ticks": ticks}
    response |= {"wasAccepted": True, "resultCode": 3}
    cloud.hub.tell(CHARGER, "CommandResponse", response)
    await cloud.until(task.done)
    assert task.result() == DONE
    assert not listener.foreign


@pytest.mark.parametrize(
    ("gap", "ours"),
    [({"ticks": None}, True), ({"id": None}, True), ({"id": None, "ticks": 5}, False)],
)
async def test_a_response_may_not_say_what_it_is_of(
    listener: Listener, cloud: EaseeCloud, gap: dict[str, Any], ours: bool
) -> None:
    cloud.commands.next(Behaviour(never=True))
    task = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
    await listener.time.pass_time(1)
    ((_, number, ticks),) = cloud.commands.sent
    response = {"serialNumber": CHARGER, "id": number, "ticks": ticks}
    response |= {"wasAccepted": True, "resultCode": 3}
    cloud.hub.tell(CHARGER, "CommandResponse", response | gap)
    await listener.time.pass_time(2)
    assert task.done() is ours
    assert len(listener.foreign) == (not ours)
    await listener.time.pass_time(20)


async def test_nothing_waits_after_the_end(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(wrong_ticks=True))
    task = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
    await listener.time.pass_time(1)
    task.cancel()
    listener.commands.stop()
    await listener.time.pass_time(5)
    assert len(listener.heard) == 1
    assert not listener.foreign


async def test_who_does_not_want_to_hears_of_others_no_longer(
    listener: Listener, cloud: EaseeCloud
) -> None:
    told: list[CommandResponse] = []
    forget = listener.commands.on_foreign(told.append)
    cloud.rogue_response(CHARGER)
    await listener.time.pass_time(1)
    forget()
    cloud.rogue_response(CHARGER)
    await listener.time.pass_time(1)
    assert (len(told), len(listener.foreign)) == (1, 2)


async def test_what_is_sent_past_us_can_be_expected(
    listener: Listener, cloud: EaseeCloud
) -> None:
    listener.commands.expect(CHARGER, 60)
    cloud.rogue_response(CHARGER, 60)
    await listener.time.pass_time(1)
    assert not listener.foreign
    cloud.rogue_response(CHARGER, 60)
    await listener.time.pass_time(1)
    assert [one.id for one in listener.foreign] == [60]


async def test_what_is_sent_past_us_may_be_responded_to_first(
    listener: Listener, cloud: EaseeCloud
) -> None:
    with listener.commands.sending(CHARGER.lower()):
        cloud.rogue_response(CHARGER, 60)
        cloud.rogue_response(CHARGER, 61)
        await listener.time.pass_time(10)
        assert not listener.foreign
        listener.commands.expect(CHARGER, 60)
    assert [one.id for one in listener.foreign] == [61]
