"""Two hours of storms of all kinds between Home Assistant and the Easee cloud (issue 6)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant

from .easee import EaseeHome
from .easee_weather import (
    ERRORS,
    HOUR,
    LOGIN,
    LONG,
    MINUTE,
    NEGOTIATE,
    OUTAGES,
    STATUS,
    a_minute_later,
    live_on,
    set_limit,
    shift_clock,
    sins,
    wrong,
)
from .entities import full_state, state
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from simulators.easee_cloud import Charger, EaseeCloud, Fault, Vehicle
from simulators.easee_cloud.seed import CHARGER, EQUALIZER, SECOND


@pytest.fixture
async def charger(
    hass: HomeAssistant, easee_hub: EaseeHub, easee_home: EaseeHome
) -> Charger:
    """Return a charger that charges a car."""
    charger = easee_home.cloud.chargers[CHARGER]
    charger.plug_in(Vehicle())
    await easee_home.passes(80)
    assert wrong(hass, easee_home.cloud) == {}
    return charger


# The stream

ENDS: dict[str, Callable[[EaseeCloud], None]] = {
    "dropped": lambda cloud: cloud.hub.drop(),
    "silent": lambda cloud: cloud.hub.fall_silent(),
    "going away": lambda cloud: cloud.hub.hang_up(1001),
    "restarting": lambda cloud: cloud.hub.hang_up(1012),
    "policy": lambda cloud: cloud.hub.hang_up(1008),
    "farewell": lambda cloud: cloud.hub.close(),
    "unwelcome": lambda cloud: cloud.hub.close(reconnect=False),
}


@pytest.mark.conformance("EASEE_S51")
@pytest.mark.parametrize("end", ENDS)
async def test_streams_that_end_every_few_minutes(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger, end: str
) -> None:
    """Two hours long, and everything is known all the time."""
    home = easee_home
    for number in range(30):
        ENDS[end](home.cloud)
        charger.pause_car(number % 2 == 0)
        await home.passes(100)
        assert wrong(hass, home.cloud) == {}
        await home.passes(140)
    assert sins(home) == []
    assert len(home.cloud.journal.find("POST", LOGIN)) == 1


# Time


@pytest.mark.parametrize("hours", [-2, 2])
@pytest.mark.parametrize("outage", [True, False])
async def test_a_cloud_whose_clock_is_wrong(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    hours: int,
    outage: bool,
) -> None:
    """It is wrong from the beginning, for the tokens, the stream, and the states."""
    home, cloud = easee_home, easee_home.cloud
    shift_clock(cloud, timedelta(hours=hours))
    cloud.chargers[CHARGER].plug_in(Vehicle())
    assert await home.set_up(easee_entry) is not None
    await home.passes(HOUR)
    assert wrong(hass, cloud) == {}
    if outage:
        cloud.outage()
    live_on(cloud)
    await home.passes(LONG)
    cloud.recover()
    assert await a_minute_later(home) == {}
    assert sins(home) == []
    assert len(cloud.journal.find("POST", LOGIN)) == 1


@pytest.mark.parametrize("minutes", [-10, -40, -600, 10])
async def test_sessions_are_told_of_when_our_clock_is_wrong(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    easee_entry: MockConfigEntry,
    minutes: int,
) -> None:
    """From the start: what has just begun by the cloud's clock is not history by ours."""
    home, cloud = easee_home, easee_home.cloud
    shift_clock(cloud, timedelta(minutes=minutes))
    charger = cloud.chargers[CHARGER]
    assert await home.set_up(easee_entry) is not None
    await home.passes(10)
    assert state(hass, "binary_sensor", f"{CHARGER}_connectivity") == "on"
    assert state(hass, "binary_sensor", f"{EQUALIZER}_online") == "on"
    for told in range(2):
        started_at = home.time()
        charger.swipe("04A1B2C3")
        charger.plug_in(Vehicle())
        await home.passes(MINUTE)
        happened = full_state(hass, "event", f"{CHARGER}_1_session")
        assert happened.attributes["event_type"] == "started", told
        assert datetime.fromisoformat(happened.state) >= started_at
        card = full_state(hass, "event", f"{CHARGER}_token")
        assert datetime.fromisoformat(card.state) >= started_at
        charger.unplug()
        await home.passes(2 * MINUTE)
        happened = full_state(hass, "event", f"{CHARGER}_1_session")
        assert happened.attributes["event_type"] == "ended"


async def test_what_ended_long_ago_is_no_news_when_our_clock_is_wrong(
    hass: HomeAssistant, easee_home: EaseeHome, easee_entry: MockConfigEntry
) -> None:
    """It is told late, by a clock that is half an hour behind ours."""
    home, cloud = easee_home, easee_home.cloud
    shift_clock(cloud, timedelta(minutes=-30))
    charger = cloud.chargers[CHARGER]
    assert await home.set_up(easee_entry) is not None
    await home.passes(10)
    charger.plug_in(Vehicle())
    await home.passes(MINUTE)
    began = full_state(hass, "event", f"{CHARGER}_1_session").state
    cloud.outage()
    charger.unplug()
    await home.passes(10 * MINUTE)
    cloud.recover()
    await home.passes(3 * MINUTE)
    assert state(hass, "sensor", STATUS) == "available"
    assert full_state(hass, "event", f"{CHARGER}_1_session").state == began


async def test_a_cloud_that_takes_its_time(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    """Answers after 45 s are none; whoever asks is told so."""
    home = easee_home
    home.cloud.faults.add(Fault(pattern="", times=None, delay=45))
    home.cloud.hub.drop()
    await home.passes(5 * MINUTE)
    assert await set_limit(home) in ERRORS
    await home.passes(25 * MINUTE)
    live_on(home.cloud)
    assert state(hass, "sensor", STATUS) == STATE_UNAVAILABLE
    await home.passes(LONG - 30 * MINUTE)
    home.cloud.recover()
    # What is asked already may take its time yet.
    await home.passes(45)
    assert await a_minute_later(home) == {}
    assert sins(home, lost=True) == []


# Everything at once


class Walk:
    """What happens to a home by the throws of dice, which fall the same every time."""

    def __init__(self, home: EaseeHome, seed: int) -> None:
        """Begin with good weather."""
        self.home = home
        self.cloud = home.cloud
        self.dice = Random(seed)
        self.lost = False

    async def take(self, steps: int) -> None:
        """Take so many steps, five minutes each."""
        for _ in range(steps):
            self.dice.choice(
                [
                    self.break_down,
                    self.get_well,
                    self.get_well,
                    self.fail_at_something,
                    self.end_the_stream,
                    self.revoke,
                    self.live,
                    self.live,
                ]
            )()
            if self.dice.random() < 0.1:
                await self.home.restart(self.home.hubs[0].entry, 20)
            await self.home.passes(5 * MINUTE)

    def break_down(self) -> None:
        """Let the whole cloud be out of order."""
        self.cloud.outage(*OUTAGES[self.dice.choice(sorted(OUTAGES))])

    def get_well(self) -> None:
        """Let everything work."""
        self.cloud.recover()

    def fail_at_something(self) -> None:
        """Let a part of the cloud fail for a while."""
        pattern = self.dice.choice(["^/state/", NEGOTIATE, "/hubs/chargers$", "^/api/"])
        status = self.dice.choice([None, 403, 404, 429, 500, 502])
        delay = self.dice.choice([0, 0, 10, 40])
        self.lost |= delay > 0
        fault = Fault(pattern=pattern, times=9, status=status, delay=delay)
        fault.cut = status is None
        self.cloud.faults.add(fault)

    def end_the_stream(self) -> None:
        """End the stream in one of its ways."""
        ENDS[self.dice.choice(sorted(ENDS))](self.cloud)

    def revoke(self) -> None:
        """Take the access token away, or the whole session."""
        if self.dice.random() < 0.3:
            self.cloud.tokens.revoke_sessions()
        self.cloud.tokens.revoke_access()

    def live(self) -> None:
        """Let everything change at home."""
        first, second = (self.cloud.chargers[one] for one in (CHARGER, SECOND))
        if second.vehicle is None:
            second.plug_in(Vehicle(phases=self.dice.choice([1, 3])))
        else:
            second.unplug()
        first.pause_car(self.dice.random() < 0.5)
        first.observe(102, self.dice.random() < 0.5)
        house = [float(self.dice.randrange(1, 20)) for _ in range(3)]
        self.cloud.equalizers[EQUALIZER].set_house(house)


@pytest.mark.parametrize("seed", range(8))
async def test_two_hours_of_anything(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger, seed: int
) -> None:
    """Whatever happens in whatever order, all is well in the end."""
    home = easee_home
    walk = Walk(home, seed)
    await walk.take(24)
    walk.live()
    home.cloud.recover()
    # Logging in may have to wait for half an hour after what seemed to be refusals.
    await home.passes(HOUR // 2)
    walk.live()

    assert await a_minute_later(home) == {}
    assert sins(home, lost=walk.lost) == []
