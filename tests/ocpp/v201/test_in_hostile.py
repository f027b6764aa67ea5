"""Stations that send too much of everything: what is kept of it is bounded."""

import json
from typing import Any

import pytest

from .conftest import Charger, sample
from custom_components.ev_charger_hub.station.transaction import MAX_VALUES

EVSE = {"id": 1, "connectorId": 1}


def made_up(number: int, context: str) -> list[dict[str, Any]]:
    """Return samples of measurands that do not exist, different ones each time."""
    return [
        sample(1, f"Made.Up.{number}.{index}", context=context) for index in range(90)
    ]


@pytest.mark.parametrize("kind", ["Updated", "Ended"])
@pytest.mark.parametrize("context", ["Transaction.Begin", "Transaction.End"])
async def test_samples_of_a_session_are_bounded(
    charger: Charger, kind: str, context: str
) -> None:
    register = sample(1000, context="Transaction.Begin")
    await charger.event("Started", "T1", 0, register, evse=EVSE)
    for number in range(1, 5):
        await charger.event(kind, "T1", number, *made_up(number, context))
    (session,) = await charger.transactions.sessions()
    kept = session.values_start | session.values_stop
    assert len(kept) <= 2 * MAX_VALUES
    assert session.values_start["Energy.Active.Import.Register"]["value"] == "1000"


async def test_samples_that_are_no_numbers_are_not_kept(charger: Charger) -> None:
    long = sample(1000, "M" * 5000, context="Transaction.Begin")
    unit = sample(1000, context="Transaction.Begin", unitOfMeasure={"unit": "U" * 999})
    soc = sample(55, "SoC", context="Transaction.Begin")
    await charger.event("Started", "T1", 0, long, unit, soc, evse=EVSE)
    (session,) = await charger.transactions.sessions()
    assert session.values_start == {"SoC": {"value": "55", "unit": None}}


async def test_a_token_without_end_is_cut(charger: Charger) -> None:
    token = {"idToken": "T" * 60_000, "type": "Central"}
    answer = await charger.event("Started", "T1", 0, evse=EVSE, idToken=token)
    assert "idTokenInfo" in answer
    (session,) = await charger.transactions.sessions()
    assert session.id_token == "T" * 255


@pytest.mark.parametrize(
    "custom",
    [
        pytest.param("x" * 70_000, id="a text too long"),
        pytest.param([0] * 10_001, id="a list too long"),
        pytest.param({"k" * 70_000: 1}, id="a name too long"),
        pytest.param({str(index): 1 for index in range(10_001)}, id="too many names"),
        pytest.param(json.loads("[" * 200 + "]" * 200), id="too deep"),
    ],
)
@pytest.mark.parametrize("where", ["transactionInfo", "evse", None])
async def test_an_event_beyond_the_bounds_is_answered_and_counts(
    charger: Charger, custom: Any, where: str | None
) -> None:
    event = charger.event_payload("Started", "T1", 0, sample(1000), evse={**EVSE})
    (event[where] if where else event)["customData"] = {"vendorId": "V", "x": custom}
    assert charger.payload(await charger.call("TransactionEvent", event)) == {}
    (session,) = await charger.transactions.sessions()
    assert (session.transaction_id, session.evse_id) == ("T1", 1)
    assert session.meter_start == 1000


async def test_other_messages_beyond_the_bounds_are_refused(charger: Charger) -> None:
    frame = await charger.call("DataTransfer", {"vendorId": "V" * 70_000})
    assert (frame[0], frame[2]) == (4, "FormatViolation")
