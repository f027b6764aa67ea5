"""Easee selects: settings of a charger that are one of a few."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import callback

from .easee.charger import EaseeCharger
from .easee.enums import AccessLevel, Numbered, OfflineMode, PhaseMode
from .easee.errors import EaseeError
from .easee.ids import ChargerId
from .easee.link import EVSE
from .easee.ownership import set_access
from .easee.schedule_choice import ScheduleKind, active_schedule, follow_schedule
from .easee_asked import AskedEntity
from .easee_errors import translated_easee_errors
from .easee_writes import account_of, async_write
from .entity import HubEntity, HubEntityDescription
from .helpers import async_limit, checked, invalid
from .station import limits
from .station.outcome import OutcomeStatus

HOURLY: Final = timedelta(hours=1)

PHASES: Final[dict[Numbered, int | None]] = {
    PhaseMode.SINGLE_PHASE: 1,
    PhaseMode.AUTOMATIC: None,
    PhaseMode.THREE_PHASES: 3,
}

type Shown = tuple[str | None, dict[str, Any]]
"""An option, and what stands behind it."""

NOTHING: Final[Shown] = (None, {})


@dataclass(frozen=True, kw_only=True)
class EaseeSelectDescription(
    SelectEntityDescription, HubEntityDescription[EaseeCharger]
):
    """Describe a choice of what a charger reports under a number."""

    names: type[Numbered]
    number: ChargerId
    set_fn: Callable[[EaseeCharger, Numbered], Awaitable[None]] | None = None
    """What is done instead of writing the setting."""


async def _async_set_phases(charger: EaseeCharger, mode: Numbered) -> None:
    """Charge with other phases, which takes a new start of charging (3.3)."""
    station = charger.station
    wish = limits.request_phases(station, EVSE, PHASES[mode])
    await async_limit(station, wish)


def _select(
    key: str, number: ChargerId, names: type[Numbered], **more: Any
) -> EaseeSelectDescription:
    """Return the select of a setting."""
    return EaseeSelectDescription(
        key=key,
        channels_fn=lambda charger: (charger.readings.channel(number),),
        entity_category=EntityCategory.CONFIG,
        exists_fn=lambda charger: number in charger.readings,
        names=names,
        number=number,
        options=list(names),
        translation_key=key,
        **more,
    )


EASEE_SELECTS: tuple[EaseeSelectDescription, ...] = (
    _select("phase_mode", ChargerId.PHASE_MODE, PhaseMode, set_fn=_async_set_phases),
    _select(
        "offline_mode",
        ChargerId.OFFLINE_CHARGING_MODE,
        OfflineMode,
        entity_registry_enabled_default=False,
    ),
)


class EaseeSelect(HubEntity[EaseeCharger], SelectEntity):
    """A setting of a charger, as the charger reports it."""

    entity_description: EaseeSelectDescription

    @override
    def _reading(self) -> Shown | None:
        value = self.subject.readings.value(self.entity_description.number)
        if value is None:
            return None
        return self.entity_description.names.of(value), {"raw": value}

    @override
    def _show(self, reading: Shown | None) -> None:
        shown = reading or NOTHING
        self._attr_current_option, self._attr_extra_state_attributes = shown

    @override
    async def async_select_option(self, option: str) -> None:
        """Change the setting."""
        description = self.entity_description
        chosen = description.names(option)
        if description.set_fn is not None:
            await description.set_fn(self.subject, chosen)
            return
        await async_write(
            self.hub_station, self.subject, description.number, chosen.number
        )


@dataclass(frozen=True, kw_only=True)
class EaseeScheduleDescription(
    SelectEntityDescription, HubEntityDescription[EaseeCharger]
):
    """Describe the choice of a stored schedule."""


@dataclass(frozen=True, kw_only=True)
class EaseeAccessDescription(
    SelectEntityDescription, HubEntityDescription[EaseeCharger]
):
    """Describe the choice of who may charge."""


SCHEDULE_SELECTS: tuple[EaseeScheduleDescription, ...] = (
    EaseeScheduleDescription(
        key="schedule",
        channels_fn=lambda charger: (
            charger.readings.channel(ChargerId.CHARGING_SCHEDULE),
        ),
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        options=list(ScheduleKind),
        translation_key="schedule",
    ),
)

ACCESS_SELECTS: tuple[EaseeAccessDescription, ...] = (
    EaseeAccessDescription(
        key="access",
        channels_fn=lambda charger: (charger.access,),
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        options=list(AccessLevel),
        translation_key="access",
    ),
)


class EaseeScheduleSelect(AskedEntity[str], SelectEntity):
    """Which of its stored schedules a charger follows."""

    entity_description: EaseeScheduleDescription
    every = HOURLY

    @override
    async def async_added_to_hass(self) -> None:
        """Ask again when the charger tells of another schedule."""
        await super().async_added_to_hass()
        channel = self.subject.readings.channel(ChargerId.CHARGING_SCHEDULE)
        self.async_on_remove(channel.subscribe(self._ask_again))

    @callback
    def _ask_again(self) -> None:
        self.hub.entry.async_create_background_task(
            self.hass, self._async_try(), "Easee schedule"
        )

    async def _async_try(self) -> None:
        """Ask; without an answer what is known stays."""
        with suppress(EaseeError):
            await self._asked.refresh()

    @override
    async def _async_ask(self) -> str | None:
        requests = account_of(self.hub_station).requests
        return await active_schedule(requests, self.subject.serial)

    @override
    def _reading(self) -> Shown | None:
        """Return the schedule that is followed; other rules have a name, too."""
        if (active := self._asked.value.value) is None:
            return None
        return active if active in set(ScheduleKind) else None, {"raw": active}

    @override
    def _show(self, reading: Shown | None) -> None:
        shown = reading or NOTHING
        self._attr_current_option, self._attr_extra_state_attributes = shown

    @override
    async def async_select_option(self, option: str) -> None:
        """Have the charger follow another schedule."""
        account, name = account_of(self.hub_station), self.station.settings.name
        with translated_easee_errors(name):
            await self._asked.refresh()
            outcome = await follow_schedule(
                account.commands,
                self.subject.serial,
                ScheduleKind(option),
                self._asked.value.value,
            )
        await self._async_try()
        if outcome.status is OutcomeStatus.NOT_SUPPORTED:
            raise invalid("no_stored_schedule", charger=name)
        checked(self.station, outcome)


class EaseeAccessSelect(HubEntity[EaseeCharger], SelectEntity):
    """Who may charge: nothing tells, so only what we set is known, until a restart."""

    _attr_assumed_state = True
    entity_description: EaseeAccessDescription

    @override
    def _reading(self) -> AccessLevel | None:
        return self.subject.access.value

    @override
    def _show(self, reading: AccessLevel | None) -> None:
        self._attr_current_option = reading

    @override
    async def async_select_option(self, option: str) -> None:
        """Say who may charge."""
        account, name = account_of(self.hub_station), self.station.settings.name
        level = AccessLevel(option)
        with translated_easee_errors(name):
            outcome = await set_access(account.commands, self.subject.serial, level)
        checked(self.station, outcome)
        self.subject.access.set(level)
