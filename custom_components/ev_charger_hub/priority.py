"""Priority: the session of a connector goes before others (OCPP 2.1 K21)."""

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from .helpers import checked, invalid, translated_errors
from .station.clock import utc_now
from .station.enums import RateUnit
from .station.errors import NotSupported
from .station.limits import converted
from .station.link import Capability, Limit, Link
from .station.profiles.ledger import Entry
from .station.profiles.model import (
    ChargingProfile,
    Installed,
    Kind,
    Period,
    Purpose,
    Schedule,
)

if TYPE_CHECKING:
    from .models import HubStation
    from .station.flexible import FlexibleLink
    from .station.model import ChargingStation, Evse
    from .station.outcome import Outcome

FIRST_ID: Final = 4500
"""The id of the profile of the first EVSE is one above."""

_NO_PROFILE = "noprofile"


async def async_use_priority(
    hub_station: HubStation, evse: Evse, *, activate: bool
) -> Outcome:
    """Let the session at an EVSE go before others, or not any more.

    A charger that has no profile for that gets one: all that it may deliver.
    """
    station = hub_station.station
    if (session := evse.transaction) is None:
        raise invalid("no_session", charger=station.settings.name)
    with translated_errors(station):
        link = station.link(Capability.FLEXIBLE)
        flexible = flexible_of(link)
        outcome = await flexible.use_priority(session.transaction_id, activate=activate)
        if activate and outcome.answer.lower() == _NO_PROFILE:
            checked(station, await _install(hub_station, link, evse.id))
            outcome = await flexible.use_priority(session.transaction_id, activate=True)
    checked(station, outcome)
    evse.priority.set(activate)
    return outcome


def flexible_of(link: Link) -> FlexibleLink:
    """Return what changes what flows; raises NotSupported."""
    if (flexible := link.flexible) is None:
        raise NotSupported
    return flexible


async def _install(hub_station: HubStation, link: Link, evse_id: int) -> Outcome:
    """Install the profile that counts when a session has priority."""
    now, station = utc_now(), hub_station.station
    installed = Installed(
        evse_id=evse_id, profile=_profile(station, evse_id), set_at=now
    )
    return await hub_station.ledger.install(link, Entry(installed=installed))


def _profile(station: ChargingStation, evse_id: int) -> ChargingProfile:
    maximum = Decimal(station.settings.maximum_current)
    support = station.link(Capability.PROFILES).profile_support
    unit = support.units[0] if support.units else RateUnit.AMPERE
    limit = converted(Limit(value=maximum), unit, station.settings.phases)
    return ChargingProfile(
        id=FIRST_ID + evse_id,
        purpose=Purpose.PRIORITY,
        kind=Kind.ABSOLUTE,
        stack_level=0,
        schedule=Schedule(
            unit=unit,
            periods=(Period(start=0, limit=limit.value),),
            start=utc_now() - timedelta(days=1),
        ),
    )
