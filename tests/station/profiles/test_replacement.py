"""Which charging profile takes the place of which."""

from typing import Any

import pytest

from .make import after, installed, profile
from custom_components.ev_charger_hub.station.profiles.model import Installed, Purpose
from custom_components.ev_charger_hub.station.profiles.replacement import (
    Dialect,
    newest,
    overlapping,
    replaces,
)

TX: dict[str, Any] = {"purpose": Purpose.TX}
EXTERNAL: dict[str, Any] = {"purpose": Purpose.EXTERNAL}
DEFAULT = installed(id=1, stack_level=3)

# The new profile, and what it replaces in OCPP 1.6 and in 2.x.
REPLACES: list[tuple[Installed, Installed, bool, bool]] = [
    (installed(id=1, evse_id=0, **TX), DEFAULT, True, True),
    (installed(id=2, stack_level=3), DEFAULT, True, False),
    (installed(id=2, stack_level=3, valid_from=after(60)), DEFAULT, True, False),
    (installed(id=2, stack_level=4), DEFAULT, False, False),
    (installed(id=2, stack_level=3, evse_id=2), DEFAULT, False, False),
    (installed(id=2, stack_level=3, **TX), DEFAULT, False, False),
    (
        installed(id=2, transaction_id="7", **TX),
        installed(transaction_id="7", **TX),
        True,
        False,
    ),
    (
        installed(id=2, transaction_id="7", **TX),
        installed(transaction_id="6", **TX),
        False,
        False,
    ),
    (installed(id=2, transaction_id="7", **TX), installed(**TX), True, False),
    (installed(id=1), installed(id=1, **EXTERNAL), False, False),
    (installed(id=1, **EXTERNAL), installed(id=1), False, False),
    (installed(id=1, **EXTERNAL), installed(id=1, **EXTERNAL), True, True),
]


@pytest.mark.parametrize(("new", "old", "in_16", "in_2x"), REPLACES)
def test_a_profile_replaces_by_id_and_in_ocpp_16_by_place(
    new: Installed, old: Installed, in_16: bool, in_2x: bool
) -> None:
    told: dict[Dialect, bool] = {
        dialect: replaces(new, old, dialect) for dialect in ("1.6", "2.0.1", "2.1")
    }
    assert told == {"1.6": in_16, "2.0.1": in_2x, "2.1": in_2x}


def test_without_a_dialect_only_what_is_valid_together_is_replaced() -> None:
    early, late = (
        installed(id=1, valid_to=after(60)),
        installed(id=2, valid_from=after(60)),
    )
    assert replaces(late, early, "1.6")
    assert not replaces(late, early)
    assert replaces(installed(id=2), early)


def test_validity_excludes_its_end() -> None:
    early, late = profile(valid_to=after(60)), profile(valid_from=after(60))
    assert not overlapping(early, late)
    assert not overlapping(late, early)
    assert overlapping(early, profile(valid_from=after(59)))
    assert overlapping(early, profile())
    assert overlapping(late, profile(valid_from=after(90)))


def test_the_newest_come_first_and_the_replaced_not_at_all() -> None:
    old, other, new = (
        installed(id=1, set_at=after(1)),
        installed(id=2, set_at=after(2), stack_level=1),
        installed(id=3, set_at=after(3)),
    )
    assert newest([other, new, old]) == [new, other]
    assert newest([]) == []
