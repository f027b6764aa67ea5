"""Certificates of stations: signed when they ask, and renewed before they end."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest

from .guarded import NOT_SUPPORTED, REJECTED, TIMED_OUT, Guarded, House, Killed
from custom_components.ev_charger_hub.station.commands import SigningRequest
from custom_components.ev_charger_hub.station.outcome import Outcome

DAY = 86400.0


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """Return a house whose station has a certificate, and uses it."""
    house = House(Guarded(profile=2, told_profile=2))
    await house.start()
    await house.connect()
    await house.security.raise_profile(3)
    await house.live()
    house.write()
    house.guarded.calls.clear()
    yield house
    house.security.close()


async def days(house: House, number: int) -> None:
    """Let days pass."""
    for _ in range(number):
        await house.time.advance(DAY)
        await house.live()


async def test_certificate_is_renewed_a_month_before_its_end(house: House) -> None:
    await days(house, 699)
    assert not house.said("trigger")
    await days(house, 2)
    assert house.said("trigger") == ["SignChargePointCertificate"]
    assert house.said("signed") == ["csr 2"]
    await days(house, 100)
    assert len(house.said("signed")) == 1
    known = house.security.certificate.value
    assert known is not None
    assert known.expires - house.time() > timedelta(days=600)


async def test_short_certificate_is_renewed_in_its_last_third(house: House) -> None:
    assert house.notary is not None
    house.notary.lifetime = timedelta(days=30)
    await house.security.renew_certificate()
    await house.live()
    house.guarded.calls.clear()
    await days(house, 19)
    assert not house.said("trigger")
    await days(house, 2)
    assert house.said("signed") == ["csr 3"]


async def test_station_that_was_away_renews_when_it_is_back(house: House) -> None:
    await house.disconnect()
    await days(house, 710)
    assert not house.said("trigger")
    await house.connect()
    await house.live()
    assert house.said("signed") == ["csr 2"]


@pytest.mark.parametrize("answer", [REJECTED, TIMED_OUT, NOT_SUPPORTED])
async def test_renewal_that_fails_is_tried_every_day(
    house: House, answer: Outcome
) -> None:
    house.guarded.answers["trigger"] = answer
    await days(house, 703)
    assert len(house.said("trigger")) == 4
    del house.guarded.answers["trigger"]
    await days(house, 1)
    assert house.said("signed") == ["csr 2"]


async def test_quiet_station_is_not_bothered(house: House) -> None:
    house.station.settings = House(quiet=True).disk
    await days(house, 720)
    assert not house.said("trigger")


async def test_old_certificate_stays_while_the_new_one_is_refused(
    house: House,
) -> None:
    house.guarded.answers["signed"] = REJECTED
    await house.security.renew_certificate()
    await house.live()
    assert house.said("signed") == ["csr 2"]
    known = house.security.certificate.value
    assert known is not None
    assert known.serial == "1"
    assert house.station.findings["certificate"] == "refused: Rejected"
    await house.reboot()


async def test_hub_may_die_while_a_certificate_is_renewed(house: House) -> None:
    for end_at in range(12):
        await house.restart(wrote=True, end_at=end_at)
        with suppress(Killed):
            await house.connect()
            await house.security.renew_certificate()
        await house.live()
        if not house.wire.dead:
            break
        await house.restart(wrote=True)
        await house.reboot()
        assert house.guarded.profile == 3
    else:
        raise AssertionError("it never came to its end")


@pytest.mark.parametrize("profile", [0, 1])
async def test_request_that_anybody_could_have_changed_is_refused(
    profile: int,
) -> None:
    password = "h0" if profile else None
    house = House(Guarded(password=password, profile=profile))
    await house.start()
    await house.connect()
    assert not await house.security.accepts_request("csr")
    assert house.station.findings["certificate"] == "refused: not_encrypted"


async def test_request_is_refused_without_an_authority(house: House) -> None:
    house.notary = None
    assert not await house.security.accepts_request("csr")
    house.security.request_answered(SigningRequest(csr="csr"))
    await house.live()
    assert not house.said("signed")


async def test_request_that_is_wrong_is_refused(house: House) -> None:
    assert house.notary is not None
    house.notary.problem = "weak_key"
    assert not await house.security.accepts_request("csr")
    assert house.station.findings["certificate"] == "refused: weak_key"


async def test_ten_requests_an_hour_are_enough(house: House) -> None:
    await house.time.advance(3601)
    answers = [await house.security.accepts_request("csr") for _ in range(20)]
    assert answers == [True] * 10 + [False] * 10
    await house.time.advance(3601)
    assert await house.security.accepts_request("csr")
