"""Reading values: by the type on the wire, whatever the sources say of a number."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given, strategies as st
import orjson
import pytest

from custom_components.ev_charger_hub.easee.reading_values import (
    DataType,
    Unreadable,
    is_known,
    observation_of_state,
    observation_of_update,
)
from custom_components.ev_charger_hub.easee.readings import Observation, Value
from custom_components.ev_charger_hub.easee.responses import response_of
from simulators.easee_cloud.observations import Observation as Observed

SERIAL = "EH123456"
NOW = datetime(2026, 10, 1, 6, tzinfo=UTC)
STAMP = "2026-10-01T05:59:00.1234567Z"
AT = datetime(2026, 10, 1, 5, 59, 0, 123456, UTC)

BINARY, BOOLEAN, DOUBLE, INTEGER, POSITION, STRING, STATISTICS = DataType


def update(kind: Any, value: Any, **others: Any) -> dict[str, Any]:
    """Return the argument of a ProductUpdate."""
    return {
        "mid": SERIAL,
        "dataType": kind,
        "id": 40,
        "timestamp": STAMP,
        "value": value,
        **others,
    }


@pytest.mark.parametrize(
    ("kind", "value", "meaning"),
    [
        (BINARY, "AQID", "AQID"),
        (BOOLEAN, "1", True),
        (BOOLEAN, "0", False),
        (BOOLEAN, "true", True),
        (BOOLEAN, "False", False),
        (BOOLEAN, "on", True),
        (BOOLEAN, "off", False),
        (BOOLEAN, " YES ", True),
        (BOOLEAN, "no", False),
        (BOOLEAN, True, True),
        (BOOLEAN, 0, False),
        (DOUBLE, "7.2", 7.2),
        (DOUBLE, "-1", -1.0),
        (DOUBLE, "1e-3", 0.001),
        (DOUBLE, 7, 7.0),
        (DOUBLE, False, 0.0),
        (INTEGER, "344", 344),
        (INTEGER, "-90", -90),
        (INTEGER, "3.0", 3),
        (INTEGER, 3.0, 3),
        (INTEGER, 638575365195311640, 638575365195311640),
        (INTEGER, "638575365195311640", 638575365195311640),
        (INTEGER, True, 1),
        (POSITION, "59.9;10.7", "59.9;10.7"),
        (STRING, "", ""),
        (STRING, "0123", "0123"),
        (STRING, {"Id": 1}, '{"Id":1}'),
        (STRING, 12, "12"),
        (STATISTICS, "[1,2]", "[1,2]"),
        (None, "a", "a"),
        (None, 1.5, 1.5),
        (None, True, True),
    ],
)
def test_a_value_is_what_its_type_says(kind: Any, value: Any, meaning: Value) -> None:
    expected = Observation(serial=SERIAL, id=40, value=meaning, at=AT)
    seen = observation_of_update(update(kind, value), NOW)
    assert seen == expected
    assert type(seen.value) is type(meaning)
    assert observation_of_state(SERIAL, update(kind, value)) == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (BOOLEAN, "maybe"),
        (BOOLEAN, "2"),
        (BOOLEAN, 1.0),
        (BOOLEAN, ""),
        (DOUBLE, ""),
        (DOUBLE, "nan"),
        (DOUBLE, "-inf"),
        (DOUBLE, "1e999"),
        (DOUBLE, "7,2"),
        (DOUBLE, "9" * 41),
        (DOUBLE, 10**400),
        (DOUBLE, []),
        (INTEGER, "1.5"),
        (INTEGER, "9" * 5000),
        (INTEGER, float("inf")),
        (INTEGER, "one"),
        (STRING, None),
        (9, "x"),
        (0, "1"),
        ("3", "1"),
        ([], "1"),
        (None, []),
        (None, float("nan")),
    ],
)
def test_a_value_that_its_type_does_not_allow_is_none(kind: Any, value: Any) -> None:
    with pytest.raises(Unreadable) as caught:
        observation_of_update(update(kind, value), NOW)
    assert len(str(caught.value)) < 80
    assert SERIAL not in str(caught.value)
    assert observation_of_state(SERIAL, update(kind, value)) is None


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "text",
        {},
        update(STRING, "x", mid=""),
        update(STRING, "x", mid=7),
        update(STRING, "x", id="40"),
        update(STRING, "x", id=True),
        update(STRING, "x", id=None),
        update(STRING, "x", id=-1),
        update(STRING, "x", id=2**63),
        update(STRING, "x", timestamp=None),
        update(STRING, "x", timestamp=1759298400),
        update(STRING, "x", timestamp="yesterday"),
        update(STRING, "x", timestamp="9999-12-31T23:59:59-10:00"),
    ],
)
def test_what_is_no_observation(payload: Any) -> None:
    with pytest.raises(Unreadable):
        observation_of_update(payload, NOW)


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("2026-10-01T05:59:00Z", AT.replace(microsecond=0)),
        ("2026-10-01T05:59:00.1Z", AT.replace(microsecond=100_000)),
        ("2026-10-01T05:59:00.123456", AT),
        ("2026-10-01T07:59:00.1234569+02:00", AT),
        ("2026-10-01T06:05:00Z", NOW + timedelta(minutes=5)),
        ("2026-10-01T06:05:01Z", NOW),
        ("9999-12-31T23:59:59Z", NOW),
        ("0001-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_the_moment_is_the_product_s_own(stamp: str, at: datetime) -> None:
    payload = update(STRING, "x", timestamp=stamp)
    assert observation_of_update(payload, NOW).at == at


def test_the_stream_and_the_state_api_say_the_same() -> None:
    for kind, value in ((BOOLEAN, True), (DOUBLE, 7.25), (INTEGER, 3), (STRING, "{}")):
        known = Observed(id=31, data_type=kind, value=value, at=NOW)
        told = observation_of_update(known.update(SERIAL), NOW)
        assert told == observation_of_state(SERIAL, known.state(), NOW)
        assert told.value == value


@pytest.mark.parametrize(("number", "known"), [(31, True), (115, True), (234, False)])
def test_known_numbers(number: int, known: bool) -> None:
    assert is_known(number) is known


def test_a_command_response() -> None:
    told = response_of(
        {
            "serialNumber": SERIAL,
            "id": 48,
            "timestamp": STAMP,
            "deliveredAt": STAMP,
            "wasAccepted": True,
            "resultCode": 3,
            "comment": "",
            "ticks": 638575365195311640,
        },
        NOW,
    )
    assert (told.serial, told.id, told.ticks) == (SERIAL, 48, 638575365195311640)
    assert (told.accepted, told.result, told.comment, told.at) == (True, 3, "", AT)


@pytest.mark.parametrize(
    ("payload", "accepted"),
    [
        ({"resultCode": 3}, True),
        ({"resultCode": 4}, False),
        ({"resultCode": 3, "wasAccepted": False}, False),
        ({"resultCode": "3", "comment": 7, "id": "48", "ticks": 1.5}, False),
    ],
)
def test_a_command_response_may_lack_anything_but_whose_it_is(
    payload: dict[str, Any], accepted: bool
) -> None:
    told = response_of({"serialNumber": SERIAL, **payload}, NOW)
    assert told.accepted is accepted
    assert (told.id, told.ticks, told.comment, told.at) == (None, None, "", NOW)


@pytest.mark.parametrize("payload", [None, [], {}, {"serialNumber": 1}])
def test_a_command_response_of_nobody(payload: Any) -> None:
    with pytest.raises(Unreadable):
        response_of(payload, NOW)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from([STAMP, SERIAL, "1", "true", "7.2"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("mid", "dataType", "id", "timestamp", "value", "serialNumber"), JSON
        )
        | {"dataType": JSON | st.integers(min_value=0, max_value=9), "ticks": JSON},
    )
    | JSON
)
@example({"mid": SERIAL, "id": 1, "value": "\ud800", "timestamp": STAMP})
def test_nothing_that_json_can_say_does_harm(payload: Any) -> None:
    with suppress(Unreadable):
        seen = observation_of_update(payload, NOW)
        assert seen.at <= NOW + timedelta(minutes=5)
        assert isinstance(seen.value, bool | int | float | str)
    observation_of_state(SERIAL, payload, NOW)
    with suppress(Unreadable):
        assert response_of(payload, NOW).at.tzinfo is not None


def test_ticks_survive_the_wire() -> None:
    ticks = 638575365195311640
    read = orjson.loads(f'{{"serialNumber":"{SERIAL}","ticks":{ticks}}}')
    assert response_of(read, NOW).ticks == ticks
