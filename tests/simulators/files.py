"""A place to bring files to and fetch them from, over HTTP and FTP."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import BodyPartReader, web


class Depot:
    """Takes every file, and hands out those it has."""

    def __init__(self) -> None:
        """Start empty."""
        self.arrived: list[tuple[str, str, bytes]] = []
        """Method, path and content of every upload."""
        self.offered: dict[str, bytes] = {}
        self.status = 200
        self.url = ""

    async def _take(self, request: web.Request) -> web.Response:
        if request.content_type.startswith("multipart/"):
            field = await (await request.multipart()).next()
            assert isinstance(field, BodyPartReader)
            content = await field.read()
            self.arrived.append(("MULTIPART", field.filename or "", content))
        else:
            content = await request.read()
            self.arrived.append((request.method, request.raw_path, content))
        return web.Response(status=self.status)

    async def _give(self, request: web.Request) -> web.Response:
        if (content := self.offered.get(request.path)) is None:
            raise web.HTTPNotFound
        return web.Response(body=content)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Depot]:
        """Listen as long as the context lasts."""
        app = web.Application(client_max_size=2**20)
        app.router.add_get("/{path:.*}", self._give)
        app.router.add_route("*", "/{path:.*}", self._take)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=1, lingering_time=0
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield self
        await runner.cleanup()


class FtpDepot:
    """The least that an FTP client can talk to: passive, one file at a time."""

    def __init__(self) -> None:
        """Start empty."""
        self.commands: list[str] = []
        self.content = b""
        self.limit = -1
        """Bytes after which it hangs up on a file; as many as there are if below 0."""
        self.url = ""

    async def _data(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.content = await reader.read(self.limit)
        if self.limit > 0:
            writer.transport.abort()
        writer.close()
        self._stored.set()

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"220 hello\r\n")
        data = await asyncio.start_server(self._data, "127.0.0.1", 0)
        port = data.sockets[0].getsockname()[1]
        while line := (await reader.readline()).decode().strip():
            self.commands.append(line)
            match line.partition(" ")[0]:
                case "USER":
                    writer.write(b"331 password\r\n")
                case "PASS":
                    writer.write(b"230 welcome\r\n")
                case "PASV":
                    numbers = f"127,0,0,1,{port // 256},{port % 256}"
                    writer.write(f"227 here ({numbers})\r\n".encode())
                case "STOR":
                    writer.write(b"150 send\r\n")
                    await self._stored.wait()
                    full = 0 < self.limit <= len(self.content)
                    writer.write(b"552 too large\r\n" if full else b"226 stored\r\n")
                case "QUIT":
                    writer.write(b"221 goodbye\r\n")
                case _:
                    writer.write(b"200 well\r\n")
        data.close()
        writer.close()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[FtpDepot]:
        """Listen as long as the context lasts."""
        self._stored = asyncio.Event()
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = f"ftp://one:two%2F@127.0.0.1:{port}/in/logs"
        yield self
        server.close()
