"""The way to a higher profile: step by step, and never locked out."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from hypothesis import given, settings, strategies as st
import pytest

from .guarded import (
    ACCEPTED,
    NO_ANSWER,
    NOT_SUPPORTED,
    REJECTED,
    ROOT,
    TIMED_OUT,
    Guarded,
    House,
    Killed,
    named,
)
from custom_components.ev_charger_hub.station.errors import NotConnected, UpdateRunning
from custom_components.ev_charger_hub.station.firmware import Blocked
from custom_components.ev_charger_hub.station.outcome import Outcome
from custom_components.ev_charger_hub.station.security.kept import Failure, Step
from custom_components.ev_charger_hub.station.transaction import Transaction

WAYS = [
    pytest.param(0, 1, id="password"),
    pytest.param(0, 2, id="encrypted_at_once"),
    pytest.param(1, 2, id="encrypted"),
    pytest.param(2, 3, id="certificate"),
    pytest.param(1, 3, id="the_whole_way"),
]


def guarded(profile: int) -> Guarded:
    """Return a station at a profile."""
    password = "h0" if profile else None
    return Guarded(password=password, profile=profile, told_profile=profile)


async def begun(profile: int, target: int, end_at: int | None = None) -> House:
    """Return a house whose station is on its way."""
    house = House(guarded(profile))
    await house.start(end_at)
    await house.connect()
    await house.security.raise_profile(target)
    await house.live()
    return house


@pytest.mark.parametrize(("profile", "target"), WAYS)
async def test_station_arrives(profile: int, target: int) -> None:
    house = await begun(profile, target)
    assert house.guarded.profile == target
    assert house.security.profile.value == target
    assert house.station.settings.security_profile == target
    assert house.written["security_profile"] == target
    upgrade = house.security.upgrade.value
    assert upgrade is not None
    assert upgrade.step is Step.DONE
    house.guarded.profile = target - 1
    assert not house.lets_in()


async def test_steps_from_password_to_certificate_in_their_order() -> None:
    house = await begun(1, 3)
    assert house.guarded.calls == [
        ("installed", "central_system_root"),
        ("install", ROOT),
        ("SecurityProfile", "2"),
        ("reset", "hard"),
        ("trigger", "SignChargePointCertificate"),
        ("signed", "csr 1"),
        ("SecurityProfile", "3"),
        ("reset", "hard"),
    ]


async def test_root_that_is_there_is_not_installed_again() -> None:
    house = House(guarded(1))
    house.guarded.roots.append(named(ROOT, "SHA256"))
    await house.start()
    await house.connect()
    await house.security.raise_profile(2)
    await house.live()
    assert house.guarded.profile == 2
    assert not house.said("install")


async def test_root_of_somebody_else_is_not_installed() -> None:
    house = House(guarded(1), ours=False)
    await house.start()
    await house.connect()
    await house.security.raise_profile(2)
    await house.live()
    assert house.guarded.profile == 2
    assert not house.said("install")


async def test_both_passwords_are_valid_until_the_new_one_was_used() -> None:
    house = House(guarded(1))
    await house.start()
    await house.connect()
    assert (await house.security.rotate_password()).ok
    assert house.guarded.password == "h1"
    assert house.lets_in()
    house.guarded.password = "h0"
    assert house.lets_in()
    house.guarded.password = "h1"
    await house.reboot()
    assert house.written == {"password_hash": "h1"}
    assert house.security.hashes == ()
    house.guarded.password = "h0"
    assert not house.lets_in()


@pytest.mark.parametrize("answer", [REJECTED, NOT_SUPPORTED])
async def test_refused_password_is_forgotten(answer: Outcome) -> None:
    house = House(guarded(1))
    house.guarded.answers["password"] = answer
    await house.start()
    await house.connect()
    assert await house.security.rotate_password() == answer
    assert house.security.hashes == ()


@pytest.mark.parametrize("answer", [TIMED_OUT, NO_ANSWER])
async def test_password_without_an_answer_stays_valid(answer: Outcome) -> None:
    house = House(guarded(1))
    house.guarded.answers["password"] = answer
    await house.start()
    await house.connect()
    assert await house.security.rotate_password() == answer
    for _ in range(10):
        await house.security.rotate_password()
    assert [*house.security.hashes] == [f"h{number}" for number in range(1, 9)]
    del house.guarded.answers["password"]
    house.guarded.password = "h3"
    await house.reboot()
    assert house.security.hashes == ("h4", "h5", "h6", "h7", "h8")
    assert (await house.security.rotate_password()).ok
    assert list(house.security.hashes) == ["h6", "h7", "h8", "h9"]


async def test_station_may_take_a_password_late() -> None:
    house = House(guarded(1))
    house.guarded.silent.add("password")
    await house.start()
    await house.connect()
    await house.security.rotate_password()
    assert house.guarded.password == "h1"
    house.guarded.answers["password"] = ACCEPTED
    for _ in range(3):
        assert (await house.security.rotate_password()).ok
    await house.reboot()
    house.guarded.password = "h4"
    await house.reboot()
    assert house.security.hashes == ()


async def test_password_that_the_user_sets_while_nothing_runs_takes_the_place() -> None:
    house = House(guarded(1))
    await house.start()
    await house.connect()
    await house.security.rotate_password()
    house.disk = replace(house.disk, password_hash="typed")
    await house.restart(wrote=False)
    assert house.security.hashes == ()
    assert not house.lets_in()
    house.guarded.password = "typed"
    await house.connect()
    assert house.station.settings.password_hash == "typed"


@pytest.mark.parametrize("wrote", [True, False], ids=["written", "unwritten"])
async def test_what_the_user_takes_back_while_nothing_runs_stays_so(
    wrote: bool,
) -> None:
    house = await begun(0, 1)
    await house.live(180)
    house.disk = replace(house.disk, password_hash=None, security_profile=0)
    await house.restart(wrote=wrote)
    assert house.station.settings.password_hash is None
    assert house.station.settings.security_profile == 0


async def test_hub_may_die_twice_before_its_changes_are_on_disk() -> None:
    house = await begun(0, 2)
    for _ in range(2):
        house.security.close()
        await house.time.advance(300)
        await house.restart(wrote=False)
        assert house.station.settings.password_hash == house.guarded.password
        assert house.station.settings.security_profile == 2
    await house.connect()


@pytest.mark.parametrize("wrote", [True, False], ids=["written", "unwritten"])
async def test_hub_may_die_while_a_password_changes(wrote: bool) -> None:
    for end_at in range(20):
        house = House(guarded(1))
        await house.start(end_at)
        with suppress(Killed):
            await house.connect()
            await house.security.rotate_password()
            await house.reboot()
        if not house.wire.dead:
            break
        await house.restart(wrote=wrote)
        await house.connect()
        await house.restart(wrote=wrote)
        await house.connect()
    else:
        raise AssertionError("it never came to its end")
    assert house.guarded.password == "h1"


async def test_password_of_the_user_overrules_ours() -> None:
    house = House(guarded(1))
    await house.start()
    await house.connect()
    await house.security.rotate_password()
    await house.reboot()
    await house.overrule(House(Guarded(password="mine")).disk)
    await house.restart(wrote=False)
    assert house.station.settings.password_hash == "mine"


async def test_password_of_the_user_ends_the_wait_for_ours() -> None:
    house = House(guarded(1))
    await house.start()
    await house.connect()
    await house.security.rotate_password()
    await house.overrule(replace(house.disk, name="Other name"))
    assert house.lets_in()
    await house.overrule(replace(house.disk, password_hash="mine"))
    assert not house.lets_in()
    assert house.security.hashes == ()


REFUSALS = [
    (1, "install", Failure.ROOT_REFUSED),
    (1, "SecurityProfile", Failure.PROFILE_REFUSED),
    (0, "password", Failure.PASSWORD_REFUSED),
    (2, "trigger", Failure.CERTIFICATE_REFUSED),
    (2, "signed", Failure.CERTIFICATE_REFUSED),
]


@pytest.mark.parametrize(("profile", "refused", "failure"), REFUSALS)
async def test_station_that_refuses_stays_as_it_is(
    profile: int, refused: str, failure: Failure
) -> None:
    house = House(guarded(profile))
    house.guarded.answers[refused] = REJECTED
    await house.start()
    await house.connect()
    await house.security.raise_profile(profile + 1)
    await house.live(3600)
    upgrade = house.security.upgrade.value
    assert upgrade is not None
    assert upgrade.failure is failure
    assert house.station.settings.security_profile == profile
    assert not house.said("reset")
    await house.reboot()
    assert house.guarded.profile == profile


@pytest.mark.parametrize(
    "silent", ["install", "SecurityProfile", "trigger", "signed", "reset"]
)
async def test_step_without_an_answer_is_done_again(silent: str) -> None:
    house = House(guarded(1))
    house.guarded.silent.add(silent)
    await house.start()
    await house.connect()
    await house.security.raise_profile(3)
    for _ in range(30):
        await house.live(60)
        if len(house.said(silent)) >= 2:
            house.guarded.silent.clear()
    assert house.guarded.profile == 3
    assert house.station.settings.security_profile == 3


async def test_step_that_never_gets_an_answer_is_given_up() -> None:
    house = House(guarded(1))
    house.guarded.answers["SecurityProfile"] = TIMED_OUT
    await house.start()
    await house.connect()
    await house.security.raise_profile(2)
    await house.live(86400)
    upgrade = house.security.upgrade.value
    assert upgrade is not None
    assert upgrade.failure is Failure.GAVE_UP
    assert len(house.said("SecurityProfile")) < 12


async def test_station_that_falls_back_is_told_once_more() -> None:
    house = House(guarded(1))
    house.guarded.falls_back = 1
    await house.start()
    await house.connect()
    await house.security.raise_profile(2)
    await house.live()
    assert house.guarded.profile == 2
    assert house.said("SecurityProfile") == ["2", "2"]


@pytest.mark.parametrize("tells", [True, False])
async def test_station_that_always_falls_back_is_left_alone(tells: bool) -> None:
    house = House(guarded(1))
    house.guarded.falls_back = 100
    house.guarded.tells_profile = tells
    await house.start()
    await house.connect()
    await house.security.raise_profile(2)
    await house.live(86400)
    upgrade = house.security.upgrade.value
    assert upgrade is not None
    assert upgrade.failure is Failure.FELL_BACK
    assert house.station.settings.security_profile == 1
    assert len(house.said("reset")) == 2


async def test_station_that_arrives_after_all_is_pinned() -> None:
    house = House(guarded(1))
    house.guarded.falls_back = 2
    await house.start()
    await house.connect()
    await house.security.raise_profile(2)
    await house.live()
    house.guarded.told_profile = 2
    await house.reboot()
    assert house.station.settings.security_profile == 2
    upgrade = house.security.upgrade.value
    assert upgrade is not None
    assert upgrade.step is Step.DONE


async def test_station_that_does_not_restart_is_told_again() -> None:
    house = House(guarded(1))
    house.guarded.answers["reset"] = [REJECTED, REJECTED]
    await house.start()
    await house.connect()
    await house.security.raise_profile(2)
    await house.live()
    assert house.said("reset") == ["hard", "soft"]
    assert house.guarded.profile == 1
    await house.live(301)
    assert house.guarded.profile == 2


@pytest.mark.parametrize(("offered", "target"), [(0, 1), (1, 2), (2, 3)])
async def test_station_is_not_sent_where_nobody_lets_it_in(
    offered: int, target: int
) -> None:
    house = House(guarded(offered))
    house.offered = offered
    await house.start()
    await house.connect()
    await house.security.raise_profile(target)
    await house.live(86400)
    upgrade = house.security.upgrade.value
    assert upgrade is not None
    assert upgrade.failure is Failure.NOT_OFFERED
    assert not house.guarded.calls


async def test_server_may_change_while_a_station_charges() -> None:
    house = House(guarded(1))
    await house.start()
    end = charging(house)
    await house.connect()
    await house.security.raise_profile(2)
    await house.live(3600)
    house.offered = 1
    end()
    await house.live(86400)
    assert not house.said("reset")
    assert house.guarded.profile == 1


async def test_user_may_take_the_password_back_meanwhile() -> None:
    house = House(guarded(1))
    await house.start()
    end = charging(house)
    await house.connect()
    await house.security.raise_profile(2)
    await house.live(3600)
    await house.overrule(
        replace(house.station.settings, password_hash=None, security_profile=0)
    )
    end()
    await house.live(86400)
    assert house.guarded.profile == 2
    assert house.security.profile.value == 2
    assert house.station.settings.security_profile == 2
    assert len(house.said("reset")) == 2


def charging(house: House) -> Callable[[], None]:
    """Let a vehicle charge; return what ends that."""
    evse = house.station.evse(1)
    evse.session.set(
        Transaction(
            key=1,
            identity="CP1",
            transaction_id="7",
            evse_id=1,
            id_token="TAG",
            started_at=house.time.now,
            received_at=house.time.now,
        )
    )

    def end() -> None:
        evse.session.set(None)

    return end


async def test_charging_is_not_interrupted() -> None:
    house = House(guarded(1))
    await house.start()
    end = charging(house)
    await house.connect()
    await house.security.raise_profile(2)
    await house.live(86400)
    assert not house.said("reset")
    end()
    await house.live(301)
    assert house.guarded.profile == 2


class Updating:
    """Firmware that is being installed, or is not."""

    running = True

    def check(self, what: Blocked) -> None:
        """Raise if a restart would disturb it."""
        if self.running and what is Blocked.RESET:
            raise UpdateRunning


async def test_update_of_firmware_is_not_interrupted() -> None:
    house = House(guarded(1))
    await house.start()
    firmware = Updating()
    house.station.firmware = cast(Any, firmware)
    await house.connect()
    await house.security.raise_profile(2)
    await house.live(3600)
    assert not house.said("reset")
    firmware.running = False
    await house.live(301)
    assert house.guarded.profile == 2


async def test_wish_for_the_present_profile_ends_what_is_under_way() -> None:
    house = House(guarded(1))
    house.guarded.answers["SecurityProfile"] = TIMED_OUT
    await house.start()
    await house.connect()
    await house.security.raise_profile(2)
    await house.live()
    await house.security.raise_profile(1)
    del house.guarded.answers["SecurityProfile"]
    await house.live(86400)
    assert house.security.upgrade.value is None
    assert len(house.said("SecurityProfile")) == 1


async def test_floor_that_the_user_lowers_stays_low() -> None:
    house = await begun(1, 2)
    house.write()
    await house.overrule(House(Guarded(password="h0")).disk)
    await house.reboot()
    assert house.station.settings.security_profile == 1
    await house.restart(wrote=False)
    assert house.station.settings.security_profile == 1


async def moments(profile: int, target: int) -> int:
    """Return in how many moments a hub could die on the way."""
    return (await begun(profile, target)).wire.moments


async def finished(house: House, target: int, *, wrote: bool) -> None:
    """Let hubs that live take the station to its end, or begin anew."""
    await house.restart(wrote=wrote)
    await house.connect()
    await house.live(3600)
    if house.security.upgrade.value is None:
        # It died before it knew the wish.
        await house.security.raise_profile(target)
        await house.live(3600)
    assert house.guarded.profile == target
    assert house.station.settings.security_profile == target
    await house.restart(wrote=wrote)
    assert house.station.settings.security_profile == target
    await house.connect()


@pytest.mark.parametrize("wrote", [True, False], ids=["written", "unwritten"])
@pytest.mark.parametrize(("profile", "target"), WAYS)
async def test_hub_may_die_at_any_moment(
    profile: int, target: int, wrote: bool
) -> None:
    for end_at in range(await moments(profile, target)):
        house = House(guarded(profile))
        await house.start(end_at)
        with suppress(Killed):
            await house.connect()
            await house.security.raise_profile(target)
        await house.live()
        assert house.wire.dead
        await finished(house, target, wrote=wrote)


@settings(max_examples=60, deadline=None)
@given(
    way=st.sampled_from([(0, 1), (0, 3), (1, 2), (1, 3), (2, 3)]),
    deaths=st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=4),
    lost=st.integers(0, 2),
)
async def test_hubs_may_die_again_and_again(
    way: tuple[int, int], deaths: list[tuple[int, bool]], lost: int
) -> None:
    profile, target = way
    house = House(guarded(profile))
    house.guarded.falls_back = lost if lost < 2 else 0
    await house.start()
    await house.connect()
    await house.security.raise_profile(target)
    for end_at, wrote in deaths:
        with suppress(Killed):
            await house.restart(wrote=wrote, end_at=end_at)
            await house.connect()
        await house.live(400)
        house.guarded.rebooting = False
        house.guarded.profile = house.guarded.told_profile
    await house.restart(wrote=True)
    await house.connect()
    await house.live(3600)
    upgrade = house.security.upgrade.value
    if upgrade is not None and upgrade.failure is not None:
        await house.security.raise_profile(target)
        await house.live(3600)
    assert house.guarded.profile == target


async def test_nothing_is_written_of_a_station_that_may_be_forgotten() -> None:
    house = await begun(1, 2)
    kept = dict(house.journal.facts)
    house.security.close()
    with pytest.raises(NotConnected):
        await house.security.rotate_password()
    house.security.attached(3, None)
    await house.live(120)
    assert house.journal.facts == kept
