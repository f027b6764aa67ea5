"""A charger goes back to where it came from (3.6, trap 5)."""

from dataclasses import replace

import pytest

from .house import APPLIES, STORES, House
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.easee.local_details import Mode
from custom_components.ev_charger_hub.easee.local_ocpp import LocalOcpp
from custom_components.ev_charger_hub.easee.local_progress import Goal, Stage, Trouble
from simulators.easee_cloud import Fault
from simulators.easee_cloud.seed import CHARGER

MINUTE = 60.0
FOREIGN = "wss://ocpp.example.com/a"


async def test_a_charger_goes_back(house: House) -> None:
    house.charger.observe(Id.OFFLINE_CHARGING_MODE, 2)
    await house.read()
    await house.enable()
    await house.read()
    await house.commissioning.undo()
    assert house.progress().goal is Goal.OFF
    await house.reach(None)
    await house.time.pass_time(10)
    assert not house.door.connected
    assert house.charger.schedules.enabled == "none"
    on, off = house.stores()
    assert off == on | {"connectivityMode": "OcppOff"}
    assert house.charger[Id.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID] is False
    assert house.charger[Id.LOCAL_AUTHORIZE_OFFLINE_ENABLED] is False
    assert house.charger[Id.OFFLINE_CHARGING_MODE] == 2
    await house.restart()
    assert house.stage() is None


async def test_and_comes_again(house: House) -> None:
    await house.enable()
    await house.commissioning.undo()
    await house.reach(None)
    await house.commissioning.begin(replace(house.details, url=house.details.url + "2"))
    await house.reach(Stage.VERIFIED)
    modes = [body["connectivityMode"] for body in house.stores()]
    assert modes == ["DualProtocol", "OcppOff", "DualProtocol"]


async def test_what_somebody_changed_meanwhile_stays(house: House) -> None:
    house.charger.observe(Id.OFFLINE_CHARGING_MODE, 2)
    await house.read()
    await house.enable()
    house.charger.observe(Id.OFFLINE_CHARGING_MODE, 1)
    await house.read()
    await house.commissioning.undo()
    await house.reach(None)
    assert house.charger[Id.OFFLINE_CHARGING_MODE] == 1


async def test_what_was_never_stored_needs_no_undoing(house: House) -> None:
    house.cloud.faults.add(Fault(pattern=STORES, method="POST", status=400))
    await house.commissioning.begin(house.details)
    await house.rest()
    assert house.trouble() is Trouble.REFUSED
    await house.read()
    await house.commissioning.undo()
    await house.reach(None)
    assert len(house.stores()) == 1
    assert house.applies() == []
    assert house.charger[Id.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID] is False


async def test_what_was_off_before_us_stays_off(house: House) -> None:
    off = replace(house.details, mode=Mode.OFF, url="ws://192.0.2.1", password=None)
    await LocalOcpp(house.requests).store(CHARGER, off)
    house.cloud.faults.add(Fault(pattern=STORES, method="POST", status=400))
    await house.commissioning.begin(house.details)
    await house.rest()
    await house.commissioning.undo()
    await house.reach(None)
    assert len(house.stores()) == 2
    assert house.applies() == []


async def test_a_wait_is_undone_at_once(house: House) -> None:
    house.cloud.local_ocpp.dial = None
    await house.commissioning.begin(house.details)
    await house.reach(Stage.APPLIED)
    await house.commissioning.undo()
    await house.reach(None)
    assert len(house.stores()) == 2


async def test_what_is_lost_needs_no_undoing(house: House) -> None:
    await house.enable()
    house.cloud.pair_operator(CHARGER, 42)
    await house.commissioning.undo()
    await house.reach(None)
    assert len(house.stores()) == 1


async def test_nor_does_what_is_lost_while_it_goes_back(house: House) -> None:
    await house.enable()
    house.cloud.faults.add(Fault(pattern=APPLIES, status=503))
    await house.commissioning.undo()
    await house.reach(Stage.STORED)
    house.cloud.pair_operator(CHARGER, 42)
    await house.reach(None, 2 * MINUTE)
    assert len(house.stores()) == 2
    assert len(house.applies()) == 2


async def test_nothing_is_undone_as_nothing(house: House) -> None:
    await house.commissioning.undo()
    await house.rest()
    assert house.posts() == 0


async def test_foreign_changes_while_it_goes_back_stop_it(house: House) -> None:
    await house.enable()
    house.cloud.faults.add(Fault(pattern=APPLIES, status=503))
    await house.commissioning.undo()
    await house.reach(Stage.STORED)
    house.cloud.local_ocpp.foreign_change(house.charger, FOREIGN)
    await house.time.pass_time(2 * MINUTE)
    assert house.trouble() is Trouble.FOREIGN
    assert house.progress().goal is Goal.OFF


async def test_a_password_that_nobody_knows_is_no_hindrance(house: House) -> None:
    """It was set up by hand, and the cloud shows no passwords."""
    house.cloud.local_ocpp.shows_password = False
    local = LocalOcpp(house.requests)
    theirs = f"ws://127.0.0.1:{house.door.port}/theirs"
    version = await local.store(CHARGER, replace(house.details, url=theirs))
    await house.commissioning.adopt()
    await local.apply(CHARGER, version)
    await house.reach(Stage.VERIFIED)
    await house.commissioning.undo()
    await house.reach(None)
    await house.time.pass_time(10)
    assert not house.door.connected


@pytest.mark.parametrize("shows_password", [False, True])
async def test_what_looks_as_before_is_told_all_the_same(
    house: House, shows_password: bool
) -> None:
    """It was off by the same address before, and the answer to the store is lost."""
    house.cloud.local_ocpp.shows_password = shows_password
    await house.enable()
    await house.commissioning.undo()
    await house.reach(None)
    await house.time.pass_time(10)
    await house.commissioning.begin(replace(house.details, password="another horse"))
    await house.reach(Stage.APPLIED)
    await house.time.pass_time(15)
    assert house.door.connected
    house.cloud.faults.add(Fault(pattern=STORES, method="POST", cut=True, after=True))
    await house.commissioning.undo()
    await house.reach(None, 3 * MINUTE)
    await house.time.pass_time(10)
    assert not house.door.connected
