"""Actions that ask the Easee cloud."""

from datetime import UTC, datetime, timedelta
from typing import Any

import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized

from .easee import EaseeHome
from .easee_acts import OSLO, perform, refused, written
from .entities import device_id
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from simulators.easee_cloud import Behaviour, Charger, EaseeCloud, Fault
from simulators.easee_cloud.seed import CHARGER, EQUALIZER

SITE = "easee_site_1"
CIRCUIT = "/api/sites/{0.site_id}/circuits/{0.circuit_id}/"


@pytest.fixture
async def charger(
    hass: HomeAssistant, easee_hub: EaseeHub, easee_cloud: EaseeCloud
) -> Charger:
    """Return the primary charger of the circuit, in a house in Norway."""
    await hass.config.async_set_time_zone(OSLO)
    return easee_cloud.chargers[CHARGER]


# Questions


async def test_sessions_of_the_cloud(easee_home: EaseeHome, charger: Charger) -> None:
    sessions = (await perform(easee_home, "easee_get_sessions", limit=3))["sessions"]
    assert len(sessions) == 3
    newest = charger.history.sessions[-1]
    assert sessions[0]["id"] == str(newest.id)
    assert sessions[0]["energy"] == round(newest.energy * 1000)
    assert (sessions[0]["id_token"], sessions[0]["token_name"]) == ("DEMO0001", None)
    assert [one["start"] for one in sessions] == sorted(
        (one["start"] for one in sessions), reverse=True
    )
    week = await perform(
        easee_home,
        "easee_get_sessions",
        start="2026-09-10 00:00:00",
        end="2026-09-17 00:00:00",
    )
    assert {one["start"][:10] for one in week["sessions"]} <= {
        f"2026-09-{day}" for day in range(10, 17)
    }
    fields = {"start": "2026-09-10 00:00:00", "end": "2026-09-09 00:00:00"}
    assert await refused(easee_home, "easee_get_sessions", **fields) == (
        "easee_end_before_start"
    )
    fields = {"start": "2020-09-10 00:00:00"}
    assert await refused(easee_home, "easee_get_sessions", **fields) == "easee_too_long"


async def test_usage_by_hour_day_and_month(
    easee_home: EaseeHome, charger: Charger
) -> None:
    span = {"start": "2026-08-20 00:00:00", "end": "2026-10-01 00:00:00"}
    hours = await perform(easee_home, "easee_get_usage", by="hour", **span)
    days = await perform(easee_home, "easee_get_usage", **span)
    months = await perform(easee_home, "easee_get_usage", by="month", **span)
    assert len(hours["usage"]) == 42 * 24
    assert len(days["usage"]) == 42
    assert [one["start"] for one in months["usage"]] == [
        "2026-08-01T00:00:00+02:00",
        "2026-09-01T00:00:00+02:00",
    ]
    start, end = (datetime.fromisoformat(f"{one}+02:00") for one in span.values())
    total = sum(
        energy for at, energy in charger.history.hours.items() if start <= at < end
    )
    assert hours["total"] == days["total"] == months["total"]
    assert hours["total"] == pytest.approx(total * 1000, abs=30)


async def test_an_hour_that_the_clock_repeats_is_two_hours(
    easee_home: EaseeHome, charger: Charger
) -> None:
    # In Norway it was three o'clock twice on 26 October 2025.
    charger.history.hours.clear()
    begin = datetime(2025, 10, 25, 22, tzinfo=UTC)
    for number in range(25):
        charger.history.hours[begin + timedelta(hours=number)] = 1.0
    span = {"start": "2025-10-26 00:00:00", "end": "2025-10-27 00:00:00"}
    hours = await perform(easee_home, "easee_get_usage", by="hour", **span)
    assert [one["energy"] for one in hours["usage"]] == [1000] * 25
    assert [one["start"] for one in hours["usage"]][2:4] == [
        "2025-10-26T02:00:00+02:00",
        "2025-10-26T02:00:00+01:00",
    ]
    days = await perform(easee_home, "easee_get_usage", **span)
    assert days["usage"] == [{"start": "2025-10-26T00:00:00+02:00", "energy": 25000}]


async def test_polling(
    easee_home: EaseeHome, easee_cloud: EaseeCloud, charger: Charger
) -> None:
    await perform(easee_home, "easee_poll")
    assert [one.rpartition("/")[2] for one in written(easee_cloud)] == [
        "poll_chargeropmode",
        "poll_lifetimeenergy",
    ]
    assert await refused(easee_home, "easee_poll") == "too_soon"
    await easee_home.passes(timedelta(minutes=3).total_seconds())
    await perform(easee_home, "easee_poll")
    assert len(written(easee_cloud)) == 4


# Anything else


@pytest.mark.parametrize("identifier", [CHARGER, EQUALIZER, SITE, "account"])
async def test_any_request(
    easee_home: EaseeHome, easee_hub: EaseeHub, charger: Charger, identifier: str
) -> None:
    if identifier == "account":
        identifier = easee_hub.entry.entry_id
    answer = await perform(
        easee_home,
        "easee_call",
        identifier,
        method="GET",
        path=f"/state/{CHARGER}/observations?ids=48,109",
    )
    assert answer["status"] == 200
    assert {one["id"] for one in answer["body"]["observations"]} == {48, 109}


async def test_a_command_by_hand_is_nobody_elses(
    easee_home: EaseeHome, easee_hub: EaseeHub, charger: Charger
) -> None:
    answer = await perform(
        easee_home,
        "easee_call",
        method="POST",
        path=f"/api/chargers/{CHARGER}/settings",
        body={"ledStripBrightness": 10},
    )
    assert answer["status"] == 202
    foreign: list[Any] = []
    easee_hub.account.commands.on_foreign(foreign.append)
    await easee_home.passes(60)
    assert not foreign


async def test_a_command_by_hand_may_be_done_before_it_is_answered(
    easee_home: EaseeHome, easee_hub: EaseeHub, charger: Charger
) -> None:
    foreign: list[Any] = []
    easee_hub.account.commands.on_foreign(foreign.append)
    easee_home.cloud.commands.next(Behaviour(response_before_http=True))
    await perform(
        easee_home,
        "easee_call",
        method="POST",
        path=f"/api/chargers/{CHARGER}/settings",
        body={"ledStripBrightness": 10},
    )
    await easee_home.passes(60)
    assert not foreign


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("settings", {"dynamicCircuitCurrentP1": 20, "enableIdleCurrent": True}),
        ("settings?now", {"maxCircuitCurrentP2": 20}),
        ("dynamicCurrent", {"phase1": 20, "phase2": 20, "phase3": 20}),
    ],
)
async def test_a_circuit_by_hand_is_commanded_by_nobody_else(
    easee_home: EaseeHome,
    easee_hub: EaseeHub,
    charger: Charger,
    what: str,
    body: dict[str, Any],
    lost: bool,
) -> None:
    foreign: list[Any] = []
    easee_hub.account.commands.on_foreign(foreign.append)
    info = easee_hub.account.chargers[CHARGER].info
    fields = {"method": "POST", "path": CIRCUIT.format(info) + what, "body": body}
    if lost:
        fault = Fault(pattern="/circuits/", method="POST", cut=True, after=True)
        easee_home.cloud.faults.add(fault)
        assert await refused(easee_home, "easee_call", **fields) == (
            "easee_cannot_connect"
        )
    else:
        await perform(easee_home, "easee_call", **fields)
    await easee_home.passes(60)
    assert charger.circuit.dynamic[0] == 20 or charger.circuit.maximum[1] == 20
    assert not foreign


async def test_what_others_do_to_a_circuit_meanwhile_is_theirs(
    easee_home: EaseeHome, easee_hub: EaseeHub, charger: Charger
) -> None:
    foreign: list[Any] = []
    easee_hub.account.commands.on_foreign(foreign.append)
    info = easee_hub.account.chargers[CHARGER].info
    await perform(
        easee_home,
        "easee_call",
        method="POST",
        path=CIRCUIT.format(info) + "settings",
        body={"name": "Garage"},
    )
    path = CIRCUIT.format(info) + "rated_current"
    fields = {"method": "POST", "path": path, "body": {"ratedCurrentFuseValue": 20}}
    assert await refused(easee_home, "easee_call", **fields) == "easee_forbidden"
    easee_home.cloud.rogue_response(CHARGER, 22)
    easee_home.cloud.rogue_response(CHARGER, 50)
    await easee_home.passes(10)
    assert sorted(one.id for one in foreign) == [22, 50]


async def test_secrets_do_not_come_along(
    easee_home: EaseeHome, charger: Charger
) -> None:
    answer = await perform(
        easee_home,
        "easee_call",
        method="GET",
        path=f"/api/chargers/{CHARGER}/details",
    )
    assert answer["body"]["pinCode"] == "**REDACTED**"


@pytest.mark.parametrize(
    "path",
    [
        "/hubs/chargers",
        "api/chargers",
        "https://example.com/api/chargers",
        "//example.com/api/",
        "/api/../hubs",
        "/api/./chargers",
        "/api/%2e%2e/hubs",
        "/api//chargers",
        "/api/chargers#there",
        "/api/chargers\n",
        "/api/\\example.com",
        "/api/accounts/login",
        "/api/accounts/refresh_token",
        "/api/Accounts/Login",
        "/api/accounts/profile/password",
        "/api/accounts/products@login",
        "/api/streams/amqp/v2",
    ],
)
async def test_paths_that_lead_elsewhere(
    easee_home: EaseeHome, easee_cloud: EaseeCloud, charger: Charger, path: str
) -> None:
    before = len(list(easee_cloud.journal))
    with pytest.raises(probatio.Invalid):
        await perform(easee_home, "easee_call", method="GET", path=path)
    assert len(list(easee_cloud.journal)) == before


@pytest.mark.parametrize(
    "body",
    [10**30, float("nan"), "\ud800", {"now": timedelta(1)}, "x" * 100_000],
    ids=["number", "nan", "surrogate", "type", "size"],
)
async def test_bodies_that_nobody_can_send(
    easee_home: EaseeHome, easee_cloud: EaseeCloud, charger: Charger, body: object
) -> None:
    fields = {"method": "POST", "path": f"/api/chargers/{CHARGER}/settings"}
    with pytest.raises(probatio.Invalid):
        await perform(easee_home, "easee_call", **fields, body={"enabled": body})
    assert not written(easee_cloud)


async def test_a_path_stays_at_the_host(
    easee_home: EaseeHome, charger: Charger
) -> None:
    fields = {"method": "GET", "path": "/api/@example.com:1"}
    assert await refused(easee_home, "easee_call", **fields) == "easee_not_found"


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("easee_call", {"method": "GET", "path": "/api/chargers"}),
        ("easee_get_site_users", {}),
        ("easee_set_operator", {"operator_id": 2}),
    ],
)
async def test_only_administrators(
    hass: HomeAssistant,
    easee_cloud: EaseeCloud,
    charger: Charger,
    hass_read_only_user: MockUser,
    action: str,
    fields: dict[str, Any],
) -> None:
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            action,
            {"device_id": device_id(hass, CHARGER), **fields},
            blocking=True,
            return_response=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert not written(easee_cloud)
