"""Hostile clients: each does one thing that no charger should do, again and again."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from dataclasses import dataclass, field
import json
from math import isinf
import random
from typing import Any
import zlib

from .mutate import Corpus, Mutator
from .wire import Opcode, Refused, Wire, opened, packed

PATIENCE = 60.0
"""Seconds within which a valid CALL has to be answered while its socket is open."""

PAUSE = 0.02
ELSEWHERE = "127.9.9.9"
NEVER_REFUSED = frozenset({"NotifyEvent", "TransactionEvent"})
AT_ONCE = 40
"""Frames of one socket before its answers are waited for."""


@dataclass(kw_only=True, slots=True)
class Tally:
    """What was sent and what came of it; `left` frames are still to be sent."""

    left: int
    sent: int = 0
    calls: int = 0
    answered: int = 0
    unanswered: int = 0
    sockets: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    takeovers: int = 0
    """Sockets that an impostor got: must stay 0."""
    refusals: int = 0
    """Errors where there may be none: must stay 0."""
    examples: list[str] = field(default_factory=list)

    def take(self, number: int = 1) -> bool:
        """Count frames; return whether there were any left."""
        if self.left <= 0:
            return False
        self.left -= number
        self.sent += number
        return True


@dataclass(kw_only=True, slots=True)
class Plan:
    """Whom a client attacks, and as whom."""

    port: int
    identity: str
    source: str
    victim: str
    mutator: Mutator
    corpus: Corpus
    random: random.Random
    tally: Tally


class Caller:
    """One socket of a hostile charger, which remembers what has to be answered."""

    def __init__(self, plan: Plan, wire: Wire) -> None:
        """Take the answers of `wire`."""
        self._plan = plan
        self._wire = wire
        self._open: dict[str, tuple[str, str]] = {}
        """What was sent by its id: the action, and how the text begins."""
        self._news = asyncio.Event()
        wire.on_text = self._heard

    async def send(self, data: bytes) -> None:
        """Send a text, and expect an answer if it is a CALL (OCPP-J 4.1)."""
        if (message_id := _call_id(data)) is not None and message_id not in self._open:
            text = data[:300].decode(errors="replace")
            self._open[message_id] = json.loads(data)[2], text
            self._plan.tally.calls += 1
        await self._wire.send(data)

    async def settle(self) -> None:
        """Wait for what is open; count what does not come."""
        tally = self._plan.tally
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._open and not self._wire.ended.is_set():
                    self._news.clear()
                    waits = (self._news.wait(), self._wire.ended.wait())
                    await _first(*waits)
        if self._open and not self._wire.ended.is_set():
            tally.unanswered += len(self._open)
            texts = [text for _, text in self._open.values()]
            tally.examples += texts[: 10 - len(tally.examples)]
        self._open.clear()

    def _heard(self, text: bytes) -> None:
        frame = json.loads(text)
        if frame[0] == 2:
            asyncio.get_running_loop().create_task(self._answer(frame[1]))
        elif (asked := self._open.pop(frame[1], None)) is not None:
            self._plan.tally.answered += 1
            if frame[0] == 4 and _must_not_be(
                self._plan.corpus.version, asked[0], frame
            ):
                self._plan.tally.refusals += 1
                self._plan.tally.examples += [asked[1]][
                    : 10 - len(self._plan.tally.examples)
                ]
            self._news.set()

    async def _answer(self, message_id: str) -> None:
        """Answer a CALL of the server badly, or not at all."""
        answers: tuple[list[Any], ...] = (
            [3, message_id, {}],
            [3, message_id, {"status": "Accepted"}],
            [3, message_id, {"status": 5, "configurationKey": "x"}],
            [3, message_id, {"getVariableResult": [{}, None, 7]}],
            [5, message_id, "FormatViolation", "", {}],
            [3, "another", {"status": "Accepted"}],
            [4, message_id, "NotImplemented", "", {}],
            [4, message_id],
            [3, message_id, [[[]]]],
        )
        chosen = self._plan.random.randrange(len(answers) + 1)
        if chosen < len(answers):
            with contextlib.suppress(OSError):
                await self._wire.send(json.dumps(answers[chosen]).encode())


def _call_id(data: bytes) -> str | None:
    """Return the id of a frame that has to be answered, None for any other."""
    try:
        frame = json.loads(data.decode(), parse_constant=_no, parse_float=_finite)
        # Half a character is none (RFC 8259 8.2).
        json.dumps(frame, ensure_ascii=False).encode()
    except ValueError, RecursionError:
        return None
    match frame:
        case [int(kind), str(message_id), str(), dict(), *_] if (
            kind == 2 and type(kind) is int and 0 < len(message_id) <= 36
        ):
            return message_id if message_id.isascii() else None
    return None


def _must_not_be(version: str, action: str, error: list[Any]) -> bool:
    """Return whether an error is wrong: of ours, or of an event, which is lost by it."""
    if error[2] == "InternalError":
        return True
    return version != "1.6" and action in NEVER_REFUSED


def _no(name: str) -> None:
    raise ValueError(name)


def _finite(text: str) -> float:
    if isinf(number := float(text)):
        raise ValueError(text)
    return number


async def _first(*waits: Awaitable[Any]) -> None:
    tasks = [asyncio.ensure_future(one) for one in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def mutant(plan: Plan, wire: Wire) -> None:
    """Send mutated frames with valid ones among them."""
    caller = Caller(plan, wire)
    for _ in range(AT_ONCE):
        if not plan.tally.take():
            break
        valid = plan.random.random() < 0.2
        heartbeat = json.dumps([2, plan.mutator.unique(), "Heartbeat", {}]).encode()
        await caller.send(heartbeat if valid else plan.mutator.frame())
    await caller.settle()


async def inventor(plan: Plan, wire: Wire) -> None:
    """Send messages without a fault, about things that were never heard of."""
    caller = Caller(plan, wire)
    for _ in range(AT_ONCE):
        if not plan.tally.take():
            break
        await caller.send(plan.mutator.invented())
    await caller.settle()


_STATUS_2 = {
    "timestamp": "2026-11-21T10:00:00Z",
    "connectorStatus": "Available",
    "evseId": 1,
    "connectorId": 1,
}
STATUSES: dict[str, dict[str, Any]] = {
    "1.6": {"connectorId": 1, "errorCode": "NoError", "status": "Available"},
    "2.0.1": _STATUS_2,
    "2.1": _STATUS_2,
}


async def flood(plan: Plan, wire: Wire) -> None:
    """Send many valid CALLs without waiting for answers."""
    caller = Caller(plan, wire)
    for _ in range(300):
        if not plan.tally.take():
            break
        action = plan.random.choice(
            (
                ("Heartbeat", {}),
                ("DataTransfer", {"vendorId": "Fuzz", "data": "x" * 1000}),
                ("StatusNotification", STATUSES[plan.corpus.version]),
            )
        )
        frame = [2, plan.mutator.unique(), *action]
        await caller.send(json.dumps(frame).encode())
    await caller.settle()


async def disorder(plan: Plan, wire: Wire) -> None:
    """Send real messages in an order that makes no sense, some of them twice."""
    caller = Caller(plan, wire)
    frames = list(plan.corpus.frames)
    plan.random.shuffle(frames)
    for frame in frames[:AT_ONCE]:
        if not plan.tally.take():
            break
        again = [frame[0], plan.mutator.unique(), *frame[2:]]
        data = json.dumps(again).encode("utf-8", "surrogatepass")
        await caller.send(data)
        if plan.random.random() < 0.2:
            await wire.send(data)
    await caller.settle()


async def breaker(plan: Plan, wire: Wire) -> None:
    """Break the rules of websockets."""
    bomb = zlib.compress(b" " * 30_000_000, wbits=-15)[:-4]
    fragment = packed(Opcode.TEXT, b"[2,", fin=False)
    streams = (
        packed(Opcode.TEXT, bomb, reserved=4),
        packed(Opcode.TEXT, b"x" * 1_100_000),
        packed(Opcode.BINARY, plan.random.randbytes(5000)),
        packed(11, b"x"),
        packed(Opcode.PING, b"x" * 200),
        packed(Opcode.CLOSE, b"\xff\xff\xff"),
        packed(Opcode.CLOSE, b"x"),
        packed(Opcode.TEXT, b"x", mask=False),
        packed(Opcode.CONTINUATION, b"x"),
        fragment + packed(Opcode.CONTINUATION, b"", fin=False) * 20_000,
        fragment + packed(Opcode.TEXT, b"x"),
        packed(Opcode.PING, b"") * 20_000,
        packed(Opcode.PONG, b"y" * 100) * 1000,
        b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
        packed(Opcode.TEXT, b"[" * 900_000),
        packed(Opcode.TEXT, b'[2,"z","DataTransfer",{"vendorId":' + b"1," * 200_000),
    )
    if plan.tally.take():
        await wire.raw(plan.random.choice(streams))
        await _wait(wire, 1.0)


async def slow_reader(plan: Plan, wire: Wire) -> None:
    """Ask and never read the answers."""
    wire.shrink()
    for _ in range(200):
        if not plan.tally.take():
            break
        frame = [2, plan.mutator.unique(), "Heartbeat", {}]
        await wire.send(json.dumps(frame).encode())
        await wire.send(b"x" * 125, Opcode.PING)
    await _wait(wire, 3.0)


async def churn(plan: Plan, wire: Wire) -> None:
    """Hang up in the middle of a CALL."""
    if plan.tally.take():
        await wire.raw(packed(Opcode.TEXT, plan.mutator.frame())[:-1])
    wire.close(rudely=plan.random.random() < 0.7)


async def half_open(plan: Plan) -> None:
    """Begin requests and never finish them."""
    writers = []
    try:
        for _ in range(30):
            if not plan.tally.take():
                break
            _, writer = await opened(plan.port, plan.source)
            writer.write(plan.random.choice((b"", b"G", b"GET /x HTTP/1.1\r\nHost: ")))
            writers.append(writer)
        await asyncio.sleep(1)
    finally:
        for writer in writers:
            writer.close()


async def garbage(plan: Plan) -> None:
    """Send what is no handshake."""
    if not plan.tally.take():
        return
    reader, writer = await opened(plan.port, plan.source)
    request = plan.random.choice(plan.corpus.requests)
    if plan.random.random() < 0.3:
        request = plan.random.randbytes(plan.random.randrange(1, 3000))
    try:
        writer.write(request)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await reader.read()
    finally:
        writer.close()


async def impostor(plan: Plan) -> None:
    """Come as a charger that is there, from elsewhere."""
    if not plan.tally.take():
        return
    wire = await Wire.open(plan.port, plan.victim, ELSEWHERE)
    plan.tally.takeovers += 1
    wire.close()


async def stranger(plan: Plan) -> None:
    """Come as a charger that nobody knows, and talk too much."""
    if not plan.tally.take():
        return
    name = f"MADE-UP-{plan.random.getrandbits(64):x}"
    wire = await Wire.open(plan.port, name, plan.source)
    plan.tally.sockets += 1
    reading = asyncio.create_task(wire.listen())
    try:
        for _ in range(200):
            if not plan.tally.take():
                break
            await wire.send(plan.mutator.frame())
    finally:
        wire.close()
        reading.cancel()


async def _wait(wire: Wire, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await wire.ended.wait()


# What a hostile client is, and whether it reads what it gets.
SOCKETS: tuple[tuple[Callable[[Plan, Wire], Awaitable[None]], bool], ...] = (
    (mutant, True),
    (mutant, True),
    (mutant, True),
    (flood, True),
    (disorder, True),
    (inventor, True),
    (breaker, True),
    (slow_reader, False),
    (churn, True),
)
KNOCKS: tuple[Callable[[Plan], Awaitable[None]], ...] = (
    half_open,
    garbage,
    garbage,
    impostor,
    stranger,
)


async def attack(plan: Plan, only: frozenset[str]) -> None:
    """Do something hostile, or one of a few things, until no frames are left."""
    tally = plan.tally
    sockets = [one for one in SOCKETS if not only or one[0].__name__ in only]
    knocks = [one for one in KNOCKS if not only or one.__name__ in only]
    while tally.left > 0:
        try:
            if not sockets or (knocks and plan.random.random() < 0.2):
                await plan.random.choice(knocks)(plan)
            else:
                await _on_socket(plan, *plan.random.choice(sockets))
        except Refused as refused:
            reason = str(refused)
            tally.refused[reason] = tally.refused.get(reason, 0) + 1
            await asyncio.sleep(PAUSE)
        except OSError:
            await asyncio.sleep(PAUSE)


async def _on_socket(
    plan: Plan, act: Callable[[Plan, Wire], Awaitable[None]], reads: bool
) -> None:
    wire = await Wire.open(
        plan.port,
        plan.identity,
        plan.source,
        protocol=f"ocpp{plan.corpus.version}",
    )
    plan.tally.sockets += 1
    reading = asyncio.create_task(wire.listen()) if reads else None
    try:
        for _ in range(plan.random.choice((1, 1, 3, 10))):
            await act(plan, wire)
            if wire.ended.is_set():
                return
    finally:
        wire.close()
        if reading is not None:
            reading.cancel()
