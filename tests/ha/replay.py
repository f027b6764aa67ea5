"""Replays a recorded session: plays the station that was recorded, frame by frame."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant

from .conftest import device_of
from custom_components.ev_charger_hub.const import CONF_POLICY, DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.waiting import AdmissionPolicy

TRACES = Path(__file__).parents[1] / "traces"

CLOSED = ("close", "closed")
"""How traces call the end of a socket."""

type Frame = list[Any]
type After = Callable[[], Awaitable[None]]


@dataclass(kw_only=True, slots=True)
class Recording:
    """What a trace says: the events in order, and the station's answers by action."""

    rows: list[dict[str, Any]]
    answers: dict[str, list[Frame]] = field(default_factory=lambda: defaultdict(list))
    transactions: dict[str, int] = field(default_factory=dict)
    """Message id of a StartTransaction to the transaction id it was given."""

    @property
    def path(self) -> str:
        """Return the path the station dialed."""
        return str(next(row["path"] for row in self.rows if "path" in row))

    @property
    def identity(self) -> str:
        """Return the station's identity."""
        return self.path.rpartition("/")[2]

    @property
    def until_the_end(self) -> list[dict[str, Any]]:
        """Return the rows before the station goes away for good."""
        last = max(
            n for n, row in enumerate(self.rows) if row.get("event") not in CLOSED
        )
        return self.rows[: last + 1]


def read(name: str) -> Recording:
    """Return the recording of that name."""
    text = (TRACES / f"{name}.jsonl").read_text(encoding="utf-8")
    recording = Recording(rows=[json.loads(line) for line in text.splitlines()])
    asked: dict[str, str] = {}
    for row in recording.rows:
        if (frame := row.get("frame")) is None:
            continue
        if row["from"] == "server":
            if frame[0] == 2:
                asked[frame[1]] = frame[2]
            elif frame[0] == 3 and "transactionId" in frame[2]:
                recording.transactions[frame[1]] = frame[2]["transactionId"]
        elif frame[0] in (3, 4) and (action := asked.get(frame[1])):
            recording.answers[action].append(frame)
    return recording


class Replay:
    """One station that says again what it said."""

    def __init__(
        self, recording: Recording, port: int, move_to: Callable[[datetime], object]
    ) -> None:
        """Play against a local port; `move_to` sets the clock to each row's time."""
        self._recording = recording
        self._url = f"ws://127.0.0.1:{port}{quote(recording.path)}"
        self._move_to = move_to
        self._sockets: list[ClientWebSocketResponse] = []
        self._readers: list[asyncio.Task[None]] = []
        self._waiting: dict[str, asyncio.Future[Frame]] = {}
        self._ids: dict[int, int] = {}
        self._next: dict[str, int] = defaultdict(int)
        self.asked: list[Frame] = []
        """What the system under test asked for."""
        self.replies: list[tuple[Frame, Frame]] = []
        """Each of the station's calls with its answer."""

    @asynccontextmanager
    async def played(self, after: After) -> AsyncGenerator[None]:
        """Play everything; the station is still there in the block.

        `after` is awaited after each row.
        """
        async with ClientSession() as session:
            try:
                for row in self._recording.until_the_end:
                    await self._play(session, row)
                    await after()
                yield
            finally:
                for socket in self._sockets:
                    await socket.close()
                await asyncio.gather(*self._readers)

    async def _play(self, session: ClientSession, row: dict[str, Any]) -> None:
        """Play one row."""
        moment = datetime.fromisoformat(row["t"])
        if (event := row.get("event")) == "connect":
            self._move_to(moment)
            socket = await session.ws_connect(self._url, protocols=row["offered"])
            assert socket.protocol == row.get("chosen", row["offered"][0])
            self._sockets.append(socket)
            self._readers.append(asyncio.create_task(self._read(socket)))
        elif event in CLOSED:
            # Sockets overlap where a station dials in again before it hangs up.
            await self._sockets.pop(0).close()
        elif row.get("from") == "station" and row["frame"][0] == 2:
            self._move_to(moment)
            reply = await self._call(row["frame"])
            self.replies.append((row["frame"], reply))

    async def _call(self, frame: Frame) -> Frame:
        """Send a recorded call and return the answer."""
        payload = frame[3]
        if isinstance(payload, dict) and "transactionId" in payload:
            recorded = payload["transactionId"]
            payload = {**payload, "transactionId": self._ids.get(recorded, recorded)}
        future = asyncio.get_running_loop().create_future()
        self._waiting[frame[1]] = future
        await self._sockets[-1].send_str(json.dumps([*frame[:3], payload]))
        reply: Frame = await asyncio.wait_for(future, 60)
        if (recorded := self._recording.transactions.get(frame[1])) is not None:
            self._ids[recorded] = reply[2]["transactionId"]
        return reply

    async def _read(self, socket: ClientWebSocketResponse) -> None:
        """Take answers, and answer what is asked as it was answered then."""
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            frame = json.loads(message.data)
            if frame[0] == 2:
                self.asked.append(frame)
                await socket.send_str(json.dumps(self._answer(frame)))
            elif (future := self._waiting.pop(frame[1], None)) is not None:
                future.set_result(frame)

    def _answer(self, frame: Frame) -> Frame:
        """Return the next recorded answer to the same action."""
        _, unique, action, *_ = frame
        if not (answers := self._recording.answers.get(action)):
            return [4, unique, "NotImplemented", "", {}]
        index = min(self._next[action], len(answers) - 1)
        self._next[action] += 1
        recorded = answers[index]
        return [recorded[0], unique, *recorded[2:]]


def accepting_entry() -> MockConfigEntry:
    """Return the entry of a server that lets every charger in."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="OCPP server",
        data={"host": "127.0.0.1", "port": 0},
        options={CONF_POLICY: AdmissionPolicy.ACCEPT},
    )


async def prepared(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    recording: Recording,
    move_to: Callable[[datetime | str], object],
) -> Replay:
    """Return the replay of a recording against a server that is started for it."""
    # The clock never runs backwards for the server.
    move_to(recording.rows[0]["t"])
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    hub: OcppHub = entry.runtime_data
    return Replay(recording, hub.port, move_to)


def told_of(
    hass: HomeAssistant, entry: MockConfigEntry, identity: str
) -> tuple[str | None, ...]:
    """Return vendor, model, serial number and firmware of the charger's device."""
    device = device_of(hass, entry, identity)
    assert device is not None
    info = (device.manufacturer, device.model, device.serial_number)
    return (*info, device.sw_version)


def refused(replies: list[tuple[Frame, Frame]]) -> list[tuple[str, str]]:
    """Return the calls that got an error; every other one got a result."""
    assert all(call[1] == reply[1] for call, reply in replies)
    assert {reply[0] for _, reply in replies} <= {3, 4}
    return [(call[2], reply[2]) for call, reply in replies if reply[0] == 4]


def check_sessions(
    sessions: list[dict[str, Any]], fields: tuple[str, ...], expected: list[Any]
) -> None:
    """Check the sessions of connector 1, the newest first: the fields, oldest first."""
    found = [tuple(one[field] for field in fields) for one in reversed(sessions)]
    assert found == expected
    assert {one["connector"] for one in sessions} == {1}
    assert len({one["transaction_id"] for one in sessions}) == len(sessions)
    assert all(one["start"] <= one["stop"] for one in sessions)
