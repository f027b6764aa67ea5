"""Limits of sessions: transactionLimit of OCPP 2.1, and our own watch for the others (E16)."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from ..ha.charger import Charger, Payload, sampled
from ..ha.charger_v2 import Charger2
from ..ha.conftest import Charger2Factory
from ..ha.entities import act, flush, state
from ..ha.passing import leap


@pytest.fixture
async def newer(charger2_ws: Charger2Factory) -> Charger2:
    """Return a charger of 2.1."""
    charger = await charger2_ws(version="2.1")
    charger.received.clear()
    return charger


def limit_in(answer: Payload) -> Payload | None:
    """Return the limit that an answer tells."""
    told: Payload | None = answer.get("transactionLimit")
    return told


CASES: dict[str, tuple[dict[str, Any], Payload]] = {
    "TC_E_109_CSMS": ({"cost": 5}, {"maxCost": 5}),
    "TC_E_110_CSMS": ({"energy": 10}, {"maxEnergy": 10000}),
    "TC_E_111_CSMS": ({"duration": {"minutes": 30}}, {"maxTime": 1800}),
    "TC_C_103_CSMS": ({"cost": 12.5}, {"maxCost": 12.5}),
}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("TC_E_109_CSMS", marks=pytest.mark.conformance("TC_E_109_CSMS")),
        pytest.param("TC_E_110_CSMS", marks=pytest.mark.conformance("TC_E_110_CSMS")),
        pytest.param("TC_E_111_CSMS", marks=pytest.mark.conformance("TC_E_111_CSMS")),
        pytest.param("TC_C_103_CSMS", marks=pytest.mark.conformance("TC_C_103_CSMS")),
    ],
)
async def test_the_next_session_hears_its_limit_once(
    hass: HomeAssistant, newer: Charger2, row: str
) -> None:
    fields, expected = CASES[row]
    told = await act(hass, "limit_session", **fields)
    assert told["transaction_id"] is None
    assert limit_in(await newer.begin()) == expected
    confirmed = {"transactionLimit": expected}
    set_ = await newer.event("Updated", number=1, trigger="LimitSet", info=confirmed)
    assert limit_in(set_) is None
    later = await newer.event("Updated", number=2, energy=1500)
    assert limit_in(later) is None


async def test_the_open_session_hears_its_limit_at_the_next_event(
    hass: HomeAssistant, newer: Charger2
) -> None:
    assert limit_in(await newer.begin()) is None
    told = await act(hass, "limit_session", soc=80, energy=10)
    assert told["transaction_id"] == "tx-1"
    asked = await newer.expect("TriggerMessage")
    assert asked == {"requestedMessage": "TransactionEvent", "evse": {"id": 1}}
    expected = {"maxEnergy": 10000, "maxSoC": 80}
    assert limit_in(await newer.event("Updated", number=1)) == expected
    await flush(hass)
    assert float(state(hass, "sensor", "CP01_1_session_energy_limit")) == 10
    assert state(hass, "sensor", "CP01_1_session_soc_limit") == "80"


@pytest.mark.conformance("TC_E_102_CSMS")
async def test_our_limit_goes_before_that_of_the_charger(
    hass: HomeAssistant, newer: Charger2
) -> None:
    await act(hass, "limit_session", energy=10)
    theirs = {"transactionLimit": {"maxEnergy": 6000}}
    assert limit_in(await newer.begin(info=theirs)) == {"maxEnergy": 10000}
    ours = {"transactionLimit": {"maxEnergy": 10000}}
    answer = await newer.event("Updated", number=1, trigger="LimitSet", info=ours)
    assert limit_in(answer) is None


async def test_a_lower_limit_that_is_chosen_at_the_charger_is_left_alone(
    hass: HomeAssistant, newer: Charger2
) -> None:
    await act(hass, "limit_session", energy=10)
    assert limit_in(await newer.begin()) == {"maxEnergy": 10000}
    lower = {"transactionLimit": {"maxEnergy": 4000}}
    answer = await newer.event("Updated", number=1, trigger="LimitSet", info=lower)
    assert limit_in(answer) is None
    higher = {"transactionLimit": {"maxEnergy": 20000}}
    answer = await newer.event("Updated", number=2, trigger="LimitSet", info=higher)
    assert limit_in(answer) == {"maxEnergy": 10000}


@pytest.mark.conformance("TC_E_106_CSMS")
@pytest.mark.conformance("TC_E_107_CSMS")
@pytest.mark.parametrize(
    ("limit", "sensor", "shown"),
    [
        ({"maxEnergy": 6000}, "session_energy_limit", 6),
        ({"maxTime": 600}, "session_duration_limit", 10),
    ],
)
async def test_a_limit_of_the_charger_is_shown_and_not_answered(
    hass: HomeAssistant, newer: Charger2, limit: Payload, sensor: str, shown: float
) -> None:
    await newer.begin()
    info = {"transactionLimit": limit}
    answer = await newer.event("Updated", number=1, trigger="LimitSet", info=info)
    assert answer == {}
    await flush(hass)
    assert float(state(hass, "sensor", f"CP01_1_{sensor}")) == shown
    await newer.event("Ended", number=2, energy=2000)
    await flush(hass)
    assert state(hass, "sensor", f"CP01_1_{sensor}") == "unknown"


async def test_a_charger_that_cannot_do_it_is_asked_to_stop(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await act(hass, "limit_session", energy=1)
    answer = await charger2.begin(energy=1000)
    assert (limit_in(answer) is not None) is (charger2.version == "2.1")
    charger2.received.clear()
    await charger2.event("Updated", number=1, energy=1900)
    await flush(hass)
    assert charger2.calls("RequestStopTransaction") == []
    await charger2.event("Updated", number=2, energy=2000)
    stop = await charger2.expect("RequestStopTransaction")
    assert stop == {"transactionId": "tx-1"}
    await charger2.event("Ended", number=3, energy=2010)
    # It was for this session only.
    assert limit_in(await charger2.begin("tx-2", energy=2010)) is None
    await charger2.event("Updated", "tx-2", 1, energy=9000)
    await flush(hass)
    assert len(charger2.calls("RequestStopTransaction")) == 1


async def test_a_charger_that_confirmed_its_limit_is_trusted_a_little(
    hass: HomeAssistant, newer: Charger2
) -> None:
    await act(hass, "limit_session", energy=1)
    await newer.begin(energy=1000)
    info = {"transactionLimit": {"maxEnergy": 1000}}
    await newer.event("Updated", number=1, trigger="LimitSet", info=info)
    await newer.event("Updated", number=2, energy=2050)
    await flush(hass)
    assert newer.calls("RequestStopTransaction") == []
    await newer.event("Updated", number=3, energy=2200)
    assert await newer.expect("RequestStopTransaction") == {"transactionId": "tx-1"}


async def test_a_charger_of_1_6_charges_10_kwh(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    transaction_id = await approved_charger.start(meter=1000)
    await act(hass, "limit_session", energy=10)
    register = "Energy.Active.Import.Register"
    await approved_charger.meter(1, [sampled(10_900, register, "Wh")], transaction_id)
    await flush(hass)
    assert approved_charger.calls("RemoteStopTransaction") == []
    await approved_charger.meter(1, [sampled(11_000, register, "Wh")], transaction_id)
    stop = await approved_charger.expect("RemoteStopTransaction")
    assert stop == {"transactionId": transaction_id}


async def test_a_session_ends_after_its_time(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, approved_charger: Charger
) -> None:
    transaction_id = await approved_charger.start()
    await act(hass, "limit_session", duration={"seconds": 40})
    for seconds in (30, 15):
        assert approved_charger.calls("RemoteStopTransaction") == []
        await leap(hass, freezer, seconds)
    assert approved_charger.calls("RemoteStopTransaction") == [
        {"transactionId": transaction_id}
    ]


async def test_a_limit_is_taken_back(hass: HomeAssistant, charger2: Charger2) -> None:
    await charger2.begin(energy=1000)
    await act(hass, "limit_session", energy=1)
    await act(hass, "clear_session_limit")
    await charger2.event("Updated", number=1, energy=9000)
    await flush(hass)
    assert charger2.calls("RequestStopTransaction") == []


async def test_a_limit_limits_something(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "limit_session")
    assert caught.value.translation_key == "session_limit_missing"


async def test_a_limit_survives_a_restart_of_home_assistant(
    hass: HomeAssistant, charger2_ws: Charger2Factory, hub: Any
) -> None:
    charger = await charger2_ws(version="2.0.1")
    await charger.begin(energy=1000)
    await act(hass, "limit_session", energy=1)
    assert await hass.config_entries.async_reload(hub.entry.entry_id)
    await hass.async_block_till_done()
    await charger.close()
    charger.url = f"ws://127.0.0.1:{hub.entry.runtime_data.port}/ocpp"
    await charger.connect()
    await charger.event("Updated", number=1, energy=2500)
    assert await charger.expect("RequestStopTransaction") == {"transactionId": "tx-1"}
