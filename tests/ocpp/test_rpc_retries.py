"""Retries: the same message again, on the same socket or a new one."""

import asyncio
import json
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from .rpc_peer import Peer, settle
from custom_components.ev_charger_hub.ocpp.errors import ErrorCode, RpcError
from custom_components.ev_charger_hub.ocpp.replies import MAX_REPLIES
from custom_components.ev_charger_hub.ocpp.rpc import Reply, ReplyCache

TAG = {"idTag": "TAG"}


class Counter:
    """Answers each run of a handler differently, at once or when told to."""

    def __init__(self) -> None:
        """Start with no run and a closed gate."""
        self.runs = 0
        self.gate = asyncio.Event()

    def at_once(self, _action: str, _payload: dict[str, Any]) -> Reply:
        """Answer with the number of the run."""
        self.runs += 1
        return Reply({"run": self.runs})

    async def slowly(self, _action: str, _payload: dict[str, Any]) -> Reply:
        """Answer with the number of the run, once the gate is open."""
        self.runs += 1
        run = self.runs
        await self.gate.wait()
        return Reply({"run": run})


@pytest.mark.conformance("RPC_03")
async def test_a_repeated_message_gets_the_same_answer_on_any_socket() -> None:
    counter = Counter()
    replies = ReplyCache()
    first = Peer(counter.at_once, replies=replies)
    await first.receive([2, "1", "Authorize", TAG])
    await first.receive([2, "1", "Authorize", TAG])
    first.rpc.close()
    second = Peer(counter.at_once, replies=replies)
    await second.receive([2, "1", "Authorize", TAG])
    assert [*first.sent, *second.sent] == [[3, "1", {"run": 1}]] * 3
    assert counter.runs == 1


@pytest.mark.conformance("RPC_03")
async def test_a_copy_of_a_running_message_is_served_by_its_answer() -> None:
    counter = Counter()
    peer = Peer(counter.slowly)
    await peer.receive([2, "1", "Authorize", TAG])
    await peer.receive([2, "1", "Authorize", TAG])
    assert peer.sent == []
    counter.gate.set()
    await settle()
    assert peer.sent == [[3, "1", {"run": 1}]]


@pytest.mark.conformance("RPC_03")
async def test_a_running_message_is_answered_on_the_newest_socket() -> None:
    counter = Counter()
    replies = ReplyCache()
    followed: list[int] = []

    async def handle(action: str, payload: dict[str, Any]) -> Reply:
        reply = await counter.slowly(action, payload)
        reply.after = lambda: followed.append(1)
        return reply

    first = Peer(handle, replies=replies)
    await first.receive([2, "1", "Authorize", TAG])
    first.rpc.close()
    second = Peer(handle, replies=replies)
    await second.receive([2, "1", "Authorize", TAG])
    counter.gate.set()
    await settle()
    assert first.sent == []
    assert second.sent == [[3, "1", {"run": 1}]]
    assert followed == [1]
    assert counter.runs == 1


@pytest.mark.conformance("RPC_03")
async def test_what_waited_on_a_lost_socket_is_new_on_the_next() -> None:
    counter = Counter()
    replies = ReplyCache()
    first = Peer(counter.slowly, replies=replies)
    await first.receive([2, "1", "Authorize", TAG])
    await first.receive([2, "2", "Authorize", TAG])
    first.rpc.close()
    second = Peer(counter.at_once, replies=replies)
    await second.receive([2, "2", "Authorize", TAG])
    assert second.sent == [[3, "2", {"run": 2}]]
    counter.gate.set()
    await settle()
    assert counter.runs == 2


@pytest.mark.conformance("RPC_03")
async def test_a_lasting_refusal_is_repeated() -> None:
    runs: list[str] = []

    def refuse(action: str, _payload: dict[str, Any]) -> Reply:
        runs.append(action)
        raise RpcError(ErrorCode.NOT_SUPPORTED)

    peer = Peer(refuse)
    await peer.receive([2, "1", "Authorize", TAG])
    await peer.receive([2, "1", "Authorize", TAG])
    assert peer.sent == [[4, "1", "NotSupported", "", {}]] * 2
    assert runs == ["Authorize"]


@pytest.mark.conformance("RPC_03")
@pytest.mark.parametrize("code", [ErrorCode.INTERNAL, ErrorCode.SECURITY])
async def test_a_refusal_of_the_moment_is_tried_again(code: ErrorCode) -> None:
    counter = Counter()

    def refuse(_action: str, _payload: dict[str, Any]) -> Reply:
        raise RpcError(code)

    peer = Peer(refuse)
    await peer.receive([2, "1", "Authorize", TAG])
    peer.handle = counter.at_once
    await peer.receive([2, "1", "Authorize", TAG])
    assert [frame[0] for frame in peer.sent] == [4, 3]


@pytest.mark.conformance("RPC_04")
async def test_a_reused_id_with_other_content_is_another_message() -> None:
    """Simple firmware counts its ids from 1 after every boot."""
    counter = Counter()
    peer = Peer(counter.at_once)
    await peer.receive([2, "1", "Authorize", TAG])
    await peer.receive([2, "1", "Authorize", {"idTag": "OTHER"}])
    await peer.receive([2, "1", "Heartbeat", {}])
    assert [frame[2] for frame in peer.sent] == [{"run": 1}, {"run": 2}, {"run": 3}]


async def test_a_reused_id_outlives_the_failure_of_its_first_use() -> None:
    counter = Counter()

    async def fail(_action: str, _payload: dict[str, Any]) -> Reply:
        await counter.gate.wait()
        raise RpcError(ErrorCode.INTERNAL)

    peer = Peer(fail)
    await peer.receive([2, "1", "Authorize", TAG])
    peer.handle = counter.at_once
    await peer.receive([2, "1", "Authorize", {"idTag": "OTHER"}])
    counter.gate.set()
    await settle()
    await peer.receive([2, "1", "Authorize", {"idTag": "OTHER"}])
    assert [frame[0] for frame in peer.sent] == [4, 3, 3]
    assert counter.runs == 1


@pytest.mark.parametrize(
    ("answer", "seconds", "runs"),
    [
        ({}, 599, 1),
        ({}, 601, 2),
        ({"currentTime": "2026-11-20T10:00:00.000Z"}, 9, 1),
        ({"currentTime": "2026-11-20T10:00:00.000Z"}, 11, 2),
    ],
)
async def test_answers_are_kept_for_a_while(
    answer: dict[str, Any], seconds: int, runs: int
) -> None:
    now = 1000.0
    peer = Peer(
        lambda _action, _payload: Reply(answer), replies=ReplyCache(lambda: now)
    )
    await peer.receive([2, "1", "Heartbeat", {}])
    now += seconds
    await peer.receive([2, "1", "Heartbeat", {}])
    assert len(peer.handled) == runs
    assert len(peer.sent) == 2


async def test_the_number_of_kept_answers_is_bounded() -> None:
    replies = ReplyCache()
    peer = Peer(replies=replies)
    for number in range(MAX_REPLIES + 20):
        await peer.rpc.receive(json.dumps([2, str(number), "Heartbeat", {}]))
    assert len(replies) == MAX_REPLIES
    peer.handled.clear()
    await peer.receive([2, "19", "Heartbeat", {}])
    await peer.receive([2, "119", "Heartbeat", {}])
    assert len(peer.handled) == 1


async def test_running_exchanges_are_not_dropped() -> None:
    counter = Counter()
    replies = ReplyCache()
    peer = Peer(counter.slowly, replies=replies)
    for number in range(MAX_REPLIES + 20):
        await peer.rpc.receive(json.dumps([2, str(number), "Heartbeat", {}]))
    assert len(replies) == MAX_REPLIES + 20
    await peer.receive([2, "0", "Heartbeat", {}])
    counter.gate.set()
    while not peer.tasks[0].done():
        await settle()
    assert counter.runs == MAX_REPLIES + 20


type Step = tuple[str, str, str]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "send", "send", "open", "reconnect"]),
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from(["Authorize", "Heartbeat", "StatusNotification"]),
    ),
    max_size=25,
)
PAYLOADS: dict[str, dict[str, Any]] = {
    "Authorize": TAG,
    "Heartbeat": {},
    "StatusNotification": {
        "connectorId": 1,
        "errorCode": "NoError",
        "status": "Available",
    },
}


class Network:
    """A station that repeats itself over sockets that come and go."""

    def __init__(self) -> None:
        """Start with one socket."""
        self.replies = ReplyCache()
        self.gates: list[asyncio.Event] = []
        self.runs: list[str] = []
        self.peers: list[Peer] = []
        self.open()

    def open(self) -> None:
        """Replace the socket."""
        if self.peers:
            self.peers[-1].rpc.close()
        self.peers.append(Peer(self.handle, replies=self.replies))

    def handle(self, action: str, _payload: dict[str, Any]) -> Any:
        """Answer heartbeats at once, the rest when told to."""
        self.runs.append(action)
        answer = {"run": len(self.runs)}
        return Reply(answer) if action == "Heartbeat" else self.slowly(answer)

    async def slowly(self, answer: dict[str, Any]) -> Reply:
        """Answer when the next gate opens."""
        gate = asyncio.Event()
        self.gates.append(gate)
        await gate.wait()
        return Reply(answer)

    async def finish(self) -> None:
        """Let every handler end."""
        tasks = [task for peer in self.peers for task in peer.tasks]
        while not all(task.done() for task in tasks):
            for gate in self.gates:
                gate.set()
            await settle()


@pytest.mark.conformance("RPC_03")
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_every_copy_hears_the_same_and_the_handler_runs_once(steps: list[Step]) -> None:
    asyncio.run(_repeat(steps))


async def _repeat(steps: list[Step]) -> None:
    network = Network()
    asked: set[tuple[str, str]] = set()
    for what, message_id, action in steps:
        match what:
            case "send":
                asked.add((message_id, action))
                frame = [2, message_id, action, PAYLOADS[action]]
                await network.peers[-1].receive(frame)
            case "open" if network.gates:
                network.gates.pop(0).set()
                await settle()
            case "reconnect":
                network.open()
    # A station repeats what it has no answer to, and hears the rest again.
    for message_id, action in sorted(asked):
        await network.peers[-1].receive([2, message_id, action, PAYLOADS[action]])
    await network.finish()
    assert len(network.runs) == len(asked)
    answers = [frame for peer in network.peers for frame in peer.sent]
    distinct = {(frame[1], frame[2]["run"]) for frame in answers}
    assert len(distinct) == len(asked)
    last = {(frame[1], frame[2]["run"]) for frame in network.peers[-1].sent}
    assert last == distinct
