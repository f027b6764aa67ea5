"""Test the actions about tokens."""

from datetime import timedelta
from typing import Any

import probatio as vol
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from homeassistant.config_entries import ConfigEntryDisabler, SubentryFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import Context, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.util import dt as dt_util

from .cards import CARD, STRANGER, authorized, keep, started, strangers
from .charger import Charger, Refusal
from .conftest import IDENTITY, ChargerFactory
from .entities import device_id
from custom_components.ev_charger_hub import token_desk
from custom_components.ev_charger_hub.const import DOMAIN, SUBENTRY_TOKEN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.tokens import UnknownTokens
from custom_components.ev_charger_hub.storage import DATA


async def act(
    hass: HomeAssistant, action: str, context: Context | None = None, **fields: Any
) -> dict[str, Any]:
    """Perform an action and return its response."""
    response = await hass.services.async_call(
        DOMAIN, action, fields, blocking=True, return_response=True, context=context
    )
    assert isinstance(response, dict)
    return response


async def test_set_adds_and_changes_a_token(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    assert await act(hass, "set_id_token", id_token=CARD, name="Anna") == {
        "name": "Anna",
        "new": True,
        "status": "accepted",
    }
    assert await authorized(approved_charger) == {"status": "Accepted"}
    answer = await act(
        hass,
        "set_id_token",
        id_token=CARD.lower(),
        status="blocked",
        kind="app",
        group="FAMILY",
        chargers=[device_id(hass, IDENTITY)],
        exclusive=True,
        expires="2030-01-01 00:00:00+00:00",
    )
    assert answer == {"name": "Anna", "new": False, "status": "blocked"}
    assert await authorized(approved_charger) == {"status": "Blocked"}
    assert await act(hass, "get_id_tokens") == {
        "id_tokens": [
            {
                "id_token": CARD,
                "name": "Anna",
                "status": "blocked",
                "kind": "app",
                "expires": "2030-01-01T00:00:00+00:00",
                "group": "FAMILY",
                "chargers": [device_id(hass, IDENTITY)],
                "exclusive": True,
                "config_entry_id": init_integration.entry_id,
            }
        ]
    }
    await act(
        hass,
        "set_id_token",
        id_token=CARD,
        status="accepted",
        chargers=[],
        expires=None,
        group="",
    )
    assert await authorized(approved_charger) == {"status": "Accepted"}


@pytest.mark.parametrize(
    "fields",
    [
        {"id_token": ""},
        {"id_token": "A" * 37},
        {"id_token": "\u00e4"},
        {"id_token": CARD, "group": "G" * 21},
        {"id_token": CARD, "name": ""},
        {"id_token": CARD, "name": "  "},
    ],
)
async def test_what_cannot_be_set(
    hass: HomeAssistant, init_integration: MockConfigEntry, fields: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await act(hass, "set_id_token", **fields)
    assert not init_integration.subentries


@pytest.mark.parametrize(
    ("expires", "status"),
    [
        ("9999-12-31 23:59:59-08:00", "Accepted"),
        ("9999-12-31 23:59:59+00:00", "Accepted"),
        ("0001-01-01 00:00:00+08:00", "Expired"),
    ],
)
async def test_the_ends_of_the_calendar_are_dates_too(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    expires: str,
    status: str,
) -> None:
    await hass.config.async_set_time_zone("Europe/Oslo")
    await act(hass, "set_id_token", id_token=CARD, expires=expires)
    assert (await authorized(approved_charger))["status"] == status
    (subentry_id,) = (
        one.subentry_id
        for one in init_integration.subentries.values()
        if one.subentry_type == SUBENTRY_TOKEN
    )
    form: SubentryFlowResult = await init_integration.start_subentry_reconfigure_flow(
        hass, subentry_id
    )
    assert form["type"] is FlowResultType.FORM


async def test_spaces_around_a_token_do_not_count(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    strangers(hass, init_integration, UnknownTokens.ASK)
    padded = f"{CARD}  "
    assert await authorized(approved_charger, padded) == {"status": "Invalid"}
    await act(hass, "approve_id_token", id_token=padded)
    assert await authorized(approved_charger, padded) == {"status": "Accepted"}
    assert await authorized(approved_charger) == {"status": "Accepted"}


async def test_approved_tokens_that_stay_refused_are_not_started(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    keep(hass, init_integration, expires=dt_util.utcnow() - timedelta(days=1))
    await approved_charger.status(1, "Preparing")
    assert (await authorized(approved_charger))["status"] == "Expired"
    answer = await act(hass, "approve_id_token", id_token=CARD)
    assert answer == {"name": "Anna", "started": False, "answer": None}
    sent = [one.action for one in approved_charger.received]
    assert "RemoteStartTransaction" not in sent


async def test_a_token_is_kept_where_it_counts(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    other = MockConfigEntry(
        domain=DOMAIN, data={CONF_HOST: "127.0.0.1", CONF_PORT: 0}, title="Not used"
    )
    other.add_to_hass(hass)
    await hass.config_entries.async_setup(other.entry_id)
    keep(hass, other)
    await hass.config_entries.async_set_disabled_by(
        other.entry_id, ConfigEntryDisabler.USER
    )
    assert await authorized(approved_charger) == {"status": "Invalid"}
    assert await act(hass, "get_id_tokens") == {"id_tokens": []}
    await act(hass, "approve_id_token", id_token=CARD)
    assert await authorized(approved_charger) == {"status": "Accepted"}


async def test_remove_forgets_a_token(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    keep(hass, init_integration)
    response = await act(hass, "remove_id_token", id_token=CARD.lower())
    assert response == {"name": "Anna"}
    assert await authorized(approved_charger) == {"status": "Invalid"}
    with pytest.raises(ServiceValidationError) as info:
        await act(hass, "remove_id_token", id_token=CARD)
    assert info.value.translation_key == "unknown_token"
    assert CARD not in str(info.value)


async def test_get_finds_one_token(
    hass: HomeAssistant, init_integration: MockConfigEntry
) -> None:
    keep(hass, init_integration)
    keep(hass, init_integration, STRANGER, name="Ben")
    response = await act(hass, "get_id_tokens", id_token=STRANGER.lower())
    assert [one["name"] for one in response["id_tokens"]] == ["Ben"]
    response = await act(hass, "get_id_tokens", id_token="NOBODY")
    assert response == {"id_tokens": []}


async def test_who_is_no_administrator_sees_the_ends_only(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hass_read_only_user: MockUser,
    hass_admin_user: MockUser,
) -> None:
    keep(hass, init_integration, group="0123456789FAMILY")
    context = Context(user_id=hass_read_only_user.id)
    (shown,) = (await act(hass, "get_id_tokens", context))["id_tokens"]
    assert shown["id_token"] == "***E6F7"
    assert shown["group"] == "***MILY"
    context = Context(user_id=hass_admin_user.id)
    (shown,) = (await act(hass, "get_id_tokens", context))["id_tokens"]
    assert shown["id_token"] == CARD


@pytest.mark.parametrize(
    "action", ["set_id_token", "remove_id_token", "approve_id_token"]
)
async def test_only_an_administrator_decides(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hass_read_only_user: MockUser,
    action: str,
) -> None:
    with pytest.raises(Unauthorized):
        await act(hass, action, Context(user_id=hass_read_only_user.id), id_token=CARD)


async def test_of_several_servers_one_has_to_be_named(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    other = MockConfigEntry(domain=DOMAIN, title="Other server")
    other.add_to_hass(hass)
    with pytest.raises(ServiceValidationError) as info:
        await act(hass, "set_id_token", id_token=CARD)
    assert info.value.translation_key == "server_required"
    with pytest.raises(ServiceValidationError) as info:
        await act(hass, "set_id_token", id_token=CARD, config_entry_id="nobody")
    assert info.value.translation_key == "unknown_server"
    await act(hass, "set_id_token", id_token=CARD, config_entry_id=other.entry_id)
    assert [one.data["token"] for one in other.subentries.values()] == [CARD]
    # One that is known stays where it is, one that was presented belongs there.
    await act(hass, "set_id_token", id_token=CARD, name="Anna")
    assert [one.title for one in other.subentries.values()] == ["Anna"]
    await authorized(approved_charger, STRANGER)
    await act(hass, "set_id_token", id_token=STRANGER)
    assert len(other.subentries) == 1


# Approve


async def test_approve_starts_where_it_was_presented(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    strangers(hass, init_integration, UnknownTokens.ASK)
    await approved_charger.status(1, "Preparing")
    assert await authorized(approved_charger, STRANGER) == {"status": "Invalid"}
    response = await act(hass, "approve_id_token", id_token=STRANGER, name="Ben")
    assert response == {"name": "Ben", "started": True, "answer": "Accepted"}
    assert approved_charger.calls("RemoteStartTransaction") == [
        {"connectorId": 1, "idTag": STRANGER}
    ]
    answer = await started(approved_charger, STRANGER)
    assert answer["idTagInfo"] == {"status": "Accepted"}


async def test_approve_lets_the_charger_choose_among_vehicles(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    await approved_charger.status(1, "Preparing")
    await approved_charger.status(2, "Preparing")
    await authorized(approved_charger, STRANGER)
    await act(hass, "approve_id_token", id_token=STRANGER)
    assert approved_charger.calls("RemoteStartTransaction") == [{"idTag": STRANGER}]


async def test_approve_starts_at_the_connector_of_a_refused_session(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    strangers(hass, init_integration, UnknownTokens.ASK)
    await approved_charger.status(1, "Preparing")
    await approved_charger.status(2, "Preparing")
    answer = await started(approved_charger, STRANGER, 2)
    assert answer["idTagInfo"] == {"status": "Invalid"}
    await approved_charger.stop(answer["transactionId"], 1000, reason="DeAuthorized")
    await act(hass, "approve_id_token", id_token=STRANGER)
    assert approved_charger.calls("RemoteStartTransaction") == [
        {"connectorId": 2, "idTag": STRANGER}
    ]


async def test_approve_starts_nothing_without_a_vehicle_or_too_late_or_unasked(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    approved_charger: Charger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing = {"name": "Ben", "started": False, "answer": None}
    fields: dict[str, Any] = {"id_token": STRANGER, "name": "Ben"}
    await authorized(approved_charger, STRANGER)
    assert await act(hass, "approve_id_token", **fields) == nothing
    await approved_charger.status(1, "Preparing")
    assert await act(hass, "approve_id_token", **fields, start=False) == nothing
    desk = hass.data[DATA].desk
    later = dt_util.utcnow() + token_desk.RECENT + timedelta(seconds=1)
    monkeypatch.setattr(desk, "_clock", lambda: later)
    assert await act(hass, "approve_id_token", **fields) == nothing
    monkeypatch.undo()
    await approved_charger.start(id_tag=STRANGER)
    assert await act(hass, "approve_id_token", **fields) == nothing
    assert not approved_charger.calls("RemoteStartTransaction")


async def test_an_approved_token_may_charge_although_the_charger_refused_to_start(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    strangers(hass, init_integration, UnknownTokens.ASK)
    approved_charger.answers["RemoteStartTransaction"] = Refusal(code="InternalError")
    await approved_charger.status(1, "Preparing")
    await authorized(approved_charger, STRANGER)
    with pytest.raises(Exception, match="InternalError"):
        await act(hass, "approve_id_token", id_token=STRANGER)
    assert await authorized(approved_charger, STRANGER) == {"status": "Accepted"}


async def test_a_token_of_another_charger_is_refused(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    hub: OcppHub,
    approved_charger: Charger,
    charger_ws: ChargerFactory,
) -> None:
    hub.approve("CP02", "Carport", None)
    await hass.async_block_till_done()
    other = await charger_ws("CP02")
    await act(hass, "set_id_token", id_token=CARD, chargers=[device_id(hass, "CP02")])
    assert await authorized(approved_charger) == {"status": "Invalid"}
    assert await authorized(other) == {"status": "Accepted"}
