"""Updates of equalizers: the firmware, and the newest one that the cloud has."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, override

from homeassistant.components.update import (
    UpdateDeviceClass,
    UpdateEntity,
    UpdateEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import callback

from .easee.asked import Asked
from .easee.equalizer import Equalizer
from .easee.firmware import latest_firmware
from .easee.ids import EqualizerId
from .easee_asked import SELDOM
from .easee_product_entity import ProductEntity, ProductEntityDescription
from .station.channel import Channel


@dataclass(frozen=True, kw_only=True)
class EqualizerUpdateDescription(
    UpdateEntityDescription, ProductEntityDescription[Equalizer]
):
    """Describe the update of an equalizer, which installs it by itself."""


EQUALIZER_UPDATES: Final = (
    EqualizerUpdateDescription(
        key="firmware",
        channels_fn=lambda equalizer: (
            equalizer.readings.channel(EqualizerId.SOFTWARE_RELEASE),
        ),
        device_class=UpdateDeviceClass.FIRMWARE,
        entity_category=EntityCategory.DIAGNOSTIC,
        exists_fn=lambda equalizer: equalizer.firmware is not None,
        translation_key="firmware",
    ),
)


@callback
def _cancel(task: asyncio.Task[None]) -> None:
    """Let a task end, whether it has ended or not."""
    task.cancel()


class EqualizerUpdate(ProductEntity[Equalizer], UpdateEntity):
    """The firmware of an equalizer; who may not know the newest one sees none."""

    entity_description: EqualizerUpdateDescription
    _attr_title = "Equalizer"

    @override
    def __init__(self, *args: Any) -> None:
        """Have asked for nothing yet."""
        hub, product, _ = args
        ask = partial(latest_firmware, hub.account.requests, product.subject.serial)
        self._asked = Asked(hub.account.time, ask, SELDOM)
        super().__init__(*args)

    @override
    async def async_added_to_hass(self) -> None:
        """Ask from now on."""
        await super().async_added_to_hass()
        task = self.hub.entry.async_create_background_task(
            self.hass, self._asked.run(), "Easee firmware"
        )
        self.async_on_remove(partial(_cancel, task))

    @override
    def _channels(self) -> tuple[Channel[Any], ...]:
        return (*super()._channels(), self._asked.value)

    @override
    def _reading(self) -> tuple[int | None, int | None]:
        return self.subject.firmware, self._asked.value.value

    @override
    def _show(self, reading: tuple[int | None, int | None]) -> None:
        installed, latest = reading
        known = None if installed is None else str(installed)
        self._attr_installed_version = known
        self._attr_latest_version = known if latest is None else str(latest)
