"""What a station shows of its security counts, and may be held to."""

from datetime import timedelta

from .guarded import Guarded, House
from custom_components.ev_charger_hub.station.security.kept import (
    ClientCertificate,
    Failure,
)

DAY = 86400


async def encrypted(floor: int) -> House:
    """Return a house whose station uses profile 2, and is held to another."""
    house = House(Guarded(profile=2, told_profile=2), security_profile=floor)
    await house.start()
    await house.connect()
    return house


async def test_station_that_is_encrypted_for_a_day_could_be_held_to_it() -> None:
    house = await encrypted(0)
    await house.live(DAY - 60)
    early = house.security.unpinned
    await house.live(60)
    assert early is None
    assert house.security.unpinned == 2
    await house.restart(wrote=True)
    await house.connect()
    assert house.security.unpinned == 2
    assert house.station.settings.security_profile == 0


async def test_station_that_is_encrypted_now_and_then_is_not() -> None:
    house = await encrypted(0)
    await house.live(DAY)
    house.guarded.told_profile = 1
    await house.reboot()
    assert house.security.unpinned is None
    house.guarded.told_profile = 2
    await house.reboot()
    assert house.security.unpinned is None


async def test_station_that_is_held_to_its_profile_already_is_not() -> None:
    house = await encrypted(2)
    await house.live(DAY)
    assert house.security.unpinned is None


async def test_certificate_that_a_station_shows_counts() -> None:
    house = House(Guarded(profile=3, told_profile=3, certificate="a"))
    await house.start()
    now = house.time()
    house.shown = ClientCertificate(
        serial="ab", issued=now - timedelta(days=710), expires=now + timedelta(days=20)
    )
    await house.connect()
    await house.live()
    # It takes the new one, and goes on with its own.
    assert house.security.certificate.value != house.shown
    asked = len(house.said("trigger"))
    assert asked == 1
    for _ in range(5):
        await house.reboot()
        await house.live()
    assert house.security.certificate.value == house.shown
    assert len(house.said("trigger")) == asked
    await house.live(DAY + 1)
    assert len(house.said("trigger")) == asked + 1


async def test_request_that_cannot_be_signed_ends_the_way() -> None:
    house = House(Guarded(profile=2, told_profile=2))
    await house.start()
    assert house.notary is not None
    house.notary.problem = "wrong_name"
    await house.connect()
    await house.security.raise_profile(3)
    await house.live(DAY)
    upgrade = house.security.upgrade.value
    assert upgrade is not None
    assert upgrade.failure is Failure.REQUEST_REFUSED
    assert len(house.said("trigger")) == 1
