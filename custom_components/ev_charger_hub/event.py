"""Events of chargers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
import logging
from typing import Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.const import MAX_LENGTH_STATE_STATE, EntityCategory, Platform
from homeassistant.core import callback

from .easee_events import EASEE_EVENTS, EaseeEvent, EaseeEventDescription
from .entity import HubEntity, HubEntityDescription, Subject, dials_in
from .grid_happenings import GRID_EVENTS, grid_happening, speaks_newest, swap_happening
from .growth import HubPlatform, by_description
from .ocpp.throttle import Buckets
from .payments import SETTLEMENTS, payment_happening
from .station.battery_swap import SwapKind
from .station.clock import utc_now
from .station.enums import AuthorizationStatus
from .station.events import (
    SecurityEvent,
    SessionEnded,
    SessionStarted,
    StationEvent,
    TokenPresented,
)
from .station.model import ChargingStation, Evse
from .station.monitoring import EventTrigger, VariableEvent
from .station.secrets import shortened
from .station.security.events import CRITICAL, SecurityEventKind
from .station.tokens import is_placeholder
from .station.transaction import Transaction
from .storage import DATA

_LOGGER = logging.getLogger(__name__)

PARALLEL_UPDATES = 0

AT_ONCE: Final = 100
"""Events of one type that are shown at once, as after a loss of the network."""

EVERY: Final = timedelta(seconds=1)
"""So often they go on: each of them is a state that is kept for days."""

type Happening = tuple[str, dict[str, Any]]
"""An event type and its attributes."""

type NameOf = Callable[[str], str | None]
"""What a token is called."""


@dataclass(frozen=True, kw_only=True)
class HubEventDescription[S: Subject](EventEntityDescription, HubEntityDescription[S]):
    """Describe an event."""

    always_available: bool = True
    happening_fn: Callable[[S, StationEvent, NameOf], Happening | None]


def _session_happening(
    evse: Evse, event: StationEvent, name_of: NameOf
) -> Happening | None:
    """Return what an event means for the session of an EVSE."""
    match event:
        case SessionStarted(evse_id=evse.id, transaction=session):
            return "started", _session_attributes(session, name_of)
        case SessionEnded(evse_id=evse.id, transaction=session):
            return "ended", _session_attributes(session, name_of)
    return None


def _session_attributes(session: Transaction, name_of: NameOf) -> dict[str, Any]:
    """Return what an automation wants to know; energy in Wh, duration in s."""
    id_token = session.id_token
    attributes: dict[str, Any] = {
        "transaction_id": session.transaction_id,
        "id_token": id_token,
        "token_name": name_of(id_token) if id_token else None,
    }
    if id_token is not None and is_placeholder(id_token):
        attributes["auth_reason"] = "free_charging"
    if session.stopped_at is not None:
        lasted = session.stopped_at - session.started_at
        attributes["energy"] = session.energy
        attributes["duration"] = max(0, round(lasted.total_seconds()))
        attributes["reason"] = session.stop_reason
    return attributes


def _token_happening(
    station: ChargingStation, event: StationEvent, name_of: NameOf
) -> Happening | None:
    """Return what an event means for the token reader of a station."""
    match event:
        case TokenPresented(id_token=id_token, status=status, name=name):
            attributes = {"status": status, "id_token": id_token, "name": name}
            return _token_event_type(event), attributes
    return None


def _token_event_type(event: TokenPresented) -> str:
    """Return what happened: somebody may charge, may not, or the user is asked."""
    if event.status in {None, AuthorizationStatus.ACCEPTED}:
        return "presented"
    return "unknown" if event.asked else "refused"


def _security_happening(
    station: ChargingStation, event: StationEvent, name_of: NameOf
) -> Happening | None:
    """Return what an event means for the security of a station."""
    match event:
        case SecurityEvent(kind=kind, word=word, info=info, at=at):
            return kind, {
                "event": word,
                "info": info,
                "critical": kind in CRITICAL,
                "at": None if at is None else at.isoformat(),
            }
    return None


_TRIGGERS = {
    EventTrigger.ALERTING: "alert",
    EventTrigger.DELTA: "changed",
    EventTrigger.PERIODIC: "periodic",
}
_CLEARED = "cleared"


def _variable_happening(
    station: ChargingStation, event: StationEvent, name_of: NameOf
) -> Happening | None:
    """Return what an event of a variable means, unless only we wanted to know."""
    match event:
        case VariableEvent(ours=False):
            alert = event.trigger is EventTrigger.ALERTING
            over = event.cleared or (alert and not event.active)
            return _CLEARED if over else _TRIGGERS[event.trigger], {
                "variable": event.variable,
                "value": event.value,
                "connector": event.evse_id or None,
                "severity": event.severity,
                "code": event.tech_code,
                "info": event.tech_info,
                "kind": event.kind,
                "monitor_id": event.monitor_id,
                "transaction_id": event.transaction_id,
                "at": event.at.isoformat(),
            }
    return None


def _tells_of_variables(station: ChargingStation) -> bool:
    """Return whether the OCPP version of a charger knows events of variables."""
    return (station.version.value or "").startswith("2")


STATION_EVENTS: tuple[HubEventDescription[ChargingStation], ...] = (
    HubEventDescription(
        key="battery_swap",
        by_server=True,
        channels_fn=lambda station: (station.version,),
        entity_registry_enabled_default=False,
        event_types=list(SwapKind),
        exists_fn=speaks_newest,
        happening_fn=lambda _, event, __: swap_happening(event),
        translation_key="battery_swap",
    ),
    HubEventDescription(
        key="grid",
        by_server=True,
        channels_fn=lambda station: (station.version,),
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        event_types=list(GRID_EVENTS),
        exists_fn=speaks_newest,
        happening_fn=lambda _, event, __: grid_happening(event),
        translation_key="grid",
    ),
    HubEventDescription(
        key="security",
        entity_category=EntityCategory.DIAGNOSTIC,
        event_types=list(SecurityEventKind),
        exists_fn=dials_in,
        happening_fn=_security_happening,
        translation_key="security",
    ),
    HubEventDescription(
        key="variable",
        by_server=True,
        channels_fn=lambda station: (station.version,),
        entity_category=EntityCategory.DIAGNOSTIC,
        event_types=["alert", "changed", "cleared", "periodic"],
        exists_fn=_tells_of_variables,
        happening_fn=_variable_happening,
        translation_key="variable",
    ),
    HubEventDescription(
        key="token",
        event_types=["presented", "refused", "unknown"],
        happening_fn=_token_happening,
        translation_key="token",
    ),
    HubEventDescription(
        key="payment",
        by_server=True,
        channels_fn=lambda station: (station.version,),
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        event_types=list(SETTLEMENTS),
        exists_fn=speaks_newest,
        happening_fn=lambda _, event, __: payment_happening(event),
        translation_key="payment",
    ),
)

EVSE_EVENTS: tuple[HubEventDescription[Evse], ...] = (
    HubEventDescription(
        key="session",
        event_types=["started", "ended"],
        happening_fn=_session_happening,
        translation_key="session",
    ),
)


class HubEvent[S: Subject](HubEntity[S], EventEntity):
    """Something that happens once at a charger."""

    entity_description: HubEventDescription[S]

    @override
    def __init__(self, *args: Any) -> None:
        """Have shown nothing yet."""
        super().__init__(*args)
        self._pace = Buckets(utc_now, burst=AT_ONCE, refill=EVERY)
        self._flooded = False

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the charger."""
        await super().async_added_to_hass()
        self.async_on_remove(self.station.on_event(self._handle_event))

    @callback
    def _handle_event(self, event: StationEvent) -> None:
        """Show what happened, after the states that the same frame changed."""
        happening = self.entity_description.happening_fn(
            self.subject, event, self.hass.data[DATA].tokens.name_of
        )
        if happening is not None and self._has_room(happening[0]):
            self.hub.flusher.mark(partial(self._fire, *happening), urgent=True)

    def _has_room(self, event_type: str) -> bool:
        """Return whether one more event of a type is to be shown now."""
        if self._pace.take(event_type):
            return True
        if not self._flooded:
            self._flooded = True
            name = shortened(self.station.identity)
            _LOGGER.info("%s: more events (%s) than are shown", name, event_type)
        return False

    @callback
    def _fire(self, event_type: str, attributes: dict[str, Any]) -> None:
        """Write one event; what is longer than a state is cut like one."""
        short = {
            key: value[:MAX_LENGTH_STATE_STATE] if isinstance(value, str) else value
            for key, value in attributes.items()
        }
        self._trigger_event(event_type, short)
        self.async_write_ha_state()


async_setup_entry = HubPlatform(
    platform=Platform.EVENT,
    entity=by_description(HubEvent, {EaseeEventDescription: EaseeEvent}),
    of_easee=EASEE_EVENTS,
    of_station=STATION_EVENTS,
    of_evse=EVSE_EVENTS,
    prompt=True,
).async_setup_entry
