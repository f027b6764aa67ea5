"""The listener: one port with and without TLS, and whoever says nothing at it."""

import asyncio
from collections.abc import AsyncGenerator
import errno
from pathlib import Path
import socket
import ssl
from typing import Any, override

from aiohttp import ClientError, ClientSession
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
import pytest

from .central import BOOT, HASH, HOST, PASSWORD, Central, basic, running, until
from .certificates import client_context, ec_key, private_pem, rsa_key, signing_request
from custom_components.ev_charger_hub.ocpp import listener as module
from custom_components.ev_charger_hub.ocpp.authority import Authority
from custom_components.ev_charger_hub.ocpp.listener import Listener
from custom_components.ev_charger_hub.ocpp.tls import Contexts, build_contexts
from custom_components.ev_charger_hub.station.clock import utc_now

PATIENCE = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an authority with a certificate for this machine."""
    folder = tmp_path_factory.mktemp("authority")
    Authority.open(folder, utc_now).renew_server([HOST])
    return folder


@pytest.fixture
def authority(folder: Path) -> Authority:
    """Return an authority by the time of this machine, as OpenSSL has it."""
    return Authority.open(folder, utc_now)


@pytest.fixture
def contexts(authority: Authority) -> Contexts:
    """Return what its server speaks TLS with, to chargers with certificates too."""
    return contexts_of(authority, client_root=authority.root_pem)


@pytest.fixture
async def both(socket_enabled: None, contexts: Contexts) -> AsyncGenerator[Central]:
    """Return a server that takes chargers with and without TLS."""
    asyncio.get_running_loop().set_debug(False)
    async with running(contexts=contexts, plain=True) as central:
        yield central


def contexts_of(authority: Authority, **options: Any) -> Contexts:
    return build_contexts([(one, one) for one in authority.server_files], **options)


async def certificate_of(
    authority: Authority, identity: str = "CP01", *, with_rsa: bool = False
) -> str:
    """Return key and certificate of a charger in PEM."""
    key = rsa_key() if with_rsa else ec_key()
    csr = signing_request(key, identity)
    chain = await authority.sign(csr, names={identity}, identity=identity)
    return private_pem(key) + chain


def der(pem: str) -> bytes:
    leaf = x509.load_pem_x509_certificate(pem.encode())
    return leaf.public_bytes(Encoding.DER)


async def silent(port: int, *, source: str = HOST) -> socket.socket:
    """Return a connection that says nothing."""
    one = socket.create_connection((HOST, port), source_address=(source, 0))
    one.setblocking(False)
    return one


async def ended(one: socket.socket) -> bool:
    """Wait until the other end of a connection is closed."""
    async with asyncio.timeout(PATIENCE):
        try:
            return not await asyncio.get_running_loop().sock_recv(one, 100)
        except ConnectionResetError:
            return True


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_one_port_takes_chargers_with_and_without_tls(
    both: Central, authority: Authority, scheme: str
) -> None:
    both.registrar.approve("CP01")
    both.scheme = scheme
    charger = await both.connect(ssl=client_context(root=authority.root_pem))
    assert (await charger.call("Heartbeat"))[0] == 3
    secure = charger.ws.get_extra_info("ssl_object") is not None
    assert secure is (scheme == "https")


async def test_server_without_tls_takes_no_tls(socket_enabled: None) -> None:
    async with running() as central:
        central.registrar.approve("CP01")
        await (await central.connect()).call("Heartbeat")
        central.scheme = "https"
        with pytest.raises(ClientError):
            await central.connect(ssl=client_context())


async def test_server_with_tls_only_takes_nobody_without(
    socket_enabled: None, contexts: Contexts
) -> None:
    asyncio.get_running_loop().set_debug(False)
    async with running(contexts=contexts) as central:
        central.registrar.approve("CP01")
        await (await central.connect(ssl=client_context())).call("Heartbeat")
        central.scheme = "http"
        with pytest.raises(ClientError):
            await central.connect()


async def test_first_bytes_may_come_one_by_one(both: Central) -> None:
    one = await silent(both.system.port)
    loop = asyncio.get_running_loop()
    with one:
        for octet in b"GET / HTTP/1.1\r\nHost: x\r\n\r\n":
            await loop.sock_sendall(one, bytes([octet]))
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            assert (await loop.sock_recv(one, 100)).startswith(b"HTTP/1.1 426 ")


async def test_new_certificates_are_used_from_the_next_connection_on(
    both: Central, tmp_path: Path
) -> None:
    both.registrar.approve("CP01")
    both.scheme = "https"
    before = await both.connect(ssl=client_context())
    other = Authority.open(tmp_path, utc_now)
    await asyncio.to_thread(other.renew_server, [HOST])
    both.system.use(contexts_of(other))
    assert (await before.call("Heartbeat"))[0] == 3
    after = await both.connect(ssl=client_context(root=other.root_pem))
    assert (await after.call("Heartbeat"))[0] == 3


# Client certificates


@pytest.mark.conformance("TC_087_CSMS")
@pytest.mark.parametrize("with_rsa", [False, True])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_charger_proves_itself_with_a_certificate_instead_of_a_password(
    both: Central,
    authority: Authority,
    tmp_path: Path,
    version: ssl.TLSVersion,
    with_rsa: bool,
) -> None:
    pem = await certificate_of(authority, with_rsa=with_rsa)
    both.registrar.certificates[der(pem)] = "CP01"
    both.registrar.approve("CP01", password_hash=HASH, security_profile=3)
    both.scheme = "https"
    client = client_context(root=authority.root_pem, certificate=pem, folder=tmp_path)
    client.minimum_version = client.maximum_version = version
    charger = await both.connect(ssl=client)
    assert (await charger.call("BootNotification", BOOT))[2]["status"] == "Accepted"
    connection = both.system.sessions["CP01"].connection
    assert connection is not None
    assert connection.profile == 3


@pytest.mark.conformance("SEC_06")
async def test_certificate_of_another_charger_proves_nothing(
    both: Central, authority: Authority, tmp_path: Path
) -> None:
    pem = await certificate_of(authority, "CP02")
    both.registrar.certificates[der(pem)] = "CP02"
    both.registrar.approve("CP01", security_profile=3)
    both.scheme = "https"
    client = client_context(certificate=pem, folder=tmp_path)
    async with both.http.get(
        both.url("CP01"), headers={"Upgrade": "websocket"}, ssl=client
    ) as response:
        assert response.status == 403


@pytest.mark.conformance("SEC_06")
async def test_foreign_certificate_ends_the_handshake_and_is_not_asked_for_again(
    both: Central, tmp_path: Path
) -> None:
    foreign = Authority.open(tmp_path / "foreign", utc_now)
    pem = await certificate_of(foreign)
    both.registrar.approve("CP01", password_hash=HASH)
    both.registrar.approve("CP02", security_profile=3)
    both.scheme = "https"
    client = client_context(certificate=pem, folder=tmp_path)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    # A fresh session each time: no connection and no TLS session is used again.
    with pytest.raises(ClientError):
        await both.connect("CP01", ssl=client, headers=basic("CP01", PASSWORD))
    charger = await both.connect("CP01", ssl=client, headers=basic("CP01", PASSWORD))
    assert (await charger.call("Heartbeat"))[0] == 3
    connection = both.system.sessions["CP01"].connection
    assert connection is not None
    assert connection.profile == 2
    # But only once, and nobody gets further by it than without a certificate.
    with pytest.raises(ClientError):
        await both.connect("CP02", ssl=client)
    async with (
        ClientSession() as http,
        http.get(
            both.url("CP02"), headers={"Upgrade": "websocket"}, ssl=client
        ) as response,
    ):
        assert response.status == 403


async def test_nobody_is_asked_before_there_is_a_certificate(
    socket_enabled: None, authority: Authority, tmp_path: Path
) -> None:
    wanted = False
    contexts = contexts_of(
        authority, client_root=authority.root_pem, asks=lambda: wanted
    )
    foreign = Authority.open(tmp_path / "foreign", utc_now)
    client = client_context(certificate=await certificate_of(foreign), folder=tmp_path)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    asyncio.get_running_loop().set_debug(False)
    async with running(contexts=contexts) as central:
        central.registrar.approve("CP01")
        await central.connect(ssl=client)
        wanted = True
        with pytest.raises(ClientError):
            await central.connect(ssl=client)


# Whoever says nothing


class Nothing(asyncio.Protocol):
    """A protocol that is only there."""


@pytest.fixture
async def listener(
    socket_enabled: None, contexts: Contexts
) -> AsyncGenerator[Listener]:
    """Return a listener for a few that say nothing."""
    one = Listener(
        Nothing, host=HOST, port=0, contexts=contexts, plain=True, half_open=3
    )
    await one.start()
    yield one
    await one.close()


@pytest.mark.conformance("WS_11")
@pytest.mark.parametrize("said", [b"", b"\x16", b"\x16\x03\x01"])
async def test_who_does_not_go_on_is_dropped(
    socket_enabled: None, contexts: Contexts, said: bytes
) -> None:
    asyncio.get_running_loop().set_debug(False)
    impatient = Listener(
        Nothing, host=HOST, port=0, contexts=contexts, plain=True, timeout=0.05
    )
    await impatient.start()
    with await silent(impatient.port) as one:
        await asyncio.get_running_loop().sock_sendall(one, said)
        assert await ended(one)
    await until(lambda: len(impatient) == 0)
    await impatient.close()


@pytest.mark.conformance("WS_11")
async def test_flood_pushes_out_nobody_but_itself(listener: Listener) -> None:
    with await silent(listener.port, source="127.0.0.2") as other:
        await until(lambda: len(listener) == 1)
        flood = [await silent(listener.port) for _ in range(3)]
        assert await ended(flood[0])
        with pytest.raises(BlockingIOError):
            other.recv(1)
        for one in flood:
            one.close()


@pytest.mark.filterwarnings("error::ResourceWarning")
@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
async def test_who_gives_way_at_once_is_dropped(listener: Listener) -> None:
    """Test a flood that is accepted in one go."""
    flood = [socket.create_connection((HOST, listener.port)) for _ in range(8)]
    for one in flood:
        one.setblocking(False)
    await until(lambda: len(listener) == 3)
    assert [await ended(one) for one in flood[:5]] == [True] * 5
    for one in flood:
        one.close()


async def test_who_hangs_up_at_once_leaves_nothing_behind(listener: Listener) -> None:
    (await silent(listener.port)).close()
    one = await silent(listener.port)
    await until(lambda: len(listener) == 1)
    one.close()
    await until(lambda: len(listener) == 0)


async def test_end_of_the_listener_drops_who_waits(listener: Listener) -> None:
    with await silent(listener.port) as one:
        await until(lambda: len(listener) == 1)
        await listener.close()
        assert await ended(one)
        assert len(listener) == 0


async def test_host_with_several_addresses_is_listened_at_with_each(
    socket_enabled: None, contexts: Contexts
) -> None:
    one = Listener(Nothing, host="", port=0, contexts=contexts, plain=True)
    await one.start()
    with await silent(one.port):
        await until(lambda: len(one) == 1)
    await one.close()


async def test_host_that_is_not_ours_is_an_os_error(socket_enabled: None) -> None:
    one = Listener(Nothing, host="192.0.2.1", port=0, contexts=None, plain=True)
    with pytest.raises(OSError) as error:
        await one.start()
    assert error.value.errno == errno.EADDRNOTAVAIL


class Exhausted(socket.socket):
    """A listening socket for which the first times there is no room."""

    tries = 0

    @override
    def accept(self) -> Any:
        type(self).tries += 1
        if self.tries < 3:
            raise OSError(errno.EMFILE, "too many open files")
        return super().accept()


async def test_listener_without_room_rests_and_goes_on(
    socket_enabled: None, contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(address: Any, *, family: int, backlog: int) -> socket.socket:
        plain = socket.create_server(address, family=family, backlog=backlog)
        return Exhausted(fileno=plain.detach())

    monkeypatch.setattr(module, "create_server", create)
    monkeypatch.setattr(module, "_REST", 0.01)
    one = Listener(Nothing, host=HOST, port=0, contexts=contexts, plain=True)
    await one.start()
    with await silent(one.port):
        await until(lambda: len(one) == 1)
        assert Exhausted.tries > 2
    await one.close()
