"""Others who have a charger dial, or make it forget us, are never fought (3.6, S33)."""

from dataclasses import replace

import pytest

from .house import APPLIES, PASSWORD, STORES, House
from custom_components.ev_charger_hub.easee.errors import Forbidden
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.easee.local_details import Mode
from custom_components.ev_charger_hub.easee.local_ocpp import LocalOcpp
from custom_components.ev_charger_hub.easee.local_progress import Stage, Trouble
from simulators.easee_cloud import Fault
from simulators.easee_cloud.seed import CHARGER

MINUTE = 60.0
HOUR = 3600.0
FOREIGN = "wss://ocpp.example.com/a"


# Somebody else


async def test_what_somebody_else_stored_is_not_touched(house: House) -> None:
    house.cloud.local_ocpp.foreign_change(house.charger, FOREIGN)
    await house.commissioning.begin(house.details)
    await house.rest()
    assert (house.trouble(), house.progress().detail) == (
        Trouble.FOREIGN,
        "ocpp.example.com",
    )
    await house.commissioning.retry()
    await house.rest()
    await house.commissioning.undo()
    await house.rest()
    await house.restart()
    await house.rest()
    assert house.trouble() is Trouble.FOREIGN
    assert house.posts() == 0


async def test_not_even_if_it_comes_in_between(house: House) -> None:
    house.cloud.faults.add(Fault(pattern=STORES, method="POST", status=503))
    await house.commissioning.begin(house.details)
    await house.reach(Stage.PREPARED)
    house.cloud.local_ocpp.foreign_change(house.charger, FOREIGN)
    await house.time.pass_time(2 * MINUTE)
    assert house.trouble() is Trouble.FOREIGN
    assert len(house.stores()) == 1
    assert house.applies() == []


async def test_nor_if_it_comes_after_we_stored(house: House) -> None:
    house.cloud.faults.add(Fault(pattern=APPLIES, status=503))
    await house.commissioning.begin(house.details)
    await house.reach(Stage.APPLYING)
    house.cloud.local_ocpp.foreign_change(house.charger, FOREIGN)
    await house.time.pass_time(2 * MINUTE)
    assert house.trouble() is Trouble.FOREIGN
    assert len(house.applies()) == 1
    assert len(house.stores()) == 1


async def test_the_same_stored_by_somebody_else_is_applied(house: House) -> None:
    """Its version is another one, which the cloud says only when asked."""
    house.cloud.faults.add(
        Fault(pattern=APPLIES, status=409, body={"title": "Version is outdated"})
    )
    original = house.cloud.local_ocpp.read
    times = 0

    def read(charger: object) -> dict[str, object]:
        nonlocal times
        shown = original(house.charger)
        if house.stage() is Stage.APPLYING and (times := times + 1) == 1:
            shown["version"] = "version-0"
        return shown

    house.cloud.local_ocpp.read = read  # type: ignore[method-assign]
    await house.enable()
    assert len(house.applies()) == 2
    assert len(house.stores()) == 1


async def test_a_cloud_that_shows_no_versions_is_understood(house: House) -> None:
    original = house.cloud.local_ocpp.read

    def read(charger: object) -> dict[str, object]:
        return original(house.charger) | {"version": None}

    house.cloud.local_ocpp.read = read  # type: ignore[method-assign]
    await house.enable()
    await house.commissioning.undo()
    await house.reach(None)
    assert len(house.stores()) == len(house.applies()) == 2


async def test_a_version_that_nobody_knows_cannot_be_applied(house: House) -> None:
    original = house.cloud.local_ocpp.read

    def read(charger: object) -> dict[str, object]:
        return original(house.charger) | {"version": None}

    house.cloud.local_ocpp.read = read  # type: ignore[method-assign]
    house.cloud.faults.add(Fault(pattern=STORES, method="POST", cut=True, after=True))
    await house.commissioning.begin(house.details)
    await house.reach(Stage.APPLYING, 2 * MINUTE)
    house.cloud.local_ocpp.read = original  # type: ignore[method-assign]
    await house.reach(Stage.VERIFIED, 2 * MINUTE)
    assert len(house.stores()) == 1


async def test_a_foreign_change_is_noticed_later(house: House) -> None:
    await house.enable()
    house.cloud.local_ocpp.foreign_change(house.charger, FOREIGN)
    await house.commissioning.inspect()
    assert house.trouble() is Trouble.FOREIGN
    before = house.posts()
    for decision in (house.commissioning.retry, house.commissioning.undo):
        await decision()
        await house.rest()
        assert house.trouble() is Trouble.FOREIGN
    assert house.posts() == before


async def test_a_foreign_change_that_goes_away_is_no_trouble(house: House) -> None:
    await house.enable()
    stored = house.cloud.local_ocpp.stored[CHARGER]
    house.cloud.local_ocpp.foreign_change(house.charger, FOREIGN)
    await house.commissioning.inspect()
    house.cloud.local_ocpp.stored[CHARGER] = stored
    await house.commissioning.inspect()
    assert house.trouble() is None
    assert house.stage() is Stage.VERIFIED


async def test_what_somebody_else_stored_is_adopted(house: House) -> None:
    url = f"ws://127.0.0.1:{house.door.port}/theirs"
    await house.enable()
    local = LocalOcpp(house.requests)
    theirs = replace(house.details, url=url)
    version = await local.store(CHARGER, theirs)
    await house.commissioning.inspect()
    assert house.trouble() is Trouble.FOREIGN
    before = house.posts()
    await house.commissioning.adopt()
    assert (house.trouble(), house.stage()) == (None, Stage.APPLIED)
    assert house.progress().details == theirs
    await house.time.pass_time(2 * HOUR)
    assert house.trouble() is Trouble.NOT_CONNECTED
    assert house.posts() == before
    await local.apply(CHARGER, version)
    await house.reach(Stage.VERIFIED)
    await house.read()
    await house.commissioning.undo()
    await house.reach(None)
    assert house.stores()[-1]["connectivityMode"] == "OcppOff"
    assert house.stores()[-1]["websocketConnectionArgs"]["url"] == url
    # What we changed before that is as it was.
    assert house.charger[Id.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID] is False
    await house.time.pass_time(10)
    assert not house.door.connected


async def test_it_may_be_adopted_before_anything_was_begun(house: House) -> None:
    url = f"ws://127.0.0.1:{house.door.port}/theirs"
    theirs = replace(house.details, url=url)
    local = LocalOcpp(house.requests)
    version = await local.store(CHARGER, theirs)
    await house.commissioning.adopt()
    await local.apply(CHARGER, version)
    await house.reach(Stage.VERIFIED)
    assert len(house.stores()) == 1
    assert len(house.applies()) == 1


async def test_what_somebody_else_undid_is_undone(house: House) -> None:
    await house.enable()
    await house.read()
    off = replace(house.details, mode=Mode.OFF)
    await LocalOcpp(house.requests).store(CHARGER, off)
    await house.commissioning.inspect()
    assert house.trouble() is Trouble.FOREIGN
    await house.commissioning.adopt()
    await house.reach(None)
    assert len(house.stores()) == 2
    assert house.charger[Id.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID] is False


async def test_nothing_to_adopt_changes_nothing(house: House) -> None:
    await house.commissioning.adopt()
    await house.rest()
    assert house.stage() is None
    assert house.posts() == 0


async def test_what_is_left_is_forgotten(house: House) -> None:
    await house.enable()
    house.cloud.local_ocpp.foreign_change(house.charger, FOREIGN)
    await house.commissioning.inspect()
    before = house.posts()
    await house.commissioning.leave()
    await house.restart()
    await house.rest()
    assert house.stage() is None
    assert house.posts() == before


async def test_leaving_ends_the_wait(house: House) -> None:
    house.cloud.local_ocpp.dial = None
    await house.commissioning.begin(house.details)
    await house.reach(Stage.APPLIED)
    await house.commissioning.leave()
    await house.rest(3)


# Lost


@pytest.mark.conformance("EASEE_S33")
async def test_another_operator_loses_it(house: House) -> None:
    await house.enable()
    house.cloud.pair_operator(CHARGER, 42)
    await house.commissioning.inspect()
    assert (house.trouble(), house.progress().detail) == (Trouble.LOST, "Operator 42")
    await house.commissioning.retry()
    await house.rest()
    assert house.trouble() is Trouble.FORBIDDEN
    house.cloud.pair_operator(CHARGER, 1)
    await house.commissioning.retry()
    await house.reach(Stage.VERIFIED)
    posted = [body["basicAuthPassword"] for body in house.stores()]
    assert posted == [PASSWORD] * 3


async def test_what_is_lost_is_stored_again_when_wanted(house: House) -> None:
    await house.enable()
    house.cloud.local_ocpp.forget(house.charger)
    await house.time.pass_time(MINUTE)
    await house.commissioning.inspect()
    assert (house.trouble(), house.progress().detail) == (Trouble.LOST, "")
    await house.time.pass_time(24 * HOUR)
    assert len(house.stores()) == 1
    await house.commissioning.retry()
    await house.reach(Stage.VERIFIED)
    assert len(house.stores()) == 2


async def test_what_is_lost_before_it_was_applied_is_lost(house: House) -> None:
    house.cloud.faults.add(Fault(pattern=APPLIES, status=503))
    await house.commissioning.begin(house.details)
    await house.reach(Stage.APPLYING)
    house.cloud.local_ocpp.forget(house.charger)
    await house.time.pass_time(2 * MINUTE)
    assert house.trouble() is Trouble.LOST


async def test_another_operator_is_noticed_before_anything_is_lost(
    house: House,
) -> None:
    await house.enable()
    house.charger.operator = {"id": 42, "name": "Tibber"}
    await house.commissioning.inspect()
    assert (house.trouble(), house.progress().detail) == (
        Trouble.OTHER_OPERATOR,
        "Tibber",
    )
    house.cloud.faults.add(Fault(pattern=STORES, method="GET", status=403))
    await house.commissioning.inspect()
    assert house.trouble() is Trouble.OTHER_OPERATOR
    house.charger.operator = {"id": 1, "name": "Easee"}
    await house.commissioning.inspect()
    assert house.trouble() is None


async def test_who_may_not_look_sees_no_trouble(house: House) -> None:
    await house.enable()
    house.cloud.faults.add(Fault(pattern=STORES, method="GET", status=403))
    with pytest.raises(Forbidden):
        await house.commissioning.inspect()
    assert house.trouble() is None


async def test_nobody_looks_before_there_is_something_to_see(house: House) -> None:
    await house.commissioning.inspect()
    assert not house.cloud.journal.find("GET", STORES)
