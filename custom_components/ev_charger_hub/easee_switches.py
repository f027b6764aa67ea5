"""Easee switches: settings of a charger that are on or off."""

from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory

from .easee.charger import EaseeCharger
from .easee.ids import ChargerId
from .easee_writes import async_write
from .entity import HubEntity, HubEntityDescription


@dataclass(frozen=True, kw_only=True)
class EaseeSwitchDescription(
    SwitchEntityDescription, HubEntityDescription[EaseeCharger]
):
    """Describe a switch of what a charger reports under a number."""

    number: ChargerId


def _switch(
    key: str,
    number: ChargerId,
    *,
    enabled: bool = True,
    category: EntityCategory | None = EntityCategory.CONFIG,
) -> EaseeSwitchDescription:
    """Return the switch of a setting."""
    return EaseeSwitchDescription(
        key=key,
        channels_fn=lambda charger: (charger.readings.channel(number),),
        entity_category=category,
        entity_registry_enabled_default=enabled,
        exists_fn=lambda charger: number in charger.readings,
        number=number,
        translation_key=key,
    )


EASEE_SWITCHES: tuple[EaseeSwitchDescription, ...] = (
    _switch("enabled", ChargerId.IS_ENABLED, category=None),
    _switch("authorization_required", ChargerId.AUTHORIZATION_REQUIRED),
    _switch("cable_lock", ChargerId.LOCK_CABLE_PERMANENTLY),
    _switch("idle_current", ChargerId.ENABLE_IDLE_CURRENT),
    _switch("smart_charging", ChargerId.SMART_CHARGING),
    _switch("touch_button", ChargerId.SMART_BUTTON_ENABLED),
    _switch(
        "local_authorization", ChargerId.LOCAL_AUTHORIZATION_REQUIRED, enabled=False
    ),
    _switch(
        "offline_unknown_tokens",
        ChargerId.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID,
        enabled=False,
    ),
    _switch(
        "offline_known_tokens",
        ChargerId.LOCAL_AUTHORIZE_OFFLINE_ENABLED,
        enabled=False,
    ),
    _switch(
        "known_tokens_at_once", ChargerId.LOCAL_PRE_AUTHORIZE_ENABLED, enabled=False
    ),
    _switch("remote_start_required", ChargerId.REMOTE_START_REQUIRED, enabled=False),
)


class EaseeSwitch(HubEntity[EaseeCharger], SwitchEntity):
    """A setting of a charger, as the charger reports it."""

    entity_description: EaseeSwitchDescription

    @override
    def _reading(self) -> bool | None:
        return self.subject.readings.flag(self.entity_description.number)

    @override
    def _show(self, reading: bool | None) -> None:
        self._attr_is_on = reading

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        await self._async_set(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        await self._async_set(False)

    async def _async_set(self, on: bool) -> None:
        number = self.entity_description.number
        await async_write(self.hub_station, self.subject, number, on)
