"""Vehicles: what they need, and what they are going to take (OCPP 2.x K15 to K20)."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from ...station.enums import Location, Measurand
from ...station.limits import in_ampere
from ...station.link import Capability, Limit
from ...station.model import Evse, MeasurementKey
from ...station.needs import ChargingNeeds, EnergyTransfer, VehiclePlan
from ...station.profiles.model import Schedule
from .. import timestamps
from ..adapter import StationContext
from ..blocks import Answer
from ..charging_profiles import amount
from ..oddities import Oddities
from ..rpc import Reply
from .charging_profiles import parse_schedule
from .link import V201Link

type Json = dict[str, Any]

TOLERANCE = 1.05
"""How much more than allowed a vehicle may plan: it reckons with its own voltage."""

MAX_REFUSALS = 3
"""How often in a row a vehicle is asked to plan anew."""

_SOC = MeasurementKey(measurand=Measurand.SOC, location=Location.EV)
_TRANSFERS = {one.value.replace("_", ""): one for one in EnergyTransfer}
_MOST = 1e9


class Vehicles:
    """What a station passes on from the vehicles that speak ISO 15118 with it."""

    def __init__(
        self, context: StationContext, link: V201Link, oddities: Oddities
    ) -> None:
        """Feed the station of `context`; `link` knows what may be allowed."""
        self._context = context
        self._link = link
        self._oddities = oddities
        self._refusals: dict[int, int] = {}
        """How often in a row the plan of a vehicle was refused, by EVSE."""

    @property
    def answers(self) -> Mapping[str, Answer]:
        """Return what answers, by the name of the message."""
        return {
            "NotifyEVChargingNeeds": self.needs,
            "NotifyEVChargingSchedule": self.schedule,
        }

    def needs(self, payload: Json) -> Reply:
        """Answer what a vehicle needs; its profile follows within seconds (K15.FR.08)."""
        if (evse := self._evse(payload)) is None:
            return Reply({"status": "Rejected"})
        needs = _needs(payload, self._context)
        evse.needs.set(needs)
        if needs.state_of_charge is not None:
            evse.measurement(_SOC).set(needs.state_of_charge, needs.told_at)
        status = self._judge(evse, needs)
        if status in {"Accepted", "Processing"}:
            limiter = self._context.station.limiter
            assert limiter is not None
            return Reply({"status": status}, partial(limiter.answer_needs, evse.id))
        return Reply({"status": status})

    def _judge(self, evse: Evse, needs: ChargingNeeds) -> str:
        """Return whether we give a profile for what is needed."""
        limiter, link = self._context.station.limiter, self._link
        if self._refused(evse, needs.transfer):
            return "Rejected"
        newer = link.dialect == "2.1"
        if limiter is None or Capability.PROFILES not in link.capabilities:
            return "NoChargingProfile" if newer else "Rejected"
        if newer and limiter.goal(evse.id) is None:
            # K15.FR.19: nothing is wanted, and the station may charge as it likes.
            return "NoChargingProfile"
        # Without a transaction there is nothing yet that a profile could be for.
        return "Accepted" if evse.transaction is not None else "Processing"

    def _refused(self, evse: Evse, transfer: EnergyTransfer | None) -> bool:
        """Return whether energy may not flow in that way: back only if it was allowed."""
        session = evse.transaction
        if transfer is None:
            return False
        allowed = None if session is None else evse.allowed_transfers
        return transfer.bidirectional if allowed is None else transfer not in allowed

    def schedule(self, payload: Json) -> Reply:
        """Answer what a vehicle is going to take: not more than it may (K16, K17)."""
        limiter = self._context.station.limiter
        evse = self._evse(payload)
        try:
            schedule = parse_schedule(payload["chargingSchedule"])
        except AttributeError, KeyError, TypeError, ValueError:
            self._oddities.note("schedule of a vehicle that nobody can read")
            return Reply({"status": "Accepted"})
        if evse is None or limiter is None:
            return Reply({"status": "Accepted"})
        most = limiter.most(evse.id)
        # One that does not listen is not asked again and again.
        refusals = self._refusals.get(evse.id, 0)
        accepted = refusals >= MAX_REFUSALS or all(
            float(one) <= float(most) * TOLERANCE for one in _amounts(schedule, evse)
        )
        self._refusals[evse.id] = 0 if accepted else refusals + 1
        now = self._context.clock()
        evse.plan.set(VehiclePlan(told_at=now, schedule=schedule, accepted=accepted))
        if accepted:
            return Reply({"status": "Accepted"})
        # It is told once more what holds, and plans anew.
        return Reply({"status": "Rejected"}, partial(limiter.answer_needs, evse.id))

    def _evse(self, payload: Json) -> Evse | None:
        station, evse_id = self._context.station, payload["evseId"]
        guessed = evse_id and not station.evses and station.believes(evse_id)
        if evse_id in station.evses or guessed:
            return station.evse(evse_id)
        self._oddities.note(f"vehicle at EVSE {evse_id} ignored")
        return None


def _amounts(schedule: Schedule, evse: Evse) -> list[Any]:
    """Return what a vehicle plans to take, in A per phase."""
    return [
        in_ampere(
            Limit(value=one.limit, unit=schedule.unit),
            one.phases if one.phases in {1, 2, 3} else evse.phases,
        )
        for one in schedule.periods
    ]


def _needs(payload: Json, context: StationContext) -> ChargingNeeds:
    told = payload["chargingNeeds"]
    ac, dc = _part(told, "acChargingParameters"), _part(told, "dcChargingParameters")
    v2x = _part(told, "v2xChargingParameters")
    transfer = str(told.get("requestedEnergyTransfer", "")).replace("_", "").lower()
    return ChargingNeeds(
        told_at=context.clock(),
        transfer=_TRANSFERS.get(transfer),
        departure=timestamps.parse(told.get("departureTime")),
        energy=_number(ac, "energyAmount")
        or _number(dc, "energyAmount")
        or _number(v2x, "evTargetEnergyRequest"),
        minimum_current=_number(ac, "evMinCurrent") or _number(v2x, "minChargeCurrent"),
        maximum_current=_number(ac, "evMaxCurrent")
        or _number(dc, "evMaxCurrent")
        or _number(v2x, "maxChargeCurrent"),
        maximum_voltage=_number(ac, "evMaxVoltage")
        or _number(dc, "evMaxVoltage")
        or _number(v2x, "maxVoltage"),
        maximum_power=_number(dc, "evMaxPower") or _number(v2x, "maxChargePower"),
        capacity=_number(dc, "evEnergyCapacity"),
        state_of_charge=_percent(dc, "stateOfCharge"),
        target_state_of_charge=_percent(v2x, "targetSoC") or _percent(dc, "fullSoC"),
        dynamic=told.get("controlMode") == "DynamicControl",
    )


def _part(told: Json, name: str) -> Json:
    part = told.get(name)
    return part if isinstance(part, dict) else {}


def _number(told: Json, name: str) -> float | None:
    number = amount(told.get(name))
    return None if number is None or not 0 <= number <= _MOST else float(number)


def _percent(told: Json, name: str) -> int | None:
    number = _number(told, name)
    return None if number is None or number > 100 else round(number)
