"""Set-up of an OCPP 1.6 charger: each step may fail, none stops the next."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from .outbound import ENERGY, Charger, sampled, set_up, written
from custom_components.ev_charger_hub.ocpp.errors import (
    CallError,
    CallInterrupted,
    CallTimeout,
    ErrorCode,
)
from custom_components.ev_charger_hub.ocpp.stepwise import MAX_DROPS, STEP_TIMEOUT
from custom_components.ev_charger_hub.station.link import Limit
from custom_components.ev_charger_hub.station.model import StationInfo

NOT_IMPLEMENTED = CallError(ErrorCode.NOT_IMPLEMENTED, "NotImplemented", "")


async def test_a_whole_set_up() -> None:
    charger = Charger()
    charger.keys["NumberOfConnectors"] = ("2", True)
    findings = await set_up(charger)
    assert [action for action, _ in charger.calls] == [
        "GetConfiguration",
        "ChangeConfiguration",
        "GetConfiguration",
        "ChangeConfiguration",
        "ChangeConfiguration",
        "TriggerMessage",
        "TriggerMessage",
        "TriggerMessage",
        "TriggerMessage",
    ]
    assert charger.calls[0] == ("GetConfiguration", {})
    assert set(charger.timeouts) == {STEP_TIMEOUT}
    assert written(charger)["MeterValueSampleInterval"] == ["30"]
    assert written(charger)["ClockAlignedDataInterval"] == ["900"]
    assert charger.sent("TriggerMessage") == [
        {"requestedMessage": "StatusNotification", "connectorId": 1},
        {"requestedMessage": "StatusNotification", "connectorId": 2},
        {"requestedMessage": "MeterValues", "connectorId": 1},
        {"requestedMessage": "MeterValues", "connectorId": 2},
    ]
    assert list(charger.station.evses) == [1, 2]
    assert findings == {
        "configuration": "ok: 7 keys",
        "connectors": "ok: 2",
        "features": "ok: Core, SmartCharging, RemoteTrigger",
        "measurands": f"ok: {len(sampled(charger))} of {len(sampled(charger))}",
        "aligned_data": "ok: left alone",
        "intervals": "ok",
        "triggers": "ok",
        "limits": "ok",
        "local_list": "ok: left alone",
    }


@pytest.mark.peer("B-05")
async def test_a_reboot_runs_it_again_and_writes_nothing_that_is_right() -> None:
    charger = Charger()
    await set_up(charger)
    await set_up(charger)
    assert [action for action, _ in charger.calls] == [
        "GetConfiguration",
        "TriggerMessage",
        "TriggerMessage",
    ]
    charger.keys["MeterValueSampleInterval"] = ("60", False)
    charger.keys["MeterValuesSampledData"] = (ENERGY, False)
    await set_up(charger)
    assert charger.keys["MeterValueSampleInterval"] == ("30", False)
    assert len(sampled(charger)) > 10


async def test_a_second_boot_replaces_a_set_up_that_still_runs() -> None:
    charger = Charger()
    charger.setup.start()
    [first] = charger.tasks
    await asyncio.sleep(0)
    charger.setup.start()
    await charger.settle()
    assert first.cancelled()
    assert charger.station.findings["limits"] == "ok"
    assert len(charger.sent("GetConfiguration")) == 3


async def test_quiet_mode_sends_nothing() -> None:
    charger = Charger(quiet=True)
    assert await set_up(charger) == {}
    assert charger.calls == []


@pytest.mark.peer("B-03")
@pytest.mark.parametrize("failure", [CallTimeout(), NOT_IMPLEMENTED])
async def test_an_unanswered_configuration_does_not_stop_the_other_steps(
    failure: Exception,
) -> None:
    charger = Charger()
    charger.answers["GetConfiguration"] = failure
    findings = await set_up(charger)
    unanswered = isinstance(failure, CallTimeout)
    expected = "unanswered" if unanswered else "not_supported"
    assert findings["configuration"] == expected
    assert findings["connectors"] == "unknown"
    assert findings["features"] == "unknown"
    assert findings["triggers"] == "ok"
    assert written(charger)["MeterValueSampleInterval"] == ["30"]
    if unanswered:
        # Each costs ten seconds in which nothing else can be asked.
        assert len(charger.sent("GetConfiguration")) <= 3


async def test_a_charger_that_answers_single_keys_only_is_asked_singly() -> None:
    charger = Charger()

    def single(payload: dict[str, Any]) -> Any:
        if len(payload.get("key", ())) != 1:
            return CallTimeout()
        return charger.get_configuration(payload)

    charger.answers["GetConfiguration"] = single
    findings = await set_up(charger)
    assert findings["configuration"] == "ok: 7 keys"
    assert findings["connectors"] == "ok: 1"


async def test_a_charger_that_leaves_keys_out_of_the_list_is_asked_for_them() -> None:
    charger = Charger()

    def two(payload: dict[str, Any]) -> dict[str, Any]:
        if "key" in payload:
            return charger.get_configuration(payload)
        return charger.get_configuration(
            {"key": ["NumberOfConnectors", "SupportedFeatureProfiles"]}
        )

    charger.answers["GetConfiguration"] = two
    findings = await set_up(charger)
    assert findings["configuration"] == "ok: 7 keys"
    asked = charger.sent("GetConfiguration")[1]["key"]
    assert "MeterValueSampleInterval" in asked
    assert "NumberOfConnectors" not in asked


async def test_what_was_learnt_serves_when_the_charger_stays_silent_once() -> None:
    charger = Charger()
    charger.keys["NumberOfConnectors"] = ("3", True)
    await set_up(charger)
    await charger.restart_hub()
    charger.answers["GetConfiguration"] = CallTimeout()
    findings = await set_up(charger)
    assert findings["configuration"] == "unanswered"
    assert findings["connectors"] == "ok: 3"
    assert written(charger) == {}


async def test_what_was_learnt_is_forgotten_with_another_firmware() -> None:
    charger = Charger()
    await set_up(charger)
    charger.station.info.set(StationInfo(vendor="V", firmware="2.0"))
    charger.answers["GetConfiguration"] = CallTimeout()
    findings = await set_up(charger)
    assert findings["connectors"] == "unknown"


async def test_a_secret_value_is_not_kept() -> None:
    charger = Charger()
    charger.keys["AuthorizationKey"] = ("hunter2hunter2", False)
    await set_up(charger)
    assert "AuthorizationKey" in charger.journal.facts["CP1", "capabilities"]
    assert "hunter2" not in charger.journal.facts["CP1", "capabilities"]


@pytest.mark.parametrize("number", ["0", "65", "-1", "many", "", None])
async def test_a_nonsensical_number_of_connectors_creates_none(
    number: str | None,
) -> None:
    charger = Charger()
    charger.keys["NumberOfConnectors"] = (number, True)
    findings = await set_up(charger)
    assert findings["connectors"] == "unknown"
    assert list(charger.station.evses) == [1]


async def test_an_empty_aligned_list_gets_the_sampled_one() -> None:
    charger = Charger()
    charger.keys["MeterValuesAlignedData"] = ("", False)
    charger.keys["MeterValuesAlignedDataMaxLength"] = ("2", True)
    findings = await set_up(charger)
    assert written(charger)["MeterValuesAlignedData"] == [
        f"{ENERGY},Power.Active.Import"
    ]
    assert findings["aligned_data"] == "changed"


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        ({"status": "Rejected"}, "refused: Rejected"),
        ({"status": "NotSupported"}, "not_supported"),
        (CallTimeout(), "unanswered"),
    ],
)
async def test_a_refused_aligned_list_is_told(answer: Any, finding: str) -> None:
    charger = Charger(measurands=(), meter_interval=None)
    charger.keys["MeterValuesAlignedData"] = ("", False)
    charger.answers["ChangeConfiguration"] = answer
    findings = await set_up(charger)
    assert findings["aligned_data"] == finding


async def test_without_a_clock_interval_aligned_data_is_left_alone() -> None:
    charger = Charger(clock_interval=None, meter_interval=None)
    charger.keys["MeterValuesAlignedData"] = ("", False)
    await set_up(charger)
    assert set(written(charger)) == {"MeterValuesSampledData"}


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (
            {"status": "Rejected"},
            "refused: MeterValueSampleInterval Rejected, ClockAlignedDataInterval Rejected",
        ),
        (CallTimeout(), "unanswered: MeterValueSampleInterval"),
    ],
)
async def test_refused_intervals_are_told(answer: Any, finding: str) -> None:
    charger = Charger(measurands=())
    charger.answers["ChangeConfiguration"] = answer
    assert (await set_up(charger))["intervals"] == finding


async def test_a_charger_without_remote_trigger_is_not_triggered() -> None:
    charger = Charger()
    charger.keys["SupportedFeatureProfiles"] = ("Core", True)
    findings = await set_up(charger)
    assert findings["triggers"] == "not_supported"
    assert charger.sent("TriggerMessage") == []


async def test_a_trigger_that_is_not_implemented_is_remembered() -> None:
    charger = Charger()
    charger.keys["NumberOfConnectors"] = ("2", True)

    def no_meter_values(payload: dict[str, Any]) -> dict[str, Any]:
        known = payload["requestedMessage"] != "MeterValues"
        return {"status": "Accepted" if known else "NotImplemented"}

    charger.answers["TriggerMessage"] = no_meter_values
    findings = await set_up(charger)
    assert findings["triggers"] == "partial: MeterValues NotImplemented"
    assert len(charger.sent("TriggerMessage")) == 3
    await charger.restart_hub()
    findings = await set_up(charger)
    assert findings["triggers"] == "partial: MeterValues not_supported"
    assert len(charger.sent("TriggerMessage")) == 2


async def test_a_rejected_trigger_is_tried_again_at_the_next_boot() -> None:
    charger = Charger()
    charger.answers["TriggerMessage"] = {"status": "Rejected"}
    await set_up(charger)
    await set_up(charger)
    assert len(charger.sent("TriggerMessage")) == 2


async def test_an_unanswered_trigger_ends_the_step() -> None:
    charger = Charger()
    charger.answers["TriggerMessage"] = CallTimeout()
    findings = await set_up(charger)
    assert findings["triggers"] == "unanswered: StatusNotification"
    assert findings["limits"] == "ok"
    assert len(charger.sent("TriggerMessage")) == 1


async def test_a_charger_of_unknown_connectors_is_triggered_as_a_whole() -> None:
    charger = Charger()
    charger.station.evses.clear()
    charger.keys.pop("NumberOfConnectors")
    await set_up(charger)
    assert charger.sent("TriggerMessage")[0] == {
        "requestedMessage": "StatusNotification"
    }


async def test_wanted_limits_hold_again_after_a_reboot() -> None:
    charger = Charger()
    await set_up(charger)
    charger.begin()
    await charger.limit(1, Limit(value=Decimal(10)))
    charger.profiles.clear()
    charger.reboot()
    findings = await set_up(charger)
    [profile] = charger.profiles_sent()
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert findings["limits"] == "ok"


async def test_a_limit_that_is_refused_after_a_reboot_is_told() -> None:
    charger = Charger()
    await charger.limit(0, Limit(value=Decimal(16)))
    charger.profiles.clear()
    charger.answers["SetChargingProfile"] = {"status": "Rejected"}
    findings = await set_up(charger)
    assert findings["limits"].startswith("refused: EVSE 0 rejected")


async def test_a_charger_that_is_gone_ends_the_set_up() -> None:
    charger = Charger()
    charger.online = False
    assert await set_up(charger) == {"configuration": "disconnected"}


async def test_a_step_on_which_the_charger_hangs_up_is_left_out_in_the_end() -> None:
    charger = Charger()
    charger.answers["ChangeConfiguration"] = CallInterrupted()
    for _ in range(MAX_DROPS):
        findings = await set_up(charger)
        assert findings["measurands"] == "disconnected"
        assert "limits" not in findings
    findings = await set_up(charger)
    assert findings["measurands"].startswith("skipped")
    assert findings["intervals"] == "disconnected"


async def test_a_drop_now_and_then_is_forgiven() -> None:
    charger = Charger()
    for _ in range(MAX_DROPS):
        charger.answers["TriggerMessage"] = CallInterrupted()
        assert (await set_up(charger))["triggers"] == "disconnected"
        charger.answers.clear()
        assert (await set_up(charger))["triggers"] == "ok"


async def test_a_step_that_breaks_does_not_stop_the_next(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    charger = Charger()

    async def broken(identity: str, name: str) -> None:
        raise RuntimeError("disk")

    monkeypatch.setattr(charger.journal, "load", broken)
    findings = await set_up(charger)
    assert findings["configuration"] == "failed"
    assert findings["triggers"] == "ok"
    assert "RuntimeError: disk" in caplog.text
