"""Statistics: what a charger delivered by the hour before its sensor existed.

The rows go before the sensor's own, whose sum begins at 0: theirs ends there. What the
first row begins with counts as delivered in its hour, so that it is at a time when nobody
looks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_import_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, Platform, UnitOfEnergy
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import EnergyConverter

from .const import DOMAIN
from .easee.history import HourlyUsage
from .entity import unique_id
from .station.enums import Measurand
from .station.model import Evse, MeasurementKey

REGISTER: Final = MeasurementKey(measurand=Measurand.ENERGY_ACTIVE_IMPORT_REGISTER)

ORIGIN: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""An hour before all chargers, which has the sum that they begin with."""
_SINCE_EVER: Final = ORIGIN + timedelta(hours=1)


@callback
def async_energy_sensor(hass: HomeAssistant, evse: Evse) -> str | None:
    """Return the entity that shows the energy register of an EVSE, if it keeps one."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(
        Platform.SENSOR, DOMAIN, unique_id(evse, REGISTER.slug)
    )
    if entity_id is None or "recorder" not in hass.config.components:
        return None
    entry = registry.async_get(entity_id)
    return None if entry is None or entry.disabled else entity_id


@dataclass(kw_only=True, slots=True, frozen=True)
class Statistics:
    """What statistics an entity has: their first hour, and the unit they are kept in.

    Both are None if there are none. The unit need not be the one that is shown.
    """

    first: datetime | None
    unit: str | None


async def async_statistics(hass: HomeAssistant, entity_id: str) -> Statistics:
    """Return what statistics an entity has, since ever."""
    return await get_instance(hass).async_add_executor_job(_statistics, hass, entity_id)


def _statistics(hass: HomeAssistant, entity_id: str) -> Statistics:
    rows = statistics_during_period(
        hass, _SINCE_EVER, None, {entity_id}, "hour", None, {"sum"}
    ).get(entity_id)
    known = get_metadata(hass, statistic_ids={entity_id}).get(entity_id)
    return Statistics(
        first=dt_util.utc_from_timestamp(rows[0]["start"]) if rows else None,
        unit=None if known is None else known[1]["unit_of_measurement"],
    )


@callback
def async_import_usage(
    hass: HomeAssistant,
    evse: Evse,
    entity_id: str,
    usage: Sequence[HourlyUsage],
    before: datetime,
    unit: str | None = None,
) -> datetime | None:
    """Put the hours before a moment into the statistics; return the first of them.

    The same hours again change nothing. `unit` is what is there in already: with any
    other one all of that would be taken for something else.
    """
    if not any(one.start < before and one.energy for one in usage):
        return None
    state = hass.states.get(entity_id)
    shown = None if state is None else state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    unit = unit or shown or UnitOfEnergy.KILO_WATT_HOUR
    if unit not in EnergyConverter.VALID_UNITS:
        return None
    register = evse.measurement(REGISTER).value
    rows = list(_rows(usage, before, unit, None if register is None else int(register)))
    metadata = StatisticMetaData(
        has_sum=True,
        mean_type=StatisticMeanType.NONE,
        name=None,
        source="recorder",
        statistic_id=entity_id,
        unit_class=EnergyConverter.UNIT_CLASS,
        unit_of_measurement=unit,
    )
    async_import_statistics(hass, metadata, rows)
    return rows[1]["start"]


def _rows(
    usage: Sequence[HourlyUsage], before: datetime, unit: str, register: int | None
) -> Iterator[StatisticData]:
    """Yield the origin and the hours before a moment; `register` is what it shows now."""
    old = [one for one in usage if one.start < before]
    later = sum(one.energy for one in usage if one.start >= before)
    following = sum(one.energy for one in old)
    for start, energy in ((ORIGIN, 0), *((one.start, one.energy) for one in old)):
        following -= energy
        row = StatisticData(start=start, sum=_in(unit, -following))
        if register is not None:
            row["state"] = _in(unit, max(0, register - following - later))
        yield row


def _in(unit: str, energy: int) -> float:
    return EnergyConverter.convert(energy, UnitOfEnergy.WATT_HOUR, unit)
