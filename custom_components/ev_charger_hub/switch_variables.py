"""Switches of variables: what is switched on and off at a charger."""

from dataclasses import dataclass, replace
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory

from .device_variables import VariableDescription, VariableEntity, of_kind, settable
from .station.variables import DeviceVariable, Kind, Named


@dataclass(frozen=True, kw_only=True)
class SwitchVariableDescription(SwitchEntityDescription, VariableDescription):
    """Describe a variable that is yes or no."""

    entity_category: EntityCategory | None = EntityCategory.CONFIG


NAMED_SWITCHES: tuple[SwitchVariableDescription, ...] = (
    SwitchVariableDescription(
        key="authorization",
        **settable(Named.AUTHORIZATION),
        translation_key="authorization",
    ),
    SwitchVariableDescription(
        key="authorization_cache",
        **settable(Named.AUTHORIZATION_CACHE),
        entity_registry_enabled_default=False,
        translation_key="authorization_cache",
    ),
    SwitchVariableDescription(
        key="authorize_remote_start",
        **settable(Named.AUTHORIZE_REMOTE_START),
        entity_registry_enabled_default=False,
        translation_key="authorize_remote_start",
    ),
    SwitchVariableDescription(
        key="local_authorize_offline",
        **settable(Named.LOCAL_AUTHORIZE_OFFLINE),
        entity_registry_enabled_default=False,
        translation_key="local_authorize_offline",
    ),
    SwitchVariableDescription(
        key="local_pre_authorize",
        **settable(Named.LOCAL_PRE_AUTHORIZE),
        entity_registry_enabled_default=False,
        translation_key="local_pre_authorize",
    ),
    SwitchVariableDescription(
        key="offline_unknown",
        **settable(Named.OFFLINE_UNKNOWN),
        translation_key="offline_unknown",
    ),
    SwitchVariableDescription(
        key="stop_on_invalid_id",
        **settable(Named.STOP_ON_INVALID_ID),
        entity_registry_enabled_default=False,
        translation_key="stop_on_invalid_id",
    ),
    SwitchVariableDescription(
        key="stop_on_unplug",
        **settable(Named.STOP_ON_UNPLUG),
        entity_registry_enabled_default=False,
        translation_key="stop_on_unplug",
    ),
    SwitchVariableDescription(
        key="unlock_on_unplug",
        **settable(Named.UNLOCK_ON_UNPLUG),
        entity_registry_enabled_default=False,
        translation_key="unlock_on_unplug",
    ),
)

OTHER_SWITCHES: tuple[SwitchVariableDescription, ...] = (
    SwitchVariableDescription(
        key="variable",
        entity_registry_enabled_default=False,
        translation_key="device_variable",
    ),
)
"""What the variables without a name of ours have in common."""


def _other(
    variable: DeviceVariable, common: dict[str, Any]
) -> SwitchVariableDescription:
    """Return the description of a variable without a name of ours."""
    return replace(OTHER_SWITCHES[0], **common)


class HubVariableSwitch(VariableEntity, SwitchEntity):
    """Something that is switched on and off at a charger."""

    entity_description: SwitchVariableDescription
    kind = Kind.FLAG

    @override
    def _show(self, reading: DeviceVariable | None) -> None:
        self._attr_is_on = None if reading is None else reading.flag

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        await self._async_set("true")

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        await self._async_set("false")


other_switches = of_kind(Kind.FLAG, _other)
