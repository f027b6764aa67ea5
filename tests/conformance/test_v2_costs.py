"""Costs of OCPP 2.x: told while a session runs and when it is over; tariffs of 2.1."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
import json
from typing import Any

from probatio import Invalid
import pytest

from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError

from ..ha.charger import Charger
from ..ha.charger_v2 import Charger2
from ..ha.conftest import IDENTITY, Charger2Factory, ChargerFactory
from ..ha.entities import act, exists, flush, full_state, state
from ..ha.tokens import add_token
from custom_components.ev_charger_hub.const import CONF_PRICE_ENTITY
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.prices import price_of
from custom_components.ev_charger_hub.station.costs import PAUSE

PRICE = "input_number.price"
SHOWN = {
    "TariffCostCtrlr.Available[Cost]": ("true", True),
    "TariffCostCtrlr.Enabled[Cost]": ("true", False),
    "TariffCostCtrlr.Currency": ("EUR", False),
}
TARIFF: dict[str, Any] = {
    "tariffId": "night",
    "currency": "EUR",
    "validFrom": "2026-11-21T00:00:00Z",
    "energy": {
        "prices": [
            {
                "priceKwh": 0.25,
                "conditions": {"startTimeOfDay": "22:00", "endTimeOfDay": "06:00"},
            },
            {"priceKwh": 0.35},
        ],
        "taxRates": [{"type": "VAT", "tax": 19}],
    },
    "chargingTime": {"prices": [{"priceMinute": 0.01}]},
    "idleTime": {"prices": [{"priceMinute": 0.05}]},
    "fixedFee": {"prices": [{"priceFixed": 1}]},
    "minCost": {"exclTax": 1, "inclTax": 1.19},
    "maxCost": {"exclTax": 50, "inclTax": 59.5},
}


@pytest.fixture
async def priced(hass: HomeAssistant, hub: OcppHub) -> None:
    """Let the user have a price of 0.40 a kWh for a charger."""
    hass.config.currency = "EUR"
    hass.states.async_set(PRICE, "0.40", {"unit_of_measurement": "EUR/kWh"})
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    (subentry,) = hub.entry.subentries.values()
    hass.config_entries.async_update_subentry(
        hub.entry, subentry, data={**subentry.data, CONF_PRICE_ENTITY: PRICE}
    )
    await hass.async_block_till_done()


@pytest.mark.usefixtures("priced")
async def test_exports_of_sessions_have_their_cost(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws()
    await charger.begin("tx-1", energy=1000)
    await charger.event("Ended", "tx-1", number=1, energy=3500)
    table = await act(hass, "export_sessions")
    (row,) = csv.DictReader(StringIO(table["content"]))
    assert (row["energy"], row["cost"], row["signed_values"]) == ("2500", "1.0", "0")
    text = await act(hass, "export_sessions", format="json")
    for told in (
        json.loads(text["content"]),
        await act(hass, "get_sessions"),
        await act(hass, "get_sessions", signed=True),
    ):
        assert told["sessions"][0]["cost"] == 1.0


async def test_an_export_of_a_session_without_a_price_has_no_cost(
    hass: HomeAssistant, charger21: Charger2
) -> None:
    await charger21.begin(energy=1000)
    table = await act(hass, "export_sessions")
    (row,) = csv.DictReader(StringIO(table["content"]))
    assert row["cost"] == ""


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.conformance("TC_I_01_CSMS")
@pytest.mark.conformance("UC_I02")
@pytest.mark.usefixtures("priced")
async def test_a_driver_sees_the_running_cost(
    hass: HomeAssistant, charger2_ws: Charger2Factory, version: str
) -> None:
    charger = await charger2_ws(version=version, variables=SHOWN)
    await charger.begin(energy=1000)
    told = await charger.expect("CostUpdated")
    assert told == {"transactionId": "tx-1", "totalCost": 0.0}
    answer = await charger.event("Updated", number=1, energy=3500)
    # 2.0.1 has no room for it while the session goes on.
    assert answer.get("totalCost") == (1.0 if version == "2.1" else None)
    await flush(hass)
    cost = full_state(hass, "sensor", "CP01_1_session_cost")
    assert (cost.state, cost.attributes["unit_of_measurement"]) == ("1.0", "EUR")
    begun = datetime.fromisoformat(cost.attributes["last_reset"])
    assert abs(begun - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.conformance("TC_I_01_CSMS")
@pytest.mark.conformance("UC_I02")
@pytest.mark.usefixtures("priced")
async def test_a_cost_is_told_again_after_a_minute(
    hass: HomeAssistant,
    charger2_ws: Charger2Factory,
    version: str,
    monkeypatch: pytest.MonkeyPatch,
    hub: OcppHub,
) -> None:
    charger = await charger2_ws(version=version, variables=SHOWN)
    await charger.begin(energy=1000)
    await charger.expect("CostUpdated")
    await charger.event("Updated", number=1, energy=2000)
    costs = hub.stations[IDENTITY].station.costs
    assert costs is not None
    clock = costs._clock
    monkeypatch.setattr(costs, "_clock", lambda: clock() + 2 * PAUSE)
    await charger.event("Updated", number=2, energy=3500)
    told = await charger.expect("CostUpdated", 2)
    assert told == {"transactionId": "tx-1", "totalCost": 1.0}
    assert len(charger.calls("CostUpdated")) == 2


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.parametrize(
    ("price", "total"), [("0.40", 1.0), ("0", 0.0), ("unavailable", None)]
)
@pytest.mark.conformance("TC_I_02_CSMS")
@pytest.mark.conformance("UC_I03")
@pytest.mark.usefixtures("priced")
async def test_the_answer_to_the_end_has_the_total_cost(
    hass: HomeAssistant,
    charger2_ws: Charger2Factory,
    hub: OcppHub,
    version: str,
    price: str,
    total: float | None,
) -> None:
    costs = hub.stations[IDENTITY].station.costs
    assert costs is not None
    costs.set_price(None, None)
    charger = await charger2_ws(version=version, variables=SHOWN)
    hass.states.async_set(PRICE, price, {"unit_of_measurement": "EUR/kWh"}, True)
    await hass.async_block_till_done()
    await charger.begin(energy=1000)
    ended = {"stoppedReason": "Local"}
    answer = await charger.event("Ended", number=1, energy=3500, info=ended)
    assert answer.get("totalCost") == total
    assert ("totalCost" in answer) is (total is not None)


@pytest.mark.usefixtures("priced")
async def test_a_changed_price_holds_for_what_flows_from_then_on(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws()
    await charger.begin(energy=1000)
    await charger.event("Updated", number=1, energy=2000)
    hass.states.async_set(PRICE, "100", {"unit_of_measurement": "ct/kWh"})
    await hass.async_block_till_done()
    answer = await charger.event("Ended", number=2, energy=3000)
    assert answer["totalCost"] == 1.4
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_session_cost") == "1.4"


@pytest.mark.usefixtures("priced")
async def test_a_cost_survives_a_restart(
    hass: HomeAssistant, charger2_ws: Charger2Factory, hub: OcppHub
) -> None:
    charger = await charger2_ws(variables=SHOWN)
    await charger.begin(energy=1000)
    await charger.event("Updated", number=1, energy=2000)
    await charger.close()
    assert await hass.config_entries.async_reload(hub.entry.entry_id)
    await hass.async_block_till_done()
    hass.states.async_set(PRICE, "1.00", {"unit_of_measurement": "EUR/kWh"})
    await hass.async_block_till_done()
    port = hub.entry.runtime_data.port
    charger.url = f"ws://127.0.0.1:{port}/ocpp"
    await charger.connect()
    answer = await charger.event("Ended", number=2, energy=3000)
    assert answer["totalCost"] == 1.4


@pytest.mark.usefixtures("priced")
async def test_the_last_price_holds_while_its_entity_is_still_away(
    hass: HomeAssistant, charger2_ws: Charger2Factory, hub: OcppHub
) -> None:
    charger = await charger2_ws(variables=SHOWN)
    await charger.begin(energy=1000)
    await charger.close()
    hass.states.async_remove(PRICE)
    assert await hass.config_entries.async_reload(hub.entry.entry_id)
    await hass.async_block_till_done()
    charger.url = f"ws://127.0.0.1:{hub.entry.runtime_data.port}/ocpp"
    await charger.connect()
    answer = await charger.event("Ended", number=2, energy=3500)
    assert answer["totalCost"] == 1.0


async def test_without_a_price_there_is_no_cost(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(variables=SHOWN)
    await charger.begin(energy=1000)
    answer = await charger.event("Ended", number=1, energy=3500)
    assert "totalCost" not in answer
    assert charger.calls("CostUpdated") == []
    assert not exists(hass, "sensor", "CP01_1_session_cost")


@pytest.mark.usefixtures("priced")
async def test_a_cost_of_another_currency_is_not_told(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    other = SHOWN | {"TariffCostCtrlr.Currency": ("CHF", False)}
    charger = await charger2_ws(variables=other)
    await charger.begin(energy=1000)
    answer = await charger.event("Ended", number=1, energy=3500)
    assert "totalCost" not in answer
    assert charger.calls("CostUpdated") == []
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_session_cost") == "1.0"


@pytest.mark.usefixtures("priced")
async def test_a_session_of_1_6_has_a_cost_too(
    hass: HomeAssistant, charger_ws: ChargerFactory
) -> None:
    charger = await charger_ws()
    await charger.boot()
    await charger.status(1, "Available")
    transaction = await charger.start(meter=1000)
    await charger.stop(transaction, 3500)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_session_cost") == "1.0"


async def test_a_cost_is_told_by_hand(hass: HomeAssistant, charger2: Charger2) -> None:
    await charger2.begin()
    await act(hass, "update_cost", cost=3.45)
    told = {"transactionId": "tx-1", "totalCost": 3.45}
    assert charger2.calls("CostUpdated") == [told]


PRICED = {
    "TariffCostCtrlr.Available[Tariff]": ("true", True),
    "TariffCostCtrlr.Enabled[Tariff]": ("true", False),
}


async def authorized(charger: Charger2, id_token: str = "CARD") -> dict[str, Any]:
    """Show a card and return the answer."""
    token = {"idToken": id_token, "type": "ISO14443"}
    return await charger.call("Authorize", {"idToken": token})


def message(text: str) -> dict[str, str]:
    """Return a text as a charger is sent it."""
    return {"format": "UTF8", "content": text}


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.conformance("UC_I01")
@pytest.mark.usefixtures("priced")
async def test_who_may_charge_is_told_the_price(
    hass: HomeAssistant, charger2_ws: Charger2Factory, version: str
) -> None:
    charger = await charger2_ws(version=version, variables=PRICED)
    await add_token(hass, "CARD")
    await add_token(hass, "LOST", status="blocked")
    answer = await authorized(charger)
    assert answer["idTokenInfo"]["personalMessage"] == message("0.40 EUR/kWh")
    answer = await authorized(charger, "LOST")
    assert "personalMessage" not in answer["idTokenInfo"]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.conformance("UC_I06")
@pytest.mark.usefixtures("priced")
async def test_a_driver_is_told_a_new_price_once(
    hass: HomeAssistant, charger2_ws: Charger2Factory, version: str
) -> None:
    charger = await charger2_ws(version=version, variables=PRICED)
    first = await charger.begin()
    assert first["updatedPersonalMessage"] == message("0.40 EUR/kWh")
    assert "updatedPersonalMessage" not in await charger.event("Updated", number=1)
    hass.states.async_set(PRICE, "0.3125", {"unit_of_measurement": "EUR/kWh"})
    await hass.async_block_till_done()
    told = [await charger.event("Updated", number=number) for number in (2, 3)]
    assert [one.get("updatedPersonalMessage") for one in told] == [
        message("0.3125 EUR/kWh"),
        None,
    ]


@pytest.mark.usefixtures("priced")
async def test_a_charger_that_shows_no_prices_is_told_none(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await add_token(hass, "CARD")
    answer = await authorized(charger2)
    assert "personalMessage" not in answer["idTokenInfo"]
    assert "updatedPersonalMessage" not in await charger2.begin(token="CARD")


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("TariffFallbackMessage", marks=pytest.mark.conformance("UC_I04")),
        pytest.param(
            "TotalCostFallbackMessage", marks=pytest.mark.conformance("UC_I05")
        ),
    ],
)
async def test_what_is_shown_without_us_is_written_to_the_charger(
    hass: HomeAssistant, charger2_ws: Charger2Factory, key: str
) -> None:
    name = f"TariffCostCtrlr.{key}"
    charger = await charger2_ws(version="2.1", variables={name: ("", False)})
    await act(hass, "set_configuration", key=name, value="Ask at home")
    assert charger.variables[name][0] == "Ask at home"


# Tariffs of 2.1


@pytest.fixture
async def charger21(charger2_ws: Charger2Factory) -> Charger2:
    """Return a charger of OCPP 2.1."""
    return await charger2_ws(version="2.1")


@pytest.mark.conformance("TC_I_101_CSMS")
@pytest.mark.conformance("UC_I07")
async def test_a_default_tariff_by_the_time_of_day(
    hass: HomeAssistant, charger21: Charger2
) -> None:
    response = await act(hass, "set_default_tariff", tariff=TARIFF)
    assert charger21.calls("SetDefaultTariff") == [{"evseId": 0, "tariff": TARIFF}]
    assert response["answer"] == "Accepted"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(
            "TooManyElements",
            "tariff_too_long",
            marks=pytest.mark.conformance("TC_I_102_CSMS"),
        ),
        pytest.param(
            "ConditionNotSupported",
            "tariff_condition",
            marks=pytest.mark.conformance("TC_I_105_CSMS"),
        ),
        ("DuplicateTariffId", "tariff_duplicate"),
        ("Rejected", "rejected"),
    ],
)
async def test_a_default_tariff_that_is_not_taken(
    hass: HomeAssistant, charger21: Charger2, answer: str, error: str
) -> None:
    charger21.answers["SetDefaultTariff"] = {"status": answer}
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "set_default_tariff", tariff=TARIFF)
    assert raised.value.translation_key == error


@pytest.mark.conformance("TC_I_106_CSMS")
@pytest.mark.conformance("UC_I09")
async def test_different_tariffs_are_listed(
    hass: HomeAssistant, charger21: Charger2
) -> None:
    other = TARIFF | {"tariffId": "day"}
    await act(hass, "set_default_tariff", tariff=TARIFF)
    await act(hass, "set_default_tariff", tariff=other, connector=1)
    sent = charger21.calls("SetDefaultTariff")
    assert [(one["evseId"], one["tariff"]["tariffId"]) for one in sent] == [
        (0, "night"),
        (1, "day"),
    ]
    charger21.answers["GetTariffs"] = {
        "status": "Accepted",
        "tariffAssignments": [
            {"tariffId": "night", "tariffKind": "DefaultTariff", "evseIds": [2]},
            {
                "tariffId": "day",
                "tariffKind": "DriverTariff",
                "evseIds": [1],
                "idTokens": ["SECRET1234"],
            },
        ],
    }
    response = await act(hass, "get_tariffs")
    # Tokens are as good as keys.
    assert "SECRET" not in str(response)
    assert response["tariffs"][1]["id_tokens"] == ["***1234"]
    assert charger21.calls("GetTariffs") == [{"evseId": 0}]
    assert [
        (one["tariff_id"], one["kind"], one["connectors"])
        for one in response["tariffs"]
    ] == [("night", "default_tariff", [2]), ("day", "driver_tariff", [1])]


async def test_that_there_are_no_tariffs_is_no_error(
    hass: HomeAssistant, charger21: Charger2
) -> None:
    charger21.answers["GetTariffs"] = {"status": "NoTariff"}
    assert (await act(hass, "get_tariffs", connector=1))["tariffs"] == []
    assert charger21.calls("GetTariffs") == [{"evseId": 1}]


@pytest.mark.conformance("TC_I_109_CSMS")
@pytest.mark.conformance("UC_I08")
@pytest.mark.usefixtures("priced")
async def test_a_driver_is_given_a_tariff(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1", variables=PRICED)
    await add_token(hass, "CARD")
    assert "tariff" not in await authorized(charger)
    await act(hass, "set_driver_tariff", tariff=TARIFF)
    assert (await authorized(charger))["tariff"] == TARIFF
    await add_token(hass, "LOST", status="blocked")
    assert "tariff" not in await authorized(charger, "LOST")
    await act(hass, "set_driver_tariff")
    assert "tariff" not in await authorized(charger)


@pytest.mark.usefixtures("priced")
async def test_2_0_1_has_no_words_for_the_tariff_of_a_driver(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.0.1", variables=PRICED)
    await add_token(hass, "CARD")
    costs = hub.stations[IDENTITY].station.costs
    assert costs is not None
    # It was set while the charger spoke 2.1.
    await costs.set_driver_tariff(TARIFF)
    told = await authorized(charger)
    assert told["idTokenInfo"]["personalMessage"]["content"] == "0.40 EUR/kWh"
    assert "tariff" not in told


@pytest.mark.conformance("TC_I_110_CSMS")
@pytest.mark.conformance("UC_I10")
async def test_tariffs_are_cleared_by_id_and_all(
    hass: HomeAssistant, charger21: Charger2
) -> None:
    cleared = [{"tariffId": "night", "status": "Accepted"}]
    charger21.answers["ClearTariffs"] = {"clearTariffsResult": cleared}
    response = await act(hass, "clear_tariffs", tariff_ids=["night"])
    assert response["tariffs"] == [{"tariff_id": "night", "status": "accepted"}]
    await act(hass, "clear_tariffs")
    await act(hass, "clear_tariffs", connector=0)
    assert charger21.calls("ClearTariffs") == [
        {"tariffIds": ["night"]},
        {},
        {"evseId": 0},
    ]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(
            "TooManyElements",
            "tariff_too_long",
            marks=pytest.mark.conformance("TC_I_113_CSMS"),
        ),
        pytest.param(
            "ConditionNotSupported",
            "tariff_condition",
            marks=pytest.mark.conformance("TC_I_114_CSMS"),
        ),
        ("TxNotFound", "tariff_no_session"),
        ("NoCurrencyChange", "tariff_currency"),
    ],
)
async def test_a_tariff_of_a_session_that_is_not_taken(
    hass: HomeAssistant, charger21: Charger2, answer: str, error: str
) -> None:
    await charger21.begin()
    charger21.answers["ChangeTransactionTariff"] = {"status": answer}
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "change_transaction_tariff", tariff=TARIFF)
    assert raised.value.translation_key == error
    (sent,) = charger21.calls("ChangeTransactionTariff")
    assert sent == {"transactionId": "tx-1", "tariff": TARIFF}


@pytest.mark.conformance("TC_I_115_CSMS")
@pytest.mark.conformance("UC_I11")
async def test_the_tariff_of_a_session_changes(
    hass: HomeAssistant, charger21: Charger2
) -> None:
    await charger21.begin()
    response = await act(hass, "change_transaction_tariff", tariff=TARIFF)
    assert response["answer"] == "Accepted"
    (sent,) = charger21.calls("ChangeTransactionTariff")
    assert sent["tariff"]["validFrom"] == TARIFF["validFrom"]
    answer = await charger21.event(
        "Updated", number=1, trigger="TariffChanged", info={"tariffId": "night"}
    )
    assert answer == {}


@pytest.mark.conformance("TC_I_122_CSMS")
@pytest.mark.conformance("UC_I12")
async def test_what_a_charger_has_counted_is_the_cost(
    hass: HomeAssistant, charger21: Charger2
) -> None:
    await act(hass, "set_default_tariff", tariff=TARIFF)
    await charger21.begin(energy=1000)
    details = {
        "totalCost": {
            "currency": "EUR",
            "typeOfCost": "NormalCost",
            "total": {"exclTax": 3.5, "inclTax": 4.17},
        },
        "totalUsage": {"energy": 2.5, "chargingTime": 3600, "idleTime": 0},
    }
    await charger21.event("Ended", number=1, energy=3500, costDetails=details)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_session_cost") == "4.17"


def _details(total: object, currency: str = "EUR", **more: Any) -> dict[str, Any]:
    """Return what a charger has counted itself."""
    return {
        "totalCost": {
            "currency": currency,
            "typeOfCost": "NormalCost",
            "total": {"inclTax": total},
        },
        "totalUsage": {"energy": 2.5, "chargingTime": 3600, "idleTime": 0},
        **more,
    }


@pytest.mark.conformance("UC_I12")
@pytest.mark.usefixtures("priced")
async def test_a_cost_that_a_charger_has_counted_while_offline_is_shown(
    hass: HomeAssistant, hub: OcppHub, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1")
    await charger.begin(energy=1000)
    details = _details(4.17)
    await charger.event(
        "Ended", number=1, energy=3500, costDetails=details, offline=True
    )
    # It is not told again: no kill takes it.
    assert (IDENTITY, "costs") not in hub.journal._facts
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_session_cost") == "4.17"


@pytest.mark.conformance("UC_I12")
@pytest.mark.usefixtures("priced")
async def test_the_running_cost_of_a_charger_is_shown_and_not_told_back(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws(version="2.1", variables=SHOWN)
    await charger.begin(energy=1000)
    await charger.expect("CostUpdated")
    details = _details(2.5)
    answer = await charger.event(
        "Updated", number=1, trigger="RunningCost", costDetails=details
    )
    assert answer["totalCost"] == 2.5
    await charger.event("Updated", number=2, energy=9000)
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_session_cost") == "2.5"
    assert len(charger.calls("CostUpdated")) == 1


@pytest.mark.parametrize(
    "details",
    [
        _details(4.17, "SEK"),
        _details(4.17, failureToCalculate=True),
        _details(1e300),
        _details(-1e12),
    ],
)
@pytest.mark.usefixtures("priced")
async def test_what_is_no_cost_in_our_currency_is_not_shown(
    hass: HomeAssistant,
    charger2_ws: Charger2Factory,
    details: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    charger = await charger2_ws(version="2.1")
    await charger.begin(energy=1000)
    answer = await charger.event("Ended", number=1, energy=3500, costDetails=details)
    assert answer["totalCost"] == 1.0
    await flush(hass)
    assert state(hass, "sensor", "CP01_1_session_cost") == "1.0"
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(("currency", "shown"), [("EUR", "4.17"), ("SEK", None)])
async def test_a_cost_without_a_price_is_shown_if_it_is_in_our_currency(
    hass: HomeAssistant, charger2_ws: Charger2Factory, currency: str, shown: str | None
) -> None:
    hass.config.currency = "EUR"
    charger = await charger2_ws(version="2.1")
    await charger.begin(energy=1000)
    details = _details(4.17, currency)
    await charger.event("Ended", number=1, energy=3500, costDetails=details)
    await flush(hass)
    assert exists(hass, "sensor", "CP01_1_session_cost") is (shown is not None)
    if shown is not None:
        assert state(hass, "sensor", "CP01_1_session_cost") == shown


@pytest.mark.usefixtures("priced")
async def test_what_happened_offline_is_answered_without_price_and_cost(
    charger2_ws: Charger2Factory,
) -> None:
    charger = await charger2_ws(version="2.1", variables=PRICED | SHOWN)
    await charger.begin(energy=1000)
    for number, kind in enumerate(("Updated", "Ended"), 1):
        assert await charger.event(kind, number=number, energy=3500, offline=True) == {}


@pytest.mark.usefixtures("priced")
async def test_a_charger_that_shows_no_costs_is_told_none(
    hass: HomeAssistant, charger2_ws: Charger2Factory
) -> None:
    charger = await charger2_ws()
    await charger.begin(energy=1000)
    await charger.event("Updated", number=1, energy=3500)
    await hass.async_block_till_done()
    assert charger.calls("CostUpdated") == []


async def test_the_cost_is_there_as_soon_as_there_is_a_price(
    hass: HomeAssistant, hub: OcppHub, charger21: Charger2
) -> None:
    assert not exists(hass, "sensor", "CP01_1_session_cost")
    hass.states.async_set(PRICE, "0.40")
    (subentry,) = hub.entry.subentries.values()
    hass.config_entries.async_update_subentry(
        hub.entry, subentry, data={**subentry.data, CONF_PRICE_ENTITY: PRICE}
    )
    await hass.async_block_till_done()
    await flush(hass)
    assert exists(hass, "sensor", "CP01_1_session_cost")


async def test_that_somebody_pays_by_the_web_is_told(
    hass: HomeAssistant, charger21: Charger2
) -> None:
    charger21.answers["NotifyWebPaymentStarted"] = {}
    await act(hass, "notify_web_payment_started", timeout=90)
    assert charger21.calls("NotifyWebPaymentStarted") == [{"evseId": 1, "timeout": 90}]


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_a_payment_at_the_terminal_is_an_event(
    hass: HomeAssistant, charger21: Charger2
) -> None:
    told = {
        "transactionId": "tx-1",
        "pspRef": "reference",
        "status": "Settled",
        "settlementAmount": 4.17,
        "settlementTime": "2026-11-21T10:00:00Z",
        "receiptId": "R-1",
    }
    assert await charger21.call("NotifySettlement", told) == {}
    await flush(hass)
    seen = full_state(hass, "event", "CP01_payment").attributes
    assert (seen["event_type"], seen["amount"]) == ("settled", 4.17)
    assert seen["transaction_id"] == "tx-1"


async def test_numbers_of_companies_are_not_known_here(
    hass: HomeAssistant, charger21: Charger2
) -> None:
    asked = {"vatNumber": "DE123456789", "evseId": 1}
    answer = await charger21.call("VatNumberValidation", asked)
    assert answer.pop("statusInfo") == {"reasonCode": "NotSupported"}
    assert answer == asked | {"status": "Rejected"}


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("set_default_tariff", {"tariff": TARIFF}),
        ("set_driver_tariff", {"tariff": TARIFF}),
        ("get_tariffs", {}),
        ("clear_tariffs", {}),
        ("notify_web_payment_started", {}),
    ],
)
async def test_2_0_1_knows_no_tariffs(
    hass: HomeAssistant,
    charger2_ws: Charger2Factory,
    action: str,
    fields: dict[str, Any],
) -> None:
    charger = await charger2_ws()
    charger.received.clear()
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, action, **fields)
    assert raised.value.translation_key == "not_supported"
    assert charger.received == []


@pytest.mark.parametrize(
    "tariff",
    [
        "night",
        {"currency": "EUR", "energy": {}},
        {"tariffId": "x" * 61, "currency": "EUR", "energy": {}},
        {"tariffId": "night", "currency": "euro", "energy": {}},
        {"tariffId": "night", "currency": "EUR"},
        {"tariffId": "night", "currency": "EUR", "energy": float("nan")},
        {"tariffId": "night", "currency": "EUR", "energy": "x" * 20_000},
    ],
)
async def test_what_is_no_tariff_is_not_sent(
    hass: HomeAssistant, charger21: Charger2, tariff: object
) -> None:
    with pytest.raises(Invalid):
        await act(hass, "set_default_tariff", tariff=tariff)
    assert charger21.calls("SetDefaultTariff") == []


async def test_1_6_is_told_no_cost(hass: HomeAssistant, quiet_charger: Charger) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "update_cost", cost=1, transaction_id="7")
    assert raised.value.translation_key == "not_supported"
    assert quiet_charger.received == []


@pytest.mark.parametrize(
    "details",
    [
        {"totalUsage": {"energy": 1, "chargingTime": 1, "idleTime": 0}},
        "much",
        {"totalCost": {"currency": "EUR", "typeOfCost": "NormalCost"}},
    ],
)
@pytest.mark.usefixtures("priced")
async def test_cost_details_without_a_total_change_nothing(
    hass: HomeAssistant, charger2_ws: Charger2Factory, details: object
) -> None:
    charger = await charger2_ws(version="2.1")
    await charger.begin(energy=1000)
    answer = await charger.event("Ended", number=1, energy=3500, costDetails=details)
    assert answer["totalCost"] == 1.0


@pytest.mark.usefixtures("priced")
async def test_another_entity_tells_another_price(
    hass: HomeAssistant, hub: OcppHub
) -> None:
    costs = hub.stations[IDENTITY].station.costs
    assert costs is not None
    assert (costs.price.value, costs.currency) == (Decimal("0.40"), "EUR")
    (subentry,) = hub.entry.subentries.values()
    for entity, price in (("sensor.other", Decimal("0.2")), (None, None)):
        hass.states.async_set("sensor.other", "200", {"unit_of_measurement": "€/MWh"})
        hass.config_entries.async_update_subentry(
            hub.entry, subentry, data={**subentry.data, CONF_PRICE_ENTITY: entity}
        )
        await hass.async_block_till_done()
        assert costs.price.value == price


@pytest.mark.parametrize(
    ("state", "unit", "price"),
    [
        ("0.3", "EUR/kWh", "0.3"),
        ("30", "ct/kWh", "0.3"),
        ("30", "Cent/kWh", "0.3"),
        ("28", "öre/kWh", "0.28"),
        ("30", "c€/kWh", "0.3"),
        ("7", "snt/kWh", "0.07"),
        ("300", "EUR/MWh", "0.3"),
        ("0.0003", "EUR/Wh", "0.3"),
        ("-0.05", None, "-0.05"),
        ("unavailable", "EUR/kWh", None),
        ("NaN", "EUR/kWh", None),
        ("1e99", "EUR/kWh", None),
    ],
)
def test_a_price_is_understood_by_its_unit(
    state: str, unit: str | None, price: str | None
) -> None:
    known = State("sensor.price", state, {"unit_of_measurement": unit})
    found = price_of(known)
    assert found == (None if price is None else Decimal(price))
