"""What we ask of a station: one CALL at a time, and every way it can end."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
import uuid

import pytest

from .rpc_peer import HEARTBEAT_ANSWER, Peer, settle
from custom_components.ev_charger_hub.ocpp.calls import MAX_WAITING
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.errors import (
    CallError,
    CallInterrupted,
    CallNotSent,
    CallTimeout,
    ErrorCode,
    InvalidAnswer,
)

ACCEPTED = {"status": "Accepted"}


def start(
    peer: Peer, action: str = "ClearCache", **options: float
) -> asyncio.Task[dict[str, Any]]:
    return asyncio.create_task(peer.rpc.call(action, {}, **options))


async def test_a_call_goes_out_compact_in_the_order_of_the_schema() -> None:
    peer = Peer()
    payload = {"value": "60", "key": "HeartbeatInterval"}
    call = asyncio.create_task(peer.rpc.call("ChangeConfiguration", payload))
    message_id = (await peer.called())[1]
    written = '"ChangeConfiguration",{"key":"HeartbeatInterval","value":"60"}]'
    assert peer.texts == [f'[2,"{message_id}",{written}']
    await peer.receive([3, message_id, {"status": "RebootRequired", "extra": None}])
    assert (await call)["status"] == "RebootRequired"


@pytest.mark.parametrize(("limit", "written"), [("16.0", 16), ("10.5", 10.5)])
async def test_exact_numbers_are_written_plainly(limit: str, written: float) -> None:
    peer = Peer()
    call = asyncio.create_task(peer.rpc.call("Vendor", {"limit": Decimal(limit)}))
    assert (await peer.called())[3] == {"limit": written}
    assert isinstance(peer.sent[0][3]["limit"], type(written))
    peer.rpc.close()
    with pytest.raises(CallInterrupted):
        await call


@pytest.mark.parametrize("value", [object(), 2**80])
async def test_what_is_no_json_is_not_sent(value: Any) -> None:
    peer = Peer()
    with pytest.raises(CallNotSent):
        await peer.rpc.call("Vendor", {"at": datetime.now(UTC), "odd": value})
    assert peer.sent == []
    assert not peer.rpc.pending


@pytest.mark.conformance("RPC_01")
async def test_one_call_at_a_time_in_order() -> None:
    peer = Peer()
    calls = [start(peer, action) for action in ("ClearCache", "GetLocalListVersion")]
    await settle()
    assert [frame[2] for frame in peer.sent] == ["ClearCache"]
    assert peer.rpc.pending
    await peer.receive([2, "1", "Heartbeat", {}])
    assert peer.answers == [[3, "1", HEARTBEAT_ANSWER]]
    await peer.receive([3, peer.sent[0][1], ACCEPTED])
    assert peer.sent[-1][2] == "GetLocalListVersion"
    await peer.receive([3, peer.sent[-1][1], {"listVersion": 3}])
    assert await asyncio.gather(*calls) == [ACCEPTED, {"listVersion": 3}]
    assert not peer.rpc.pending


@pytest.mark.conformance("RPC_01")
async def test_the_queue_is_bounded() -> None:
    peer = Peer()
    calls = [start(peer) for _ in range(MAX_WAITING + 1)]
    await settle()
    with pytest.raises(CallNotSent):
        await peer.rpc.call("ClearCache", {})
    for _ in calls:
        await peer.receive([3, peer.sent[-1][1], ACCEPTED])
    assert await asyncio.gather(*calls) == [ACCEPTED] * len(calls)


@pytest.mark.conformance("RPC_01")
async def test_a_cancelled_caller_does_not_free_the_station() -> None:
    peer = Peer()
    first, second = start(peer), start(peer)
    await settle()
    first.cancel()
    await settle()
    assert first.cancelled()
    assert len(peer.sent) == 1
    await peer.receive([3, peer.sent[0][1], ACCEPTED])
    await peer.receive([3, peer.sent[1][1], ACCEPTED])
    assert await second == ACCEPTED


async def test_a_cancelled_waiter_leaves_the_queue() -> None:
    peer = Peer()
    first, second, third = start(peer), start(peer), start(peer, "Reset")
    await settle()
    second.cancel()
    await settle()
    await peer.receive([3, peer.sent[0][1], ACCEPTED])
    assert peer.sent[-1][2] == "Reset"
    await peer.receive([3, peer.sent[-1][1], ACCEPTED])
    assert [await first, await third] == [ACCEPTED] * 2


async def test_a_waiter_cancelled_in_its_turn_passes_it_on() -> None:
    peer = Peer()
    first, second, third = start(peer), start(peer), start(peer, "Reset")
    await settle()
    await peer.rpc.receive(f'[3,"{peer.sent[0][1]}",{{"status":"Accepted"}}]')
    second.cancel()
    await settle()
    assert peer.sent[-1][2] == "Reset"
    await peer.receive([3, peer.sent[-1][1], ACCEPTED])
    assert [await first, await third] == [ACCEPTED] * 2
    assert not peer.rpc.pending


async def test_a_waiter_cancelled_just_before_its_turn_is_passed_over() -> None:
    peer = Peer()
    first, second, third = start(peer), start(peer), start(peer, "Reset")
    await settle()
    second.cancel()
    await peer.receive([3, peer.sent[0][1], ACCEPTED])
    assert peer.sent[-1][2] == "Reset"
    await peer.receive([3, peer.sent[-1][1], ACCEPTED])
    assert [await first, await third] == [ACCEPTED] * 2


@pytest.mark.conformance("RPC_02")
async def test_ids_are_unique_and_short_enough() -> None:
    ids: set[str] = set()
    for _ in range(3):
        peer = Peer()
        for _ in range(20):
            call = start(peer)
            message_id = (await peer.called())[1]
            ids.add(message_id)
            assert uuid.UUID(message_id).version == 4
            await peer.receive([3, message_id, ACCEPTED])
            await call
    assert len(ids) == 60
    assert {len(one) for one in ids} == {36}


@pytest.mark.conformance("RPC_05")
@pytest.mark.parametrize(
    "late", [[3, None, ACCEPTED], [4, None, "GenericError", "", {}]]
)
async def test_a_late_answer_is_dropped(late: list[Any]) -> None:
    peer = Peer()
    with pytest.raises(CallTimeout):
        await peer.rpc.call("Reset", {"type": "Soft"}, timeout=0)
    late[1] = peer.sent[0][1]
    call = start(peer)
    await settle()
    await peer.receive(late)
    await peer.receive([3, "-1", ACCEPTED])
    await peer.receive([4, "-1", "GenericError", "", {}])
    assert not call.done()
    await peer.receive([3, peer.sent[-1][1], ACCEPTED])
    assert await call == ACCEPTED
    await peer.receive(late)


@pytest.mark.conformance("RPC_13")
@pytest.mark.parametrize(
    ("tail", "code", "raw", "description"),
    [
        ([], ErrorCode.GENERIC, "", ""),
        ([None], ErrorCode.GENERIC, "", ""),
        ([None, None, None], ErrorCode.GENERIC, "", ""),
        (["Odd", 5], ErrorCode.GENERIC, "Odd", ""),
        ([["x"], "no", {}], ErrorCode.GENERIC, "", "no"),
        (
            ["FormationViolation", "a", {}],
            ErrorCode.FORMAT_VIOLATION,
            "FormationViolation",
            "a",
        ),
        (["notsupported", "", {}], ErrorCode.NOT_SUPPORTED, "notsupported", ""),
        (["x" * 999, "y" * 999], ErrorCode.GENERIC, "x" * 255, "y" * 255),
    ],
)
async def test_a_call_error_in_any_form_fails_the_call(
    tail: list[Any], code: ErrorCode, raw: str, description: str
) -> None:
    peer = Peer()
    call = start(peer)
    await peer.receive([4, (await peer.called())[1], *tail])
    with pytest.raises(CallError) as caught:
        await call
    error = caught.value
    assert (error.code, error.raw_code, error.description) == (code, raw, description)
    assert not peer.rpc.pending


@pytest.mark.conformance("RPC_18")
async def test_a_call_result_error_fails_what_it_is_about() -> None:
    peer = Peer(dialect=Dialect.V21)
    call = start(peer)
    await peer.receive([5, (await peer.called())[1], "FormatViolation", "", {}])
    with pytest.raises(CallError):
        await call
    await peer.receive([2, "1", "Heartbeat", {}])
    await peer.receive([5, "1", "FormatViolation", "", {}])
    assert peer.answers == [[3, "1", HEARTBEAT_ANSWER]]


@pytest.mark.conformance("RPC_22")
async def test_a_timeout_frees_the_slot() -> None:
    peer = Peer()
    first, second = start(peer, timeout=0), start(peer)
    await settle()
    with pytest.raises(CallTimeout):
        await first
    await peer.receive([3, peer.sent[-1][1], ACCEPTED])
    assert await second == ACCEPTED


@pytest.mark.conformance("RPC_22")
async def test_a_cancelled_call_frees_the_slot_in_time() -> None:
    peer = Peer()
    first, second = start(peer, timeout=0), start(peer)
    await asyncio.sleep(0)
    first.cancel()
    await settle()
    await peer.receive([3, peer.sent[-1][1], ACCEPTED])
    assert await second == ACCEPTED
    assert len(peer.sent) == 2


@pytest.mark.conformance("RPC_23")
async def test_a_lost_connection_fails_everything_at_once() -> None:
    peer = Peer()
    sent, waiting = start(peer), start(peer)
    await settle()
    peer.rpc.close()
    with pytest.raises(CallInterrupted):
        await sent
    with pytest.raises(CallNotSent):
        await waiting
    with pytest.raises(CallNotSent):
        await peer.rpc.call("ClearCache", {})
    assert not peer.rpc.pending
    assert len(peer.sent) == 1


@pytest.mark.conformance("RPC_23")
async def test_a_connection_lost_just_before_the_turn_sends_nothing() -> None:
    peer = Peer()
    first, second = start(peer), start(peer)
    await settle()
    await peer.rpc.receive(f'[3,"{peer.sent[0][1]}",{{"status":"Accepted"}}]')
    peer.rpc.close()
    assert await first == ACCEPTED
    with pytest.raises(CallNotSent):
        await second
    assert len(peer.sent) == 1
    assert not peer.rpc.pending


@pytest.mark.conformance("RPC_23")
async def test_a_broken_socket_means_not_sent() -> None:
    peer = Peer()
    peer.broken = ConnectionResetError("gone")
    with pytest.raises(CallNotSent):
        await peer.rpc.call("ClearCache", {})
    peer.broken = None
    call = start(peer)
    await peer.receive([3, (await peer.called())[1], ACCEPTED])
    assert await call == ACCEPTED


@pytest.mark.conformance("RPC_23")
async def test_a_socket_that_breaks_as_it_closes_fails_the_call_once() -> None:
    peer = Peer()
    peer.broken = ConnectionResetError("gone")
    peer.before_send = peer.rpc.close
    with pytest.raises(CallNotSent):
        await peer.rpc.call("ClearCache", {})
    assert not peer.rpc.pending


@pytest.mark.conformance("RPC_24")
@pytest.mark.parametrize(
    ("tail", "raw"),
    [
        ([{}], {}),
        ([{"status": 5, "x": [1]}, 1], None),
        ([{"status": ["x"]}], None),
        ([], ""),
    ],
)
async def test_an_invalid_answer_is_a_typed_error(tail: list[Any], raw: Any) -> None:
    peer = Peer()
    call = start(peer)
    await peer.receive([3, (await peer.called())[1], *tail])
    if tail and tail[0].get("status") == 5:
        assert await call == {"status": "5", "x": [1]}
        return
    with pytest.raises(InvalidAnswer) as caught:
        await call
    assert caught.value.raw == (tail[0] if raw is None else raw)
    assert peer.answers == []
    assert not peer.rpc.pending


@pytest.mark.conformance("RPC_24")
async def test_2_1_is_told_of_its_invalid_answer() -> None:
    peer = Peer(dialect=Dialect.V21)
    call = start(peer)
    message_id = (await peer.called())[1]
    await peer.receive([3, message_id, {}])
    with pytest.raises(InvalidAnswer):
        await call
    assert peer.answers == [
        [5, message_id, "OccurrenceConstraintViolation", "status", {}]
    ]


async def test_a_null_answer_is_an_empty_one() -> None:
    peer = Peer()
    call = start(peer, "GetConfiguration")
    await peer.receive([3, (await peer.called())[1], None])
    assert await call == {}


async def test_latency_is_told_for_each_answer() -> None:
    peer = Peer()
    told: list[float] = []
    peer.rpc.on_latency = told.append
    call = start(peer)
    await peer.receive([3, (await peer.called())[1], ACCEPTED])
    await call
    assert len(told) == 1
    assert told[0] >= 0
    refused = start(peer)
    await peer.receive([4, (await peer.called())[1]])
    with pytest.raises(CallError):
        await refused
    assert len(told) == 1
