"""F2: the rest of REST, endpoint by endpoint."""

from datetime import timedelta
from typing import Any

import pytest

from .plain import PlainClient
from simulators.easee_cloud import (
    Charger,
    EaseeCloud,
    Equalizer,
    SimulatedTime,
    Vehicle,
    seeded,
)
from simulators.easee_cloud.clock import whole

C = "/api/chargers/EH123456"
S = "/api/sites/1"
Q = "/api/equalizers/QP123456"


@pytest.fixture(autouse=True)
async def logged_in(client: PlainClient) -> None:
    """Log in."""
    await client.login()


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/api/accounts/profile",
        "/api/accounts/easeekeys",
        "/api/resources/countries/active",
        "/api/resources/currencies",
        "/api/resources/observation_properties",
        "/api/chargers",
        f"{C}/site",
        f"{C}/config",
        f"{C}/state",
        f"{C}/details",
        f"{C}/partners",
        f"{C}/schedules",
        f"{C}/sessions/latest",
        "/api/sessions/charger/EH123456/sessions/descending?limit=2",
        "/api/sessions/charger/EH123456/daily",
        "/api/sites",
        f"{S}/state",
        f"{S}/users",
        f"{S}/users/1/monthly",
        f"{S}/users/1/yearly",
        f"{S}/circuits/11/settings",
        f"{S}/circuits/11/dynamicCurrent",
        f"{Q}/state",
        f"{Q}/config",
        f"{Q}/site",
        "/firmware/EH123456/latest",
        "/firmware/QP123456/latest",
        "/cloud-loadbalancing/equalizer/QP123456/config/surplus-energy",
    ],
)
async def test_it_is_there(client: PlainClient, path: str) -> None:
    assert await client.get(path)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{C}/sessions/ongoing", 404),
        ("GET", f"{C}/schedules/daily", 404),
        ("POST", f"{C}/schedules/daily/enable", 404),
        ("GET", f"{C}/basic_charge_plan", 404),
        ("GET", "/local-ocpp/v1/connection-details/EH123456", 404),
        ("GET", "/api/chargers/EH000000/config", 404),
        ("GET", "/api/equalizers/EH123456/config", 404),
        ("GET", "/api/sites/2", 404),
        ("GET", f"{S}/circuits/12/settings", 404),
        ("GET", "/api/commands/EH123456/48/1", 404),
        ("GET", "/api/streams/amqp/v2", 403),
        ("POST", f"{S}/circuits/11/rated_current", 403),
        ("DELETE", "/api/chargers", 405),
    ],
)
async def test_it_is_not_there(
    client: PlainClient, method: str, path: str, status: int
) -> None:
    assert (await client.ask(method, path))[0] == status


async def test_products_are_sites_with_all_on_them(client: PlainClient) -> None:
    (site,) = await client.get("/api/accounts/products")
    (circuit,) = site["circuits"]
    assert [charger["id"] for charger in circuit["chargers"]] == [
        "EH123456",
        "EH654321",
    ]
    plates = [charger["backPlate"] for charger in circuit["chargers"]]
    assert plates[0]["id"] == plates[0]["masterBackPlateId"]
    assert plates[1]["masterBackPlateId"] == plates[0]["id"]
    assert [one["id"] for one in site["equalizers"]] == ["QP123456"]


async def test_observations_have_types_here(client: PlainClient) -> None:
    answer = await client.get("/state/EH123456/observations?ids=31,48,109,36,999")
    values = {one["id"]: one["value"] for one in answer["observations"]}
    assert values == {31: True, 48: 32.0, 109: 1, 36: "Example"}
    assert answer["observations"][0]["dataType"] == 2
    everything = await client.get("/state/QP123456/observations")
    assert len(everything["observations"]) > 20
    assert (await client.ask("GET", "/state/EH123456/observations?ids=x"))[0] == 400


async def test_config_and_state_have_names(client: PlainClient) -> None:
    config = await client.get(f"{C}/config")
    assert (config["isEnabled"], config["phaseMode"], config["maxChargerCurrent"]) == (
        True,
        2,
        32,
    )
    assert config["limitToSinglePhaseCharging"] is False
    assert config["wiFiSSID"] == "Example"
    state = await client.get(f"{C}/state")
    assert (state["chargerOpMode"], state["isOnline"], state["inVoltageT2T3"]) == (
        1,
        True,
        230,
    )


async def test_sessions_and_their_price(
    client: PlainClient, charger: Charger, time: SimulatedTime
) -> None:
    await client.post(f"{S}/price", {"currencyId": "NOK", "costPerKWh": 2.5, "vat": 25})
    start = whole(time())
    charger.plug_in(Vehicle())
    time.advance(3602)
    await client.refresh()
    ongoing = await client.get(f"{C}/sessions/ongoing")
    assert ongoing["sessionEnergy"] == pytest.approx(11.04, rel=0.001)
    assert ongoing["costIncludingVat"] == pytest.approx(27.6, rel=0.001)
    assert (ongoing["currencyId"], ongoing["sessionEnd"]) == ("NOK", None)
    charger.unplug()
    latest = await client.get(f"{C}/sessions/latest")
    assert latest["sessionId"] == ongoing["sessionId"]
    assert latest["sessionEnd"] == whole(time())
    end = whole(time() + timedelta(seconds=1))
    (listed,) = await client.get(
        f"/api/sessions/charger/EH123456/sessions/{start}/{end}"
    )
    assert listed["id"] == ongoing["sessionId"]
    assert listed["kiloWattHours"] == pytest.approx(11.04, rel=0.001)
    total = await client.get(f"/api/sessions/charger/EH123456/total/{start}/{end}")
    assert total == pytest.approx(11.04, rel=0.001)
    (first, second) = await client.get(f"{S}/breakdown/{start}/{end}")
    assert first["totalCost"] == pytest.approx(27.6, rel=0.001)
    assert second["totalEnergyUsage"] == 0


async def test_hourly_usage_for_a_month_at_most(
    client: PlainClient, time: SimulatedTime
) -> None:
    end, month = whole(time()), whole(time() - timedelta(days=30))
    rows = await client.get(f"{C}/usage/hourly/{month}/{end}")
    assert len(rows) == 30 * 24
    sessions: list[dict[str, Any]] = await client.get(
        f"/api/sessions/charger/EH123456/sessions/{month}/{end}"
    )
    assert len(sessions) == 15
    hourly = sum(row["totalEnergy"] for row in rows)
    assert hourly == pytest.approx(sum(one["kiloWattHours"] for one in sessions))
    year = whole(time() - timedelta(days=365))
    assert (await client.ask("GET", f"{C}/usage/hourly/{year}/{end}"))[0] == 400


async def test_a_report_is_a_file(client: PlainClient, time: SimulatedTime) -> None:
    start, end = whole(time() - timedelta(days=10)), whole(time())
    path = f"/api/sessions/export/1/0/{start}/{end}"
    status, body, headers = await client.ask("GET", path)
    assert (status, headers["Content-Type"]) == (200, "application/octet-stream")
    assert body.count("EH123456") == 5


async def test_a_site_is_renamed(client: PlainClient) -> None:
    site = await client.get(f"{S}?detailed=true")
    status, _, _ = await client.ask("PUT", S, site | {"name": "Cabin"})
    assert status == 200
    renamed = await client.get(S)
    assert (renamed["name"], renamed["circuits"]) == ("Cabin", [])


async def test_access_and_operator(client: PlainClient, cloud: EaseeCloud) -> None:
    assert (await client.ask("PUT", f"{C}/access", 2))[0] == 200
    assert (await client.ask("PUT", f"{C}/access", 9))[0] == 400
    assert cloud.chargers["EH123456"].access == 2
    assert (await client.ask("DELETE", f"{C}/access"))[0] == 200
    assert cloud.chargers["EH123456"].access == 1
    await client.post(f"{C}/partners", {"id": 7})
    assert (await client.get(f"{C}/partners"))["id"] == 7
    assert (await client.ask("POST", f"{C}/partners", {"id": 7}))[0] == 400
    cloud.chargers["EH123456"].operator = None
    assert (await client.ask("GET", f"{C}/partners"))[0] == 404


async def test_a_circuit_limit_has_a_time_to_live(
    client: PlainClient, time: SimulatedTime
) -> None:
    path = f"{S}/circuits/11/dynamicCurrent"
    body = {"phase1": 13, "phase2": 13, "phase3": 13, "timeToLive": 1}
    assert (await client.post(path, body))["commandId"] == 22
    time.advance(1)
    assert await client.get(path) == {"phase1": 13, "phase2": 13, "phase3": 13}
    time.advance(60)
    assert (await client.get(path))["phase1"] == 6


async def test_an_installer_sets_the_fuse(
    client: PlainClient, cloud: EaseeCloud, charger: Charger
) -> None:
    cloud.tokens.accounts[0].claims.append("Partner")
    await client.post(f"{S}/circuits/11/rated_current", {"ratedCurrentFuseValue": 20})
    assert charger.circuit.rated == 20


async def test_an_equalizer_is_configured(
    client: PlainClient, equalizer: Equalizer, time: SimulatedTime
) -> None:
    sent = await client.post(
        f"{Q}/commands/configure_max_allocated_current", {"maxCurrent": 25}
    )
    assert (sent["device"], sent["commandId"]) == ("QP123456", 15)
    time.advance(1)
    assert (await client.get(f"{Q}/config"))["maxAllocatedCurrent"] == 25
    path = "/cloud-loadbalancing/equalizer/QP123456/config/surplus-energy"
    assert await client.get(path) == {"mode": "none"}
    wanted = {"mode": "surplusOnly", "surplusOnly": {"x": 1}}
    await client.post(path, wanted)
    assert await client.get(path) == wanted
    assert equalizer.available() == [0, 0, 0]
    assert (await client.get(f"{Q}/state"))["isOnline"] is True


DAILY = {
    "enabled": True,
    "timezone": "Europe/Oslo",
    "periods": [{"startTime": "22:00:00", "stopTime": "06:00:00", "maximumAmps": 16}],
}
WEEKLY = {
    "enabled": False,
    "timezone": "UTC",
    "periods": [
        {
            "startDay": "friday",
            "stopDay": "monday",
            "startTime": "20:00",
            "stopTime": "06:00",
            "maximumAmps": 10,
        }
    ],
}


async def test_schedules_are_stored_and_one_is_enabled(
    client: PlainClient, charger: Charger, time: SimulatedTime
) -> None:
    await client.post(f"{C}/schedules/daily", DAILY)
    await client.post(f"{C}/schedules/weekly", WEEKLY)
    assert (await client.get(f"{C}/schedules"))["enabled"] == "daily"
    assert (await client.get(f"{C}/schedules/weekly"))["enabled"] is False
    assert charger[62]
    await client.post(f"{C}/schedules/weekly/enable")
    assert (await client.get(f"{C}/schedules/daily"))["enabled"] is False
    # The clock starts on a Thursday at six.
    assert charger.schedules.limit(time()) == 0
    assert charger.schedules.limit(time() + timedelta(days=2)) == 10
    await client.post(f"{C}/schedules/weekly/disable")
    assert (await client.get(f"{C}/schedules"))["enabled"] == "none"
    assert charger[62] == ""
    assert (await client.ask("DELETE", f"{C}/schedules/daily"))[0] == 200
    assert (await client.ask("GET", f"{C}/schedules/daily"))[0] == 404


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("daily", {}),
        ("daily", DAILY | {"timezone": "Nowhere/At all"}),
        ("daily", DAILY | {"periods": [{"startTime": "25:00"}]}),
        ("weekly", DAILY),
        ("delayed", {"timezone": "UTC"}),
    ],
)
async def test_what_is_no_schedule_is_refused(
    client: PlainClient, kind: str, body: object
) -> None:
    assert (await client.ask("POST", f"{C}/schedules/{kind}", body))[0] == 400


async def test_old_plans_are_kept(client: PlainClient) -> None:
    await client.post(f"{C}/basic_charge_plan", {"isEnabled": True})
    assert await client.get(f"{C}/basic_charge_plan") == {"isEnabled": True}
    await client.ask("DELETE", f"{C}/basic_charge_plan")
    assert (await client.ask("GET", f"{C}/basic_charge_plan"))[0] == 404


async def test_an_account_can_have_two_sites(socket_enabled: None) -> None:
    cloud = seeded(second_site=True, equalizer=False)
    await cloud.start()
    client = PlainClient(cloud)
    await client.login()
    sites = await client.get("/api/accounts/products")
    assert [(site["name"], len(site["equalizers"])) for site in sites] == [
        ("Home", 0),
        ("Cabin", 0),
    ]
    assert [one["id"] for one in await client.get("/api/chargers")] == [
        "EH123456",
        "EH777777",
    ]
    await client.close()
    await cloud.stop()
