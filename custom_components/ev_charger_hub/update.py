"""Updates of the firmware of chargers, as far as the user has them."""

from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.update import (
    UpdateDeviceClass,
    UpdateEntity,
    UpdateEntityDescription,
    UpdateEntityFeature,
)
from homeassistant.const import EntityCategory, Platform

from .easee_equalizer_updates import (
    EQUALIZER_UPDATES,
    EqualizerUpdate,
    EqualizerUpdateDescription,
)
from .easee_products import ProductPlatform
from .easee_updates import EASEE_UPDATES, EaseeUpdate, EaseeUpdateDescription
from .entity import HubEntity, HubEntityDescription
from .file_actions import async_update_firmware
from .growth import HubPlatform, by_description
from .helpers import invalid
from .station.channel import Channel
from .station.firmware import FirmwareOffer
from .station.model import ChargingStation

PARALLEL_UPDATES = 0

VERSION_LENGTH = 255
"""Home Assistant refuses states that are longer."""


@dataclass(frozen=True, kw_only=True)
class HubUpdateDescription(
    UpdateEntityDescription, HubEntityDescription[ChargingStation]
):
    """Describe an update."""


def _channels(station: ChargingStation) -> tuple[Channel[Any], ...]:
    """Return what an update is made of."""
    if station.firmware is None:
        return (station.info,)
    return (station.info, station.firmware.offer, station.firmware.update)


def _offer(station: ChargingStation) -> FirmwareOffer | None:
    """Return what the user has for a station."""
    return None if station.firmware is None else station.firmware.offer.value


STATION_UPDATES: tuple[HubUpdateDescription, ...] = (
    HubUpdateDescription(
        key="firmware",
        channels_fn=_channels,
        device_class=UpdateDeviceClass.FIRMWARE,
        entity_category=EntityCategory.CONFIG,
        exists_fn=lambda station: _offer(station) is not None,
        local=True,
        translation_key="firmware",
    ),
)


class HubUpdate(HubEntity[ChargingStation], UpdateEntity):
    """The firmware of a charger: what it has, and what the user has for it."""

    entity_description: HubUpdateDescription
    _attr_supported_features = (
        UpdateEntityFeature.INSTALL | UpdateEntityFeature.PROGRESS
    )

    @property
    @override
    def in_progress(self) -> bool:
        """Return whether an update goes on, also one begun by an action."""
        return self.station.firmware is not None and self.station.firmware.active

    @override
    def _reading(self) -> object:
        return (
            _offer(self.station),
            self.station.info.value.firmware,
            self.in_progress,
        )

    @override
    def _show(self, reading: tuple[FirmwareOffer | None, str | None, bool]) -> None:
        offer, installed, _ = reading
        # Before its first boot a charger has not said which firmware it has.
        self._attr_installed_version = installed[:VERSION_LENGTH] if installed else None
        self._attr_latest_version = (
            offer.version if offer is not None else self._attr_installed_version
        )
        self._attr_release_url = offer.release_url if offer is not None else None

    @override
    async def async_install(
        self, version: str | None, backup: bool, **kwargs: Any
    ) -> None:
        """Have the charger fetch and install what the user has for it."""
        offer = _offer(self.station)
        if offer is None or self.station.firmware is None:
            raise invalid("firmware_no_location", charger=self.station.settings.name)
        await async_update_firmware(self.station.firmware, self.station, offer, {})


async_setup_entry = HubPlatform(
    platform=Platform.UPDATE,
    entity=by_description(HubUpdate, {EaseeUpdateDescription: EaseeUpdate}),
    of_easee=EASEE_UPDATES,
    of_station=STATION_UPDATES,
    products=ProductPlatform(
        platform=Platform.UPDATE,
        entities={EqualizerUpdateDescription: EqualizerUpdate},
        of_equalizer=EQUALIZER_UPDATES,
    ).setup,
).async_setup_entry
