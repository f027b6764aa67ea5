"""Metering: what a station measures, frame by frame (OCPP 1.6 4.7, 2.x J).

This is the path that most frames take: nothing is parsed twice. What a sample means is
looked up by its words, which are the same in every frame of a station.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ..station.clock import plausible
from ..station.enums import REGISTERS, Location, Measurand
from ..station.metering import Gauge, MeanPower, Metering
from ..station.model import MeasurementKey, Number, Place
from ..station.transaction import MAX_VALUES
from . import timestamps
from .adapter import StationContext
from .oddities import Oddities
from .quirks import quirks_of
from .sightings import Sightings
from .signed import SIGNED, signed_in
from .words import location, measurand, phase

type Words = tuple[str | None, str | None, str | None, str | None]
"""Measurand, phase, location and unit, as the station writes them."""

type Decoder = Callable[[str], Number | None]

DEFAULT_MEASURAND = "Energy.Active.Import.Register"

_IMPORT_REGISTER = MeasurementKey(measurand=Measurand.ENERGY_ACTIVE_IMPORT_REGISTER)
_MAX_WORDS = 512
_MAX_WORDS_LENGTH = 200
_MAX_LENGTH = 32
_MAX_DIGITS = 15

_INTEGERS = REGISTERS | {
    Measurand.ENERGY_ACTIVE_EXPORT_INTERVAL,
    Measurand.ENERGY_ACTIVE_IMPORT_INTERVAL,
    Measurand.ENERGY_REACTIVE_EXPORT_INTERVAL,
    Measurand.ENERGY_REACTIVE_IMPORT_INTERVAL,
}
_THOUSANDS = frozenset({"kwh", "kvarh", "kw", "kva", "kvar"})
_UNITS = _THOUSANDS | frozenset(
    [
        "wh",
        "varh",
        "w",
        "va",
        "var",
        "a",
        "v",
        "k",
        "celcius",
        "celsius",
        "fahrenheit",
        "percent",
        "%",
        "hertz",
        "hz",
        "rpm",
    ]
)

# What the end of a transaction says counts most; what its begin says is never news.
_RANKS = {
    "Transaction.Begin": 0,
    "Sample.Clock": 2,
    None: 3,
    "Sample.Periodic": 3,
    "Trigger": 3,
    "Transaction.End": 4,
}
_OTHER_RANK = 1


def _decimal(text: str) -> Decimal | None:
    """Return a number of sane size; a text that only resembles one is none."""
    if len(text) > _MAX_LENGTH or "_" in text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > _MAX_DIGITS:
        return None
    return number


def _integer(text: str) -> int | None:
    if text.isdecimal() and len(text) <= _MAX_DIGITS:
        return int(text)
    return None if (number := _decimal(text)) is None else round(number)


def _integer_of_thousands(text: str) -> int | None:
    return None if (number := _decimal(text)) is None else round(number.scaleb(3))


def _float(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    # `not <` is also true of NaN.
    # `+ 0.0` makes 0.0 of -0.0, which nobody wants to read.
    return None if not abs(number) < 1e15 or "_" in text else number + 0.0


def _float_of_thousands(text: str) -> float | None:
    return None if (number := _decimal(text)) is None else float(number.scaleb(3)) + 0.0


def _fraction_of_percent(text: str) -> float | None:
    return (
        None if (number := _decimal(text)) is None else float(number.scaleb(-2)) + 0.0
    )


def _kelvin(text: str) -> float | None:
    return None if (kelvin := _float(text)) is None else round(kelvin - 273.15, 2)


def _fahrenheit(text: str) -> float | None:
    return None if (degrees := _float(text)) is None else round((degrees - 32) / 1.8, 2)


def _nothing(text: str) -> None:
    """Decode what no channel exists for."""


def decoder(quantity: Measurand, unit: str) -> Decoder:
    """Return how a sample of a quantity in a unit is read."""
    integer = quantity in _INTEGERS
    if unit in _THOUSANDS:
        return _integer_of_thousands if integer else _float_of_thousands
    if quantity is Measurand.TEMPERATURE and unit in {"k", "fahrenheit"}:
        return _kelvin if unit == "k" else _fahrenheit
    if quantity is Measurand.POWER_FACTOR and unit in {"percent", "%"}:
        return _fraction_of_percent
    return _integer if integer else _float


class Reading:
    """What the meter value in hand says of one gauge: the best sample so far."""

    __slots__ = ("gauge", "rank", "turn", "value")

    def __init__(self, gauge: Gauge) -> None:
        """Wait for the first sample."""
        self.gauge = gauge
        self.turn = 0
        self.rank = 0
        self.value: Number = 0


class Meter:
    """The meter of one connector, or of the station."""

    def __init__(self, place: Place, metering: Metering, oddities: Oddities) -> None:
        """Read into the gauges of `place`."""
        self._place = place
        self._metering = metering
        self._oddities = oddities
        self._meanings: dict[Words, tuple[Decoder, Reading]] = {}
        self._readings: dict[MeasurementKey, Reading] = {}
        self.register = metering.gauge(place, _IMPORT_REGISTER)
        # A station that measures elsewhere than at the outlet has its register there.
        self._registers = [self.register]
        self._mean_power = MeanPower(place, metering)
        self._turn = 0
        self.signed = False
        """Whether there was signed data in what was read since this was last unset."""

    def read(self, samples: list[dict[str, Any]], at: datetime) -> int | None:
        """Take the samples of one moment; return the import register if it was read."""
        self._turn = turn = self._turn + 1
        meanings = self._meanings
        touched: list[Reading] = []
        for sample in samples:
            get = sample.get
            words = (get("measurand"), get("phase"), get("location"), get("unit"))
            if (meaning := meanings.get(words)) is None:
                meaning = self._learn(words)
            if get("format") == SIGNED:
                self.signed = True
                continue
            decode, reading = meaning
            if (value := decode(sample["value"])) is None:
                continue
            rank = _RANKS.get(get("context"), _OTHER_RANK)
            if reading.turn != turn:
                reading.turn = turn
                touched.append(reading)
            elif rank <= reading.rank:
                continue
            reading.rank = rank
            reading.value = value
        for reading in touched:
            reading.gauge.read(reading.value, at)
        self._metering.settle()
        register = self._read_register()
        if register is not None:
            self._derive(register, at)
        return register

    def _read_register(self) -> int | None:
        """Return the import register if it is fresh, of the first place that has one."""
        for gauge in self._registers:
            if gauge.value is not None:
                fresh, gauge.fresh = gauge.fresh, False
                return int(gauge.value) if fresh else None
        return None

    def begin(self, register: int, at: datetime) -> None:
        """Take the register in Wh that begins or ends a transaction."""
        self.register.reach(register, at)
        self._mean_power.begin(register, at)

    def _derive(self, register: int, at: datetime) -> None:
        """Derive the power of a station that sends nothing but energy."""
        if not quirks_of(self._place.station.info.value).only_energy:
            return
        measured = {key.measurand for key in self._readings}
        if Measurand.POWER_ACTIVE_IMPORT not in measured:
            self._mean_power.read(register, at)

    def _learn(self, words: Words) -> tuple[Decoder, Reading]:
        """Find out what a sample with these words means, once."""
        unit = self._unit(words[3])
        decode: Decoder = _nothing
        if (key := self._key(words)) is None:
            key = _IMPORT_REGISTER
        else:
            decode = decoder(key.measurand, unit)
        if (reading := self._readings.get(key)) is None:
            reading = Reading(self._metering.gauge(self._place, key))
            self._readings[key] = reading
            if key == replace(_IMPORT_REGISTER, location=key.location) and key.location:
                self._registers.append(reading.gauge)
        if len(self._meanings) >= _MAX_WORDS:
            self._meanings.clear()
        # What is too long to be a word would be kept as long as the station.
        if sum(len(word) for word in words if word) <= _MAX_WORDS_LENGTH:
            self._meanings[words] = decode, reading
        return decode, reading

    def _key(self, words: Words) -> MeasurementKey | None:
        name, phase_word, location_word, _ = words
        if (found := measurand(name or DEFAULT_MEASURAND)) is None:
            self._oddities.note(f"unknown measurand {str(name)[:50]!r}")
            return None
        quantity, where = found
        if phase_word and (where := phase(phase_word)) is None:
            self._oddities.note(f"unknown phase {phase_word[:50]!r}")
            return None
        return MeasurementKey(
            measurand=quantity, phase=where, location=self._location(location_word)
        )

    def _location(self, word: str | None) -> Location | None:
        quirks = quirks_of(self._place.station.info.value)
        place = location(word or "")
        at_outlet = place is Location.INLET and quirks.inlet_is_outlet
        return None if at_outlet else place

    def _unit(self, word: str | None) -> str:
        unit = (word or "").strip().lower()
        if unit and unit not in _UNITS:
            self._oddities.note(f"unknown unit {unit[:50]!r} is taken for the default")
        return unit


class Meters:
    """The meters of a station and its EVSEs."""

    def __init__(self, context: StationContext, oddities: Oddities) -> None:
        """Feed the station and the transactions of `context`."""
        self._context = context
        self._oddities = oddities
        self._metering = Metering()
        self._meters: dict[int, Meter] = {}
        self._sightings = Sightings(context)

    def take(
        self,
        connector_id: int,
        transaction_id: str | None,
        values: list[dict[str, Any]],
        *,
        counted: bool = False,
    ) -> bool:
        """Read a list of MeterValue (OCPP 1.6 7.33) into channels and transactions.

        Return whether there is signed data in it, which is not read. `counted` says
        that the transaction knows of it already.
        """
        if (meter := self._meter(connector_id)) is None:
            return bool(signed_in(values))
        meter.signed = False
        now = self._context.clock()
        for value in values:
            if not (samples := value.get("sampledValue")):
                continue
            claimed = timestamps.parse(value.get("timestamp"))
            self._context.station.skew.observe(claimed, now)
            at = plausible(claimed, now)
            register = meter.read(samples, at)
            if register is not None and not counted:
                self._count(connector_id, transaction_id, register, at)
        return meter.signed

    def bracket(self, evse_id: int, register: int, at: datetime) -> None:
        """Take the register in Wh that begins or ends a transaction.

        Some stations send no other; some count it from 0 in each transaction, so that
        it may not lower what their meter values say.
        """
        if 0 <= register < 10**_MAX_DIGITS and (meter := self._meter(evse_id)):
            meter.begin(register, at)

    def _meter(self, connector_id: int) -> Meter | None:
        if (meter := self._meters.get(connector_id)) is None:
            if not self._context.station.believes(connector_id):
                self._oddities.note(f"meter values of connector {connector_id} ignored")
                return None
            place = self._context.station.place(connector_id)
            meter = Meter(place, self._metering, self._oddities)
            self._meters[connector_id] = meter
        return meter

    def _count(
        self, connector_id: int, transaction_id: str | None, register: int, at: datetime
    ) -> None:
        transactions = self._context.transactions
        if not connector_id:
            # The main meter counts for a transaction only if the station says so.
            known = transaction_id and transactions.find(transaction_id)
            if not known:
                return
            connector_id = known.evse_id
        reading = self._sightings.counting(connector_id, transaction_id, (register, at))
        if reading is not None:
            register, at = reading
            transactions.meter(
                evse_id=connector_id,
                transaction_id=transaction_id,
                register=register,
                at=at,
            )


def values_of(data: list[dict[str, Any]], context: str) -> dict[str, Any]:
    """Return the samples of one context by measurand, as the station wrote them.

    They are kept with the session: what is too long to be one is left out, and so is
    what is more than any meter measures.
    """
    found: dict[str, Any] = {}
    for value in data:
        for sample in value.get("sampledValue") or ():
            if sample.get("context") != context or sample.get("format") == SIGNED:
                continue
            name, unit = _name(sample), sample.get("unit") or ""
            known = name in found or len(found) < MAX_VALUES
            if (
                known
                and len(sample["value"]) <= _MAX_LENGTH
                and len(name + unit) <= (_MAX_WORDS_LENGTH)
            ):
                found[name] = {"value": sample["value"], "unit": sample.get("unit")}
    return found


def _name(sample: dict[str, Any]) -> str:
    parts = [sample.get("measurand") or DEFAULT_MEASURAND]
    if (location := sample.get("location")) and location != "Outlet":
        parts.append(location)
    if phase := sample.get("phase"):
        parts.append(phase)
    return ".".join(parts)
