"""Validation: tolerant in what is harmless, strict in what would corrupt."""

from contextlib import suppress
import copy
import json
import logging
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.ev_charger_hub.ocpp import validation
from custom_components.ev_charger_hub.ocpp.dialect import STATION_ACTIONS, Dialect
from custom_components.ev_charger_hub.ocpp.errors import ErrorCode
from custom_components.ev_charger_hub.ocpp.validation import Schemas, Violation

V16 = Schemas.load(Dialect.V16)
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
START = {
    "connectorId": 1,
    "idTag": "TAG",
    "meterStart": 100,
    "timestamp": "2026-11-20T10:00:00Z",
}
METER: dict[str, Any] = {
    "connectorId": 1,
    "meterValue": [
        {"timestamp": "2026-11-20T10:00:00Z", "sampledValue": [{"value": "1"}]}
    ],
}


def violation(action: str, payload: Any) -> tuple[ErrorCode, str]:
    with pytest.raises(Violation) as caught:
        V16.request(action, payload)
    return caught.value.code, caught.value.where


@pytest.mark.parametrize("dialect", Dialect)
def test_loading_again_gives_the_same_schemas(dialect: Dialect) -> None:
    assert Schemas.load(dialect) is Schemas.load(dialect)


def test_1_6_knows_all_its_actions_with_the_security_extension() -> None:
    assert len(V16.actions) == 39
    assert {"SignCertificate", "GetLog", "ExtendedTriggerMessage"} <= V16.actions


def test_a_good_payload_is_returned_as_it_is() -> None:
    assert V16.request("MeterValues", METER) is METER


@pytest.mark.conformance("RPC_15")
@pytest.mark.parametrize("payload", [None, [], {}])
def test_a_payload_of_nothing_is_an_empty_object(payload: Any) -> None:
    assert V16.request("Heartbeat", payload) == {}


@pytest.mark.conformance("RPC_16")
def test_unknown_fields_are_kept() -> None:
    payload = STATUS | {"vendorThing": {"a": [None]}, "customData": {"vendorId": "x"}}
    assert V16.request("StatusNotification", payload) == payload


@pytest.mark.parametrize(
    ("field", "value", "cleaned"),
    [
        ("connectorId", "1", 1),
        ("connectorId", " 2 ", 2),
        ("connectorId", 20000.0, 20000),
        ("connectorId", "20000.0", 20000),
        ("connectorId", -16, -16),
        ("connectorId", 2**63 - 1, 2**63 - 1),
        ("errorCode", 7, "7"),
        ("errorCode", 1.5, "1.5"),
        ("errorCode", True, "true"),
        ("status", "Charging2", "Charging2"),
        ("info", "x" * 5000, "x" * 5000),
        ("info", "", ""),
        ("status", "", ""),
        ("timestamp", "when the sun rose", "when the sun rose"),
    ],
)
def test_harmless_deviations_are_put_right_or_kept(
    field: str, value: Any, cleaned: Any
) -> None:
    payload = STATUS | {field: value}
    before = copy.deepcopy(payload)
    checked = V16.request("StatusNotification", payload)
    assert checked[field] == cleaned
    assert type(checked[field]) is type(cleaned)
    assert payload == before


@pytest.mark.parametrize(
    ("field", "value"), [("info", None), ("timestamp", ""), ("timestamp", None)]
)
def test_null_and_empty_options_are_absent(field: str, value: Any) -> None:
    assert V16.request("StatusNotification", STATUS | {field: value}) == STATUS


def test_empty_lists_and_objects_are_absent_where_optional() -> None:
    stop = {"meterStop": 5, "timestamp": "2026-11-20T10:00:00Z", "transactionId": 1}
    assert V16.request("StopTransaction", stop | {"transactionData": []}) == stop
    answer = V16.response("StopTransaction", {"idTagInfo": {}})
    assert answer == {}


def test_an_empty_list_that_is_required_tells_nothing_and_harms_nothing() -> None:
    payload = {"connectorId": 1, "meterValue": []}
    assert V16.request("MeterValues", payload) == payload


@pytest.mark.parametrize(("word", "truth"), [("true", True), ("False", False)])
def test_words_of_truth(word: str, truth: bool) -> None:
    answer = {"configurationKey": [{"key": "K", "readonly": word, "value": ""}]}
    checked = V16.response("GetConfiguration", answer)
    assert checked["configurationKey"] == [{"key": "K", "readonly": truth, "value": ""}]


@pytest.mark.parametrize(
    ("limit", "cleaned"),
    [("16.5", 16.5), (16, 16), ("16", 16), (1e3, 1e3), ("1e3", 1e3)],
)
def test_numbers_come_in_any_dress(limit: Any, cleaned: float) -> None:
    period = {"startPeriod": 0, "limit": limit}
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    answer = {"status": "Accepted", "chargingSchedule": schedule}
    checked = V16.response("GetCompositeSchedule", answer)
    periods = checked["chargingSchedule"]["chargingSchedulePeriod"]
    assert periods == [{"startPeriod": 0, "limit": cleaned}]


@pytest.mark.conformance("RPC_11")
@pytest.mark.parametrize("missing", sorted(START))
@pytest.mark.parametrize("how", ["absent", "null"])
def test_a_missing_required_field_is_an_occurrence_violation(
    missing: str, how: str
) -> None:
    payload = {key: value for key, value in START.items() if key != missing}
    if how == "null":
        payload[missing] = None
    assert violation("StartTransaction", payload) == (ErrorCode.OCCURRENCE, missing)


@pytest.mark.conformance("RPC_11")
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("connectorId", "one", ErrorCode.TYPE),
        ("connectorId", "1_0", ErrorCode.TYPE),
        ("connectorId", "٣", ErrorCode.TYPE),
        ("connectorId", "9" * 5000, ErrorCode.TYPE),
        ("connectorId", 1.5, ErrorCode.TYPE),
        ("connectorId", True, ErrorCode.TYPE),
        ("connectorId", [1], ErrorCode.TYPE),
        ("connectorId", 1e30, ErrorCode.PROPERTY),
        ("connectorId", 2**63, ErrorCode.PROPERTY),
        ("idTag", {"idToken": "x"}, ErrorCode.TYPE),
        ("idTag", [], ErrorCode.TYPE),
    ],
)
def test_wrong_values_that_would_corrupt_are_refused(
    field: str, value: Any, code: ErrorCode
) -> None:
    assert violation("StartTransaction", START | {field: value}) == (code, field)


def test_a_truth_value_that_is_none_is_refused() -> None:
    answer = {"configurationKey": [{"key": "K", "readonly": "perhaps"}]}
    with pytest.raises(Violation) as caught:
        V16.response("GetConfiguration", answer)
    assert caught.value.where == "configurationKey[0].readonly"


def test_the_place_of_a_violation_is_named() -> None:
    payload = copy.deepcopy(METER)
    payload["meterValue"][0]["sampledValue"].append({"unit": "A"})
    assert violation("MeterValues", payload) == (
        ErrorCode.OCCURRENCE,
        "meterValue[0].sampledValue[1].value",
    )
    payload["meterValue"] = [{"timestamp": "", "sampledValue": "none"}]
    where = "meterValue[0].sampledValue"
    assert violation("MeterValues", payload) == (ErrorCode.TYPE, where)
    payload["meterValue"] = [7]
    assert violation("MeterValues", payload) == (ErrorCode.TYPE, "meterValue[0]")


def test_a_number_within_a_list_of_texts_becomes_text() -> None:
    answer = {"unknownKey": ["a", 5, 6]}
    assert V16.response("GetConfiguration", answer) == {"unknownKey": ["a", "5", "6"]}


def test_a_list_is_bounded() -> None:
    payload = {"connectorId": 1, "meterValue": [{}] * (validation.MAX_ITEMS + 1)}
    assert violation("MeterValues", payload) == (ErrorCode.OCCURRENCE, "meterValue")


@pytest.mark.conformance("RPC_11")
@pytest.mark.parametrize("payload", ["text", 5, True, ["x"], 0, ""])
def test_a_payload_that_is_no_object_is_a_formation_violation(payload: Any) -> None:
    assert violation("Heartbeat", payload) == (ErrorCode.FORMAT_VIOLATION, "")


def test_an_unknown_action_has_no_request() -> None:
    assert violation("CustomOperation", {}) == (ErrorCode.NOT_IMPLEMENTED, "")


def test_the_answer_to_an_unknown_action_is_taken_as_it_is() -> None:
    answer = {"b": 1, "a": None}
    assert V16.response("CustomOperation", answer) == answer


@pytest.mark.parametrize("dialect", [Dialect.V201, Dialect.V21])
def test_2_x_schemas_with_references_work(dialect: Dialect) -> None:
    schemas = Schemas.load(dialect)
    payload = {
        "connectorStatus": "Available",
        "timestamp": "2026-11-20T10:00:00Z",
        "evseId": "1",
        "connectorId": 1.0,
        "customData": {"vendorId": "V", "more": [1]},
    }
    checked = schemas.request("StatusNotification", payload)
    assert checked == payload | {"evseId": 1, "connectorId": 1}
    answer = schemas.response("Reset", {"status": "Accepted", "statusInfo": None})
    assert answer == {"status": "Accepted"}
    data = {"vendorId": "V", "data": [1, {"a": None}]}
    assert schemas.request("DataTransfer", data) == data


def test_requests_are_ordered_as_the_schema_is() -> None:
    profile = {
        "chargingSchedule": {
            "vendor": 1,
            "chargingSchedulePeriod": [
                {"limit": 6, "numberPhases": None, "startPeriod": 0}
            ],
            "chargingRateUnit": "A",
        },
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "validFrom": None,
        "chargingProfileId": 1,
    }
    ordered = V16.ordered(
        "SetChargingProfile",
        {"x": None, "csChargingProfiles": profile, "connectorId": 1},
    )
    assert json.dumps(ordered, separators=(",", ":")) == (
        '{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,'
        '"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Absolute",'
        '"chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":'
        '[{"startPeriod":0,"limit":6}],"vendor":1}},"x":null}'
    )


def test_a_raw_request_is_ordered_whatever_it_holds() -> None:
    odd = {"csChargingProfiles": "none", "connectorId": None}
    assert V16.ordered("SetChargingProfile", odd) == odd
    assert V16.ordered("GetConfiguration", {"key": "all"}) == {"key": "all"}
    assert V16.ordered("Vendor", {"b": None}) == {"b": None}


def test_an_oddity_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    validation._note.cache_clear()
    caplog.set_level(logging.DEBUG)
    for _ in range(2):
        V16.request(
            "StatusNotification", STATUS | {"connectorId": "1", "odd": "s3cret"}
        )
    assert [record.getMessage() for record in caplog.records] == [
        "Tolerated: StatusNotification.connectorId comes as str",
        "Tolerated: StatusNotification has unknown fields",
    ]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["1", "1.0", "true", "2026-11-20T10:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*START, *METER, "timestamp", "sampledValue", "value"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(st.sampled_from(sorted(STATION_ACTIONS[Dialect.V16])), JSON)
def test_any_json_is_cleaned_or_refused(action: str, payload: Any) -> None:
    before = copy.deepcopy(payload)
    with suppress(Violation):
        checked = V16.request(action, payload)
        assert V16.request(action, checked) == checked
    assert payload == before
