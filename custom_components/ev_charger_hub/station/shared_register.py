"""Shared register: one meter of which both a charger and its cloud tell.

What it shows never falls and never jumps: one wrong value would stay for ever in the
energy dashboard. Both may count from another zero (a register that began with another
firmware), which is found out once and remembered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from .enums import Measurand
from .link import LinkKind
from .model import MeasurementKey, Number, Place

KEY: Final = MeasurementKey(measurand=Measurand.ENERGY_ACTIVE_IMPORT_REGISTER)

MOST_POWER: Final = 50_000
"""No such charger delivers more, in W."""

SLACK: Final = 2_000
"""Wh by which two tellings may be apart that should agree."""

PATIENCE: Final = timedelta(minutes=10)
"""So long readings have to go on from one that makes no sense."""

_HOUR: Final = timedelta(hours=1)


@dataclass(kw_only=True, slots=True, frozen=True)
class _Doubt:
    """A reading that makes no sense, and what was shown when it came."""

    value: int
    at: datetime
    shown: int


def possible(value: int, at: datetime, known: Number, since: datetime) -> bool:
    """Return whether a meter can have come so far since something was known."""
    hours = max(at - since, timedelta()) / _HOUR
    return value <= known + SLACK + MOST_POWER * hours


def reach(place: Place, value: int, at: datetime, *, proves: bool = True) -> None:
    """Show a register in Wh, which never falls, nor does its time.

    What does not prove it makes no register good that is outdated.
    """
    channel = place.measurement(KEY)
    if channel.at is not None and at < channel.at:
        known = channel.value
        told_again = channel.outdated and value == known
        if known is not None and value <= known and not told_again:
            return
        at = channel.at
    if channel.value is not None:
        value = max(value, int(channel.value))
    if channel.outdated and not proves:
        channel.keep(value, at)
    else:
        channel.set(value, at)


class SharedRegister:
    """The import register of a place in Wh, of which two tell."""

    def __init__(self, place: Place, zeros: Mapping[LinkKind, int]) -> None:
        """Go on from what is shown; `zeros` is what to add to what each tells."""
        self._place = place
        self._zeros = dict(zeros)
        self._last: dict[LinkKind, tuple[int, datetime]] = {}
        self._doubts: dict[LinkKind, _Doubt] = {}

    @property
    def zeros(self) -> Mapping[LinkKind, int]:
        """Return what is to be added to what each of them tells, as far as is known."""
        return self._zeros

    def tell(self, by: LinkKind, value: int, at: datetime) -> None:
        """Take what one of them read at `at`, by our clock."""
        if value <= 0:
            return
        last = self._last.get(by)
        if last is not None and at < last[1]:
            # History may be told late.
            self.reach(by, value, at)
            return
        known, since = self._shown()
        shown = value + self._zeros.get(by, 0)
        if known is not None and since is not None:
            if at < since and shown < known and last is None:
                # It may just be old, and tells nothing of where it counts from.
                return
            if last is None:
                goes_on = possible(shown, at, known, since)
            else:
                goes_on = _goes_on(value, at, last)
            lags = shown >= known - SLACK or at < since
            if not (goes_on and lags):
                self._doubt(by, value, at)
                return
        self._doubts.pop(by, None)
        self._believe(by, value, at)

    def reach(self, by: LinkKind, value: int, at: datetime) -> None:
        """Let it be as far as something says that is no reading of the meter itself."""
        known, since = self._shown()
        value += self._zeros.get(by, 0)
        if value <= 0 or (known is not None and value < known):
            return
        if known is None or since is None or possible(value, at, known, since):
            reach(self._place, value, at, proves=self._proves(by, at))

    def dump(self) -> dict[str, int]:
        """Return what has to be known after a restart."""
        return {str(by): zero for by, zero in self._zeros.items()}

    def _shown(self) -> tuple[int | None, datetime | None]:
        channel = self._place.measurements.get(KEY)
        if channel is None or channel.value is None:
            return None, None
        return int(channel.value), channel.at

    def _doubt(self, by: LinkKind, value: int, at: datetime) -> None:
        """Believe a reading that makes no sense only if others go on from it for long.

        It counts from another zero then. What was kept while a charger had no clock
        comes all at once, and is none.
        """
        doubt = self._doubts.get(by)
        if doubt is None or not _goes_on(value, at, (doubt.value, doubt.at)):
            shown = self._shown()[0] or 0
            self._doubts[by] = _Doubt(value=value, at=at, shown=shown)
        elif at - doubt.at >= PATIENCE:
            del self._doubts[by]
            self._zeros[by] = doubt.shown - doubt.value
            self._believe(by, value, at)

    def _believe(self, by: LinkKind, value: int, at: datetime) -> None:
        self._last[by] = value, at
        value += self._zeros.setdefault(by, 0)
        reach(self._place, value, at, proves=self._proves(by, at))

    def _proves(self, by: LinkKind, at: datetime) -> bool:
        """Return whether there may be no later reading that was shown.

        What the cloud tells again is behind what the charger has told since.
        """
        resumed_at = self._place.station.resumed_at
        return by is LinkKind.OCPP or resumed_at is None or at >= resumed_at


def _goes_on(value: int, at: datetime, last: tuple[int, datetime]) -> bool:
    """Return whether a meter that was somewhere can be here now."""
    known, since = last
    return value >= known and possible(value, at, known, since)


def share(place: Place) -> SharedRegister:
    """Return the register of a place that both may tell of from now on.

    What is shown already was told by the charger itself, unless it is known better.
    """
    if (register := place.register) is None:
        known = place.measurements.get(KEY)
        told = known is not None and known.value is not None
        register = SharedRegister(place, {LinkKind.OCPP: 0} if told else {})
        place.register = register
    return register


def dump(place: Place) -> dict[str, int]:
    """Return who told the register of a place, each with its zero."""
    if (register := place.register) is not None:
        return register.dump()
    known, ways = place.measurements.get(KEY), place.station.ways
    if known is None or known.value is None or len(ways) != 1:
        return {}
    return {str(way): 0 for way in ways}


def restore(place: Place, kept: Any) -> None:
    """Share the register of a place again that others told than those that do now."""
    if not isinstance(kept, dict) or place.register is not None:
        return
    try:
        zeros = {LinkKind(by): int(zero) for by, zero in kept.items()}
    except TypeError, ValueError:
        return
    if len(zeros) > 1 or zeros.keys() - place.station.ways:
        place.register = SharedRegister(place, zeros)
