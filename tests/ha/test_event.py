"""Test the event entities: frames in, events out."""

from datetime import UTC, datetime, timedelta

import pytest

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event

from .charger import Charger, sampled
from .entities import entity_id, full_state, state
from .tokens import add_token


async def test_a_session_starts_and_ends(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    assert state(hass, "event", "CP01_1_session") == STATE_UNKNOWN
    transaction_id = await approved_charger.start(meter=1000)
    await hass.async_block_till_done()
    started = full_state(hass, "event", "CP01_1_session")
    assert started.attributes["event_type"] == "started"
    assert started.attributes["transaction_id"] == str(transaction_id)
    assert "energy" not in started.attributes

    await approved_charger.stop(transaction_id, 3500, reason="Local")
    await hass.async_block_till_done()
    ended = full_state(hass, "event", "CP01_1_session")
    assert ended.state != started.state
    assert ended.attributes["event_type"] == "ended"
    assert ended.attributes["transaction_id"] == str(transaction_id)
    assert ended.attributes["energy"] == 2500
    assert ended.attributes["duration"] >= 0
    assert ended.attributes["reason"] == "local"


async def test_a_session_has_the_name_of_its_token(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await add_token(hass, "FAMILY-CAR", name="Family car")
    for id_tag, name in (("family-car", "Family car"), ("GUEST", None)):
        transaction_id = await approved_charger.start(id_tag=id_tag)
        await hass.async_block_till_done()
        started = full_state(hass, "event", "CP01_1_session").attributes
        await approved_charger.stop(transaction_id, 3500)
        await hass.async_block_till_done()
        ended = full_state(hass, "event", "CP01_1_session").attributes
        for attributes in (started, ended):
            assert attributes["id_token"] == id_tag
            assert attributes["token_name"] == name


@pytest.mark.conformance("SEC_11")
async def test_an_endless_token_does_not_fill_the_recorder(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.call("Authorize", {"idTag": "x" * 20_000})
    await hass.async_block_till_done()
    shown = full_state(hass, "event", "CP01_token").attributes
    assert shown["id_token"] == "x" * 255


async def test_an_event_comes_after_the_states_of_its_frame(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    transaction_id = await approved_charger.start(meter=1000)
    await approved_charger.meter(
        1, [sampled(2000, "Energy.Active.Import.Register", "Wh")], transaction_id
    )
    seen: list[str] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        seen.append(state(hass, "sensor", "CP01_1_session_energy"))
        seen.append(state(hass, "sensor", "CP01_1_stop_reason"))

    async_track_state_change_event(
        hass, entity_id(hass, "event", "CP01_1_session"), note
    )
    await approved_charger.stop(transaction_id, 4000, reason="Remote")
    await hass.async_block_till_done()
    assert seen == ["3.0", "remote"]


async def test_the_past_is_no_event(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    hours_ago = (datetime.now(UTC) - timedelta(hours=5)).isoformat()
    await approved_charger.start(timestamp=hours_ago)
    await hass.async_block_till_done()
    assert state(hass, "event", "CP01_1_session") == STATE_UNKNOWN


async def test_a_session_is_an_event_of_its_connector(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await approved_charger.status(2, "Preparing")
    await approved_charger.start(2)
    await hass.async_block_till_done()
    assert state(hass, "event", "CP01_1_session") == STATE_UNKNOWN
    assert state(hass, "event", "CP01_2_session") != STATE_UNKNOWN


@pytest.mark.parametrize("id_tag", ["TAG12345", "04A2B3C4D5E6F7"])
async def test_a_token_is_presented(
    hass: HomeAssistant, approved_charger: Charger, id_tag: str
) -> None:
    assert state(hass, "event", "CP01_token") == STATE_UNKNOWN
    await approved_charger.call("Authorize", {"idTag": id_tag})
    await hass.async_block_till_done()
    presented = full_state(hass, "event", "CP01_token")
    assert presented.attributes["event_type"] == "presented"
    assert presented.attributes["status"] == "accepted"
    assert presented.attributes["id_token"] == id_tag


async def test_two_tokens_in_one_moment_are_two_events(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    seen: list[str] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        if (new := event.data["new_state"]) is not None:
            seen.append(new.attributes["id_token"])

    async_track_state_change_event(hass, entity_id(hass, "event", "CP01_token"), note)
    for id_tag in ("ONE", "TWO"):
        await approved_charger.call("Authorize", {"idTag": id_tag})
    await hass.async_block_till_done()
    assert seen == ["ONE", "TWO"]
