"""Test the repair issues of Easee accounts, and what users read of errors."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir

from .easee import EaseeHome, other_easee_entry
from .entities import state
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee import errors
from custom_components.ev_charger_hub.easee.errors import EaseeError
from custom_components.ev_charger_hub.easee_errors import translated_easee_errors
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from custom_components.ev_charger_hub.easee_issues import (
    BLOCKED,
    ROGUE,
    STREAM,
    UNVERIFIED,
    WEAR,
)
from custom_components.ev_charger_hub.easee_login import async_log_in
from custom_components.ev_charger_hub.issues import finding_issue_id
from simulators.easee_cloud.faults import Fault
from simulators.easee_cloud.seed import CHARGER, EMAIL, EQUALIZER, PASSWORD

HOUR = 3600
STATUS = f"{CHARGER}_1_status"


def issue(hass: HomeAssistant, issue_id: str) -> ir.IssueEntry | None:
    """Return an issue."""
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id)


def of_account(hub: EaseeHub, key: str) -> str:
    """Return the id of an issue of an account."""
    return f"{key}_{hub.entry.entry_id}"


async def control(home: EaseeHome) -> None:
    """Let another system control a charger."""
    for _ in range(3):
        home.cloud.rogue_response(CHARGER)
    await home.passes(5)


@pytest.mark.conformance("EASEE_A11")
async def test_a_blocked_address_is_an_issue_until_it_ends(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """Nothing is sent for an hour, nobody logs in again, and then all goes on."""
    cloud = easee_home.cloud
    cloud.limits.block()
    cloud.hub.drop()
    await easee_home.passes(60)
    raised = issue(hass, of_account(easee_hub, BLOCKED))
    assert raised is not None
    assert raised.translation_placeholders is not None
    assert raised.translation_placeholders["account"] == "Home"
    assert len(raised.translation_placeholders["until"]) >= 5
    asked = len(cloud.journal.requests)
    await easee_home.passes(HOUR - 120)
    assert len(cloud.journal.requests) == asked

    await easee_home.passes(600)

    assert issue(hass, of_account(easee_hub, BLOCKED)) is None
    assert state(hass, "sensor", STATUS) == "available"
    assert len(cloud.journal.find("POST", "/login")) == 1
    assert not hass.config_entries.flow.async_progress()


@pytest.mark.conformance("EASEE_A11")
@pytest.mark.parametrize("form", [False, True])
async def test_a_block_that_one_has_heard_of_is_an_issue_of_every_account(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, form: bool
) -> None:
    """An account, or a form; none of them asks before it ends, and no issue stays."""
    cloud = easee_home.cloud
    entry = other_easee_entry(cloud)
    other = await easee_home.set_up(entry)
    assert other is not None
    await easee_home.passes(300)
    cloud.limits.block()
    asked = len(cloud.journal.requests)
    hear = partial(async_log_in, hass, EMAIL, PASSWORD)
    with pytest.raises(errors.AddressBlocked):
        await (hear() if form else easee_hub.account.discover())
    cloud.hub.drop()
    await easee_home.passes(60)
    with pytest.raises(errors.AddressBlocked):
        await other.account.discover()
    await easee_home.passes(HOUR - 120)
    assert len(cloud.journal.requests) == asked + 1
    hubs = (easee_hub, other)
    assert all(issue(hass, of_account(hub, BLOCKED)) for hub in hubs)

    await easee_home.passes(600)

    assert not any(issue(hass, of_account(hub, BLOCKED)) for hub in hubs)


@pytest.mark.conformance("EASEE_A10")
async def test_a_command_while_nothing_is_sent_says_until_when(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """It fails at once, and what is shown stays."""
    cloud = easee_home.cloud
    cloud.faults.add(
        Fault(pattern="/state/", status=429, headers={"Retry-After": "120"})
    )
    with pytest.raises(errors.RateLimited):
        await easee_hub.account.refresh(CHARGER)
    asked = len(cloud.journal.requests)
    with pytest.raises(HomeAssistantError) as raised:
        await hass.services.async_call(
            "switch",
            "turn_off",
            {"entity_id": "switch.garage_touch_button"},
            blocking=True,
        )

    assert raised.value.translation_key == "easee_rate_limited"
    placeholders = raised.value.translation_placeholders
    assert placeholders is not None
    assert placeholders["name"] == "Garage"
    assert placeholders["until"].endswith(":02")
    await easee_home.passes(100)
    assert len(cloud.journal.requests) == asked
    assert state(hass, "sensor", STATUS) == "available"


async def test_an_e_mail_address_that_is_not_verified_is_an_issue(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """No new password helps, so none is asked for; it ends by itself."""
    account = easee_home.cloud.tokens.accounts[0]
    account.email_verified = False
    easee_home.cloud.tokens.revoke_sessions()
    easee_home.cloud.hub.drop()
    await easee_home.passes(HOUR)
    assert issue(hass, of_account(easee_hub, UNVERIFIED)) is not None
    assert not hass.config_entries.flow.async_progress()

    account.email_verified = True
    await easee_home.passes(HOUR)
    assert issue(hass, of_account(easee_hub, UNVERIFIED)) is None
    assert state(hass, "sensor", STATUS) == "available"


@pytest.mark.conformance("EASEE_S50")
async def test_a_stream_that_is_not_found_is_an_issue(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """It may have moved; until it is back values are asked for."""
    easee_home.cloud.faults.add(Fault(pattern="/hubs/", times=None, status=404))
    easee_home.cloud.hub.drop()
    await easee_home.passes(300)
    assert issue(hass, of_account(easee_hub, STREAM)) is not None
    assert state(hass, "sensor", STATUS) == "available"

    easee_home.cloud.recover()
    await easee_home.passes(300)
    assert issue(hass, of_account(easee_hub, STREAM)) is None


@pytest.mark.conformance("EASEE_A9")
async def test_another_system_in_control_is_an_issue(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """Three commands of others within ten minutes are no coincidence."""
    issue_id = finding_issue_id(ROGUE, CHARGER)
    for _ in range(2):
        easee_home.cloud.rogue_response(CHARGER)
        await easee_home.passes(60)
    assert issue(hass, issue_id) is None
    easee_home.cloud.rogue_response(CHARGER)
    await easee_home.passes(60)

    raised = issue(hass, issue_id)
    assert raised is not None
    assert raised.translation_placeholders is not None
    assert raised.translation_placeholders["name"] == "Garage"
    assert CHARGER not in raised.issue_id
    easee_home.time.advance(25 * HOUR)
    await easee_home.settle()
    assert issue(hass, issue_id) is None


@pytest.mark.parametrize("back", [True, False])
async def test_who_is_out_of_sight_is_in_nobodys_control(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub, back: bool
) -> None:
    """Nobody hears of a charger that is not listed; once it is again, all counts anew."""
    issue_id = finding_issue_id(ROGUE, CHARGER)
    await control(easee_home)
    assert issue(hass, issue_id) is not None
    chargers = easee_home.cloud.chargers[CHARGER].circuit.chargers
    (gone,) = [one for one in chargers if one.serial == CHARGER]
    chargers.remove(gone)
    await easee_hub.account.discover()
    await easee_home.settle()
    assert issue(hass, issue_id) is None

    if back:
        chargers.append(gone)
        await easee_hub.account.discover()
        await easee_home.settle()
        assert issue(hass, issue_id) is None
        await control(easee_home)
        assert issue(hass, issue_id) is not None
    easee_home.time.advance(25 * HOUR)
    await easee_home.settle()
    assert issue(hass, issue_id) is None


async def test_an_issue_that_is_ignored_is_so_after_the_next_start(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """That is remembered with the issue, which is no less there for the night."""
    await control(easee_home)
    hass.set_state(CoreState.stopping)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await easee_home.settle()
    assert easee_hub.stopped
    assert issue(hass, finding_issue_id(ROGUE, CHARGER)) is not None
    hass.set_state(CoreState.running)


async def test_an_automation_that_wears_a_memory_is_an_issue(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """Until the setting may be written again."""
    commands = easee_hub.account.commands
    for amps in range(25):
        await easee_home.time.pass_time(61)
        writing = hass.async_create_task(
            commands.settings(CHARGER, {"maxChargerCurrent": 6 + amps})
        )
        await easee_home.time.pass_time(5)
        assert (await writing).ok
    for _ in range(2):
        await easee_home.time.pass_time(61)
        with pytest.raises(errors.WritesSpent):
            await commands.settings(CHARGER, {"maxChargerCurrent": 16})
    await easee_home.settle()

    issue_id = finding_issue_id(WEAR, CHARGER)
    raised = issue(hass, issue_id)
    assert raised is not None
    assert raised.translation_placeholders is not None
    assert raised.translation_placeholders["name"] == "Garage"
    easee_home.time.advance(25 * HOUR)
    await easee_home.settle()
    assert issue(hass, issue_id) is None


async def test_what_has_no_charger_has_a_name_too(
    hass: HomeAssistant, easee_home: EaseeHome, easee_hub: EaseeHub
) -> None:
    """An equalizer is written to as well, and may be gone by then."""
    wear = easee_hub.account.wear
    await easee_home.passes(0)
    for serial, name in ((EQUALIZER, "Meter"), ("QP999999", "Easee")):
        for _ in range(25):
            await wear.spend(serial, {"maxCurrent": 16})
            easee_home.time.advance(61)
        with pytest.raises(errors.WritesSpent):
            await wear.spend(serial, {"maxCurrent": 16})
        raised = issue(hass, finding_issue_id(WEAR, serial))
        assert raised is not None
        assert raised.translation_placeholders is not None
        assert raised.translation_placeholders["name"] == name


async def test_issues_go_with_the_account(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    easee_hub: EaseeHub,
) -> None:
    """What nobody looks after any more is not shown."""
    for _ in range(3):
        easee_home.cloud.rogue_response(CHARGER)
    await easee_home.settle()
    easee_home.cloud.limits.block()
    easee_home.cloud.hub.drop()
    await easee_home.passes(60)
    assert issue(hass, of_account(easee_hub, BLOCKED)) is not None
    assert issue(hass, finding_issue_id(ROGUE, CHARGER)) is not None

    await hass.config_entries.async_remove(easee_entry.entry_id)

    assert not [one for one in ir.async_get(hass).issues if one[0] == DOMAIN]


UNTIL = timedelta(hours=1)

WORDS: list[tuple[Callable[[EaseeHub], EaseeError], str]] = [
    (lambda hub: errors.AddressBlocked(hub.clock() + UNTIL), "easee_address_blocked"),
    (lambda _: errors.EmailNotVerified(), "easee_email_not_verified"),
    (lambda _: errors.Forbidden("no"), "easee_forbidden"),
    (lambda _: errors.InvalidCredentials(), "easee_invalid_auth"),
    (lambda hub: errors.LoginPaused(hub.clock() + UNTIL), "easee_login_paused"),
    (lambda _: errors.NotFound(), "easee_not_found"),
    (lambda hub: errors.RateLimited(hub.clock() + UNTIL), "easee_rate_limited"),
    (lambda _: errors.Refused("no car"), "easee_refused"),
    (lambda _: errors.SessionEnded(), "easee_session_ended"),
    (lambda _: errors.StreamError(), "easee_unknown"),
    (lambda hub: errors.TooOften(hub.clock() + UNTIL), "easee_too_often"),
    (lambda _: errors.Unavailable(), "easee_cannot_connect"),
    (lambda hub: errors.WritesSpent(hub.clock() + UNTIL), "easee_writes_spent"),
]


@pytest.mark.parametrize(("make", "key"), WORDS)
async def test_every_error_of_the_cloud_has_words(
    easee_hub: EaseeHub, make: Callable[[EaseeHub], EaseeError], key: str
) -> None:
    """A refusal is the user's to change, all else is not."""
    err = make(easee_hub)
    with (
        pytest.raises(HomeAssistantError) as raised,
        translated_easee_errors("Garage"),
    ):
        raise err

    assert raised.value.translation_key == key
    assert isinstance(raised.value, ServiceValidationError) is (key == "easee_refused")
    placeholders = raised.value.translation_placeholders
    assert placeholders is not None
    assert placeholders["name"] == "Garage"
    assert placeholders["reason"] == (err.title or "-")
    assert bool(placeholders["until"]) is isinstance(err, errors.NotNow)
