"""What comes from a station: framing, error codes, order, retries."""

import asyncio
import json
import logging
from typing import Any

import pytest

from .rpc_peer import HEARTBEAT_ANSWER, Peer, settle
from custom_components.ev_charger_hub.ocpp import frames, rpc as rpc_module
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.errors import ErrorCode, RpcError
from custom_components.ev_charger_hub.ocpp.rpc import Reply, ReplyCache
from custom_components.ev_charger_hub.station.errors import JournalError

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
START = {
    "connectorId": 1,
    "idTag": "TAG",
    "meterStart": 0,
    "timestamp": "2026-11-20T10:00:00Z",
}
NESTED = "[" * 40 + "]" * 40
UNPARSEABLE = [
    "",
    " ",
    "nonsense",
    '[2,"1","Heartbeat",{}',
    "[NaN]",
    '[2,"1","Heartbeat",{"a":1e999}]',
    '[2,"\\ud800","Heartbeat",{}]',
    "\ud800",
    b"\xff\xfe",
    "[" * 5000,
]
OVERSIZED = [
    f'[2,"1","Heartbeat",{{"a":{NESTED}}}]',
    f'[2,"1","Heartbeat",{{"a":{NESTED}}}]'.encode(),
    f'[2,"1","Heartbeat",{{"a":"{"x" * (frames.MAX_STRING + 1)}"}}]',
    f'[2,"1","Heartbeat",{{"a":[{"1," * frames.MAX_ITEMS}1]}}]',
    f'[2,"1","Heartbeat",{{"{"x" * (frames.MAX_STRING + 1)}":1}}]',
    json.dumps([2, "1", "Heartbeat", dict.fromkeys(range(frames.MAX_ITEMS + 1))]),
]
NO_FRAME = [
    "{}",
    "42",
    "[]",
    "null",
    '"text"',
    '["2","1"]',
    "[true]",
    "[2.0]",
    "[null]",
]
BAD_IDS: list[Any] = [None, 5, "", "x" * 37, ["1"], {"a": 1}, True]


async def still_answers(peer: Peer) -> None:
    before = len(peer.sent)
    await peer.receive([2, "still-here", "Heartbeat", {}])
    assert peer.sent[before:] == [[3, "still-here", HEARTBEAT_ANSWER]]


async def test_a_call_is_answered_at_once_without_a_task() -> None:
    peer = Peer()
    await peer.rpc.receive('[2,"1","Heartbeat",{}]')
    assert peer.texts == [
        f'[3,"1",{json.dumps(HEARTBEAT_ANSWER, separators=(",", ":"))}]'
    ]
    assert peer.handled == [("Heartbeat", {})]
    assert peer.tasks == []


@pytest.mark.conformance("RPC_06")
@pytest.mark.parametrize("text", [*UNPARSEABLE, *NO_FRAME], ids=repr)
async def test_1_6_ignores_what_is_no_frame(text: str | bytes) -> None:
    peer = Peer()
    await peer.receive(text)
    assert peer.sent == []
    await still_answers(peer)


@pytest.mark.conformance("SEC_11")
@pytest.mark.parametrize("text", OVERSIZED, ids=range(len(OVERSIZED)))
async def test_call_beyond_all_bounds_is_refused_instead_of_repeated(
    text: str | bytes,
) -> None:
    peer = Peer()
    await peer.receive(text)
    described = "longer or deeper than is read"
    assert peer.sent == [[4, "1", "FormationViolation", described, {}]]
    assert peer.handled == []
    await still_answers(peer)


@pytest.mark.conformance("SEC_11")
@pytest.mark.parametrize("start", ['[3,"1",', '[2,7,"Heartbeat",', "[2,"])
async def test_what_has_no_id_of_a_call_is_too_large_for_an_answer(start: str) -> None:
    peer = Peer()
    await peer.receive(f'{start}"{"x" * (frames.MAX_STRING + 1)}"]')
    assert peer.sent == []
    await still_answers(peer)


@pytest.mark.conformance("SEC_11")
async def test_text_of_64_kib_and_list_of_10000_are_read() -> None:
    peer = Peer()
    payload = {"a": "x" * frames.MAX_STRING, "b": [1] * frames.MAX_ITEMS}
    await peer.receive([2, "1", "Heartbeat", payload])
    assert peer.sent == [[3, "1", HEARTBEAT_ANSWER]]


@pytest.mark.conformance("RPC_06")
@pytest.mark.parametrize("dialect", [Dialect.V201, Dialect.V21])
@pytest.mark.parametrize("text", ["nonsense", "{}", '[2,"1","Heartbeat",{}'])
async def test_2_x_answers_what_is_no_frame(dialect: Dialect, text: str) -> None:
    peer = Peer(dialect=dialect)
    await peer.receive(text)
    assert peer.sent == [[4, "-1", "RpcFrameworkError", "", {}]]
    await still_answers(peer)


@pytest.mark.conformance("RPC_07")
@pytest.mark.parametrize(
    "frame",
    [[2], [3], [4], [9], [9, "x"], [5, "x"], [6, "x", "Heartbeat", {}], [-1, "x"]],
)
async def test_1_6_ignores_other_message_types(frame: list[Any]) -> None:
    peer = Peer()
    await peer.receive(frame)
    assert peer.sent == []
    assert peer.handled == []
    await still_answers(peer)


@pytest.mark.conformance("RPC_07")
async def test_2_0_1_names_unknown_message_types_when_the_id_is_readable() -> None:
    peer = Peer(dialect=Dialect.V201)
    await peer.receive([9, "x"])
    await peer.receive([6, "y", "NotifyReport", {}])
    assert peer.sent == [
        [4, "x", "MessageTypeNotSupported", "", {}],
        [4, "y", "MessageTypeNotSupported", "", {}],
    ]
    await peer.receive([9, 5])
    assert len(peer.sent) == 2
    newest = Peer(dialect=Dialect.V21)
    await newest.receive([9, "x"])
    assert newest.sent == []


@pytest.mark.conformance("RPC_08")
@pytest.mark.parametrize("message_id", BAD_IDS)
async def test_an_unreadable_id_is_never_echoed(message_id: Any) -> None:
    peer = Peer()
    await peer.receive([2, message_id, "Heartbeat", {}])
    assert peer.sent == []
    await still_answers(peer)
    newer = Peer(dialect=Dialect.V201)
    await newer.receive([2, message_id, "Heartbeat", {}])
    assert newer.sent == [[4, "-1", "RpcFrameworkError", "", {}]]
    assert newer.handled == []


@pytest.mark.conformance("RPC_08")
async def test_an_id_of_36_characters_is_fine() -> None:
    peer = Peer()
    await peer.receive([2, "x" * 36, "Heartbeat", {}])
    assert peer.sent == [[3, "x" * 36, HEARTBEAT_ANSWER]]


@pytest.mark.conformance("RPC_09")
@pytest.mark.parametrize("action", ["CustomOperation", "", None, 5, ["x"], {"a": 1}])
async def test_an_unknown_action_is_not_implemented(action: Any) -> None:
    peer = Peer()
    await peer.receive([2, "1", action, {}])
    assert peer.sent == [[4, "1", "NotImplemented", "", {}]]
    await still_answers(peer)


@pytest.mark.conformance("RPC_10")
async def test_an_action_of_the_other_direction_is_not_supported() -> None:
    peer = Peer()
    await peer.receive([2, "1", "Reset", {"type": "Hard"}])
    assert peer.sent == [[4, "1", "NotSupported", "", {}]]
    assert peer.handled == []


@pytest.mark.conformance("RPC_10")
async def test_a_handler_may_refuse_a_known_action() -> None:
    def refuse(_action: str, _payload: dict[str, Any]) -> Reply:
        raise RpcError(ErrorCode.NOT_SUPPORTED, "switched off", {"since": 5})

    peer = Peer(refuse)
    await peer.receive([2, "1", "DataTransfer", {"vendorId": "V"}])
    assert peer.sent == [[4, "1", "NotSupported", "switched off", {"since": 5}]]


@pytest.mark.conformance("RPC_11")
@pytest.mark.parametrize(
    ("payload", "code", "where"),
    [
        ("text", "FormationViolation", ""),
        ({}, "OccurenceConstraintViolation", "connectorId"),
        (STATUS | {"connectorId": "one"}, "TypeConstraintViolation", "connectorId"),
        (STATUS | {"connectorId": 2**70}, "PropertyConstraintViolation", "connectorId"),
    ],
)
async def test_1_6_spells_its_violations(payload: Any, code: str, where: str) -> None:
    peer = Peer()
    await peer.receive([2, "1", "StatusNotification", payload])
    assert peer.sent == [[4, "1", code, where, {}]]
    assert peer.handled == []


@pytest.mark.conformance("RPC_12")
async def test_2_x_spells_its_violations() -> None:
    peer = Peer(dialect=Dialect.V201)
    await peer.receive([2, "1", "Heartbeat", "text"])
    await peer.receive([2, "2", "StatusNotification", {}])
    assert [frame[2] for frame in peer.sent] == [
        "FormatViolation",
        "OccurrenceConstraintViolation",
    ]


@pytest.mark.conformance("RPC_14")
async def test_an_error_says_nothing_of_the_payload() -> None:
    def fail(_action: str, payload: dict[str, Any]) -> Reply:
        raise ValueError(payload["idTag"])

    peer = Peer(fail)
    await peer.receive([2, "1", "Authorize", {"idTag": "SECRET"}])
    await peer.receive([2, "2", "StartTransaction", START | {"meterStart": "SECRET"}])
    await peer.receive([2, "3", "Authorize", {"SECRET": 1}])
    assert [frame[2] for frame in peer.sent] == [
        "InternalError",
        "TypeConstraintViolation",
        "OccurenceConstraintViolation",
    ]
    assert "SECRET" not in "".join(peer.texts)


@pytest.mark.conformance("RPC_15")
async def test_null_is_an_empty_payload() -> None:
    peer = Peer()
    await peer.receive([2, "1", "Heartbeat", None])
    assert peer.sent == [[3, "1", HEARTBEAT_ANSWER]]
    assert peer.handled == [("Heartbeat", {})]


@pytest.mark.conformance("RPC_15")
@pytest.mark.parametrize("frame", [[2, "1"], [2, "1", "Heartbeat"]])
async def test_a_missing_payload_is_a_framing_error(frame: list[Any]) -> None:
    peer = Peer()
    await peer.receive(frame)
    assert peer.sent == [[4, "1", "FormationViolation", "", {}]]
    assert peer.handled == []
    newer = Peer(dialect=Dialect.V201)
    await newer.receive(frame)
    assert newer.sent == [[4, "1", "RpcFrameworkError", "", {}]]


@pytest.mark.conformance("RPC_16")
async def test_unknown_fields_reach_the_handler() -> None:
    peer = Peer()
    await peer.receive(
        [2, "1", "StatusNotification", STATUS | {"odd": {"x": 1}}, "extra"]
    )
    assert peer.sent == [[3, "1", {}]]
    assert peer.handled == [("StatusNotification", STATUS | {"odd": {"x": 1}})]


@pytest.mark.conformance("RPC_17")
async def test_a_send_is_handled_and_never_answered() -> None:
    failing = False

    def handle(_action: str, _payload: dict[str, Any]) -> Reply:
        if failing:
            raise ValueError
        return Reply({})

    peer = Peer(handle, dialect=Dialect.V21)
    call = asyncio.create_task(peer.rpc.call("Reset", {"type": "Immediate"}))
    await settle()
    stream = {"id": 1, "pending": 0, "basetime": "2026-11-20T10:00:00Z", "data": []}
    await peer.receive([6, "s1", "NotifyPeriodicEventStream", stream])
    failing = True
    await peer.receive([6, "s1", "NotifyPeriodicEventStream", stream])
    await peer.receive([6, None, "NotifyPeriodicEventStream", {}])
    await peer.receive([6, "s2", "Unknown", {}])
    await peer.receive([6, "s2"])
    assert len(peer.handled) == 2
    assert peer.answers == []
    await peer.receive([3, peer.sent[0][1], {"status": "Accepted"}])
    assert await call == {"status": "Accepted"}


@pytest.mark.conformance("RPC_19")
async def test_a_failing_handler_costs_one_answer_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def slowly(_action: str, _payload: dict[str, Any]) -> Reply:
        raise KeyError("journal")

    def at_once(_action: str, _payload: dict[str, Any]) -> Reply:
        raise KeyError("journal")

    peer = Peer(at_once)
    await peer.receive([2, "1", "Authorize", {"idTag": "A"}])
    peer.handle = slowly
    await peer.receive([2, "2", "Authorize", {"idTag": "A"}])
    peer.handle = lambda _action, _payload: Reply({"no": object()})
    await peer.receive([2, "3", "Authorize", {"idTag": "A"}])
    assert peer.sent == [[4, n, "InternalError", "", {}] for n in ("1", "2", "3")]
    assert caplog.text.count("CP1: Authorize failed\nTraceback") == 3
    peer.handle = peer.accept
    await still_answers(peer)


async def test_what_cannot_be_kept_is_one_warning_until_it_can(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def locked(_action: str, _payload: dict[str, Any]) -> Reply:
        raise JournalError("database is locked")

    async def kept(_action: str, _payload: dict[str, Any]) -> Reply:
        return Reply({"idTagInfo": {"status": "Accepted"}, "transactionId": 1})

    peer = Peer()
    for number, handle in enumerate([locked, locked, kept, locked]):
        peer.handle = handle
        await peer.receive([2, str(number), "StartTransaction", START])
        await settle()
    assert [frame[0] for frame in peer.sent] == [4, 4, 3, 4]
    warnings = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert [one.getMessage() for one in warnings] == 2 * [
        "CP1: StartTransaction cannot be kept yet: database is locked"
    ]
    assert "Traceback" not in caplog.text


@pytest.mark.conformance("RPC_19")
async def test_a_handler_that_never_ends_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rpc_module, "HANDLER_TIMEOUT", 0)

    async def forever(_action: str, _payload: dict[str, Any]) -> Reply:
        await asyncio.Event().wait()
        return Reply({})

    peer = Peer(forever)
    await peer.receive([2, "1", "Authorize", {"idTag": "A"}])
    await settle()
    assert peer.sent == [[4, "1", "InternalError", "", {}]]


@pytest.mark.conformance("RPC_20")
async def test_slow_work_keeps_the_order_and_does_not_block_the_socket() -> None:
    gate = asyncio.Event()

    async def slowly(action: str) -> Reply:
        await gate.wait()
        return Reply({"slow": action})

    def handle(action: str, _payload: dict[str, Any]) -> Any:
        return slowly(action) if action == "StartTransaction" else Reply({})

    peer = Peer(handle)
    await peer.receive([2, "1", "StartTransaction", START])
    await peer.receive([2, "2", "StatusNotification", STATUS])
    await peer.receive([2, "3", "Heartbeat", {}])
    assert peer.handled == [("StartTransaction", START)]
    call = asyncio.create_task(peer.rpc.call("ClearCache", {}))
    await peer.receive([3, (await peer.called())[1], {"status": "Accepted"}])
    assert await call == {"status": "Accepted"}
    gate.set()
    await settle()
    assert [action for action, _ in peer.handled] == [
        "StartTransaction",
        "StatusNotification",
        "Heartbeat",
    ]
    assert [frame[1] for frame in peer.answers] == ["1", "2", "3"]
    assert len(peer.tasks) == 1
    assert peer.tasks[0].done()
    await peer.receive([2, "4", "Heartbeat", {}])
    assert len(peer.tasks) == 1


@pytest.mark.conformance("RPC_21")
async def test_a_handler_may_call_the_station() -> None:
    async def ask(_action: str, _payload: dict[str, Any]) -> Reply:
        answer = await peer.rpc.call("ClearCache", {})
        return Reply({"status": answer["status"]})

    peer = Peer(ask)
    await peer.receive([2, "1", "DataTransfer", {"vendorId": "V"}])
    await peer.receive([3, (await peer.called())[1], {"status": "Rejected"}])
    assert peer.answers == [[3, "1", {"status": "Rejected"}]]


async def test_a_flood_is_bounded_and_the_oldest_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rpc_module, "MAX_INBOX", 2)
    gate = asyncio.Event()

    async def slowly(_action: str, _payload: dict[str, Any]) -> Reply:
        await gate.wait()
        return Reply({})

    peer = Peer(slowly, dialect=Dialect.V21)
    stream = {"id": 1, "pending": 0, "basetime": "2026-11-20T10:00:00Z", "data": []}
    await peer.receive([2, "0", "Heartbeat", {}])
    await peer.receive([6, "s", "NotifyPeriodicEventStream", stream])
    for number in range(1, 4):
        await peer.receive([2, str(number), "Heartbeat", {}])
    assert peer.sent == [[4, "1", "InternalError", "too many requests", {}]]
    gate.set()
    await settle()
    assert [frame[1] for frame in peer.sent] == ["1", "0", "2", "3"]
    await peer.receive([2, "1", "Heartbeat", {}])
    assert peer.sent[-1][:2] == [3, "1"]


async def test_what_follows_an_answer_runs_after_it() -> None:
    order: list[str] = []

    def handle(_action: str, _payload: dict[str, Any]) -> Reply:
        order.append("handled")
        return Reply({}, after=lambda: order.append(f"sent {len(peer.sent)}"))

    peer = Peer(handle)
    await peer.receive([2, "1", "StatusNotification", STATUS])
    assert order == ["handled", "sent 1"]
    await peer.receive([2, "1", "StatusNotification", STATUS])
    assert order == ["handled", "sent 1"]
    assert len(peer.sent) == 2


@pytest.mark.parametrize("slow", [False, True])
async def test_a_failing_follower_costs_nothing_else(
    slow: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def follow() -> None:
        raise ValueError

    async def slowly(_action: str, _payload: dict[str, Any]) -> Reply:
        return Reply({}, after=follow)

    peer = Peer(slowly if slow else lambda _action, _payload: Reply({}, after=follow))
    await peer.receive([2, "1", "StatusNotification", STATUS])
    assert "Traceback" in caplog.text
    assert peer.sent == [[3, "1", {}]]
    peer.handle = peer.accept
    await still_answers(peer)


async def test_a_broken_socket_is_no_exception() -> None:
    followed: list[int] = []
    peer = Peer(lambda _action, _payload: Reply({}, after=lambda: followed.append(1)))
    peer.broken = ConnectionResetError("gone")
    await peer.receive([2, "1", "StatusNotification", STATUS])
    assert followed == []
    peer.broken = None
    await peer.receive([2, "1", "StatusNotification", STATUS])
    assert followed == [1]
    assert len(peer.handled) == 1


async def test_even_a_foreign_error_of_the_socket_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    peer = Peer()
    peer.broken = RuntimeError("odd socket")
    await peer.receive([2, "1", "StatusNotification", STATUS])
    assert "odd socket" in caplog.text
    peer.broken = None
    await still_answers(peer)


async def test_a_wide_frame_is_not_a_deep_one() -> None:
    peer = Peer()
    samples = [{"value": str(number)} for number in range(100)]
    values = [{"timestamp": "2026-11-20T10:00:00Z", "sampledValue": samples}]
    await peer.receive(
        [2, "1", "MeterValues", {"connectorId": 1, "meterValue": values}]
    )
    assert peer.sent == [[3, "1", {}]]


async def test_a_closed_connection_hears_and_says_nothing() -> None:
    peer = Peer()
    peer.rpc.close()
    await peer.receive([2, "1", "Heartbeat", {}])
    assert peer.handled == []
    assert peer.sent == []


async def test_a_send_in_the_queue_of_a_lost_connection_is_dropped() -> None:
    async def slowly(_action: str, _payload: dict[str, Any]) -> Reply:
        await asyncio.Event().wait()
        return Reply({})

    stream = {"id": 1, "pending": 0, "basetime": "2026-11-20T10:00:00Z", "data": []}
    peer = Peer(slowly, dialect=Dialect.V21)
    await peer.receive([2, "1", "Heartbeat", {}])
    await peer.receive([6, "2", "NotifyPeriodicEventStream", stream])
    peer.rpc.close()
    peer.tasks[0].cancel()
    await settle()
    assert peer.handled == [("Heartbeat", {})]


async def test_a_cancelled_worker_leaves_nothing_behind() -> None:
    async def slowly(_action: str, _payload: dict[str, Any]) -> Reply:
        await asyncio.Event().wait()
        return Reply({})

    replies = ReplyCache()
    peer = Peer(slowly, replies=replies)
    await peer.receive([2, "1", "Heartbeat", {}])
    await peer.receive([2, "2", "Heartbeat", {}])
    peer.tasks[0].cancel()
    await settle()
    assert len(replies) == 0
    peer.handle = peer.accept
    await still_answers(peer)


async def test_frames_are_logged_without_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    peer = Peer(
        lambda _action, _payload: Reply({"idTagInfo": {"parentIdTag": "P" * 20}})
    )
    await peer.receive([2, "1", "Authorize", {"idTag": "04AABBCCDDEE11"}])
    await peer.receive('[2,"1","Authorize",{"idTag":"04AABBCCDDEE11"')
    assert "***EE11" in caplog.text
    assert '"parentIdTag":"***PPPP"' in caplog.text
    assert "04AABB" not in caplog.text
    assert "not JSON" in caplog.text
