"""Test the flows of an OCPP server: set up, reconfigure, options."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
import errno
from pathlib import Path
import socket
from types import MappingProxyType
from typing import Any
from unittest.mock import AsyncMock, Mock, patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntryState,
    ConfigFlowResult,
    ConfigSubentry,
)
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.network import NoURLAvailableError

from .charger import Charger
from custom_components.ev_charger_hub.const import (
    CONF_ACCEPT_PLAIN,
    CONF_CERTIFICATE,
    CONF_CERTIFICATE_KEY,
    CONF_HOME_ASSISTANT_PORT,
    CONF_NAMES,
    CONF_POLICY,
    CONF_REFUSED,
    CONF_SECURITY_PROFILE,
    CONF_TLS,
    CONF_UNKNOWN_TOKENS,
    DEFAULT_PORT,
    DOMAIN,
    SUBENTRY_CHARGER,
)
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.waiting import AdmissionPolicy
from custom_components.ev_charger_hub.tls_settings import TlsMode

type Pair = tuple[str, str]


@pytest.fixture
def port(socket_enabled: None) -> int:
    """Return a port that nobody uses."""
    return free_port()


@pytest.fixture
def setup_entry() -> Generator[AsyncMock]:
    """Keep the created entry from being set up."""
    with patch(
        f"custom_components.{DOMAIN}.async_setup_entry", return_value=True
    ) as setup:
        yield setup


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Return the paths of a certificate and its key."""
    return make_pair(tmp_path, "server")


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def make_pair(
    folder: Path, name: str, *, valid_for: int = 30, weak: bool = False
) -> Pair:
    """Write a certificate, valid for so many days, and its key."""
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if weak:
        key = rsa.generate_private_key(65537, 1024)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=valid_for))
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / f"{name}.pem", folder / f"{name}.key"
    certificate_path.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return str(certificate_path), str(key_path)


def form(port: int, **fields: Any) -> dict[str, Any]:
    """Return the server form as a user fills it in."""
    tls: dict[str, Any] = {
        key: fields.pop(key)
        for key in (CONF_CERTIFICATE, CONF_CERTIFICATE_KEY, CONF_TLS, CONF_NAMES)
        if key in fields
    }
    files = CONF_CERTIFICATE in tls or CONF_CERTIFICATE_KEY in tls
    tls.setdefault(CONF_TLS, TlsMode.FILES if files else TlsMode.NONE)
    tls[CONF_ACCEPT_PLAIN] = fields.pop(CONF_ACCEPT_PLAIN, False)
    return {
        CONF_HOST: "127.0.0.1",
        CONF_PORT: port,
        CONF_POLICY: "ask",
        "tls": tls,
        **fields,
    }


async def begin(hass: HomeAssistant) -> ConfigFlowResult:
    """Open the form of a new server."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["server", "easee"]
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": "server"}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "server"
    return result


async def submit(
    hass: HomeAssistant, result: ConfigFlowResult, user_input: dict[str, Any]
) -> ConfigFlowResult:
    """Send the form."""
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], user_input
    )
    await hass.async_block_till_done()
    return result


async def test_server_is_set_up(
    hass: HomeAssistant, port: int, setup_entry: AsyncMock
) -> None:
    """Test that a server is created, and the user told what to type into chargers."""
    result = await submit(hass, await begin(hass), form(port, policy="accept"))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"OCPP server ({port})"
    assert result["data"] == {CONF_HOST: "127.0.0.1", CONF_PORT: port}
    assert result["options"] == {CONF_POLICY: "accept"}
    assert result["description_placeholders"] == {"url": f"ws://127.0.0.1:{port}/"}
    assert len(setup_entry.mock_calls) == 1


async def test_server_at_the_usual_port_has_a_plain_name(
    hass: HomeAssistant, port: int, setup_entry: AsyncMock
) -> None:
    """Test that only the port of another server is in its name."""
    with patch(
        "asyncio.base_events.BaseEventLoop.create_server",
        return_value=Mock(wait_closed=AsyncMock()),
    ):
        result = await submit(hass, await begin(hass), form(DEFAULT_PORT))
    assert result["title"] == "OCPP server"


@pytest.mark.parametrize(
    ("internal_url", "host"),
    [("http://192.168.1.5:8123", "192.168.1.5"), (None, "10.10.10.10")],
)
async def test_url_names_a_host_that_chargers_reach(
    hass: HomeAssistant,
    port: int,
    setup_entry: AsyncMock,
    internal_url: str | None,
    host: str,
) -> None:
    """Test the URL of a server that listens on all addresses."""
    await hass.config.async_update(internal_url=internal_url)
    result = await submit(hass, await begin(hass), form(port, host="0.0.0.0"))
    assert result["description_placeholders"] == {"url": f"ws://{host}:{port}/"}


async def test_url_names_a_host_when_none_is_known(
    hass: HomeAssistant, port: int, setup_entry: AsyncMock
) -> None:
    """Test the URL where Home Assistant does not know its own address."""
    with patch(
        f"custom_components.{DOMAIN}.address.get_url", side_effect=NoURLAvailableError
    ):
        result = await submit(hass, await begin(hass), form(port, host="0.0.0.0"))
    placeholders = {"url": f"ws://homeassistant.local:{port}/"}
    assert result["description_placeholders"] == placeholders


async def test_url_keeps_a_host_name(
    hass: HomeAssistant, port: int, setup_entry: AsyncMock
) -> None:
    """Test the URL of a server that listens at a name."""
    listener = Mock(wait_closed=AsyncMock())
    with patch(
        "asyncio.base_events.BaseEventLoop.create_server", return_value=listener
    ):
        result = await submit(hass, await begin(hass), form(port, host="evse.lan"))
    assert result["description_placeholders"] == {"url": f"ws://evse.lan:{port}/"}


async def test_server_with_certificate(
    hass: HomeAssistant, port: int, setup_entry: AsyncMock, pair: Pair
) -> None:
    """Test that a server with a certificate is offered with wss."""
    certificate, key = pair
    user_input = form(port, certificate=certificate, certificate_key=f" {key} ")
    result = await submit(hass, await begin(hass), user_input)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {
        CONF_HOST: "127.0.0.1",
        CONF_PORT: port,
        CONF_TLS: "files",
        CONF_ACCEPT_PLAIN: False,
        CONF_CERTIFICATE: certificate,
        CONF_CERTIFICATE_KEY: key,
    }
    assert result["description_placeholders"] == {"url": f"wss://127.0.0.1:{port}/"}


async def test_server_with_an_authority_of_its_own(
    hass: HomeAssistant, port: int, setup_entry: AsyncMock
) -> None:
    """Test that this is what is offered first, and that the user is told of it."""
    user_input = form(port)
    del user_input["tls"][CONF_TLS], user_input["tls"][CONF_ACCEPT_PLAIN]
    user_input["tls"][CONF_NAMES] = [" Charging.example.com ", ""]
    result = await submit(hass, await begin(hass), user_input)
    assert result["data"] == {
        CONF_HOST: "127.0.0.1",
        CONF_PORT: port,
        CONF_TLS: "own_authority",
        CONF_ACCEPT_PLAIN: True,
        CONF_NAMES: ["charging.example.com"],
    }
    assert result["description"] == "own_authority"
    # A charger that has not been given the root certificate can only use this.
    assert (placeholders := result["description_placeholders"]) is not None
    assert placeholders["url"] == f"ws://127.0.0.1:{port}/"
    assert "ca.pem" in placeholders["ca_link"]


async def test_server_that_wants_encryption_is_offered_with_wss(
    hass: HomeAssistant, port: int, setup_entry: AsyncMock
) -> None:
    """Test that the URL is one that works if nothing else does."""
    user_input = form(port, tls_mode="own_authority", accept_plain=False)
    result = await submit(hass, await begin(hass), user_input)
    assert (placeholders := result["description_placeholders"]) is not None
    assert placeholders["url"] == f"wss://127.0.0.1:{port}/"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({CONF_TLS: "none", CONF_CERTIFICATE: "/ssl/a.pem"}, "tls_files_unused"),
        ({CONF_TLS: "own_authority", CONF_CERTIFICATE: "a"}, "tls_files_unused"),
        ({CONF_TLS: "own_authority", CONF_NAMES: ["a b"]}, "tls_bad_name"),
        ({CONF_TLS: "own_authority", CONF_NAMES: ["http://a/"]}, "tls_bad_name"),
        ({CONF_TLS: "own_authority", CONF_NAMES: ["b\u00fccher.de"]}, "tls_bad_name"),
        ({CONF_TLS: "own_authority", CONF_NAMES: ["a.de:9000"]}, "tls_bad_name"),
        ({CONF_TLS: "files"}, "tls_incomplete"),
    ],
)
async def test_encryption_that_makes_no_sense_is_refused(
    hass: HomeAssistant,
    port: int,
    setup_entry: AsyncMock,
    fields: dict[str, Any],
    error: str,
) -> None:
    """Test that the user hears of fields that would not count."""
    result = await submit(hass, await begin(hass), form(port, **fields))
    assert result["errors"] == {"base": error}
    assert (shown := result["data_schema"]) is not None
    assert not shown.schema["tls"].options["collapsed"]
    result = await submit(hass, result, form(port))
    assert result["type"] is FlowResultType.CREATE_ENTRY


def _incomplete(folder: Path) -> dict[str, str]:
    return {CONF_CERTIFICATE: make_pair(folder, "a")[0]}


def _no_certificate(folder: Path) -> dict[str, str]:
    return {
        CONF_CERTIFICATE: str(folder / "nowhere.pem"),
        CONF_CERTIFICATE_KEY: make_pair(folder, "a")[1],
    }


def _not_a_certificate(folder: Path) -> dict[str, str]:
    _, key = make_pair(folder, "a")
    return {CONF_CERTIFICATE: key, CONF_CERTIFICATE_KEY: key}


def _no_key(folder: Path) -> dict[str, str]:
    certificate, key = make_pair(folder, "a")
    return {CONF_CERTIFICATE: certificate, CONF_CERTIFICATE_KEY: f"{key}.gone"}


def _not_a_key(folder: Path) -> dict[str, str]:
    certificate, _ = make_pair(folder, "a")
    return {CONF_CERTIFICATE: certificate, CONF_CERTIFICATE_KEY: certificate}


def _mismatch(folder: Path) -> dict[str, str]:
    return {
        CONF_CERTIFICATE: make_pair(folder, "a")[0],
        CONF_CERTIFICATE_KEY: make_pair(folder, "b")[1],
    }


def _expired(folder: Path) -> dict[str, str]:
    certificate, key = make_pair(folder, "a", valid_for=-1)
    return {CONF_CERTIFICATE: certificate, CONF_CERTIFICATE_KEY: key}


def _weak(folder: Path) -> dict[str, str]:
    certificate, key = make_pair(folder, "a", weak=True)
    return {CONF_CERTIFICATE: certificate, CONF_CERTIFICATE_KEY: key}


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (_incomplete, "tls_incomplete"),
        (_no_certificate, "tls_certificate_missing"),
        (_not_a_certificate, "tls_certificate_unreadable"),
        (_no_key, "tls_key_missing"),
        (_not_a_key, "tls_key_unreadable"),
        (_mismatch, "tls_key_does_not_match"),
        (_expired, "tls_certificate_expired"),
        (_weak, "tls_certificate_unusable"),
    ],
)
async def test_certificate_and_key_are_read_and_matched(
    hass: HomeAssistant,
    port: int,
    setup_entry: AsyncMock,
    tmp_path: Path,
    pair: Pair,
    files: Any,
    error: str,
) -> None:
    """Test what is wrong with files, and that a right pair is taken then."""
    result = await submit(hass, await begin(hass), form(port, **files(tmp_path)))
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": error}

    certificate, key = pair
    user_input = form(port, certificate=certificate, certificate_key=key)
    result = await submit(hass, result, user_input)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_port_in_use(
    hass: HomeAssistant, port: int, setup_entry: AsyncMock
) -> None:
    """Test that a port that another program uses is not accepted."""
    with socket.create_server(("127.0.0.1", port)):
        result = await submit(hass, await begin(hass), form(port))
        assert result["type"] is FlowResultType.FORM
        assert result["errors"] == {CONF_PORT: "port_in_use"}

    result = await submit(hass, result, form(free_port()))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("problem", "errors"),
    [
        (socket.gaierror(), {CONF_HOST: "bad_host"}),
        (UnicodeError("label empty or too long"), {CONF_HOST: "bad_host"}),
        (OSError(errno.EACCES, "no"), {CONF_PORT: "port_not_permitted"}),
        (OSError(errno.ENOBUFS, "no room"), {"base": "cannot_bind"}),
    ],
)
async def test_server_cannot_listen(
    hass: HomeAssistant,
    port: int,
    setup_entry: AsyncMock,
    problem: Exception,
    errors: dict[str, str],
) -> None:
    """Test every way in which a place to listen can be wrong, and recovery."""
    with patch("asyncio.base_events.BaseEventLoop.create_server", side_effect=problem):
        result = await submit(hass, await begin(hass), form(port))
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors

    result = await submit(hass, result, form(port))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("host", ["", " ", "ho\0st"])
async def test_server_needs_an_address(
    hass: HomeAssistant, port: int, setup_entry: AsyncMock, host: str
) -> None:
    """Test that what is no address at all is told of, and recovery."""
    result = await submit(hass, await begin(hass), form(port, host=host))
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {CONF_HOST: "bad_host"}

    result = await submit(hass, result, form(port))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_one_server_per_port(hass: HomeAssistant, port: int) -> None:
    """Test that a port that another server of ours has is not asked about twice."""
    MockConfigEntry(
        domain=DOMAIN, data={CONF_HOST: "0.0.0.0", CONF_PORT: port}
    ).add_to_hass(hass)
    result = await submit(hass, await begin(hass), form(port))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


# Reconfigure


@pytest.fixture
def server_entry(port: int) -> MockConfigEntry:
    """Return the entry of a server at a port that a user can enter."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="OCPP server",
        data={CONF_HOST: "127.0.0.1", CONF_PORT: port},
        options={CONF_REFUSED: ["EVIL"]},
    )


async def begin_reconfigure(
    hass: HomeAssistant, entry: MockConfigEntry
) -> ConfigFlowResult:
    """Open the form of a server that exists."""
    result: ConfigFlowResult = await entry.start_reconfigure_flow(hass)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "reconfigure"
    return result


async def reconfigure(
    hass: HomeAssistant, entry: MockConfigEntry, user_input: dict[str, Any]
) -> ConfigFlowResult:
    """Open and send the form of a server that exists."""
    result = await begin_reconfigure(hass, entry)
    return await submit(hass, result, user_input)


def assert_done(result: ConfigFlowResult) -> None:
    """Check that a change was accepted."""
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"


async def test_reconfigure_policy_disturbs_no_charger(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
    port: int,
) -> None:
    """Test that a change of the policy is applied while the server runs."""
    assert_done(await reconfigure(hass, init_integration, form(port, policy="accept")))
    assert init_integration.options == {CONF_POLICY: "accept", CONF_REFUSED: ["EVIL"]}
    assert init_integration.runtime_data is hub
    assert hub.admission.policy is AdmissionPolicy.ACCEPT
    await approved_charger.call("Heartbeat")


async def test_reconfigure_moves_the_server(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
) -> None:
    """Test that a change of the port restarts the server and keeps the chargers."""
    port = free_port()
    assert_done(await reconfigure(hass, init_integration, form(port)))
    assert init_integration.data == {CONF_HOST: "127.0.0.1", CONF_PORT: port}
    assert await approved_charger.closed() == 1001
    assert init_integration.runtime_data is not hub
    assert init_integration.runtime_data.port == port
    assert list(init_integration.runtime_data.stations) == [approved_charger.identity]
    assert init_integration.title == "OCPP server"


async def test_a_name_with_the_port_follows_the_port(
    hass: HomeAssistant, init_integration: MockConfigEntry
) -> None:
    """Test that only a name that the user has not chosen is changed."""
    before = init_integration.data[CONF_PORT]
    hass.config_entries.async_update_entry(
        init_integration, title=f"OCPP server ({before})"
    )
    port = free_port()
    assert_done(await reconfigure(hass, init_integration, form(port)))
    assert init_integration.title == f"OCPP server ({port})"


async def test_reconfigure_host_does_not_try_the_port_that_it_holds(
    hass: HomeAssistant, init_integration: MockConfigEntry, port: int
) -> None:
    """Test a change of the address alone, which is tried at another port."""
    result = await reconfigure(hass, init_integration, form(port, host="192.0.2.1"))
    assert result["errors"] == {CONF_HOST: "bad_host"}
    assert_done(await submit(hass, result, form(port, host="0.0.0.0")))
    assert init_integration.data == {CONF_HOST: "0.0.0.0", CONF_PORT: port}
    assert init_integration.runtime_data.port == port


async def test_reconfigure_adds_a_certificate(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    port: int,
    pair: Pair,
) -> None:
    """Test that a certificate is checked, and taken away again."""
    certificate, key = pair
    user_input = form(port, certificate=certificate)
    result = await reconfigure(hass, init_integration, user_input)
    assert result["errors"] == {"base": "tls_incomplete"}

    user_input = form(port, certificate=certificate, certificate_key=key)
    assert_done(await submit(hass, result, user_input))
    assert init_integration.data[CONF_CERTIFICATE] == certificate
    assert init_integration.runtime_data is not hub

    assert_done(await reconfigure(hass, init_integration, form(port)))
    assert init_integration.data == {CONF_HOST: "127.0.0.1", CONF_PORT: port}


@pytest.mark.parametrize(
    ("floor", "second_port", "refused"),
    [(1, False, False), (2, False, True), (2, True, False), (3, True, True)],
)
async def test_reconfigure_keeps_the_encryption_that_a_charger_is_held_to(
    hass: HomeAssistant,
    server_entry: MockConfigEntry,
    port: int,
    floor: int,
    second_port: bool,
    refused: bool,
) -> None:
    """Test that nobody locks out a charger without being told."""
    server_entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        server_entry,
        data={**server_entry.data, CONF_TLS: "own_authority"},
        options={CONF_HOME_ASSISTANT_PORT: second_port},
    )
    charger = ConfigSubentry(
        data=MappingProxyType({CONF_SECURITY_PROFILE: floor}),
        subentry_type=SUBENTRY_CHARGER,
        title="Garage",
        unique_id="CP01",
    )
    hass.config_entries.async_add_subentry(server_entry, charger)
    result = await reconfigure(hass, server_entry, form(port))
    if refused:
        assert result["errors"] == {"base": "tls_still_needed"}
        return
    assert_done(result)


async def test_reconfigure_to_the_port_of_another_server(
    hass: HomeAssistant, init_integration: MockConfigEntry
) -> None:
    """Test that two servers cannot have one port."""
    other = MockConfigEntry(domain=DOMAIN, data={CONF_HOST: "::", CONF_PORT: 9001})
    other.add_to_hass(hass)
    result = await reconfigure(hass, init_integration, form(9001))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_reconfigure_a_server_that_cannot_start(
    hass: HomeAssistant, server_entry: MockConfigEntry, port: int
) -> None:
    """Test that the port of a server that does not run is tried."""
    server_entry.add_to_hass(hass)
    with socket.create_server(("127.0.0.1", port)):
        assert not await hass.config_entries.async_setup(server_entry.entry_id)
        result = await reconfigure(hass, server_entry, form(port))
        assert result["errors"] == {CONF_PORT: "port_in_use"}
    assert_done(await submit(hass, result, form(free_port())))


async def test_reconfigure_starts_a_server_that_could_not(
    hass: HomeAssistant, server_entry: MockConfigEntry, port: int
) -> None:
    """Test that a server at another port does not wait for the next try."""
    server_entry.add_to_hass(hass)
    with socket.create_server(("127.0.0.1", port)):
        hass.config_entries.async_update_entry(
            server_entry, data={**server_entry.data, CONF_PORT: port}
        )
        assert not await hass.config_entries.async_setup(server_entry.entry_id)
        assert_done(await reconfigure(hass, server_entry, form(free_port())))
    assert server_entry.state is ConfigEntryState.LOADED


async def test_options_change_who_may_connect(
    hass: HomeAssistant, init_integration: MockConfigEntry, hub: OcppHub
) -> None:
    """Test that policy and refused chargers are changed without a restart."""
    result = await hass.config_entries.options.async_init(init_integration.entry_id)
    assert result["type"] is FlowResultType.FORM
    assert hub.admission.refused("EVIL")
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {CONF_POLICY: "refuse", CONF_REFUSED: []}
    )
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert hub.admission.policy is AdmissionPolicy.REFUSE
    assert not hub.admission.refused("EVIL")
    assert init_integration.runtime_data is hub


async def test_options_change_what_becomes_of_unknown_tokens(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    """Test that everybody may charge until the user decides otherwise."""
    for choice, status in ((None, "Accepted"), ("refuse", "Invalid")):
        result = await hass.config_entries.options.async_init(init_integration.entry_id)
        wanted = {} if choice is None else {CONF_UNKNOWN_TOKENS: choice}
        result = await hass.config_entries.options.async_configure(
            result["flow_id"], {CONF_POLICY: "ask", CONF_REFUSED: [], **wanted}
        )
        assert result["type"] is FlowResultType.CREATE_ENTRY
        answer = await approved_charger.call("Authorize", {"idTag": "STRANGER"})
        assert answer["idTagInfo"]["status"] == status
