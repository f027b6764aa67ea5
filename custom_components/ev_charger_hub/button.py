"""Buttons of chargers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.components.button.const import ButtonDeviceClass
from homeassistant.const import EntityCategory, Platform

from .easee_buttons import EASEE_BUTTONS, EaseeButton, EaseeButtonDescription
from .entity import HubEntity, HubEntityDescription, Subject, dials_in
from .growth import HubPlatform, by_description
from .helpers import async_reset, async_unlock, first_connector
from .log_files import LogWish
from .models import HubStation, OcppStation
from .ocpp.quirks import quirks_of
from .plugs import plugs
from .priority import async_use_priority
from .station.commands import LogKind
from .station.model import ChargingStation, Evse

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class HubButtonDescription[S: Subject](
    ButtonEntityDescription, HubEntityDescription[S]
):
    """Describe a button."""

    press_fn: Callable[[S], Awaitable[Any]] | None = None
    place_fn: Callable[[HubStation, S], Awaitable[Any]] | None = None
    """What to do at an EVSE, for what the model alone cannot do."""
    charger_fn: Callable[[HubStation], Awaitable[Any]] | None = None
    """What to do with a charger, for what the model alone cannot do."""
    usable_fn: Callable[[S], bool] = lambda _: True
    """Whether the firmware does it."""


async def _fetch_diagnostics(hub_station: HubStation) -> None:
    """Have a charger send its log."""
    if isinstance(hub_station, OcppStation):
        await hub_station.log_files.async_fetch(LogWish(kind=LogKind.DIAGNOSTICS))


STATION_BUTTONS: tuple[HubButtonDescription[ChargingStation], ...] = (
    HubButtonDescription(
        key="fetch_diagnostics",
        charger_fn=_fetch_diagnostics,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=dials_in,
        local=True,
        translation_key="fetch_diagnostics",
    ),
    HubButtonDescription(
        key="reset",
        device_class=ButtonDeviceClass.RESTART,
        entity_category=EntityCategory.CONFIG,
        press_fn=lambda station: async_reset(station, hard=True),
        translation_key="reset",
    ),
    HubButtonDescription(
        key="soft_reset",
        device_class=ButtonDeviceClass.RESTART,
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        exists_fn=dials_in,
        local=True,
        press_fn=lambda station: async_reset(station, hard=False),
        translation_key="soft_reset",
    ),
)

EVSE_BUTTONS: tuple[HubButtonDescription[Evse], ...] = (
    HubButtonDescription(
        key="priority_charging",
        channels_fn=lambda evse: (evse.station.version,),
        exists_fn=lambda evse: evse.station.version.value == "2.1",
        local=True,
        place_fn=lambda hub_station, evse: async_use_priority(
            hub_station, evse, activate=True
        ),
        translation_key="priority_charging",
    ),
    HubButtonDescription(
        key="unlock",
        channels_fn=lambda evse: (evse.station.info,),
        entity_category=EntityCategory.CONFIG,
        exists_fn=dials_in,
        local=True,
        press_fn=lambda evse: async_unlock(
            evse.station, evse.id, first_connector(evse)
        ),
        translation_key="unlock",
        usable_fn=lambda evse: quirks_of(evse.station.info.value).unlocks,
    ),
    HubButtonDescription(
        key="reset",
        channels_fn=lambda evse: (evse.resets,),
        device_class=ButtonDeviceClass.RESTART,
        entity_category=EntityCategory.CONFIG,
        exists_fn=lambda evse: evse.resets.value and len(evse.station.evses) > 1,
        press_fn=lambda evse: async_reset(evse.station, hard=True, evse_id=evse.id),
        translation_key="reset",
    ),
)


@cache
def plug_buttons(number: int) -> tuple[HubButtonDescription[Evse], ...]:
    """Return the buttons of one connector of an EVSE with several."""
    return (
        HubButtonDescription(
            key=f"plug_{number}_unlock",
            entity_category=EntityCategory.CONFIG,
            local=True,
            placeholders={"number": str(number)},
            press_fn=lambda evse: async_unlock(evse.station, evse.id, number),
            translation_key="plug_unlock",
        ),
    )


class HubButton[S: Subject](HubEntity[S], ButtonEntity):
    """A command to a charger."""

    entity_description: HubButtonDescription[S]

    @override
    def _available(self, reading: object) -> bool:
        """Return whether the charger is there, and can."""
        usable = self.entity_description.usable_fn(self.subject)
        return usable and super()._available(reading)

    @override
    async def async_press(self) -> None:
        """Send the command."""
        if (press := self.entity_description.press_fn) is not None:
            await press(self.subject)
        if (use := self.entity_description.place_fn) is not None:
            await use(self.hub_station, self.subject)
        if (act := self.entity_description.charger_fn) is not None:
            await act(self.hub_station)


async_setup_entry = HubPlatform(
    platform=Platform.BUTTON,
    entity=by_description(HubButton, {EaseeButtonDescription: EaseeButton}),
    of_easee=EASEE_BUTTONS,
    of_station=STATION_BUTTONS,
    of_evse=EVSE_BUTTONS,
    more=lambda station: plugs(station, plug_buttons),
).async_setup_entry
