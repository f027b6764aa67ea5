"""Variables of a station: what is followed, how much of it, and what values mean."""

from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.ev_charger_hub.station.variables import (
    MAX_SHOWN,
    MAX_TEMPERATURES,
    DeviceVariable,
    Kind,
    Named,
    Variables,
)


def variable(name: str = "A.B", **more: Any) -> DeviceVariable:
    """Return a variable that can be set."""
    told: dict[str, Any] = {"writable": True, "data_type": "boolean"} | more
    return DeviceVariable(name=name, address=name, **told)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"data_type": "boolean"}, Kind.FLAG),
        ({"data_type": "integer", "maximum": 5.0}, Kind.NUMBER),
        ({"data_type": "decimal", "minimum": 0.0}, Kind.NUMBER),
        ({"data_type": "integer"}, None),
        ({"data_type": "OptionList", "options": ("a",)}, Kind.CHOICE),
        ({"data_type": "OptionList"}, None),
        ({"data_type": "MemberList", "options": ("a",)}, Kind.LIST),
        ({"data_type": "SequenceList", "options": ("a",)}, Kind.LIST),
        ({"data_type": "string", "maximum": 10.0}, None),
        ({"data_type": "dateTime"}, None),
        ({"data_type": None}, None),
        ({"data_type": "boolean", "readable": False}, None),
        ({"data_type": "boolean", "writable": False}, None),
        ({"data_type": "decimal", "writable": False, "unit": "W"}, Kind.READING),
        ({"data_type": "decimal", "writable": False, "unit": "B"}, None),
    ],
)
def test_a_kind_follows_from_type_bounds_and_mutability(
    told: dict[str, Any], kind: Kind | None
) -> None:
    assert variable(**told).kind is kind


@pytest.mark.parametrize(
    "name",
    [
        "SampledDataCtrlr.SignReadings",
        "OCPPCommCtrlr.NetworkConfigurationPriority",
        "ChargingStation.Problem",
        "Connector#1/1.AvailabilityState",
        "SecurityCtrlr.BasicAuthPassword",
    ],
)
def test_what_is_looked_after_elsewhere_is_not_followed(name: str) -> None:
    assert not variable(name).shown


def test_what_has_a_name_of_ours_is_followed_whatever_its_type() -> None:
    one = variable("authctrlr.ENABLED", data_type=None)
    assert one.named is Named.AUTHORIZATION
    assert one.shown


@given(st.lists(st.integers(0, 3 * MAX_SHOWN)))
def test_no_more_are_followed_than_there_may_be(numbers: list[int]) -> None:
    variables = Variables(lambda: None)
    variables.put(variable(f"A{number}.B") for number in numbers)
    variables.put(variable(name) for name in Named)
    first = list(dict.fromkeys(numbers))[:MAX_SHOWN]
    assert [one.name for one in variables] == [
        *(f"A{number}.B" for number in first),
        *Named,
    ]


def test_growth_is_told_once_and_only_of_news() -> None:
    told: list[int] = []
    variables = Variables(lambda: told.append(len(variables)))
    variables.put([variable("A.B"), variable("A.C")])
    variables.put([variable("a.b", value="true")])
    assert told == [2]
    known = variables.get("A.B")
    assert known is not None
    assert known.flag is True


def test_what_is_gone_is_none_and_may_come_back() -> None:
    variables = Variables(lambda: None)
    variables.put([variable("A.B"), variable("A.C")])
    variables.only(["A.C"])
    assert [one.name for one in variables] == ["A.C"]
    variables.put([variable("A.B", value="false")])
    assert [one.name for one in variables] == ["A.B", "A.C"]


@pytest.mark.parametrize(
    ("value", "text", "same"),
    [
        ("60", "60", True),
        ("60.0", "60", True),
        ("TRUE", "true", True),
        (" on ", "on", True),
        ("61", "60", False),
        ("x", "60", False),
        (None, "60", False),
    ],
)
def test_the_same_value_may_be_spelled_otherwise(
    value: str | None, text: str, same: bool
) -> None:
    assert variable(value=value).same(text) is same


@pytest.mark.parametrize(
    ("data_type", "value", "text", "same"),
    [
        ("MemberList", "b, A", "A,B", True),
        ("MemberList", "A,B,C", "A,B", False),
        ("MemberList", "", "", True),
        ("SequenceList", "A, b", "A,B", True),
        ("SequenceList", "B,A", "A,B", False),
        ("string", "B,A", "A,B", False),
    ],
)
def test_a_list_is_the_same_however_its_members_are_told(
    data_type: str, value: str, text: str, same: bool
) -> None:
    assert variable(value=value, data_type=data_type).same(text) is same


def test_what_is_gone_makes_room_for_what_is_new() -> None:
    variables = Variables(lambda: None)
    variables.put(variable(f"Old{number}.B") for number in range(MAX_SHOWN))
    variables.only([])
    variables.put(variable(f"New{number}.B") for number in range(MAX_SHOWN))
    assert len(list(variables)) == MAX_SHOWN
    variables.put([variable("Old0.B")])
    assert variables.get("Old0.B") is None


def test_temperatures_have_a_place_whatever_comes_before_them() -> None:
    variables = Variables(lambda: None)
    told = {"writable": False, "data_type": "decimal", "unit": "Celsius"}
    variables.put(variable(f"A{number}.B") for number in range(MAX_SHOWN))
    variables.put(
        variable(f"T{number}.Temperature", **told)
        for number in range(2 * MAX_TEMPERATURES)
    )
    shown = [one for one in variables if one.measures_temperature]
    assert len(shown) == MAX_TEMPERATURES
