"""Actions about the limits of an Easee charger, and of the circuit that it is on."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import probatio as vol

from homeassistant.util.json import JsonObjectType

from .easee.command_ids import CommandId
from .easee.errors import EaseeError
from .easee.ids import ChargerId
from .easee.outcomes import NO_CHANGE
from .easee.products import CircuitInfo
from .easee.sites import PHASES, CircuitSettings, Sites
from .easee.writing import write
from .easee_targets import EaseeTarget, async_resolve_easee
from .fields import DURATION, ActionGroup, Data, response
from .helpers import async_limit, invalid
from .profile_words import one_of
from .station import limits
from .station.link import Limit
from .station.outcome import Outcome

ATTR_CURRENT: Final = "current"
ATTR_KIND: Final = "kind"
ATTR_TIME_TO_LIVE: Final = "time_to_live"
ATTR_PHASES: Final = tuple(f"current_l{phase}" for phase in PHASES)

MOST: Final = 80
"""No circuit of a home has more, in A."""
MOST_OF_CHARGER: Final = 40
_MINUTE: Final = timedelta(minutes=1)

type Amps = tuple[int | None, ...]
"""A current by phase; None is not known, or not to be changed."""


class CircuitLimit(StrEnum):
    """The limits of a circuit, by how long they last."""

    DYNAMIC = "dynamic"
    MAXIMUM = "maximum"
    OFFLINE = "offline"


class ChargerLimit(StrEnum):
    """The limits of a charger."""

    DYNAMIC = "dynamic"
    MAXIMUM = "maximum"


_FIELDS: Final = {
    CircuitLimit.DYNAMIC: "dynamicCircuitCurrentP",
    CircuitLimit.MAXIMUM: "maxCircuitCurrentP",
    CircuitLimit.OFFLINE: "offlineMaxCircuitCurrentP",
}


def whole_amps(most: int) -> Any:
    """Return a validator of whole A: the cloud would round anything else down."""

    def validate(value: object) -> int:
        read: float = vol.All(vol.Coerce(float), vol.Range(min=0, max=most))(value)
        if not read.is_integer():
            raise vol.Invalid("expected whole ampere")
        return int(read)

    return validate


async def _set_circuit_limits(target: EaseeTarget, data: Data) -> JsonObjectType:
    circuit, kind = target.circuit, CircuitLimit(data[ATTR_KIND])
    wanted = _wanted(data)
    lasts: timedelta | None = data.get(ATTR_TIME_TO_LIVE)
    if lasts is not None and kind is not CircuitLimit.DYNAMIC:
        raise invalid("easee_lasts_only_dynamic")
    fuse = circuit.rated_current
    if fuse is not None and any(one is not None and one > fuse for one in wanted):
        raise invalid("easee_above_fuse", device=target.name, fuse=f"{fuse:g}")
    sites = Sites(target.account.requests)
    with target.errors():
        before = _present(
            await sites.circuit_settings(circuit.site_id, circuit.id), kind
        )
        amps = tuple(
            present if one is None else one
            for one, present in zip(wanted, before, strict=True)
        )
        if lasts is not None:
            outcome = await _send_for_a_while(target, circuit, amps, lasts)
        elif changes := _changes(kind, amps, before):
            outcome = await target.account.commands.circuit_settings(
                circuit.site_id, circuit.id, _primary(target, circuit), changes
            )
        else:
            outcome = NO_CHANGE
    told = target.response(outcome)
    after = await _after(sites, circuit, kind)
    return {**told, "limits": after}


def _wanted(data: Data) -> Amps:
    """Return what is asked for by phase."""
    named = tuple(data.get(one) for one in ATTR_PHASES)
    if (ATTR_CURRENT in data) is any(one is not None for one in named):
        raise invalid("easee_phases")
    return (data[ATTR_CURRENT],) * 3 if ATTR_CURRENT in data else named


def _present(found: CircuitSettings, kind: CircuitLimit) -> Amps:
    amps = getattr(found, kind)
    return tuple(None if one is None else int(one) for one in amps)


def _changes(kind: CircuitLimit, amps: Amps, before: Amps) -> dict[str, int]:
    """Return what has to be written: of what is kept in memory, only what is new.

    The phases of a limit that is not kept go together, and are written anyway: the
    present ones may have a time to live, of which the cloud says nothing.
    """
    return {
        f"{_FIELDS[kind]}{phase}": one
        for phase, one, present in zip(PHASES, amps, before, strict=True)
        if one is not None and (kind is CircuitLimit.DYNAMIC or one != present)
    }


async def _send_for_a_while(
    target: EaseeTarget, circuit: CircuitInfo, amps: Amps, lasts: timedelta
) -> Outcome:
    """Set the dynamic limit of a circuit for so many minutes."""
    body: dict[str, int | None] = {
        f"phase{phase}": one for phase, one in zip(PHASES, amps, strict=True)
    }
    if None in amps:
        raise invalid("easee_phases")
    return await target.account.commands.send(
        _primary(target, circuit),
        "POST",
        f"/api/sites/{circuit.site_id}/circuits/{circuit.id}/dynamicCurrent",
        {**body, "timeToLive": -(-lasts // _MINUTE)},
        expects=CommandId.SET_DYNAMIC_CIRCUIT_CURRENT,
    )


def _primary(target: EaseeTarget, circuit: CircuitInfo) -> str:
    """Return the charger that speaks for a circuit."""
    return circuit.primary or target.charger.serial


async def _after(
    sites: Sites, circuit: CircuitInfo, kind: CircuitLimit
) -> JsonObjectType | None:
    """Return the limit as the cloud tells it now by phase in A, None if it does not."""
    try:
        found = await sites.circuit_settings(circuit.site_id, circuit.id)
    except EaseeError:
        return None
    return {
        f"l{phase}": one
        for phase, one in zip(PHASES, _present(found, kind), strict=True)
    }


async def _set_charger_limit(target: EaseeTarget, data: Data) -> JsonObjectType:
    charger, amps = target.charger, data[ATTR_CURRENT]
    lasts: timedelta | None = data.get(ATTR_TIME_TO_LIVE)
    if data[ATTR_KIND] is ChargerLimit.DYNAMIC:
        station, limit = charger.station, Limit(value=Decimal(amps))
        wish = limits.request(station, 1, limit, duration=lasts)
        return response(await async_limit(station, wish))
    if lasts is not None:
        raise invalid("easee_lasts_only_dynamic")
    with target.errors():
        outcome = await write(
            target.account, charger, ChargerId.MAX_CHARGER_CURRENT, amps
        )
    return target.response(outcome)


def _kind(names: type[StrEnum]) -> Mapping[Any, Any]:
    return {vol.Required(ATTR_KIND): one_of(names)}


ACTIONS: Final = ActionGroup(
    commands={
        "easee_set_charger_limit": (
            _set_charger_limit,
            {
                **_kind(ChargerLimit),
                vol.Required(ATTR_CURRENT): whole_amps(MOST_OF_CHARGER),
                vol.Optional(ATTR_TIME_TO_LIVE): DURATION,
            },
        ),
        "easee_set_circuit_limits": (
            _set_circuit_limits,
            {
                **_kind(CircuitLimit),
                vol.Optional(ATTR_CURRENT): whole_amps(MOST),
                **{vol.Optional(one): whole_amps(MOST) for one in ATTR_PHASES},
                vol.Optional(ATTR_TIME_TO_LIVE): DURATION,
            },
        ),
    },
    resolve=async_resolve_easee,
)
