"""Whether a charger is fit for dialing us, and could dial an address (3.6)."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.errors import Unavailable
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.easee.local_address import host_of, problems_of
from custom_components.ev_charger_hub.easee.local_checks import examine, other_operator
from custom_components.ev_charger_hub.easee.local_details import Details, Mode
from custom_components.ev_charger_hub.easee.local_ocpp import LocalOcpp
from custom_components.ev_charger_hub.easee.local_problems import Check, Problem
from custom_components.ev_charger_hub.easee.reading_values import observation_of_state
from custom_components.ev_charger_hub.easee.readings import Readings
from custom_components.ev_charger_hub.station.secrets import generate_password
from simulators.easee_cloud import Charger, EaseeCloud, Fault
from simulators.easee_cloud.seed import CHARGER

DETAILS = Details(
    url="ws://192.168.1.7:9000/ocpp", identity=CHARGER, password="correcthorsebattery"
)
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
DAILY = {"periods": [], "timezone": "UTC", "enabled": True}


@pytest.fixture
def charger(cloud: EaseeCloud) -> Charger:
    """Return the charger in question."""
    return cloud.chargers[CHARGER]


async def readings_of(api: EaseeApi) -> Readings:
    """Return all that the charger reports."""
    reply = await api.request("GET", f"/state/{CHARGER}/observations")
    readings = Readings()
    for item in reply.body["observations"]:
        if (seen := observation_of_state(CHARGER, item)) is not None:
            readings.take(seen)
    return readings


async def found(api: EaseeApi, ours: Details | None = None) -> tuple[Problem, ...]:
    """Return what stands against it."""
    readings = await readings_of(api)
    return await examine(CHARGER, requests=api, readings=readings, ours=ours)


async def test_nothing_stands_against_a_charger_that_is_fit(
    api: EaseeApi, cloud: EaseeCloud
) -> None:
    assert await found(api) == ()
    assert not cloud.journal.find("POST", "/local-ocpp/")


def _observing(number: int, value: Any) -> Callable[[EaseeCloud], None]:
    return lambda cloud: cloud.chargers[CHARGER].observe(number, value)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            _observing(Id.CHARGER_FIRMWARE, 327),
            Problem(check=Check.FIRMWARE_TOO_OLD, detail="327"),
        ),
        (
            _observing(Id.CHARGER_FIRMWARE, 328),
            Problem(check=Check.FIRMWARE_BETA, overridable=True, detail="328"),
        ),
        (
            _observing(Id.CHARGER_FIRMWARE, 343),
            Problem(check=Check.FIRMWARE_BETA, overridable=True, detail="343"),
        ),
        (_observing(Id.CHARGER_RAT, 0), Problem(check=Check.NO_WIFI)),
        (
            _observing(Id.CHARGER_RAT, 7),
            Problem(check=Check.WIFI_UNKNOWN, overridable=True),
        ),
        (
            lambda cloud: cloud.chargers[CHARGER].go_offline(),
            Problem(check=Check.OFFLINE),
        ),
        (
            lambda cloud: cloud.pair_operator(CHARGER, 42),
            Problem(check=Check.OTHER_OPERATOR, detail="Operator 42"),
        ),
        (
            lambda cloud: setattr(cloud.chargers[CHARGER], "operator", None),
            Problem(check=Check.OPERATOR_UNKNOWN, overridable=True),
        ),
        (
            lambda cloud: cloud.faults.add(Fault(pattern="/partners$", status=403)),
            Problem(check=Check.OPERATOR_UNKNOWN, overridable=True),
        ),
        (
            lambda cloud: cloud.chargers[CHARGER].schedules.write("daily", DAILY),
            Problem(check=Check.SCHEDULE_ACTIVE, overridable=True, detail="daily"),
        ),
    ],
)
async def test_what_stands_against_it(
    api: EaseeApi,
    cloud: EaseeCloud,
    change: Callable[[EaseeCloud], None],
    problem: Problem,
) -> None:
    change(cloud)
    assert await found(api) == (problem,)


@pytest.mark.parametrize("firmware", [344, 345, 400])
async def test_newer_firmware_can(
    api: EaseeApi, charger: Charger, firmware: int
) -> None:
    charger.observe(80, firmware)
    assert await found(api) == ()


async def test_of_a_charger_that_says_nothing_everything_is_in_doubt(
    api: EaseeApi,
) -> None:
    found = await examine(CHARGER, requests=api, readings=Readings())
    assert {one.check: one.overridable for one in found} == {
        Check.FIRMWARE_UNKNOWN: True,
        Check.WIFI_UNKNOWN: True,
        Check.OFFLINE: False,
    }


async def test_a_configuration_of_somebody_else_stands_against_it(
    api: EaseeApi, cloud: EaseeCloud, charger: Charger
) -> None:
    cloud.local_ocpp.foreign_change(charger, "wss://ocpp.example.com/secret")
    problem = Problem(check=Check.FOREIGN_CONFIGURATION, detail="ocpp.example.com")
    assert await found(api) == (problem,)
    assert await found(api, ours=DETAILS) == (problem,)


async def test_neither_does_our_own_nor_one_that_is_off(api: EaseeApi) -> None:
    local = LocalOcpp(api)
    await local.apply(CHARGER, await local.store(CHARGER, DETAILS))
    assert await found(api, ours=DETAILS) == ()
    assert [one.check for one in await found(api)] == [Check.FOREIGN_CONFIGURATION]
    await local.store(CHARGER, replace(DETAILS, mode=Mode.OFF))
    assert await found(api) == ()


async def test_who_runs_it_if_not_easee(
    api: EaseeApi, cloud: EaseeCloud, charger: Charger
) -> None:
    assert await other_operator(CHARGER, api) is None
    charger.operator = {"id": 7, "name": "Easee AS"}
    assert await other_operator(CHARGER, api) is None
    charger.operator = {"id": 9, "name": None}
    assert await other_operator(CHARGER, api) == "9"
    charger.operator = None
    assert await other_operator(CHARGER, api) is None


async def test_what_cannot_be_asked_is_no_answer(
    api: EaseeApi, cloud: EaseeCloud
) -> None:
    readings = await readings_of(api)
    cloud.faults.add(Fault(pattern="/connection-details/", status=404))
    cloud.faults.add(Fault(pattern="/schedules$", status=404))
    assert await examine(CHARGER, requests=api, readings=readings) == ()
    cloud.faults.add(Fault(pattern="/connection-details/", status=200, body="?"))
    with pytest.raises(Unavailable):
        await examine(CHARGER, requests=api, readings=readings)


# Addresses, identities and passwords


@pytest.mark.parametrize(
    "url",
    [
        "ws://192.168.1.7:9000",
        "ws://192.168.1.7:9000/ocpp/",
        "ws://10.0.0.2",
        "ws://[fd00::7]:9000",
        "ws://203.0.113.7:9000/a",
        "ws://ocpp.example.com/a",
        "ws://ha.lan.example.com.:80",
    ],
)
def test_a_charger_could_dial_it(url: str) -> None:
    assert problems_of(replace(DETAILS, url=url)) == ()


@pytest.mark.parametrize(
    ("url", "check", "overridable"),
    [
        ("ws://127.0.0.1:9000", Check.ADDRESS_LOOPBACK, False),
        ("ws://127.8.8.8:9000", Check.ADDRESS_LOOPBACK, False),
        ("ws://[::1]:9000", Check.ADDRESS_LOOPBACK, False),
        ("ws://[::ffff:127.0.0.1]:9000", Check.ADDRESS_LOOPBACK, False),
        ("ws://0.0.0.0:9000", Check.ADDRESS_LOOPBACK, False),
        ("ws://[::]:9000", Check.ADDRESS_LOOPBACK, False),
        ("ws://LocalHost:9000", Check.ADDRESS_LOOPBACK, False),
        ("ws://me.localhost.", Check.ADDRESS_LOOPBACK, False),
        ("ws://localhost.localdomain", Check.ADDRESS_LOOPBACK, False),
        ("ws://169.254.1.1", Check.ADDRESS_UNREACHABLE, False),
        ("ws://[fe80::1]", Check.ADDRESS_UNREACHABLE, False),
        ("ws://224.0.0.1", Check.ADDRESS_UNREACHABLE, False),
        ("ws://255.255.255.255", Check.ADDRESS_UNREACHABLE, False),
        ("ws://172.30.32.1:8123", Check.ADDRESS_CONTAINER, False),
        ("ws://172.30.33.5:8123", Check.ADDRESS_CONTAINER, False),
        ("ws://172.30.232.1", Check.ADDRESS_CONTAINER, False),
        ("ws://172.17.0.2:9000", Check.ADDRESS_CONTAINER, True),
        ("ws://host.docker.internal:9000", Check.ADDRESS_CONTAINER, False),
        ("ws://homeassistant:8123", Check.ADDRESS_CONTAINER, False),
        ("ws://core-mosquitto.local.hass.io", Check.ADDRESS_CONTAINER, False),
        ("ws://192.168.1.7/api/hassio_ingress/abc", Check.ADDRESS_INGRESS, False),
        ("ws://homeassistant.local:9000", Check.ADDRESS_NAME, True),
        ("ws://server:9000", Check.ADDRESS_NAME, True),
        ("http://192.168.1.7:9000", Check.ADDRESS_INVALID, False),
        ("ws://", Check.ADDRESS_INVALID, False),
        ("ws:///ocpp", Check.ADDRESS_INVALID, False),
        ("192.168.1.7:9000", Check.ADDRESS_INVALID, False),
        ("ws://192.168.1.7:99999", Check.ADDRESS_INVALID, False),
        ("ws://192.168.1.7:0", Check.ADDRESS_INVALID, False),
        ("ws://192.168.1:9000", Check.ADDRESS_INVALID, False),
        ("ws://me:secret@192.168.1.7", Check.ADDRESS_INVALID, False),
        ("ws://192.168.1.7/?a=b", Check.ADDRESS_INVALID, False),
        ("ws://192.168.1.7/#a", Check.ADDRESS_INVALID, False),
        ("ws://192.168.1.7/a b", Check.ADDRESS_INVALID, False),
        ("ws://[::1", Check.ADDRESS_INVALID, False),
        ("", Check.ADDRESS_INVALID, False),
    ],
)
def test_a_charger_could_not_dial_it(url: str, check: Check, overridable: bool) -> None:
    (problem,) = problems_of(replace(DETAILS, url=url))
    assert (problem.check, problem.overridable) == (check, overridable)


def test_an_address_of_another_machine_is_doubted() -> None:
    own = {ip_address("192.168.1.8"), ip_address("fd00::8")}
    (problem,) = problems_of(DETAILS, own)
    assert problem == Problem(
        check=Check.ADDRESS_ELSEWHERE, overridable=True, detail="192.168.1.7"
    )
    assert problems_of(DETAILS, own | {ip_address("192.168.1.7")}) == ()


@pytest.mark.parametrize(
    ("certificate", "domain", "checks"),
    [
        (PEM, "ocpp.example.com", []),
        (PEM, "OCPP.example.com", []),
        (None, "ocpp.example.com", [Check.CERTIFICATE_MISSING]),
        ("AAAA", "ocpp.example.com", [Check.CERTIFICATE_MISSING]),
        (PEM, None, [Check.CERTIFICATE_DOMAIN]),
        (PEM, "example.com", [Check.CERTIFICATE_DOMAIN]),
        (None, None, [Check.CERTIFICATE_MISSING, Check.CERTIFICATE_DOMAIN]),
    ],
)
def test_tls_needs_the_certificate_of_the_host(
    certificate: str | None, domain: str | None, checks: list[Check]
) -> None:
    details = replace(
        DETAILS,
        url="wss://ocpp.example.com:9443/ocpp",
        ca_certificate=certificate,
        ca_domain=domain,
    )
    assert [one.check for one in problems_of(details)] == checks
    assert not any(one.overridable for one in problems_of(details))


@pytest.mark.parametrize(
    "identity", ["", "a/b", "a:b", "a b", "a\tb", "a?b", "a#b", "a%20", "garasjé"]
)
def test_an_identity_is_a_part_of_an_address(identity: str) -> None:
    (problem,) = problems_of(replace(DETAILS, identity=identity))
    assert problem == Problem(check=Check.IDENTITY_INVALID)


@pytest.mark.parametrize(
    "password", [None, "", "a" * 15, "a" * 21, "a" * 15 + " ", "a" * 15 + "é"]
)
def test_a_password_has_16_to_20_characters(password: str | None) -> None:
    (problem,) = problems_of(replace(DETAILS, password=password))
    assert problem == Problem(check=Check.PASSWORD_INVALID)


def test_passwords_that_are_made_are_good() -> None:
    for password in ("a" * 16, "a" * 20, generate_password()):
        assert problems_of(replace(DETAILS, password=password)) == ()


@pytest.mark.parametrize(
    ("url", "host"),
    [("wss://a.example.com/secret", "a.example.com"), ("nonsense", ""), ("ws://[", "")],
)
def test_of_an_address_only_the_host_is_shown(url: str, host: str) -> None:
    assert host_of(url) == host
