"""Files of chargers: by HTTP at the port that they dial in at, and by FTP."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from ftplib import FTP, all_errors, error_perm
import gzip
from io import BytesIO
import logging
from pathlib import Path
import socket
import struct
import threading
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from aiohttp import ClientError, FormData
import pytest
from yarl import URL

from .central import Central, running, until
from .certificates import client_context, ec_key
from .test_tls import build, write
from custom_components.ev_charger_hub.ocpp import receiver
from custom_components.ev_charger_hub.ocpp.ftp import host_of
from custom_components.ev_charger_hub.ocpp.receiver import (
    MAX_FILE,
    Slot,
    Upload,
    safe_name,
)
from custom_components.ev_charger_hub.ocpp.uploads import new_secret
from custom_components.ev_charger_hub.station.errors import JournalError

CONTENT = b"2026-11-20 10:00:00 relay closed\n" * 9000
LIMIT = len(CONTENT)


class Desk:
    """Slots for files, and what came."""

    def __init__(self, central: Central, folder: Path) -> None:
        """Keep files in `folder`."""
        self.central = central
        self.folder = folder
        self.came: list[tuple[Upload, bytes]] = []
        self.broken = False

    async def _take(self, upload: Upload) -> None:
        if self.broken:
            raise JournalError("disk full")
        self.came.append((upload, upload.path.read_bytes()))

    def slot(self, limit: int = LIMIT) -> Slot:
        """Return a slot for an hour."""
        return Slot(
            secret=new_secret(),
            path=self.folder / "logs" / "7",
            expires=self.central.clock() + timedelta(hours=1),
            taker=self._take,
            limit=limit,
        )

    def open(self, limit: int = LIMIT) -> str:
        """Open a slot and return the path for it."""
        return self.central.system.uploads.open(self.slot(limit)).lstrip("/")

    async def send(
        self, path: str, data: Any = CONTENT, method: str = "PUT", **options: Any
    ) -> int:
        """Upload and return the HTTP status."""
        url = URL(self.central.url(path), encoded=True)
        async with self.central.http.request(
            method, url, data=data, **options
        ) as response:
            return response.status

    @property
    def leftovers(self) -> list[str]:
        """The names of all files on the disk."""
        return sorted(one.name for one in self.folder.rglob("*") if one.is_file())


@pytest.fixture
async def desk(tmp_path: Path, socket_enabled: None) -> AsyncGenerator[Desk]:
    """Return a desk of a running server."""
    async with running() as central:
        yield Desk(central, tmp_path)


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("spelling", ["{0}", "{0}/", "{0}/diag.zip", "{0}diag.zip"])
async def test_a_file_comes_whole(desk: Desk, method: str, spelling: str) -> None:
    path = spelling.format(desk.open().rstrip("/"))
    assert await desk.send(path, method=method) == 201
    ((upload, content),) = desk.came
    assert content == CONTENT
    assert upload.size == len(CONTENT)
    assert upload.name == ("diag.zip" if "diag" in spelling else None)
    assert desk.leftovers == ["7"]


async def test_a_file_comes_as_a_form(desk: Desk) -> None:
    form = FormData()
    form.add_field("comment", "monthly")
    form.add_field("file", BytesIO(CONTENT), filename="log.tar.gz")
    assert await desk.send(desk.open(), form, "POST") == 201
    ((upload, content),) = desk.came
    assert (upload.name, content) == ("log.tar.gz", CONTENT)


async def test_a_form_without_a_file_is_refused(desk: Desk) -> None:
    path = desk.open()
    form = FormData({"comment": "monthly"})
    form.add_field("more", "1", content_type="text/plain")
    assert await desk.send(path, form, "POST") == 400
    assert desk.leftovers == []
    assert await desk.send(path) == 201


async def test_a_header_may_name_the_file(desk: Desk) -> None:
    headers = {"Content-Disposition": 'attachment; filename="log.txt"'}
    await desk.send(desk.open(), headers=headers)
    assert desk.came[0][0].name == "log.txt"


async def test_a_client_that_asks_first_is_told_to_go_on(desk: Desk) -> None:
    async with asyncio.timeout(60):
        assert await desk.send(desk.open(), expect100=True) == 201
    assert desk.came[0][1] == CONTENT


async def test_a_path_is_good_for_one_file(desk: Desk) -> None:
    path = desk.open()
    assert await desk.send(path) == 201
    assert await desk.send(path, b"another") == 404
    assert len(desk.came) == 1


@pytest.mark.parametrize(
    "path",
    [
        "upload/",
        "upload/" + "0" * 32,
        "upload/../../etc/passwd",
        "upload/%2e%2e/secrets.yaml",
        "upload/%C3%A9" + "0" * 31,
    ],
)
async def test_a_path_that_nobody_opened_takes_nothing(desk: Desk, path: str) -> None:
    desk.open()
    assert await desk.send(path) == 404
    assert desk.leftovers == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "PROPFIND"])
async def test_nothing_can_be_fetched_or_listed(desk: Desk, method: str) -> None:
    path = desk.open()
    assert await desk.send(path, None, method) == 405
    assert await desk.send(path) == 201


async def test_a_slot_closes_after_its_time(desk: Desk) -> None:
    path = desk.open()
    desk.central.clock.advance(hours=1)
    assert await desk.send(path) == 409
    desk.open()
    assert await desk.send(path) == 404
    assert desk.came == []


async def _stream(data: bytes) -> AsyncIterator[bytes]:
    """Yield data of which nobody tells the length first."""
    for start in range(0, len(data), 10_000):
        yield data[start : start + 10_000]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_file_that_is_too_large_leaves_nothing(
    desk: Desk, streamed: bool
) -> None:
    path = desk.open(limit=LIMIT - 1)
    data = _stream(CONTENT) if streamed else CONTENT
    try:
        assert await desk.send(path, data) == 413
    except ClientError:
        # The server hung up on a client that was still sending.
        assert streamed
    await until(lambda: desk.leftovers == [])
    assert desk.came == []


async def test_what_comes_packed_stays_packed(desk: Desk) -> None:
    packed = gzip.compress(bytes(5_000_000))
    headers = {"Content-Encoding": "gzip"}
    assert await desk.send(desk.open(), packed, headers=headers) == 201
    assert desk.came[0][1] == packed


def _complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what an administrator would be bothered with."""
    return [one.message for one in caplog.records if one.levelno >= logging.WARNING]


@pytest.mark.parametrize("path", ["upload/" + "0" * 32, "CP01"])
@pytest.mark.parametrize("encoding", ["deflate", "gzip", "zstd"])
async def test_what_cannot_be_unpacked_fills_no_log(
    desk: Desk, caplog: pytest.LogCaptureFixture, path: str, encoding: str
) -> None:
    headers = {"Content-Encoding": encoding}
    assert await desk.send(path, b"no such format" * 99, headers=headers) in {404, 426}
    assert _complaints(caplog) == []


async def test_an_upload_that_breaks_off_may_be_tried_again(desk: Desk) -> None:
    path = desk.open()
    port = desk.central.system.port
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"PUT /{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n"
    writer.write(head.encode() + b"x" * 1000)
    await until(lambda: desk.leftovers == ["7.part"])
    assert await desk.send(path) == 409
    writer.transport.abort()
    await until(lambda: desk.leftovers == [])
    assert await desk.send(path) == 201
    assert desk.came[0][1] == CONTENT


async def test_who_tries_again_at_once_is_not_disturbed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tidy, discard = threading.Event(), receiver._discard

    def later(file: BinaryIO, part: Path) -> None:
        tidy.wait(5)
        discard(file, part)

    monkeypatch.setattr(receiver, "_discard", later)
    path = desk.open()
    form = FormData({"comment": "monthly"})
    form.add_field("more", "1", content_type="text/plain")
    refused = asyncio.create_task(desk.send(path, form, "POST"))
    await until(lambda: desk.leftovers == ["7.part"])
    assert await desk.send(path) == 409
    tidy.set()
    assert await refused == 400
    assert await desk.send(path) == 201
    assert desk.came[-1][1] == CONTENT


@pytest.mark.parametrize("by", ["close", "time"])
async def test_an_upload_on_its_way_ends_with_its_slot(desk: Desk, by: str) -> None:
    path = desk.open()
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", desk.central.system.port
    )
    head = f"PUT /{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n"
    writer.write(head.encode() + b"x" * 1000)
    await until(lambda: desk.leftovers == ["7.part"])
    if by == "time":
        desk.central.clock.advance(hours=1)
    else:
        desk.central.system.uploads.close(path.strip("/").rpartition("/")[2])
    writer.write(b"x" * 1000)
    async with asyncio.timeout(60):
        assert (await reader.readline()).split()[1] == b"409"
    writer.transport.abort()
    assert (desk.leftovers, desk.came) == ([], [])


async def test_folders_of_a_charger_are_not_the_name(desk: Desk) -> None:
    assert await desk.send(desk.open() + "logs/2026/diag.zip") == 201
    assert safe_name(desk.came[0][0].name, "log") == "diag.zip"


async def test_a_slot_does_not_take_attempts_for_ever(desk: Desk) -> None:
    path = desk.open(limit=10)
    answers = [await desk.send(path, _stream(b"x" * 11)) for _ in range(12)]
    assert answers == [413] * 10 + [409] * 2


async def test_a_file_that_cannot_be_noted_is_not_acknowledged(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    path = desk.open()
    desk.broken = True
    assert await desk.send(path) == 507
    assert "cannot be kept" in caplog.text
    assert path.strip("/").rpartition("/")[2] not in caplog.text
    desk.broken = False
    assert await desk.send(path) == 201


async def test_a_charger_may_still_be_called_upload(desk: Desk) -> None:
    desk.central.registrar.approve("CP01")
    charger = await desk.central.connect("upload/CP01")
    assert (await charger.call("Heartbeat"))[0] == 3


async def test_a_charger_is_told_the_address_that_it_knows(desk: Desk) -> None:
    system = desk.central.system
    desk.central.registrar.approve("CP01")
    assert system.origin("CP01") is None
    await desk.central.connect(headers={"Host": "home.lan:9000"})
    assert system.origin("CP01") == "http://home.lan:9000"


@pytest.mark.parametrize("host", ["home.lan", "[fd00::7]"])
async def test_a_host_without_a_port_gets_the_one_that_was_dialled(
    desk: Desk, host: str
) -> None:
    desk.central.registrar.approve("CP01")
    await desk.central.connect(headers={"Host": host})
    expected = f"http://{host}:{desk.central.system.port}"
    assert desk.central.system.origin("CP01") == expected


async def test_a_host_that_is_none_is_replaced_by_our_address(desk: Desk) -> None:
    desk.central.registrar.approve("CP01")
    await desk.central.connect(headers={"Host": "a b\\c"})
    expected = f"http://127.0.0.1:{desk.central.system.port}"
    assert desk.central.system.origin("CP01") == expected


async def test_a_charger_that_came_encrypted_uploads_encrypted(
    tmp_path: Path, socket_enabled: None
) -> None:
    contexts = build(*write(tmp_path, ec_key()))
    tls = client_context()
    async with running(contexts=contexts) as central:
        central.registrar.approve("CP01")
        await central.connect(ssl=tls)
        origin = central.system.origin("CP01")
        assert origin == f"https://127.0.0.1:{central.system.port}"
        desk = Desk(central, tmp_path / "files")
        assert await desk.send(desk.open(), ssl=tls) == 201
        assert desk.came[0][1] == CONTENT


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("diag-2026.zip", "diag-2026.zip"),
        ("/var/log/../diag.zip", "diag.zip"),
        ("C:\\logs\\diag.zip", "diag.zip"),
        ("..", "log"),
        (".ssh", "ssh"),
        ("", "log"),
        (None, "log"),
        ("<img src=x>.txt", "img_src_x_.txt"),
        ("a\r\nSet-Cookie: b", "a_Set-Cookie_b"),
        ("ü" * 300, "log"),
        ("x" * 300 + ".zip", "x" * 76 + ".zip"),
    ],
)
def test_names_of_files_are_made_harmless(given: str | None, kept: str) -> None:
    assert safe_name(given, "log") == kept


def test_a_slot_has_room_for_the_logs_of_real_chargers() -> None:
    assert MAX_FILE == 50 * 1024 * 1024


# FTP


class Client:
    """A charger that speaks FTP; ftplib blocks, so it has threads."""

    def __init__(self, url: str) -> None:
        """Prepare to upload to `url`."""
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        self.host, self.port = parts.hostname, parts.port
        self.user, self.password = parts.username or "", parts.password or ""

    def _do(self, work: Any) -> Any:
        with FTP(timeout=60) as ftp:
            ftp.connect(self.host, self.port)
            return work(ftp)

    async def run(self, work: Any) -> Any:
        """Connect and do something."""
        return await asyncio.to_thread(self._do, work)

    async def store(
        self, data: bytes = CONTENT, name: str = "diag.zip", *, passive: bool = True
    ) -> str:
        """Log in and store a file as real chargers do."""

        def work(ftp: FTP) -> str:
            ftp.login(self.user, self.password)
            ftp.set_pasv(passive)
            ftp.cwd("/")
            return ftp.storbinary(f"STOR {name}", BytesIO(data))

        reply: str = await self.run(work)
        return reply


@pytest.fixture
async def ftp_slot(desk: Desk) -> tuple[Client, Slot]:
    """Return a client for an open slot."""
    slot = desk.slot()
    return Client(await desk.central.system.ftp.open(slot, "127.0.0.1")), slot


async def test_a_file_comes_by_ftp(desk: Desk, ftp_slot: tuple[Client, Slot]) -> None:
    client, _ = ftp_slot
    assert (await client.store()).startswith("226")
    ((upload, content),) = desk.came
    assert (upload.name, content) == ("diag.zip", CONTENT)
    assert desk.leftovers == ["7"]
    with pytest.raises(error_perm, match="550"):
        await client.store(b"another")


async def test_ftp_lists_fetches_and_deletes_nothing(
    desk: Desk, ftp_slot: tuple[Client, Slot]
) -> None:
    client, _ = ftp_slot
    (desk.folder / "secrets.yaml").write_text("x")

    def work(ftp: FTP) -> list[str]:
        ftp.login(client.user, client.password)
        replies = []
        for command in (
            "LIST",
            "NLST",
            "RETR secrets.yaml",
            "DELE secrets.yaml",
            "RNFR secrets.yaml",
            "SITE EXEC ls",
            "PORT 10,0,0,1,0,80",
            "AUTH TLS",
            "\x00\x01",
        ):
            ftp.putcmd(command)
            replies.append(ftp.getline()[:3])
        return replies

    assert set(await client.run(work)) == {"502"}
    assert desk.leftovers == ["secrets.yaml"]


async def test_ftp_wants_the_password(
    desk: Desk, ftp_slot: tuple[Client, Slot]
) -> None:
    client, slot = ftp_slot
    with pytest.raises(error_perm, match="530"):
        await client.run(lambda ftp: ftp.storbinary("STOR x", BytesIO(b"x")))
    client.password = "0" * 32
    with pytest.raises(error_perm, match="530"):
        await client.store()
    assert desk.came == []
    client.password = slot.secret
    assert (await client.store()).startswith("226")


async def test_ftp_hangs_up_on_who_guesses(ftp_slot: tuple[Client, Slot]) -> None:
    def work(ftp: FTP) -> int:
        for number in range(10):
            try:
                ftp.login("charger", f"guess{number}")
            except error_perm:
                continue
            except all_errors:
                return number
        return 10

    assert await ftp_slot[0].run(work) == 3


async def test_a_file_by_ftp_may_be_too_large(desk: Desk) -> None:
    url = await desk.central.system.ftp.open(desk.slot(limit=1000), "127.0.0.1")
    with pytest.raises(all_errors):
        await Client(url).store()
    await until(lambda: desk.leftovers == [])
    assert desk.came == []


async def test_nobody_listens_for_ftp_without_a_slot(
    desk: Desk, ftp_slot: tuple[Client, Slot]
) -> None:
    client, slot = ftp_slot
    desk.central.system.ftp.close(slot.secret)
    with pytest.raises(OSError):
        await client.store()


async def test_active_ftp_is_refused_because_it_could_be_aimed_at_others(
    desk: Desk, ftp_slot: tuple[Client, Slot]
) -> None:
    with pytest.raises(error_perm, match="502"):
        await ftp_slot[0].store(passive=False)
    assert desk.came == []


async def test_an_upload_by_ftp_that_breaks_off_is_no_fault_of_ours(
    desk: Desk, ftp_slot: tuple[Client, Slot], caplog: pytest.LogCaptureFixture
) -> None:
    client, _ = ftp_slot

    def work(ftp: FTP) -> str:
        ftp.login(client.user, client.password)
        data = ftp.transfercmd("STOR diag.zip")
        data.sendall(CONTENT)
        # The connection is reset instead of being closed.
        data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        data.close()
        return ftp.getline()

    assert (await client.run(work)).startswith("426")
    assert (desk.leftovers, desk.came, _complaints(caplog)) == ([], [], [])
    assert (await client.store()).startswith("226")


class Visitor:
    """A bare control connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Say nothing yet."""
        self._reader = reader
        self.writer = writer

    @classmethod
    async def of(cls, client: Client) -> Visitor:
        """Connect."""
        return cls(*await asyncio.open_connection(client.host, client.port))

    async def reply(self, command: str = "") -> str:
        """Send a command and return the code of the reply, "" if there is none."""
        async with asyncio.timeout(60):
            try:
                if command:
                    self.writer.write(f"{command}\r\n".encode())
                return (await self._reader.readline())[:3].decode()
            except ConnectionError:
                return ""


@pytest.fixture
async def visitors(ftp_slot: tuple[Client, Slot]) -> AsyncGenerator[list[Visitor]]:
    """Return as many connections as there may be."""
    visitors = [await Visitor.of(ftp_slot[0]) for _ in range(8)]
    assert [await one.reply() for one in visitors] == ["220"] * 8
    yield visitors
    for one in visitors:
        one.writer.transport.abort()


async def test_who_has_no_password_gives_way_at_the_ftp_port(
    ftp_slot: tuple[Client, Slot], visitors: list[Visitor]
) -> None:
    assert (await ftp_slot[0].store()).startswith("226")
    assert [await one.reply("NOOP") for one in visitors] == [""] + ["200"] * 7


async def test_ftp_connections_are_few(
    ftp_slot: tuple[Client, Slot], visitors: list[Visitor]
) -> None:
    client, slot = ftp_slot
    for one in visitors:
        assert await one.reply(f"PASS {slot.secret}") == "230"
    late = await Visitor.of(client)
    assert await late.reply() == ""
    late.writer.transport.abort()


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://192.168.1.2:9000", "192.168.1.2"),
        ("https://home.lan", "home.lan"),
        ("http://[fe80::1]:9000", "[fe80::1]"),
    ],
)
def test_ftp_is_told_the_host_that_the_charger_knows(origin: str, host: str) -> None:
    assert host_of(origin) == host
