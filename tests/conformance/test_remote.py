"""Remote start and stop, unlocking and restarts: what is sent, and what comes of it."""

from typing import Any

import pytest

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..ha.charger import Charger
from ..ha.entities import act, flush, state
from .answers import sessions

TAG = "TAG12345"
STATUS = "CP01_1_status"


def sent(charger: Charger) -> list[tuple[str, dict[str, Any]]]:
    """Return what the charger was asked, in order."""
    return [(one.action, one.payload) for one in charger.received]


async def charge(hass: HomeAssistant, charger: Charger) -> int:
    """Do what a charger does after a remote start; return the transaction id."""
    authorized = await charger.call("Authorize", {"idTag": TAG})
    assert authorized["idTagInfo"]["status"] == "Accepted"
    transaction_id = await charger.start(id_tag=TAG)
    await charger.status(1, "Charging")
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "charging"
    return transaction_id


@pytest.mark.conformance("TC_010_CSMS")
async def test_remote_start_with_the_cable_plugged_in(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    await quiet_charger.status(1, "Preparing")
    await act(hass, "start_charging", id_token=TAG)
    assert sent(quiet_charger) == [
        ("RemoteStartTransaction", {"connectorId": 1, "idTag": TAG})
    ]
    transaction_id = await charge(hass, quiet_charger)
    assert transaction_id > 0
    (session,) = await sessions(hass)
    assert (session["state"], session["id_token"]) == ("open", TAG)


@pytest.mark.conformance("TC_011_1_CSMS")
async def test_remote_start_before_the_cable_is_plugged_in(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    await act(hass, "start_charging", id_token=TAG)
    assert sent(quiet_charger) == [
        ("RemoteStartTransaction", {"connectorId": 1, "idTag": TAG})
    ]
    await quiet_charger.status(1, "Preparing")
    transaction_id = await charge(hass, quiet_charger)
    (session,) = await sessions(hass)
    assert session["transaction_id"] == str(transaction_id)


@pytest.mark.conformance("TC_011_2_CSMS")
async def test_a_remote_start_that_times_out_makes_no_session(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    await act(hass, "start_charging", id_token=TAG)
    await quiet_charger.call("Authorize", {"idTag": TAG})
    await quiet_charger.status(1, "Preparing")
    await quiet_charger.status(1, "Available")
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "available"
    assert state(hass, "event", "CP01_1_session") == STATE_UNKNOWN
    assert await sessions(hass) == []
    # The next driver is not taken for the one that did not come.
    await quiet_charger.start(id_tag="OTHER")
    (session,) = await sessions(hass)
    assert session["id_token"] == "OTHER"


@pytest.mark.conformance("TC_012_CSMS")
async def test_remote_stop_names_the_session_and_its_end_is_taken(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    transaction_id = await charge(hass, quiet_charger)
    await act(hass, "stop_charging")
    assert sent(quiet_charger) == [
        ("RemoteStopTransaction", {"transactionId": transaction_id})
    ]
    await quiet_charger.stop(transaction_id, 3000, reason="Remote")
    for status in ("Finishing", "Available"):
        await quiet_charger.status(1, status)
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "available"
    (session,) = await sessions(hass)
    assert (session["state"], session["stop_reason"]) == ("closed", "remote")


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        pytest.param("hard", "Hard", marks=pytest.mark.conformance("TC_013_CSMS")),
        pytest.param("soft", "Soft", marks=pytest.mark.conformance("TC_014_CSMS")),
    ],
)
async def test_a_reset_is_sent_and_the_boot_after_it_accepted(
    hass: HomeAssistant, quiet_charger: Charger, kind: str, word: str
) -> None:
    await act(hass, "reset", type=kind)
    assert sent(quiet_charger) == [("Reset", {"type": word})]
    await quiet_charger.close()
    await quiet_charger.connect()
    assert (await quiet_charger.boot())["status"] == "Accepted"
    for connector in (0, 1):
        await quiet_charger.status(connector, "Available")
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "available"
    assert sent(quiet_charger) == [("Reset", {"type": word})]


@pytest.mark.conformance("TC_017_1_CSMS")
async def test_unlock_without_a_session(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    response = await act(hass, "unlock_connector", connector=1)
    assert sent(quiet_charger) == [("UnlockConnector", {"connectorId": 1})]
    assert (response["status"], response["answer"]) == ("accepted", "Unlocked")


@pytest.mark.parametrize(
    ("connector", "answer", "key"),
    [
        pytest.param(
            1,
            "NotSupported",
            "not_supported_by_charger",
            marks=pytest.mark.conformance("TC_017_2_CSMS"),
        ),
        pytest.param(
            1, "UnlockFailed", "rejected", marks=pytest.mark.conformance("TC_030_CSMS")
        ),
        pytest.param(
            99,
            "NotSupported",
            "not_supported_by_charger",
            marks=pytest.mark.conformance("TC_031_CSMS"),
        ),
    ],
)
async def test_an_unlock_that_fails_is_told(
    hass: HomeAssistant, quiet_charger: Charger, connector: int, answer: str, key: str
) -> None:
    quiet_charger.answers["UnlockConnector"] = {"status": answer}
    with pytest.raises(HomeAssistantError, match=answer) as caught:
        await act(hass, "unlock_connector", connector=connector)
    assert caught.value.translation_key == key
    assert sent(quiet_charger) == [("UnlockConnector", {"connectorId": connector})]


@pytest.mark.conformance("TC_018_1_CSMS")
async def test_unlock_during_a_session_ends_it(
    hass: HomeAssistant, quiet_charger: Charger
) -> None:
    transaction_id = await charge(hass, quiet_charger)
    response = await act(hass, "unlock_connector")
    assert response["answer"] == "Unlocked"
    await quiet_charger.status(1, "Finishing")
    await quiet_charger.stop(transaction_id, 1500, reason="UnlockCommand")
    await quiet_charger.status(1, "Available")
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "available"
    (session,) = await sessions(hass)
    assert (session["state"], session["stop_reason"]) == ("closed", "unlock_command")


@pytest.mark.parametrize(
    ("action", "fields", "message", "asked"),
    [
        pytest.param(
            "start_charging",
            {"id_token": TAG},
            "RemoteStartTransaction",
            {"connectorId": 1, "idTag": TAG},
            marks=pytest.mark.conformance("TC_026_CSMS"),
        ),
        pytest.param(
            "stop_charging",
            {"transaction_id": "4711"},
            "RemoteStopTransaction",
            {"transactionId": 4711},
            marks=pytest.mark.conformance("TC_028_CSMS"),
        ),
    ],
)
async def test_a_charger_that_refuses_is_told_of(
    hass: HomeAssistant,
    quiet_charger: Charger,
    action: str,
    fields: dict[str, str],
    message: str,
    asked: dict[str, Any],
) -> None:
    quiet_charger.answers[message] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError, match="Rejected") as caught:
        await act(hass, action, **fields)
    assert caught.value.translation_key == "rejected"
    assert sent(quiet_charger) == [(message, asked)]
    assert await sessions(hass) == []
