"""Ways to dial (2.x): to a higher profile, to another address, and back again."""

from contextlib import suppress

import pytest

from .guarded import (
    NOT_SUPPORTED,
    NOT_YET,
    REJECTED,
    TIMED_OUT,
    Guarded,
    House,
    Killed,
    Networks,
)
from .test_upgrade import WAYS
from custom_components.ev_charger_hub.station.networks import NetworkSlots
from custom_components.ev_charger_hub.station.security.kept import (
    Failure,
    Step,
    Upgrade,
)
from custom_components.ev_charger_hub.station.security.ports import SignedChain

ELSEWHERE = "ws://other:9000"


def networked(profile: int, networks: Networks | None = None) -> Guarded:
    """Return a station of 2.x at a profile."""
    return Guarded(
        password="h0" if profile else None,
        profile=profile,
        told_profile=profile,
        networks=networks or Networks.at(profile),
    )


async def connected(guarded: Guarded, end_at: int | None = None) -> House:
    """Return a house whose station is there."""
    house = House(guarded)
    await house.start(end_at)
    await house.connect()
    return house


def way_of(house: House) -> Upgrade:
    """Return how far the station got."""
    upgrade = house.security.upgrade.value
    assert upgrade is not None
    return upgrade


def networks_of(house: House) -> Networks:
    """Return how the station dials."""
    assert house.guarded.networks is not None
    return house.guarded.networks


@pytest.mark.parametrize(("profile", "target"), WAYS)
async def test_station_arrives(profile: int, target: int) -> None:
    house = await connected(networked(profile))
    await house.security.raise_profile(target)
    await house.live()
    assert house.guarded.profile == target
    assert house.station.settings.security_profile == target
    assert way_of(house).step is Step.DONE
    assert not house.said("SecurityProfile")


@pytest.mark.parametrize("slow", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("speaks", ["1.6", "2.x"])
@pytest.mark.parametrize(("profile", "target"), WAYS)
async def test_station_that_takes_nothing_before_its_boot_arrives(
    profile: int, target: int, speaks: str, slow: bool
) -> None:
    guarded = networked(profile)
    guarded.shy, guarded.slow = True, slow
    if speaks == "1.6":
        guarded.networks = None
    house = await connected(guarded)
    await house.security.raise_profile(target)
    await house.live()
    assert house.guarded.profile == target
    assert way_of(house).step is Step.DONE


@pytest.mark.parametrize("name", ["password", "install", "trigger", "network"])
async def test_station_that_never_takes_anything_stays_as_it_is(name: str) -> None:
    guarded = networked(0)
    guarded.answers[name] = NOT_YET
    house = await connected(guarded)
    await house.security.raise_profile(3)
    await house.live(3600)
    assert way_of(house).failure is Failure.GAVE_UP


async def test_station_that_forgets_its_request_gets_another_certificate() -> None:
    """What it asked for before it began anew is refused, and that is not the end."""
    house = await connected(networked(2))
    assert house.notary is not None
    sign = house.notary.sign

    async def restarted_meanwhile(csr: str) -> SignedChain:
        house.notary.sign = sign  # type: ignore[method-assign,union-attr]
        house.station.reconnects.set(2)
        house.security.attached(2, "h0")
        return await sign(csr)

    house.notary.sign = restarted_meanwhile  # type: ignore[method-assign]
    house.guarded.answers["signed"] = [REJECTED]
    await house.security.raise_profile(3)
    await house.live()
    assert house.guarded.profile == 3
    assert house.said("signed") == ["csr 1", "csr 2"]


async def test_steps_in_their_order() -> None:
    house = await connected(networked(1))
    await house.security.raise_profile(3)
    await house.live()
    told = [one for one in house.guarded.calls if one[0] in {"network", "priority"}]
    assert told == [
        ("network", "2 wss://hub 2"),
        ("priority", "2,1"),
        # There are two slots only: the one that is not in use is given up first.
        ("priority", "2"),
        ("network", "1 wss://hub 3"),
        ("priority", "1,2"),
    ]


@pytest.mark.parametrize(
    ("slots", "spare"),
    [
        (NetworkSlots(priority=(1,), active=1, allowed=(1, 2)), 2),
        (NetworkSlots(priority=(2, 1), active=1, allowed=(1, 2)), 2),
        (NetworkSlots(priority=(2, 1), active=2, allowed=(1, 2)), 1),
        (NetworkSlots(priority=(2, 1), active=2, allowed=(1, 2, 3)), 3),
        (NetworkSlots(priority=(1, 4), active=1), 5),
        (NetworkSlots(priority=(2, 1), allowed=(1, 2)), 1),
        (NetworkSlots(priority=(1,), active=1, allowed=(1,)), None),
        (NetworkSlots(active=3, allowed=(1, 3)), 1),
        (NetworkSlots(allowed=(1, 2)), None),
    ],
)
def test_way_in_use_is_never_overwritten(
    slots: NetworkSlots, spare: int | None
) -> None:
    assert slots.spare == spare


@pytest.mark.parametrize("refused", ["network", "priority"])
@pytest.mark.parametrize("answer", [REJECTED, NOT_SUPPORTED])
async def test_station_that_refuses_stays_as_it_is(
    refused: str, answer: object
) -> None:
    house = await connected(networked(1))
    house.guarded.answers[refused] = answer  # type: ignore[assignment]
    await house.security.raise_profile(2)
    await house.live(3600)
    assert way_of(house).failure is Failure.PROFILE_REFUSED
    assert not house.said("reset")
    assert networks_of(house).priority == [1]


async def test_station_without_a_place_stays_as_it_is() -> None:
    house = await connected(networked(1, Networks.at(1, allowed=(1,))))
    await house.security.raise_profile(2)
    await house.live(3600)
    assert way_of(house).failure is Failure.NO_SLOT
    assert not house.said("network")


@pytest.mark.parametrize("silent", ["slots", "network", "priority", "reset"])
async def test_step_without_an_answer_is_done_again(silent: str) -> None:
    house = await connected(networked(1))
    house.guarded.silent.add(silent)
    await house.security.raise_profile(2)
    for _ in range(30):
        await house.live(60)
        if len(house.said(silent)) >= 2:
            house.guarded.silent.clear()
    assert house.guarded.profile == 2


async def test_station_that_falls_back_dials_as_before() -> None:
    networks = Networks.at(1, unreachable={"wss://hub"})
    house = await connected(networked(1, networks))
    await house.security.raise_profile(2)
    await house.live(86400)
    assert way_of(house).failure is Failure.FELL_BACK
    assert networks.priority == [1]
    assert house.guarded.profile == 1
    assert len(house.said("reset")) == 2


async def test_station_moves_to_another_address() -> None:
    house = await connected(networked(1))
    await house.security.move(ELSEWHERE)
    await house.live()
    networks = networks_of(house)
    assert way_of(house).step is Step.DONE
    assert networks.way.url == ELSEWHERE
    # It was seen there: what it dialled before is given up.
    assert networks.priority == [2]
    assert house.station.settings.security_profile == 1


async def test_old_address_stays_until_the_station_was_seen_at_the_new_one() -> None:
    house = await connected(networked(1))
    house.guarded.answers["reset"] = TIMED_OUT
    await house.security.move(ELSEWHERE)
    await house.live()
    assert networks_of(house).priority == [2, 1]
    assert way_of(house).step is Step.ARRIVAL


async def test_station_that_reaches_nobody_there_comes_back() -> None:
    networks = Networks.at(1, unreachable={ELSEWHERE})
    house = await connected(networked(1, networks))
    await house.security.move(ELSEWHERE)
    await house.live(86400)
    assert way_of(house).failure is Failure.FELL_BACK
    assert networks.priority == [1]
    assert networks.way.url == "ws://hub"


async def test_station_that_does_not_tell_its_way_is_known_by_the_address() -> None:
    house = await connected(networked(1, Networks.at(1, tells_active=False)))
    await house.security.move("ws://hub/ocpp")
    await house.live()
    assert way_of(house).step is Step.DONE


async def test_move_goes_on_without_profiles_that_the_server_offers() -> None:
    house = await connected(networked(1))
    house.offered = 0
    await house.security.move(ELSEWHERE)
    await house.live()
    assert way_of(house).step is Step.DONE


async def test_move_of_a_station_that_speaks_1_6_by_now_is_given_up() -> None:
    house = await connected(networked(1))
    house.link.networks = None
    await house.security.move(ELSEWHERE)
    await house.live()
    assert way_of(house).failure is Failure.PROFILE_REFUSED


@pytest.mark.parametrize("wrote", [True, False], ids=["written", "unwritten"])
@pytest.mark.parametrize(("profile", "target"), WAYS)
async def test_hub_may_die_at_any_moment(
    profile: int, target: int, wrote: bool
) -> None:
    for end_at in range(1000):
        house = House(networked(profile))
        await house.start(end_at)
        with suppress(Killed):
            await house.connect()
            await house.security.raise_profile(target)
        await house.live()
        if not house.wire.dead:
            break
        await house.restart(wrote=wrote)
        await house.connect()
        await house.live(3600)
        if house.security.upgrade.value is None:
            await house.security.raise_profile(target)
            await house.live(3600)
        assert house.guarded.profile == target
        assert house.station.settings.security_profile == target
    assert end_at > 10


async def test_hub_may_die_at_any_moment_of_a_move() -> None:
    for end_at in range(1000):
        house = House(networked(1))
        await house.start(end_at)
        with suppress(Killed):
            await house.connect()
            await house.security.move(ELSEWHERE)
        await house.live()
        if not house.wire.dead:
            break
        await house.restart(wrote=True)
        await house.connect()
        await house.live(3600)
        if house.security.upgrade.value is None:
            await house.security.move(ELSEWHERE)
            await house.live(3600)
        assert networks_of(house).way.url == ELSEWHERE
        assert networks_of(house).priority == [2]
    assert end_at > 5
