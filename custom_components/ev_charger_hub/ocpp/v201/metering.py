"""Metering: the meter values of an OCPP 2.x station (J01, J02)."""

from collections.abc import Awaitable, Iterator
from datetime import datetime
from decimal import Decimal
import json
from typing import Any

from ...station.clock import plausible
from ...station.enums import Measurand, Phase
from ...station.transaction_events import Bound, Reading
from .. import timestamps
from ..adapter import StationContext
from ..metering import DEFAULT_MEASURAND, Meters, decoder
from ..oddities import Oddities
from ..rpc import Reply
from ..signed import SIGNED, SignedArchive
from ..words import location, measurand, phase

type Json = dict[str, Any]

_MAX_MULTIPLIER = 30
_BOUNDS = {"Transaction.Begin": Bound.BEGIN, "Transaction.End": Bound.END}
_LINES = frozenset({Phase.L1, Phase.L2, Phase.L3})
_LINES_TO_NEUTRAL = frozenset({Phase.L1_N, Phase.L2_N, Phase.L3_N})


def plain(values: list[Json]) -> list[Json]:
    """Return a list of MeterValue in the form of OCPP 1.6, which says the same.

    A number becomes text with its power of ten. What is signed stands beside the
    number, as the JSON object that the station sent.
    """
    return [
        {
            "timestamp": value.get("timestamp"),
            "sampledValue": [
                one
                for sample in value.get("sampledValue") or ()
                for one in _samples(sample)
            ],
        }
        for value in values
    ]


def _samples(sample: Json) -> Iterator[Json]:
    unit = sample.get("unitOfMeasure") or {}
    context = sample.get("context")
    yield {
        "value": _text(sample["value"], unit.get("multiplier") or 0),
        "context": context,
        "measurand": sample.get("measurand"),
        "phase": sample.get("phase"),
        "location": sample.get("location"),
        "unit": unit.get("unit"),
    }
    if signed := sample.get("signedMeterValue"):
        text = json.dumps(signed, ensure_ascii=False, separators=(",", ":"))
        yield {"value": text, "context": context, "format": SIGNED}


def _text(value: float, multiplier: int) -> str:
    if not multiplier or abs(multiplier) > _MAX_MULTIPLIER:
        return str(value)
    return str(Decimal(str(value)).scaleb(multiplier))


def readings(values: list[Json], now: datetime) -> tuple[Reading, ...]:
    """Return the import register at each moment of a list that is `plain`.

    The outlet counts, or else where there is a register; the sum of the phases if
    there is no total.
    """
    found = []
    for value in values:
        at = plausible(timestamps.parse(value.get("timestamp")), now)
        by_bound: dict[Bound | None, list[Json]] = {}
        for sample in value["sampledValue"]:
            if _is_register(sample):
                bound = _BOUNDS.get(sample["context"])
                by_bound.setdefault(bound, []).append(sample)
        for bound, samples in by_bound.items():
            if (register := _register(samples)) is not None:
                found.append(Reading(at=at, register=register, bound=bound))
    return tuple(found)


def _is_register(sample: Json) -> bool:
    meant = measurand(sample.get("measurand") or DEFAULT_MEASURAND)
    return (
        meant is not None
        and meant[0] is Measurand.ENERGY_ACTIVE_IMPORT_REGISTER
        and sample.get("format") != SIGNED
    )


def _register(samples: list[Json]) -> int | None:
    by_place: dict[str, dict[Phase | None, int]] = {}
    for sample in samples:
        word = (sample.get("unit") or "").strip().lower()
        decode = decoder(Measurand.ENERGY_ACTIVE_IMPORT_REGISTER, word)
        if (register := decode(sample["value"])) is not None:
            place = location(sample.get("location") or "") or ""
            of_place = by_place.setdefault(place, {})
            of_place.setdefault(phase(sample.get("phase") or ""), int(register))
    for of_place in (by_place[place] for place in sorted(by_place)):
        if None in of_place:
            return of_place[None]
        for lines in (_LINES, _LINES_TO_NEUTRAL):
            if there := lines & of_place.keys():
                return sum(of_place[line] for line in there)
    return None


class MeterValues(Meters):
    """The meter values of a station and of its transactions."""

    def __init__(
        self, context: StationContext, archive: SignedArchive, oddities: Oddities
    ) -> None:
        """Feed the station and the transactions of `context`."""
        super().__init__(context, oddities)
        self._archive = archive

    def meter_values(self, payload: Json) -> Reply | Awaitable[Reply]:
        """Take meter values (J01); those of EVSE 0 are of the station.

        What is signed is archived before the answer.
        """
        evse_id, values = payload["evseId"], plain(payload["meterValue"])
        if not self.take(evse_id, None, values):
            return Reply({})
        return self._archived(evse_id, values)

    async def _archived(self, evse_id: int, values: list[Json]) -> Reply:
        await self._archive.of_meter_values(evse_id, "", values)
        return Reply({})
