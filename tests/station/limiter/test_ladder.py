"""The ladder: what is tried when a charger refuses, and what is remembered of it."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from .house import NOT_SUPPORTED, House, ampere, watt
from custom_components.ev_charger_hub.station.enums import RateUnit
from custom_components.ev_charger_hub.station.limiter.learnt import (
    Learnt,
    Verdict,
    recalled,
)
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from custom_components.ev_charger_hub.station.profiles.model import (
    ChargingProfile,
    Kind,
    ProfileCriteria,
    Purpose,
)

TX, TX_DEFAULT, STATION_MAX = Purpose.TX, Purpose.TX_DEFAULT, Purpose.STATION_MAX

type Refuses = Callable[[ChargingProfile], bool]


def purpose(*purposes: Purpose) -> Refuses:
    """Return what refuses profiles of some purposes."""
    return lambda profile: profile.purpose in purposes


def fraction(profile: ChargingProfile) -> bool:
    """Refuse what is no whole number."""
    value = profile.schedule.periods[0].limit
    return value != value.to_integral_value()


def ampere_only(profile: ChargingProfile) -> bool:
    """Refuse watt."""
    return profile.schedule.unit is RateUnit.WATT


def watt_only(profile: ChargingProfile) -> bool:
    """Refuse ampere."""
    return profile.schedule.unit is RateUnit.AMPERE


def stacked(profile: ChargingProfile) -> bool:
    """Refuse every stack level but 0."""
    return profile.stack_level > 0


def absolute(profile: ChargingProfile) -> bool:
    """Refuse what is not relative."""
    return profile.kind is not Kind.RELATIVE


@pytest.mark.parametrize(
    ("refuses", "wanted", "offered", "fact", "value"),
    [
        (fraction, "13.8", 13, "decimals", False),
        (stacked, "13", 13, "stack_level", 0),
        (absolute, "13", 13, "kind", Kind.RELATIVE),
        (lambda one: fraction(one) or stacked(one), "13.8", 13, "decimals", False),
    ],
)
async def test_what_a_charger_insists_on_is_found_out_once(
    refuses: Refuses, wanted: str, offered: int, fact: str, value: object
) -> None:
    house = House()
    house.charger.refuses = refuses
    await house.begin()
    assert (await house.want(ampere(wanted))).ok
    assert house.charger.offered() == offered
    assert getattr(house.limiter.learnt, fact) == value
    tries = len(house.sets())
    assert tries > 1
    await house.want(ampere("14.7"))
    assert len(house.sets()) == tries + 1
    await house.restart()
    await house.want(ampere("15.7"))
    assert len(house.sets()) == 1


@pytest.mark.parametrize(
    ("refuses", "unit"), [(watt_only, RateUnit.WATT), (ampere_only, RateUnit.AMPERE)]
)
async def test_a_unit_that_a_charger_does_not_tell_is_found_out(
    refuses: Refuses, unit: RateUnit
) -> None:
    house = House()
    house.charger.profile_support = replace(house.charger.profile_support, units=None)
    house.charger.refuses = refuses
    await house.begin()
    assert (await house.want(watt(6900))).ok
    assert house.charger.offered() == 10
    assert house.limiter.learnt.unit is unit
    await house.want(watt(8280))
    assert house.sets()[-1].schedule.unit is unit
    assert house.charger.offered() == 12


async def test_a_refused_purpose_is_not_tried_again_before_new_firmware() -> None:
    house = House()
    house.charger.refuses = purpose(TX)
    await house.begin()
    assert (await house.want(ampere(10))).ok
    assert house.charger.offered() == 10
    assert house.limiter.learnt.purposes == {
        TX: Verdict.REFUSED,
        TX_DEFAULT: Verdict.ACCEPTED,
    }
    house.charger.sent.clear()
    await house.want(ampere(12))
    assert house.steps() == [TX_DEFAULT]

    house.info = replace(house.info, firmware="2.0")
    house.charger.refuses = lambda profile: False
    await house.restart(set_up=False)
    assert house.limiter.learnt == Learnt(charger=("V", "M", "2.0", None))
    await house.want(ampere(14))
    assert house.steps()[0] is TX


async def test_what_was_learnt_comes_back_when_the_firmware_is_told_late() -> None:
    house = House()
    house.charger.refuses = stacked
    await house.want(ampere(10))
    info, house.info = house.info, replace(house.info, vendor=None)
    await house.restart(set_up=False)
    assert house.limiter.learnt.stack_level is None
    house.station.info.set(info)
    assert house.limiter.learnt.stack_level == 0


@pytest.mark.parametrize("kept", [None, 5, {}, {"charger": ["V", "M", "1"]}])
def test_nonsense_is_nothing_learnt(kept: object) -> None:
    assert recalled(kept, ("V", "M", "1")) == Learnt(charger=("V", "M", "1"))


async def test_a_refused_ladder_names_every_answer_and_is_climbed_anew() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(16))
    house.charger.sent.clear()
    house.charger.refuses = lambda one: one.schedule.periods[0].limit != 16
    outcome = await house.want(ampere("10.5"))
    assert outcome.status is OutcomeStatus.REJECTED
    for one in (
        "TxProfile in A, level 5: Rejected",
        "TxProfile in A, whole, level 5: Rejected",
        "TxDefaultProfile in A, level 5: Rejected",
        "TxDefaultProfile in A, whole, level 5: Rejected",
        "ChargingStationMaxProfile in A, level 5: Rejected",
        "ChargingStationMaxProfile in A, whole, level 5: Rejected",
    ):
        assert one in outcome.detail
    assert house.wanted == ampere(16)
    assert house.charger.offered() == 16
    assert Verdict.REFUSED not in house.limiter.learnt.purposes.values()
    house.charger.refuses = lambda profile: False
    assert (await house.want(ampere(10))).ok
    assert house.steps()[-1] is TX


async def test_what_is_not_supported_is_not_tried_in_other_ways() -> None:
    house = House()
    house.charger.answer = NOT_SUPPORTED
    outcome = await house.want(ampere("10.5"))
    assert outcome.status is OutcomeStatus.NOT_SUPPORTED
    assert house.steps() == [TX_DEFAULT, STATION_MAX]


async def test_an_ignored_profile_leads_to_the_next_until_none_is_left() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(10))
    expected: list[object] = [TX]
    for following in ([TX_DEFAULT, 3001], [STATION_MAX, 2001]):
        house.limiter.ignored(1)
        await house.time.advance(0)
        expected += following
        assert house.steps() == expected
    applied = house.limiter.applied(1)
    assert applied is not None
    assert (applied.purpose, applied.profile_id) == (STATION_MAX, 1000)
    house.limiter.ignored(1)
    await house.time.advance(0)
    assert house.steps() == expected
    assert house.station.findings["ignored"] == (
        "ChargingStationMaxProfile ignored; TxDefaultProfile ignored; TxProfile ignored"
    )
    await house.want(ampere(12))
    assert "ignored" not in house.station.findings


async def test_what_ignored_a_limit_is_not_the_first_choice_after_a_restart() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(10))
    house.limiter.ignored(1)
    await house.time.advance(0)
    await house.end()
    await house.restart()
    await house.begin()
    await house.want(ampere(12))
    assert house.steps() == [TX_DEFAULT]
    assert house.limiter.learnt.purposes[TX] is Verdict.IGNORED


async def test_a_second_tx_profile_that_is_refused_replaces_by_clearing() -> None:
    house = House()
    house.charger.one_tx = True
    await house.begin()
    await house.want(ampere(10))
    assert (await house.want(ampere(12))).ok
    assert house.steps() == [TX, TX, 3001, TX]
    assert house.limiter.learnt.replaces_by_clearing
    assert (await house.want(ampere(14))).ok
    assert house.steps()[4:] == [3001, TX]
    assert house.charger.offered() == 14


async def test_what_is_refused_for_another_reason_leaves_the_old_profile() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(10))
    house.charger.refuses = lambda profile: profile.schedule.periods[0].limit == 12
    outcome = await house.want(ampere(12))
    assert outcome.status is OutcomeStatus.REJECTED
    assert house.charger.offered() == 10
    assert house.wanted == ampere(10)
    assert house.limiter.learnt.replaces_by_clearing is False
    assert house.steps() == [TX, TX, 3001, TX, TX, TX_DEFAULT, STATION_MAX]


async def test_the_quirk_replaces_by_clearing_from_the_start() -> None:
    house = House()
    house.charger.profile_support = replace(
        house.charger.profile_support,
        max_stack_level=0,
        only_absolute=True,
        replaces_by_clearing=True,
        settling=180,
    )
    house.charger.one_tx = True
    await house.begin()
    await house.want(ampere(10))
    await house.want(ampere(12))
    assert house.steps() == [TX, 3001, TX]
    assert {one.stack_level for one in house.sets()} == {0}
    # After a restart nobody is sure what is there.
    house.journal.facts.pop(("CP1", "profiles"))
    await house.restart(set_up=False)
    await house.want(ampere(14))
    assert house.steps() == [3001, TX]


async def test_the_same_limit_is_not_sent_again_while_it_may_take_its_time() -> None:
    house = House()
    house.charger.profile_support = replace(house.charger.profile_support, settling=180)
    house.charger.lag = 90
    await house.begin()
    outcome = await house.want(ampere(10))
    assert outcome.status is OutcomeStatus.ACCEPTED
    await house.want(ampere(10))
    await house.time.advance(300)
    assert house.steps() == [TX]
    assert house.limiter.composites[1].periods[0].limit == Decimal(10)


async def test_the_limit_of_the_whole_charger_is_its_maximum() -> None:
    house = House()
    house.charger.profile_support = replace(house.charger.profile_support, evses=2)
    house.station.evse(2)
    await house.want(ampere(20), evse_id=0)
    await house.begin()
    await house.want(ampere(10))
    assert house.steps() == [STATION_MAX, TX]
    assert [house.charger.offered(one) for one in (1, 2)] == [10, 20]
    await house.want(None, evse_id=0)
    assert house.steps()[2:] == [1000]
    assert [house.charger.offered(one) for one in (1, 2)] == [10, 32]


async def test_a_station_that_does_not_know_its_transaction_yet_teaches_nothing() -> (
    None
):
    house = House()
    house.charger.refuses = lambda one: one.stack_level > 0
    await house.begin()
    assert (await house.limiter.request(1, ampere(10))).ok
    assert house.sets()[-1].stack_level == 0
    assert house.limiter.learnt.stack_level is None
    house.charger.refuses = lambda profile: False
    await house.want(ampere(12))
    assert house.sets()[-1].stack_level == 5
    assert house.limiter.learnt.stack_level == 5


async def test_a_station_has_two_seconds_to_take_note_of_its_transaction() -> None:
    house = House()
    await house.begin()
    await house.want(ampere(10))
    await house.end()
    await house.want(ampere(12))
    house.charger.profiles.clear()
    await house.ledger.forget(ProfileCriteria())
    house.charger.sent.clear()
    transaction = await house.begin(wait=0)
    await house.time.advance(1)
    assert house.steps() == []
    await house.time.advance(1)
    assert house.steps() == [TX]
    assert house.sets()[0].transaction_id == transaction.transaction_id
