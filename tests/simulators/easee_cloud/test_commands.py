"""F3 and F4: asynchronous commands, their outcomes, and those of others."""

import asyncio

import pytest

from .plain import PlainClient
from simulators.easee_cloud import (
    Behaviour,
    Charger,
    EaseeCloud,
    Fault,
    SimulatedTime,
    Vehicle,
)
from simulators.easee_cloud.clock import EPOCH_OF_TICKS

COMMANDS = "/api/chargers/EH123456/commands"
SETTINGS = "/api/chargers/EH123456/settings"
LIMIT = {"amps": 10, "minutes": 0}


async def test_a_command_is_answered_then_told_then_seen(
    client: PlainClient, time: SimulatedTime
) -> None:
    await client.listen()
    status, answer, _ = await client.ask(
        "POST", f"{COMMANDS}/set_dynamic_charger_current", LIMIT
    )
    assert (status, answer["device"], answer["commandId"]) == (202, "EH123456", 48)
    expected = (time() - EPOCH_OF_TICKS).total_seconds() * 10_000_000
    assert abs(answer["ticks"] - expected) < 100_000
    assert client.records == []
    time.advance(0.3)
    await client.saw(48, "10")
    (response,) = client.of_target("CommandResponse")
    assert response["ticks"] == answer["ticks"]
    assert response["id"] == 48
    assert (response["wasAccepted"], response["resultCode"]) == (True, 3)
    targets = [record["target"] for record in client.of_type(1)]
    assert targets[:2] == ["CommandResponse", "ProductUpdate"]


async def test_settings_become_a_command_each(
    client: PlainClient, time: SimulatedTime, charger: Charger
) -> None:
    await client.listen()
    body = {"enabled": False, "ledStripBrightness": 20, "smartCharging": False}
    status, answer, _ = await client.ask("POST", SETTINGS, body)
    assert (status, [one["commandId"] for one in answer]) == (202, [29, 40])
    assert len({one["ticks"] for one in answer}) == 2
    time.advance(1)
    assert (charger[31], charger[40]) == (False, 20)


async def test_settings_that_change_nothing_send_nothing(client: PlainClient) -> None:
    await client.listen()
    assert (await client.ask("POST", SETTINGS, {"phaseMode": 2}))[:2] == (202, [])


async def test_nothing_to_do_can_be_answered_with_ticks_0(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.login()
    cloud.commands.admits_no_op = True
    _, answer, _ = await client.ask("POST", SETTINGS, {"phaseMode": 2})
    assert [one["ticks"] for one in answer] == [0]


async def test_a_command_can_be_refused_with_a_success(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.login()
    body = {"wasAccepted": False}
    cloud.faults.add(Fault(pattern="/commands/", status=200, body=body))
    answer = await client.post(f"{COMMANDS}/set_dynamic_charger_current", LIMIT)
    assert answer == {"wasAccepted": False}


@pytest.mark.parametrize(
    "body", [{"nonsense": 1}, {"enabled": "yes"}, {"maxChargerCurrent": True}, [1]]
)
async def test_settings_that_are_none_are_invalid(
    client: PlainClient, body: object
) -> None:
    await client.login()
    status, answer, _ = await client.ask("POST", SETTINGS, body)
    assert status == 400
    assert answer["title"] == "One or more validation errors occurred."
    assert len(answer["errors"]) == 1


async def test_a_limit_above_the_maximum_is_clamped(
    client: PlainClient, time: SimulatedTime, charger: Charger
) -> None:
    await client.login()
    await client.post(SETTINGS, {"maxChargerCurrent": 16})
    time.advance(1)
    await client.post(SETTINGS, {"dynamicChargerCurrent": 25.0})
    time.advance(1)
    assert charger[48] == 16


async def test_a_rejected_command_has_no_effect(
    cloud: EaseeCloud, client: PlainClient, time: SimulatedTime, charger: Charger
) -> None:
    await client.listen()
    cloud.commands.next(Behaviour(reject=4, comment="not now"))
    await client.post(f"{COMMANDS}/set_dynamic_charger_current", LIMIT)
    time.advance(1)
    await client.until(lambda: bool(client.of_target("CommandResponse")))
    (response,) = client.of_target("CommandResponse")
    assert (response["wasAccepted"], response["resultCode"]) == (False, 4)
    assert response["comment"] == "not now"
    assert charger[48] == 32


async def test_an_outcome_can_come_before_the_answer(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.listen()
    cloud.commands.next(Behaviour(response_before_http=True))
    asking = asyncio.create_task(
        client.post(f"{COMMANDS}/set_dynamic_charger_current", LIMIT)
    )
    await client.until(lambda: bool(client.of_target("CommandResponse")))
    assert not asking.done()
    assert (await asking)["ticks"] == client.of_target("CommandResponse")[0]["ticks"]


async def test_outcomes_that_are_doubled_or_wrongly_labelled(
    cloud: EaseeCloud, client: PlainClient, time: SimulatedTime
) -> None:
    await client.listen()
    cloud.commands.next(Behaviour(duplicate=True), Behaviour(wrong_ticks=True))
    first = await client.post(f"{COMMANDS}/set_dynamic_charger_current", LIMIT)
    second = await client.post(f"{COMMANDS}/poll_chargeropmode")
    time.advance(1)
    await client.until(lambda: len(client.of_target("CommandResponse")) == 3)
    ticks = [one["ticks"] for one in client.of_target("CommandResponse")]
    assert ticks[:2] == [first["ticks"]] * 2
    assert ticks[2] != second["ticks"]


@pytest.mark.parametrize(
    ("behaviour", "found"),
    [
        (Behaviour(polls=2), [404, 404, 200]),
        (Behaviour(silent=True), [200]),
        (Behaviour(never=True), [404, 404]),
    ],
)
async def test_an_outcome_can_be_asked_for(
    cloud: EaseeCloud,
    client: PlainClient,
    time: SimulatedTime,
    behaviour: Behaviour,
    found: list[int],
) -> None:
    await client.login()
    cloud.commands.next(behaviour)
    sent = await client.post(f"{COMMANDS}/set_dynamic_charger_current", LIMIT)
    path = f"/api/commands/{sent['device']}/{sent['commandId']}/{sent['ticks']}"
    assert (await client.ask("GET", path))[0] == 404
    time.advance(1)
    answers = [await client.ask("GET", path) for _ in found]
    assert [status for status, _, _ in answers] == found
    if found[-1] == 200:
        assert answers[-1][1]["resultCode"] == 3
        assert answers[-1][1]["wasAccepted"] is True


async def test_a_command_for_a_charger_that_is_gone_expires(
    client: PlainClient, time: SimulatedTime, charger: Charger
) -> None:
    await client.login()
    charger.go_offline()
    sent = await client.post(f"{COMMANDS}/set_dynamic_charger_current", LIMIT)
    path = f"/api/commands/{sent['device']}/{sent['commandId']}/{sent['ticks']}"
    time.advance(119)
    assert (await client.ask("GET", path))[0] == 404
    time.advance(1)
    assert (await client.get(path))["resultCode"] == 2
    assert charger[48] == 32


async def test_others_command_too(
    cloud: EaseeCloud, client: PlainClient, time: SimulatedTime
) -> None:
    await client.listen()
    cloud.rogue("EH123456", dynamicChargerCurrent=8.0)
    cloud.rogue_response("EH123456", 29)
    time.advance(1)
    await client.saw(48, "8")
    assert {one["id"] for one in client.of_target("CommandResponse")} == {29, 48}


@pytest.mark.parametrize(
    "name", ["start_charging", "pause_charging", "resume_charging"]
)
async def test_without_a_car_there_is_nothing_to_start(
    client: PlainClient, name: str
) -> None:
    await client.login()
    status, body, _ = await client.ask("POST", f"{COMMANDS}/{name}")
    assert (status, "title" in body) == (400, True)


async def test_a_disabled_charger_rejects_to_resume(
    client: PlainClient, time: SimulatedTime, charger: Charger
) -> None:
    charger.plug_in(Vehicle())
    await client.listen()
    await client.post(SETTINGS, {"enabled": False})
    time.advance(1)
    await client.post(f"{COMMANDS}/resume_charging")
    time.advance(1)
    await client.until(lambda: len(client.of_target("CommandResponse")) == 2)
    assert client.of_target("CommandResponse")[1]["resultCode"] == 4


async def test_an_unknown_command_is_not_found(client: PlainClient) -> None:
    await client.login()
    assert (await client.ask("POST", f"{COMMANDS}/dance"))[0] == 404


async def test_circuit_settings_answer_200_and_tell_an_outcome(
    cloud: EaseeCloud, client: PlainClient, time: SimulatedTime
) -> None:
    await client.listen()
    path = "/api/sites/1/circuits/11/settings"
    status, body, _ = await client.ask(
        "POST", path, {"dynamicCircuitCurrentP1": 16.9, "maxCircuitCurrentP2": 20}
    )
    assert (status, body) == (200, None)
    time.advance(1)
    await client.until(lambda: len(client.of_target("CommandResponse")) == 2)
    assert [one["id"] for one in client.of_target("CommandResponse")] == [22, 24]
    settings = await client.get(path)
    assert [settings[f"dynamicCircuitCurrentP{n}"] for n in (1, 2, 3)] == [16, 80, 80]
    assert settings["maxCircuitCurrentP2"] == 20
    assert settings["masterChargerId"] == "EH123456"
