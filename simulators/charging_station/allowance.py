"""All charging profiles together: what they leave to a connector (OCPP 1.6 3.13)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
import math

from .schedules import Installed, Reading, edges, read

STATION_MAX = "ChargePointMaxProfile"
TX = "TxProfile"
TX_DEFAULT = "TxDefaultProfile"


@dataclass(kw_only=True, frozen=True, slots=True)
class Box:
    """What limits a connector before any profile does."""

    maximum: Fraction
    """The current that the hardware can carry, in A per phase."""
    phases: int
    switching: bool = False
    """Whether it can take phases away from a vehicle."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Allowance:
    """What a connector may offer, in A per phase; `by` None where nothing limits."""

    amps: Fraction
    phases: int
    by: Installed | None = None


def lead(
    profiles: Iterable[Installed],
    purpose: str,
    connector_id: int,
    moment: datetime,
    started_at: datetime | None,
) -> Reading | None:
    """Return what the leading profile of a purpose says at a moment.

    The highest stack level leads among those that say something; the connector's own
    profiles come before those of the whole station.
    """
    readings = [
        reading
        for one in profiles
        if one.purpose == purpose and one.connector_id in (0, connector_id)
        if (reading := read(one, moment, started_at)) is not None
    ]
    return max(
        readings,
        key=lambda reading: (
            reading.source.connector_id != 0,
            reading.source.stack_level,
        ),
        default=None,
    )


def own_readings(
    profiles: Iterable[Installed],
    connector_id: int,
    moment: datetime,
    started_at: datetime | None,
    *,
    default_caps: bool,
) -> list[Reading]:
    """Return what TxProfile, or else TxDefaultProfile, says for a connector.

    With `default_caps` the second does not give way to the first.
    """
    transaction, default = (
        lead(profiles, purpose, connector_id, moment, started_at)
        for purpose in (TX, TX_DEFAULT)
    )
    if transaction is not None and not default_caps:
        default = None
    return [one for one in (transaction, default) if one is not None]


def allow(readings: Sequence[Reading], box: Box) -> Allowance:
    """Return the lowest of all that is said, and of what the hardware can do."""
    phases = box.phases
    if box.switching and any(reading.phases == 1 for reading in readings):
        phases = 1
    lowest = min(readings, key=lambda one: one.amps(phases), default=None)
    if lowest is None or lowest.amps(phases) >= box.maximum:
        return Allowance(amps=box.maximum, phases=phases)
    return Allowance(amps=lowest.amps(phases), phases=phases, by=lowest.source)


def share(total: Fraction, wanted: dict[int, Fraction]) -> dict[int, Fraction]:
    """Return equal shares of a total, where nobody gets more than they want."""
    shares: dict[int, Fraction] = {}
    for one, amps in sorted(wanted.items(), key=lambda item: item[1]):
        shares[one] = min(amps, total / (len(wanted) - len(shares)))
        total -= shares[one]
    return shares


def turning_points(
    profiles: Iterable[Installed],
    start: datetime,
    duration: int,
    started: Iterable[datetime | None],
) -> list[int]:
    """Return after how many whole seconds the profiles may say something else."""
    end = start + timedelta(seconds=duration)
    begins = [*started]
    seconds = {
        math.ceil((moment - start).total_seconds())
        for one in profiles
        for started_at in begins
        for moment in edges(one, start, end, started_at)
    }
    return sorted({0} | {second for second in seconds if 0 < second < duration})
