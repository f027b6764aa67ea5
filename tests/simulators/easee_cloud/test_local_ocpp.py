"""F9: commissioning of local OCPP, until the charger dials, and what undoes it."""

from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest

from ..central import PlainCentralSystem
from .plain import PlainClient
from simulators.easee_cloud import Charger, EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.dialer import Dialer

DETAILS = "/local-ocpp/v1/connection-details/EH123456"
APPLY = "/local-ocpp/v1/connections/chargers/EH123456"


def body(url: str = "ws://192.0.2.1:9000/ocpp", **more: object) -> dict[str, Any]:
    return {
        "connectivityMode": "DualProtocol",
        "websocketConnectionArgs": {"url": url, "caCertificate": None},
        **more,
    }


@pytest.fixture(autouse=True)
async def logged_in(client: PlainClient) -> None:
    """Log in."""
    await client.login()


@pytest.fixture
async def dialer(cloud: EaseeCloud) -> AsyncGenerator[Dialer]:
    """Return what lets chargers dial."""
    dialer = Dialer(cloud.local_ocpp)
    yield dialer
    await dialer.close()


async def test_what_is_stored_comes_back_with_the_identity(client: PlainClient) -> None:
    status, answer, _ = await client.ask(
        "POST",
        DETAILS,
        body(chargePointId="GARAGE", basicAuthPassword="0123456789abcdef"),
    )
    assert (status, {*answer}) == (201, {"version"})
    stored = await client.get(DETAILS)
    assert stored["websocketConnectionArgs"]["url"] == "ws://192.0.2.1:9000/ocpp/GARAGE"
    assert stored["basicAuth"] == {"username": "GARAGE", "password": "0123456789abcdef"}
    assert stored["version"] == answer["version"]
    assert "chargePointId" not in stored


async def test_a_password_may_be_kept_back(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.post(DETAILS, body(basicAuthPassword="0123456789abcdef"))
    cloud.local_ocpp.shows_password = False
    stored = await client.get(DETAILS)
    assert stored["basicAuth"] == {"username": "EH123456", "password": None}


async def test_applied_it_dials_and_schedules_belong_to_ocpp(
    cloud: EaseeCloud,
    client: PlainClient,
    central: PlainCentralSystem,
    dialer: Dialer,
    time: SimulatedTime,
    charger: Charger,
) -> None:
    url = f"ws://127.0.0.1:{central.port}/ocpp"
    version = await client.post(DETAILS, body(url, basicAuthPassword="sesame"))
    status, answer, _ = await client.ask("POST", APPLY, version)
    assert (status, answer) == (204, None)
    assert (await client.get("/api/chargers/EH123456/schedules"))["enabled"] == (
        "ocpp.direct"
    )
    refused = await client.ask(
        "POST", "/api/chargers/EH123456/schedules/daily", {"periods": []}
    )
    assert refused[0] == 400
    time.advance(5)
    await central.count("BootNotification", 1)
    boot = central.of("BootNotification")[0]
    assert boot["chargePointVendor"] == "Easee"
    assert boot["chargePointSerialNumber"] == charger.serial
    assert boot["firmwareVersion"] == "344"
    off = body(url) | {"connectivityMode": "OcppOff"}
    await client.post(APPLY, await client.post(DETAILS, off))
    time.advance(5)
    await cloud.until(lambda: not central.connected)
    assert charger.schedules.enabled == "none"


async def test_only_the_latest_version_is_applied(client: PlainClient) -> None:
    first = await client.post(DETAILS, body())
    await client.post(DETAILS, body("ws://192.0.2.2:9000"))
    assert (await client.ask("POST", APPLY, first))[0] == 409
    assert (await client.ask("POST", APPLY, {}))[0] == 400


@pytest.mark.parametrize(
    "wrong",
    [
        body() | {"connectivityMode": "Perhaps"},
        body("http://192.0.2.1"),
        {"connectivityMode": "DualProtocol"},
    ],
)
async def test_details_that_are_none_are_invalid(
    client: PlainClient, wrong: object
) -> None:
    assert (await client.ask("POST", DETAILS, wrong))[0] == 400


async def test_old_firmware_cannot(client: PlainClient, charger: Charger) -> None:
    charger.observe(80, 327)
    assert (await client.ask("POST", DETAILS, body()))[0] == 400


async def test_without_wifi_nobody_dials(
    client: PlainClient, dialer: Dialer, time: SimulatedTime, charger: Charger
) -> None:
    charger.observe(141, 0)
    await client.post(APPLY, await client.post(DETAILS, body()))
    time.advance(60)
    assert not dialer.twin(charger).dials


async def test_somebody_else_changes_it(cloud: EaseeCloud, client: PlainClient) -> None:
    version = await client.post(DETAILS, body())
    charger = cloud.chargers["EH123456"]
    cloud.local_ocpp.foreign_change(charger, "wss://ocpp.example.com")
    stored = await client.get(DETAILS)
    assert stored["version"] != version["version"]
    assert stored["websocketConnectionArgs"]["url"].startswith("wss://ocpp.example.com")
    assert (await client.ask("POST", APPLY, version))[0] == 409


async def test_another_operator_wipes_it(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    await client.post(APPLY, await client.post(DETAILS, body()))
    cloud.pair_operator("EH123456", 42)
    assert (await client.ask("GET", DETAILS))[0] == 404
    assert (await client.ask("POST", DETAILS, body()))[0] == 403
    assert cloud.chargers["EH123456"].schedules.enabled == "none"


async def test_a_lost_answer_has_stored_it(
    cloud: EaseeCloud, client: PlainClient
) -> None:
    cloud.faults.add(Fault(pattern="connection-details", cut=True, after=True))
    with pytest.raises(aiohttp.ClientError):
        await client.post(DETAILS, body())
    assert (await client.get(DETAILS))["version"] == "version-1"
