"""A charger is brought to us by local OCPP while the cloud has its troubles (3.6)."""

import pytest

from .house import APPLIES, STORES, House
from custom_components.ev_charger_hub.easee.errors import InvalidCredentials
from custom_components.ev_charger_hub.easee.local_progress import FACT, Stage, Trouble
from custom_components.ev_charger_hub.station.errors import JournalError
from simulators.easee_cloud import Fault
from simulators.easee_cloud.seed import CHARGER

MINUTE = 60.0
HOUR = 3600.0


async def test_a_lost_answer_is_not_followed_by_a_second_store(house: House) -> None:
    house.cloud.faults.add(Fault(pattern=STORES, method="POST", cut=True, after=True))
    await house.commissioning.begin(house.details)
    await house.reach(Stage.VERIFIED, 3 * MINUTE)
    assert len(house.stores()) == 1


async def test_nor_is_one_that_was_lost_when_we_died(house: House) -> None:
    house.cloud.faults.add(Fault(pattern=STORES, method="POST", cut=True, after=True))
    await house.commissioning.begin(house.details)
    await house.reach(Stage.PREPARED)
    await house.time.pass_time(2)
    assert len(house.stores()) == 1
    assert house.stage() is Stage.PREPARED
    await house.restart()
    await house.reach(Stage.VERIFIED)
    assert len(house.stores()) == 1


async def test_an_outage_is_waited_for(house: House) -> None:
    await house.commissioning.begin(house.details)
    house.cloud.outage()
    await house.time.pass_time(2 * HOUR)
    assert (house.stage(), house.trouble()) == (Stage.PLANNED, None)
    house.cloud.recover()
    await house.reach(Stage.VERIFIED, 16 * MINUTE)
    assert len(house.stores()) == 1
    assert len(house.applies()) == 1


async def test_nothing_is_sent_that_cannot_be_written_down(house: House) -> None:
    house.full = True
    with pytest.raises(JournalError):
        await house.commissioning.begin(house.details)
    assert house.stage() is None
    house.full = False
    await house.commissioning.begin(house.details)
    house.full = True
    await house.time.pass_time(HOUR)
    assert house.stage() is Stage.PLANNED
    assert house.stores() == []
    house.full = False
    await house.reach(Stage.VERIFIED, 16 * MINUTE)
    assert len(house.stores()) == 1


async def test_who_is_not_let_in_goes_on_when_he_is(house: House) -> None:
    await house.commissioning.begin(house.details)
    house.guest.trouble = InvalidCredentials()
    await house.rest()
    assert (house.stage(), house.trouble()) == (Stage.PLANNED, None)
    house.guest.trouble = None
    await house.restart()
    await house.reach(Stage.VERIFIED)


async def test_an_outage_costs_no_attempt(house: House) -> None:
    fault = Fault(pattern=APPLIES, status=503, times=5)
    house.cloud.faults.add(fault)
    await house.commissioning.begin(house.details)
    await house.reach(Stage.VERIFIED, HOUR)
    assert house.progress().attempts == 1


async def test_too_many_requests_are_waited_for(house: House) -> None:
    house.cloud.faults.add(
        Fault(pattern=APPLIES, status=429, headers={"Retry-After": "120"})
    )
    await house.commissioning.begin(house.details)
    assert 120 <= await house.reach(Stage.VERIFIED, 200) < 180
    assert house.progress().attempts == 1


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (403, Trouble.FORBIDDEN),
        (404, Trouble.NOT_FOUND),
        (400, Trouble.REFUSED),
        (409, Trouble.REFUSED),
    ],
)
@pytest.mark.parametrize("path", [STORES, APPLIES])
async def test_what_the_cloud_does_not_want_is_told(
    house: House, path: str, status: int, trouble: Trouble
) -> None:
    body = {"title": "Not so"}
    house.cloud.faults.add(Fault(pattern=path, method="POST", status=status, body=body))
    await house.commissioning.begin(house.details)
    await house.rest()
    assert (house.trouble(), house.progress().detail) == (trouble, "Not so")
    await house.restart()
    await house.rest()
    assert house.trouble() is trouble
    await house.commissioning.retry()
    await house.reach(Stage.VERIFIED)
    assert house.trouble() is None


async def test_what_is_written_cannot_be_read(house: House) -> None:
    await house.journal.store(CHARGER, FACT, {"goal": "on"})
    await house.restart()
    assert house.stage() is None
    await house.rest()
    assert house.posts() == 0


async def test_what_passes_does_not_hide_that_it_never_came(house: House) -> None:
    """Another operator was seen for a while, after it was told for the last time."""
    house.cloud.local_ocpp.dial = None
    await house.commissioning.begin(house.details)
    await house.time.pass_time(2 * HOUR)
    assert house.trouble() is Trouble.NOT_CONNECTED
    ours = house.charger.operator
    house.charger.operator = {"id": 42, "name": "Tibber"}
    await house.commissioning.inspect()
    assert house.trouble() is Trouble.OTHER_OPERATOR
    house.charger.operator = ours
    await house.commissioning.inspect()
    await house.time.pass_time(10)
    assert house.stage() is Stage.APPLIED
    assert house.trouble() is Trouble.NOT_CONNECTED
