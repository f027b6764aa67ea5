"""Uploads: files of chargers by HTTP, at the port that they dial in at."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from http import HTTPStatus
import logging
import re
import secrets
from typing import Final
from urllib.parse import unquote

from aiohttp import BodyPartReader, ClientError, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from ..station.clock import Clock
from ..station.errors import StationError
from .receiver import Sink, Slot, SlotClosed, TooLarge

_LOGGER = logging.getLogger(__name__)

PREFIX: Final = "/upload/"

_PATIENCE = 60.0
_CHUNK = 64 * 1024
_FORM = 64 * 1024
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")
_PORT = re.compile(r"(?:^|\])[^:\[\]]*:\d+$")
# Chargers add the name of their file, with or without a slash.
_PATH = re.compile(rf"{PREFIX}([0-9a-f]{{32}})/*([^?#]*)")
_BROKEN = (
    ClientError,
    ConnectionError,
    HttpProcessingError,
    ValueError,
    web.RequestPayloadError,
)
_FILE_NAME = re.compile(r'filename="?([^";]+)"?', re.IGNORECASE)


def new_secret() -> str:
    """Return 128 bits that nobody guesses."""
    return secrets.token_hex(16)


def origin(request: web.BaseRequest, *, within: bool = False) -> str | None:
    """Return how a charger addresses us: what it has just done works again.

    `within` is a server that has other paths too: ours begin like that of the charger.
    """
    base = request.path.rsplit("/", 2)[0] if within else ""
    transport = request.transport
    if _HOST.fullmatch(host := request.headers.get("Host", "")):
        if not within and transport is not None and not _PORT.search(host):
            # libwebsockets leaves the port out, whichever it is.
            host = f"{host}:{transport.get_extra_info('sockname')[1]}"
        return f"{request.scheme}://{host}{base}"
    if transport is None:
        return None
    address, port, *_ = transport.get_extra_info("sockname")
    bare = f"[{address}]" if ":" in address else address
    return f"{request.scheme}://{bare}:{port}{base}"


class Uploads:
    """The open slots of a server; a path is good for one file."""

    def __init__(self, clock: Clock) -> None:
        """Start without a slot, so that nothing can be uploaded."""
        self._clock = clock
        self._slots: dict[str, Slot] = {}

    def open(self, slot: Slot) -> str:
        """Let a file come; return the path for it."""
        now = self._clock()
        self._slots = {
            key: one
            for key, one in self._slots.items()
            if not one.done and now < one.expires
        }
        self._slots[slot.secret] = slot
        return f"{PREFIX}{slot.secret}/"

    def close(self, secret: str) -> None:
        """Let a file come no longer, not even one that is on its way."""
        if (slot := self._slots.pop(secret, None)) is not None:
            slot.done = True

    @staticmethod
    def wants(request: web.BaseRequest) -> bool:
        """Return whether a request is an upload, and not a charger that dials in."""
        upgrade = request.headers.get("Upgrade", "").strip().lower()
        return upgrade != "websocket" and request.raw_path.startswith(PREFIX)

    def knows(self, secret: str) -> bool:
        """Return whether a file may come."""
        return secret in self._slots

    async def handle(
        self,
        request: web.BaseRequest,
        let_in: Callable[[asyncio.Transport | None], None] = lambda _: None,
    ) -> web.StreamResponse:
        """Take a file by PUT or POST, raw or as a form; `let_in` whoever may send one."""
        status, headers = await self._answer(request, let_in)
        response = web.Response(status=status, text=status.phrase, headers=headers)
        # What may be left of a body is not worth reading.
        response.force_close()
        return response

    async def _answer(
        self,
        request: web.BaseRequest,
        let_in: Callable[[asyncio.Transport | None], None],
    ) -> tuple[HTTPStatus, dict[str, str]]:
        found = _PATH.search(request.raw_path)
        slot = self._slots.get(found[1]) if found else None
        if found is None or slot is None:
            return HTTPStatus.NOT_FOUND, {}
        if request.method not in {"POST", "PUT"}:
            return HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "POST, PUT"}
        if (request.content_length or 0) > slot.limit + _FORM:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {}
        let_in(request.transport)
        try:
            await self._receive(request, slot, unquote(found[2]) or None)
        except SlotClosed:
            return HTTPStatus.CONFLICT, {}
        except TooLarge:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {}
        except TimeoutError:
            return HTTPStatus.REQUEST_TIMEOUT, {}
        except _BROKEN:
            return HTTPStatus.BAD_REQUEST, {}
        except OSError, StationError:
            _LOGGER.exception("The file of a charger cannot be kept")
            return HTTPStatus.INSUFFICIENT_STORAGE, {}
        self.close(slot.secret)
        return HTTPStatus.CREATED, {}

    async def _receive(
        self, request: web.BaseRequest, slot: Slot, named: str | None
    ) -> None:
        async with Sink(slot, self._clock) as sink:
            await _go_on(request)
            if request.content_type == "multipart/form-data":
                reader = await request.multipart()
                part = await asyncio.wait_for(_file_part(reader), _PATIENCE)
                named = part.filename or named
                body: AsyncIterable[bytes] = _chunks(part)
            else:
                disposition = request.headers.get("Content-Disposition", "")
                if told := _FILE_NAME.search(disposition):
                    named = told[1]
                body = request.content.iter_chunked(_CHUNK)
            async for chunk in _patiently(body):
                await sink.write(chunk)
            await sink.finish(named)


async def _go_on(request: web.BaseRequest) -> None:
    """Answer a client that asks whether to send; an application has done so already."""
    asks = request.headers.get("Expect", "").lower() == "100-continue"
    if asks and not isinstance(request, web.Request):
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


async def _file_part(reader: MultipartReader) -> BodyPartReader:
    """Return the first part of a form that is a file."""
    while (part := await reader.next()) is not None:
        if isinstance(part, BodyPartReader) and part.filename is not None:
            return part
    raise ValueError("no file in the form")


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    # Nothing is unpacked: it would be the file no more, and perhaps without end.
    while chunk := await part.read_chunk(_CHUNK):
        yield chunk


async def _patiently(body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield what comes as long as it comes."""
    chunks = aiter(body)
    while True:
        try:
            yield await asyncio.wait_for(anext(chunks), _PATIENCE)
        except StopAsyncIteration:
            return
