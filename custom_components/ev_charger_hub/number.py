"""Current limits of chargers."""

from dataclasses import dataclass
from decimal import Decimal
from typing import override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import Platform, UnitOfElectricCurrent

from .easee_equalizer_numbers import (
    EQUALIZER_NUMBERS,
    EqualizerNumber,
    EqualizerNumberDescription,
)
from .easee_numbers import EASEE_NUMBERS, EaseeNumber, EaseeNumberDescription
from .easee_products import ProductPlatform
from .entity import HubEntity, HubEntityDescription
from .growth import HubPlatform, by_description
from .helpers import async_limit
from .number_variables import (
    NAMED_NUMBERS,
    HubVariableNumber,
    NumberVariableDescription,
    other_numbers,
)
from .station import limits
from .station.link import Limit
from .station.model import Evse, Place

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class HubNumberDescription[P: Place](NumberEntityDescription, HubEntityDescription[P]):
    """Describe a limit, in A."""


WHOLE_NUMBERS: tuple[HubNumberDescription[Place], ...] = (
    HubNumberDescription(
        key="current_limit",
        channels_fn=lambda place: (place.wanted_limit,),
        device_class=NumberDeviceClass.CURRENT,
        exists_fn=lambda place: len(place.station.evses) > 1,
        mode=NumberMode.SLIDER,
        native_step=1,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        translation_key="station_current_limit",
    ),
)

EVSE_NUMBERS: tuple[HubNumberDescription[Evse], ...] = (
    HubNumberDescription(
        key="current_limit",
        channels_fn=lambda evse: (evse.wanted_limit, evse.wanted_phases),
        device_class=NumberDeviceClass.CURRENT,
        mode=NumberMode.SLIDER,
        native_step=1,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        of_circuit=True,
        translation_key="current_limit",
    ),
)


class HubNumber[P: Place](HubEntity[P], NumberEntity):
    """The limit that a user wants, in A."""

    entity_description: HubNumberDescription[P]

    @override
    def _reading(self) -> tuple[float, int, int]:
        """Return the limit, and the bounds that the settings give it."""
        settings = self.station.settings
        wanted = self.subject.wanted_limit.value
        if wanted is None:
            value = float(settings.maximum_current)
        else:
            value = round(float(limits.in_ampere(wanted, self.subject.phases)), 1)
        return value, settings.minimum_current, settings.maximum_current

    @override
    def _show(self, reading: tuple[float, int, int]) -> None:
        (
            self._attr_native_value,
            self._attr_native_min_value,
            self._attr_native_max_value,
        ) = reading

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Make a limit hold."""
        limit = Limit(value=Decimal(str(value)))
        await async_limit(
            self.station, limits.request(self.station, self.subject.id, limit)
        )


async_setup_entry = HubPlatform(
    platform=Platform.NUMBER,
    entity=by_description(
        HubNumber,
        {
            EaseeNumberDescription: EaseeNumber,
            NumberVariableDescription: HubVariableNumber,
        },
    ),
    of_easee=EASEE_NUMBERS,
    more=other_numbers,
    of_station=NAMED_NUMBERS,
    of_whole=WHOLE_NUMBERS,
    of_evse=EVSE_NUMBERS,
    products=ProductPlatform(
        platform=Platform.NUMBER,
        entities={EqualizerNumberDescription: EqualizerNumber},
        of_equalizer=EQUALIZER_NUMBERS,
    ).setup,
).async_setup_entry
