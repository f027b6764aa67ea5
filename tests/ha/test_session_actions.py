"""Actions about sessions: what is told of them, and what their meters signed."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
import json
from typing import Any
from unittest.mock import patch

import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .charger import Charger, Payload, Refusal, sampled
from .entities import act, exists, flush, state
from .tokens import add_token
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station import sessions, signed_values
from custom_components.ev_charger_hub.station.errors import JournalError
from custom_components.ev_charger_hub.station.journal import Journal

REGISTER = "Energy.Active.Import.Register"
OCMF = (
    'OCMF|{"FV":"1.0","GI":"Blinkmann","PG":"T12","IS":true,"ID":"04A1B2C3D4E5F6",'
    '"RD":[{"TM":"2026-11-20T10:00:00,000+0100 S","RV":2935.600,"RU":"kWh"}]}'
    '|{"SA":"ECDSA-secp256r1-SHA256","SD":"3045022100EF0B"}'
)
STRANGE = [
    OCMF,
    '{"signedMeterValue":"T0NNRnx7fQ==","encodingMethod":"OCMF","publicKey":"3059"}',
    " leading, trailing \t\r\n",
    "\u0000 nothing \u0000",
    "Zähler \N{SNOWMAN} \U0001f50c é e\u0301",
    "12345.678",
    "=1+1",
    "x" * 65536,
]


def signed(value: str, context: str | None = None, **more: str) -> Payload:
    """Return a sampled value that a meter signed."""
    sample = {"value": value, "format": "SignedData", **more}
    return sample if context is None else {**sample, "context": context}


def meter_value(*samples: Payload, at: str = "2026-11-20T10:00:00Z") -> Payload:
    """Return the samples of a moment."""
    return {"timestamp": at, "sampledValue": list(samples)}


async def values_of(
    hass: HomeAssistant, **fields: Any
) -> dict[str, list[dict[str, Any]]]:
    """Return the signed values by session."""
    response = await act(hass, "get_sessions", signed=True, **fields)
    return {one["transaction_id"]: one["signed_values"] for one in response["sessions"]}


async def test_get_sessions(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    first = await approved_charger.start(1, "ONE", 1000)
    await approved_charger.stop(first, 3000, reason="Local")
    second = await approved_charger.start(2, "TWO", 500)
    await approved_charger.meter(
        2, [sampled(900, "Energy.Active.Import.Register", "Wh")], second
    )
    await hub.central_system.sessions["CP01"].disconnect()
    await hass.async_block_till_done()

    sessions = (await act(hass, "get_sessions"))["sessions"]
    assert [one["transaction_id"] for one in sessions] == [str(second), str(first)]
    newest, oldest = sessions
    assert oldest["connector"] == 1
    assert oldest["id_token"] == "ONE"
    assert oldest["energy"] == 2000
    assert oldest["meter_start"] == 1000
    assert oldest["meter_stop"] == 3000
    assert oldest["stop_reason"] == "local"
    assert oldest["state"] == "closed"
    assert oldest["start"] <= oldest["stop"]
    assert newest["state"] == "open"
    assert newest["stop"] is None
    assert newest["energy"] == 400

    only_open = (await act(hass, "get_sessions", open_only=True))["sessions"]
    assert [one["transaction_id"] for one in only_open] == [str(second)]
    one = (await act(hass, "get_sessions", limit=1))["sessions"]
    assert [one["transaction_id"] for one in one] == [str(second)]
    of_first = (await act(hass, "get_sessions", "CP01_1"))["sessions"]
    assert [one["transaction_id"] for one in of_first] == [str(first)]


async def test_sessions_have_the_names_of_their_tokens(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    await add_token(hass, "FAMILY-CAR", name="Family car")
    await add_token(hass, "EVIL", name="=1+1")
    for id_tag in ("family-car", "GUEST", "EVIL"):
        await approved_charger.stop(await approved_charger.start(id_tag=id_tag), 2000)
    told = (await act(hass, "get_sessions"))["sessions"]
    assert [(one["id_token"], one["token_name"]) for one in told] == [
        ("EVIL", "=1+1"),
        ("GUEST", None),
        ("family-car", "Family car"),
    ]
    exported = await act(hass, "export_sessions", format="json")
    assert [
        one["token_name"] for one in json.loads(exported["content"])["sessions"]
    ] == [
        "=1+1",
        None,
        "Family car",
    ]
    table = await act(hass, "export_sessions")
    rows = csv.DictReader(StringIO(table["content"]))
    assert [one["token_name"] for one in rows] == ["'=1+1", "", "Family car"]


async def test_a_journal_that_cannot_be_read_is_told_of(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    with (
        patch.object(Journal, "sessions", side_effect=JournalError("disk is full")),
        pytest.raises(HomeAssistantError) as caught,
    ):
        await act(hass, "get_sessions")
    assert caught.value.translation_key == "journal_failed"
    assert caught.value.translation_placeholders == {
        "charger": "Garage",
        "reason": "disk is full",
    }


@pytest.mark.parametrize("fields", [{"limit": 0}, {"limit": 1001}, {"signed": "much"}])
async def test_bad_fields_are_refused(
    hass: HomeAssistant, approved_charger: Charger, fields: dict[str, Any]
) -> None:
    with pytest.raises(probatio.Invalid):
        await act(hass, "get_sessions", **fields)


@pytest.mark.parametrize("value", STRANGE, ids=range(len(STRANGE)))
async def test_what_is_signed_comes_back_as_it_was_sent(
    hass: HomeAssistant, approved_charger: Charger, value: str
) -> None:
    session = await approved_charger.start(meter=1000)
    answer = await approved_charger.call(
        "MeterValues",
        {
            "connectorId": 1,
            "transactionId": session,
            "meterValue": [meter_value(signed(value, "Transaction.Begin"))],
        },
    )
    assert answer == {}
    await approved_charger.stop(
        session,
        3000,
        transactionData=[
            meter_value(sampled(3000, REGISTER, "Wh")),
            meter_value(signed(value, "Transaction.End", unit="Wh")),
        ],
    )
    ((name, (begin, end)),) = (await values_of(hass)).items()
    assert name == str(session)
    assert begin["value"] == end["value"] == value
    assert (begin["context"], end["context"]) == (
        "Transaction.Begin",
        "Transaction.End",
    )
    assert begin["measured_at"] == "2026-11-20T10:00:00Z"
    assert begin["received_at"] <= end["received_at"]


async def test_what_is_signed_is_no_number_and_in_no_other_place(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    session = await approved_charger.start(meter=1000)
    await approved_charger.meter(
        1,
        [
            sampled(1500, REGISTER, "Wh"),
            signed("999999999", measurand=REGISTER, unit="Wh"),
            signed("400", measurand="Voltage"),
        ],
        session,
    )
    await flush(hass)
    assert float(state(hass, "sensor", "CP01_1_session_energy")) == 0.5
    assert not exists(hass, "sensor", "CP01_1_voltage")
    (plain,) = (await act(hass, "get_sessions"))["sessions"]
    assert "signed_values" not in plain
    assert plain["energy"] == 500


async def test_signed_values_stay_over_a_restart_of_the_server(
    hass: HomeAssistant, init_integration: MockConfigEntry, approved_charger: Charger
) -> None:
    session = await approved_charger.start()
    await approved_charger.meter(1, [signed(OCMF)], session)
    before = await values_of(hass)
    assert await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    assert await values_of(hass) == before
    assert [one["value"] for one in before[str(session)]] == [OCMF]


async def test_what_is_sent_again_is_kept_once(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    session = await approved_charger.start()
    data = [meter_value(signed(OCMF, "Transaction.End"))]
    for _ in range(2):
        await approved_charger.call(
            "MeterValues",
            {"connectorId": 1, "transactionId": session, "meterValue": data},
        )
        await approved_charger.stop(session, 2000, transactionData=data)
    assert len((await values_of(hass))[str(session)]) == 1


async def test_a_value_finds_its_session(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    """By the session it names, else by the connector; later, if it is adopted then."""
    first = await approved_charger.start(1)
    second = await approved_charger.start(2)
    await approved_charger.meter(2, [signed("named")], first)
    await approved_charger.meter(2, [signed("by connector")])
    await approved_charger.status(3, "Charging")
    adopted = [sampled(10, REGISTER, "Wh"), signed("adopted")]
    await approved_charger.meter(3, adopted, 4711)
    await approved_charger.stop(88, 5, transactionData=[meter_value(signed("orphan"))])
    found = {
        name: [one["value"] for one in values]
        for name, values in (await values_of(hass)).items()
    }
    assert found == {
        str(first): ["named"],
        str(second): ["by connector"],
        "4711": ["adopted"],
        "88": ["orphan"],
    }


async def test_a_value_of_no_session_is_kept_as_well(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    """What a meter signs between sessions, or of one that nobody knows, or nowhere."""
    await approved_charger.meter(1, [signed("nowhere")])
    await approved_charger.meter(1, [signed("no number")], -1)
    await approved_charger.meter(0, [signed("main meter", "Sample.Clock")])
    await approved_charger.meter(4711, [signed("no connector")], 99)
    session = await approved_charger.start()
    await approved_charger.meter(1, [signed("in session")])
    await approved_charger.stop(session, 2000)
    await approved_charger.meter(1, [signed("late")])
    response = await act(hass, "get_sessions", signed=True)
    (told,) = response["sessions"]
    assert [one["value"] for one in told["signed_values"]] == ["in session"]
    assert [
        (one["transaction_id"], one["value"]) for one in response["signed_values"]
    ] == [
        (None, "nowhere"),
        (None, "no number"),
        (None, "main meter"),
        ("99", "no connector"),
        (None, "late"),
    ]
    assert response["signed_values"][2]["context"] == "Sample.Clock"
    exported = await act(hass, "export_sessions", format="json")
    assert json.loads(exported["content"]) == response
    assert "signed_values" not in await act(hass, "get_sessions")
    of_one = await act(hass, "get_sessions", connector=1, signed=True)
    assert "signed_values" not in of_one
    now = datetime.now(UTC).isoformat()
    of_later = await act(hass, "export_sessions", format="json", start=now)
    assert json.loads(of_later["content"]) == {"sessions": [], "signed_values": []}


async def test_a_late_value_stays_with_the_session_that_it_names(
    hass: HomeAssistant, approved_charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long ago that ended, and whatever runs there now."""
    monkeypatch.setattr(sessions, "RECENT", 1)
    first = await approved_charger.start(meter=1000)
    await approved_charger.stop(first, 2000)
    await approved_charger.stop(await approved_charger.start(meter=2000), 2000)
    await approved_charger.stop(88, 5)
    second = await approved_charger.start(meter=2000)
    await approved_charger.meter(1, [signed("late")], first)
    await approved_charger.meter(1, [signed("of the orphan")], 88)
    await approved_charger.meter(1, [signed("of a number that nobody gave")], 5)
    assert {
        name: [one["value"] for one in values]
        for name, values in (await values_of(hass)).items()
    } == {
        str(first): ["late"],
        str(second - 1): [],
        "88": ["of the orphan"],
        str(second): ["of a number that nobody gave"],
    }


async def test_half_a_surrogate_pair_is_kept_as_it_was_escaped(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    """There is no such character, and a charger that is not answered says it for ever."""
    session = await approved_charger.start()
    sent = r"\\ud800 \ud83d\ude00 \ud800 \uDC00\ud83d\n\"\\\udfff"
    sample = f'{{"value":"{sent}","format":"SignedData"}}'
    await approved_charger.send_raw(
        '[2,"1","MeterValues",{"connectorId":1,'
        f'"transactionId":{session},"meterValue":[{{"timestamp":"2026-11-20T10:00:00Z",'
        f'"sampledValue":[{sample}]}}]}}]'
    )
    await approved_charger.call("Heartbeat")
    assert [one["value"] for one in (await values_of(hass))[str(session)]] == [
        '\\ud800 \U0001f600 \\ud800 \\uDC00\\ud83d\n"\\\\udfff'
    ]


async def test_what_is_not_on_the_disk_is_not_acknowledged(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    session = await approved_charger.start()
    data = [meter_value(signed(OCMF))]
    with patch.object(signed_values, "_keep", side_effect=OverflowError("full")):
        with pytest.raises(Refusal) as metered:
            await approved_charger.meter(1, [signed(OCMF)], session)
        with pytest.raises(Refusal) as stopped:
            await approved_charger.stop(session, 2000, transactionData=data)
    assert {metered.value.code, stopped.value.code} == {"InternalError"}
    assert await approved_charger.stop(session, 2000, transactionData=data) == {}
    assert len((await values_of(hass))[str(session)]) == 1
    await hass.async_block_till_done()
    assert state(hass, "sensor", "CP01_1_stop_reason") == "local"


async def test_what_is_longer_than_64_kib_is_not_kept(
    hass: HomeAssistant, approved_charger: Charger, caplog: pytest.LogCaptureFixture
) -> None:
    session = await approved_charger.start()
    for _ in range(2):
        values = [signed("ä" * 32769), signed("short", measurand="Voltage")]
        await approved_charger.meter(1, values, session)
    found = (await values_of(hass))[str(session)]
    assert [one["value"] for one in found] == ["short"] * 2
    assert caplog.text.count("more than 65536 bytes") == 1


async def test_an_export_as_json_has_what_was_signed(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    session = await approved_charger.start(id_tag="=cmd|' /C calc'!A0")
    await approved_charger.stop(
        session, 3000, transactionData=[meter_value(signed(OCMF))]
    )
    response = await act(hass, "export_sessions", format="json")
    assert response["filename"] == "garage_sessions.json"
    assert response["count"] == 1
    assert "Blinkmann" in response["content"]
    exported = json.loads(response["content"])
    assert exported == await act(hass, "get_sessions", signed=True)
    assert exported["sessions"][0]["signed_values"][0]["value"] == OCMF


async def test_an_export_as_csv_is_a_table_that_computes_nothing(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    session = await approved_charger.start(1, "=HYPERLINK(1)", 1000)
    await approved_charger.meter(1, [signed("one"), signed("two")], session)
    await approved_charger.stop(session, 3000)
    open_one = await approved_charger.start(2, 'say "hi", once')
    response = await act(hass, "export_sessions")
    assert response["filename"] == "garage_sessions.csv"
    newest, oldest = csv.DictReader(StringIO(response["content"]))
    assert (newest["transaction_id"], newest["state"]) == (str(open_one), "open")
    assert (newest["id_token"], newest["stop"]) == ('say "hi", once', "")
    assert oldest["id_token"] == "'=HYPERLINK(1)"
    assert (oldest["energy"], oldest["signed_values"]) == ("2000", "2")
    of_second = await act(hass, "export_sessions", "CP01_2")
    assert of_second["count"] == 1


@pytest.mark.parametrize(
    ("id_tag", "cell"),
    [
        ("+49", "'+49"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1+1", "  '=1+1"),
        ("\n=1+1", "\n'=1+1"),
        ("\N{FULLWIDTH EQUALS SIGN}1", "'\N{FULLWIDTH EQUALS SIGN}1"),
        ("A;=1+1", "A;'=1+1"),
        ('A";@B', "A\";'@B"),
        ("A\t-1|B", "A\t'-1|B"),
        ("A\r\n=B", "A\r\n'=B"),
        ("04-A2=B3", "04-A2=B3"),
        (" A;B ", " A;B "),
    ],
)
async def test_no_cell_is_a_formula_wherever_a_spreadsheet_divides_the_line(
    hass: HomeAssistant, approved_charger: Charger, id_tag: str, cell: str
) -> None:
    """Some divide at semicolons, and read what comes after as another cell."""
    await approved_charger.start(1, id_tag)
    response = await act(hass, "export_sessions")
    (row,) = csv.DictReader(StringIO(response["content"], newline=""))
    assert row["id_token"] == cell


async def test_an_export_may_be_of_a_time(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    now = datetime.now(UTC)
    for days in (9, 5, 1):
        began = (now - timedelta(days=days)).isoformat()
        session = await approved_charger.start(timestamp=began)
        await approved_charger.stop(session, 1500, timestamp=began)
    counts = [
        (await act(hass, "export_sessions", **fields))["count"]
        for fields in (
            {},
            {"start": (now - timedelta(days=6)).isoformat()},
            {"end": (now - timedelta(days=6)).isoformat()},
            {
                "start": (now - timedelta(days=6)).isoformat(),
                "end": (now - timedelta(days=2)).isoformat(),
            },
        )
    ]
    assert counts == [3, 2, 1, 1]


async def test_too_much_at_once_is_refused(
    hass: HomeAssistant, approved_charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await approved_charger.start()
    await approved_charger.meter(1, [signed(OCMF)], session)
    monkeypatch.setattr(signed_values, "MAX_ASKED", 10)
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "export_sessions", format="json")
    assert caught.value.translation_key == "too_many_signed_values"
    assert (await act(hass, "export_sessions"))["count"] == 1


async def test_a_charger_that_is_deleted_takes_its_signed_values_along(
    hass: HomeAssistant, hub: OcppHub, approved_charger: Charger
) -> None:
    session = await approved_charger.start()
    await approved_charger.meter(1, [signed(OCMF)], session)
    await hub.journal.forget("CP01")
    rows = await hub.journal.run(
        lambda db: db.execute("SELECT count(*) FROM signed_values").fetchone()
    )
    assert tuple(rows) == (0,)
