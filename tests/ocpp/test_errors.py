"""Error codes: their spelling by version, and reading any of them."""

import pytest

from custom_components.ev_charger_hub.ocpp.dialect import (
    NEWEST_FIRST,
    STATION_ACTIONS,
    Dialect,
)
from custom_components.ev_charger_hub.ocpp.errors import (
    CallError,
    ErrorCode,
    RpcError,
    parse,
    spelled,
)
from custom_components.ev_charger_hub.ocpp.validation import Schemas

OFFICIAL_V16 = {
    "NotImplemented",
    "NotSupported",
    "InternalError",
    "ProtocolError",
    "SecurityError",
    "FormationViolation",
    "PropertyConstraintViolation",
    "OccurenceConstraintViolation",
    "TypeConstraintViolation",
    "GenericError",
}


@pytest.mark.conformance("RPC_11")
def test_1_6_spells_exactly_its_official_codes() -> None:
    assert {spelled(code, Dialect.V16) for code in ErrorCode} == OFFICIAL_V16


@pytest.mark.conformance("RPC_12")
@pytest.mark.parametrize("dialect", [Dialect.V201, Dialect.V21])
def test_2_x_spells_codes_right(dialect: Dialect) -> None:
    spellings = {spelled(code, dialect) for code in ErrorCode}
    assert {"FormatViolation", "OccurrenceConstraintViolation"} <= spellings
    assert {"RpcFrameworkError", "MessageTypeNotSupported"} <= spellings
    assert not spellings & {"FormationViolation", "OccurenceConstraintViolation"}


@pytest.mark.conformance("RPC_13")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FormationViolation", ErrorCode.FORMAT_VIOLATION),
        ("FormatViolation", ErrorCode.FORMAT_VIOLATION),
        ("OccurenceConstraintViolation", ErrorCode.OCCURRENCE),
        ("OccurrenceConstraintViolation", ErrorCode.OCCURRENCE),
        ("notimplemented", ErrorCode.NOT_IMPLEMENTED),
        (" NotSupported ", ErrorCode.NOT_SUPPORTED),
        ("Whatever", ErrorCode.GENERIC),
        ("", ErrorCode.GENERIC),
        (None, ErrorCode.GENERIC),
        (404, ErrorCode.GENERIC),
        (["NotSupported"], ErrorCode.GENERIC),
    ],
)
def test_every_spelling_is_read(text: object, code: ErrorCode) -> None:
    assert parse(text) is code


@pytest.mark.conformance("RPC_13")
@pytest.mark.parametrize("dialect", Dialect)
def test_what_we_spell_we_read(dialect: Dialect) -> None:
    for code in set(ErrorCode) - {
        ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED,
        ErrorCode.RPC_FRAMEWORK,
    }:
        assert parse(spelled(code, dialect)) is code


@pytest.mark.conformance("RPC_14")
def test_a_description_is_cut() -> None:
    assert len(RpcError(ErrorCode.GENERIC, "x" * 1000).description) == 255


def test_a_call_error_reads_well() -> None:
    assert str(CallError(ErrorCode.GENERIC, "", "")) == "GenericError"
    assert str(CallError(ErrorCode.GENERIC, "Odd", "went wrong")) == "Odd: went wrong"


def test_versions_and_their_order() -> None:
    assert [dialect.version for dialect in NEWEST_FIRST] == ["2.1", "2.0.1", "1.6"]


@pytest.mark.parametrize(
    ("dialect", "count"), [(Dialect.V16, 14), (Dialect.V201, 25), (Dialect.V21, 37)]
)
def test_every_station_action_has_a_schema(dialect: Dialect, count: int) -> None:
    actions = STATION_ACTIONS[dialect]
    assert len(actions) == count
    assert actions <= Schemas.load(dialect).actions
