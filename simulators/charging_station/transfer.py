"""Files over the network as stations move them: up by HTTP or FTP, down by HTTP."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from ftplib import FTP, FTP_TLS, all_errors
from io import BytesIO
import ssl
from urllib.parse import quote, unquote, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, FormData
from yarl import URL

PATIENCE = ClientTimeout(total=60)
HUGE = 100 * 2**20
"""How much a station sends that knows no end, in bytes."""
CHUNK = 64 * 2**10
REFUSALS = {
    400: "BadMessage",
    401: "PermissionDenied",
    403: "PermissionDenied",
    405: "NotSupportedOperation",
    501: "NotSupportedOperation",
}


class TransferFailed(Exception):
    """A file did not get through; the text is an UploadLogStatusEnumType."""


class Way(StrEnum):
    """How a station uploads over HTTP."""

    MULTIPART = "multipart"
    POST = "post"
    PUT = "put"


@dataclass(kw_only=True, frozen=True, slots=True)
class Parcel:
    """A file to be uploaded."""

    name: str
    content: bytes
    huge: bool = False
    """Whether nothing but zeros follows, for a long time."""
    cut: bool = False
    """Whether the connection breaks before the end."""

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the content, and what is wrong with it."""
        yield self.content
        if self.huge:
            for _ in range(HUGE // CHUNK):
                yield bytes(CHUNK)
        if self.cut:
            raise ConnectionResetError("cut")


def web_context(roots: list[str]) -> ssl.SSLContext:
    """Return a context that trusts the world's roots and these; blocking."""
    context = ssl.create_default_context()
    if roots:
        context.load_verify_locations(cadata="\n".join(roots))
    return context


def target(location: str, name: str, *, append: bool) -> str:
    """Return where a file goes; a location is a folder unless taken as it is."""
    return f"{location.rstrip('/')}/{quote(name, safe='')}" if append else location


async def upload(
    location: str, parcel: Parcel, *, way: Way, append: bool, roots: list[str]
) -> None:
    """Bring a file to a location; raises TransferFailed."""
    match urlsplit(location).scheme:
        case "http" | "https":
            url = target(location, parcel.name, append=append)
            await _send(url, parcel, way, await asyncio.to_thread(web_context, roots))
        case "ftp" | "ftps":
            await asyncio.to_thread(_store, location, parcel, roots)
        case _:
            raise TransferFailed("NotSupportedOperation")


async def _send(url: str, parcel: Parcel, way: Way, context: ssl.SSLContext) -> None:
    body: FormData | AsyncIterator[bytes] = parcel.chunks()
    if way is Way.MULTIPART:
        body = FormData()
        body.add_field("file", parcel.chunks(), filename=parcel.name)
    method = "PUT" if way is Way.PUT else "POST"
    try:
        async with (
            ClientSession(timeout=PATIENCE) as http,
            http.request(
                method, URL(url, encoded=True), data=body, ssl=context
            ) as answer,
        ):
            if not answer.ok:
                raise TransferFailed(REFUSALS.get(answer.status, "UploadFailure"))
    except (ClientError, OSError, TimeoutError) as err:
        raise TransferFailed("UploadFailure") from err


def _store(location: str, parcel: Parcel, roots: list[str]) -> None:
    """Bring a file to an FTP server; blocking."""
    try:
        with _ftp(urlsplit(location).scheme, roots) as ftp:
            _store_at(ftp, location, parcel)
    except all_errors as err:
        # Also what is said last, to a client that takes its leave.
        raise TransferFailed("UploadFailure") from err


def _ftp(scheme: str, roots: list[str]) -> FTP:
    """Return a client that is not connected yet."""
    return FTP_TLS(context=web_context(roots)) if scheme == "ftps" else FTP()  # noqa: S321


def _store_at(ftp: FTP, location: str, parcel: Parcel) -> None:
    url = urlsplit(location)
    ftp.connect(url.hostname or "", url.port or 21, timeout=30)
    ftp.login(unquote(url.username or ""), unquote(url.password or ""))
    if isinstance(ftp, FTP_TLS):
        ftp.prot_p()
    if folder := unquote(url.path).strip("/"):
        ftp.cwd(folder)
    rest = bytes(HUGE) if parcel.huge else b""
    ftp.storbinary(f"STOR {parcel.name}", BytesIO(parcel.content + rest))


async def download(location: str, *, roots: list[str]) -> bytes:
    """Return what is at an HTTP location; raises TransferFailed."""
    try:
        async with (
            ClientSession(timeout=PATIENCE, raise_for_status=True) as http,
            http.get(
                location, ssl=await asyncio.to_thread(web_context, roots)
            ) as answer,
        ):
            return await answer.read()
    except (ClientError, OSError, TimeoutError, ValueError) as err:
        raise TransferFailed("UploadFailure") from err
