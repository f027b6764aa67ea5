"""Stations that send too much of everything: what is kept of it is bounded."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
import json
from typing import Any

import pytest

from ..v16.conftest import FakeClock
from .conftest import Charger, sample
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.v201.device_model import MAX_CHARACTERS
from custom_components.ev_charger_hub.ocpp.v201.external_limits import MAX_KEPT
from custom_components.ev_charger_hub.ocpp.v201.link import V201Link
from custom_components.ev_charger_hub.ocpp.v201.reports import LONGEST, PATIENCE
from custom_components.ev_charger_hub.ocpp.validation import Schemas
from custom_components.ev_charger_hub.station.external import MAX_SOURCES
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.losses import GRACE
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transaction import MAX_VALUES

EVSE = {"id": 1, "connectorId": 1}


class Charger21(Charger):
    """Plays one OCPP 2.1 station."""

    dialect = Dialect.V21


@pytest.fixture
async def charger_of_2_1(
    clock: FakeClock, journal: Journal, settings: StationSettings
) -> AsyncGenerator[Charger]:
    """Return a connected station of OCPP 2.1."""
    schemas = Schemas.load(Dialect.V21)
    one = Charger21(clock=clock, journal=journal, schemas=schemas, settings=settings)
    await one.transactions.load()
    one.connect()
    yield one
    await one.close()


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


async def report(charger: Charger, component: str, count: int, size: int) -> None:
    """Report variables that nobody asked for."""
    data = [
        {
            "component": {"name": f"{component}Ctrlr"},
            "variable": {"name": f"V{index}"},
            "variableAttribute": [{"value": "x" * size}],
            "variableCharacteristics": {
                "dataType": "OptionList",
                "supportsMonitoring": False,
                "valuesList": "a,b," * (size // 4),
            },
        }
        for index in range(count)
    ]
    payload = {"requestId": 1, "generatedAt": charger.clock.text(), "seqNo": 0}
    await charger.call("NotifyReport", payload | {"reportData": data})


async def test_the_text_of_all_variables_is_bounded(charger: Charger) -> None:
    link = charger.adapter.link
    assert isinstance(link, V201Link)
    known = link.device_model
    await report(charger, "Early", 10, 10)
    for number in range(10):
        await report(charger, f"Made{number}", 80, 2500)
    assert sum(one.size for one in known) <= MAX_CHARACTERS
    assert known.text("EarlyCtrlr.V7") == "x" * 10
    # What is known may change, and a firmware that is not known has all the room.
    await report(charger, "Early", 10, 5)
    assert known.text("EarlyCtrlr.V7") == "x" * 5
    known.forget()
    await report(charger, "Late", 80, 2500)
    assert known.text("LateCtrlr.V79") == "x" * 2500


async def test_a_report_in_parts_comes_to_an_end(charger: Charger) -> None:
    asked: list[int] = []

    def answer(payload: dict[str, Any]) -> dict[str, Any]:
        asked.append(payload["requestId"])
        return {"status": "Accepted"}

    charger.answers["GetBaseReport"] = answer
    link = charger.adapter.link
    assert isinstance(link, V201Link)
    waiting = charger.spawn(ask(link), "ask")
    while not asked:
        await asyncio.sleep(0)
    part = {"requestId": asked[0], "generatedAt": charger.clock.text()}
    number = 0
    while not waiting.done():
        await charger.call("NotifyReport", part | {"seqNo": number, "tbc": True})
        # Each part comes in time.
        charger.clock.tick(PATIENCE - 1)
        number += 1
        assert number * (PATIENCE - 1) < LONGEST + 3 * PATIENCE
        await asyncio.sleep(0)
    assert number * (PATIENCE - 1) >= LONGEST


async def ask(link: V201Link) -> None:
    """Ask for a report, of which not all parts come."""
    outcome, variables = await link.base_report("FullInventory")
    assert (outcome.status, variables) == (OutcomeStatus.TIMED_OUT, [])


async def test_only_as_much_of_a_chain_is_answered_as_there_may_be(
    charger_of_2_1: Charger,
) -> None:
    text = "h" * 60_000
    one = {
        "certificateHashData": {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": text,
            "issuerKeyHash": "k",
            "serialNumber": "1",
            "customData": {"vendorId": text},
        },
        "source": "OCSP",
        "urls": ["http://127.0.0.1/"],
    }
    payload = {"certificateStatusRequests": [one] * 15}
    frame = await charger_of_2_1.call("GetCertificateChainStatus", payload)
    told = charger_of_2_1.payload(frame)["certificateStatus"]
    assert [line["status"] for line in told] == ["Failed"] * 4
    assert len(json.dumps(frame)) < 4000


async def test_an_endless_answer_is_cut(charger: Charger) -> None:
    charger.answers["ClearCache"] = {
        "status": "No" * 30_000,
        "statusInfo": {"reasonCode": "Why" * 20_000, "additionalInfo": "x" * 60_000},
    }
    outcome = await charger.adapter.link.clear_cache()
    assert outcome.status is OutcomeStatus.REJECTED
    assert outcome.answer.startswith("NoNo")
    assert len(outcome.answer + outcome.detail) < 1000


async def test_limits_of_others_are_bounded(charger: Charger) -> None:
    periods = [{"startPeriod": index, "limit": 6} for index in range(100)]
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    for evse_id in range(1, 9):
        await charger.status("Available", evse_id=evse_id)
        for source in range(20):
            limit = {"chargingLimitSource": f"S{source}", "isGridCritical": True}
            payload = {"evseId": evse_id, "chargingLimit": limit}
            told = payload | {"chargingSchedule": [schedule]}
            assert (
                charger.payload(await charger.call("NotifyChargingLimit", told)) == {}
            )
    evses = charger.station.evses.values()
    kept = [one for evse in evses for one in evse.external_limits.value.values()]
    # Who limits is known; what it is, as far as there is room.
    assert len(kept) == 8 * MAX_SOURCES
    assert sum(len(one.schedules) for one in kept) == MAX_KEPT // 100
    # The place of one that is gone is free.
    for evse_id in (0, 1):
        cleared = {"chargingLimitSource": "S0", "evseId": evse_id}
        await charger.call("ClearedChargingLimit", cleared)
    limit = {"chargingLimitSource": "EMS", "isGridCritical": True}
    payload = {"evseId": 1, "chargingLimit": limit, "chargingSchedule": [schedule]}
    await charger.call("NotifyChargingLimit", payload)
    new = charger.station.evses[1].external_limits.value["EMS"]
    assert new.now(charger.clock(), 3) == 6
    assert new.next_change(charger.clock()) == charger.clock() + timedelta(seconds=1)


async def test_a_transaction_that_moves_is_not_given_up_where_it_was(
    charger: Charger,
) -> None:
    await charger.event("Started", "T1", 0, sample(1000), evse=EVSE)
    await charger.status("Occupied", evse_id=2)
    charger.clock.tick(1)
    await charger.status("Available")
    await charger.event("Updated", "T1", 1, evse={"id": 2, "connectorId": 1})
    charger.clock.tick(GRACE)
    await charger.settle()
    moved = charger.transactions.running(2)
    assert moved is not None
    assert moved.open
    # What begins there next is given up as ever.
    await charger.event("Started", "T2", 0, sample(2000), evse=EVSE)
    charger.clock.tick(1)
    await charger.status("Available")
    charger.clock.tick(GRACE)
    await charger.settle()
    assert charger.transactions.running(1) is None
    assert charger.transactions.running(2) is moved
