"""A station with one limit that it tells back: what is written, kept and believed."""

from datetime import timedelta
from decimal import Decimal
import json
from typing import Any, cast

import pytest

from .house import ACCEPTED, House, ampere
from custom_components.ev_charger_hub.station.enums import LimitedBy, RateUnit
from custom_components.ev_charger_hub.station.errors import JournalError, NotConnected
from custom_components.ev_charger_hub.station.limiter.plain import FACT
from custom_components.ev_charger_hub.station.limiter.watch import Watch
from custom_components.ev_charger_hub.station.limits import LimitError
from custom_components.ev_charger_hub.station.link import Capability, Limit, LinkKind
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus


class Meter:
    """A link whose limit is a number, and which does at once what it is told."""

    kind = LinkKind.EASEE
    capabilities = frozenset({Capability.LIMIT, Capability.SINGLE_LIMIT})
    limit_afterwards: Decimal | None = None

    def __init__(self) -> None:
        """Let everything flow."""
        self.connected = True
        self.answers = True
        self.transactions: dict[int, str] = {}
        self.profiles: dict[int, Any] = {}
        self.limit_in_force: Decimal | None = Decimal(32)
        self.limit_written: Decimal | None = None
        self.asked: list[Any] = []

    async def set_limit(
        self, evse_id: int, limit: Limit, lasts: int | None = None
    ) -> Outcome:
        """Take a number."""
        if not self.answers:
            raise NotConnected
        self.asked.append((evse_id, limit.value, lasts))
        self.limit_in_force = self.limit_written = limit.value
        return ACCEPTED

    async def clear_limit(self, evse_id: int) -> Outcome:
        """Let everything flow again."""
        self.asked.append((evse_id, None, None))
        self.limit_in_force, self.limit_written = Decimal(32), None
        return ACCEPTED


@pytest.fixture
def meter() -> Meter:
    """Return the link."""
    return Meter()


@pytest.fixture
def house(meter: Meter) -> House:
    """Return a house whose charger has one limit."""
    house = House()
    house.charger = cast(Any, meter)
    house.station.links = [cast(Any, meter)]
    return house


async def restart(house: House, meter: Meter) -> None:
    """Let Home Assistant come back; the link has written nothing then."""
    await house.kill()
    meter.asked.clear()
    meter.limit_written = None
    house._start()
    await house.limiter.load()
    await house.time.advance(20)


async def test_the_limit_of_the_station_is_that_of_its_evse(
    house: House, meter: Meter
) -> None:
    await house.limiter.request(0, ampere(10))
    assert meter.asked == [(1, 10, None)]
    assert house.wanted == ampere(10)
    assert house.limiter.goal(0) is None


async def test_watts_are_told_in_ampere_rounded_down(
    house: House, meter: Meter
) -> None:
    watts = Limit(value=Decimal(7000), unit=RateUnit.WATT)
    await house.limiter.request(1, watts)
    assert meter.asked == [(1, Decimal("10.1"), None)]


async def test_a_restart_sends_nothing_if_the_limit_holds(
    house: House, meter: Meter
) -> None:
    await house.want(ampere(10))
    await restart(house, meter)
    assert meter.asked == []
    applied = house.limiter.applied(1)
    assert applied is not None
    assert applied.limit == ampere(10)


async def test_a_restart_makes_hold_what_was_lost(house: House, meter: Meter) -> None:
    await house.want(ampere(10))
    meter.limit_in_force = Decimal(32)
    await restart(house, meter)
    assert meter.asked == [(1, 10, None)]


async def test_a_restart_takes_back_what_is_wanted_no_longer(
    house: House, meter: Meter
) -> None:
    await house.limiter.request(1, ampere(10), duration=timedelta(minutes=5))
    await house.kill()
    await house.time.advance(600)
    await restart(house, meter)
    assert meter.asked == [(1, None, None)]


async def test_a_restart_leaves_what_others_have_set(
    house: House, meter: Meter
) -> None:
    meter.limit_in_force = Decimal(13)
    await restart(house, meter)
    assert meter.asked == []


@pytest.mark.parametrize(
    "kept", ["x", [], {"1": "x"}, {"1": ["x", None]}, {"x": ["8", None]}, {"1": []}]
)
async def test_nonsense_in_the_journal_is_nothing(
    house: House, meter: Meter, kept: Any
) -> None:
    await house.want(ampere(10))
    house.journal.facts["CP1", FACT] = json.dumps(kept)
    await restart(house, meter)
    assert meter.asked == []
    assert house.wanted == ampere(10)


async def test_what_cannot_be_written_down_is_not_sent(
    house: House, meter: Meter
) -> None:
    await house.want(ampere(16))
    store = house.journal.store

    async def broken(identity: str, name: str, value: Any) -> None:
        if name == FACT:
            raise JournalError
        await store(identity, name, value)

    house.journal.store = broken  # type: ignore[method-assign]
    with pytest.raises(JournalError):
        await house.want(ampere(10))
    assert meter.limit_in_force == 16
    assert house.wanted == ampere(16)


async def test_a_limit_that_is_due_while_the_cloud_is_away_is_sent_later(
    house: House, meter: Meter
) -> None:
    await house.want(ampere(10))
    meter.answers = False
    meter.limit_in_force = Decimal(32)
    house.limiter.reported.lost(1, natural=True)
    await house.time.advance(100)
    meter.answers = True
    await house.time.advance(31)
    assert meter.limit_in_force == 10


async def test_a_station_that_cannot_switch_phases_says_so(house: House) -> None:
    with pytest.raises(LimitError):
        await house.limiter.request_phases(1, 1)


async def test_a_pause_that_ends_a_session_does_not_forbid_pauses(
    house: House,
) -> None:
    await house.begin()
    await house.limiter.pause(1)
    await house.time.advance(5)
    await house.end(reason=cast(Any, None))
    assert not house.limiter.learnt.zero_ends_transaction


async def test_more_than_ours_for_a_minute_is_not_followed(
    house: House, meter: Meter
) -> None:
    evse = house.station.evse(1)
    watch = Watch(
        house.station, house.limiter, house.time, call_later=house.time.call_later
    )
    await house.want(ampere(10))
    evse.known_limits.set({LimitedBy.OUR_LIMIT: Decimal(25)})
    await house.time.advance(30)
    assert not bool(evse.limit_ignored.value)
    await house.time.advance(31)
    assert bool(evse.limit_ignored.value)
    assert evse.limited_by.value is LimitedBy.EXTERNAL
    evse.known_limits.set({LimitedBy.OUR_LIMIT: Decimal(10)})
    assert not bool(evse.limit_ignored.value)
    watch.close()


async def test_a_renewal_that_fails_is_tried_again(meter: Meter) -> None:
    house = House(fallback_current=8)
    house.station.links = [cast(Any, meter)]
    await house.want(ampere(20))
    assert meter.asked[-1] == (1, 20, 600)
    meter.asked.clear()
    meter.answers = False
    await house.time.advance(310)
    meter.answers = True
    await house.time.advance(31)
    assert meter.asked == [(1, 20, 600)]
    expires = house.limiter.applied(1)
    assert expires is not None
    assert expires.expires_at is not None
    assert expires.expires_at > house.time.now + timedelta(seconds=500)


async def test_what_stays_after_a_refused_limit_is_the_one_before(
    house: House, meter: Meter
) -> None:
    await house.want(ampere(16))

    async def refuse(*what: Any) -> Outcome:
        return Outcome(status=OutcomeStatus.REJECTED)

    meter.set_limit = refuse  # type: ignore[assignment, method-assign]
    assert not (await house.want(ampere(10))).ok
    assert house.wanted == ampere(16)
    applied = house.limiter.applied(1)
    assert applied is not None
    assert applied.limit == ampere(16)
