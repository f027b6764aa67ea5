"""A charger is brought to us by local OCPP: traps and acceptance of 3.6."""

from dataclasses import replace
from datetime import timedelta

import pytest

from .house import APPLIES, PASSWORD, SETTINGS, STORES, House
from custom_components.ev_charger_hub.easee.errors import Refused
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.easee.local_details import Mode
from custom_components.ev_charger_hub.easee.local_ocpp import LocalOcpp
from custom_components.ev_charger_hub.easee.local_progress import MOST, Stage, Trouble
from simulators.easee_cloud import Fault
from simulators.easee_cloud.seed import CHARGER, SECOND

MINUTE = 60.0
HOUR = 3600.0


# There


async def test_a_charger_comes_within_a_minute(house: House) -> None:
    assert await house.enable() < MINUTE
    assert house.door.connected
    assert house.charger.schedules.enabled == "ocpp.direct"
    assert [body["connectivityMode"] for body in house.stores()] == ["DualProtocol"]
    assert len(house.applies()) == 1
    await house.rest()


async def test_the_address_has_the_identity_once(house: House) -> None:
    house.serial = house.door.identity = CHARGER
    await house.enable()
    (body,) = house.stores()
    assert body["websocketConnectionArgs"]["url"] == house.details.url
    station = house.dialer.twins[CHARGER].station
    assert station is not None
    assert station.url == f"{house.details.url}/{CHARGER}"


async def test_a_charger_may_have_another_identity(house: House) -> None:
    house.door.identity = "GARAGE"
    details = replace(house.details, identity="GARAGE")
    await house.commissioning.begin(details)
    await house.reach(Stage.VERIFIED)
    assert house.stores()[0]["chargePointId"] == "GARAGE"


async def test_it_is_told_first_to_charge_when_nobody_is_there(house: House) -> None:
    house.charger.observe(Id.OFFLINE_CHARGING_MODE, 2)
    await house.read()
    await house.enable()
    reports = house.charger
    assert reports[Id.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID] is True
    assert reports[Id.LOCAL_AUTHORIZE_OFFLINE_ENABLED] is True
    assert reports[Id.OFFLINE_CHARGING_MODE] == 0
    posts = house.cloud.journal.find("POST", f"{SETTINGS}|{STORES}|{APPLIES}")
    assert [request.path.split("/")[-2] for request in posts] == [
        CHARGER,
        "connection-details",
        "chargers",
    ]
    assert posts[0].body == {
        "allowOfflineTxForUnknownId": True,
        "localAuthorizeOfflineEnabled": True,
        "offlineChargingMode": 0,
    }


async def test_a_user_may_want_it_to_wait(house: House) -> None:
    await house.commissioning.begin(house.details, charge_when_away=False)
    await house.reach(Stage.VERIFIED)
    assert not house.cloud.journal.find("POST", SETTINGS)


async def test_a_charger_that_would_charge_is_not_told(house: House) -> None:
    for number in (Id.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID, 16):
        house.charger.observe(number, value=True)
    await house.read()
    await house.enable()
    assert not house.cloud.journal.find("POST", SETTINGS)


async def test_without_that_nothing_is_stored(house: House) -> None:
    fault = Fault(pattern=SETTINGS, status=400, body={"title": "Not so"})
    house.cloud.faults.add(fault)
    await house.commissioning.begin(house.details)
    await house.rest()
    assert (house.trouble(), house.progress().detail) == (
        Trouble.OFFLINE_BEHAVIOR,
        "Not so",
    )
    assert house.stores() == []
    await house.commissioning.retry()
    await house.reach(Stage.VERIFIED)


async def test_who_is_on_the_way_does_not_begin_again(house: House) -> None:
    await house.commissioning.begin(house.details)
    with pytest.raises(Refused):
        await house.commissioning.begin(house.details)
    await house.reach(Stage.VERIFIED)
    assert len(house.stores()) == 1


async def test_what_is_stored_already_is_only_applied(house: House) -> None:
    await LocalOcpp(house.requests).store(CHARGER, house.details)
    await house.enable()
    assert len(house.stores()) == 1
    assert len(house.applies()) == 1


async def test_what_was_off_may_be_replaced(house: House) -> None:
    off = replace(house.details, mode=Mode.OFF, url="ws://192.0.2.1", password=None)
    await LocalOcpp(house.requests).store(CHARGER, off)
    await house.enable()
    assert len(house.stores()) == 2


async def test_a_cloud_that_keeps_passwords_back_is_understood(house: House) -> None:
    house.cloud.local_ocpp.shows_password = False
    await house.enable()
    await house.commissioning.inspect()
    assert house.trouble() is None
    await house.commissioning.undo()
    await house.reach(None)
    assert house.stores()[-1]["basicAuthPassword"] == PASSWORD


# Stored, applied, connected


async def test_a_charger_that_does_not_come_is_told_three_times(house: House) -> None:
    house.cloud.local_ocpp.dial = None
    begun = house.time()
    await house.commissioning.begin(house.details)
    await house.reach(Stage.APPLIED)
    await house.time.pass_time(4 * MINUTE)
    assert not house.progress().late
    await house.time.pass_time(2 * MINUTE)
    assert house.progress().late
    assert house.trouble() is None
    first = house.progress().first_applied
    assert first is not None
    again = house.commissioning.next_attempt
    assert again == first + timedelta(minutes=15)
    await house.time.pass_time(10 * MINUTE)
    assert not house.progress().late
    await house.time.pass_time(50 * MINUTE)
    assert house.trouble() is Trouble.NOT_CONNECTED
    assert house.commissioning.next_attempt is None
    await house.time.pass_time(24 * HOUR)
    minutes = [(at - begun).total_seconds() // MINUTE for at in house.applies()]
    assert minutes == [0, 15, 60]
    assert len(house.stores()) == 1


async def test_who_comes_late_is_welcome(house: House) -> None:
    dial, house.cloud.local_ocpp.dial = house.cloud.local_ocpp.dial, None
    await house.commissioning.begin(house.details)
    await house.reach(Stage.APPLIED)
    await house.time.pass_time(3 * HOUR)
    assert house.trouble() is Trouble.NOT_CONNECTED
    assert dial is not None
    dial(house.charger, house.cloud.local_ocpp.applied[CHARGER])
    await house.reach(Stage.VERIFIED)
    assert house.trouble() is None
    assert len(house.applies()) == MOST


async def test_a_charger_that_comes_when_told_again(house: House) -> None:
    house.charger.observe(Id.CHARGER_RAT, 0)
    await house.commissioning.begin(house.details)
    await house.reach(Stage.APPLIED)
    await house.time.pass_time(MINUTE)
    house.charger.observe(Id.CHARGER_RAT, 1)
    await house.reach(Stage.VERIFIED, 16 * MINUTE)
    assert len(house.applies()) == 2


async def test_somebody_with_another_password_has_not_come(house: House) -> None:
    house.door.identity = "SOMEBODY"
    await house.commissioning.begin(house.details)
    await house.time.pass_time(2 * MINUTE)
    assert house.door.connected
    assert house.stage() is Stage.APPLIED


async def test_another_charger_has_not_come(house: House) -> None:
    house.door.serial = SECOND
    await house.commissioning.begin(house.details)
    await house.time.pass_time(2 * MINUTE)
    assert house.door.connected
    assert house.stage() is Stage.APPLIED


async def test_who_was_there_before_has_not_come(house: House) -> None:
    await house.enable()
    house.cloud.local_ocpp.dial = None
    await house.commissioning.retry()
    await house.time.pass_time(2 * MINUTE)
    assert house.stage() is Stage.APPLIED
    assert len(house.applies()) == 2


# Restarts


async def test_after_a_restart_a_charger_has_time_to_come(house: House) -> None:
    house.cloud.local_ocpp.dial = None
    await house.commissioning.begin(house.details)
    await house.reach(Stage.APPLIED)
    await house.die()
    await house.time.pass_time(5 * HOUR)
    await house.live()
    await house.time.pass_time(4 * MINUTE)
    assert not house.progress().late
    assert len(house.applies()) == 1
    await house.time.pass_time(2 * MINUTE)
    assert len(house.applies()) == 2
    await house.time.pass_time(HOUR)
    assert len(house.applies()) == MOST
    assert house.trouble() is Trouble.NOT_CONNECTED


async def test_after_a_restart_nothing_is_done_to_who_is_here(house: House) -> None:
    await house.enable()
    before = house.posts()
    await house.restart()
    await house.rest()
    assert house.stage() is Stage.VERIFIED
    assert house.posts() == before


async def test_who_is_stopped_does_nothing(house: House) -> None:
    house.cloud.local_ocpp.dial = None
    await house.commissioning.begin(house.details)
    await house.reach(Stage.APPLIED)
    await house.commissioning.stop()
    await house.commissioning.stop()
    await house.time.pass_time(HOUR)
    assert len(house.applies()) == 1


async def test_secrets_are_not_shown(house: House) -> None:
    await house.enable()
    shown = repr(house.progress())
    assert not [one for one in (PASSWORD, CHARGER) if one in shown]
