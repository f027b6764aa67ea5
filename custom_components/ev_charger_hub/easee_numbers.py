"""Easee numbers: the limits that a charger and its circuit keep, in A.

Most of them are kept in memory that wears: `easee.wear` says how often they may be set.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import EntityCategory, UnitOfElectricCurrent

from .easee.charger import EaseeCharger
from .easee.ids import ChargerId
from .easee_writes import account_of, async_write
from .entity import HubEntity, HubEntityDescription
from .helpers import async_limit, invalid
from .models import HubStation
from .station import limits
from .station.link import Limit

MOST: Final = 32
"""No charger has more, in A."""

type Bounds = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class EaseeNumberDescription(
    NumberEntityDescription, HubEntityDescription[EaseeCharger]
):
    """Describe a limit that a charger reports under a number."""

    bounds_fn: Callable[[HubStation, EaseeCharger], Bounds]
    number: ChargerId
    set_fn: Callable[[HubStation, EaseeCharger, float], Awaitable[None]]


def _maximum(hub_station: HubStation, charger: EaseeCharger) -> Bounds:
    """Return the bounds of what a charger may take at most."""
    return 6, MOST


def _up_to_maximum(hub_station: HubStation, charger: EaseeCharger) -> Bounds:
    """Return the bounds of what a charger takes for now: 0 is a pause."""
    return 0, charger.readings.number(ChargerId.MAX_CHARGER_CURRENT) or MOST


def _up_to_fuse(hub_station: HubStation, charger: EaseeCharger) -> Bounds:
    """Return the bounds of a limit of a circuit: its fuse, if that is known."""
    site = account_of(hub_station).sites.get(charger.info.site_id or 0)
    circuits = () if site is None else site.circuits
    fuse = next(
        (one.rated_current for one in circuits if one.id == charger.info.circuit_id),
        None,
    )
    return 0, fuse or MOST


def _written(
    number: ChargerId,
) -> Callable[[HubStation, EaseeCharger, float], Awaitable[None]]:
    """Return what writes a limit in whole A."""

    async def async_set(
        hub_station: HubStation, charger: EaseeCharger, value: float
    ) -> None:
        await async_write(hub_station, charger, number, int(value))

    return async_set


async def _async_limit(
    hub_station: HubStation, charger: EaseeCharger, value: float
) -> None:
    """Limit what a charger takes for now: the same wish as that of the current limit."""
    station = charger.station
    limit = Limit(value=Decimal(str(value)))
    await async_limit(station, limits.request(station, 1, limit))


def _number(
    key: str,
    number: ChargerId,
    bounds_fn: Callable[[HubStation, EaseeCharger], Bounds],
    *,
    exists: Callable[[EaseeCharger], bool] = lambda _: True,
    **more: Any,
) -> EaseeNumberDescription:
    """Return the number of a limit."""
    fields: dict[str, Any] = {"set_fn": _written(number), "translation_key": key} | more
    return EaseeNumberDescription(
        key=key,
        bounds_fn=bounds_fn,
        channels_fn=lambda charger: (
            charger.readings.channel(number),
            charger.readings.channel(ChargerId.MAX_CHARGER_CURRENT),
        ),
        device_class=NumberDeviceClass.CURRENT,
        entity_category=EntityCategory.CONFIG,
        exists_fn=lambda charger: number in charger.readings and exists(charger),
        mode=NumberMode.BOX,
        native_step=1,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        number=number,
        **fields,
    )


def _speaks_for_circuit(charger: EaseeCharger) -> bool:
    """Return whether limits of a circuit are told by a charger, and can be set."""
    return charger.info.primary and charger.info.circuit_id is not None


def _by_phase(key: str, first: ChargerId) -> tuple[EaseeNumberDescription, ...]:
    """Return the numbers of a limit of a circuit, one for each phase."""
    return tuple(
        _number(
            f"{key}_l{phase}",
            ChargerId(first + phase - 1),
            _up_to_fuse,
            entity_registry_enabled_default=False,
            exists=_speaks_for_circuit,
            placeholders={"phase": f"L{phase}"},
            translation_key=key,
        )
        for phase in (1, 2, 3)
    )


EASEE_NUMBERS: tuple[EaseeNumberDescription, ...] = (
    _number("maximum_current", ChargerId.MAX_CHARGER_CURRENT, _maximum),
    _number(
        "dynamic_current",
        ChargerId.DYNAMIC_CHARGER_CURRENT,
        _up_to_maximum,
        entity_registry_enabled_default=False,
        set_fn=_async_limit,
    ),
    *_by_phase("circuit_maximum", ChargerId.CIRCUIT_MAX_CURRENT_P1),
    *_by_phase("circuit_dynamic", ChargerId.DYNAMIC_CIRCUIT_CURRENT_P1),
    *_by_phase("circuit_offline", ChargerId.OFFLINE_MAX_CIRCUIT_CURRENT_P1),
)


class EaseeNumber(HubEntity[EaseeCharger], NumberEntity):
    """A limit, as the charger reports it."""

    entity_description: EaseeNumberDescription

    @override
    def _reading(self) -> tuple[float, float, float] | None:
        """Return the limit and its bounds; what is reported is always within them."""
        description = self.entity_description
        value = self.subject.readings.number(description.number)
        if value is None:
            return None
        low, high = description.bounds_fn(self.hub_station, self.subject)
        return float(value), min(low, value), max(high, value)

    @override
    def _show(self, reading: tuple[float, float, float] | None) -> None:
        if reading is None:
            self._attr_native_value = None
            return
        (
            self._attr_native_value,
            self._attr_native_min_value,
            self._attr_native_max_value,
        ) = reading

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change the limit, but not to what is beyond its bounds, as the present one may be."""
        low, high = self.entity_description.bounds_fn(self.hub_station, self.subject)
        if not low <= value <= high:
            raise invalid(
                "easee_out_of_bounds",
                charger=self.hub_station.station.settings.name,
                low=f"{low:g}",
                high=f"{high:g}",
            )
        await self.entity_description.set_fn(self.hub_station, self.subject, value)
