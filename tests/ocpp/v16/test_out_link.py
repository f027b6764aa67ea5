"""Commands of OCPP 1.6: exactly one message out, an outcome back."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from .outbound import Charger
from custom_components.ev_charger_hub.ocpp.errors import (
    CallError,
    CallInterrupted,
    CallTimeout,
    ErrorCode,
    InvalidAnswer,
)
from custom_components.ev_charger_hub.ocpp.v16.link import V16Link
from custom_components.ev_charger_hub.station.errors import (
    InvalidTransactionId,
    NotConnected,
)
from custom_components.ev_charger_hub.station.link import (
    Capability,
    ConfigurationKey,
    Limit,
    LinkKind,
)
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus

type Command = Callable[[V16Link], Awaitable[Outcome]]

COMMANDS: list[tuple[Command, str, dict[str, Any]]] = [
    (
        lambda k: k.start_charging(None, "TAG"),
        "RemoteStartTransaction",
        {"idTag": "TAG"},
    ),
    (
        lambda k: k.start_charging(2, "TAG"),
        "RemoteStartTransaction",
        {"idTag": "TAG", "connectorId": 2},
    ),
    (lambda k: k.stop_charging("42"), "RemoteStopTransaction", {"transactionId": 42}),
    (lambda k: k.stop_charging("-1"), "RemoteStopTransaction", {"transactionId": -1}),
    (lambda k: k.unlock(99, 1), "UnlockConnector", {"connectorId": 99}),
    (lambda k: k.reset(hard=True), "Reset", {"type": "Hard"}),
    (lambda k: k.reset(hard=False), "Reset", {"type": "Soft"}),
    (
        lambda k: k.change_availability(0, operative=False),
        "ChangeAvailability",
        {"connectorId": 0, "type": "Inoperative"},
    ),
    (
        lambda k: k.change_availability(1, operative=True),
        "ChangeAvailability",
        {"connectorId": 1, "type": "Operative"},
    ),
    (
        lambda k: k.trigger("Heartbeat", None),
        "TriggerMessage",
        {"requestedMessage": "Heartbeat"},
    ),
    (
        lambda k: k.trigger("MeterValues", 1),
        "TriggerMessage",
        {"requestedMessage": "MeterValues", "connectorId": 1},
    ),
    (
        lambda k: k.set_configuration("MeterValueSampleInterval", "60"),
        "ChangeConfiguration",
        {"key": "MeterValueSampleInterval", "value": "60"},
    ),
    (lambda k: k.clear_cache(), "ClearCache", {}),
    (lambda k: k.data_transfer("v", None, None), "DataTransfer", {"vendorId": "v"}),
    (
        lambda k: k.data_transfer("v", "m", "d"),
        "DataTransfer",
        {"vendorId": "v", "messageId": "m", "data": "d"},
    ),
    (
        lambda k: k.call("GetLocalListVersion", {}),
        "GetLocalListVersion",
        {},
    ),
]


@pytest.mark.conformance("TC_010_CSMS")
@pytest.mark.conformance("TC_011_1_CSMS")
@pytest.mark.conformance("TC_012_CSMS")
@pytest.mark.conformance("TC_013_CSMS")
@pytest.mark.conformance("TC_014_CSMS")
@pytest.mark.conformance("TC_021_CSMS")
@pytest.mark.conformance("TC_054_CSMS")
@pytest.mark.conformance("TC_061_CSMS")
@pytest.mark.parametrize(("command", "action", "payload"), COMMANDS)
async def test_a_command_is_exactly_one_message(
    command: Command, action: str, payload: dict[str, Any]
) -> None:
    charger = Charger()
    outcome = await command(charger.link)
    assert charger.calls == [(action, payload)]
    assert outcome.status is OutcomeStatus.ACCEPTED


@pytest.mark.conformance("TC_017_1_CSMS")
@pytest.mark.conformance("TC_017_2_CSMS")
@pytest.mark.conformance("TC_018_1_CSMS")
@pytest.mark.conformance("TC_026_CSMS")
@pytest.mark.conformance("TC_028_CSMS")
@pytest.mark.conformance("TC_030_CSMS")
@pytest.mark.conformance("TC_031_CSMS")
@pytest.mark.conformance("TC_040_1_CSMS")
@pytest.mark.conformance("TC_040_2_CSMS")
@pytest.mark.conformance("TC_055_CSMS")
@pytest.mark.parametrize(
    ("command", "action", "answer", "status"),
    [
        (
            lambda k: k.start_charging(1, "T"),
            "RemoteStartTransaction",
            "Rejected",
            "rejected",
        ),
        (
            lambda k: k.stop_charging("9"),
            "RemoteStopTransaction",
            "Rejected",
            "rejected",
        ),
        (lambda k: k.unlock(1, 1), "UnlockConnector", "Unlocked", "accepted"),
        (lambda k: k.unlock(1, 1), "UnlockConnector", "UnlockFailed", "rejected"),
        (lambda k: k.unlock(1, 1), "UnlockConnector", "NotSupported", "not_supported"),
        (
            lambda k: k.change_availability(1, operative=False),
            "ChangeAvailability",
            "Scheduled",
            "scheduled",
        ),
        (
            lambda k: k.set_configuration("K", "1"),
            "ChangeConfiguration",
            "RebootRequired",
            "reboot_required",
        ),
        (
            lambda k: k.set_configuration("K", "1"),
            "ChangeConfiguration",
            "NotSupported",
            "not_supported",
        ),
        (
            lambda k: k.set_configuration("K", "1"),
            "ChangeConfiguration",
            "Rejected",
            "rejected",
        ),
        (
            lambda k: k.trigger("Heartbeat", None),
            "TriggerMessage",
            "NotImplemented",
            "not_supported",
        ),
        (
            lambda k: k.data_transfer("v", None, None),
            "DataTransfer",
            "UnknownVendorId",
            "rejected",
        ),
        (lambda k: k.clear_cache(), "ClearCache", "accepted", "accepted"),
    ],
)
async def test_the_answer_decides_the_outcome(
    command: Command, action: str, answer: str, status: str
) -> None:
    charger = Charger()
    charger.answers[action] = {"status": answer}
    outcome = await command(charger.link)
    assert (outcome.status, outcome.answer) == (status, answer)
    assert outcome.response == {"status": answer}


@pytest.mark.parametrize(
    ("failure", "status", "answer"),
    [
        (CallTimeout("no answer"), OutcomeStatus.TIMED_OUT, ""),
        (CallInterrupted("gone"), OutcomeStatus.NO_ANSWER, ""),
        (
            CallError(ErrorCode.NOT_IMPLEMENTED, "NotImplemented", "what"),
            OutcomeStatus.NOT_SUPPORTED,
            "NotImplemented",
        ),
        (
            CallError(ErrorCode.NOT_SUPPORTED, "NotSupported", "no"),
            OutcomeStatus.NOT_SUPPORTED,
            "NotSupported",
        ),
        (
            CallError(ErrorCode.FORMAT_VIOLATION, "FormationViolation", "bad"),
            OutcomeStatus.REJECTED,
            "FormationViolation",
        ),
        (
            CallError(ErrorCode.GENERIC, "", ""),
            OutcomeStatus.REJECTED,
            "GenericError",
        ),
        (InvalidAnswer("no status", {"x": 1}), OutcomeStatus.REJECTED, ""),
        (InvalidAnswer("no object", [1]), OutcomeStatus.REJECTED, ""),
    ],
)
async def test_every_failure_after_sending_is_an_outcome(
    failure: Exception, status: OutcomeStatus, answer: str
) -> None:
    charger = Charger()
    charger.answers["ClearCache"] = failure
    outcome = await charger.link.clear_cache()
    assert (outcome.status, outcome.answer) == (status, answer)


async def test_an_invalid_answer_is_told_with_its_payload() -> None:
    charger = Charger()
    charger.answers["ClearCache"] = InvalidAnswer("status missing", {"x": 1})
    outcome = await charger.link.clear_cache()
    assert "status missing" in outcome.detail
    assert outcome.response == {"x": 1}


async def test_a_hard_reset_that_drops_the_socket_is_no_exception() -> None:
    charger = Charger()
    charger.answers["Reset"] = CallInterrupted("gone")
    assert (await charger.link.reset(hard=True)).status is OutcomeStatus.NO_ANSWER


async def test_not_connected_is_raised_only_when_nothing_was_sent() -> None:
    charger = Charger()
    charger.online = False
    assert not charger.link.connected
    with pytest.raises(NotConnected):
        await charger.link.clear_cache()
    assert charger.calls == []


@pytest.mark.parametrize(
    "transaction_id", ["abc", "", "-", "1.5", "²", "9" * 36, "easee-17"]
)
async def test_a_transaction_id_that_is_no_number_is_refused_without_a_message(
    transaction_id: str,
) -> None:
    charger = Charger()
    with pytest.raises(InvalidTransactionId):
        await charger.link.stop_charging(transaction_id)
    assert charger.calls == []


async def test_a_raw_call_without_a_status_is_accepted_with_its_payload() -> None:
    charger = Charger()
    charger.answers["GetLocalListVersion"] = {"listVersion": 3}
    outcome = await charger.link.call("GetLocalListVersion", {})
    assert outcome.ok
    assert outcome.response == {"listVersion": 3}


@pytest.mark.conformance("TC_059_CSMS")
async def test_a_remote_start_with_a_limit_carries_a_tx_profile() -> None:
    charger = Charger()
    await charger.learn()
    await charger.link.start_charging(1, "TAG", Limit(value=Decimal(10)))
    [(action, payload)] = charger.calls
    assert action == "RemoteStartTransaction"
    assert payload["connectorId"] == 1
    profile = payload["chargingProfile"]
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert "transactionId" not in profile
    [period] = profile["chargingSchedule"]["chargingSchedulePeriod"]
    assert period == {"startPeriod": 0, "limit": 10}


@pytest.mark.conformance("TC_019_1_CSMS")
async def test_all_keys_are_asked_for_without_a_key_list() -> None:
    charger = Charger()
    charger.keys["AuthorizationKey"] = (None, False)
    outcome, keys, unknown = await charger.link.get_configuration([])
    assert charger.calls == [("GetConfiguration", {})]
    assert outcome.ok
    assert unknown == []
    assert ConfigurationKey(key="NumberOfConnectors", value="1", readonly=True) in keys
    assert ConfigurationKey(key="AuthorizationKey", value=None, readonly=False) in keys
    assert len(keys) == len(charger.keys)


@pytest.mark.conformance("TC_019_2_CSMS")
async def test_exactly_the_requested_keys_are_asked_for() -> None:
    charger = Charger()
    wish = ["SupportedFeatureProfiles", "NoSuchKey"]
    _, keys, unknown = await charger.link.get_configuration(wish)
    assert charger.calls == [("GetConfiguration", {"key": wish})]
    assert [key.key for key in keys] == ["SupportedFeatureProfiles"]
    assert unknown == ["NoSuchKey"]


@pytest.mark.peer("B-28")
async def test_a_charger_that_always_tells_all_keys_is_understood() -> None:
    charger = Charger()
    charger.answers["GetConfiguration"] = {
        "configurationKey": [
            {"key": "Secret", "readonly": False},
            {"key": "numberofconnectors", "readonly": True, "value": "2"},
            {"key": "NumberOfConnectors", "readonly": True},
        ]
    }
    _, keys, unknown = await charger.link.get_configuration(["NumberOfConnectors"])
    assert [(key.key, key.value) for key in keys] == [("numberofconnectors", "2")]
    assert unknown == []
    assert charger.link.configuration.connectors == 2


@pytest.mark.peer("B-28")
@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"configurationKey": None},
        {"configurationKey": "text", "unknownKey": "text"},
        {"configurationKey": [None, 3, {"value": "x"}, {"key": 5}], "unknownKey": [1]},
    ],
)
async def test_garbage_instead_of_keys_is_no_keys(answer: dict[str, Any]) -> None:
    charger = Charger()
    charger.answers["GetConfiguration"] = answer
    outcome, keys, unknown = await charger.link.get_configuration(["A"])
    assert outcome.ok
    assert keys == []
    assert unknown == ["A"]


async def test_one_garbage_key_does_not_cost_the_others() -> None:
    charger = Charger()
    raw = {
        "configurationKey": [
            {"key": "A", "value": 1},
            {"key": "B", "value": True, "readonly": "true"},
            {"key": "C", "value": {"x": 1}, "readonly": False},
        ]
    }
    charger.answers["GetConfiguration"] = InvalidAnswer("readonly missing", raw)
    outcome, keys, _ = await charger.link.get_configuration([])
    assert outcome.ok
    assert "readonly missing" in outcome.detail
    assert [(key.key, key.value, key.readonly) for key in keys] == [
        ("A", "1", False),
        ("B", "true", True),
        ("C", None, False),
    ]


async def test_a_refused_question_names_no_unknown_keys() -> None:
    charger = Charger()
    charger.answers["GetConfiguration"] = CallTimeout()
    outcome, keys, unknown = await charger.link.get_configuration(["A"])
    assert outcome.status is OutcomeStatus.TIMED_OUT
    assert keys == []
    assert unknown == []


async def test_an_accepted_value_is_known_without_asking_again() -> None:
    charger = Charger()
    await charger.learn()
    await charger.link.set_configuration("MeterValueSampleInterval", "15")
    assert charger.link.configuration.number("MeterValueSampleInterval") == 15
    assert len(charger.calls) == 1


async def test_limits_are_offered_unless_the_charger_clearly_has_none() -> None:
    charger = Charger()
    assert charger.link.kind is LinkKind.OCPP
    before = charger.link.capabilities
    assert Capability.PROFILES in before
    assert Capability.LIMIT not in before
    charger.keys["SupportedFeatureProfiles"] = ("Core", True)
    await charger.learn()
    assert Capability.PROFILES in charger.link.capabilities
    charger.keys.pop("ChargeProfileMaxStackLevel")
    charger.keys.pop("ChargingScheduleAllowedChargingRateUnit")
    await charger.restart_hub()
    await charger.learn()
    smart = {Capability.PHASES, Capability.PROFILES}
    assert charger.link.capabilities == before - smart
