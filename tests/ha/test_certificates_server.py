"""Test the certificates of a server: made, renewed, watched, and those of chargers."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
import errno
from http import HTTPStatus
import os
from pathlib import Path
import shutil
import ssl
from typing import Any

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .test_config_flow import make_pair
from custom_components.ev_charger_hub.certificate_store import async_server_names
from custom_components.ev_charger_hub.const import (
    CONF_ACCEPT_PLAIN,
    CONF_CERTIFICATE,
    CONF_CERTIFICATE_KEY,
    CONF_NAMES,
    CONF_TLS,
    DOMAIN,
)
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp import authority as authority_module
from custom_components.ev_charger_hub.ocpp.authority import Authority
from custom_components.ev_charger_hub.ocpp.credentials import hash_password
from tests.ocpp.certificates import client_context, ec_key, private_pem, signing_request

HOST = "127.0.0.1"
PASSWORD = "Kx7mPq2nRt9wYz4bCd6e"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an authority, which takes long to make."""
    folder = tmp_path_factory.mktemp("authority")
    Authority.open(folder, dt_util.utcnow)
    return folder


@pytest.fixture
def folder(hass: HomeAssistant, made: Path) -> Path:
    """Put the authority where the integration looks for it."""
    folder = Path(hass.config.path(DOMAIN, "authority"))
    shutil.copytree(made, folder)
    return folder


def entry_of(**data: Any) -> MockConfigEntry:
    return MockConfigEntry(
        domain=DOMAIN,
        title="OCPP server",
        data={CONF_HOST: HOST, CONF_PORT: 0, **data},
        entry_id="01JEVCHARGERHUB00000000000",
    )


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> OcppHub:
    # In debug mode asyncio makes an error of every failed TLS handshake.
    asyncio.get_running_loop().set_debug(False)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    hub: OcppHub = entry.runtime_data
    return hub


@pytest.fixture
async def own(hass: HomeAssistant, folder: Path, socket_enabled: None) -> OcppHub:
    """Return a server with an authority of its own."""
    return await set_up(hass, entry_of(**{CONF_TLS: "own_authority"}))


class Dialer:
    """Dials servers as chargers do."""

    def __init__(self) -> None:
        """Begin with no socket."""
        self.http = ClientSession()
        self.sockets: list[ClientWebSocketResponse] = []

    async def dial(
        self, hub: OcppHub, scheme: str = "wss", **options: Any
    ) -> ClientWebSocketResponse:
        """Return an open socket of the charger CP01."""
        socket: ClientWebSocketResponse = await self.http.ws_connect(
            f"{scheme}://{HOST}:{hub.port}/CP01", protocols=("ocpp1.6",), **options
        )
        self.sockets.append(socket)
        return socket


@pytest.fixture
async def dialer(socket_enabled: None) -> AsyncGenerator[Dialer]:
    """Return what dials, and hangs up after the test."""
    dialer = Dialer()
    yield dialer
    for one in dialer.sockets:
        await one.close()
    await dialer.http.close()


async def boots(socket: ClientWebSocketResponse) -> str:
    """Return the answer to a boot, past what the server asks meanwhile."""
    boot = {"chargePointVendor": "Acme", "chargePointModel": "Wall"}
    await socket.send_json([2, "boot", "BootNotification", boot])
    async with asyncio.timeout(60):
        while (frame := await socket.receive_json())[1] != "boot":
            pass
    return str(frame[2]["status"])


async def served(socket: ClientWebSocketResponse) -> x509.Certificate:
    """Return the certificate that a server showed."""
    tls = socket.get_extra_info("ssl_object")
    return x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))


async def approve(hass: HomeAssistant, hub: OcppHub, **settings: Any) -> None:
    hub.approve("CP01", "Garage", None)
    await hass.async_block_till_done()
    if settings:
        subentry = next(iter(hub.entry.subentries.values()))
        hass.config_entries.async_update_subentry(
            hub.entry, subentry, data={**subentry.data, **settings}
        )
        await hass.async_block_till_done()


async def certificate(hub: OcppHub, identity: str = "CP01") -> str:
    """Return key and certificate that a charger got, in PEM."""
    assert hub.authority is not None
    key = ec_key()
    chain = await hub.authority.sign(
        signing_request(key, identity), names={identity}, identity=identity
    )
    return private_pem(key) + chain


def root_context(hub: OcppHub, **options: Any) -> ssl.SSLContext:
    assert hub.authority is not None
    return client_context(root=hub.authority.root_pem, **options)


async def later(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, **passed: float
) -> None:
    """Let time pass, and the hourly check happen."""
    freezer.tick(timedelta(**passed))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)


def issues(hass: HomeAssistant) -> set[str]:
    return {key for domain, key in ir.async_get(hass).issues if domain == DOMAIN}


@pytest.mark.conformance("TC_086_CSMS")
@pytest.mark.conformance("SEC_05")
async def test_charger_with_the_root_certificate_believes_the_server(
    hass: HomeAssistant, own: OcppHub, dialer: Dialer
) -> None:
    """Test TLS by a certificate that nobody had to make, with the host checked."""
    await approve(hass, own)
    socket = await dialer.dial(own, ssl=root_context(own))
    assert await boots(socket) == "Accepted"
    leaf = await served(socket)
    assert leaf.subject.rfc4514_string().startswith(f"CN={HOST}")


async def test_charger_without_tls_comes_to_the_same_port(
    hass: HomeAssistant, own: OcppHub, dialer: Dialer
) -> None:
    """Test that encryption is offered, and nobody is locked out by it."""
    await approve(hass, own)
    assert await boots(await dialer.dial(own, "ws")) == "Accepted"


async def test_unencrypted_connections_can_be_refused(
    hass: HomeAssistant, folder: Path, dialer: Dialer
) -> None:
    """Test a server that takes encrypted connections only."""
    data = {CONF_TLS: "own_authority", CONF_ACCEPT_PLAIN: False}
    hub = await set_up(hass, entry_of(**data))
    await approve(hass, hub)
    with pytest.raises(ClientError):
        await dialer.dial(hub, "ws")
    assert await boots(await dialer.dial(hub, ssl=root_context(hub))) == "Accepted"


async def test_server_is_certified_for_what_chargers_dial(
    hass: HomeAssistant, folder: Path, socket_enabled: None
) -> None:
    """Test that typed names, known URLs and addresses are part of the certificate."""
    await hass.config.async_update(
        internal_url="http://192.168.1.5:8123",
        external_url="https://b\u00fccher.example",
    )
    entry = entry_of(**{CONF_TLS: "own_authority", CONF_NAMES: ["ev.example.com"]})
    await set_up(hass, entry)
    wanted = {HOST, "ev.example.com", "192.168.1.5", "xn--bcher-kva.example"}
    assert set(await async_server_names(hass)) >= wanted | {"homeassistant.local"}
    for path in folder.glob("server_*.pem"):
        leaf = x509.load_pem_x509_certificate(path.read_bytes())
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert wanted <= set(names.value.get_values_for_type(x509.DNSName))


async def test_certificate_is_renewed_while_the_server_runs(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, own: OcppHub, dialer: Dialer
) -> None:
    """Test that a new certificate is served before the old one ends."""
    await approve(hass, own)
    before = await served(await dialer.dial(own, ssl=client_context()))
    await later(hass, freezer, days=345)
    after = await served(await dialer.dial(own, ssl=client_context()))
    assert after.serial_number != before.serial_number
    assert after.not_valid_after_utc > before.not_valid_after_utc
    assert not issues(hass)


async def test_end_of_the_root_is_told_a_year_ahead(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, own: OcppHub
) -> None:
    """Test that there is time to bring a new root to every charger."""
    assert own.authority is not None
    wait = own.authority.expires - dt_util.utcnow() - timedelta(days=364)
    await later(hass, freezer, seconds=wait.total_seconds())
    assert issues(hass) == {f"authority_expires_{own.entry.entry_id}"}


async def test_damaged_authority_keeps_the_server_from_starting(
    hass: HomeAssistant, folder: Path, socket_enabled: None
) -> None:
    """Test that no new root takes the place of one that chargers trust."""
    (folder / "root.pem").write_text("no PEM")
    entry = entry_of(**{CONF_TLS: "own_authority", CONF_ACCEPT_PLAIN: False})
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "authority_unusable"
    assert (folder / "root.pem").read_text() == "no PEM"


async def test_damaged_authority_takes_nothing_from_chargers_without_tls(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, folder: Path, dialer: Dialer
) -> None:
    """Test that only encryption is away, until the files are back."""
    root = folder / "root.pem"
    kept = root.read_bytes()
    root.write_text("no PEM")
    hub = await set_up(hass, entry_of(**{CONF_TLS: "own_authority"}))
    await approve(hass, hub)
    assert await boots(await dialer.dial(hub, "ws")) == "Accepted"
    assert issues(hass) == {f"no_encryption_{hub.entry.entry_id}"}
    with pytest.raises(ClientError):
        await dialer.dial(hub, ssl=client_context())
    root.write_bytes(kept)
    await later(hass, freezer, hours=1, seconds=1)
    assert not issues(hass)
    assert await boots(await dialer.dial(hub, ssl=root_context(hub))) == "Accepted"


async def test_certificate_that_cannot_be_renewed_is_used_while_it_lasts(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    own: OcppHub,
    dialer: Dialer,
) -> None:
    """Test a full disk two months before the end, over a restart."""

    def full(_path: Path, _content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    await approve(hass, own)
    monkeypatch.setattr(authority_module, "write_private", full)
    await later(hass, freezer, days=345)
    entry: MockConfigEntry = hass.config_entries.async_entries(DOMAIN)[0]
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert issues(hass) == {f"certificate_unusable_{entry.entry_id}"}
    hub: OcppHub = entry.runtime_data
    assert await boots(await dialer.dial(hub, ssl=client_context())) == "Accepted"


# Files of the user


@pytest.fixture
async def with_files(
    hass: HomeAssistant, folder: Path, tmp_path: Path, socket_enabled: None
) -> OcppHub:
    """Return a server with files, as entries were before there was a choice."""
    files = make_pair(tmp_path, "server", valid_for=30)
    keys = (CONF_CERTIFICATE, CONF_CERTIFICATE_KEY)
    return await set_up(hass, entry_of(**dict(zip(keys, files, strict=True))))


async def test_entry_with_files_takes_encrypted_connections_only(
    hass: HomeAssistant, with_files: OcppHub, dialer: Dialer
) -> None:
    """Test that what was set up before works as before."""
    await approve(hass, with_files)
    assert await boots(await dialer.dial(with_files, ssl=client_context()))
    with pytest.raises(ClientError):
        await dialer.dial(with_files, "ws")


async def test_files_are_used_without_an_authority(
    hass: HomeAssistant, folder: Path, tmp_path: Path, dialer: Dialer
) -> None:
    """Test that trouble of what it does not need does not stop a server."""
    (folder / "root.pem").write_text("no PEM")
    files = make_pair(tmp_path, "server")
    data = {CONF_CERTIFICATE: files[0], CONF_CERTIFICATE_KEY: files[1]}
    hub = await set_up(hass, entry_of(**data))
    await approve(hass, hub)
    assert await boots(await dialer.dial(hub, ssl=client_context())) == "Accepted"


async def test_charger_certificates_count_again_with_the_authority(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    folder: Path,
    tmp_path: Path,
    dialer: Dialer,
) -> None:
    """Test that it is told, and over when the files are back."""
    kept = (folder / "root.pem").read_bytes()
    (folder / "root.pem").write_text("no PEM")
    files = make_pair(tmp_path, "server")
    data = {CONF_CERTIFICATE: files[0], CONF_CERTIFICATE_KEY: files[1]}
    hub = await set_up(hass, entry_of(**data))
    await approve(hass, hub, security_profile=3)
    assert issues(hass) == {f"authority_unusable_{hub.entry.entry_id}"}
    (folder / "root.pem").write_bytes(kept)
    await later(hass, freezer, hours=1, seconds=1)
    assert not issues(hass)
    own = client_context(certificate=await certificate(hub), folder=tmp_path)
    assert await boots(await dialer.dial(hub, ssl=own)) == "Accepted"


async def test_files_that_have_ended_are_better_than_no_server(
    hass: HomeAssistant, folder: Path, tmp_path: Path, dialer: Dialer
) -> None:
    """Test that a restart does not lock out who does not look at the date."""
    files = make_pair(tmp_path, "server", valid_for=-1)
    data = {CONF_CERTIFICATE: files[0], CONF_CERTIFICATE_KEY: files[1]}
    hub = await set_up(hass, entry_of(**data))
    await approve(hass, hub)
    assert issues(hass) == {f"certificate_expired_{hub.entry.entry_id}"}
    assert await boots(await dialer.dial(hub, ssl=client_context())) == "Accepted"


async def test_renewed_files_are_used_within_an_hour(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    with_files: OcppHub,
    dialer: Dialer,
    tmp_path: Path,
) -> None:
    """Test that nobody has to restart anything after a renewal."""
    await approve(hass, with_files)
    old = await dialer.dial(with_files, ssl=client_context())
    before = await served(old)
    make_pair(tmp_path, "server", valid_for=90)
    await later(hass, freezer, hours=1, seconds=1)
    after = await served(await dialer.dial(with_files, ssl=client_context()))
    assert after.not_valid_after_utc > before.not_valid_after_utc
    assert not issues(hass)


async def test_end_of_files_is_told_until_they_are_renewed(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    with_files: OcppHub,
    tmp_path: Path,
) -> None:
    """Test the warning, the end, and the relief."""
    suffix = with_files.entry.entry_id
    await later(hass, freezer, days=15)
    assert not issues(hass)
    await later(hass, freezer, days=2)
    assert issues(hass) == {f"certificate_expires_{suffix}"}
    await later(hass, freezer, days=14)
    assert issues(hass) == {f"certificate_expired_{suffix}"}
    make_pair(tmp_path, "server", valid_for=90)
    await later(hass, freezer, hours=1, seconds=1)
    assert not issues(hass)


async def test_files_that_cannot_be_used_do_not_replace_those_in_use(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    with_files: OcppHub,
    dialer: Dialer,
    tmp_path: Path,
) -> None:
    """Test that a renewal that went wrong is told, and locks nobody out."""
    await approve(hass, with_files)
    key = tmp_path / "server.key"
    kept = key.read_bytes()
    key.write_text("no PEM")
    await later(hass, freezer, hours=1, seconds=1)
    assert issues(hass) == {f"certificate_unusable_{with_files.entry.entry_id}"}
    assert await boots(await dialer.dial(with_files, ssl=client_context()))
    key.write_bytes(kept)
    await later(hass, freezer, hours=1, seconds=1)
    assert not issues(hass)


async def test_issues_end_with_the_server(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, with_files: OcppHub
) -> None:
    """Test that a server that is gone has no certificate to care for."""
    await later(hass, freezer, days=17)
    assert issues(hass)
    assert await hass.config_entries.async_unload(with_files.entry.entry_id)
    assert not issues(hass)


async def test_check_that_outlives_the_server_tells_nothing(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    with_files: OcppHub,
    tmp_path: Path,
) -> None:
    """Test a file that takes its time, such as one on a network drive."""
    key = tmp_path / "server.key"
    key.unlink()
    os.mkfifo(key)
    freezer.tick(timedelta(hours=1, seconds=1))
    async_fire_time_changed(hass)
    assert await hass.config_entries.async_unload(with_files.entry.entry_id)
    await asyncio.to_thread(key.write_text, "no PEM")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not issues(hass)


# Chargers


@pytest.mark.conformance("TC_087_CSMS")
@pytest.mark.conformance("SEC_06")
async def test_charger_with_a_certificate_needs_no_password(
    hass: HomeAssistant, own: OcppHub, dialer: Dialer, tmp_path: Path
) -> None:
    """Test security profile 3."""
    await approve(hass, own, password_hash="scrypt$x", security_profile=3)
    pem = await certificate(own)
    client = root_context(own, certificate=pem, folder=tmp_path)
    assert await boots(await dialer.dial(own, ssl=client)) == "Accepted"


@pytest.mark.conformance("SEC_06")
async def test_certificate_of_a_deleted_charger_is_worth_nothing_any_more(
    hass: HomeAssistant, own: OcppHub, dialer: Dialer, tmp_path: Path
) -> None:
    """Test that who was thrown out has to be given a new one."""
    await approve(hass, own)
    pem = await certificate(own)
    leaf = x509.load_pem_x509_certificate(pem.encode())
    assert own.admission.trusts("CP01", leaf.public_bytes(Encoding.DER))
    subentry_id = next(iter(own.entry.subentries))
    hass.config_entries.async_remove_subentry(own.entry, subentry_id)
    await hass.async_block_till_done()
    await approve(hass, own, security_profile=3)
    client = root_context(own, certificate=pem, folder=tmp_path)
    with pytest.raises(ClientError, match="403"):
        await dialer.dial(own, ssl=client)


@pytest.mark.conformance("SEC_04")
@pytest.mark.parametrize(
    ("scheme", "floor", "let_in"),
    [
        ("ws", 0, True),
        ("ws", 1, True),
        ("ws", 2, False),
        ("wss", 2, True),
        ("wss", 3, False),
    ],
)
async def test_charger_is_held_to_its_security_profile(
    hass: HomeAssistant,
    own: OcppHub,
    dialer: Dialer,
    scheme: str,
    floor: int,
    let_in: bool,
) -> None:
    """Test that nothing below the profile gets in, with the right password."""
    hashed = await hass.async_add_executor_job(hash_password, PASSWORD)
    await approve(hass, own, password_hash=hashed, security_profile=floor)
    options: dict[str, Any] = {
        "headers": {"Authorization": "Basic Q1AwMTpLeDdtUHEyblJ0OXdZejRiQ2Q2ZQ=="}
    }
    if scheme == "wss":
        options["ssl"] = root_context(own)
    if let_in:
        socket = await dialer.dial(own, scheme, **options)
        assert await boots(socket) == "Accepted"
    else:
        with pytest.raises(ClientError, match="403"):
            await dialer.dial(own, scheme, **options)


@pytest.mark.conformance("SEC_01")
@pytest.mark.conformance("SEC_04")
async def test_charger_without_a_password_is_refused_where_one_is_demanded(
    hass: HomeAssistant, own: OcppHub, dialer: Dialer
) -> None:
    """Test that profile 0 is only for chargers whose user allows it."""
    await approve(hass, own)
    open_socket = await dialer.dial(own, "ws")
    assert await boots(open_socket) == "Accepted"
    subentry = next(iter(own.entry.subentries.values()))
    hass.config_entries.async_update_subentry(
        own.entry, subentry, data={**subentry.data, "security_profile": 1}
    )
    await hass.async_block_till_done()
    async with asyncio.timeout(60):
        while not open_socket.closed:
            await open_socket.receive()
    with pytest.raises(ClientError, match="403"):
        await dialer.dial(own, "ws")


# The root certificate


async def test_root_certificate_is_a_download(
    hass: HomeAssistant, own: OcppHub, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """Test that whoever sets up a charger gets it, without an account."""
    client = await hass_client_no_auth()
    response = await client.get("/api/ev_charger_hub/ca.pem")
    assert response.status == HTTPStatus.OK
    assert own.authority is not None
    assert await response.text() == own.authority.root_pem
    assert "ev-charger-hub-ca.pem" in response.headers["Content-Disposition"]


async def test_download_makes_no_authority(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Test that a stranger has nothing made."""
    client = await hass_client_no_auth()
    response = await client.get("/api/ev_charger_hub/ca.pem")
    assert response.status == HTTPStatus.NOT_FOUND
    assert not Path(hass.config.path(DOMAIN, "authority")).exists()


async def test_root_certificate_is_the_answer_of_an_action(
    hass: HomeAssistant, own: OcppHub
) -> None:
    """Test what an automation gets, and that it holds no key."""
    answer = await hass.services.async_call(
        DOMAIN, "get_ca_certificate", blocking=True, return_response=True
    )
    assert own.authority is not None
    assert answer == {
        "certificate": own.authority.root_pem,
        "expires": own.authority.expires.isoformat(),
        "fingerprint": own.authority.fingerprint,
        "path": "/api/ev_charger_hub/ca.pem",
    }
    assert "PRIVATE" not in str(answer)
