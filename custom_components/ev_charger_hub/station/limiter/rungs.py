"""Rungs: the ways to make a limit hold, as values, and the profiles they come to."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import override

from ..enums import RateUnit
from ..limits import converted
from ..link import Limit
from ..profiles.model import (
    DEFAULT_PHASES,
    ChargingProfile,
    Kind,
    Period,
    ProfileSupport,
    Purpose,
    Schedule,
)
from ..settings import StationSettings
from .learnt import Learnt

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

TENTH = Decimal("0.1")
WHOLE = Decimal(1)

HEAD_START = 86400
"""Seconds that a schedule began ago, so that it holds although a clock is behind."""

OVERLAY = 4000
# Constant per purpose and EVSE, so that ours replace ours and nobody else's.
FIRST_ID = {Purpose.STATION_MAX: 1000, Purpose.TX_DEFAULT: 2000, Purpose.TX: 3000}


class Layer(StrEnum):
    """Which of two profiles of one purpose it is."""

    ONLY = "only"
    UNDER = "under"
    """The fall-back, below an overlay that ends by itself."""
    OVER = "over"


@dataclass(kw_only=True, slots=True, frozen=True)
class Rung:
    """One way to make a limit hold; `duration` in s, after which it ends by itself.

    `phases` are those of the vehicle's supply, `tell_phases` what the profile says.
    """

    purpose: Purpose
    evse_id: int
    unit: RateUnit
    stack_level: int
    phases: int
    tell_phases: int | None = None
    decimals: bool = True
    kind: Kind = Kind.ABSOLUTE
    duration: int | None = None
    transaction_id: str | None = None
    layer: Layer = Layer.ONLY
    max_offline: int | None = None
    """After how many seconds without us it does not count (2.1)."""

    @override
    def __str__(self) -> str:
        """Return the rung as errors name it."""
        words = [f"{self.purpose} in {self.unit}"]
        if not self.decimals:
            words.append("whole")
        if self.kind is not Kind.ABSOLUTE:
            words.append(self.kind.lower())
        words.append(f"level {self.stack_level}")
        if self.duration is not None:
            words.append(f"for {self.duration} s")
        if self.max_offline is not None:
            words.append(f"offline for {self.max_offline} s")
        return ", ".join(words)

    @property
    def where(self) -> int:
        """Return the EVSE of the profile: the whole station's are at 0 only."""
        return 0 if self.purpose is Purpose.STATION_MAX else self.evse_id

    @property
    def profile_id(self) -> int:
        """Return the id of the profile."""
        if self.layer is Layer.OVER:
            return OVERLAY + self.where
        return FIRST_ID[self.purpose] + self.where

    @property
    def ends(self) -> bool:
        """Return whether it stops to count when we are gone."""
        return self.duration is not None or self.max_offline is not None

    @property
    def persisted(self) -> bool:
        """Return whether stations keep it in memory that wears out."""
        return self.purpose is not Purpose.TX

    def amount(self, limit: Limit) -> Limit:
        """Return a limit as it is sent, rounded down (OCPP 1.6 7.13: one decimal)."""
        there = converted(limit, self.unit, self.phases)
        step = TENTH if self.decimals else WHOLE
        return replace(there, value=there.value.quantize(step, ROUND_DOWN))

    def profile(self, limit: Limit, now: datetime) -> ChargingProfile:
        """Return the profile that sets a limit at once."""
        # Absolute since yesterday, for every purpose: Relative is refused by Easee, by
        # Autel, and for the station's maximum by libocpp (2.0.1 K01.FR.38); Absolute
        # without a start is refused by libocpp, too. A start in the past holds at once
        # even if the station's clock is behind or in another time zone.
        absolute = self.kind is Kind.ABSOLUTE
        start = now - timedelta(seconds=HEAD_START) if absolute else None
        period = Period(
            start=0, limit=self.amount(limit).value, phases=self.tell_phases
        )
        duration = None if self.duration is None else HEAD_START + self.duration
        return ChargingProfile(
            id=self.profile_id,
            purpose=self.purpose,
            kind=self.kind,
            stack_level=self.stack_level,
            transaction_id=self.transaction_id,
            max_offline=self.max_offline,
            schedule=Schedule(
                unit=self.unit, periods=(period,), start=start, duration=duration
            ),
        )

    def same(self, profile: ChargingProfile, limit: Limit) -> bool:
        """Return whether a profile is ours for a limit, whenever it began."""
        start = profile.schedule.start or _EPOCH
        mine = self.profile(limit, start + timedelta(seconds=HEAD_START))
        return mine == profile


@dataclass(kw_only=True, slots=True, frozen=True)
class Site:
    """What decides which rungs there are at a place (`evse_id` 0: the station)."""

    evse_id: int
    settings: StationSettings
    support: ProfileSupport
    learnt: Learnt
    single: bool
    """The station has no EVSE but this."""
    transaction_id: str | None = None
    wanted_phases: int | None = None

    @property
    def phases(self) -> int:
        """Return the number of phases that limits are converted with."""
        return self.wanted_phases or self.settings.phases

    @property
    def level(self) -> int:
        """Return the highest stack level that works: of two profiles it wins."""
        said = max(self.support.max_stack_level or 0, 0)
        known = self.learnt.stack_level
        return said if known is None else min(said, known)

    def unit(self, limit: Limit) -> RateUnit:
        """Return the unit to try first: the one that is taken, or that was asked for."""
        if (units := self.support.units) is not None:
            return limit.unit if limit.unit in units else units[0]
        return self.learnt.unit or RateUnit.AMPERE

    def rung(
        self,
        purpose: Purpose,
        limit: Limit,
        *,
        layer: Layer = Layer.ONLY,
        duration: int | None = None,
    ) -> Rung:
        """Return the way that is tried first for a purpose."""
        phases = self.wanted_phases
        if phases is None and self.settings.phases != DEFAULT_PHASES:
            phases = self.settings.phases
        kind = self.learnt.kind or Kind.ABSOLUTE
        if purpose is Purpose.STATION_MAX:
            kind = Kind.ABSOLUTE
        max_offline = None
        if purpose is Purpose.TX and self._dynamic(duration):
            # Its limit follows the sun without a new profile (2.1 K28).
            kind, max_offline, duration = Kind.DYNAMIC, duration, None
        return Rung(
            purpose=purpose,
            evse_id=self.evse_id,
            unit=self.unit(limit),
            stack_level=max(self.level - 1, 0) if layer is Layer.UNDER else self.level,
            phases=self.phases,
            tell_phases=phases,
            decimals=self.learnt.decimals is not False,
            kind=kind,
            duration=duration,
            transaction_id=self.transaction_id if purpose is Purpose.TX else None,
            layer=layer,
            max_offline=max_offline,
        )

    def _dynamic(self, duration: int | None) -> bool:
        """Return whether a profile of a session, and its dead-man, can be dynamic."""
        support = self.support
        if not support.dynamic or self.learnt.dynamic is False:
            return False
        return duration is None or support.max_offline

    def variants(self, rung: Rung, limit: Limit) -> Iterator[Rung]:
        """Yield a rung, and after each refusal what may have been the matter with it."""
        yield rung
        if rung.kind is Kind.DYNAMIC:
            kind = self.learnt.kind or Kind.ABSOLUTE
            lasts = rung.max_offline
            rung = replace(rung, kind=kind, duration=lasts, max_offline=None)
            yield rung
        simple: dict[str, object] = {}
        if rung.decimals and self.learnt.decimals is None:
            amount = rung.amount(limit).value
            if amount != amount.to_integral_value():
                simple["decimals"] = False
        if rung.stack_level and self.learnt.stack_level is None:
            simple["stack_level"] = 0
        if rung.duration is not None and self.learnt.durations is None:
            simple["duration"] = None
        units = [rung.unit]
        if self.support.units is None and self.learnt.unit is None:
            units.append(RateUnit.WATT)
            yield replace(rung, unit=RateUnit.WATT)
        for name, value in simple.items():
            yield replace(rung, **{name: value})  # type: ignore[arg-type]
        if (
            self.learnt.kind is None
            and rung.kind is Kind.ABSOLUTE
            and rung.purpose is not Purpose.STATION_MAX
            and not self.support.only_absolute
        ):
            # What ends when, seen from the start of a session, is anybody's guess.
            yield replace(rung, kind=Kind.RELATIVE, duration=None)
        if len(simple) + len(units) > 2:
            for unit in units:
                yield replace(rung, **simple, unit=unit)  # type: ignore[arg-type]
