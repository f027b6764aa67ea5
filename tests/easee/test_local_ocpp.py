"""Requests about local OCPP: what is stored, what is shown, what is applied (3.6)."""

from dataclasses import replace

import pytest

from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.errors import (
    Forbidden,
    Refused,
    Unavailable,
)
from custom_components.ev_charger_hub.easee.local_details import (
    UNTOLD,
    Details,
    Fingerprint,
    Mode,
    base_of,
    stored_of,
)
from custom_components.ev_charger_hub.easee.local_ocpp import LocalOcpp
from simulators.easee_cloud import EaseeCloud, Fault
from simulators.easee_cloud.seed import CHARGER

PASSWORD = "correcthorsebattery1"
DETAILS = Details(url="ws://192.0.2.7:9000/ocpp", identity=CHARGER, password=PASSWORD)
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
POSTS = "connection-details"


@pytest.fixture
def local(api: EaseeApi, secrets: set[str]) -> LocalOcpp:
    """Return the requests."""
    secrets.add(PASSWORD)
    return LocalOcpp(api)


async def test_nothing_is_stored_at_first(local: LocalOcpp) -> None:
    assert await local.read(CHARGER) is None


@pytest.mark.parametrize(
    "details",
    [
        DETAILS,
        replace(DETAILS, identity="GARAGE"),
        replace(DETAILS, password=None),
        replace(DETAILS, password=None, identity="GARAGE"),
        replace(DETAILS, url="ws://192.0.2.7:9000"),
        replace(
            DETAILS,
            url="wss://ocpp.example.com",
            ca_certificate=CERTIFICATE.strip(),
            ca_domain="ocpp.example.com",
        ),
        replace(DETAILS, mode=Mode.OFF),
    ],
)
@pytest.mark.parametrize("shown", [False, True])
async def test_what_is_read_can_be_stored_again(
    local: LocalOcpp, cloud: EaseeCloud, details: Details, shown: bool
) -> None:
    cloud.local_ocpp.shows_charge_point_id = shown
    version = await local.store(CHARGER, details)
    stored = await local.read(CHARGER)
    assert stored is not None
    assert (stored.details, stored.version) == (details, version)
    await local.store(CHARGER, stored.details)
    again = await local.read(CHARGER)
    assert again is not None
    assert again.details == details
    assert again.version != version


async def test_an_address_is_stored_without_the_identity(
    local: LocalOcpp, cloud: EaseeCloud
) -> None:
    await local.store(CHARGER, DETAILS)
    (request,) = cloud.journal.find("POST", POSTS)
    assert request.status == 201
    assert request.body == {
        "connectivityMode": "DualProtocol",
        "websocketConnectionArgs": {
            "url": "ws://192.0.2.7:9000/ocpp",
            "caCertificate": None,
            "caCertificateDomain": None,
        },
        "basicAuthPassword": PASSWORD,
    }


async def test_200_is_as_good_as_201(local: LocalOcpp, cloud: EaseeCloud) -> None:
    answer = {"version": "another"}
    cloud.faults.add(Fault(pattern=POSTS, status=200, body=answer, after=True))
    assert await local.store(CHARGER, DETAILS) == "another"


@pytest.mark.parametrize("body", [None, {}, {"version": None}, {"version": ""}, "yes"])
async def test_an_answer_without_a_version_is_none(
    local: LocalOcpp, cloud: EaseeCloud, body: object
) -> None:
    cloud.faults.add(Fault(pattern=POSTS, status=201, body=body, after=True))
    with pytest.raises(Unavailable):
        await local.store(CHARGER, DETAILS)


async def test_applying_says_nothing_and_is_done(
    local: LocalOcpp, cloud: EaseeCloud
) -> None:
    await local.apply(CHARGER, await local.store(CHARGER, DETAILS))
    assert cloud.local_ocpp.applied[CHARGER].url == DETAILS.url
    (request,) = cloud.journal.find("POST", "/local-ocpp/v1/connections/")
    assert request.status == 204


async def test_a_version_that_is_outdated_is_refused(local: LocalOcpp) -> None:
    version = await local.store(CHARGER, DETAILS)
    await local.store(CHARGER, replace(DETAILS, mode=Mode.OFF))
    with pytest.raises(Refused, match="outdated"):
        await local.apply(CHARGER, version)


async def test_another_operator_has_to_be_asked(
    local: LocalOcpp, cloud: EaseeCloud
) -> None:
    cloud.pair_operator(CHARGER, 42)
    with pytest.raises(Forbidden):
        await local.store(CHARGER, DETAILS)


async def test_requests_that_write_are_not_sent_twice(
    local: LocalOcpp, cloud: EaseeCloud
) -> None:
    cloud.faults.add(Fault(pattern=POSTS, cut=True, after=True))
    with pytest.raises(Unavailable):
        await local.store(CHARGER, DETAILS)
    assert len(cloud.journal.find("POST", POSTS)) == 1


@pytest.mark.parametrize(
    ("url", "said", "base", "identity"),
    [
        ("ws://h:9000/ocpp/EH123456", None, "ws://h:9000/ocpp", CHARGER),
        ("ws://h:9000/ocpp/eh123456/", None, "ws://h:9000/ocpp", CHARGER),
        ("ws://h:9000/EH123456", None, "ws://h:9000", CHARGER),
        ("ws://h:9000/ocpp/GARAGE", "GARAGE", "ws://h:9000/ocpp", "GARAGE"),
        ("ws://h:9000/ocpp/GARAGE", None, "ws://h:9000/ocpp", "GARAGE"),
        ("ws://h:9000/a%20b", "a b", "ws://h:9000", "a b"),
        # Where somebody has stored what is shown, and would once more.
        ("ws://h/EH123456/EH123456", None, "ws://h/EH123456", CHARGER),
        # Where nothing is added.
        ("ws://h:9000/ocpp", CHARGER, "ws://h:9000/ocpp", CHARGER),
        ("ws://h:9000", None, "ws://h:9000", CHARGER),
        ("ws://h:9000/", "GARAGE", "ws://h:9000", "GARAGE"),
        ("", None, "", CHARGER),
    ],
)
def test_the_identity_is_taken_off(
    url: str, said: str | None, base: str, identity: str
) -> None:
    assert base_of(url, said, CHARGER) == (base, identity)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"websocketConnectionArgs": None, "basicAuth": None},
        {"connectivityMode": 1, "websocketConnectionArgs": [], "basicAuth": []},
        {"websocketConnectionArgs": {"url": 1}, "version": True},
    ],
)
def test_what_the_cloud_does_not_say_is_not_there(body: dict[str, object]) -> None:
    stored = stored_of(CHARGER, body)
    assert stored.details == Details(mode="", url="", identity=CHARGER)
    assert stored.details.active
    assert stored.version is None


@pytest.mark.parametrize("password", [None, "", "********", 1])
def test_a_password_may_be_kept_back(password: object) -> None:
    url = f"{DETAILS.url}/{CHARGER}"
    body = {
        "connectivityMode": "DualProtocol",
        "websocketConnectionArgs": {"url": url},
        "basicAuth": {"username": CHARGER, "password": password},
    }
    details = stored_of(CHARGER, body).details
    assert details.password == UNTOLD
    assert details.fingerprint.matches(DETAILS.fingerprint)
    assert DETAILS.fingerprint.matches(details.fingerprint)
    assert "basicAuthPassword" not in details.body(CHARGER)
    none = stored_of(CHARGER, body | {"basicAuth": None}).details
    assert not none.fingerprint.matches(details.fingerprint)
    assert not none.fingerprint.matches(DETAILS.fingerprint)


@pytest.mark.parametrize(
    "same",
    [
        replace(DETAILS, url="WS://192.0.2.7:9000/ocpp/"),
        replace(DETAILS, ca_certificate="", ca_domain=""),
    ],
)
def test_the_same_in_other_words_is_the_same(same: Details) -> None:
    assert same.fingerprint.matches(DETAILS.fingerprint)


@pytest.mark.parametrize(
    "other",
    [
        replace(DETAILS, mode=Mode.OFF),
        replace(DETAILS, url="ws://192.0.2.8:9000/ocpp"),
        replace(DETAILS, url="wss://192.0.2.7:9000/ocpp"),
        replace(DETAILS, url="ws://192.0.2.7:9000/OCPP"),
        replace(DETAILS, identity="GARAGE"),
        replace(DETAILS, password="correcthorsebattery2"),
        replace(DETAILS, password=None),
        replace(DETAILS, ca_certificate=CERTIFICATE),
        replace(DETAILS, ca_domain="example.com"),
    ],
)
def test_something_else_is_something_else(other: Details) -> None:
    assert not other.fingerprint.matches(DETAILS.fingerprint)
    assert not DETAILS.fingerprint.matches(other.fingerprint)
    assert not DETAILS.fingerprint.matches(None)


def test_ports_that_go_without_saying_and_line_ends_do_not_count() -> None:
    first = replace(DETAILS, url="wss://Example.com:443/a", ca_certificate=CERTIFICATE)
    second = replace(
        DETAILS,
        url="wss://example.com/a",
        ca_certificate=CERTIFICATE.replace("\n", "\r\n"),
    )
    assert first.fingerprint.matches(second.fingerprint)


def test_details_and_fingerprints_survive_json() -> None:
    assert Details.from_dict(DETAILS.as_dict()) == DETAILS
    fingerprint = DETAILS.fingerprint
    assert Fingerprint.from_dict(fingerprint.as_dict()) == fingerprint


def test_nobody_reads_secrets_in_passing() -> None:
    for shown in (repr(DETAILS), repr(DETAILS.fingerprint)):
        assert not [one for one in (PASSWORD, CHARGER, DETAILS.url) if one in shown]
