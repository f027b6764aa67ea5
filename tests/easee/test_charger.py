"""Charger: what the cloud tells of it, and what its station shows."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from .yard import Yard
from custom_components.ev_charger_hub.easee.enums import OpMode
from custom_components.ev_charger_hub.easee.feed_status import STATUSES
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.station.enums import (
    ConnectorStatus,
    Measurand,
    Phase,
)
from custom_components.ev_charger_hub.station.events import TokenPresented
from simulators.easee_cloud import SimulatedTime

DAYS = timedelta(days=3)


@pytest.fixture
async def yard(tmp_path: Path, time: SimulatedTime) -> AsyncGenerator[Yard]:
    """Return a yard whose charger has said nothing yet."""
    yard = Yard(tmp_path, time)
    await yard.open()
    yield yard
    await yard.close()


async def test_a_charger_introduces_itself(yard: Yard) -> None:
    info = yard.station.info.value
    assert (info.vendor, info.model, info.serial) == ("Easee", "Charge", "EH123456")
    assert info.firmware is None

    await yard.told(Id.CHARGER_FIRMWARE, 344)
    assert yard.station.info.value.firmware == "344"
    assert yard.station.links == [yard.charger.link]


# Whether it is there


@pytest.mark.conformance("EASEE_A1")
async def test_a_replay_of_old_observations_is_no_sign_of_life(yard: Yard) -> None:
    then = yard.time() - DAYS
    yard.tell(Id.CHARGER_OP_MODE, 3, at=then, replay=True)
    yard.tell(Id.TOTAL_POWER, 7.2, at=then, replay=True)
    for number in range(150, 207):
        yard.tell(number, 28.0, at=then, replay=True)
    yard.tell(Id.USER_ID_TOKEN, "CARD", at=then, replay=True)
    yard.tell(Id.CONNECTED_TO_CLOUD, value=False, at=then, replay=True)
    await yard.wait(60)

    assert not yard.online()
    assert not yard.charger.reachable
    assert yard.station.heartbeat.value == then
    assert yard.station.connected_since.value is None
    assert yard.measured(Measurand.POWER_ACTIVE_IMPORT) == 0
    assert yard.evse.session.value is None
    assert await yard.journaled() == []
    assert yard.events == []


@pytest.mark.conformance("EASEE_A1")
async def test_old_observations_are_no_sign_of_life_even_if_nobody_says_so(
    yard: Yard,
) -> None:
    await yard.told(Id.CONNECTED_TO_CLOUD, value=True, at=yard.time() - DAYS)
    await yard.told(Id.CHARGER_OP_MODE, 1, at=yard.time() - DAYS)
    assert not yard.online()


async def test_a_charger_is_there_while_it_says_something(yard: Yard) -> None:
    await yard.appear()
    assert yard.online()
    begun = yard.station.connected_since.value
    assert begun == yard.time()
    for _ in range(4):
        await yard.wait(15 * 60)
        await yard.told(Id.TEMP_MAX, 28.0)
        assert yard.online()
    await yard.wait(20 * 60 + 1)
    assert not yard.online()
    assert yard.station.connected_since.value is None

    yard.tell(Id.TEMP_MAX, 29.0)
    assert yard.online()


@pytest.mark.parametrize(
    ("number", "value"), [(Id.CONNECTED_TO_CLOUD, False), (Id.CHARGER_OP_MODE, 0)]
)
async def test_a_charger_that_the_cloud_lost_is_gone_at_once(
    yard: Yard, number: int, value: int
) -> None:
    await yard.appear()
    await yard.wait(60)
    heard = yard.station.heartbeat.value
    await yard.told(number, value)
    assert not yard.online()
    assert yard.station.heartbeat.value == heard

    await yard.wait(60)
    await yard.told(Id.CONNECTED_TO_CLOUD, value=True)
    assert yard.online()


async def test_a_cloud_whose_clock_is_slow_does_not_make_a_charger_stale(
    yard: Yard,
) -> None:
    slow = timedelta(hours=1)
    yard.tell(Id.CONNECTED_TO_CLOUD, value=True, at=yard.time() - slow)
    for _ in range(3):
        await yard.wait(20)
        await yard.told(Id.TEMP_MAX, 28.0, at=yard.time() - slow)
    assert yard.online()
    await yard.wait(21 * 60)
    assert not yard.online()


async def test_what_a_charger_kept_while_it_was_gone_is_no_slow_clock(
    yard: Yard,
) -> None:
    then = yard.time() - timedelta(hours=1)
    for second in range(10):
        at = then + timedelta(seconds=second)
        await yard.told(Id.TEMP_MAX, 28.0 + second, at=at)
    assert not yard.online()


async def test_another_way_keeps_a_station_online(yard: Yard) -> None:
    await yard.appear()
    yard.station.local.set(True)
    await yard.told(Id.CONNECTED_TO_CLOUD, value=False)
    assert not yard.charger.reachable
    assert yard.online()


async def test_a_charger_that_is_let_go_says_nothing_more(yard: Yard) -> None:
    await yard.appear()
    yard.charger.stop()
    yard.time.advance(3600)
    assert yard.online()
    assert yard.station.links == []


# What it does


@pytest.mark.parametrize("mode", OpMode)
async def test_every_mode_has_a_status_or_says_nothing(
    yard: Yard, mode: OpMode
) -> None:
    await yard.appear()
    await yard.wait(1)
    await yard.told(Id.CHARGER_OP_MODE, mode.number)
    gone = mode in {OpMode.OFFLINE, OpMode.LINK_LOST}
    assert yard.online() is not gone
    expected = ConnectorStatus.AVAILABLE if gone else STATUSES[mode]
    assert yard.status() is expected


async def test_a_mode_without_a_name_changes_nothing(yard: Yard) -> None:
    await yard.appear()
    await yard.wait(1)
    await yard.told(Id.CHARGER_OP_MODE, 99)
    assert yard.status() is ConnectorStatus.AVAILABLE
    assert yard.charger.readings.value(Id.CHARGER_OP_MODE) == 99


async def test_a_disabled_charger_is_out_of_service(yard: Yard) -> None:
    await yard.appear()
    await yard.wait(1)
    await yard.told(Id.IS_ENABLED, value=False)
    assert yard.status() is ConnectorStatus.UNAVAILABLE
    await yard.wait(1)
    await yard.told(Id.CHARGER_OP_MODE, 2)
    assert yard.status() is ConnectorStatus.SUSPENDED_EVSE
    await yard.wait(1)
    await yard.told(Id.CHARGER_OP_MODE, 1)
    await yard.told(Id.IS_ENABLED, value=True)
    assert yard.status() is ConnectorStatus.AVAILABLE


async def test_an_older_mode_is_history(yard: Yard) -> None:
    await yard.appear()
    await yard.told(Id.CHARGER_OP_MODE, 3, at=yard.time() - timedelta(minutes=1))
    assert yard.status() is ConnectorStatus.AVAILABLE


async def test_an_error_is_a_fault_until_it_is_gone(yard: Yard) -> None:
    await yard.appear()
    await yard.told(Id.ERROR_STRING, "Ground fault")
    await yard.told(Id.ERROR_CODE, 7)
    fault = yard.fault()
    assert fault is not None
    assert (fault.error_code, fault.vendor_error_code) == ("OtherError", "7")
    assert (fault.vendor_id, fault.info) == ("Easee", "Ground fault")

    await yard.wait(1)
    await yard.told(Id.FATAL_ERROR_CODE, 3)
    fault = yard.fault()
    assert fault is not None
    assert (fault.error_code, fault.vendor_error_code) == ("InternalError", "3")

    await yard.wait(1)
    await yard.told(Id.FATAL_ERROR_CODE, 0)
    await yard.told(Id.ERROR_CODE, 0)
    assert yard.fault() is None

    await yard.told(Id.CHARGER_OP_MODE, 158)
    fault = yard.fault()
    assert fault is not None
    assert (fault.error_code, fault.vendor_error_code) == ("HighTemperature", None)


async def test_a_cable_is_there_while_it_is_plugged(yard: Yard) -> None:
    await yard.told(Id.CABLE_RATING, 32.0)
    assert yard.evse.cable_rating.value == 32
    await yard.wait(1)
    await yard.told(Id.CABLE_RATING, 0.0)
    assert yard.evse.cable_rating.value is None


# What it measures


async def test_measurements_are_in_base_units(yard: Yard) -> None:
    await yard.appear()
    await yard.wait(1)
    await yard.told(Id.CHARGER_OP_MODE, 3)
    await yard.told(Id.TOTAL_POWER, 7.217)
    await yard.told(Id.IN_CURRENT_T3, 10.5)
    await yard.wait(180)
    await yard.told(Id.IN_CURRENT_T4, 10.25)
    await yard.told(Id.IN_CURRENT_T5, 0.0)
    await yard.told(Id.OUTPUT_CURRENT, 16.0)
    assert yard.measured(Measurand.POWER_ACTIVE_IMPORT) == 7217
    assert yard.measured(Measurand.CURRENT_IMPORT, Phase.L1) == 10.5
    assert yard.measured(Measurand.CURRENT_IMPORT, Phase.L2) == 10.25
    assert yard.measured(Measurand.CURRENT_IMPORT) == 10.5
    assert yard.measured(Measurand.CURRENT_OFFERED) == 16


@pytest.mark.parametrize("grid_first", [True, False])
async def test_voltages_go_by_the_grid(yard: Yard, *, grid_first: bool) -> None:
    await yard.appear()
    if grid_first:
        await yard.told(Id.DETECTED_POWER_GRID_TYPE, 4)
    await yard.told(Id.IN_VOLTAGE_T2T3, 231.0)
    await yard.told(Id.IN_VOLTAGE_T3T4, 232.0)
    await yard.told(Id.IN_VOLTAGE_T2T4, 233.0)
    await yard.told(Id.IN_CURRENT_T2, 8.0)
    if not grid_first:
        await yard.told(Id.DETECTED_POWER_GRID_TYPE, 4)
    assert yard.measured(Measurand.VOLTAGE, Phase.L1_L2) == 231
    assert yard.measured(Measurand.VOLTAGE, Phase.L2_L3) == 232
    assert yard.measured(Measurand.VOLTAGE, Phase.L3_L1) == 233
    assert yard.measured(Measurand.CURRENT_IMPORT, Phase.L1) is not None


async def test_voltages_with_a_neutral_are_those_to_it(yard: Yard) -> None:
    await yard.appear()
    await yard.told(Id.IN_VOLTAGE_T2T3, 231.0)
    await yard.told(Id.IN_VOLTAGE_T2T4, 232.0)
    await yard.told(Id.IN_VOLTAGE_T2T5, 233.0)
    assert yard.measured(Measurand.VOLTAGE, Phase.L1_N) == 231
    assert yard.measured(Measurand.VOLTAGE, Phase.L3_N) == 233
    assert yard.measured(Measurand.VOLTAGE) == 232


async def test_nothing_flows_from_a_charger_that_is_gone(yard: Yard) -> None:
    await yard.appear()
    await yard.wait(1)
    await yard.told(Id.CHARGER_OP_MODE, 3)
    await yard.told(Id.TOTAL_POWER, 7.2)
    await yard.told(Id.IN_CURRENT_T3, 10.5)
    await yard.wait(60)
    await yard.told(Id.CONNECTED_TO_CLOUD, value=False)
    assert yard.measured(Measurand.POWER_ACTIVE_IMPORT) == 0
    assert yard.measured(Measurand.CURRENT_IMPORT, Phase.L1) == 0
    assert yard.measured(Measurand.CURRENT_IMPORT) == 0

    # It is pushed when it changes: it has not.
    await yard.wait(60)
    await yard.told(Id.CONNECTED_TO_CLOUD, value=True)
    assert yard.measured(Measurand.POWER_ACTIVE_IMPORT) == 7200
    assert yard.measured(Measurand.CURRENT_IMPORT) == 10.5

    await yard.wait(21 * 60)
    assert yard.measured(Measurand.POWER_ACTIVE_IMPORT) == 0


async def test_a_constant_load_goes_on_for_hours(yard: Yard) -> None:
    await yard.appear()
    await yard.wait(1)
    await yard.told(Id.CHARGER_OP_MODE, 3)
    await yard.told(Id.TOTAL_POWER, 7.2)
    for _ in range(12):
        await yard.wait(15 * 60)
        await yard.told(Id.TEMP_MAX, 28.0)
    assert yard.measured(Measurand.POWER_ACTIVE_IMPORT) == 7200


# Tokens


async def test_a_card_that_is_shown_is_told_of_each_time(yard: Yard) -> None:
    await yard.appear()
    await yard.told(Id.USER_ID_TOKEN, "04AABBCC")
    assert yard.station.id_token_presented.value == ("04AABBCC", yard.time())
    await yard.wait(30)
    await yard.told(Id.USER_ID_TOKEN, "04AABBCC")
    shown = TokenPresented(id_token="04AABBCC", status=None)
    assert yard.events == [shown, shown]


async def test_a_card_of_the_past_is_not_shown_now(yard: Yard) -> None:
    await yard.appear()
    await yard.told(Id.USER_ID_TOKEN, "04AABBCC", replay=True)
    await yard.wait(1)
    await yard.told(Id.USER_ID_TOKEN, "")
    old = yard.time() - timedelta(minutes=6)
    await yard.restart()
    await yard.told(Id.USER_ID_TOKEN, "04AABBCC", at=old)
    assert yard.events == []
