"""Test the repair issues: chargers that wait, and what set-up found."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from aiohttp import WSServerHandshakeError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.repairs import DOMAIN as REPAIRS_DOMAIN
from homeassistant.const import CONF_NAME, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .charger import Charger
from .conftest import IDENTITY, ChargerFactory, device_of
from custom_components.ev_charger_hub.const import (
    CONF_GENERATE_PASSWORD,
    CONF_PASSWORD_HASH,
    CONF_POLICY,
    CONF_REFUSED,
    DOMAIN,
)
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.issues import (
    async_update_finding_issues,
    finding_issue_id,
    waiting_issue_id,
)
from custom_components.ev_charger_hub.snapshots import SNAPSHOT_DELAY

type Step = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
type Fix = Callable[[], Awaitable[tuple[dict[str, Any], Step]]]

APPROVE = {CONF_NAME: "Garage", CONF_GENERATE_PASSWORD: False}


@pytest.fixture
async def waiting_charger(hass: HomeAssistant, charger_ws: ChargerFactory) -> Charger:
    """Return a charger that nobody approved."""
    charger = await charger_ws(IDENTITY)
    assert (await charger.boot())["status"] == "Pending"
    await hass.async_block_till_done()
    return charger


@pytest.fixture
async def fix(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> Fix:
    """Return what opens the fix flow of the waiting charger as the frontend does."""
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    client = await hass_client()

    async def opened() -> tuple[dict[str, Any], Step]:
        issue_id = waiting_issue_id(init_integration.entry_id, IDENTITY)
        response = await client.post(
            "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id}
        )
        assert response.status == HTTPStatus.OK
        first: dict[str, Any] = await response.json()

        async def step(user_input: dict[str, Any]) -> dict[str, Any]:
            response = await client.post(
                f"/api/repairs/issues/fix/{first['flow_id']}", json=user_input
            )
            assert response.status == HTTPStatus.OK
            await hass.async_block_till_done()
            result: dict[str, Any] = await response.json()
            return result

        return first, step

    return opened


@pytest.fixture
def issue(
    init_integration: MockConfigEntry, issue_registry: ir.IssueRegistry
) -> Callable[[], ir.IssueEntry | None]:
    """Return what looks up the issue of the waiting charger."""
    issue_id = waiting_issue_id(init_integration.entry_id, IDENTITY)
    return lambda: issue_registry.async_get_issue(DOMAIN, issue_id)


async def test_unknown_charger_is_shown_to_the_user(
    waiting_charger: Charger, issue: Callable[[], ir.IssueEntry | None]
) -> None:
    """Test that a charger that waits is told of, with what it says of itself."""
    found = issue()
    assert found is not None
    assert found.is_fixable
    assert found.translation_placeholders == {
        "address": "127.0.0.1",
        "model": "Wall One",
        "name": IDENTITY,
        "vendor": "Acme",
    }


async def test_what_a_stranger_says_is_not_rendered(
    charger_ws: ChargerFactory, issue: Callable[[], ir.IssueEntry | None]
) -> None:
    """Test that nobody gets a link into the user's repairs by calling itself one."""
    charger = await charger_ws(IDENTITY)
    await charger.boot(chargePointVendor="`[click](http://evil)`")
    found = issue()
    assert found is not None
    assert found.translation_placeholders is not None
    assert found.translation_placeholders["vendor"] == "[click](http://evil)"


async def test_approved_charger_gets_its_device(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    waiting_charger: Charger,
    fix: Fix,
    issue: Callable[[], ir.IssueEntry | None],
) -> None:
    """Test the whole way: connect, approve, boot, device with entities."""
    first, step = await fix()
    assert first["type"] == "menu"
    result = await step({"next_step_id": "approve"})
    assert result["step_id"] == "approve"
    assert result["data_schema"][0]["description"] == {
        "suggested_value": "Acme Wall One"
    }
    result = await step(APPROVE)
    assert result["type"] == "create_entry"
    assert issue() is None

    # It is asked for its boot at once instead of after the interval of a minute.
    await waiting_charger.expect("TriggerMessage")
    await waiting_charger.status(1, "Available")
    await hass.async_block_till_done()
    station = hub.stations[IDENTITY].station
    assert station.online.value
    device = device_of(hass, init_integration)
    assert device is not None
    assert device.name == "Garage"
    assert device.manufacturer == "Acme"
    assert device.model == "Wall One"
    assert device.serial_number == "SN-0001-4711"
    assert device.sw_version == "1.2.3"
    server = device_of(hass, init_integration, init_integration.entry_id)
    assert server is not None
    assert device.via_device_id == server.id
    assert server.entry_type is dr.DeviceEntryType.SERVICE
    states = [one for one in hass.states.async_all() if "garage" in one.entity_id]
    assert states


async def test_what_is_typed_into_a_charger_with_a_slash_in_its_identity(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger_ws: ChargerFactory,
    fix: Fix,
    hass_client: ClientSessionGenerator,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Test that the URL leads back to the charger, and that no id gives it away."""
    charger = await charger_ws("site%2F7")
    await charger.boot()
    await hass.async_block_till_done()
    issue_id = waiting_issue_id(init_integration.entry_id, "site/7")
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is not None
    assert "site" not in issue_id
    client = await hass_client()
    path = "/api/repairs/issues/fix"
    response = await client.post(path, json={"handler": DOMAIN, "issue_id": issue_id})
    flow = await response.json()
    assert flow["description_placeholders"]["name"] == "site/7"
    assert flow["description_placeholders"]["url"].endswith("/site%2F7")


async def test_approve_with_a_generated_password(
    init_integration: MockConfigEntry,
    waiting_charger: Charger,
    fix: Fix,
    charger_ws: ChargerFactory,
) -> None:
    """Test that the password is shown once and asked for from then on."""
    _, step = await fix()
    await step({"next_step_id": "approve"})
    result = await step({**APPROVE, CONF_GENERATE_PASSWORD: True, "password": "x"})
    assert result["errors"] == {"password": "password_or_generated"}
    result = await step({**APPROVE, CONF_GENERATE_PASSWORD: True})
    assert result["step_id"] == "password"
    shown = result["description_placeholders"]
    assert shown["url"].endswith(f"/{IDENTITY}")
    assert not init_integration.subentries
    assert (await step({}))["type"] == "create_entry"
    (subentry,) = init_integration.subentries.values()
    assert shown["password"] not in str(subentry.data[CONF_PASSWORD_HASH])

    with pytest.raises(WSServerHandshakeError, match="401"):
        await charger_ws(IDENTITY)
    charger = await charger_ws(IDENTITY, password=shown["password"])
    assert (await charger.boot())["status"] == "Accepted"


async def test_refused_charger_is_not_asked_about_again(
    init_integration: MockConfigEntry,
    hub: OcppHub,
    waiting_charger: Charger,
    fix: Fix,
    issue: Callable[[], ir.IssueEntry | None],
    charger_ws: ChargerFactory,
) -> None:
    """Test that a refused charger is sent away, now and at the next handshake."""
    _, step = await fix()
    result = await step({"next_step_id": "refuse"})
    assert result["step_id"] == "refuse"
    result = await step({})
    assert result["type"] == "create_entry"
    assert issue() is None
    assert init_integration.options[CONF_REFUSED] == [IDENTITY]
    await waiting_charger.closed()
    with pytest.raises(WSServerHandshakeError, match="404"):
        await charger_ws(IDENTITY)
    assert issue() is None

    # Refused twice, it is remembered once.
    await hub.admission.async_refuse(IDENTITY)
    assert init_integration.options[CONF_REFUSED] == [IDENTITY]


async def test_charger_that_was_refused_is_added_by_hand(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    charger_ws: ChargerFactory,
) -> None:
    """Test that adding a charger takes back its refusal."""
    await hub.admission.async_refuse(IDENTITY)
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    assert init_integration.options[CONF_REFUSED] == []
    charger = await charger_ws(IDENTITY)
    assert (await charger.boot())["status"] == "Accepted"


async def test_fix_flow_of_a_charger_that_was_added_meanwhile(
    hass: HomeAssistant, hub: OcppHub, waiting_charger: Charger, fix: Fix
) -> None:
    """Test that a charger is not approved twice."""
    _, step = await fix()
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    result = await step({"next_step_id": "approve"})
    assert result["type"] == "abort"
    assert result["reason"] == "already_configured"


async def test_server_that_stops_while_the_password_is_shown(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    waiting_charger: Charger,
    fix: Fix,
) -> None:
    """Test that a charger is not approved at a server that does not run."""
    _, step = await fix()
    await step({"next_step_id": "approve"})
    await step({**APPROVE, CONF_GENERATE_PASSWORD: True})
    await hass.config_entries.async_unload(init_integration.entry_id)
    result = await step({})
    assert result["type"] == "abort"
    assert result["reason"] == "server_not_running"


@pytest.mark.parametrize("decision", ["approve", "refuse"])
async def test_fix_flow_of_a_server_that_stopped_meanwhile(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    waiting_charger: Charger,
    fix: Fix,
    decision: str,
) -> None:
    """Test that nothing is decided at a server that does not run."""
    _, step = await fix()
    await step({"next_step_id": decision})
    await hass.config_entries.async_unload(init_integration.entry_id)
    result = await step(APPROVE if decision == "approve" else {})
    assert result["type"] == "abort"
    assert result["reason"] == "server_not_running"


async def test_policy_accept_adds_every_charger(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    waiting_charger: Charger,
    issue: Callable[[], ir.IssueEntry | None],
    charger_ws: ChargerFactory,
) -> None:
    """Test that who waits is let in when the policy changes, and who comes then."""
    hass.config_entries.async_update_entry(
        init_integration, options={CONF_POLICY: "accept"}
    )
    await hass.async_block_till_done()
    assert issue() is None
    assert list(hub.stations) == [IDENTITY]

    charger = await charger_ws("CP02")
    assert (await charger.boot())["status"] == "Accepted"
    assert [one.title for one in init_integration.subentries.values()] == [
        IDENTITY,
        "CP02",
    ]


async def test_policy_refuse_sends_every_unknown_charger_away(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    waiting_charger: Charger,
    issue: Callable[[], ir.IssueEntry | None],
    charger_ws: ChargerFactory,
) -> None:
    """Test that who waits has to go when the policy changes, and who comes then."""
    hass.config_entries.async_update_entry(
        init_integration, options={CONF_POLICY: "refuse"}
    )
    await hass.async_block_till_done()
    assert issue() is None
    await waiting_charger.closed()
    with pytest.raises(WSServerHandshakeError, match="404"):
        await charger_ws("CP02")

    hass.config_entries.async_update_entry(
        init_integration, options={CONF_POLICY: "ask"}
    )
    await hass.async_block_till_done()
    assert (await (await charger_ws(IDENTITY)).boot())["status"] == "Pending"
    assert issue() is not None


async def test_issue_goes_with_the_server(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    waiting_charger: Charger,
    issue: Callable[[], ir.IssueEntry | None],
) -> None:
    """Test that a server that is unloaded asks nothing any more."""
    assert issue() is not None
    await hass.config_entries.async_unload(init_integration.entry_id)
    assert issue() is None


async def test_what_the_user_ignores_stays_ignored_at_the_next_start(
    hass: HomeAssistant,
    hub: OcppHub,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Test that Home Assistant keeps the issues that it knows to be ignored."""
    station = hub.stations[IDENTITY].station
    station.findings["limits"] = "refused: EVSE 1"
    async_update_finding_issues(hass, station)
    await (await charger_ws("CP02")).boot()
    ids = (
        finding_issue_id("limits_refused", IDENTITY),
        waiting_issue_id(hub.entry.entry_id, "CP02"),
    )
    for issue_id in ids:
        issue_registry.async_ignore(DOMAIN, issue_id, True)
    hass.set_state(CoreState.stopping)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    for issue_id in ids:
        found = issue_registry.async_get_issue(DOMAIN, issue_id)
        assert found is not None
        assert found.dismissed_version is not None


@pytest.mark.parametrize(
    ("findings", "key"),
    [
        ({"boot": "loop: more than 5 restarts within 10 minutes"}, "boot_loop"),
        ({"configuration": "unanswered"}, "configuration_unanswered"),
        ({"intervals": "refused: ClockAlignedDataInterval"}, "intervals_refused"),
        ({"limits": "refused: EVSE 1"}, "limits_refused"),
        ({"local_list": "partial: 2 of 3"}, "local_list_full"),
        ({"local_list": "refused: Failed"}, "local_list_refused"),
        ({"measurands": "partial: SoC"}, "measurands_refused"),
        ({"triggers": "skipped: the charger disconnects"}, "setup_skipped"),
    ],
)
async def test_what_set_up_found_is_shown_if_the_user_can_act(
    hass: HomeAssistant,
    hub: OcppHub,
    approved_charger: Charger,
    issue_registry: ir.IssueRegistry,
    findings: dict[str, str],
    key: str,
) -> None:
    """Test that a finding raises an issue, and that it goes when all is well."""
    station = hub.stations[IDENTITY].station
    issue_id = finding_issue_id(key, IDENTITY)

    async def look_again() -> None:
        station.heartbeat.notify()
        async_fire_time_changed(hass, dt_util.utcnow() + SNAPSHOT_DELAY)
        await hass.async_block_till_done()

    station.findings.clear()
    station.findings |= findings
    await look_again()
    found = issue_registry.async_get_issue(DOMAIN, issue_id)
    assert found is not None
    assert not found.is_fixable
    assert found.learn_more_url is not None
    assert found.translation_placeholders == {"name": "Garage"}

    station.findings |= dict.fromkeys(findings, "ok")
    await look_again()
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None
