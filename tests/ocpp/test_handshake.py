"""The filters before the upgrade, one rule per test."""

from base64 import b64encode
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from aiohttp import WSServerHandshakeError
from hypothesis import given, strategies as st
import pytest

from .central import HASH, PASSWORD, Central, basic, running
from custom_components.ev_charger_hub.ocpp import handshake
from custom_components.ev_charger_hub.ocpp.credentials import hash_password
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.handshake import (
    choose_dialect,
    cross_site,
    read_identity,
)
from custom_components.ev_charger_hub.ocpp.waiting import AdmissionPolicy


@pytest.mark.conformance("WS_03")
@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/CP01", "CP01"),
        ("/ocpp/CP01", "CP01"),
        ("/a/b/c/CP01", "CP01"),
        ("/CP01/", "CP01"),
        ("//CP01", "CP01"),
        ("/CP01?token=1", "CP01"),
        ("/Garage%20left", "Garage left"),
        ("/Wallb%C3%B6x", "Wallböx"),
        ("/a%2Fb", "a/b"),
        ("/a+b", "a+b"),
        ("http://ha:9000/CP01", "CP01"),
        ("/" + "x" * 48, "x" * 48),
        ("/" + "x" * 49, None),
        ("/", None),
        ("", None),
        ("/?x", None),
        ("/a:b", None),
        ("/a%3Ab", None),
        ("/a%00b", None),
        ("/a%0Ab", None),
        ("/a%7Fb", None),
        ("/%20", None),
        ("/%FF", None),
    ],
)
def test_identity_is_the_last_segment_of_the_path(
    path: str, identity: str | None
) -> None:
    assert read_identity(path) == identity


@given(
    st.text(
        st.characters(exclude_categories=("C", "Z"), exclude_characters=":/"),
        min_size=1,
        max_size=48,
    ),
    st.lists(st.text("abc123", min_size=1), max_size=3),
)
def test_every_printable_identity_survives_any_prefix(
    identity: str, prefix: list[str]
) -> None:
    path = "/" + "/".join([*prefix, quote(identity, safe="")])
    assert read_identity(path) == identity


@given(st.text())
def test_no_path_yields_an_identity_that_breaks_the_rules(path: str) -> None:
    if (identity := read_identity(path)) is not None:
        assert 0 < len(identity) <= handshake.MAX_IDENTITY
        assert ":" not in identity
        assert identity.isprintable()


@pytest.mark.parametrize(
    ("origin", "host", "refused"),
    [
        (None, "ha:9000", False),
        ("http://ha", "ha:9000", False),
        ("http://HA:8123", "ha:9000", False),
        ("https://ha", "ha", False),
        ("file://", "ha:9000", False),
        ("ha", "ha:9000", False),
        ("http://[::1]:9000", "[::1]:9000", False),
        ("http://evil.example", "ha:9000", True),
        ("https://ha.evil.example", "ha", True),
        ("null", "ha:9000", True),
        ("http://", "ha:9000", True),
        ("http://[broken", "ha:9000", True),
        ("http://ha", None, True),
    ],
)
def test_origin_of_another_host_is_cross_site(
    origin: str | None, host: str | None, refused: bool
) -> None:
    assert cross_site(origin, host) is refused


ALL = (Dialect.V21, Dialect.V201, Dialect.V16)


@pytest.mark.conformance("WS_01")
@pytest.mark.parametrize(
    ("offered", "supported", "chosen"),
    [
        (["ocpp1.6"], ALL, (Dialect.V16, "ocpp1.6")),
        (["ocpp1.6", "ocpp2.0.1"], ALL, (Dialect.V201, "ocpp2.0.1")),
        (["ocpp2.1", "ocpp2.0.1"], ALL, (Dialect.V21, "ocpp2.1")),
        (["OCPP1.6"], ALL, (Dialect.V16, "OCPP1.6")),
        ([], ALL, (Dialect.V16, None)),
        ([], (Dialect.V201,), (Dialect.V201, None)),
        (["ocpp0.1"], ALL, None),
        (["ocpp2.0"], ALL, None),
        (["ocpp2.0.1"], (Dialect.V16,), None),
    ],
)
def test_newest_common_version_is_chosen(
    offered: list[str],
    supported: tuple[Dialect, ...],
    chosen: tuple[Dialect, str | None] | None,
) -> None:
    assert choose_dialect(offered, supported) == chosen


@pytest.mark.conformance("TC_088_CSMS")
async def test_unknown_subprotocol_is_refused(central: Central) -> None:
    central.registrar.approve("CP01")
    response = await central.attempt(protocol="ocpp0.1")
    assert response.status == HTTPStatus.BAD_REQUEST
    assert "Sec-WebSocket-Protocol" not in response.headers


@pytest.mark.conformance("TC_088_CSMS")
async def test_known_one_of_several_subprotocols_is_echoed(central: Central) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect(protocols=("ocpp0.1", "ocpp1.6"))
    assert charger.ws.protocol == "ocpp1.6"


async def test_no_subprotocol_means_1_6(central: Central) -> None:
    central.registrar.approve("CP01")
    charger = await central.connect(protocols=())
    assert charger.ws.protocol is None
    assert (await charger.call("Heartbeat"))[0] == 3
    assert central.system.sessions["CP01"].dialect is Dialect.V16


async def test_pin_of_a_charger_decides_the_version(socket_enabled: None) -> None:
    async with running(dialects=(Dialect.V16, Dialect.V201)) as central:
        central.registrar.approve("CP01", protocol="ocpp1.6")
        central.registrar.approve("CP02")
        central.registrar.approve("CP03", protocol="ocpp2.1")
        both = ("ocpp2.0.1", "ocpp1.6")
        assert (await central.connect("CP01", protocols=both)).ws.protocol == "ocpp1.6"
        assert (
            await central.connect("CP02", protocols=both)
        ).ws.protocol == "ocpp2.0.1"
        # A pin that we cannot speak keeps nobody out.
        assert (
            await central.connect("CP03", protocols=both)
        ).ws.protocol == "ocpp2.0.1"


async def test_a_charger_without_its_version_is_one_warning(
    central: Central, caplog: pytest.LogCaptureFixture
) -> None:
    central.registrar.approve("CP01", protocol="ocpp1.6")
    for protocol in ("ocpp2.0.1", "ocpp2.0.1", "ocpp1.6", "ocpp2.0.1"):
        response = await central.attempt("CP01", protocol=protocol)
        assert (response.status == HTTPStatus.BAD_REQUEST) == (protocol != "ocpp1.6")
    await central.attempt("STRANGER", protocol="ocpp0.1")
    warned = [one for one in caplog.messages if "version of OCPP" in one]
    assert warned == 2 * [
        "***01: refused, it offers no version of OCPP that it may speak (ocpp1.6)"
    ]


async def test_plain_get_is_told_to_upgrade(central: Central) -> None:
    async with central.http.get(central.url("CP01")) as response:
        assert response.status == HTTPStatus.UPGRADE_REQUIRED
        assert response.headers["Upgrade"] == "websocket"
    assert not central.registrar.changes


async def test_broken_websocket_request_is_refused(central: Central) -> None:
    central.registrar.approve("CP01")
    response = await central.attempt(headers={"Sec-WebSocket-Key": "short"})
    assert response.status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("path", ["", "a:b", "x" * 49])
async def test_path_without_identity_is_not_found(central: Central, path: str) -> None:
    assert (await central.attempt(path)).status == HTTPStatus.NOT_FOUND


@pytest.mark.conformance("WS_04")
async def test_unknown_charger_is_not_found_if_the_user_refuses_them(
    central: Central,
) -> None:
    central.registrar.policy = AdmissionPolicy.REFUSE
    central.registrar.approve("CP02")
    assert (await central.attempt("CP01")).status == HTTPStatus.NOT_FOUND
    assert not len(central.system.waiting)
    await central.connect("CP02")


async def test_charger_that_the_user_refused_is_not_found(central: Central) -> None:
    central.registrar.turned_away.add("CP01")
    assert (await central.attempt("CP01")).status == HTTPStatus.NOT_FOUND


@pytest.mark.conformance("TC_085_CSMS")
@pytest.mark.parametrize(
    "sent",
    [
        PASSWORD.encode(),
        PASSWORD.encode().hex().encode(),
        PASSWORD.encode().hex().upper().encode(),
    ],
    ids=["text", "hex", "upper hex"],
)
async def test_right_password_lets_in_as_text_or_hex(
    central: Central, sent: bytes
) -> None:
    central.registrar.approve("CP01", password_hash=HASH)
    charger = await central.connect(headers=basic("CP01", sent))
    assert (await charger.call("Heartbeat"))[0] == 3


@pytest.mark.conformance("SEC_03")
async def test_key_configured_as_hex_matches_its_bytes(central: Central) -> None:
    key = bytes(range(200, 220))
    central.registrar.approve("CP01", password_hash=hash_password(key.hex()))
    await central.connect(headers=basic("CP01", key))


async def test_user_may_be_percent_encoded(central: Central) -> None:
    central.registrar.approve("Garage left", password_hash=HASH)
    await central.connect("Garage%20left", headers=basic("Garage%20left", PASSWORD))
    await central.connect("Garage%20left", headers=basic("Garage left", PASSWORD))


@pytest.mark.conformance("SEC_02")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic !!!"},
        {"Authorization": f"Basic {b64encode(b'no colon').decode()}"},
        {"Authorization": f"Basic {b64encode(bytes([255, 58, 65])).decode()}"},
        basic("CP02", PASSWORD),
        basic("CP01", "wrong"),
        basic("CP01", ""),
    ],
)
async def test_wrong_credentials_are_refused_before_the_upgrade(
    central: Central, headers: dict[str, str]
) -> None:
    central.registrar.approve("CP01", password_hash=HASH)
    response = await central.attempt(headers=headers)
    assert response.status == HTTPStatus.UNAUTHORIZED
    # real_clients.md: libwebsockets waits 30 s when it sees this header.
    assert "WWW-Authenticate" not in response.headers
    assert not central.system.sessions


async def test_refusal_can_challenge(socket_enabled: None) -> None:
    async with running(challenge=True) as central:
        central.registrar.approve("CP01", password_hash=HASH)
        response = await central.attempt()
        assert response.headers["WWW-Authenticate"] == 'Basic realm="OCPP"'


async def test_wrong_user_costs_as_much_as_a_wrong_password(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[bytes] = []

    def verify(password: bytes, password_hash: str) -> bool:
        checked.append(password)
        return True

    monkeypatch.setattr(
        "custom_components.ev_charger_hub.ocpp.credentials.verify_password", verify
    )
    central.registrar.approve("CP01", password_hash=HASH)
    response = await central.attempt(headers=basic("CP02", PASSWORD))
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert checked == [PASSWORD.encode()]


async def test_charger_without_password_may_send_one(central: Central) -> None:
    central.registrar.approve("CP01")
    await central.connect(headers=basic("CP01", "anything"))


@pytest.mark.conformance("SEC_02")
async def test_failures_lock_out_with_growing_back_off(central: Central) -> None:
    central.registrar.approve("CP01", password_hash=HASH)
    central.registrar.approve("CP02", password_hash=HASH)
    wrong = basic("CP01", "wrong")
    for _ in range(4):
        response = await central.attempt(headers=wrong)
        assert response.status == HTTPStatus.UNAUTHORIZED
    response = await central.attempt(headers=wrong)
    assert response.status == HTTPStatus.TOO_MANY_REQUESTS
    assert response.headers["Retry-After"] == "1"
    # Another charger at the same address (docker, NAT) is not concerned.
    await central.connect("CP02", headers=basic("CP02", PASSWORD))

    central.clock.advance(seconds=1)
    await central.attempt(headers=wrong)
    response = await central.attempt(headers=wrong)
    assert response.headers["Retry-After"] == "2"

    central.clock.advance(seconds=2)
    await central.connect(headers=basic("CP01", PASSWORD))
    response = await central.attempt(headers=wrong)
    assert response.status == HTTPStatus.UNAUTHORIZED


async def test_guessing_at_many_identities_locks_the_address_out(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "custom_components.ev_charger_hub.ocpp.credentials.verify_password",
        lambda password, password_hash: False,
    )
    for number in range(21):
        central.registrar.approve(f"CP{number}", password_hash=HASH)
    answers = [
        (await central.attempt(f"CP{number}", headers=basic(f"CP{number}", "x"))).status
        for number in range(21)
    ]
    assert answers == [401] * 20 + [429]
    central.clock.advance(minutes=1)
    response = await central.attempt("CP20", headers=basic("CP20", "x"))
    assert response.status == HTTPStatus.UNAUTHORIZED


@pytest.mark.conformance("WS_11")
@pytest.mark.parametrize("limit", ["_CHECKS", "_CHECKS_PER_ADDRESS"])
async def test_only_so_many_passwords_are_checked_at_once(
    central: Central, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(handshake, limit, 0)
    central.registrar.approve("CP01", password_hash=HASH)
    response = await central.attempt(headers=basic("CP01", PASSWORD))
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert response.headers["Retry-After"] == "5"


@pytest.mark.conformance("WS_13")
async def test_web_page_of_another_host_is_refused(central: Central) -> None:
    central.registrar.approve("CP01")
    evil: dict[str, Any] = {"headers": {"Origin": "http://evil.example"}}
    assert (await central.attempt(**evil)).status == HTTPStatus.FORBIDDEN
    assert (await central.attempt("CP02", **evil)).status == HTTPStatus.FORBIDDEN
    with pytest.raises(WSServerHandshakeError):
        await central.connect(**evil)


@pytest.mark.conformance("WS_13")
async def test_origin_of_the_server_itself_passes(central: Central) -> None:
    central.registrar.approve("CP01")
    await central.connect(headers={"Origin": "http://127.0.0.1"})


async def test_origin_does_not_matter_with_a_password(central: Central) -> None:
    central.registrar.approve("CP01", password_hash=HASH)
    headers = {"Origin": "http://evil.example"} | basic("CP01", PASSWORD)
    await central.connect(headers=headers)
