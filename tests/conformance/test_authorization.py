"""OCPP 1.6: who may charge, and sessions from a card's first touch to the last Wh."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..ha.cards import CARD, STRANGER, authorized, keep, started, strangers
from ..ha.charger import Charger
from ..ha.entities import act, flush, state
from custom_components.ev_charger_hub.station.tokens import TokenStatus, UnknownTokens

CHARGE = "CP01_1_charge_control"

ACCEPTED = {"status": "Accepted"}


@pytest.fixture(autouse=True)
def known_card(
    hass: HomeAssistant, init_integration: MockConfigEntry, quiet_charger: Charger
) -> None:
    """Let one card charge, and no other."""
    keep(hass, init_integration)
    strangers(hass, init_integration, UnknownTokens.REFUSE)


async def _session(hass: HomeAssistant, charging: bool) -> None:
    """Assert that a session is open, or that none is."""
    await hass.async_block_till_done()
    assert state(hass, "switch", CHARGE) == ("on" if charging else "off")


@pytest.mark.conformance("TC_003_CSMS")
async def test_a_session_that_begins_with_the_cable(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    await quiet_charger.status(1, "Preparing")
    assert await authorized(quiet_charger) == ACCEPTED
    answer = await started(quiet_charger)
    assert answer["idTagInfo"] == ACCEPTED
    assert answer["transactionId"] > 0
    await quiet_charger.status(1, "Charging")
    await _session(hass, True)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_status") == "charging"
    assert await quiet_charger.stop(answer["transactionId"], 3000, idTag=CARD) == {
        "idTagInfo": ACCEPTED
    }
    await _session(hass, False)


@pytest.mark.conformance("TC_004_1_CSMS")
async def test_a_session_that_begins_with_the_card(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    assert await authorized(quiet_charger) == ACCEPTED
    await quiet_charger.status(1, "Preparing")
    answer = await started(quiet_charger)
    assert answer["idTagInfo"] == ACCEPTED
    assert answer["transactionId"] > 0
    await quiet_charger.status(1, "Charging")
    await _session(hass, True)


@pytest.mark.conformance("TC_004_2_CSMS")
async def test_a_card_without_a_cable_begins_no_session(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    assert await authorized(quiet_charger) == ACCEPTED
    await quiet_charger.status(1, "Preparing")
    await quiet_charger.status(1, "Available")
    await _session(hass, False)
    assert await act(hass, "get_sessions") == {"sessions": []}
    assert not quiet_charger.received


@pytest.mark.conformance("TC_007_CSMS")
async def test_a_start_without_a_question_is_judged_again(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    await quiet_charger.status(1, "Preparing")
    answer = await started(quiet_charger)
    assert answer["idTagInfo"] == ACCEPTED
    assert answer["transactionId"] > 0
    await _session(hass, True)


@pytest.mark.conformance("TC_023_1_CSMS")
async def test_an_unknown_card_is_invalid(quiet_charger: Charger) -> None:
    assert await authorized(quiet_charger, STRANGER) == {"status": "Invalid"}


@pytest.mark.conformance("TC_023_2_CSMS")
async def test_an_expired_card_is_expired(
    hass: HomeAssistant, init_integration: MockConfigEntry, quiet_charger: Charger
) -> None:
    expired = dt_util.utcnow().replace(microsecond=0) - timedelta(days=1)
    keep(hass, init_integration, expires=expired)
    info = await authorized(quiet_charger)
    assert info["status"] == "Expired"
    assert dt_util.parse_datetime(info["expiryDate"]) == expired


@pytest.mark.conformance("TC_023_3_CSMS")
async def test_a_blocked_card_is_blocked(
    hass: HomeAssistant, init_integration: MockConfigEntry, quiet_charger: Charger
) -> None:
    keep(hass, init_integration, status=TokenStatus.BLOCKED)
    assert await authorized(quiet_charger) == {"status": "Blocked"}


@pytest.mark.conformance("TC_037_1_CSMS")
async def test_a_start_of_the_past_begins_when_the_charger_says(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    past = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    answer = await started(quiet_charger, timestamp=past.isoformat())
    assert answer["idTagInfo"] == ACCEPTED
    assert answer["transactionId"] > 0
    (session,) = (await act(hass, "get_sessions"))["sessions"]
    assert dt_util.parse_datetime(session["start"]) == past
    assert session["transaction_id"] == str(answer["transactionId"])


@pytest.mark.conformance("TC_037_3_CSMS")
async def test_a_start_of_the_past_with_an_unknown_card_gets_a_number(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    answer = await started(quiet_charger, STRANGER, timestamp=past.isoformat())
    assert answer["idTagInfo"] == {"status": "Invalid"}
    assert answer["transactionId"] > 0
    stopped = await quiet_charger.stop(
        answer["transactionId"], 1000, reason="DeAuthorized"
    )
    assert stopped == {}
    (session,) = (await act(hass, "get_sessions"))["sessions"]
    assert session["stop_reason"] == "de_authorized"
    assert not quiet_charger.received


@pytest.mark.conformance("TC_053_CSMS")
async def test_a_group_is_told_so_that_another_card_of_it_may_start(
    hass: HomeAssistant, init_integration: MockConfigEntry, quiet_charger: Charger
) -> None:
    for id_token in (CARD, STRANGER):
        keep(hass, init_integration, id_token, group="FAMILY")
        info = {"status": "Accepted", "parentIdTag": "FAMILY"}
        assert await authorized(quiet_charger, id_token) == info
    answer = await started(quiet_charger)
    assert answer["idTagInfo"]["parentIdTag"] == "FAMILY"


@pytest.mark.conformance("TC_061_CSMS")
async def test_the_cache_is_cleared(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    answer = await act(hass, "clear_cache")
    assert answer["status"] == "accepted"
    assert quiet_charger.calls("ClearCache") == [{}]
