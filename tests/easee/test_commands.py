"""Commands: what becomes of them, whatever the cloud does (easee_cloud.md 1.4)."""

import asyncio
import logging

import pytest

from .listener import DONE, LIMIT, TEN, Listener
from custom_components.ev_charger_hub.easee.commands import Refusal
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from simulators.easee_cloud import Behaviour, Charger, EaseeCloud, Vehicle
from simulators.easee_cloud.seed import CHARGER, SECOND


async def test_a_command_is_over_when_the_charger_has_done_it(
    listener: Listener, charger: Charger
) -> None:
    outcome, seconds = await listener.timed(
        listener.commands.command(CHARGER, LIMIT, TEN)
    )
    assert outcome == DONE
    assert charger[48] == 10
    assert 0.25 <= seconds <= 0.5
    assert listener.asked() == 0
    assert not listener.foreign


async def test_who_wants_to_hears_of_each_refused_command(
    listener: Listener, cloud: EaseeCloud
) -> None:
    refused: list[Refusal] = []
    unsubscribe = listener.commands.on_refused(refused.append)
    await listener.timed(listener.commands.command(CHARGER, LIMIT, TEN))
    cloud.commands.next(Behaviour(reject=4), Behaviour(reject=4))
    await listener.timed(listener.commands.command(CHARGER, LIMIT, {"amps": 9}))
    await listener.timed(listener.commands.settings(CHARGER, {"smartCharging": True}))
    assert [(one.serial, one.what) for one in refused] == [
        (CHARGER, LIMIT),
        (CHARGER, "smartCharging"),
    ]
    unsubscribe()
    cloud.commands.next(Behaviour(reject=4))
    await listener.timed(listener.commands.command(CHARGER, LIMIT, TEN))
    assert len(refused) == 2


async def test_what_is_refused_again_is_told_once_for_each_reason(
    listener: Listener, cloud: EaseeCloud
) -> None:
    refused: list[Refusal] = []
    listener.commands.on_refused(refused.append)
    said = ("no", "no", "never", "never", None, "never", "never")
    for comment in said:
        if comment is not None:
            cloud.commands.next(Behaviour(reject=4, comment=comment))
        await listener.timed(listener.commands.command(CHARGER, LIMIT, TEN))
    assert [one.outcome.detail for one in refused] == ["no", "never", "never"]


@pytest.mark.conformance("EASEE_A4")
async def test_a_command_that_is_refused_afterwards_says_why(
    listener: Listener, cloud: EaseeCloud, charger: Charger
) -> None:
    cloud.commands.next(Behaviour(reject=4, comment="not now"), Behaviour(reject=7))
    command = listener.commands.command
    assert await listener.outcome(command(CHARGER, LIMIT, TEN)) == Outcome(
        status=OutcomeStatus.REJECTED,
        answer="rejected",
        detail="not now",
        response={"result": 4, "comment": "not now"},
    )
    other = await listener.outcome(command(CHARGER, LIMIT, TEN))
    assert (other.status, other.detail) == (
        OutcomeStatus.REJECTED,
        "(result code 7)",
    )
    assert charger[48] == 32


@pytest.mark.conformance("EASEE_A5")
async def test_a_response_that_comes_before_the_answer_is_matched(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(response_before_http=True))
    task = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
    await cloud.until(lambda: bool(listener.heard))
    assert not task.done()
    await cloud.until(task.done)
    assert task.result() == DONE
    assert not listener.foreign


@pytest.mark.conformance("EASEE_A6")
async def test_a_response_with_other_ticks_is_matched_by_its_id(
    listener: Listener,
    cloud: EaseeCloud,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    cloud.commands.next(Behaviour(wrong_ticks=True, duplicate=True))
    outcome, seconds = await listener.timed(
        listener.commands.command(CHARGER, LIMIT, TEN)
    )
    assert outcome == DONE
    assert seconds < 3
    assert listener.asked() == 0
    assert "***3456: response to command 48 with other ticks" in caplog.text
    await listener.time.pass_time(30)
    assert len(listener.heard) == 2
    assert not listener.foreign


@pytest.mark.conformance("EASEE_A8")
async def test_while_the_stream_is_down_the_outcome_is_asked_for(
    listener: Listener, cloud: EaseeCloud, charger: Charger
) -> None:
    await listener.stream.stop()
    cloud.commands.next(Behaviour(polls=2))
    outcome, seconds = await listener.timed(
        listener.commands.command(CHARGER, LIMIT, TEN)
    )
    assert outcome == DONE
    assert seconds < 3
    answers = cloud.journal.find("GET", "^/api/commands/")
    assert [one.status for one in answers] == [404, 404, 200]
    assert charger[48] == 10


async def test_a_refusal_is_asked_for_as_well(
    listener: Listener, cloud: EaseeCloud
) -> None:
    await listener.stream.stop()
    cloud.commands.next(Behaviour(reject=4))
    outcome = await listener.outcome(listener.commands.command(CHARGER, LIMIT, TEN))
    assert (outcome.status, outcome.answer) == (OutcomeStatus.REJECTED, "rejected")


async def test_a_stream_that_goes_down_meanwhile_costs_no_outcome(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(delay=1.8))
    task = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
    await listener.time.pass_time(1)
    await listener.stream.stop()
    await listener.time.pass_time(1.5)
    assert task.done()
    assert task.result() == DONE


async def test_the_last_look_is_at_the_truth(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(silent=True))
    outcome, seconds = await listener.timed(
        listener.commands.command(CHARGER, LIMIT, TEN)
    )
    assert outcome == DONE
    assert 19.9 <= seconds <= 20.5
    assert listener.asked() == 1


async def test_nothing_heard_is_no_failure_but_unknown(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(never=True))
    outcome, seconds = await listener.timed(
        listener.commands.command(CHARGER, LIMIT, TEN)
    )
    assert outcome == Outcome(status=OutcomeStatus.TIMED_OUT)
    assert 19.9 <= seconds <= 20.5


async def test_a_command_that_expires_in_time_is_told_so(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(reject=2))
    outcome = await listener.outcome(listener.commands.command(CHARGER, LIMIT, TEN))
    assert (outcome.status, outcome.answer) == (OutcomeStatus.REJECTED, "expired")


async def test_settings_are_done_when_all_are(
    listener: Listener, cloud: EaseeCloud, charger: Charger
) -> None:
    cloud.commands.next(Behaviour(), Behaviour(delay=3))
    body = {"enabled": False, "ledStripBrightness": 20, "phaseMode": 2}
    outcome, seconds = await listener.timed(listener.commands.settings(CHARGER, body))
    assert outcome == DONE
    assert 3 <= seconds < 3.5
    assert (charger[31], charger[40]) == (False, 20)


async def test_one_setting_that_is_refused_is_what_the_user_hears_of(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(
        Behaviour(delay=2), Behaviour(reject=4, comment="too bright"), Behaviour()
    )
    body = {"enabled": False, "ledStripBrightness": 20, "smartButtonEnabled": False}
    outcome = await listener.outcome(listener.commands.settings(CHARGER, body))
    assert (outcome.status, outcome.detail) == (OutcomeStatus.REJECTED, "too bright")


async def test_one_setting_that_is_unknown_makes_all_unknown(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(), Behaviour(never=True))
    body = {"enabled": False, "ledStripBrightness": 20}
    outcome = await listener.outcome(listener.commands.settings(CHARGER, body))
    assert outcome.status is OutcomeStatus.TIMED_OUT


async def test_commands_for_a_charger_come_one_at_a_time(
    listener: Listener, cloud: EaseeCloud, charger: Charger
) -> None:
    charger.plug_in(Vehicle())
    cloud.commands.next(Behaviour(delay=5), Behaviour(delay=5))
    tasks = [
        asyncio.create_task(listener.commands.command(serial, name))
        for serial, name in [
            (CHARGER, "pause_charging"),
            (CHARGER, "resume_charging"),
            (SECOND, "reboot"),
        ]
    ]
    await listener.time.pass_time(1)
    sent = [one.path.split("/")[-1] for one in cloud.journal.find("POST", "/commands/")]
    assert sorted(sent) == ["pause_charging", "reboot"]
    await listener.time.pass_time(6)
    assert [task.result().status for task in tasks] == [OutcomeStatus.CONFIRMED] * 3
    assert charger[48] == 32
