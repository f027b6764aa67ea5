"""FTP: files of chargers that know no other way; only uploads, one for each log-in."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import hmac
import logging
import re
from typing import Final
from urllib.parse import urlsplit

from ..station.clock import Clock
from ..station.errors import StationError
from .receiver import Sink, Slot, SlotClosed, TooLarge
from .tasks import Tasks

_LOGGER = logging.getLogger(__name__)

USER: Final = "charger"

_CONNECTIONS = 8
_IDLE = 60.0
_LINE = 1024
_COMMANDS = 200
_WRONG = 3
_CHUNK = 64 * 1024

# What a client may ask on its way, and that means nothing here.
_FIXED = {
    "ACCT": "202 not needed",
    "ALLO": "202 not needed",
    "CDUP": "250 done",
    "CWD": "250 done",
    "FEAT": "211-Features:\r\n EPSV\r\n PASV\r\n UTF8\r\n211 End",
    "MKD": '257 "/" made',
    "NOOP": "200 done",
    "OPTS": "200 done",
    "PWD": '257 "/" is where you are',
    "SYST": "215 UNIX Type: L8",
    "TYPE": "200 done",
    "XMKD": '257 "/" made',
    "XPWD": '257 "/" is where you are',
}
_BEFORE_LOGIN = frozenset({"ACCT", "FEAT", "NOOP", "OPTS", "SYST"})
_COMMAND = re.compile(r"([A-Za-z]{3,4})(?: (.*))?")


class FtpReceiver:
    """An FTP server that runs while somebody may upload, and takes only files.

    Each slot is a user of its own, whose password is the secret of the slot. There is
    nothing to list or to fetch, and data comes over passive connections only, from the
    address that has logged in.
    """

    def __init__(self, host: str, clock: Clock) -> None:
        """Prepare to listen at an address of ours."""
        self._host = host
        self._clock = clock
        self._slots: dict[str, Slot] = {}
        self._server: asyncio.Server | None = None
        self._tasks = Tasks()
        self._visitors: dict[asyncio.Task[None], _Visitor] = {}
        self._starting = asyncio.Lock()

    async def open(self, slot: Slot, host: str) -> str:
        """Let a file come; return its URL, given our host name. Raises OSError."""
        async with self._starting:
            if self._server is None:
                self._server = await asyncio.start_server(
                    self._welcome, self._host, 0, limit=_LINE
                )
        self._slots[slot.secret] = slot
        port = self._server.sockets[0].getsockname()[1]
        return f"ftp://{USER}:{slot.secret}@{host}:{port}/"

    def close(self, secret: str) -> None:
        """Let a file come no longer; nobody listens once there is no slot.

        That holds for one that is on its way, too.
        """
        if (slot := self._slots.pop(secret, None)) is not None:
            slot.done = True
        now = self._clock()
        for key in [key for key, one in self._slots.items() if now >= one.expires]:
            del self._slots[key]
        if not self._slots:
            self._hang_up()

    async def stop(self) -> None:
        """End everything at once."""
        self._slots.clear()
        self._hang_up()
        await self._tasks.cancel()

    def _hang_up(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _slot(self, password: str) -> Slot | None:
        """Return the slot of a password; compared so that time tells nothing."""
        found = None
        for secret, slot in self._slots.items():
            if hmac.compare_digest(secret.encode(), password.encode()):
                found = slot
        return found

    async def _welcome(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if len(self._visitors) >= _CONNECTIONS and not self._make_room():
            writer.transport.abort()
            return
        visitor = _Visitor(reader, writer, self._slot, self._clock)
        task = self._tasks.spawn(visitor.run(), "FTP upload")
        self._visitors[task] = visitor
        task.add_done_callback(self._left)

    def _make_room(self) -> bool:
        """Turn out who has been here longest without a password, if there is one."""
        for task, visitor in self._visitors.items():
            if not visitor.logged_in:
                self._left(task)
                task.cancel()
                return True
        return False

    def _left(self, task: asyncio.Task[None]) -> None:
        self._visitors.pop(task, None)


@dataclass(slots=True)
class _Data:
    """A passive connection: who listens, and the reader once somebody came."""

    server: asyncio.Server
    reader: asyncio.Future[asyncio.StreamReader]
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def close(self) -> None:
        """Close what listens, and what came."""
        self.server.close()
        self.reader.cancel()
        for writer in self.writers:
            writer.transport.abort()


class _Visitor:
    """One control connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        slot_of: Callable[[str], Slot | None],
        clock: Clock,
    ) -> None:
        """Serve a client that has just connected."""
        self._reader = reader
        self._writer = writer
        self._slot_of = slot_of
        self._clock = clock
        self._slot: Slot | None = None
        self._data: _Data | None = None
        self._wrong = 0

    @property
    def logged_in(self) -> bool:
        """Return whether the client has told the password of a slot."""
        return self._slot is not None

    async def run(self) -> None:
        """Answer until the client leaves, or falls silent, or asks too much."""
        try:
            await self._reply("220 ready")
            for _ in range(_COMMANDS):
                line = await asyncio.wait_for(self._reader.readline(), _IDLE)
                if not line or not await self._obey(line.decode("utf-8", "replace")):
                    break
        except TimeoutError, OSError, ValueError:
            _LOGGER.debug("An FTP connection ended in the middle")
        finally:
            self._close_data()
            self._writer.transport.abort()

    async def _reply(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode())
        async with asyncio.timeout(_IDLE):
            await self._writer.drain()

    async def _obey(self, line: str) -> bool:
        """Answer one command; return whether to go on."""
        found = _COMMAND.fullmatch(line.strip("\r\n"))
        command, argument = (found[1].upper(), found[2] or "") if found else ("", "")
        if command == "QUIT":
            await self._reply("221 goodbye")
            return False
        if command == "USER":
            await self._reply("331 password")
        elif command == "PASS":
            return await self._log_in(argument)
        elif self._slot is None and command not in _BEFORE_LOGIN:
            await self._reply("530 log in first")
        elif command in {"EPSV", "PASV"}:
            await self._listen(command)
        elif command in {"APPE", "STOR", "STOU"} and self._slot is not None:
            await self._store(self._slot, argument)
        else:
            await self._reply(_FIXED.get(command, "502 uploads only"))
        return True

    async def _log_in(self, password: str) -> bool:
        self._slot = self._slot_of(password)
        if self._slot is not None:
            await self._reply("230 welcome")
            return True
        self._wrong += 1
        await self._reply("530 wrong password")
        return self._wrong < _WRONG

    async def _listen(self, command: str) -> None:
        """Open a port for the file, where the client is reached already."""
        self._close_data()
        address = _plain(self._writer.get_extra_info("sockname"))
        if command == "PASV" and ":" in address:
            await self._reply("522 use EPSV")
            return
        arrived: asyncio.Future[asyncio.StreamReader]
        arrived = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(self._arrived, address, 0)
        self._data = _Data(server, arrived)
        port = server.sockets[0].getsockname()[1]
        if command == "EPSV":
            await self._reply(f"229 listening (|||{port}|)")
            return
        numbers = [*address.split("."), str(port // 256), str(port % 256)]
        await self._reply(f"227 listening ({','.join(numbers)})")

    async def _arrived(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take the first connection that comes from the right address."""
        data, who = self._data, _plain(writer.get_extra_info("peername"))
        known = who == _plain(self._writer.get_extra_info("peername"))
        if data is None or data.reader.done() or not known:
            writer.transport.abort()
            return
        data.writers.append(writer)
        data.reader.set_result(reader)

    async def _store(self, slot: Slot, name: str) -> None:
        if (data := self._data) is None:
            await self._reply("425 use PASV first")
            return
        try:
            async with Sink(slot, self._clock) as sink:
                await self._reply("150 send it")
                reader = await asyncio.wait_for(data.reader, _IDLE)
                while chunk := await asyncio.wait_for(reader.read(_CHUNK), _IDLE):
                    await sink.write(chunk)
                await sink.finish(name or None)
        except SlotClosed:
            await self._reply("550 no room for another file")
        except TooLarge:
            await self._reply("552 too large")
        except TimeoutError, ConnectionError:
            await self._reply("426 nothing more came")
        except OSError, StationError:
            _LOGGER.exception("The file of a charger cannot be kept")
            await self._reply("451 not stored")
        else:
            await self._reply("226 stored")
        finally:
            self._close_data()

    def _close_data(self) -> None:
        data, self._data = self._data, None
        if data is not None:
            data.close()


def _plain(address: tuple[str, ...] | None) -> str:
    """Return the host of a socket address; one of IPv4 looks like one."""
    return address[0].removeprefix("::ffff:") if address else ""


def host_of(origin: str) -> str:
    """Return the host of an origin as it stands in a URL, without its port."""
    host = urlsplit(origin).hostname or ""
    return f"[{host}]" if ":" in host else host
