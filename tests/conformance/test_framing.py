"""Frames that are odd, broken, late, repeated or too many: OCPP-J itself."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
import json
from typing import Any
from uuid import UUID

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.dt import utcnow

from ..ha.charger import ACCEPTED, PATIENCE, Charger, Refusal, Silence
from ..ha.conftest import IDENTITY, ChargerFactory
from ..ha.entities import act, flush, state
from .answers import sessions
from .wire import Wire, dialled
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.calls import MAX_WAITING
from custom_components.ev_charger_hub.ocpp.v16.link import V16Link
from custom_components.ev_charger_hub.station.journal import Journal

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}
START = {
    "connectorId": 1,
    "idTag": "TAG12345",
    "meterStart": 0,
    "timestamp": "2026-11-20T10:00:00Z",
}


def clear_cache(hass: HomeAssistant) -> asyncio.Task[dict[str, Any]]:
    """Have the charger asked to forget its cards; return what comes of it."""
    return asyncio.create_task(act(hass, "clear_cache"))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Return what has to be set before the journal writes a session."""
    gate = asyncio.Event()
    insert: Callable[..., Awaitable[Any]] = Journal.insert

    async def later(*args: Any, **kwargs: Any) -> Any:
        await gate.wait()
        return await insert(*args, **kwargs)

    monkeypatch.setattr(Journal, "insert", later)
    return gate


@pytest.mark.conformance("RPC_01")
async def test_one_call_at_a_time_and_calls_may_cross(
    hass: HomeAssistant, wire: Wire
) -> None:
    first, second = clear_cache(hass), clear_cache(hass)
    asked = await wire.receive()
    assert asked[2] == "ClearCache"
    # A second one would come before the answer to this.
    await wire.next_is_the_answer_to_a_heartbeat()
    again = await wire.ask([3, asked[1], ACCEPTED])
    assert again[2] == "ClearCache"
    assert again[1] != asked[1]
    await wire.send([3, again[1], ACCEPTED])
    assert {one["answer"] for one in await asyncio.gather(first, second)} == {
        "Accepted"
    }


@pytest.mark.conformance("RPC_01")
async def test_only_so_many_calls_wait_for_their_turn(
    hass: HomeAssistant, wire: Wire
) -> None:
    tasks = [clear_cache(hass) for _ in range(MAX_WAITING + 1)]
    asked = await wire.receive()
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "reset")
    assert caught.value.translation_key == "not_connected"
    assert not any(task.done() for task in tasks)
    for _ in tasks[:-1]:
        asked = await wire.ask([3, asked[1], ACCEPTED])
        assert asked[2] == "ClearCache"
    await wire.send([3, asked[1], ACCEPTED])
    await asyncio.gather(*tasks)
    await wire.next_is_the_answer_to_a_heartbeat()


@pytest.mark.conformance("RPC_02")
async def test_ids_of_the_server_are_never_used_twice(
    hass: HomeAssistant, hub: OcppHub, wire: Wire
) -> None:
    ids: list[str] = []

    async def ask(socket: Wire) -> None:
        for _ in range(10):
            task = clear_cache(hass)
            frame = await socket.receive()
            ids.append(frame[1])
            await socket.send([3, frame[1], ACCEPTED])
            await task

    await ask(wire)
    async with dialled(hub.port) as newer:
        await newer.next_is_the_answer_to_a_heartbeat()
        await ask(newer)
    assert len(set(ids)) == 20
    assert {UUID(one).version for one in ids} == {4}
    assert {len(one) for one in ids} == {36}


@pytest.mark.conformance("RPC_03")
async def test_a_repeated_message_gets_its_answer_again_on_any_socket(
    hass: HomeAssistant, hub: OcppHub, wire: Wire
) -> None:
    first = await wire.call("StartTransaction", START, "once")
    assert first[0] == 3
    assert await wire.call("StartTransaction", START, "once") == first
    async with dialled(hub.port) as newer:
        assert await newer.call("StartTransaction", START, "once") == first
    assert len(await sessions(hass)) == 1


@pytest.mark.conformance("RPC_03")
async def test_a_message_that_is_repeated_while_it_runs_is_answered_once(
    hass: HomeAssistant, wire: Wire, gate: asyncio.Event
) -> None:
    for _ in range(3):
        await wire.send([2, "once", "StartTransaction", START])
    await wire.send([2, "after", "Heartbeat", {}])
    gate.set()
    assert [(await wire.receive())[1] for _ in range(2)] == ["once", "after"]
    assert len(await sessions(hass)) == 1


@pytest.mark.conformance("RPC_05")
@pytest.mark.parametrize("kind", [3, 4])
async def test_a_late_answer_is_dropped(
    hass: HomeAssistant, wire: Wire, monkeypatch: pytest.MonkeyPatch, kind: int
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(V16Link.send, "__defaults__", (0.0,))
        with pytest.raises(HomeAssistantError) as caught:
            await act(hass, "reset")
    assert caught.value.translation_key == "timed_out"
    late = await wire.receive()
    task = clear_cache(hass)
    asked = await wire.receive()
    body = [ACCEPTED] if kind == 3 else ["GenericError", "", {}]
    for message_id in (late[1], "never-asked"):
        await wire.send([kind, message_id, *body])
    await wire.next_is_the_answer_to_a_heartbeat()
    assert not task.done()
    await wire.send([3, asked[1], {"status": "Rejected"}])
    with pytest.raises(HomeAssistantError, match="Rejected"):
        await task


UNREADABLE: dict[str, list[Any]] = {
    "RPC_06": ["", "nonsense", '[2,"1","Heartbeat",{}', "[NaN]", "[" * 5000],
    "RPC_07": ["{}", "42", [], [2], [3], [4], [9, "x"], "null", '"text"', [True]],
    "RPC_08": [
        [2, one, "Heartbeat", {}]
        for one in (None, 5, "", "x" * 37, ["1"], {"a": 1}, True)
    ],
}


@pytest.mark.parametrize(
    "frame",
    [
        *(
            pytest.param(one, marks=pytest.mark.conformance("RPC_06"))
            for one in UNREADABLE["RPC_06"]
        ),
        *(
            pytest.param(one, marks=pytest.mark.conformance("RPC_07"))
            for one in UNREADABLE["RPC_07"]
        ),
        *(
            pytest.param(one, marks=pytest.mark.conformance("RPC_08"))
            for one in UNREADABLE["RPC_08"]
        ),
    ],
    ids=lambda frame: str(frame)[:30],
)
async def test_what_cannot_be_answered_is_ignored(wire: Wire, frame: Any) -> None:
    await wire.send(frame)
    await wire.next_is_the_answer_to_a_heartbeat()


@pytest.mark.conformance("RPC_09")
@pytest.mark.parametrize("action", ["CustomOperation", "", None, 5, ["x"], {"a": 1}])
async def test_an_unknown_action_is_not_implemented(wire: Wire, action: Any) -> None:
    frame = await wire.ask([2, "1", action, {}])
    assert frame[:3] == [4, "1", "NotImplemented"]
    await wire.next_is_the_answer_to_a_heartbeat()


@pytest.mark.conformance("RPC_10")
@pytest.mark.parametrize("action", ["Reset", "RemoteStartTransaction", "GetLog"])
async def test_an_action_of_the_server_is_not_supported(
    wire: Wire, action: str
) -> None:
    frame = await wire.ask([2, "1", action, {}])
    assert frame[:3] == [4, "1", "NotSupported"]


@pytest.mark.conformance("RPC_11")
@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ("text", "FormationViolation"),
        ({}, "OccurenceConstraintViolation"),
        (STATUS | {"connectorId": "one"}, "TypeConstraintViolation"),
        (STATUS | {"connectorId": 2**70}, "PropertyConstraintViolation"),
    ],
)
async def test_a_broken_schema_has_the_code_of_1_6(
    hass: HomeAssistant, wire: Wire, payload: Any, code: str
) -> None:
    frame = await wire.call("StatusNotification", payload)
    assert frame[0] == 4
    assert frame[2] == code
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "available"


@pytest.mark.conformance("RPC_13")
@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("FormationViolation", "rejected"),
        ("FormatViolation", "rejected"),
        ("OccurenceConstraintViolation", "rejected"),
        ("OccurrenceConstraintViolation", "rejected"),
        ("NotSupported", "not_supported_by_charger"),
        ("NotImplemented", "not_supported_by_charger"),
        ("SomethingOfTheVendor", "rejected"),
        ("", "rejected"),
    ],
)
async def test_every_error_code_of_a_charger_is_understood(
    hass: HomeAssistant, quiet_charger: Charger, code: str, key: str
) -> None:
    quiet_charger.answers["ClearCache"] = Refusal(code=code)
    with pytest.raises(HomeAssistantError, match=code or None) as caught:
        await act(hass, "clear_cache")
    assert caught.value.translation_key == key


@pytest.mark.conformance("RPC_14")
@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("Authorize", {"SECRET" * 100: 1}),
        ("StartTransaction", START | {"meterStart": "SECRET" * 100}),
        ("StatusNotification", "SECRET" * 100),
        ("SECRET" * 100, {}),
    ],
)
async def test_an_error_is_short_and_repeats_nothing(
    wire: Wire, action: str, payload: Any
) -> None:
    frame = await wire.call(action, payload)
    assert frame[0] == 4
    assert len(frame) == 5
    assert len(frame[3]) <= 255
    assert frame[4] == {}
    assert "SECRET" not in json.dumps(frame)


@pytest.mark.conformance("RPC_15")
async def test_null_is_an_empty_payload_and_none_is_an_error(wire: Wire) -> None:
    frame = await wire.call("Heartbeat", None)
    assert frame[0] == 3
    frame = await wire.ask([2, "1", "Heartbeat"])
    assert frame[:3] == [4, "1", "FormationViolation"]


@pytest.mark.conformance("RPC_16")
async def test_unknown_fields_are_tolerated(hass: HomeAssistant, wire: Wire) -> None:
    odd = {"vendorThing": {"a": [None]}, "customData": {"vendorId": "x"}}
    frame = await wire.call("StatusNotification", STATUS | odd)
    assert frame[2:] == [{}]
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "preparing"


@pytest.mark.conformance("RPC_19")
async def test_a_handler_that_fails_costs_one_answer(
    hub: OcppHub,
    hass: HomeAssistant,
    wire: Wire,
    charger_ws: ChargerFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("SECRET")

    hub.approve("CP02", "Yard", None)
    await hass.async_block_till_done()
    other = await charger_ws("CP02")
    monkeypatch.setattr(Journal, "insert", fail)
    frame = await wire.call("StartTransaction", START)
    assert frame[2:] == ["InternalError", "", {}]
    await wire.next_is_the_answer_to_a_heartbeat()
    assert "currentTime" in await other.call("Heartbeat")


@pytest.mark.conformance("RPC_20")
async def test_slow_work_keeps_the_order_and_the_socket_is_read_meanwhile(
    hass: HomeAssistant, wire: Wire, gate: asyncio.Event
) -> None:
    await wire.send([2, "1", "StartTransaction", START])
    await wire.send([2, "2", "StatusNotification", STATUS])
    await wire.send([2, "3", "Heartbeat", {}])
    task = clear_cache(hass)
    asked = await wire.receive()
    await wire.send([3, asked[1], ACCEPTED])
    assert (await task)["answer"] == "Accepted"
    gate.set()
    assert [(await wire.receive())[:2] for _ in range(3)] == [
        [3, "1"],
        [3, "2"],
        [3, "3"],
    ]


@pytest.mark.conformance("RPC_21")
async def test_what_a_boot_makes_us_ask_blocks_nothing(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> None:
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws()
    charger.answers["GetConfiguration"] = Silence()
    assert (await charger.boot())["status"] == "Accepted"
    await charger.expect("GetConfiguration")
    # It never answers, and everything of its own goes on.
    await charger.status(1, "Available")
    assert await charger.start() > 0
    assert (await charger.boot())["status"] == "Accepted"


@pytest.mark.conformance("RPC_22")
async def test_a_call_without_an_answer_frees_the_way_for_the_next(
    hass: HomeAssistant, quiet_charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet_charger.answers["ClearCache"] = Silence()
    with monkeypatch.context() as patched:
        patched.setattr(V16Link.send, "__defaults__", (0.0,))
        with pytest.raises(HomeAssistantError) as caught:
            await act(hass, "clear_cache")
    assert caught.value.translation_key == "timed_out"
    assert (await act(hass, "unlock_connector"))["answer"] == "Unlocked"


@pytest.mark.conformance("RPC_22")
@pytest.mark.parametrize(
    ("action", "fields", "seconds"),
    [("clear_cache", {}, 30), ("get_composite_schedule", {"connector": 1}, 10)],
)
async def test_a_call_waits_as_long_as_its_kind_takes(
    hass: HomeAssistant,
    wire: Wire,
    action: str,
    fields: dict[str, Any],
    seconds: float,
) -> None:
    task = asyncio.create_task(act(hass, action, **fields))
    await wire.receive()
    async_fire_time_changed(hass, utcnow() + timedelta(seconds=seconds - 1))
    await wire.next_is_the_answer_to_a_heartbeat()
    assert not task.done()
    async_fire_time_changed(hass, utcnow() + timedelta(seconds=seconds + 1))
    with pytest.raises(HomeAssistantError) as caught:
        async with asyncio.timeout(PATIENCE / 4):
            await task
    assert caught.value.translation_key == "timed_out"


@pytest.mark.conformance("RPC_23")
async def test_a_connection_that_is_lost_fails_its_calls_at_once(
    hass: HomeAssistant, wire: Wire
) -> None:
    first, second = clear_cache(hass), clear_cache(hass)
    await wire.receive()
    await wire.ws.close()
    async with asyncio.timeout(PATIENCE):
        errors = await asyncio.gather(first, second, return_exceptions=True)
    keys = [getattr(one, "translation_key", one) for one in errors]
    assert keys == ["no_answer", "not_connected"]


@pytest.mark.conformance("RPC_24")
@pytest.mark.parametrize("answer", [{"result": "Accepted"}, {"status": ["Accepted"]}])
async def test_an_invalid_answer_is_an_error_and_can_be_looked_up(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    quiet_charger: Charger,
    answer: dict[str, Any],
) -> None:
    quiet_charger.answers["ClearCache"] = answer
    with pytest.raises(HomeAssistantError, match="invalid answer") as caught:
        await act(hass, "clear_cache")
    assert caught.value.translation_key == "rejected"
    found: Any = await get_diagnostics_for_config_entry(
        hass, hass_client, init_integration
    )
    frames = [json.loads(one["frame"]) for one in found["chargers"][0]["frames"]]
    assert answer in [frame[2] for frame in frames]
