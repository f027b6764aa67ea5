"""Limits: which of the limits of an Easee charger there are, and which counts (S9).

The lowest one counts. What the charger names as the reason, and what it offers, goes before
what it told of single limits at other times.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from ..station.enums import LimitedBy
from .enums import NoCurrentReason, OpMode, OutputPhase, PhaseMode
from .ids import ChargerId
from .readings import Readings

LEAST: Final = Decimal(6)
"""The lowest current in A at which a vehicle can charge (IEC 61851-1)."""

NEAR: Final = Decimal("0.5")
"""How far apart, in A, an offered current and the limit behind it may be."""

_R = NoCurrentReason

BLOCKED_BY: Final = {
    _R.CIRCUIT_MAXIMUM_TOO_LOW: LimitedBy.CIRCUIT,
    _R.CIRCUIT_DYNAMIC_TOO_LOW: LimitedBy.CIRCUIT,
    _R.CIRCUIT_FUSE_TOO_LOW: LimitedBy.CIRCUIT,
    _R.CIRCUIT_OFFLINE_TOO_LOW: LimitedBy.OFFLINE,
    _R.PRIMARY_LOST: LimitedBy.OFFLINE,
    _R.IN_QUEUE: LimitedBy.LOAD_BALANCING,
    _R.IN_FULLY_CHARGED_QUEUE: LimitedBy.LOAD_BALANCING,
    _R.EQUALIZER_TOO_LOW: LimitedBy.EQUALIZER,
    _R.CHARGER_MAXIMUM_TOO_LOW: LimitedBy.CHARGER_MAXIMUM,
    _R.CHARGER_DYNAMIC_TOO_LOW: LimitedBy.OUR_LIMIT,
    _R.PENDING_SCHEDULE: LimitedBy.SCHEDULE,
}
"""Reasons why nothing may flow."""

LIMITED: Final = {
    _R.LIMITED_BY_FUSE: LimitedBy.CIRCUIT,
    _R.LIMITED_BY_CIRCUIT_MAXIMUM: LimitedBy.CIRCUIT,
    _R.LIMITED_BY_CIRCUIT_DYNAMIC: LimitedBy.CIRCUIT,
    _R.LIMITED_BY_EQUALIZER: LimitedBy.EQUALIZER,
    _R.LIMITED_BY_LOAD_BALANCING: LimitedBy.LOAD_BALANCING,
    _R.LIMITED_BY_OFFLINE_SETTINGS: LimitedBy.OFFLINE,
    _R.LIMITED_BY_CABLE: LimitedBy.CABLE,
    _R.LIMITED_BY_SCHEDULE: LimitedBy.SCHEDULE,
    _R.LIMITED_BY_CHARGER_MAXIMUM: LimitedBy.CHARGER_MAXIMUM,
    _R.LIMITED_BY_CHARGER_DYNAMIC: LimitedBy.OUR_LIMIT,
    _R.LIMITED_BY_LOCAL_ADJUSTMENT: LimitedBy.DERATING,
}
"""Reasons why no more may flow."""

WAITING: Final = {
    OpMode.AWAITING_LOAD_BALANCING: LimitedBy.LOAD_BALANCING,
    OpMode.AWAITING_SCHEDULED_START: LimitedBy.SCHEDULE,
    OpMode.PAUSED_BY_EQUALIZER: LimitedBy.EQUALIZER,
    OpMode.TOO_HOT: LimitedBy.DERATING,
}
"""Modes that say by themselves why nothing may flow."""

_CIRCUIT = (ChargerId.CIRCUIT_MAX_CURRENT_P1, ChargerId.DYNAMIC_CIRCUIT_CURRENT_P1)
_SINGLE = {
    OutputPhase.N_L1: 0,
    OutputPhase.L1_L2: 0,
    OutputPhase.N_L2: 1,
    OutputPhase.L1_L3: 2,
    OutputPhase.N_L3: 2,
    OutputPhase.L2_L3: 1,
}
"""Which of the three limits counts while one phase is used."""

LISTENS_TO: Final = frozenset(
    {
        *(first + phase for first in _CIRCUIT for phase in range(3)),
        *(ChargerId.EQ_AVAILABLE_CURRENT_P1 + phase for phase in range(3)),
        *(ChargerId.OFFLINE_MAX_CIRCUIT_CURRENT_P1 + phase for phase in range(3)),
        ChargerId.CABLE_RATING,
        ChargerId.CHARGER_OP_MODE,
        ChargerId.CONNECTED_TO_CLOUD,
        ChargerId.DERATED_CURRENT,
        ChargerId.DERATING_ACTIVE,
        ChargerId.DYNAMIC_CHARGER_CURRENT,
        ChargerId.MAX_CHARGER_CURRENT,
        ChargerId.OUTPUT_CURRENT,
        ChargerId.OUTPUT_PHASE,
        ChargerId.PHASE_MODE,
        ChargerId.REASON_FOR_NO_CURRENT,
        ChargerId.SINGLE_PHASE_NUMBER,
    }
)
"""What limits are read from."""

LASTING: Final = (
    LimitedBy.OUR_LIMIT,
    LimitedBy.CHARGER_MAXIMUM,
    LimitedBy.CIRCUIT,
    LimitedBy.CABLE,
)
"""Limits that are as they were until somebody changes them."""


def lasting_limits(readings: Readings) -> dict[LimitedBy, Decimal]:
    """Return the limits that may be believed while the cloud tells nothing, in A."""
    known = _told(readings)
    return {source: known[source] for source in LASTING if source in known}


def known_limits(readings: Readings) -> dict[LimitedBy, Decimal]:
    """Return every limit that a charger tells of, in A; of equal ones the first counts.

    OUR_LIMIT is the dynamic current of the charger, whoever wrote it; VEHICLE, what a
    vehicle takes that takes less than it may.
    """
    mode = OpMode.of(readings.value(ChargerId.CHARGER_OP_MODE))
    reason = NoCurrentReason.of(readings.value(ChargerId.REASON_FOR_NO_CURRENT))
    known = _told(readings)
    if mode is OpMode.CHARGING:
        offered = _amps(readings, ChargerId.OUTPUT_CURRENT)
        if offered and reason is _R.LIMITED_BY_VEHICLE:
            known[LimitedBy.VEHICLE] = offered
        return _charging(
            known, offered, None if reason is None else LIMITED.get(reason)
        )
    blocker = None if mode is None else WAITING.get(mode)
    if blocker is None and reason is not None and mode is OpMode.AWAITING_START:
        blocker = BLOCKED_BY.get(reason)
    if blocker is not None and known.get(blocker, LEAST) >= LEAST:
        # It allows nothing now, whatever its number is.
        if blocker is not LimitedBy.OUR_LIMIT:
            known[blocker] = Decimal(0)
    return _first(known, blocker)


def _charging(
    known: dict[LimitedBy, Decimal], offered: Decimal | None, source: LimitedBy | None
) -> dict[LimitedBy, Decimal]:
    """Return the limits while current is offered: what is lower than that is history."""
    if not offered:
        return _first(known, source)
    held = {
        one: limit
        for one, limit in known.items()
        if limit >= offered - NEAR or one is LimitedBy.OUR_LIMIT
    }
    if source is not None and source is not LimitedBy.OUR_LIMIT:
        held[source] = min(offered, held.get(source, offered))
    return _first(held, source)


def _first(
    known: dict[LimitedBy, Decimal], source: LimitedBy | None
) -> dict[LimitedBy, Decimal]:
    """Return the limits with the one before the others that the charger names."""
    if source not in known:
        return known
    return {source: known[source], **known}


def _told(readings: Readings) -> dict[LimitedBy, Decimal]:
    """Return what single readings say."""
    phases = _phases(readings)
    found = {
        LimitedBy.OUR_LIMIT: _amps(readings, ChargerId.DYNAMIC_CHARGER_CURRENT),
        LimitedBy.CHARGER_MAXIMUM: _amps(readings, ChargerId.MAX_CHARGER_CURRENT),
        LimitedBy.CIRCUIT: _least(
            _amps(readings, first + phase) for first in _CIRCUIT for phase in phases
        ),
        LimitedBy.EQUALIZER: _least(
            _amps(readings, ChargerId.EQ_AVAILABLE_CURRENT_P1 + phase)
            for phase in phases
        ),
        # Without a cable it is 0.
        LimitedBy.CABLE: _amps(readings, ChargerId.CABLE_RATING) or None,
        LimitedBy.DERATING: _amps(readings, ChargerId.DERATED_CURRENT)
        if readings.flag(ChargerId.DERATING_ACTIVE)
        else None,
        LimitedBy.OFFLINE: _least(
            _amps(readings, ChargerId.OFFLINE_MAX_CIRCUIT_CURRENT_P1 + phase)
            for phase in phases
        )
        if readings.flag(ChargerId.CONNECTED_TO_CLOUD) is False
        else None,
    }
    return {source: limit for source, limit in found.items() if limit is not None}


def _phases(readings: Readings) -> tuple[int, ...]:
    """Return the phases whose limits count: those that are used, or would be."""
    used = OutputPhase.of(readings.value(ChargerId.OUTPUT_PHASE))
    if used in _SINGLE:
        return (_SINGLE[used],)
    mode = PhaseMode.of(readings.value(ChargerId.PHASE_MODE))
    if mode is PhaseMode.SINGLE_PHASE:
        number = readings.number(ChargerId.SINGLE_PHASE_NUMBER)
        return (int(number) - 1,) if number in {1, 2, 3} else (0,)
    if mode is PhaseMode.AUTOMATIC and not (used and used.phases):
        # A circuit that has only one phase to give makes the charger use that (3.3).
        first = ChargerId.DYNAMIC_CIRCUIT_CURRENT_P1
        others = _least(_amps(readings, first + phase) for phase in (1, 2))
        if others is not None and others < LEAST:
            return (0,)
    return (0, 1, 2)


def _amps(readings: Readings, number: int) -> Decimal | None:
    value = readings.number(number)
    return None if value is None or value < 0 else Decimal(str(value))


def _least(limits: Iterable[Decimal | None]) -> Decimal | None:
    return min((one for one in limits if one is not None), default=None)
