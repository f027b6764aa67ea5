"""Commands: what the answers to them mean, whatever they are (easee_cloud.md 1.3)."""

import asyncio

import pytest

from .listener import DONE, LIMIT, TEN, Listener
from custom_components.ev_charger_hub.easee.errors import RateLimited, Unavailable
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from simulators.easee_cloud import Behaviour, Charger, EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.seed import CHARGER, EQUALIZER


@pytest.mark.conformance("EASEE_A7")
@pytest.mark.parametrize("admits", [False, True])
async def test_what_changes_nothing_is_over_at_once(
    listener: Listener, cloud: EaseeCloud, time: SimulatedTime, admits: bool
) -> None:
    cloud.commands.admits_no_op = admits
    begun = time()
    task = asyncio.create_task(listener.commands.settings(CHARGER, {"phaseMode": 2}))
    await cloud.until(task.done)
    assert task.result() == Outcome(status=OutcomeStatus.CONFIRMED, answer="no change")
    assert time() == begun


async def test_a_circuit_answers_without_ticks_and_is_responded_to_all_the_same(
    listener: Listener, charger: Charger
) -> None:
    values = {"dynamicCircuitCurrentP1": 10, "offlineMaxCircuitCurrentP2": 8}
    outcome = await listener.outcome(
        listener.commands.circuit_settings(1, charger.circuit.id, CHARGER, values)
    )
    assert outcome == DONE
    assert {one.id for one in listener.heard} == {22, 21}
    assert charger.circuit.dynamic[0] == 10
    assert not listener.foreign


async def test_a_circuit_that_nothing_is_heard_of_was_accepted(
    listener: Listener, charger: Charger, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(delay=12))
    outcome, seconds = await listener.timed(
        listener.commands.circuit_settings(
            1, charger.circuit.id, CHARGER, {"dynamicCircuitCurrentP1": 10}
        )
    )
    assert outcome == Outcome(status=OutcomeStatus.ACCEPTED, answer="accepted")
    assert seconds < 6
    await listener.time.pass_time(10)
    assert [one.id for one in listener.heard] == [22]
    assert not listener.foreign


async def test_without_a_stream_a_circuit_is_not_waited_for(
    listener: Listener, charger: Charger, cloud: EaseeCloud
) -> None:
    await listener.stream.stop()
    task = asyncio.create_task(
        listener.commands.circuit_settings(
            1, charger.circuit.id, CHARGER, {"maxCircuitCurrentP1": 10}
        )
    )
    await cloud.until(task.done)
    assert task.result().status is OutcomeStatus.ACCEPTED


async def test_any_request_may_be_a_command(
    listener: Listener, charger: Charger
) -> None:
    send = listener.commands.send
    path = f"/api/sites/1/circuits/{charger.circuit.id}/dynamicCurrent"
    body = {"phase1": 9, "phase2": 9, "phase3": 9, "timeToLive": 0}
    assert await listener.outcome(send(CHARGER, "POST", path, body)) == DONE
    assert charger.circuit.dynamic == [9, 9, 9]
    path = f"/api/equalizers/{EQUALIZER}/commands/configure_max_allocated_current"
    body = {"maxCurrent": 20}
    assert await listener.outcome(send(EQUALIZER, "POST", path, body)) == DONE
    path = f"/api/chargers/{CHARGER}/access"
    outcome = await listener.outcome(send(CHARGER, "PUT", path, 2))
    assert (outcome.status, outcome.answer) == (OutcomeStatus.CONFIRMED, "done")
    assert charger.access == 2


async def test_a_command_that_is_not_allowed_is_refused_with_the_reason(
    listener: Listener, charger: Charger, cloud: EaseeCloud
) -> None:
    outcome = await listener.outcome(
        listener.commands.command(CHARGER, "pause_charging")
    )
    assert outcome == Outcome(
        status=OutcomeStatus.REJECTED,
        answer="Command is not allowed in this state",
    )
    outcome = await listener.outcome(listener.commands.command(CHARGER, "fly"))
    assert outcome.status is OutcomeStatus.NOT_SUPPORTED
    cloud.faults.add(Fault(pattern="/commands/", status=403, body={}))
    outcome = await listener.outcome(listener.commands.command(CHARGER, "reboot"))
    assert (outcome.status, outcome.answer) == (OutcomeStatus.REJECTED, "forbidden")


@pytest.mark.parametrize(
    ("body", "status", "answer"),
    [
        ({"wasAccepted": False}, OutcomeStatus.REJECTED, "rejected"),
        ({"wasAccepted": True}, OutcomeStatus.ACCEPTED, "accepted"),
        (
            {"wasAccepted": True, "resultCode": 3},
            OutcomeStatus.CONFIRMED,
            "executed",
        ),
        ({"wasAccepted": False, "resultCode": 1}, OutcomeStatus.ACCEPTED, "sent"),
        (
            {"device": CHARGER, "commandId": 48, "ticks": 7, "wasAccepted": False},
            OutcomeStatus.REJECTED,
            "rejected",
        ),
    ],
)
async def test_the_answer_may_be_the_outcome(
    listener: Listener,
    cloud: EaseeCloud,
    body: object,
    status: OutcomeStatus,
    answer: str,
) -> None:
    cloud.faults.add(Fault(pattern="/commands/", status=200, body=body))
    task = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
    await cloud.until(task.done)
    assert (task.result().status, task.result().answer) == (status, answer)


async def test_an_answer_that_says_nothing_leaves_it_to_the_stream(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.faults.add(Fault(pattern="/commands/", status=200, body="null", after=True))
    outcome = await listener.outcome(listener.commands.command(CHARGER, LIMIT, TEN))
    assert outcome == DONE
    cloud.faults.add(Fault(pattern="/commands/", status=200, body="null"))
    outcome, seconds = await listener.timed(
        listener.commands.command(CHARGER, LIMIT, TEN)
    )
    assert outcome.status is OutcomeStatus.ACCEPTED
    assert seconds < 6
    assert not listener.foreign


async def test_a_lost_answer_is_made_up_for_by_the_response(
    listener: Listener, cloud: EaseeCloud, charger: Charger
) -> None:
    cloud.faults.add(Fault(pattern="/commands/", cut=True, after=True))
    outcome = await listener.outcome(listener.commands.command(CHARGER, LIMIT, TEN))
    assert outcome == DONE
    cloud.faults.add(Fault(pattern="/settings", status=502, after=True))
    body = {"enabled": False, "ledStripBrightness": 7}
    assert await listener.outcome(listener.commands.settings(CHARGER, body)) == DONE
    assert not listener.foreign
    posts = cloud.journal.find("POST", "/(commands|settings)")
    assert len(posts) == 2


async def test_what_nobody_knows_is_raised(
    listener: Listener, cloud: EaseeCloud, charger: Charger
) -> None:
    cloud.faults.add(Fault(pattern="/commands/", status=503))
    with pytest.raises(Unavailable):
        await listener.outcome(listener.commands.command(CHARGER, LIMIT, TEN))
    assert len(cloud.journal.find("POST", "/commands/")) == 1
    assert charger[48] == 32


async def test_what_may_not_be_sent_is_raised_at_once(
    listener: Listener, cloud: EaseeCloud, time: SimulatedTime
) -> None:
    cloud.faults.add(Fault(status=429, headers={"Retry-After": "120"}))
    for _ in range(2):
        begun = time()
        task = asyncio.create_task(listener.commands.command(CHARGER, LIMIT, TEN))
        await cloud.until(task.done)
        assert isinstance(task.exception(), RateLimited)
        assert time() == begun
    assert len(cloud.journal.find("POST", "/commands/")) == 1


@pytest.mark.parametrize(
    ("ticks", "status"),
    [("638575365195311640", OutcomeStatus.TIMED_OUT), ("soon", OutcomeStatus.ACCEPTED)],
)
async def test_ticks_may_be_anything(
    listener: Listener, cloud: EaseeCloud, ticks: str, status: OutcomeStatus
) -> None:
    body = {"device": CHARGER, "commandId": 48, "ticks": ticks}
    cloud.faults.add(Fault(pattern="/commands/set", status=202, body=body))
    outcome = await listener.outcome(listener.commands.command(CHARGER, LIMIT, TEN))
    assert outcome.status is status
    polls = cloud.journal.find("GET", "/api/commands/.*/638575365195311640$")
    assert len(polls) == (status is OutcomeStatus.TIMED_OUT)


async def test_an_outcome_that_is_none_is_not_taken_for_one(
    listener: Listener, cloud: EaseeCloud
) -> None:
    cloud.commands.next(Behaviour(silent=True))
    cloud.faults.add(
        Fault(method="GET", pattern="/api/commands/", status=200, body="x")
    )
    outcome = await listener.outcome(listener.commands.command(CHARGER, LIMIT, TEN))
    assert outcome.status is OutcomeStatus.TIMED_OUT
