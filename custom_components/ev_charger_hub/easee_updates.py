"""Easee updates: the firmware of a charger, and the newest one that the cloud has."""

from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.update import (
    UpdateDeviceClass,
    UpdateEntity,
    UpdateEntityDescription,
    UpdateEntityFeature,
)
from homeassistant.const import EntityCategory

from .easee.charger import EaseeCharger
from .easee.enums import LedMode
from .easee.firmware import latest_firmware
from .easee.ids import ChargerId
from .easee.writing import Order
from .easee_asked import AskedEntity
from .easee_writes import account_of, async_order
from .entity import HubEntityDescription

type Versions = tuple[int, int | None, bool]
"""What is installed, what is the newest, and whether it is being installed."""


@dataclass(frozen=True, kw_only=True)
class EaseeUpdateDescription(
    UpdateEntityDescription, HubEntityDescription[EaseeCharger]
):
    """Describe an update."""


EASEE_UPDATES: tuple[EaseeUpdateDescription, ...] = (
    EaseeUpdateDescription(
        key="firmware",
        channels_fn=lambda charger: (
            charger.readings.channel(ChargerId.CHARGER_FIRMWARE),
            charger.readings.channel(ChargerId.LED_MODE),
        ),
        device_class=UpdateDeviceClass.FIRMWARE,
        entity_category=EntityCategory.CONFIG,
        translation_key="firmware",
    ),
)


class EaseeUpdate(AskedEntity[int], UpdateEntity):
    """The firmware of a charger; who may not know the newest one sees none."""

    entity_description: EaseeUpdateDescription
    _attr_supported_features = (
        UpdateEntityFeature.INSTALL | UpdateEntityFeature.PROGRESS
    )

    @override
    async def _async_ask(self) -> int | None:
        requests = account_of(self.hub_station).requests
        return await latest_firmware(requests, self.subject.serial)

    @override
    def _reading(self) -> Versions | None:
        readings = self.subject.readings
        mode = LedMode.of(readings.value(ChargerId.LED_MODE))
        if (installed := readings.number(ChargerId.CHARGER_FIRMWARE)) is None:
            return None
        return int(installed), self._asked.value.value, mode is LedMode.UPDATING

    @override
    def _show(self, reading: Versions | None) -> None:
        if reading is None:
            self._attr_installed_version = self._attr_latest_version = None
            return
        installed, latest, self._attr_in_progress = reading
        self._attr_installed_version = str(installed)
        self._attr_latest_version = str(installed if latest is None else latest)

    @override
    async def async_install(
        self, version: str | None, backup: bool, **kwargs: Any
    ) -> None:
        """Have the charger install the newest firmware."""
        await async_order(self.hub_station, self.subject, Order.UPDATE_FIRMWARE)
