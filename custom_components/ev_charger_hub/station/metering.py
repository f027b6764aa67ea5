"""Metering: readings into channels, with derived totals and guarded registers."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
import math

from .channel import Channel
from .enums import REGISTERS, ConnectorStatus, Location, Measurand, Phase
from .link import LinkKind
from .model import MeasurementKey, Number, Place
from .shared_register import KEY as SHARED, SharedRegister

SAME_MOMENT = timedelta(seconds=60)
"""Phases that were read further apart belong to different moments."""

MEAN_OVER = (timedelta(seconds=10), timedelta(minutes=20))
"""The times between two readings of a register that tell something of the power."""

EXPLICIT_FOR = timedelta(hours=1)
"""How long a total that the station sent itself keeps us from deriving it."""

_LINES = (Phase.L1, Phase.L2, Phase.L3)
_LINES_TO_NEUTRAL = (Phase.L1_N, Phase.L2_N, Phase.L3_N)
_LINES_TO_LINES = (Phase.L1_L2, Phase.L2_L3, Phase.L3_L1)

_HIGHEST = frozenset(
    {
        Measurand.CURRENT_EXPORT,
        Measurand.CURRENT_IMPORT,
        Measurand.CURRENT_OFFERED,
        Measurand.SOC,
        Measurand.TEMPERATURE,
    }
)
_MEAN = frozenset(
    {Measurand.FREQUENCY, Measurand.POWER_FACTOR, Measurand.RPM, Measurand.VOLTAGE}
)

_FLOWS = frozenset(
    {
        Measurand.CURRENT_EXPORT,
        Measurand.CURRENT_IMPORT,
        Measurand.POWER_ACTIVE_EXPORT,
        Measurand.POWER_ACTIVE_IMPORT,
        Measurand.POWER_REACTIVE_EXPORT,
        Measurand.POWER_REACTIVE_IMPORT,
    }
)


MAY_FLOW = frozenset(
    {ConnectorStatus.CHARGING, ConnectorStatus.FAULTED, ConnectorStatus.OCCUPIED}
)
"""Statuses with which energy may flow."""


def idle(place: Place, at: datetime) -> None:
    """Note that nothing flows any more: many stations stop measuring then."""
    for key, channel in place.measurements.items():
        if key.measurand not in _FLOWS or channel.value is None:
            continue
        if channel.filled:
            # Who only says that nothing flows does not measure it; what was measured
            # before, and is told late, is not the present.
            channel.fill(0, at)
            channel.bar(at)
        else:
            channel.set(0, at)


class Gauge:
    """One quantity at one place.

    A register that drops is not believed until a later reading proves the drop: one
    wrong 0 would count the whole register again in the energy dashboard. `value` and
    `at` are the last reading that was believed, be it history; `fresh` is set with
    each and cleared by whoever took it.
    """

    __slots__ = (
        "_channel",
        "_dropped",
        "_guarded",
        "_sharable",
        "_total",
        "at",
        "fresh",
        "key",
        "place",
        "value",
    )

    def __init__(self, place: Place, key: MeasurementKey, total: Total) -> None:
        """Go on from what is known; a channel appears with the first reading."""
        self.place = place
        self.key = key
        self._total = total
        self._channel = place.measurements.get(key)
        self._sharable = key == SHARED
        # What is shown of a register that is shared may be another's.
        own = None if self._shared is not None else self._channel
        self.value = None if own is None else own.value
        self.at = None if own is None else own.at
        self.fresh = False
        self._guarded = key.measurand in REGISTERS
        self._dropped: tuple[Number, datetime] | None = None

    def read(self, value: Number, at: datetime) -> None:
        """Take what the station read at `at`, in the base unit."""
        self.take(value, at)
        self._total.note(self, at)

    def take(self, value: Number, at: datetime) -> None:
        """Take a value, read or derived."""
        channel = self._channel or self._open()
        shared = self._shared if self._guarded else None
        if shared is not None:
            shared.tell(LinkKind.OCPP, int(value), self._ours(at))
        known = channel if shared is None else self
        if self._guarded and self._doubtful(known, value, at):
            return
        self.value = value
        self.at = at
        self.fresh = True
        if shared is None:
            channel.set(value, at)

    @property
    def outdated(self) -> bool:
        """Return whether it has to be told anew, because we were killed."""
        return self._channel is not None and self._channel.outdated

    def reach(self, value: Number, at: datetime) -> None:
        """Let a register be at least `value`, as something else than a sample says."""
        if (shared := self._shared) is not None:
            shared.reach(LinkKind.OCPP, int(value), self._ours(at))
            return
        channel = self._channel or self._open()
        if channel.value is None or value >= channel.value:
            channel.set(value, at)

    def _open(self) -> Channel[Number | None]:
        """Return the channel, which appears with its first value."""
        channel = self._channel = self.place.measurement(self.key)
        return channel

    @property
    def _shared(self) -> SharedRegister | None:
        """Return the register of which another tells as well."""
        return self.place.register if self._sharable else None

    def _ours(self, at: datetime) -> datetime:
        """Return a time of the station by our clock; one that is ahead is cut to it."""
        return at - min(self.place.station.skew.ahead, timedelta())

    def _doubtful(
        self, known: Channel[Number | None] | Gauge, value: Number, at: datetime
    ) -> bool:
        """Return whether a reading is a drop without proof."""
        if known.at is not None and at < known.at:
            return False
        if known.value is None or value >= known.value:
            self._dropped = None
            return False
        if self._dropped is not None:
            low, since = self._dropped
            if at > since and value >= low:
                self._dropped = None
                return False
        self._dropped = (value, at)
        return True


class Total:
    """A quantity over all phases, for stations that send only the phases."""

    __slots__ = ("_explicit_at", "_make", "_pending", "_phases", "gauge")

    def __init__(
        self,
        place: Place,
        key: MeasurementKey,
        pending: dict[Total, datetime],
        make: MakeGauge,
    ) -> None:
        """Create the total of `key`; `pending` collects what is to be derived."""
        self._make = make
        self.gauge = make(place, key, self)
        # All known phases count at once: a register without one would seem to drop.
        self._phases = {
            known.phase: make(place, known, self)
            for known in place.measurements
            if known.phase is not None and replace(known, phase=None) == key
        }
        self._pending = pending
        self._explicit_at: datetime | None = None

    def phase(self, phase: Phase) -> Gauge:
        """Return the gauge of one phase."""
        if (gauge := self._phases.get(phase)) is None:
            key = replace(self.gauge.key, phase=phase)
            gauge = self._phases[phase] = self._make(self.gauge.place, key, self)
        return gauge

    def note(self, gauge: Gauge, at: datetime) -> None:
        """Note that the total itself or one of its phases was read."""
        if gauge is self.gauge:
            self._explicit_at = at
        else:
            self._pending[self] = at

    def derive(self, at: datetime) -> None:
        """Show the total of the phases at `at`, unless the station sends it."""
        if self._explicit_at is not None and at - self._explicit_at < EXPLICIT_FOR:
            return
        if (value := self._combined(at)) is not None:
            self.gauge.take(value, at)

    def _combined(self, at: datetime) -> Number | None:
        measurand = self.gauge.key.measurand
        counts = measurand in REGISTERS
        for phases in (_LINES, _LINES_TO_NEUTRAL, _LINES_TO_LINES):
            if values := self._values(phases, at, ever=counts):
                break
        else:
            return None
        gauges = (self._phases.get(phase) for phase in phases)
        if counts and any(gauge is not None and gauge.outdated for gauge in gauges):
            # With what was kept of another phase the sum would fall.
            return None
        if measurand in _HIGHEST:
            return max(values)
        if measurand not in _MEAN:
            return round(sum(values), 3)
        # A phase that is not connected reads 0 and is no part of the mean.
        alive = [value for value in values if value] or values
        mean = sum(alive) / len(alive)
        if phases is _LINES_TO_LINES and measurand is Measurand.VOLTAGE:
            mean /= math.sqrt(3)
        return round(mean, 3)

    def _values(
        self, phases: Iterable[Phase], at: datetime, *, ever: bool
    ) -> list[Number]:
        """Return the readings of `phases`, of this moment or of whenever."""
        return [
            gauge.value
            for phase in phases
            if (gauge := self._phases.get(phase)) is not None
            and gauge.value is not None
            and gauge.at is not None
            and (ever or abs(at - gauge.at) <= SAME_MOMENT)
        ]


type MakeGauge = Callable[[Place, MeasurementKey, Total], Gauge]


class MeanPower:
    """The power that two readings of the import register come to."""

    __slots__ = ("_last", "_metering", "_place")

    def __init__(self, place: Place, metering: Metering) -> None:
        """Know of no reading yet."""
        self._place = place
        self._metering = metering
        self._last: tuple[int, datetime] | None = None

    def begin(self, register: int, at: datetime) -> None:
        """Count from a register in Wh on."""
        self._last = register, at

    def read(self, register: int, at: datetime) -> None:
        """Show the mean power in W since the last reading, if that tells something."""
        if self._last is None:
            self._last = register, at
            return
        before, since = self._last
        least, most = MEAN_OVER
        if timedelta() <= (passed := at - since) < least:
            return
        self._last = register, at
        if least <= passed <= most and register >= before:
            power = round((register - before) / (passed / timedelta(hours=1)))
            key = MeasurementKey(measurand=Measurand.POWER_ACTIVE_IMPORT)
            self._metering.gauge(self._place, key).take(power, at)


class Metering:
    """Puts the readings of one station into its channels, in base units."""

    def __init__(self, make: MakeGauge = Gauge) -> None:
        """Create the metering of a station, whose gauges `make` makes."""
        self._make = make
        self._gauges: dict[tuple[int, MeasurementKey], Gauge] = {}
        self._totals: dict[tuple[int, Measurand, Location | None], Total] = {}
        self._pending: dict[Total, datetime] = {}

    def gauge(self, place: Place, key: MeasurementKey) -> Gauge:
        """Return the gauge of a quantity at a place of this station."""
        if (gauge := self._gauges.get((place.id, key))) is None:
            total = self._total(place, key)
            gauge = total.gauge if key.phase is None else total.phase(key.phase)
            self._gauges[place.id, key] = gauge
        return gauge

    def sample(
        self, place: Place, key: MeasurementKey, value: Number, at: datetime
    ) -> None:
        """Take one reading of `key` at `place` that was true at `at`."""
        self.gauge(place, key).read(value, at)

    def settle(self) -> None:
        """Derive the totals that were not sent; called after the samples of a moment."""
        if self._pending:
            for total, at in self._pending.items():
                total.derive(at)
            self._pending.clear()

    def _total(self, place: Place, key: MeasurementKey) -> Total:
        where = (place.id, key.measurand, key.location)
        if (total := self._totals.get(where)) is None:
            total = Total(place, replace(key, phase=None), self._pending, self._make)
            self._totals[where] = total
        return total
