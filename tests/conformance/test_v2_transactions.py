"""OCPP 2.x: where a session may begin and end, in the words of its events (block E)."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from ..ha.cards import CARD, STRANGER, keep, strangers
from ..ha.charger import Charger
from ..ha.charger_v2 import Charger2
from ..ha.conftest import ChargerFactory, set_up
from ..ha.entities import act, flush, state
from .answers import sessions
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.stepwise import Step as Finding
from custom_components.ev_charger_hub.ocpp.v201.open_transactions import CHECK_AFTER
from custom_components.ev_charger_hub.station.tokens import UnknownTokens
from tests.underway import until

STATUS = "CP01_1_status"
CHARGE = "CP01_1_charge_control"

EVSE = {"id": 1, "connectorId": 1}
TAG = {"idToken": CARD, "type": "ISO14443"}
ACCEPTED = {"status": "Accepted"}


@dataclass(kw_only=True)
class Step:
    """One event, in the words of the charger, and what is to be seen then.

    `shown` is the status of the connector; a step with a `token` hears of it.
    """

    kind: str
    trigger: str
    state: str | None = None
    energy: int | None = None
    token: bool = False
    evse: bool = False
    reason: str | None = None
    shown: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Case:
    """A session from its begin to its end; `authorize` says that a card is first."""

    steps: list[Step]
    authorize: bool = False
    token: str | None = CARD
    reason: str | None = None
    occupied: bool = True
    delivered: int = 1000


def started(trigger: str, state: str | None = None, **more: Any) -> Step:
    """Return the begin of a session, whose place is known."""
    return Step(kind="Started", trigger=trigger, state=state, **{"evse": True, **more})


def updated(trigger: str, state: str | None = None, **more: Any) -> Step:
    """Return an event in a session."""
    return Step(kind="Updated", trigger=trigger, state=state, **more)


def ended(trigger: str, reason: str | None = None, **more: Any) -> Step:
    """Return the end of a session."""
    return Step(
        kind="Ended", trigger=trigger, reason=reason, **{"energy": 2000, **more}
    )


CHARGING = updated("ChargingStateChanged", "Charging", energy=1000, shown="charging")
CARD_THEN_POWER = started(
    "ChargingStateChanged", "Charging", token=True, energy=1000, shown="charging"
)
PLUGGED = started("CablePluggedIn", "EVConnected", energy=1000, shown="preparing")
AUTHORIZED = updated("Authorized", token=True)


def case(mark: pytest.MarkDecorator, **fields: Any) -> Any:
    """Return a case that proves the row of a mark."""
    return pytest.param(Case(**fields), id=mark.args[0], marks=mark)


async def tell(charger: Charger2, number: int, step: Step) -> dict[str, Any]:
    """Tell of one event and return the answer, of a card only its status."""
    more = dict(step.more)
    if step.token:
        more["idToken"] = TAG
    if step.evse:
        more["evse"] = EVSE
    info = {"stoppedReason": step.reason} if step.reason else {}
    answer = await charger.event(
        step.kind,
        number=number,
        state=step.state,
        energy=step.energy,
        trigger=step.trigger,
        info=info,
        **more,
    )
    if "idTokenInfo" in answer:
        answer["idTokenInfo"] = {"status": answer["idTokenInfo"]["status"]}
    return answer


async def play(hass: HomeAssistant, charger: Charger2, case: Case) -> None:
    """Play a session; every event has its answer, and is seen."""
    if case.authorize:
        answer = await charger.call("Authorize", {"idToken": TAG})
        assert answer["idTokenInfo"]["status"] == "Accepted"
    if case.occupied:
        await charger.connector_status("Occupied")
    for number, step in enumerate(case.steps):
        answer = await tell(charger, number, step)
        # Of a card that was shown, and of no other (E01.FR.11).
        assert answer == ({"idTokenInfo": ACCEPTED} if step.token else {})
        await flush(hass)
        if step.shown is not None:
            assert state(hass, "sensor", STATUS) == step.shown
        last = step.kind == "Ended"
        assert state(hass, "switch", CHARGE) == ("off" if last else "on")
    (session,) = await sessions(hass)
    assert session["transaction_id"] == "tx-1"
    assert session["id_token"] == case.token
    assert session["energy"] == case.delivered
    assert session["events_missing"] == 0
    assert session["stop_reason"] == case.reason
    assert session["state"] == ("open" if case.reason is None else "closed")


@pytest.fixture
async def approved_charger_16(hub: OcppHub, charger_ws: ChargerFactory) -> Charger:
    """Return a charger of OCPP 1.6 beside."""
    hub.approve("CP16", "Carport", None)
    await hub.hass.async_block_till_done()
    charger = await charger_ws("CP16")
    await charger.boot()
    await charger.status(1, "Available")
    await set_up(hub, charger)
    return charger


@pytest.fixture(autouse=True)
def known_card(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger2: Charger2
) -> None:
    """Let one card charge, and no other."""
    keep(hass, init_integration)
    strangers(hass, init_integration, UnknownTokens.REFUSE)
    charger2.received.clear()


@pytest.mark.parametrize(
    "played",
    [
        case(
            pytest.mark.conformance("TC_E_01_CSMS"),
            authorize=True,
            steps=[
                started(
                    "Authorized",
                    "EVConnected",
                    token=True,
                    energy=1000,
                    shown="preparing",
                )
            ],
            delivered=0,
        ),
        case(
            pytest.mark.conformance("TC_E_02_CSMS"),
            authorize=True,
            steps=[CARD_THEN_POWER],
            delivered=0,
        ),
        case(
            pytest.mark.conformance("TC_E_03_CSMS"),
            steps=[PLUGGED, AUTHORIZED, CHARGING],
            delivered=0,
        ),
        case(
            pytest.mark.conformance("TC_E_09_CSMS"),
            steps=[PLUGGED],
            token=None,
            delivered=0,
        ),
        case(
            pytest.mark.conformance("TC_E_10_CSMS"),
            authorize=True,
            steps=[started("Authorized", "Idle", token=True, energy=1000)],
            occupied=False,
            delivered=0,
        ),
        case(
            pytest.mark.conformance("TC_E_12_CSMS"),
            steps=[started("EVDetected")],
            occupied=False,
            token=None,
            delivered=0,
        ),
        case(
            pytest.mark.conformance("TC_E_38_CSMS"),
            steps=[
                CARD_THEN_POWER,
                updated("ChargingStateChanged", "SuspendedEV", shown="suspended_ev"),
            ],
            delivered=0,
        ),
    ],
)
async def test_where_a_session_may_begin(
    hass: HomeAssistant, charger2: Charger2, played: Case
) -> None:
    await play(hass, charger2, played)


@pytest.mark.parametrize(
    "played",
    [
        case(
            pytest.mark.conformance("TC_E_07_CSMS"),
            steps=[CARD_THEN_POWER, ended("StopAuthorized", "Local", token=True)],
            reason="local",
        ),
        case(
            pytest.mark.conformance("TC_E_08_CSMS"),
            steps=[
                CARD_THEN_POWER,
                updated("StopAuthorized", "EVConnected", token=True),
                ended("ChargingStateChanged", "Local", state="EVConnected"),
            ],
            reason="local",
        ),
        case(
            pytest.mark.conformance("TC_E_14_CSMS"),
            steps=[
                CARD_THEN_POWER,
                updated("StopAuthorized", "EVConnected", token=True),
                ended("EVCommunicationLost", "EVDisconnected", state="Idle"),
            ],
            reason="ev_disconnected",
        ),
        case(
            pytest.mark.conformance("TC_E_15_CSMS"),
            steps=[
                CARD_THEN_POWER,
                updated("StopAuthorized", "EVConnected", token=True),
                ended("StopAuthorized", "Local"),
            ],
            reason="local",
        ),
        case(
            pytest.mark.conformance("TC_E_17_CSMS"),
            steps=[
                CARD_THEN_POWER,
                updated("EVCommunicationLost", "Idle"),
                ended("Deauthorized", "EVDisconnected"),
            ],
            reason="ev_disconnected",
        ),
        case(
            pytest.mark.conformance("TC_E_19_CSMS"),
            steps=[
                CARD_THEN_POWER,
                updated("EVCommunicationLost", "Idle"),
                ended("EVDeparted"),
            ],
            reason="local",
        ),
        case(
            pytest.mark.conformance("TC_E_20_CSMS"),
            steps=[CARD_THEN_POWER, ended("EVCommunicationLost", "EVDisconnected")],
            reason="ev_disconnected",
        ),
        case(
            pytest.mark.conformance("TC_E_22_CSMS"),
            steps=[
                CARD_THEN_POWER,
                ended("ChargingStateChanged", "StoppedByEV", state="SuspendedEV"),
            ],
            reason="stopped_by_ev",
        ),
        case(
            pytest.mark.conformance("TC_E_39_CSMS"),
            steps=[
                started("Authorized", "Idle", token=True, energy=1000),
                ended("EVConnectTimeout", "Timeout", energy=1000),
            ],
            occupied=False,
            reason="timeout",
            delivered=0,
        ),
    ],
)
async def test_where_a_session_may_end(
    hass: HomeAssistant, charger2: Charger2, played: Case
) -> None:
    await play(hass, charger2, played)


@pytest.mark.conformance("TC_E_04_CSMS")
async def test_the_place_of_a_session_may_be_told_later(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.connector_status("Available", 2)
    begin = Step(kind="Started", trigger="Authorized", state="Idle", token=True)
    answer = await tell(charger2, 0, begin)
    assert answer == {"idTokenInfo": ACCEPTED}
    await hass.async_block_till_done()
    (session,) = await sessions(hass)
    assert session["connector"] == 0
    await charger2.connector_status("Occupied", 2)
    plugged = updated(
        "CablePluggedIn", "EVConnected", more={"evse": {"id": 2, "connectorId": 1}}
    )
    assert await tell(charger2, 1, plugged) == {}
    await flush(hass)
    (session,) = await sessions(hass)
    assert session["connector"] == 2
    assert state(hass, "switch", "CP01_2_charge_control") == "on"
    assert state(hass, "switch", CHARGE) == "off"


@pytest.mark.conformance("TC_E_11_CSMS")
async def test_a_session_may_begin_with_a_signature(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    signed = {
        "signedMeterData": "T0NNRnx7fQ==",
        "signingMethod": "ECDSA-secp256r1-SHA256",
        "encodingMethod": "OCMF",
        "publicKey": "a2V5",
    }
    value = {
        "value": 1000.0,
        "context": "Transaction.Begin",
        "signedMeterValue": signed,
    }
    begin = started(
        "SignedDataReceived",
        token=True,
        more={
            "meterValue": [
                {"timestamp": "2026-11-21T10:00:00Z", "sampledValue": [value]}
            ]
        },
    )
    await play(hass, charger2, Case(steps=[begin], occupied=False, delivered=0))
    (session,) = (await act(hass, "get_sessions", signed=True))["sessions"]
    (kept,) = session["signed_values"]
    assert '"signedMeterData":"T0NNRnx7fQ=="' in kept["value"]


@pytest.mark.conformance("TC_E_16_CSMS")
async def test_a_card_that_may_not_charge_ends_its_session(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    answer = await charger2.begin(token=STRANGER)
    assert answer == {"idTokenInfo": {"status": "Invalid"}}
    assert await tell(charger2, 1, ended("Deauthorized", "DeAuthorized")) == {}
    (session,) = await sessions(hass)
    assert (session["state"], session["stop_reason"]) == ("closed", "de_authorized")


@pytest.mark.conformance("TC_E_21_CSMS")
async def test_a_session_is_ended_from_afar_by_the_id_that_the_charger_gave_it(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    name = "5f2e0e6a-1c5b-4d9e-9a51-1234567890ab"
    await charger2.begin(name, token=CARD)
    await flush(hass)
    await act(hass, "stop_charging")
    assert charger2.calls("RequestStopTransaction") == [{"transactionId": name}]
    end = await charger2.event(
        "Ended",
        name,
        1,
        energy=2000,
        trigger="RemoteStop",
        info={"stoppedReason": "Remote"},
    )
    assert end == {}
    (session,) = await sessions(hass)
    assert (session["stop_reason"], session["energy"]) == ("remote", 1000)


@pytest.mark.conformance("TC_E_26_CSMS")
async def test_a_vehicle_may_leave_and_come_back_within_a_session(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.connector_status("Occupied")
    assert await tell(charger2, 0, CARD_THEN_POWER) == {"idTokenInfo": ACCEPTED}
    assert await tell(charger2, 1, updated("EVCommunicationLost", "Idle")) == {}
    await charger2.connector_status("Available")
    await flush(hass)
    assert state(hass, "switch", CHARGE) == "on"
    await charger2.connector_status("Occupied")
    assert await tell(charger2, 2, updated("CablePluggedIn", "EVConnected")) == {}
    again = updated("ChargingStateChanged", "Charging", energy=3000, shown="charging")
    assert await tell(charger2, 3, again) == {}
    await flush(hass)
    assert state(hass, "sensor", STATUS) == "charging"
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("open", 2000)


@pytest.mark.parametrize(
    ("fields", "ongoing", "queued"),
    [
        pytest.param(
            {"transaction_id": "tx-1"},
            True,
            True,
            marks=pytest.mark.conformance("TC_E_29_CSMS"),
        ),
        pytest.param(
            {"connector": 1},
            True,
            False,
            marks=pytest.mark.conformance("TC_E_30_CSMS"),
        ),
        pytest.param(
            {"transaction_id": "tx-1"},
            False,
            True,
            marks=pytest.mark.conformance("TC_E_31_CSMS"),
        ),
        pytest.param({}, None, True, marks=pytest.mark.conformance("TC_E_33_CSMS")),
        pytest.param({}, None, False, marks=pytest.mark.conformance("TC_E_34_CSMS")),
    ],
)
async def test_a_charger_is_asked_how_a_session_stands(
    hass: HomeAssistant,
    charger2: Charger2,
    fields: dict[str, Any],
    ongoing: bool | None,
    queued: bool,
) -> None:
    await charger2.begin(token=CARD)
    await flush(hass)
    answer: dict[str, Any] = {"messagesInQueue": queued}
    if ongoing is not None:
        answer["ongoingIndicator"] = ongoing
    charger2.answers["GetTransactionStatus"] = answer
    told = await act(hass, "get_transaction_status", **fields)
    asked = {"transactionId": "tx-1"} if fields else {}
    assert charger2.calls("GetTransactionStatus") == [asked]
    assert (told["ongoing"], told["messages_in_queue"]) == (ongoing, queued)
    assert told["transaction_id"] == asked.get("transactionId")
    assert told["closed"] is False
    if queued:
        late = await charger2.event("Updated", number=1, energy=1700, offline=True)
        assert late == {}
        (session,) = await sessions(hass)
        assert session["energy"] == 700


async def test_a_session_that_the_charger_does_not_know_is_closed(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin(token=CARD)
    await charger2.event("Updated", number=1, energy=1700)
    await flush(hass)
    told = await act(hass, "get_transaction_status", connector=1)
    assert (told["ongoing"], told["closed"]) == (False, True)
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("lost", 700)
    await flush(hass)
    assert state(hass, "switch", CHARGE) == "off"


async def test_what_a_charger_cannot_tell_is_an_error(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    with pytest.raises(ServiceValidationError) as invalid:
        await act(hass, "get_transaction_status", connector=1)
    assert invalid.value.translation_key == "no_session"
    charger2.answers["GetTransactionStatus"] = {"status": "Rejected"}
    with pytest.raises(HomeAssistantError):
        await act(hass, "get_transaction_status")


async def test_a_charger_of_1_6_has_no_such_message(
    hass: HomeAssistant, charger2: Charger2, approved_charger_16: Charger
) -> None:
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, "get_transaction_status", approved_charger_16.identity)
    assert err.value.translation_key == "not_supported"


@pytest.mark.conformance("TC_E_53_CSMS")
async def test_every_session_may_count_from_0(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    for name in ("tx-1", "tx-2"):
        answer = await charger2.begin(name, token=CARD, energy=1000)
        assert answer["idTokenInfo"]["status"] == "Accepted"
        assert await charger2.event("Ended", name, 1, energy=1500) == {}
    assert [
        (one["transaction_id"], one["energy"], one["events_missing"])
        for one in await sessions(hass)
    ] == [("tx-2", 500, 0), ("tx-1", 500, 0)]


@pytest.mark.parametrize(
    "limit",
    [
        pytest.param(
            {"maxEnergy": 6000.0}, marks=pytest.mark.conformance("TC_E_106_CSMS")
        ),
        pytest.param({"maxTime": 600}, marks=pytest.mark.conformance("TC_E_107_CSMS")),
    ],
)
async def test_a_limit_that_the_charger_sets_itself_is_not_answered_by_another(
    hass: HomeAssistant, charger2: Charger2, limit: dict[str, Any]
) -> None:
    await charger2.begin(token=CARD)
    info = {"transactionLimit": limit}
    assert (
        await charger2.event("Updated", number=1, trigger="LimitSet", info=info) == {}
    )
    (session,) = await sessions(hass)
    assert session["state"] == "open"


@pytest.mark.conformance("TC_E_113_CSMS")
async def test_a_session_that_is_resumed_is_the_same_one(
    hass: HomeAssistant, charger2: Charger2
) -> None:
    await charger2.begin(token=CARD)
    await charger2.close()
    await charger2.connect()
    await charger2.boot(reason="PowerUp")
    resumed = await charger2.event(
        "Updated", number=1, energy=1200, trigger="TxResumed", state="Charging"
    )
    assert resumed == {}
    assert await charger2.event("Ended", number=2, energy=2000) == {}
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("closed", 1000)


@pytest.mark.conformance("TC_E_117_CSMS")
async def test_the_limit_of_a_session_that_is_resumed_is_sent_again(
    hass: HomeAssistant, hub: OcppHub, charger2: Charger2
) -> None:
    station = hub.stations["CP01"].station
    station.settings = replace(station.settings, limit_interval=0)
    await charger2.begin(token=CARD)
    await flush(hass)
    await act(hass, "set_charging_limit", connector=1, limit=10)
    await hass.async_block_till_done()
    before = tx_profiles(charger2)
    assert before
    await charger2.close()
    await charger2.connect()
    del station.findings[Finding.LIMITS]
    await charger2.boot(reason="PowerUp")
    assert await charger2.event("Updated", number=1, trigger="TxResumed") == {}
    await set_up(hub, charger2)
    await flush(hass)
    again = tx_profiles(charger2)[len(before) :]
    assert {one["transactionId"] for one in again} == {"tx-1"}
    (schedule,) = again[0]["chargingSchedule"]
    assert [one["limit"] for one in schedule["chargingSchedulePeriod"]] == [10]


def tx_profiles(charger: Charger2) -> list[dict[str, Any]]:
    """Return the profiles of a session that a charger was sent."""
    sent = [one["chargingProfile"] for one in charger.calls("SetChargingProfile")]
    return [one for one in sent if one["chargingProfilePurpose"] == "TxProfile"]


@pytest.mark.parametrize("ongoing", [True, False])
async def test_a_charger_that_is_back_is_asked_about_its_open_session(
    hass: HomeAssistant, hub: OcppHub, charger2: Charger2, ongoing: bool
) -> None:
    charger2.answers["GetTransactionStatus"] = {
        "ongoingIndicator": ongoing,
        "messagesInQueue": False,
    }
    await charger2.begin(token=CARD)
    await charger2.event("Updated", number=1, energy=1400)
    await charger2.close()
    await charger2.connect()
    await charger2.boot(reason="PowerUp")
    await set_up(hub, charger2)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=CHECK_AFTER + 1))
    asked = await charger2.expect("GetTransactionStatus")
    assert asked == {"transactionId": "tx-1"}
    evse = hub.stations["CP01"].station.evses[1]
    await charger2.rest()
    await until(lambda: ongoing or evse.transaction is None)
    await flush(hass)
    (session,) = await sessions(hass)
    assert (session["state"], session["energy"]) == ("open" if ongoing else "lost", 400)
    assert state(hass, "switch", CHARGE) == ("on" if ongoing else "off")
