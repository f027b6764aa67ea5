"""What the numbers mean that Easee products report."""

import pytest

from custom_components.ev_charger_hub.easee.enums import (
    GridType,
    LedMode,
    NoCurrentReason,
    Numbered,
    OpMode,
    OutputPhase,
    PhaseMode,
    Pilot,
    RebootReason,
)

TABLES = Numbered.__subclasses__()


@pytest.mark.parametrize(
    ("table", "value", "name"),
    [
        (OpMode, 3, "charging"),
        (OpMode, 3.0, "charging"),
        (NoCurrentReason, 52, "charger_dynamic_too_low"),
        (LedMode, 1, "updating"),
        (LedMode, 15, "updating"),
        (LedMode, 44, "self_test"),
        (GridType, -1, "unknown"),
        (PhaseMode, 0, None),
        (OpMode, 99, None),
        (OpMode, "3", None),
        (OpMode, None, None),
        (OutputPhase, 3.5, None),
    ],
)
def test_number_has_its_name(
    table: type[Numbered], value: float | str | None, name: str | None
) -> None:
    """A number that has no name, and what is no number, is None."""
    assert table.of(value) == name


@pytest.mark.parametrize("table", TABLES)
def test_every_number_leads_back_to_its_name(table: type[Numbered]) -> None:
    """No number has two names, no name is without one."""
    for one in table:
        assert one.numbers
        if table is not RebootReason:
            assert all(table.of(number) is one for number in one.numbers)


@pytest.mark.parametrize(
    ("mask", "reasons"),
    [
        (0, ()),
        (1 << 2, ("pin",)),
        (1 << 20 | 1 << 4 | 1 << 2, ("commanded", "software", "pin")),
        (1 << 5 | 1 << 2, ("independent_watchdog", "pin")),
        (1 << 30, ()),
        (None, ()),
    ],
)
def test_reasons_of_a_reboot_are_bits(
    mask: int | None, reasons: tuple[str, ...]
) -> None:
    """Several may be set at once: the one that tells most is the reason."""
    assert RebootReason.all_of(mask) == reasons
    assert RebootReason.of(mask) == next(iter(reasons), None)


@pytest.mark.parametrize(
    ("letter", "name"),
    [
        ("A", "disconnected"),
        ("C", "charging"),
        ("E", "no_pilot"),
        ("F", "fault"),
        ("G", None),
        (1, None),
        (None, None),
    ],
)
def test_pilot_is_a_letter(letter: str | int | None, name: str | None) -> None:
    """IEC 61851 has six states."""
    assert Pilot.of(letter) == name


@pytest.mark.parametrize(
    ("number", "phases"), [(0, 0), (10, 1), (15, 1), (20, 2), (22, 2), (30, 3)]
)
def test_output_phase_tells_how_many(number: int, phases: int) -> None:
    """The tens of the number are the number of phases."""
    found = OutputPhase.of(number)
    assert found is not None
    assert found.phases == phases
