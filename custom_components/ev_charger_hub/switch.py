"""Switches of chargers."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory, Platform

from .const import CONF_FREE_CHARGING
from .easee_switches import EASEE_SWITCHES, EaseeSwitch, EaseeSwitchDescription
from .entity import HubEntity, HubEntityDescription, Subject, dials_in
from .growth import Candidate, HubPlatform, by_description
from .helpers import (
    async_change_availability,
    async_limit,
    async_start,
    async_stop,
    checked,
    failed,
    invalid,
    own_id_token,
    translated_errors,
)
from .hub_base import Hub
from .ocpp.quirks import quirks_of
from .plugs import plug_status, plugs
from .settings import async_chargers, station_settings
from .station import limits
from .station.enums import ConnectorStatus
from .station.free_key import KeyNotKept, write_free_key
from .station.model import ChargingStation, Evse
from .station.signing import NotKept, sign_readings
from .switch_variables import (
    NAMED_SWITCHES,
    HubVariableSwitch,
    SwitchVariableDescription,
    other_switches,
)

PARALLEL_UPDATES = 0

_IN_A_SESSION = {
    ConnectorStatus.CHARGING,
    ConnectorStatus.SUSPENDED_EV,
    ConnectorStatus.SUSPENDED_EVSE,
}


@dataclass(frozen=True, kw_only=True)
class HubSwitchDescription[S: Subject](
    SwitchEntityDescription, HubEntityDescription[S]
):
    """Describe a switch."""

    set_fn: Callable[[Hub[Any], S, bool], Awaitable[None]]
    value_fn: Callable[[S], bool | None]


def _charges(evse: Evse) -> bool:
    """Return whether a session is open that is not held back by a limit of 0."""
    return evse.transaction is not None and not limits.held(evse)


async def _set_charging(hub: Hub[Any], evse: Evse, on: bool) -> None:
    """Start, resume or stop charging."""
    station, session = evse.station, evse.transaction
    if on and session is None:
        await async_start(station, evse.id, own_id_token(hub))
    elif on and limits.held(evse):
        await async_limit(station, limits.resume(station, evse.id))
    elif not on and session is not None:
        await async_stop(station, session.transaction_id)
    elif not on and evse.status.value in _IN_A_SESSION:
        raise invalid("no_session", charger=station.settings.name)


def _in_service(*statuses: ConnectorStatus | None) -> bool | None:
    """Return whether any place of known status is in service."""
    known = [status for status in statuses if status is not None]
    if not known:
        return None
    return any(status is not ConnectorStatus.UNAVAILABLE for status in known)


def _station_in_service(station: ChargingStation) -> bool | None:
    """Return whether a station is in service: by its own word or its EVSEs'."""
    if (status := station.whole.status.value) is not None:
        return _in_service(status)
    return _in_service(*(evse.status.value for evse in station.evses.values()))


async def _set_station_in_service(
    hub: Hub[Any], station: ChargingStation, on: bool
) -> None:
    """Take a station in or out of service."""
    await async_change_availability(station, 0, operative=on)


async def _set_evse_in_service(hub: Hub[Any], evse: Evse, on: bool) -> None:
    """Take an EVSE in or out of service."""
    await async_change_availability(evse.station, evse.id, operative=on)


async def _set_plug_in_service(
    number: int, hub: Hub[Any], evse: Evse, on: bool
) -> None:
    """Take one connector of an EVSE in or out of service."""
    await async_change_availability(
        evse.station, evse.id, operative=on, connector_id=number
    )


async def _set_free_charging(hub: Hub[Any], station: ChargingStation, on: bool) -> None:
    """Let everybody charge at a station, or not; not while somebody does (S43)."""
    # What the user said last may not be in force yet.
    if (
        on
        is station_settings(async_chargers(hub.entry)[station.identity]).free_charging
    ):
        return
    if any(evse.transaction is not None for evse in station.evses.values()):
        raise invalid("session_open", charger=station.settings.name)
    if (key := quirks_of(station.info.value).free_key) is not None:
        await _write_free_key(station, key, on)
    hub.change_charger(station.identity, {CONF_FREE_CHARGING: on})


async def _write_free_key(station: ChargingStation, key: str, on: bool) -> None:
    """Have a station let everybody charge by itself, if it can."""
    with translated_errors(station):
        try:
            outcome = await write_free_key(station, key, on)
        except KeyNotKept as err:
            raise failed("not_kept", charger=station.settings.name) from err
    if outcome is not None:
        checked(station, outcome)


async def _set_sign_readings(hub: Hub[Any], station: ChargingStation, on: bool) -> None:
    """Have the meter of a station sign what it samples, or not."""
    with translated_errors(station):
        try:
            outcome = await sign_readings(station, on)
        except NotKept as err:
            raise failed("not_kept", charger=station.settings.name) from err
    checked(station, outcome)


STATION_SWITCHES: tuple[HubSwitchDescription[ChargingStation], ...] = (
    HubSwitchDescription(
        key="free_charging",
        always_available=True,
        entity_category=EntityCategory.CONFIG,
        exists_fn=dials_in,
        set_fn=_set_free_charging,
        translation_key="free_charging",
        value_fn=lambda station: station.settings.free_charging,
    ),
    HubSwitchDescription(
        key="in_service",
        channels_fn=lambda station: (
            station.whole.status,
            *(evse.status for evse in station.evses.values()),
        ),
        entity_category=EntityCategory.CONFIG,
        exists_fn=dials_in,
        set_fn=_set_station_in_service,
        translation_key="station_availability",
        value_fn=_station_in_service,
    ),
    HubSwitchDescription(
        key="sign_readings",
        channels_fn=lambda station: (station.signs_readings,),
        entity_category=EntityCategory.CONFIG,
        exists_fn=lambda station: station.signs_readings.value is not None,
        local=True,
        set_fn=_set_sign_readings,
        translation_key="sign_readings",
        value_fn=lambda station: station.signs_readings.value,
    ),
)

EVSE_SWITCHES: tuple[HubSwitchDescription[Evse], ...] = (
    HubSwitchDescription(
        key="charge_control",
        channels_fn=lambda evse: (evse.session, evse.wanted_limit, evse.known_limits),
        set_fn=_set_charging,
        translation_key="charge_control",
        value_fn=_charges,
    ),
    HubSwitchDescription(
        key="availability",
        channels_fn=lambda evse: (evse.status,),
        entity_category=EntityCategory.CONFIG,
        exists_fn=lambda evse: len(evse.station.evses) > 1,
        set_fn=_set_evse_in_service,
        translation_key="availability",
        value_fn=lambda evse: _in_service(evse.status.value),
    ),
)


@cache
def plug_switches(number: int) -> tuple[HubSwitchDescription[Evse], ...]:
    """Return the switches of one connector of an EVSE with several."""
    return (
        HubSwitchDescription(
            key=f"plug_{number}_availability",
            channels_fn=lambda evse: (plug_status(evse, number),),
            entity_category=EntityCategory.CONFIG,
            placeholders={"number": str(number)},
            set_fn=partial(_set_plug_in_service, number),
            translation_key="plug_availability",
            value_fn=lambda evse: _in_service(plug_status(evse, number).value),
        ),
    )


def _more(station: ChargingStation) -> Iterator[Candidate]:
    """Yield what depends on what a station tells of itself."""
    yield from plugs(station, plug_switches)
    yield from other_switches(station)


class HubSwitch[S: Subject](HubEntity[S], SwitchEntity):
    """Something at a charger that is switched on and off."""

    entity_description: HubSwitchDescription[S]

    @override
    def _reading(self) -> bool | None:
        return self.entity_description.value_fn(self.subject)

    @override
    def _show(self, reading: bool | None) -> None:
        self._attr_is_on = reading

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        await self.entity_description.set_fn(self.hub, self.subject, True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        await self.entity_description.set_fn(self.hub, self.subject, False)


async_setup_entry = HubPlatform(
    platform=Platform.SWITCH,
    entity=by_description(
        HubSwitch,
        {
            EaseeSwitchDescription: EaseeSwitch,
            SwitchVariableDescription: HubVariableSwitch,
        },
    ),
    of_easee=EASEE_SWITCHES,
    of_station=(*STATION_SWITCHES, *NAMED_SWITCHES),
    of_evse=EVSE_SWITCHES,
    more=_more,
).async_setup_entry
