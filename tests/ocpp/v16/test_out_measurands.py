"""Measurands: the longest list a charger takes, found in few tries and kept."""

from typing import Any

import pytest

from .outbound import ENERGY, Charger, sampled, set_up, written
from custom_components.ev_charger_hub.ocpp.errors import (
    CallError,
    CallTimeout,
    ErrorCode,
)
from custom_components.ev_charger_hub.ocpp.measurands import MEASURANDS
from custom_components.ev_charger_hub.station.model import StationInfo

NOT_IMPLEMENTED = CallError(ErrorCode.NOT_IMPLEMENTED, "NotImplemented", "")


def accepting(charger: Charger, *names: str, maximum: int = 99) -> None:
    """Let the charger accept only some measurands."""

    def change(payload: dict[str, Any]) -> dict[str, Any]:
        asked = payload["value"].split(",")
        if payload["key"] == "MeterValuesSampledData" and (
            len(asked) > maximum or (names and not set(asked) <= set(names))
        ):
            return {"status": "Rejected"}
        return charger.change_configuration(payload)

    charger.answers["ChangeConfiguration"] = change


async def test_the_measurands_fit_the_longest_list_the_charger_takes() -> None:
    charger = Charger()
    charger.keys["MeterValuesSampledDataMaxLength"] = ("8", True)
    findings = await set_up(charger)
    assert sampled(charger) == list(MEASURANDS[:8])
    assert findings["measurands"] == "ok: 8 of 8"


@pytest.mark.parametrize("told", ["0", "-3", "lots"])
async def test_a_nonsensical_maximum_is_none(told: str) -> None:
    charger = Charger()
    charger.keys["MeterValuesSampledDataMaxLength"] = (told, True)
    await set_up(charger)
    assert len(sampled(charger)) > 10


async def test_no_value_is_longer_than_the_protocol_allows() -> None:
    charger = Charger()
    await set_up(charger)
    assert len(charger.keys["MeterValuesSampledData"][0] or "") <= 500


async def test_the_largest_accepted_subset_is_found_in_few_tries() -> None:
    charger = Charger()
    good = [ENERGY, "Power.Active.Import", "Current.Import", "Voltage", "SoC"]
    accepting(charger, *good)
    findings = await set_up(charger)
    assert sorted(sampled(charger)) == sorted(good)
    assert len(written(charger)["MeterValuesSampledData"]) <= 30
    assert findings["measurands"].startswith("ok: 5 of")
    await set_up(charger)
    assert written(charger) == {}


async def test_one_bad_name_costs_few_tries() -> None:
    charger = Charger()
    accepting(charger, *(name for name in MEASURANDS if name != "Frequency"))
    await set_up(charger)
    assert "Frequency" not in sampled(charger)
    assert len(written(charger)["MeterValuesSampledData"]) <= 12


async def test_a_secret_maximum_ends_within_the_tries() -> None:
    charger = Charger()
    accepting(charger, maximum=5)
    await set_up(charger)
    assert len(sampled(charger)) == 5
    assert len(written(charger)["MeterValuesSampledData"]) <= 30


async def test_measurands_that_are_all_refused_stay_as_they_were() -> None:
    charger = Charger()
    accepting(charger, "nothing")
    findings = await set_up(charger)
    assert findings["measurands"] == "ok: 1 of 22"
    assert sampled(charger) == [ENERGY]
    await set_up(charger)
    assert "MeterValuesSampledData" not in written(charger)
    assert findings["triggers"] == "ok"


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        ({"status": "NotSupported"}, "refused"),
        (CallTimeout(), "unanswered"),
        (NOT_IMPLEMENTED, "refused"),
    ],
)
async def test_a_hopeless_list_is_tried_once(answer: Any, finding: str) -> None:
    charger = Charger(measurands=("SoC",))
    charger.answers["ChangeConfiguration"] = answer
    findings = await set_up(charger)
    assert findings["measurands"] == finding
    assert len(written(charger)["MeterValuesSampledData"]) == 1


async def test_silence_in_the_middle_ends_the_negotiation() -> None:
    charger = Charger()
    answers: list[Any] = [{"status": "Rejected"}, CallTimeout()]

    def change(payload: dict[str, Any]) -> Any:
        return answers.pop(0) if answers else {"status": "Accepted"}

    charger.answers["ChangeConfiguration"] = change
    findings = await set_up(charger)
    assert findings["measurands"] == "unanswered"


async def test_the_users_choice_is_sent_as_it_is() -> None:
    charger = Charger(measurands=("power_active_import", "Voltage", "SoC"))
    findings = await set_up(charger)
    assert written(charger)["MeterValuesSampledData"] == [
        "Power.Active.Import,Voltage,SoC"
    ]
    assert findings["measurands"] == "ok: 3 of 3"


async def test_a_choice_that_is_refused_in_part_is_told() -> None:
    charger = Charger(measurands=("Voltage", "SoC"))
    accepting(charger, "Voltage")
    findings = await set_up(charger)
    assert sampled(charger) == ["Voltage"]
    assert findings["measurands"] == "partial: SoC"


async def test_a_choice_that_is_refused_is_told_at_every_boot_and_tried_once() -> None:
    charger = Charger(measurands=("Voltage", "SoC"))
    charger.keys.pop("MeterValuesSampledData")
    accepting(charger, "nothing")
    for _ in range(2):
        assert (await set_up(charger))["measurands"] == "refused"
    assert "MeterValuesSampledData" not in written(charger)


async def test_an_empty_choice_leaves_the_list_alone() -> None:
    charger = Charger(measurands=())
    findings = await set_up(charger)
    assert findings["measurands"] == "ok: left alone"
    assert sampled(charger) == [ENERGY]


async def test_the_same_list_in_another_order_is_not_written() -> None:
    charger = Charger(measurands=("Voltage", "SoC"))
    charger.keys["MeterValuesSampledData"] = ("soc, Voltage", False)
    await set_up(charger)
    assert "MeterValuesSampledData" not in written(charger)


@pytest.mark.peer("B-29")
async def test_a_readonly_key_is_not_written() -> None:
    charger = Charger()
    for key in (
        "MeterValuesSampledData",
        "MeterValueSampleInterval",
        "ClockAlignedDataInterval",
    ):
        charger.keys[key] = (charger.keys[key][0], True)
    charger.keys["MeterValuesAlignedData"] = ("", True)
    findings = await set_up(charger)
    assert charger.sent("ChangeConfiguration") == []
    assert findings["measurands"] == f"read_only: {ENERGY}"
    assert findings["aligned_data"] == "read_only"
    assert findings["intervals"] == (
        "refused: MeterValueSampleInterval read_only, ClockAlignedDataInterval read_only"
    )


async def test_a_list_that_is_kept_in_part_is_not_written_at_every_boot() -> None:
    charger = Charger()

    def truncate(payload: dict[str, Any]) -> dict[str, Any]:
        if payload["key"] == "MeterValuesSampledData":
            payload = {**payload, "value": ",".join(payload["value"].split(",")[:4])}
        return charger.change_configuration(payload)

    charger.answers["ChangeConfiguration"] = truncate
    findings = await set_up(charger)
    assert findings["measurands"].startswith("ok: 4 of")
    await set_up(charger)
    assert written(charger) == {}


async def test_a_list_that_needs_a_reboot_is_not_read_back() -> None:
    charger = Charger()
    charger.answers["ChangeConfiguration"] = {"status": "RebootRequired"}
    findings = await set_up(charger)
    assert findings["measurands"].startswith("ok")
    assert len(charger.sent("GetConfiguration")) == 1


async def test_an_abb_terra_is_never_asked_for_its_measurands() -> None:
    charger = Charger()
    charger.station.info.set(StationInfo(vendor="ABB", firmware="v1.8.21"))
    for _ in range(2):
        await set_up(charger)
        for question in charger.sent("GetConfiguration"):
            assert "MeterValuesSampledData" not in question["key"]
    assert len(sampled(charger)) == 10
    assert written(charger) == {}
