"""What stations report of controls for the grid, however odd it is."""

from typing import Any

from hypothesis import given, strategies as st

from custom_components.ev_charger_hub.ocpp.v201.grid_reading import (
    MAX_CONTROLS,
    control_type,
    described,
    read_controls,
    type_word,
)
from custom_components.ev_charger_hub.station.grid import GridControl, GridControlType

WORDS = ("EnterService", "FixedPFAbsorb", "HVMomCess", "LimitMaxDischarge", "WattPF")
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
FIELDS = ("curve", "freqDroop", "fixedPFAbsorb", "gradient", "limitMaxDischarge")


def test_every_kind_has_its_word() -> None:
    assert {control_type(type_word(one)) for one in GridControlType} == {
        *GridControlType
    }
    assert {type_word(one) for one in GridControlType} >= {*WORDS}
    assert control_type("Invented") is None


@given(st.dictionaries(st.sampled_from(FIELDS), JUNK))
def test_nothing_that_a_report_says_is_believed_without_looking(
    payload: dict[str, Any],
) -> None:
    for control in read_controls(payload):
        assert isinstance(control, GridControl)


def test_a_report_is_bounded_in_number_length_and_depth() -> None:
    deep: Any = "x" * 10_000
    for _ in range(50):
        deep = {"a": deep}
    one = {
        "id": "i" * 1000,
        "freqDroop": {"priority": 1, "deep": deep, **{f"n{i}": i for i in range(99)}},
        "isDefault": True,
        "isSuperseded": False,
    }
    controls = read_controls({"freqDroop": [one] * 500})
    assert len(controls) == MAX_CONTROLS
    assert len(controls[0].id) == 36
    assert len(controls[0].parameters) == MAX_CONTROLS
    assert len(str(controls[0].parameters)) < 1000


def test_what_is_said_comes_back_as_it_was() -> None:
    parameters = {
        "priority": 2,
        "y_unit": "pct_max_w",
        "curve_data": [{"x": 1, "y": 2.5}],
        "reactive_power_params": {"v_ref": 230, "autonomous_v_ref_enable": True},
        "voltage_params": {"hv10_min_mean_value": 253},
        "hysteresis": {"hysteresis_high": 1},
    }
    control = GridControl(
        id="c", type=GridControlType.VOLT_WATT, parameters=parameters, default=True
    )
    wire = described(control)
    assert wire["curve"]["reactivePowerParams"]["autonomousVRefEnable"] is True
    told = {"id": "c", "curveType": "VoltWatt", "isDefault": True, **wire}
    (read,) = read_controls({"curve": [told]})
    assert read == control
