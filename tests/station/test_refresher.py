"""Readings that somebody looks at are asked for now and then; nothing else is."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from custom_components.ev_charger_hub.station.monitoring import Monitor, MonitorType
from custom_components.ev_charger_hub.station.refresher import INTERVAL, Refresher
from tests.ocpp.v201.outbound import Charger
from tests.virtual_time import rest

WARMTH = "EVSE#1.Temperature"
LOAD = "EVSE#1.Power"


class WarmCharger(Charger):
    """A charger that measures of itself what nobody asks for by messages."""

    async def watched(self) -> Refresher:
        """Tell what it has, and be looked after."""
        self.variables |= {WARMTH: "20", LOAD: "0"}
        self.readonly |= {WARMTH, LOAD}
        self.described |= {
            WARMTH: {"dataType": "decimal", "unit": "Celsius"},
            LOAD: {"dataType": "decimal", "unit": "W"},
        }
        await self.learn()
        self.station.local.set(True)
        return Refresher(
            self.station, self.context.spawn, call_later=self.time.call_later
        )

    def look_at(self, name: str) -> Callable[[], None]:
        """Have somebody look at a variable; return what ends that."""
        return self.station.variables.channel(name).subscribe(lambda: None)

    @property
    def asked(self) -> list[list[str]]:
        """Return the variables that each message asked for."""
        return [
            [one["variable"]["name"] for one in payload["getVariableData"]]
            for payload in self.sent("GetVariables")
        ]


@pytest.fixture
async def charger() -> WarmCharger:
    """Return a charger."""
    return WarmCharger()


async def test_what_is_looked_at_is_asked_for_again_and_again(
    charger: WarmCharger,
) -> None:
    refresher = await charger.watched()
    charger.look_at(WARMTH)
    charger.variables[WARMTH] = "55"
    await charger.time.advance(2 * INTERVAL + 1)
    assert charger.asked == [["Temperature"], ["Temperature"]]
    known = charger.station.variables.get(WARMTH)
    assert known is not None
    assert known.number == 55
    refresher.close()
    await charger.time.advance(2 * INTERVAL)
    assert len(charger.asked) == 2


async def test_nothing_is_asked_for_that_nobody_looks_at(charger: WarmCharger) -> None:
    refresher = await charger.watched()
    charger.look_at(WARMTH)()
    await charger.time.advance(2 * INTERVAL + 1)
    assert charger.asked == []
    refresher.close()


@pytest.mark.parametrize(
    ("variable", "type_", "asked"),
    [
        (WARMTH, MonitorType.DELTA, [["Power"]]),
        (WARMTH, MonitorType.PERIODIC, [["Power"]]),
        (WARMTH, MonitorType.UPPER_THRESHOLD, [["Temperature", "Power"]]),
        (LOAD, MonitorType.DELTA, [["Temperature", "Power"]]),
        ("EVSE#2.Temperature", MonitorType.DELTA, [["Temperature", "Power"]]),
    ],
)
async def test_a_temperature_that_the_charger_watches_itself_is_not_asked_for(
    charger: WarmCharger, variable: str, type_: MonitorType, asked: list[list[str]]
) -> None:
    refresher = await charger.watched()
    charger.look_at(WARMTH)
    charger.look_at(LOAD)
    # Others are watched, and this is not counted among them.
    charger.station.findings["monitors"] = "ok: 3 of 3 watched"
    monitor = Monitor(id=1, variable=variable, type=type_, value=2, severity=8)
    charger.link.monitoring.monitors.add(monitor)
    await charger.time.advance(INTERVAL + 1)
    assert charger.asked == asked
    refresher.close()


async def test_nothing_is_asked_in_quiet_mode_or_of_one_that_is_away(
    charger: WarmCharger,
) -> None:
    refresher = await charger.watched()
    charger.look_at(WARMTH)
    settings = charger.station.settings
    charger.station.settings = replace(settings, quiet=True)
    await charger.time.advance(INTERVAL + 1)
    charger.station.settings = settings
    charger.station.local.set(False)
    await charger.time.advance(2 * INTERVAL)
    assert charger.asked == []
    charger.station.local.set(True)
    await rest()
    await charger.time.advance(INTERVAL + 1)
    assert charger.asked == [["Temperature"]]
    refresher.close()
