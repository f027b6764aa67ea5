"""A register of which a charger and its cloud tell: it never falls, and never jumps."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings, strategies as st

from custom_components.ev_charger_hub.station import shared_register, snapshot
from custom_components.ev_charger_hub.station.link import LinkKind
from custom_components.ev_charger_hub.station.metering import Metering
from custom_components.ev_charger_hub.station.model import ChargingStation, Place
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.shared_register import KEY, share

BEFORE = 1_234_567
SMALL = 2_500
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
OCPP, EASEE = LinkKind.OCPP, LinkKind.EASEE


def a_place(register: int | None = BEFORE, *ways: LinkKind) -> Place:
    """Return a place with a register that was told at noon."""
    station = ChargingStation("EH", StationSettings(name="EH"))
    station.ways = set(ways) or {OCPP, EASEE}
    if register is not None:
        station.evse(1).measurement(KEY).set(register, NOON)
    return station.evse(1)


def shown(place: Place) -> object:
    """Return what the register shows."""
    return place.measurement(KEY).value


def restarted(place: Place, *ways: LinkKind) -> Place:
    """Return the place as it is after a restart."""
    station = ChargingStation("EH", StationSettings(name="EH"))
    station.ways = set(ways)
    snapshot.restore(station, snapshot.dump(place.station))
    return station.evse(1)


def test_two_that_count_from_one_zero_add_nothing_to_each_other() -> None:
    place = a_place(None)
    register = share(place)
    register.tell(EASEE, BEFORE, NOON)
    register.tell(OCPP, BEFORE + 100, NOON + MINUTE)
    register.tell(EASEE, BEFORE + 60, NOON + 2 * MINUTE)
    register.tell(OCPP, BEFORE + 200, NOON + 3 * MINUTE)
    assert shown(place) == BEFORE + 200
    assert register.zeros == {OCPP: 0, EASEE: 0}


def an_outdated_place() -> Place:
    """Return a place that was shown further on when we were killed, till 12:05."""
    place = a_place()
    place.measurement(KEY).outdated = True
    place.station.resumed_at = NOON + 5 * MINUTE
    return place


def test_what_a_cloud_tells_again_after_a_kill_is_behind_what_was_shown() -> None:
    place = an_outdated_place()
    channel, register = place.measurement(KEY), share(place)
    register.tell(EASEE, BEFORE + 100, NOON + MINUTE)
    register.reach(EASEE, BEFORE + 150, NOON + 2 * MINUTE)
    assert (channel.value, channel.outdated) == (BEFORE + 150, True)
    register.tell(EASEE, BEFORE + 300, NOON + 6 * MINUTE)
    assert (channel.value, channel.outdated) == (BEFORE + 300, False)


def test_what_a_charger_tells_after_a_kill_counts_whatever_its_clock_says() -> None:
    place = an_outdated_place()
    channel, register = place.measurement(KEY), share(place)
    register.tell(OCPP, BEFORE, NOON + MINUTE)
    assert (channel.value, channel.outdated) == (BEFORE, False)


def test_an_end_that_is_where_the_register_was_proves_it() -> None:
    place = an_outdated_place()
    channel = place.measurement(KEY)
    share(place).reach(OCPP, BEFORE, NOON)
    assert (channel.value, channel.outdated) == (BEFORE, False)


def test_a_cloud_that_counts_from_another_zero_goes_on_from_there() -> None:
    place = a_place(SMALL)
    register = share(place)
    register.tell(EASEE, BEFORE, NOON + MINUTE)
    register.tell(EASEE, BEFORE + 50, NOON + 2 * MINUTE)
    assert shown(place) == SMALL
    register.tell(EASEE, BEFORE + 1000, NOON + HOUR)
    assert shown(place) == SMALL + 1000
    register.tell(OCPP, SMALL + 1500, NOON + HOUR + MINUTE)
    assert shown(place) == SMALL + 1500
    register.tell(EASEE, BEFORE + 2000, NOON + 2 * HOUR)
    assert shown(place) == SMALL + 2000


def test_a_charger_that_counts_from_another_zero_loses_nothing_of_the_cloud() -> None:
    place = a_place(BEFORE, EASEE)
    place = restarted(place, OCPP)
    register = place.register
    assert register is not None
    for minute in range(1, 12):
        register.tell(OCPP, SMALL + 100 * minute, NOON + minute * MINUTE)
    assert shown(place) == BEFORE + 1000
    register.tell(OCPP, SMALL + 1200, NOON + 12 * MINUTE)
    assert shown(place) == BEFORE + 1100
    assert register.dump() == {"easee": 0, "ocpp": BEFORE - SMALL - 100}


def test_both_zeros_are_known_after_a_restart() -> None:
    place = a_place(BEFORE)
    register = share(place)
    register.tell(EASEE, BEFORE - SMALL - 500_000, NOON + MINUTE)
    register.tell(EASEE, BEFORE - SMALL - 500_000, NOON + HOUR)
    assert shown(place) == BEFORE
    # While we are away the charger goes on, and only the cloud is there afterwards.
    place = restarted(place, EASEE)
    assert place.register is not None
    place.register.tell(EASEE, BEFORE - SMALL - 500_000 + 7000, NOON + 3 * HOUR)
    assert shown(place) == BEFORE + 7000


def test_a_register_that_only_one_tells_is_not_shared() -> None:
    assert restarted(a_place(BEFORE, OCPP), OCPP).register is None
    assert restarted(a_place(BEFORE, EASEE), EASEE).register is None
    assert restarted(a_place(None, EASEE), OCPP).register is None
    assert restarted(a_place(BEFORE, EASEE), OCPP).register is not None


def test_what_cannot_be_read_is_left_out() -> None:
    place = a_place(None)
    unreadable: list[object] = [None, [], {"carrier pigeon": 0}, {"ocpp": None}]
    for kept in unreadable:
        shared_register.restore(place, kept)
    assert place.register is None


def test_what_was_kept_without_a_clock_is_no_other_zero() -> None:
    """It all comes at once, as if it was measured now."""
    place = a_place()
    register = share(place)
    register.tell(OCPP, BEFORE + 9000, NOON + HOUR)
    for step in range(20):
        register.tell(OCPP, BEFORE + 100 * step, NOON + HOUR + step * MINUTE / 60)
    register.tell(OCPP, BEFORE + 9100, NOON + HOUR + MINUTE)
    assert shown(place) == BEFORE + 9100
    assert register.zeros[OCPP] == 0


def test_a_wrong_value_now_and_then_changes_nothing() -> None:
    place = a_place()
    register = share(place)
    for minute in range(60):
        at = NOON + minute * MINUTE
        register.tell(OCPP, BEFORE + 100 * minute, at)
        for wrong in (0, 1, BEFORE // 10, BEFORE * 10):
            register.tell((OCPP, EASEE)[minute % 2], wrong, at + MINUTE / 2)
        assert shown(place) == BEFORE + 100 * minute


def test_a_register_that_starts_anew_goes_on_from_where_it_was() -> None:
    place = a_place()
    register = share(place)
    register.tell(OCPP, BEFORE, NOON + MINUTE)
    for minute in range(2, 30):
        register.tell(OCPP, 100 * minute, NOON + minute * MINUTE)
    assert shown(place) == BEFORE + 100 * (29 - 2)


def test_old_readings_are_no_reason_to_doubt() -> None:
    place = a_place()
    register = share(place)
    for hour in range(-5, 0):
        register.tell(OCPP, BEFORE + 1000 * hour, NOON + hour * HOUR)
        register.tell(EASEE, BEFORE + 1000 * hour, NOON + hour * HOUR)
    register.tell(EASEE, BEFORE + 50, NOON + MINUTE)
    assert shown(place) == BEFORE + 50


def test_a_charger_is_not_doubted_for_what_its_cloud_knows_already() -> None:
    """Its session counts what it reads itself."""
    place = a_place()
    gauge = Metering().gauge(place, KEY)
    share(place).tell(EASEE, BEFORE + 1000, NOON + MINUTE)
    for step in (900, 950, 1100):
        gauge.read(BEFORE + step, NOON + 2 * MINUTE + step * MINUTE / 60)
        assert (gauge.value, gauge.fresh) == (BEFORE + step, True)
    assert shown(place) == BEFORE + 1100


@settings(max_examples=200)
@given(
    zero=st.sampled_from([0, 0, BEFORE - SMALL, 1_000_000 - BEFORE]),
    steps=st.lists(
        st.tuples(
            st.integers(0, 3600),
            st.lists(st.sampled_from(["ocpp", "easee", "old", "twice", "reach"])),
            st.booleans(),
        ),
        min_size=1,
        max_size=40,
    ),
)
def test_any_order_of_what_is_true_comes_to_the_truth(
    zero: int, steps: list[tuple[int, list[str], bool]]
) -> None:
    """One meter, told by two, live or late, twice, and with restarts in between."""
    place, truth, at = a_place(), BEFORE, NOON
    register = share(place)
    # Where the cloud counts from is known; how that is found out is another test.
    for hour in (-2, -1):
        register.tell(EASEE, BEFORE - zero, NOON + (3 + hour) * HOUR)
    at += 2 * HOUR
    seen, told = BEFORE, [(BEFORE, at)]
    for passed, tellers, restarts in steps:
        at += timedelta(seconds=passed)
        truth += 22_000 * passed // 3600
        if restarts:
            place = restarted(place, OCPP, EASEE)
            register = share(place)
        for teller in tellers:
            value, when = (truth, at) if teller in {"ocpp", "easee"} else told[-1]
            by = EASEE if teller in {"easee", "reach"} else OCPP
            own = value - (zero if by is EASEE else 0)
            if teller == "reach":
                register.reach(by, own, when)
            else:
                register.tell(by, own, when)
            told.append((value, when))
            now = shown(place)
            assert isinstance(now, int)
            assert seen <= now <= truth
            seen = now
    register.tell(OCPP, truth, at)
    assert shown(place) == truth
