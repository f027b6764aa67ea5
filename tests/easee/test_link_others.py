"""Others who change the limit: seen, answered, and not fought for ever."""

from decimal import Decimal

import pytest

from .garage import Garage, ampere
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.enums import LimitedBy, Measurand
from custom_components.ev_charger_hub.station.model import MeasurementKey
from custom_components.ev_charger_hub.station.settings import StationSettings
from simulators.easee_cloud import Vehicle

FALLING_BACK = StationSettings(name="Garage", fallback_current=8)


async def charging(garage: Garage) -> None:
    """Plug a car in, let it charge, and forget what that took."""
    garage.charger.plug_in(Vehicle(maximum_current=32))
    await garage.pass_time(70)
    garage.forget()


def change(garage: Garage, amps: float) -> None:
    """Let another system change the limit."""
    garage.cloud.rogue(garage.charger.serial, dynamicChargerCurrent=amps)


async def test_a_limit_that_another_system_raises_is_restored(garage: Garage) -> None:
    await charging(garage)
    await garage.want(10)
    change(garage, 25.0)
    await garage.pass_time(10)
    assert garage.dynamic == 10
    assert garage.shown() == (10, LimitedBy.OUR_LIMIT)


async def test_without_a_wish_what_others_set_is_shown_and_left_alone(
    garage: Garage,
) -> None:
    await charging(garage)
    change(garage, 9.0)
    await garage.pass_time(200)
    assert garage.sent == []
    assert garage.shown() == (9, LimitedBy.EXTERNAL)


async def test_who_goes_on_raising_the_limit_is_not_fought_for_long(
    garage: Garage,
) -> None:
    await charging(garage)
    await garage.want(10)
    garage.forget()
    for _ in range(10):
        change(garage, 25.0)
        await garage.pass_time(30)
    assert garage.sent == [10, 10, 10]
    assert garage.dynamic == 25
    await garage.pass_time(60)
    assert garage.ignored()
    assert garage.shown() == (25, LimitedBy.EXTERNAL)
    assert "25" in garage.station.findings["contested"]


async def test_even_a_patient_opponent_is_not_fought_for_ever(garage: Garage) -> None:
    await charging(garage)
    await garage.want(10)
    garage.forget()
    for _ in range(20):
        change(garage, 25.0)
        await garage.pass_time(500)
    assert len(garage.sent) <= 8


async def test_what_is_wanted_anew_is_sent_and_seen(garage: Garage) -> None:
    await charging(garage)
    await garage.want(10)
    for _ in range(4):
        change(garage, 25.0)
        await garage.pass_time(30)
    await garage.pass_time(60)
    assert garage.ignored()
    await garage.want(12)
    await garage.pass_time(5)
    assert garage.dynamic == 12
    assert not garage.ignored()


async def test_once_the_opponent_is_gone_the_limit_holds_again(garage: Garage) -> None:
    await charging(garage)
    await garage.want(10)
    for _ in range(4):
        change(garage, 25.0)
        await garage.pass_time(30)
    assert garage.dynamic == 25
    await garage.pass_time(1200)
    assert garage.dynamic == 10
    assert not garage.ignored()
    assert "contested" not in garage.station.findings


async def test_a_lower_limit_of_others_is_not_called_ignored(garage: Garage) -> None:
    await charging(garage)
    await garage.want(16)
    for _ in range(4):
        change(garage, 8.0)
        await garage.pass_time(30)
    await garage.pass_time(100)
    assert garage.shown() == (8, LimitedBy.EXTERNAL)
    assert not garage.ignored()


async def test_a_pause_of_the_app_is_left_alone(garage: Garage) -> None:
    await charging(garage)
    await garage.want(16)
    garage.forget()
    change(garage, 0.0)
    await garage.pass_time(300)
    assert garage.sent == []
    assert garage.shown() == (0, LimitedBy.EXTERNAL)
    assert not garage.ignored()


async def test_after_a_pause_of_the_app_our_limit_holds(garage: Garage) -> None:
    await charging(garage)
    await garage.want(16)
    change(garage, 0.0)
    await garage.pass_time(300)
    change(garage, 32.0)
    await garage.pass_time(10)
    assert garage.dynamic == 16


async def test_a_pause_of_the_app_outlives_a_restart(garage: Garage) -> None:
    await charging(garage)
    await garage.want(16)
    change(garage, 0.0)
    await garage.pass_time(30)
    await garage.restart()
    await garage.pass_time(300)
    assert garage.sent == []
    assert garage.dynamic == 0


async def test_a_newer_limit_ends_a_pause_of_the_app(garage: Garage) -> None:
    await charging(garage)
    await garage.want(16)
    change(garage, 0.0)
    await garage.pass_time(30)
    await garage.want(10)
    await garage.pass_time(5)
    assert garage.dynamic == 10
    assert garage.charger.power > 0


async def test_a_pause_of_ours_that_the_app_ends_is_restored(garage: Garage) -> None:
    await charging(garage)
    await garage.done(limits.pause(garage.station, 1))
    change(garage, 32.0)
    await garage.pass_time(10)
    assert garage.dynamic == 0
    for _ in range(3):
        change(garage, 32.0)
        await garage.pass_time(30)
    assert garage.charger.power > 0
    await garage.pass_time(100)
    assert garage.ignored()


async def test_our_own_changes_are_nobody_elses(garage: Garage) -> None:
    await charging(garage)
    for amps in (16, 0, 10, 6, 32, 8):
        await garage.want(amps)
        await garage.pass_time(80)
    assert "contested" not in garage.station.findings
    amounts = [one for one in garage.sent if not isinstance(one, str)]
    assert len(amounts) == len(garage.sent) - 2
    assert not garage.ignored()


async def test_a_limit_without_effect_is_seen_as_such(garage: Garage) -> None:
    await charging(garage)
    garage.charger.set_dynamic = lambda amps, minutes=0: None  # type: ignore[method-assign]
    outcome = await garage.done(limits.request(garage.station, 1, ampere(10)), 40)
    assert outcome.status == "accepted"
    await garage.pass_time(120)
    assert garage.ignored()
    await garage.pass_time(400)
    assert garage.sent == [10, 10, 10, 10]


async def test_more_than_is_allowed_is_seen_although_the_limit_is_there(
    garage: Garage,
) -> None:
    await charging(garage)
    await garage.want(10)
    key = MeasurementKey(measurand=Measurand.CURRENT_IMPORT)
    for _ in range(6):
        await garage.pass_time(30)
        garage.evse.measurement(key).set(16.0, garage.time())
    await garage.pass_time(10)
    assert garage.ignored()


# Without Home Assistant


@pytest.fixture
async def safe(garage: Garage) -> Garage:
    """Return a garage that falls back to 8 A."""
    await garage.close()
    garage.settings = FALLING_BACK
    await garage.open()
    return garage


async def test_a_limit_ends_by_itself_if_there_is_a_fall_back(safe: Garage) -> None:
    await charging(safe)
    await safe.want(20)
    (request,) = safe.cloud.journal.find("POST", "set_dynamic")[-1:]
    assert request.body == {"amps": 20, "minutes": 10}
    await safe.close()
    await safe.pass_time(590)
    assert safe.dynamic == 20
    await safe.pass_time(30)
    assert safe.dynamic == 6
    await safe.open()
    await safe.pass_time(20)
    assert safe.dynamic == 20


async def test_a_limit_is_renewed_while_home_assistant_runs(safe: Garage) -> None:
    await charging(safe)
    await safe.want(20)
    safe.forget()
    await safe.pass_time(3600)
    assert safe.dynamic == 20
    assert len(safe.sent) == 11


async def test_once_the_fall_back_is_gone_nothing_ends_by_itself(safe: Garage) -> None:
    await charging(safe)
    await safe.pass_time(600)
    safe.settings = StationSettings(name="Garage")
    await safe.restart()
    await safe.pass_time(3600)
    assert safe.dynamic == 32
    assert safe.sent == [32]


async def test_a_pause_ends_by_itself_too(safe: Garage) -> None:
    await charging(safe)
    await safe.done(limits.pause(safe.station, 1))
    assert safe.dynamic == 0
    await safe.pass_time(1800)
    assert safe.charger.power == 0
    await safe.close()
    await safe.pass_time(700)
    assert safe.charger.power > 0
    await safe.open()


async def test_a_fall_back_that_the_circuit_exceeds_is_told(safe: Garage) -> None:
    await charging(safe)
    safe.charger.circuit.offline = [16.0] * 3
    safe.charger.circuit.changed()
    await safe.want(20)
    assert safe.station.findings["fallback"] == "exceeded: 16"
    assert safe.link.limit_afterwards == Decimal(16)


async def test_a_fall_back_that_the_circuit_keeps_is_not_told(safe: Garage) -> None:
    await charging(safe)
    await safe.want(20)
    assert "fallback" not in safe.station.findings


async def test_a_change_of_phases_keeps_the_fall_back(safe: Garage) -> None:
    await charging(safe)
    await safe.want(20)
    await safe.pass_time(10)
    await safe.done(limits.request_phases(safe.station, 1, 1), 90)
    await safe.close()
    await safe.pass_time(660)
    assert safe.dynamic == 6
    await safe.open()
