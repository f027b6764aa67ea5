"""Measurements: what a charger measures, in base units.

The cloud tells a value when it changes: until then it is still true. What flows is 0
once the charger is gone, because nobody would tell (easee_cloud.md Q7).
"""

from functools import partial
from typing import Final

from ..station.enums import Measurand, Phase
from ..station.metering import Metering
from ..station.model import MeasurementKey
from ..station.second_source import SecondGauge
from ..station.shared_register import KEY
from .enums import GridType
from .feed import VACANT, Feed
from .ids import ChargerId as Id

type Group = dict[int, MeasurementKey]
"""What is measured together: observations, and what they are."""


def _keys(measurand: Measurand, **phases: Id) -> Group:
    return {
        number: MeasurementKey(measurand=measurand, phase=Phase(phase))
        for phase, number in phases.items()
    }


_POWER: Final[Group] = {
    Id.TOTAL_POWER: MeasurementKey(measurand=Measurand.POWER_ACTIVE_IMPORT)
}
_OFFERED: Final[Group] = {
    Id.OUTPUT_CURRENT: MeasurementKey(measurand=Measurand.CURRENT_OFFERED)
}
# Terminal 2 is the neutral; without one the phases begin there.
_CURRENTS: Final = _keys(
    Measurand.CURRENT_IMPORT,
    l1=Id.IN_CURRENT_T3,
    l2=Id.IN_CURRENT_T4,
    l3=Id.IN_CURRENT_T5,
)
_CURRENTS_IT: Final = _keys(
    Measurand.CURRENT_IMPORT,
    l1=Id.IN_CURRENT_T2,
    l2=Id.IN_CURRENT_T3,
    l3=Id.IN_CURRENT_T4,
)
_VOLTAGES: Final = _keys(
    Measurand.VOLTAGE,
    l1_n=Id.IN_VOLTAGE_T2T3,
    l2_n=Id.IN_VOLTAGE_T2T4,
    l3_n=Id.IN_VOLTAGE_T2T5,
)
_VOLTAGES_IT: Final = _keys(
    Measurand.VOLTAGE,
    l1_l2=Id.IN_VOLTAGE_T2T3,
    l2_l3=Id.IN_VOLTAGE_T3T4,
    l3_l1=Id.IN_VOLTAGE_T2T4,
)
_GROUPS: Final = (_POWER, _OFFERED, _CURRENTS, _CURRENTS_IT, _VOLTAGES, _VOLTAGES_IT)
TOLD: Final = frozenset(
    {KEY}.union(
        *(
            {key, MeasurementKey(measurand=key.measurand)}
            for group in _GROUPS
            for key in group.values()
        )
    )
)
"""What a cloud may tell of an EVSE, with the totals that follow from it."""
_FACTORS: Final[dict[int, int]] = {Id.TOTAL_POWER: 1000}
_STATE: Final = frozenset({Id.CHARGER_OP_MODE, Id.DETECTED_POWER_GRID_TYPE})


class MeasurementFeed:
    """Puts power, currents and voltages into the EVSE of a charger."""

    def __init__(self, feed: Feed) -> None:
        """Begin with what others have put there."""
        self._feed = feed
        self._metering = Metering(partial(SecondGauge, feed.source))

    def take(self, number: int) -> None:
        """Show what belongs to an observation that is news."""
        if number in _STATE:
            self.refresh()
        for group in (*self._flows, *self._others):
            if number in group:
                self._show(group, flows=group in self._flows)

    def refresh(self) -> None:
        """Show everything as it is, now that the charger is another way."""
        for group in self._flows:
            self._show(group, flows=True)
        for group in self._others:
            self._show(group, flows=False)

    @property
    def _it(self) -> bool:
        """Return whether the grid has no neutral."""
        grid = GridType.of(self._feed.readings.value(Id.DETECTED_POWER_GRID_TYPE))
        return grid is not None and grid.it

    @property
    def _flows(self) -> tuple[Group, ...]:
        return _POWER, _CURRENTS_IT if self._it else _CURRENTS

    @property
    def _others(self) -> tuple[Group, ...]:
        return _OFFERED, _VOLTAGES_IT if self._it else _VOLTAGES

    def _show(self, group: Group, *, flows: bool) -> None:
        """Show what is measured together, at the moment until which it is known."""
        feed, readings = self._feed, self._feed.readings
        gone = not feed.liveness.online.value
        if (at := feed.liveness.at) is None or (gone and feed.source.beside):
            return
        nothing = flows and (gone or feed.mode in VACANT or feed.source.idle(feed.evse))
        for number, key in group.items():
            if (value := readings.number(number)) is not None:
                measured = 0.0 if nothing else round(value * _FACTORS.get(number, 1), 3)
                self._metering.sample(feed.evse, key, measured, at)
        self._metering.settle()
