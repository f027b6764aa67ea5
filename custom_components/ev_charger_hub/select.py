"""Selects of chargers."""

from dataclasses import dataclass
from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory, Platform

from .easee_equalizer_selects import (
    EQUALIZER_SELECTS,
    EqualizerSelect,
    EqualizerSelectDescription,
)
from .easee_products import ProductPlatform
from .easee_selects import (
    ACCESS_SELECTS,
    EASEE_SELECTS,
    SCHEDULE_SELECTS,
    EaseeAccessDescription,
    EaseeAccessSelect,
    EaseeScheduleDescription,
    EaseeScheduleSelect,
    EaseeSelect,
    EaseeSelectDescription,
)
from .entity import HubEntity, HubEntityDescription
from .growth import HubPlatform, by_description
from .helpers import async_limit
from .select_variables import (
    HubVariableSelect,
    SelectVariableDescription,
    other_selects,
)
from .station import limits
from .station.link import Capability, LinkKind
from .station.model import Evse

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class HubSelectDescription(SelectEntityDescription, HubEntityDescription[Evse]):
    """Describe a number of phases."""


def _switches_phases(evse: Evse) -> bool:
    """Return whether a charger can change the number of phases, by its own word.

    One that a cloud has, too, tells of a mode that is set there, and does the same.
    """
    station = evse.station
    return station.ways == {LinkKind.OCPP} and any(
        Capability.PHASES in link.capabilities for link in station.links
    )


EVSE_SELECTS: tuple[HubSelectDescription, ...] = (
    HubSelectDescription(
        key="phases",
        by_server=True,
        channels_fn=lambda evse: (evse.station.online, evse.wanted_phases),
        entity_category=EntityCategory.CONFIG,
        exists_fn=_switches_phases,
        options=["1", "3"],
        translation_key="phases",
    ),
)


class HubSelect(HubEntity[Evse], SelectEntity):
    """With how many phases the user wants to charge."""

    entity_description: HubSelectDescription

    @override
    def _reading(self) -> str:
        """Return what is wanted, else how many phases the charger has."""
        return str(self.subject.phases)

    @override
    def _show(self, reading: str) -> None:
        self._attr_current_option = reading

    @override
    async def async_select_option(self, option: str) -> None:
        """Charge with another number of phases."""
        wish = limits.request_phases(self.station, self.subject.id, int(option))
        await async_limit(self.station, wish)


async_setup_entry = HubPlatform(
    platform=Platform.SELECT,
    entity=by_description(
        HubSelect,
        {
            EaseeAccessDescription: EaseeAccessSelect,
            EaseeScheduleDescription: EaseeScheduleSelect,
            EaseeSelectDescription: EaseeSelect,
            SelectVariableDescription: HubVariableSelect,
        },
    ),
    of_easee=(*EASEE_SELECTS, *SCHEDULE_SELECTS, *ACCESS_SELECTS),
    more=other_selects,
    of_evse=EVSE_SELECTS,
    products=ProductPlatform(
        platform=Platform.SELECT,
        entities={EqualizerSelectDescription: EqualizerSelect},
        of_equalizer=EQUALIZER_SELECTS,
    ).setup,
).async_setup_entry
