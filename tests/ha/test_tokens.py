"""Test tokens: presented at a charger, answered from memory, told to Home Assistant."""

from datetime import timedelta
import logging
import uuid

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.components.repairs.const import DOMAIN as REPAIRS_DOMAIN
from homeassistant.components.tag.const import EVENT_TAG_SCANNED
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .cards import CARD, STRANGER, authorized, keep, started, strangers
from .charger import Charger
from .conftest import IDENTITY, ChargerFactory
from .entities import device_id, full_state
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.helpers import own_id_token
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.secrets import shortened
from custom_components.ev_charger_hub.station.tokens import TokenStatus, UnknownTokens
from custom_components.ev_charger_hub.storage import DATA
from custom_components.ev_charger_hub.token_desk import MAX_QUESTIONS, MAX_STRANGERS

pytestmark = pytest.mark.usefixtures("approved_charger")


def questions(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return the open questions about tokens."""
    issues: list[ir.IssueEntry] = list(ir.async_get(hass).issues.values())
    return [one for one in issues if one.translation_key == "token_unknown"]


async def test_everybody_may_charge_by_default(approved_charger: Charger) -> None:
    assert await authorized(approved_charger, STRANGER) == {"status": "Accepted"}


async def test_the_users_choice_holds_at_once(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    keep(hass, init_integration)
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    assert await authorized(approved_charger, STRANGER) == {"status": "Invalid"}
    assert await authorized(approved_charger, CARD.lower()) == {"status": "Accepted"}
    keep(hass, init_integration, status=TokenStatus.BLOCKED)
    assert await authorized(approved_charger) == {"status": "Blocked"}
    strangers(hass, init_integration, UnknownTokens.ACCEPT)
    assert await authorized(approved_charger, STRANGER) == {"status": "Accepted"}


async def test_tokens_survive_a_restart_of_the_server(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger_ws: ChargerFactory
) -> None:
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    keep(hass, init_integration, group="FAMILY")
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    charger = await charger_ws()
    assert await authorized(charger) == {"status": "Accepted", "parentIdTag": "FAMILY"}
    assert await authorized(charger, STRANGER) == {"status": "Invalid"}


async def test_tokens_of_one_server_are_good_at_all_until_it_goes(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    other = MockConfigEntry(
        domain=DOMAIN,
        title="Other server",
        data={CONF_HOST: "127.0.0.1", CONF_PORT: 0},
    )
    other.add_to_hass(hass)
    assert await hass.config_entries.async_setup(other.entry_id)
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    keep(hass, other)
    assert await authorized(approved_charger) == {"status": "Accepted"}
    await hass.config_entries.async_set_disabled_by(
        other.entry_id, ConfigEntryDisabler.USER
    )
    assert await authorized(approved_charger) == {"status": "Invalid"}
    await hass.config_entries.async_set_disabled_by(other.entry_id, None)
    assert await authorized(approved_charger) == {"status": "Accepted"}
    await hass.config_entries.async_remove(other.entry_id)
    assert await authorized(approved_charger) == {"status": "Invalid"}


async def test_a_token_that_cannot_be_read_keeps_no_other_out(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    keep(hass, init_integration, STRANGER)
    (broken,) = (
        one
        for one in init_integration.subentries.values()
        if one.subentry_type == "token"
    )
    hass.config_entries.async_update_subentry(
        init_integration, broken, data={**broken.data, "status": "of the future"}
    )
    keep(hass, init_integration)
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    assert await authorized(approved_charger) == {"status": "Accepted"}
    assert await authorized(approved_charger, STRANGER) == {"status": "Invalid"}


async def test_a_token_and_a_charger_may_have_the_same_name(
    hass: HomeAssistant, init_integration: MockConfigEntry, hub: OcppHub
) -> None:
    keep(hass, init_integration, "CP77")
    hub.approve("CP77", "Carport", None)
    await hass.async_block_till_done()
    assert "CP77" in hub.stations


async def test_an_exclusive_token_charges_at_one_charger(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    hub.approve("CP02", "Carport", None)
    await hass.async_block_till_done()
    other = await charger_ws("CP02")
    await other.boot()
    keep(hass, init_integration, exclusive=True)
    number = await approved_charger.start(id_tag=CARD)
    answer = await started(other)
    assert answer["idTagInfo"] == {"status": "ConcurrentTx"}
    assert answer["transactionId"] > 0
    assert await authorized(approved_charger) == {"status": "Accepted"}
    await other.stop(answer["transactionId"], 1000, reason="DeAuthorized")
    await approved_charger.stop(number, 2000)
    assert (await started(other))["idTagInfo"] == {"status": "Accepted"}


# Events


async def test_the_event_tells_who_it_was(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    keep(hass, init_integration)
    await authorized(approved_charger)
    await hass.async_block_till_done()
    shown = full_state(hass, "event", "CP01_token").attributes
    assert shown["event_type"] == "presented"
    assert shown["name"] == "Anna"
    assert shown["id_token"] == CARD
    assert shown["status"] == "accepted"


@pytest.mark.parametrize(
    ("policy", "event_type"),
    [
        (UnknownTokens.ACCEPT, "presented"),
        (UnknownTokens.REFUSE, "refused"),
        (UnknownTokens.ASK, "unknown"),
    ],
)
async def test_the_event_tells_what_became_of_a_stranger(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    policy: UnknownTokens,
    event_type: str,
) -> None:
    strangers(hass, init_integration, policy)
    await authorized(approved_charger, STRANGER)
    await hass.async_block_till_done()
    shown = full_state(hass, "event", "CP01_token").attributes
    assert shown["event_type"] == event_type
    assert shown["name"] is None


async def test_a_start_of_ours_is_no_token_that_was_presented(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    scanned = async_capture_events(hass, EVENT_TAG_SCANNED)
    assert await authorized(approved_charger, own_id_token(hub)) == {
        "status": "Accepted"
    }
    await approved_charger.start(id_tag=own_id_token(hub))
    await hass.async_block_till_done()
    assert full_state(hass, "event", "CP01_token").state == "unknown"
    assert not scanned


# Tags


async def test_every_session_of_a_listed_token_is_told_once(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    keep(hass, init_integration)
    scanned = async_capture_events(hass, EVENT_TAG_SCANNED)
    at = dt_util.utcnow().isoformat(timespec="seconds")
    for count in (1, 2):
        answer = await started(approved_charger, meterStart=count, timestamp=at)
        # The station did not hear the answer.
        again = await started(approved_charger, meterStart=count, timestamp=at)
        assert again["transactionId"] == answer["transactionId"]
        await hass.async_block_till_done()
        assert len(scanned) == count
        await approved_charger.stop(answer["transactionId"], 2000)
    # Whoever is asked about is told then, and not by the session that follows.
    await authorized(approved_charger)
    await started(approved_charger, meterStart=3, timestamp=at)
    await hass.async_block_till_done()
    assert len(scanned) == 3


async def test_a_presented_token_is_a_scanned_tag(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    scanned = async_capture_events(hass, EVENT_TAG_SCANNED)
    await authorized(approved_charger)
    await authorized(approved_charger, CARD.lower())
    await authorized(approved_charger, STRANGER)
    await hass.async_block_till_done()
    first, again, other = (event.data for event in scanned)
    assert first["device_id"] == device_id(hass, IDENTITY)
    assert first["tag_id"] == again["tag_id"]
    assert first["tag_id"] != other["tag_id"]
    # Whoever reads a tag id must not be able to charge with it.
    assert uuid.UUID(first["tag_id"])
    assert CARD.lower() not in str(first).lower()


async def test_a_stranger_cannot_fill_the_list_of_tags(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    keep(hass, init_integration)
    scanned = async_capture_events(hass, EVENT_TAG_SCANNED)
    for number in range(MAX_STRANGERS + 10):
        await authorized(approved_charger, f"{number:08}X")
    await authorized(approved_charger)
    await hass.async_block_till_done()
    assert len(scanned) == MAX_STRANGERS + 1
    assert scanned[-1].data["tag_id"] == hass.data[DATA].desk.tag_id(CARD)


# Questions


async def test_the_user_lets_a_stranger_in(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    strangers(hass, init_integration, UnknownTokens.ASK)
    await approved_charger.status(1, "Preparing")
    assert await authorized(approved_charger, STRANGER) == {"status": "Invalid"}
    (issue,) = questions(hass)
    flows = repairs_flow_manager(hass)
    assert flows is not None
    result = await flows.async_init(DOMAIN, data={"issue_id": issue.issue_id})
    result = await flows.async_configure(result["flow_id"], {"next_step_id": "approve"})
    result = await flows.async_configure(result["flow_id"], {"name": "Neighbor"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert await approved_charger.expect("RemoteStartTransaction") == {
        "connectorId": 1,
        "idTag": STRANGER,
    }
    assert await authorized(approved_charger, STRANGER) == {"status": "Accepted"}
    assert not questions(hass)


async def test_the_user_blocks_a_stranger(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    strangers(hass, init_integration, UnknownTokens.ASK)
    await authorized(approved_charger, STRANGER)
    (issue,) = questions(hass)
    flows = repairs_flow_manager(hass)
    assert flows is not None
    result = await flows.async_init(DOMAIN, data={"issue_id": issue.issue_id})
    result = await flows.async_configure(result["flow_id"], {"next_step_id": "block"})
    result = await flows.async_configure(result["flow_id"], {"name": " "})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert await authorized(approved_charger, STRANGER) == {"status": "Blocked"}
    assert not questions(hass)
    assert not approved_charger.calls("RemoteStartTransaction")
    token = hass.data[DATA].tokens.find(STRANGER)
    assert token is not None
    assert token.name == shortened(STRANGER)


@pytest.mark.parametrize("step", ["approve", "block"])
async def test_a_question_may_be_settled_meanwhile(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    step: str,
) -> None:
    assert await async_setup_component(hass, REPAIRS_DOMAIN, {})
    strangers(hass, init_integration, UnknownTokens.ASK)
    await authorized(approved_charger, STRANGER)
    (issue,) = questions(hass)
    flows = repairs_flow_manager(hass)
    assert flows is not None
    result = await flows.async_init(DOMAIN, data={"issue_id": issue.issue_id})
    keep(hass, init_integration, STRANGER)
    result = await flows.async_configure(result["flow_id"], {"next_step_id": step})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "token_settled"


async def test_a_session_of_a_stranger_is_a_question_too(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    strangers(hass, init_integration, UnknownTokens.ASK)
    await approved_charger.start(id_tag=STRANGER)
    await hass.async_block_till_done()
    assert len(questions(hass)) == 1


async def test_nobody_is_asked_about_a_placeholder(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    strangers(hass, init_integration, UnknownTokens.ASK)
    assert await authorized(approved_charger, "FreeCharging") == {"status": "Invalid"}
    assert not questions(hass)


@pytest.mark.parametrize("id_tag", ["A" * 37, "Z\u00fcrich", "\u0007"])
async def test_nobody_is_asked_about_what_no_token_can_be(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    id_tag: str,
) -> None:
    strangers(hass, init_integration, UnknownTokens.ASK)
    assert await authorized(approved_charger, id_tag) == {"status": "Invalid"}
    assert not questions(hass)
    await hass.async_block_till_done()
    told = full_state(hass, "event", "CP01_token")
    assert told.attributes["event_type"] == "refused"


async def test_a_stranger_asks_a_few_questions_at_a_time(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    strangers(hass, init_integration, UnknownTokens.ASK)
    for number in range(MAX_QUESTIONS + 5):
        await authorized(approved_charger, f"{number:08}X")
        await authorized(approved_charger, f"{number:08}X")
    assert len(questions(hass)) == MAX_QUESTIONS
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    assert not questions(hass)


async def test_what_others_may_read_does_not_tell_a_token(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    strangers(hass, init_integration, UnknownTokens.ASK)
    keep(hass, init_integration)
    await authorized(approved_charger)
    await authorized(approved_charger, STRANGER)
    await hass.async_block_till_done()
    (issue,) = questions(hass)
    ours = [one for one in caplog.messages if "event_type" not in one]
    for told in (issue.issue_id, str(issue.translation_placeholders), *ours):
        if "New state" not in told and "state_changed" not in told:
            assert STRANGER not in told
            assert CARD not in told


async def test_an_expired_token_is_refused(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    expires = dt_util.utcnow().replace(microsecond=0) - timedelta(minutes=1)
    keep(hass, init_integration, expires=expires)
    info = await authorized(approved_charger)
    assert info["status"] == "Expired"
    assert dt_util.parse_datetime(info["expiryDate"]) == expires
