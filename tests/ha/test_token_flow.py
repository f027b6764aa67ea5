"""Test the flow of a token: present it, type it, change it, delete it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SOURCE_USER, ConfigSubentry, SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir

from .cards import CARD, STRANGER, authorized, keep, strangers
from .charger import PATIENCE, Charger
from .conftest import IDENTITY, ChargerFactory
from custom_components.ev_charger_hub import token_desk
from custom_components.ev_charger_hub.const import SUBENTRY_TOKEN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.tokens import TokenStatus, UnknownTokens

FORM: dict[str, Any] = {
    "name": "Anna",
    "status": "accepted",
    "kind": "rfid",
    "chargers": [],
    "exclusive": False,
}
EVERYTHING: dict[str, Any] = {
    "name": "Anna",
    "status": "blocked",
    "kind": "app",
    "expires": "2026-12-31 18:00:00",
    "group": "FAMILY",
    "chargers": [IDENTITY],
    "exclusive": True,
}


async def begin(
    hass: HomeAssistant, entry: MockConfigEntry, choice: str
) -> SubentryFlowResult:
    """Open the flow of a new token and choose how it gets here."""
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_TOKEN), context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.MENU
    return await submit(hass, result, {"next_step_id": choice})


async def submit(
    hass: HomeAssistant, result: SubentryFlowResult, user_input: dict[str, Any] | None
) -> SubentryFlowResult:
    """Go on with a flow."""
    return await hass.config_entries.subentries.async_configure(
        result["flow_id"], user_input
    )


async def learn(
    hass: HomeAssistant, entry: MockConfigEntry, charger: str = "any"
) -> SubentryFlowResult:
    """Begin to wait for a token."""
    result = await begin(hass, entry, "present")
    assert result["step_id"] == "present"
    result = await submit(hass, result, {"charger": charger})
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    assert result["progress_action"] == "learn"
    return result


async def go_on(hass: HomeAssistant, result: SubentryFlowResult) -> SubentryFlowResult:
    """Return the step after the waiting."""
    async with asyncio.timeout(PATIENCE):
        while result["type"] is FlowResultType.SHOW_PROGRESS:
            await asyncio.sleep(0)
            result = await submit(hass, result, None)
    return result


def tokens(entry: MockConfigEntry) -> list[ConfigSubentry]:
    """Return the tokens of a server."""
    subentries: list[ConfigSubentry] = list(entry.subentries.values())
    return [one for one in subentries if one.subentry_type == SUBENTRY_TOKEN]


async def test_a_token_is_learnt_by_presenting_it(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    strangers(hass, init_integration, UnknownTokens.ASK)
    result = await learn(hass, init_integration)
    assert await authorized(approved_charger) == {"status": "Invalid"}
    result = await go_on(hass, result)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "learnt"
    assert result["description_placeholders"] == {"token": CARD}
    result = await submit(hass, result, FORM)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (subentry,) = tokens(init_integration)
    assert subentry.title == "Anna"
    assert subentry.data["token"] == CARD
    assert await authorized(approved_charger) == {"status": "Accepted"}
    # Whoever learns a token does not have to be asked about it.
    issues = ir.async_get(hass).issues.values()
    assert not [one for one in issues if one.translation_key == "token_unknown"]


async def test_only_the_chosen_charger_is_listened_to(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    hub.approve("CP02", "Carport", None)
    await hass.async_block_till_done()
    other = await charger_ws("CP02")
    result = await learn(hass, init_integration, f"/{IDENTITY}")
    await authorized(other, STRANGER)
    await hass.async_block_till_done()
    result = await submit(hass, result, None)
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    await authorized(approved_charger)
    result = await go_on(hass, result)
    assert result["description_placeholders"] == {"token": CARD}


async def test_a_charger_may_be_called_any(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    hub.approve("any", "Carport", None)
    await hass.async_block_till_done()
    other = await charger_ws("any")
    result = await begin(hass, init_integration, "present")
    schema = result["data_schema"]
    assert schema is not None
    (selector,) = schema.schema.values()
    (value,) = (
        one["value"] for one in selector.config["options"] if one["label"] == "Carport"
    )
    result = await submit(hass, result, {"charger": value})
    await authorized(approved_charger, STRANGER)
    await authorized(other)
    result = await go_on(hass, result)
    assert result["description_placeholders"] == {"token": CARD}


async def test_a_token_is_learnt_from_a_session_too(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    result = await learn(hass, init_integration)
    await approved_charger.start(id_tag=CARD)
    result = await go_on(hass, result)
    assert result["description_placeholders"] == {"token": CARD}


async def test_nobody_presents_a_token_in_time(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(token_desk, "LEARN_SECONDS", 0.0)
    result = await learn(hass, init_integration)
    result = await go_on(hass, result)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "not_seen"
    monkeypatch.undo()
    result = await submit(hass, result, {"next_step_id": "present"})
    result = await submit(hass, result, {"charger": "any"})
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    await authorized(approved_charger)
    result = await go_on(hass, result)
    assert result["step_id"] == "learnt"


async def test_a_known_token_is_not_learnt_again(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    keep(hass, init_integration)
    result = await learn(hass, init_integration)
    await authorized(approved_charger, CARD.lower())
    result = await go_on(hass, result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "token_known"
    assert result["description_placeholders"] == {"name": "Anna"}


async def test_what_no_token_can_be_is_not_learnt(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    result = await learn(hass, init_integration)
    await authorized(approved_charger, "\u0007\u0007\u0007")
    result = await go_on(hass, result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "token_unusable"


async def test_a_token_is_no_markdown(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    result = await learn(hass, init_integration)
    await authorized(approved_charger, "`![](http://b)`")
    result = await go_on(hass, result)
    assert result["description_placeholders"] == {"token": "![](http://b)"}
    await submit(hass, result, FORM)
    (subentry,) = tokens(init_integration)
    assert subentry.data["token"] == "`![](http://b)`"
    result = await init_integration.start_subentry_reconfigure_flow(
        hass, subentry.subentry_id
    )
    assert result["description_placeholders"] == {"token": "![](http://b)"}


async def test_closing_the_dialog_ends_the_waiting(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    result = await learn(hass, init_integration)
    waiting = [
        task for task in asyncio.all_tasks() if "learn a token" in task.get_name()
    ]
    assert len(waiting) == 1
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done()
    assert waiting[0].cancelled()
    await authorized(approved_charger)


async def test_a_token_is_typed(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    result = await begin(hass, init_integration, "type")
    result = await submit(hass, result, {"token": f" {CARD} ", **EVERYTHING})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (subentry,) = tokens(init_integration)
    assert subentry.data == {
        "token": CARD,
        "kind": "app",
        "status": "blocked",
        "expires": datetime(2026, 12, 31, 17, tzinfo=UTC).isoformat(),
        "group": "FAMILY",
        "chargers": [IDENTITY],
        "exclusive": True,
    }
    assert await authorized(approved_charger) == {"status": "Blocked"}


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"token": " "}, {"token": "token_empty"}),
        ({"token": "A" * 37}, {"token": "token_too_long"}),
        ({"token": "A\u00e4"}, {"token": "token_invalid"}),
        ({"token": STRANGER.lower()}, {"token": "token_taken"}),
        ({"token": CARD, "group": "G" * 21}, {"group": "group_invalid"}),
    ],
)
async def test_what_a_token_cannot_be(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    fields: dict[str, Any],
    errors: dict[str, str],
) -> None:
    keep(hass, init_integration, STRANGER)
    result = await begin(hass, init_integration, "type")
    result = await submit(hass, result, {**FORM, **fields})
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    result = await submit(hass, result, {"token": CARD, **FORM})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_token_is_blocked_and_let_in_again(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    keep(hass, init_integration)
    (subentry,) = tokens(init_integration)
    result: SubentryFlowResult = await init_integration.start_subentry_reconfigure_flow(
        hass, subentry.subentry_id
    )
    assert result["description_placeholders"] == {"token": CARD}
    result = await submit(hass, result, {**FORM, "group": "G" * 21})
    assert result["errors"] == {"group": "group_invalid"}
    result = await submit(hass, result, {**EVERYTHING, "name": "Ben"})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert subentry.title == "Ben"
    assert await authorized(approved_charger) == {"status": "Blocked"}

    result = await init_integration.start_subentry_reconfigure_flow(
        hass, subentry.subentry_id
    )
    schema = result["data_schema"]
    assert schema is not None
    shown = {str(key): key.description for key in schema.schema}
    assert shown["expires"] == {"suggested_value": "2026-12-31 18:00:00"}
    assert shown["group"] == {"suggested_value": "FAMILY"}
    await submit(hass, result, FORM)
    assert await authorized(approved_charger) == {"status": "Accepted"}


async def test_a_token_stays_with_a_charger_that_was_deleted(
    hass: HomeAssistant, init_integration: MockConfigEntry
) -> None:
    keep(hass, init_integration, chargers=frozenset({"GONE"}))
    (subentry,) = tokens(init_integration)
    result: SubentryFlowResult = await init_integration.start_subentry_reconfigure_flow(
        hass, subentry.subentry_id
    )
    await submit(hass, result, {**FORM, "chargers": ["GONE"]})
    assert subentry.data["chargers"] == ["GONE"]


async def test_a_deleted_token_is_a_stranger_again(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    keep(hass, init_integration, status=TokenStatus.BLOCKED)
    (subentry,) = tokens(init_integration)
    assert await authorized(approved_charger) == {"status": "Blocked"}
    hass.config_entries.async_remove_subentry(init_integration, subentry.subentry_id)
    assert await authorized(approved_charger) == {"status": "Invalid"}
