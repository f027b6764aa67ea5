"""Easee settings: what the user decided about an account and its chargers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigEntry

from .const import (
    CONF_FALLBACK_CURRENT,
    CONF_FREE_CHARGING,
    CONF_LIMIT_INTERVAL,
    CONF_MAXIMUM_CURRENT,
    CONF_MINIMUM_CURRENT,
    CONF_PHASES,
    CONF_PRICE_ENTITY,
)
from .easee.enums import GridType, PhaseMode
from .easee.ids import ChargerId
from .easee.readings import Readings
from .station.settings import StationSettings

# A config entry of an Easee account: options
CONF_CHARGERS: Final = "chargers"
"""What was decided about each charger, by serial."""
CONF_LEFT_OUT_PRODUCTS: Final = "left_out_products"
CONF_LEFT_OUT_SITES: Final = "left_out_sites"
"""What is left out, and not what is wanted: what comes to the account later is wanted."""

OF_CHARGER: Final = (
    CONF_FALLBACK_CURRENT,
    CONF_FREE_CHARGING,
    CONF_LIMIT_INTERVAL,
    CONF_MAXIMUM_CURRENT,
    CONF_MINIMUM_CURRENT,
    CONF_PHASES,
    CONF_PRICE_ENTITY,
)
"""The settings of a charger that can be other than what it reports, or usual."""

TELLING: Final = (
    ChargerId.DETECTED_POWER_GRID_TYPE,
    ChargerId.MAX_CHARGER_CURRENT,
    ChargerId.PHASE_MODE,
)
"""What a charger reports that settings depend on."""

ONE_PHASE: Final = frozenset({GridType.TN_1, GridType.IT_1})


@dataclass(kw_only=True, slots=True, frozen=True)
class LeftOut:
    """What of an account the user does not want to see."""

    sites: frozenset[int] = frozenset()
    products: frozenset[str] = frozenset()

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Return what the options of an entry leave out."""
        return cls(
            sites=frozenset(int(one) for one in options.get(CONF_LEFT_OUT_SITES, ())),
            products=frozenset(options.get(CONF_LEFT_OUT_PRODUCTS, ())),
        )

    def as_options(self) -> dict[str, Any]:
        """Return it as options of an entry."""
        return {
            CONF_LEFT_OUT_PRODUCTS: sorted(self.products),
            CONF_LEFT_OUT_SITES: sorted(self.sites),
        }


def charger_options(entry: ConfigEntry[Any], identity: str) -> Mapping[str, Any]:
    """Return what the user decided about a charger."""
    chosen: Mapping[str, Any] = entry.options.get(CONF_CHARGERS, {}).get(identity, {})
    return chosen


def charger_settings(
    chosen: Mapping[str, Any], name: str, readings: Readings
) -> StationSettings:
    """Return the settings of a charger: the user's, else what it reports, else usual."""
    kept = {key: chosen[key] for key in OF_CHARGER if chosen.get(key) is not None}
    return StationSettings(**{"name": name, **_reported(readings), **kept})


def _reported(readings: Readings) -> dict[str, int]:
    """Return the settings that follow from what a charger reports."""
    reported = {CONF_PHASES: _phases(readings)}
    maximum = readings.number(ChargerId.MAX_CHARGER_CURRENT)
    if maximum is not None and maximum >= 1:
        reported[CONF_MAXIMUM_CURRENT] = int(maximum)
        if maximum < StationSettings(name="").minimum_current:
            reported[CONF_MINIMUM_CURRENT] = int(maximum)
    return reported


def _phases(readings: Readings) -> int:
    """Return with how many phases a charger can charge."""
    if PhaseMode.of(readings.value(ChargerId.PHASE_MODE)) is PhaseMode.SINGLE_PHASE:
        return 1
    grid = GridType.of(readings.value(ChargerId.DETECTED_POWER_GRID_TYPE))
    return 1 if grid in ONE_PHASE else 3
