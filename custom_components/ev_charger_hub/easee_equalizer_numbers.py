"""Numbers of equalizers: how much current cars may have."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import EntityCategory, UnitOfElectricCurrent

from .easee.equalizer import Equalizer
from .easee.surplus import SurplusMode
from .easee_equalizer_settings import async_set
from .easee_product_entity import ProductEntity, ProductEntityDescription
from .station.outcome import Outcome

MOST: Final = 63.0
"""The fuse in A that is assumed as long as it is not known."""


@dataclass(frozen=True, kw_only=True)
class EqualizerNumberDescription(
    NumberEntityDescription, ProductEntityDescription[Equalizer]
):
    """Describe a current that can be set."""

    set_fn: Callable[[Equalizer, float], Awaitable[Outcome]]
    value_fn: Callable[[Equalizer], float | None]


def _allocated(equalizer: Equalizer) -> float | None:
    """Return what all cars may have together in A."""
    structure = equalizer.structure.value
    return None if structure is None else structure.allocated


def _surplus_import(equalizer: Equalizer) -> float | None:
    """Return what may be added to the surplus in A, None if surplus is nothing special."""
    surplus = equalizer.surplus.value
    if surplus is None or surplus.mode in (None, SurplusMode.NONE):
        return None
    return surplus.import_current


EQUALIZER_NUMBERS: Final = (
    EqualizerNumberDescription(
        key="max_allocated_current",
        channels_fn=lambda equalizer: (equalizer.structure,),
        device_class=NumberDeviceClass.CURRENT,
        entity_category=EntityCategory.CONFIG,
        exists_fn=lambda equalizer: _allocated(equalizer) is not None,
        mode=NumberMode.BOX,
        native_min_value=0,
        native_step=1,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        set_fn=lambda equalizer, amps: equalizer.set_max_allocated(int(amps)),
        translation_key="max_allocated_current",
        value_fn=_allocated,
    ),
    EqualizerNumberDescription(
        key="surplus_import",
        channels_fn=lambda equalizer: (equalizer.surplus, equalizer.structure),
        device_class=NumberDeviceClass.CURRENT,
        entity_category=EntityCategory.CONFIG,
        exists_fn=lambda equalizer: equalizer.surplus.value is not None,
        mode=NumberMode.BOX,
        native_min_value=0,
        native_step=1,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        set_fn=lambda equalizer, amps: equalizer.set_surplus_import(amps),
        translation_key="surplus_import",
        value_fn=_surplus_import,
    ),
)


class EqualizerNumber(ProductEntity[Equalizer], NumberEntity):
    """A current that the equalizer reports and can be told."""

    entity_description: EqualizerNumberDescription

    @override
    def _reading(self) -> tuple[float | None, float]:
        """Return the current, and the fuse, beyond which there is none."""
        structure = self.subject.structure.value
        fuse = None if structure is None else structure.rated
        value = self.entity_description.value_fn(self.subject)
        return value, max(fuse or MOST, value or 0)

    @override
    def _show(self, reading: tuple[float | None, float]) -> None:
        self._attr_native_value, self._attr_native_max_value = reading

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the current; what is shown is what the equalizer reports then."""
        equalizer = self.subject
        await async_set(equalizer, self.entity_description.set_fn(equalizer, value))
