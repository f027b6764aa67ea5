"""Easee lights: the light strip of a charger, dimmed or off."""

from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.light import LightEntity, LightEntityDescription
from homeassistant.components.light.const import ATTR_BRIGHTNESS, ColorMode
from homeassistant.const import EntityCategory

from .easee.charger import EaseeCharger
from .easee.ids import ChargerId
from .easee_writes import async_write
from .entity import HubEntity, HubEntityDescription

BRIGHTEST: Final = 255
FULL: Final = 100
"""The brightness of Home Assistant, and what a charger calls it."""


@dataclass(frozen=True, kw_only=True)
class EaseeLightDescription(LightEntityDescription, HubEntityDescription[EaseeCharger]):
    """Describe a light whose brightness a charger reports in percent."""

    number: ChargerId


EASEE_LIGHTS: tuple[EaseeLightDescription, ...] = (
    EaseeLightDescription(
        key="led_strip",
        channels_fn=lambda charger: (
            charger.readings.channel(ChargerId.LED_STRIP_BRIGHTNESS),
        ),
        entity_category=EntityCategory.CONFIG,
        exists_fn=lambda charger: ChargerId.LED_STRIP_BRIGHTNESS in charger.readings,
        number=ChargerId.LED_STRIP_BRIGHTNESS,
        translation_key="led_strip",
    ),
)


class EaseeLight(HubEntity[EaseeCharger], LightEntity):
    """A light of a charger, as bright as the charger reports."""

    entity_description: EaseeLightDescription
    _attr_color_mode = ColorMode.BRIGHTNESS
    _attr_supported_color_modes = {ColorMode.BRIGHTNESS}  # noqa: RUF012

    @override
    def __init__(self, *args: Any) -> None:
        """Know of no brightness to go back to."""
        self._before = FULL
        super().__init__(*args)

    @override
    def _reading(self) -> float | None:
        return self.subject.readings.number(self.entity_description.number)

    @override
    def _show(self, reading: float | None) -> None:
        self._attr_is_on = None if reading is None else reading > 0
        self._attr_brightness = None
        if reading:
            self._before = round(reading)
            self._attr_brightness = round(reading * BRIGHTEST / FULL)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on, as bright as before if it is not said."""
        percent = self._before
        if (brightness := kwargs.get(ATTR_BRIGHTNESS)) is not None:
            percent = max(1, round(brightness * FULL / BRIGHTEST))
        await self._async_set(percent)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        await self._async_set(0)

    async def _async_set(self, percent: int) -> None:
        number = self.entity_description.number
        await async_write(self.hub_station, self.subject, number, percent)
