"""Values of a charger that tells both us and the cloud: one teller each, at any time."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ..ocpp.v16.conftest import FakeClock
from .both_ways import BothWays
from custom_components.ev_charger_hub.easee.ids import ChargerId as Id
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.validation import Schemas
from custom_components.ev_charger_hub.station import snapshot
from custom_components.ev_charger_hub.station.enums import (
    ConnectorStatus as Status,
    Measurand,
    Phase,
)
from custom_components.ev_charger_hub.station.events import TokenPresented
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.link import LinkKind
from custom_components.ev_charger_hub.station.model import ChargingStation

CHARGING, COMPLETED, FAULTED = 3, 4, 5
POWER = Measurand.POWER_ACTIVE_IMPORT
MINUTES = 60
HOURS = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    """Return the compiled schemas of OCPP 1.6."""
    return Schemas.load(Dialect.V16)


@pytest.fixture
def clock() -> FakeClock:
    """Return everybody's clock."""
    return FakeClock()


@pytest.fixture
def settings() -> dict[str, Any]:
    """Return the settings of the charger that are not usual."""
    return {"meter_interval": 30, "clock_interval": None}


@pytest.fixture
def behind() -> timedelta:
    """Return how far the clock of the cloud is behind."""
    return timedelta()


@pytest.fixture
async def charger(
    clock: FakeClock,
    tmp_path: Path,
    schemas: Schemas,
    settings: dict[str, Any],
    behind: timedelta,
) -> AsyncGenerator[BothWays]:
    """Return a charger that the cloud knows, and that has not dialled in yet."""
    journal = await Journal.open(tmp_path / "j.db", call_later=clock.call_later)
    charger = BothWays(clock, journal, schemas, **settings)
    await charger.transactions.load()
    charger.join()
    charger.behind = behind
    await charger.appear()
    while behind and not charger.easee.reachable:
        # How wrong a clock is shows after a few words.
        clock.tick(30)
        await charger.told(Id.TEMP_MAX, 28.0)
    yield charger
    charger.easee.stop()
    await charger.close()
    await journal.close()


# How it is


async def test_the_charger_itself_says_how_it_is(charger: BothWays) -> None:
    assert charger.shown() is Status.AVAILABLE
    await charger.come()
    await charger.status("Preparing")
    await charger.wait(5)
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    await charger.told(Id.ERROR_CODE, 219)
    await charger.told(Id.IS_ENABLED, value=False)
    await charger.wait(60 * MINUTES)
    await charger.told(Id.CHARGER_OP_MODE, COMPLETED)
    assert charger.shown() is Status.PREPARING
    assert charger.fault() is None


async def test_the_cloud_says_what_the_charger_does_not(charger: BothWays) -> None:
    await charger.come()
    assert charger.shown() is Status.AVAILABLE
    await charger.wait(5)
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    await charger.told(Id.CABLE_RATING, 32.0)
    assert charger.shown() is Status.CHARGING
    await charger.status("SuspendedEV")
    await charger.told(Id.CHARGER_OP_MODE, FAULTED)
    await charger.told(Id.CABLE_RATING, 20.0)
    assert charger.shown() is Status.SUSPENDED_EV
    assert charger.fault() is None
    assert charger.evse.cable_rating.value == 20


async def test_what_the_cloud_knows_is_shown_as_soon_as_the_charger_is_gone(
    charger: BothWays,
) -> None:
    await charger.come()
    await charger.status("Preparing")
    await charger.wait(60)
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    await charger.told(Id.TOTAL_POWER, 7.2)
    await charger.samples(("Power.Active.Import", "7100", "W"))
    assert (charger.shown(), charger.measured(POWER)) == (Status.PREPARING, 7100)
    await charger.wait(10)
    await charger.told(Id.TOTAL_POWER, 7.3)
    charger.disconnect()
    assert charger.station.way.value is LinkKind.EASEE
    assert (charger.shown(), charger.measured(POWER)) == (Status.CHARGING, 7300)


async def test_what_the_charger_said_last_is_newer_than_what_the_cloud_said_before(
    charger: BothWays,
) -> None:
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    await charger.wait(60)
    await charger.come()
    await charger.status("SuspendedEVSE")
    charger.disconnect()
    assert charger.shown() is Status.SUSPENDED_EVSE
    await charger.wait(5)
    await charger.told(Id.CHARGER_OP_MODE, COMPLETED)
    assert charger.shown() is Status.SUSPENDED_EV


async def test_nothing_of_the_cloud_stays_when_the_charger_is_back(
    charger: BothWays,
) -> None:
    """It says how it has been since long ago; that is how it is."""
    await charger.come()
    since = charger.clock.text()
    await charger.status("Charging", timestamp=since)
    await charger.wait(60)
    charger.disconnect()
    await charger.told(Id.CHARGER_OP_MODE, FAULTED)
    await charger.told(Id.ERROR_CODE, 219)
    await charger.wait(60)
    assert (charger.shown(), charger.fault()) == (Status.FAULTED, "OtherError")
    charger.connect()
    await charger.status("Charging", timestamp=since)
    assert (charger.shown(), charger.fault()) == (Status.CHARGING, None)
    await charger.told(Id.CHARGER_OP_MODE, FAULTED)
    assert charger.shown() is Status.CHARGING


async def test_a_status_that_was_kept_while_away_is_still_history(
    charger: BothWays,
) -> None:
    await charger.come()
    early = charger.clock.text()
    await charger.wait(60)
    await charger.status("Charging")
    charger.disconnect()
    await charger.told(Id.CHARGER_OP_MODE, COMPLETED)
    charger.connect()
    await charger.status("Preparing", timestamp=early)
    assert charger.shown() is Status.SUSPENDED_EV


@pytest.mark.parametrize("behind", [2 * HOURS, -2 * HOURS])
async def test_a_cloud_whose_clock_is_wrong(charger: BothWays) -> None:
    """What it says is taken as said by our clock, once that is known."""
    await charger.come()
    await charger.status("Preparing")
    await charger.wait(60)
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    assert charger.shown() is Status.PREPARING
    charger.disconnect()
    assert charger.shown() is Status.CHARGING
    assert charger.evse.status.at == charger.clock()
    await charger.come()
    await charger.status("Finishing")
    assert charger.shown() is Status.FINISHING


async def test_a_charger_whose_clock_is_behind(charger: BothWays) -> None:
    """It is heard when it is back, and what it measures is as good as new."""
    await charger.come()
    late = -7200
    for status in ("Preparing", "Charging", "SuspendedEV", "Charging"):
        await charger.status(status, timestamp=charger.clock.text(late))
        await charger.wait(30)
    await charger.samples(
        ("Power.Active.Import", "7100", "W"), timestamp=charger.clock.text(late)
    )
    await charger.told(Id.TOTAL_POWER, 6.0)
    assert charger.measured(POWER) == 7100
    charger.disconnect()
    await charger.told(Id.CHARGER_OP_MODE, COMPLETED)
    assert charger.shown() is Status.SUSPENDED_EV
    charger.connect()
    await charger.status("Charging", timestamp=charger.clock.text(late))
    assert charger.shown() is Status.CHARGING


async def test_why_nothing_is_given_is_told_by_who_tells_the_status(
    charger: BothWays,
) -> None:
    await charger.come()
    await charger.status("SuspendedEVSE", vendorErrorCode="52")
    await charger.told(Id.REASON_FOR_NO_CURRENT, 79)
    assert charger.reason() == "52"
    charger.disconnect()
    await charger.wait(1)
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    assert charger.reason() is None
    await charger.wait(1)
    await charger.told(Id.CHARGER_OP_MODE, 2)
    await charger.told(Id.REASON_FOR_NO_CURRENT, 6)
    assert charger.reason() == "6"
    charger.connect()
    await charger.status("Charging")
    assert charger.reason() is None


async def test_what_the_station_as_a_whole_said_is_unknown_some_time_after_it_left(
    charger: BothWays,
) -> None:
    await charger.come()
    await charger.status("Unavailable", connector_id=0)
    charger.disconnect()
    assert charger.whole() is Status.UNAVAILABLE
    await charger.wait(11 * MINUTES)
    assert charger.whole() is None
    charger.connect()
    await charger.status("Available", connector_id=0)
    assert charger.whole() is Status.AVAILABLE


async def test_what_only_the_cloud_told_is_not_kept_for_the_next_start(
    charger: BothWays,
) -> None:
    await charger.come()
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    await charger.told(Id.TOTAL_POWER, 7.2)
    await charger.told(Id.LIFETIME_ENERGY, 1234.5)
    await charger.samples(("Voltage:L1-N", "230", "V"))
    again = ChargingStation(charger.station.identity, charger.station.settings)
    snapshot.restore(again, snapshot.dump(charger.station))
    values = {key.slug: one.value for key, one in again.evse(1).measurements.items()}
    assert values == {
        "energy_active_import_register": 1_234_500,
        "voltage": 230,
        "voltage_l1_n": 230,
    }


# What it measures


async def test_the_cloud_does_not_touch_what_the_charger_measures(
    charger: BothWays,
) -> None:
    await charger.come()
    await charger.status("Charging")
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    values = set()
    for _ in range(60):
        await charger.samples(("Power.Active.Import", "7100", "W"))
        values.add(charger.measured(POWER))
        await charger.wait(30)
        await charger.told(Id.TOTAL_POWER, 7.234)
        await charger.told(Id.IN_VOLTAGE_T2T3, 231.0)
        values.add(charger.measured(POWER))
    assert values == {7100}
    assert charger.measured(Measurand.VOLTAGE, Phase.L1_N) == 231.0


async def test_the_cloud_measures_when_the_charger_does_no_longer(
    charger: BothWays,
) -> None:
    await charger.come()
    await charger.status("Charging")
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    await charger.samples(("Power.Active.Import", "7100", "W"))
    await charger.wait(9 * MINUTES)
    await charger.told(Id.TOTAL_POWER, 3.5)
    assert charger.measured(POWER) == 7100
    await charger.wait(MINUTES)
    await charger.told(Id.TOTAL_POWER, 3.6)
    assert charger.measured(POWER) == 3600
    await charger.samples(("Power.Active.Import", "3550", "W"))
    await charger.told(Id.TOTAL_POWER, 3.7)
    assert charger.measured(POWER) == 3550


@pytest.mark.parametrize("settings", [{"meter_interval": 1800}])
async def test_a_charger_that_measures_rarely_has_more_time(charger: BothWays) -> None:
    await charger.come()
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    await charger.samples(("Power.Active.Import", "7100", "W"))
    await charger.wait(30 * MINUTES)
    await charger.told(Id.TOTAL_POWER, 3.6)
    assert charger.measured(POWER) == 7100
    await charger.wait(2 * MINUTES)
    await charger.told(Id.TOTAL_POWER, 3.7)
    assert charger.measured(POWER) == 3700


async def test_nothing_flows_when_the_charger_says_so(charger: BothWays) -> None:
    """Although only the cloud measures what flows, and has not heard of it yet."""
    await charger.come()
    await charger.status("Charging")
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    await charger.told(Id.TOTAL_POWER, 7.2)
    assert charger.measured(POWER) == 7200
    await charger.wait(20)
    await charger.status("SuspendedEVSE")
    assert charger.measured(POWER) == 0
    await charger.wait(1)
    await charger.told(Id.CHARGER_OP_MODE, 2)
    assert charger.measured(POWER) == 0
    await charger.wait(1)
    await charger.status("Charging")
    await charger.wait(1)
    await charger.told(Id.TOTAL_POWER, 7.1)
    assert charger.measured(POWER) == 7100


async def test_power_flows_in_a_session_although_the_charger_says_preparing(
    charger: BothWays,
) -> None:
    """It may say so late (fact N3)."""
    await charger.come()
    await charger.start()
    await charger.status("Preparing")
    await charger.wait(5)
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    await charger.told(Id.TOTAL_POWER, 7.2)
    assert charger.measured(POWER) == 7200


async def test_what_only_the_cloud_measures_is_unknown_without_it(
    charger: BothWays,
) -> None:
    await charger.come()
    await charger.status("Charging")
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    await charger.told(Id.TOTAL_POWER, 7.2)
    await charger.told(Id.IN_VOLTAGE_T2T3, 231.0)
    await charger.samples(("Current.Import:L1", "10.0", "A"))
    await charger.told(Id.CONNECTED_TO_CLOUD, value=False)
    assert charger.measured(POWER) is None
    assert charger.measured(Measurand.VOLTAGE, Phase.L1_N) is None
    assert charger.measured(Measurand.CURRENT_IMPORT, Phase.L1) == 10
    await charger.wait(1)
    await charger.told(Id.CONNECTED_TO_CLOUD, value=True)
    assert charger.measured(POWER) == 7200
    assert charger.measured(Measurand.VOLTAGE, Phase.L1_N) == 231.0


async def test_what_only_the_charger_measures_is_unknown_some_time_after_it_left(
    charger: BothWays,
) -> None:
    await charger.come()
    await charger.status("Charging")
    await charger.samples(
        ("Temperature", "31", "Celsius"),
        ("Energy.Active.Import.Register", "5000", "Wh"),
    )
    charger.disconnect()
    await charger.wait(9 * MINUTES)
    assert charger.measured(Measurand.TEMPERATURE) == 31
    charger.connect()
    charger.disconnect()
    await charger.wait(9 * MINUTES)
    assert charger.measured(Measurand.TEMPERATURE) == 31
    await charger.wait(2 * MINUTES)
    assert charger.measured(Measurand.TEMPERATURE) is None
    assert charger.measured(Measurand.ENERGY_ACTIVE_IMPORT_REGISTER) == 5000
    charger.connect()
    await charger.samples(("Temperature", "30", "Celsius"))
    assert charger.measured(Measurand.TEMPERATURE) == 30


async def test_an_account_that_leaves_takes_its_values_along(charger: BothWays) -> None:
    await charger.come()
    await charger.wait(1)
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    await charger.told(Id.ERROR_CODE, 219)
    await charger.told(Id.CABLE_RATING, 32.0)
    await charger.told(Id.TOTAL_POWER, 7.2)
    await charger.samples(("Voltage:L1-N", "230", "V"))
    charger.leave()
    assert (charger.shown(), charger.fault()) == (None, None)
    assert charger.evse.cable_rating.value is None
    assert charger.measured(POWER) is None
    assert charger.measured(Measurand.VOLTAGE, Phase.L1_N) == 230
    await charger.status("Charging", timestamp=charger.clock.text(-60))
    assert charger.shown() is Status.CHARGING
    await charger.wait(60 * MINUTES)
    assert charger.measured(Measurand.VOLTAGE, Phase.L1_N) == 230


# Cards


async def test_a_card_is_told_of_once(charger: BothWays) -> None:
    await charger.come()
    await charger.told(Id.USER_ID_TOKEN, "CARD1")
    await charger.wait(1)
    await charger.call("Authorize", {"idTag": "card1"})
    await charger.wait(60)
    await charger.told(Id.USER_ID_TOKEN, "CARD2")
    await charger.wait(5)
    assert [one.id_token for one in charger.events_of(TokenPresented)] == ["card1"]
    await charger.wait(5)
    charger.disconnect()
    await charger.told(Id.USER_ID_TOKEN, "CARD3")
    presented = [one.id_token for one in charger.events_of(TokenPresented)]
    assert presented == ["card1", "CARD2", "CARD3"]


# Who it is, and since when it is there


async def test_the_firmware_that_the_charger_tells_counts(charger: BothWays) -> None:
    await charger.told(Id.CHARGER_FIRMWARE, 340)
    assert charger.station.info.value.firmware == "340"
    await charger.come()
    await charger.told(Id.CHARGER_FIRMWARE, 345)
    assert charger.station.info.value.firmware == "344"
    charger.disconnect()
    await charger.told(Id.CHARGER_FIRMWARE, 346)
    assert charger.station.info.value.firmware == "346"
    charger.connect()
    await charger.boot(chargePointVendor="Easee", firmwareVersion="346/1.8.0.0")
    charger.disconnect()
    await charger.told(Id.CHARGER_FIRMWARE, 347)
    assert charger.station.info.value.firmware == "346/1.8.0.0"


async def test_what_only_the_cloud_knows_of_a_charger_survives_its_boot(
    charger: BothWays,
) -> None:
    await charger.told(Id.ICCID, "8947080012345678901")
    await charger.come()
    info = charger.station.info.value
    assert (info.iccid, info.firmware) == ("8947080012345678901", "344")


async def test_since_when_it_is_connected_is_told_of_the_way_in_use(
    charger: BothWays,
) -> None:
    station, begun = charger.station, charger.clock()
    assert station.connected_since.value == begun
    await charger.wait(60)
    # As the session of a server does.
    station.connected_since.set(charger.clock())
    await charger.come()
    local = charger.clock()
    await charger.told(Id.CONNECTED_TO_CLOUD, value=False)
    await charger.wait(60)
    await charger.told(Id.CONNECTED_TO_CLOUD, value=True)
    again = charger.clock()
    assert station.connected_since.value == local
    station.connected_since.set(None)
    charger.disconnect()
    assert station.connected_since.value == again
    charger.leave()
    assert station.connected_since.value is None


# Anything, in any order


class Teller:
    """What one of the two told last, and when it was so."""

    def __init__(self) -> None:
        """Have told nothing."""
        self.last: tuple[Any, datetime] | None = None

    def newer(self, other: Teller) -> bool:
        """Return whether this one told after another."""
        if self.last is None or other.last is None:
            return other.last is None
        return self.last[1] > other.last[1]


WORDS = {
    CHARGING: (Status.CHARGING, "Charging"),
    COMPLETED: (Status.SUSPENDED_EV, "SuspendedEV"),
    2: (Status.SUSPENDED_EVSE, "SuspendedEVSE"),
    FAULTED: (Status.FAULTED, "Faulted"),
}


@pytest.mark.parametrize("behind", [timedelta(), 2 * HOURS, -2 * HOURS])
@pytest.mark.parametrize("late", [0, -7200])
@pytest.mark.parametrize("seed", range(4))
async def test_status_is_that_of_the_one_who_knows_best(
    charger: BothWays, seed: int, late: int
) -> None:
    """Whatever is told, lost and found in which order, by whatever clocks."""
    random, clock = Random(seed), charger.clock
    local, cloud = Teller(), Teller()
    await charger.come()
    for _ in range(4):
        await charger.status("Charging", timestamp=clock.text(late))
        local.last = Status.CHARGING, clock()
        await charger.wait(30)
    connected = told = True
    for _ in range(300):
        await charger.wait(random.choice([1, 10, 60, 700]))
        mode = random.choice([*WORDS])
        status, word = WORDS[mode]
        match random.choice(["local", "cloud", "cloud", "line", "replay"]):
            case "local" if connected:
                await charger.status(word, timestamp=clock.text(late))
                local.last, told = (status, clock()), True
            case "cloud":
                await charger.told(Id.CHARGER_OP_MODE, mode)
                cloud.last = status, clock()
            case "replay" if cloud.last is not None:
                before = cloud.last[1] - timedelta(seconds=1)
                await charger.told(Id.CHARGER_OP_MODE, mode, at=before, replay=True)
            case "line":
                connected, told = not connected, False
                if connected:
                    charger.connect()
                else:
                    charger.disconnect()
        best = local if (connected and told) or not cloud.newer(local) else cloud
        assert best.last is not None
        assert charger.shown() is best.last[0]


@pytest.mark.parametrize("behind", [timedelta(), 2 * HOURS, -2 * HOURS])
@pytest.mark.parametrize("seed", range(4))
async def test_power_is_that_of_the_one_who_measures(
    charger: BothWays, seed: int
) -> None:
    """While one of them does, the other one changes nothing."""
    random, clock = Random(seed), charger.clock
    local, cloud = Teller(), Teller()
    await charger.come()
    await charger.told(Id.CHARGER_OP_MODE, CHARGING)
    await charger.wait(120)
    connected, told, since = True, False, clock()
    for number in range(300):
        await charger.wait(random.choice([1, 10, 60, 400]))
        power = 1000 + number
        match random.choice(["local", "local", "cloud", "cloud", "line"]):
            case "local" if connected:
                await charger.samples(("Power.Active.Import", str(power), "W"))
                local.last, told = (power, clock()), True
            case "cloud":
                await charger.told(Id.TOTAL_POWER, power / 1000)
                cloud.last = power, clock()
            case "line":
                connected, told, since = not connected, False, clock()
                if connected:
                    charger.connect()
                else:
                    charger.disconnect()
        if local.last is None or cloud.last is None:
            continue
        shown = charger.measured(POWER)
        assert shown in {None, local.last[0], cloud.last[0]}
        if connected and told and clock() - local.last[1] < 10 * MINUTE:
            assert shown == local.last[0]
        elif not connected and cloud.newer(local):
            assert shown == cloud.last[0]
        elif not connected and clock() - since >= 10 * MINUTE:
            assert shown != local.last[0]
