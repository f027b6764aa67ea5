"""Smart charging: which profiles are taken, and what they come to (block K)."""

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..allowance import (
    STATION_MAX,
    Allowance,
    Box,
    allow,
    lead,
    own_readings,
    share,
    turning_points,
)
from ..clock import stamp
from ..misbehaviour import Misbehaviour
from ..schedules import Installed, Reading, exact, parse
from .profiles import EXTERNAL, GENERATION, PRIORITY, TX, Rules, Stored
from .transactions import Transaction
from .uplink import CallError
from .values import Json

if TYPE_CHECKING:
    from .station import ChargingStation


PHASES = 3


class SmartCharging:
    """The part of a station that is told how much it may deliver."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station without profiles."""
        self._station = station
        self.profiles: dict[int, Stored] = {}
        self.handlers = {
            "ClearChargingProfile": self._clear,
            "GetChargingProfiles": self._get,
            "GetCompositeSchedule": self._get_composite,
            "SetChargingProfile": self._set,
        }

    # What is allowed

    def allowance(
        self, evse_id: int, moment: datetime, most: Fraction, *, really: bool = True
    ) -> Allowance:
        """Return what an EVSE may offer at a moment, where `most` A is all there is.

        Without `really` it is what the station says that it does.
        """
        running = self._station.transactions.running.get(evse_id)
        started = parse(running.started_at) if running else None
        profiles = self._counting(evse_id, really=really)
        readings = self._own(profiles, evse_id, moment, started)
        readings += self._of_all(profiles, evse_id, moment)
        capped = [self._capped(one, evse_id) for one in readings]
        return allow(capped, Box(maximum=most, phases=PHASES))

    def offers(self, evse_ids: list[int], most: Fraction) -> dict[int, Fraction]:
        """Return what is offered by EVSE, in A, where all obey the station's maximum."""
        now = self._station.clock()
        wanted = {one: self.allowance(one, now, most).amps for one in evse_ids}
        limits = self._of_all(self._counting(0), 0, now)
        if not limits:
            return wanted
        return share(min(one.amps(PHASES) for one in limits), wanted)

    def _of_all(
        self, profiles: list[Installed], evse_id: int, moment: datetime
    ) -> list[Reading]:
        """Return what the profiles say that are not about charging itself."""
        generated = lead(profiles, GENERATION, evse_id, moment, None)
        limits = (
            lead(profiles, purpose, evse_id, moment, None)
            for purpose in (STATION_MAX, EXTERNAL)
        )
        return [_raised(one, generated) for one in limits if one is not None]

    def _own(
        self,
        profiles: list[Installed],
        evse_id: int,
        moment: datetime,
        started: datetime | None,
    ) -> list[Reading]:
        """Return what an EVSE's own profiles say; who is in a hurry comes first (K21)."""
        running = self._station.transactions.running.get(evse_id)
        if running is not None and running.id in self._station.dynamic.hurried:
            hurried = lead(profiles, PRIORITY, evse_id, moment, started)
            if hurried is not None:
                return [hurried]
        caps = Misbehaviour.TX_DEFAULT_CAPS in self._station.moods
        return own_readings(profiles, evse_id, moment, started, default_caps=caps)

    def _capped(self, reading: Reading, evse_id: int) -> Reading:
        """Return what is left of a limit for a vehicle that is nearly full."""
        cap = reading.source.profile["chargingSchedule"].get("limitAtSoC")
        place = self._station.box.places.get(evse_id)
        vehicle = place.vehicle if place else None
        if cap is None or vehicle is None or vehicle.soc < cap["soc"]:
            return reading
        return replace(reading, limit=min(reading.limit, exact(cap["limit"])))

    def period(self, evse_id: int, moment: datetime) -> Json | None:
        """Return the period of the profile that leads, and the unit it speaks in."""
        running = self._station.transactions.running.get(evse_id)
        started = parse(running.started_at) if running else None
        own = self._own(self._counting(evse_id), evse_id, moment, started)
        if not own:
            return None
        return {**own[0].period, "chargingRateUnit": own[0].unit}

    def supports(self, feature: str) -> bool:
        """Return whether the station has a feature of OCPP 2.1, by either name of it."""
        return any(
            self._station.model.flag(f"SmartChargingCtrlr.{name}")
            for name in (f"Supports{feature}", f"SupportsFeature[{feature}]")
        )

    def _counting(self, evse_id: int, *, really: bool = True) -> list[Installed]:
        """Return the profiles that bear on an EVSE now."""
        station = self._station
        running = station.transactions.running.get(evse_id)
        ignored = station.model.members(
            "SmartChargingCtrlr.IgnoredProfilePurposesOffline"
        )
        return [
            one.installed()
            for one in self.profiles.values()
            if one.evse_id in (0, evse_id)
            and (station.connected or one.purpose not in ignored)
            and not self._left_alone(one)
            and station.moods.counts(one, really=really)
            and (
                one.purpose != TX
                or (
                    running is not None
                    and one.profile.get("transactionId") == running.id
                )
            )
        ]

    def _left_alone(self, one: Stored) -> bool:
        """Return whether nobody has been there for longer than a profile puts up with."""
        most = one.profile.get("maxOfflineDuration")
        since = self._station.availability.offline_since
        if most is None or since is None or not self.supports("MaxOfflineDuration"):
            return False
        return (self._station.clock() - since).total_seconds() > float(most)

    def returned(self) -> None:
        """Forget the profiles that do not count any more after having been offline."""
        for number, one in [*self.profiles.items()]:
            if one.profile.get("invalidAfterOfflineDuration") and self._left_alone(one):
                del self.profiles[number]
        self._station.remember()

    async def _get_composite(self, payload: Json) -> Json:
        """OCPP 2.0.1 K08; without any profile the default limit of the station."""
        self._available()
        station, evse_id = self._station, payload["evseId"]
        unit = payload.get("chargingRateUnit", "A")
        units = station.model.members("SmartChargingCtrlr.RateUnit")
        if not 0 <= evse_id <= len(station.evses) or unit not in units:
            return {"status": "Rejected"}
        start = station.clock().replace(microsecond=0)
        duration = payload["duration"]
        running = station.transactions.running.get(evse_id)
        started = parse(running.started_at) if running else None
        periods: list[Json] = []
        for second in turning_points(
            self._counting(evse_id, really=False), start, duration, [started]
        ):
            limit = self._limit(evse_id, start + timedelta(seconds=second), unit)
            if not periods or periods[-1]["limit"] != limit:
                periods.append(
                    {"limit": limit, "numberPhases": 3, "startPeriod": second}
                )
        schedule = {
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": periods,
            "duration": duration,
            "evseId": evse_id,
            "scheduleStart": stamp(start),
        }
        return {"schedule": schedule, "status": "Accepted"}

    def _limit(self, evse_id: int, moment: datetime, unit: str) -> float:
        model = self._station.model
        amps = model.number("SmartChargingCtrlr.CompositeScheduleDefaultLimitAmps", 48)
        allowed = self.allowance(evse_id, moment, Fraction(amps), really=False)
        if unit == "A":
            return round(float(allowed.amps), 3)
        voltage = model.number("SmartChargingCtrlr.SupplyVoltage", 230)
        return round(float(allowed.amps * voltage * 3), 3)

    # What is taken

    async def _set(self, payload: Json) -> Json:
        """OCPP 2.0.1 K01; the same id takes the place of what it named before."""
        self._available()
        evse_id, profile = payload["evseId"], payload["chargingProfile"]
        if (problem := self._rules.problem(evse_id, profile)) is not None:
            return {"status": "Rejected", "statusInfo": problem}
        self._store(evse_id, profile, "CSO")
        self._station.afterwards(self._station.box.apply_limits)
        return {"status": "Accepted"}

    def install(self, evse_id: int, profile: Json, source: str = "EMS") -> None:
        """Have a profile that the central system knows nothing of."""
        self._store(evse_id, profile, source)

    def keep_for_start(self, evse_id: int, profile: Json) -> Json | None:
        """Keep the profile of a remote start; return what is wrong with it."""
        problem = self._rules.problem(evse_id, profile, starting=True)
        if problem is None:
            self._store(evse_id, profile, "CSO")
        return problem

    def _store(self, evse_id: int, profile: Json, source: str) -> None:
        stored = self.profiles[profile["id"]] = Stored(
            evse_id=evse_id,
            profile=profile,
            set_at=self._station.clock(),
            source=source,
        )
        self._station.dynamic.follow(stored)
        self._station.remember()

    @property
    def _rules(self) -> Rules:
        return Rules(self._station, self.profiles)

    def _available(self) -> None:
        if not self._station.model.flag("SmartChargingCtrlr.Available"):
            raise CallError("NotSupported")

    # What is there

    async def _clear(self, payload: Json) -> Json:
        """OCPP 2.0.1 K10."""
        self._available()
        criteria = payload.get("chargingProfileCriteria", {})
        wanted = payload.get("chargingProfileId")
        found = [
            number
            for number, one in self.profiles.items()
            if one.purpose != EXTERNAL
            and wanted in (None, number)
            and criteria.get("evseId") in (None, one.evse_id)
            and criteria.get("chargingProfilePurpose") in (None, one.purpose)
            and criteria.get("stackLevel") in (None, one.profile["stackLevel"])
        ]
        for number in found:
            del self.profiles[number]
        if not found:
            return {"status": "Unknown"}
        self._station.remember()
        self._station.afterwards(self._station.box.apply_limits)
        return {"status": "Accepted"}

    async def _get(self, payload: Json) -> Json:
        """OCPP 2.0.1 K09."""
        self._available()
        criteria = payload["chargingProfile"]
        purpose = criteria.get("chargingProfilePurpose")
        found: dict[tuple[int, str], list[Json]] = {}
        for number, one in self.profiles.items():
            if (
                payload.get("evseId") in (None, one.evse_id)
                and number in criteria.get("chargingProfileId", [number])
                and purpose in (None, one.purpose)
                and criteria.get("stackLevel") in (None, one.profile["stackLevel"])
                and one.source in criteria.get("chargingLimitSource", [one.source])
            ):
                place = one.evse_id, one.source
                found.setdefault(place, []).append(one.wire())
        if not found:
            return {"status": "NoProfiles"}
        request_id = payload["requestId"]

        async def send() -> None:
            for number, ((evse_id, source), profiles) in enumerate(found.items(), 1):
                self._station.queue.post(
                    "ReportChargingProfiles",
                    {
                        "chargingLimitSource": source,
                        "chargingProfile": profiles,
                        "evseId": evse_id,
                        "requestId": request_id,
                        "tbc": number < len(found),
                    },
                    asked=True,
                )

        self._station.afterwards(send)
        return {"status": "Accepted"}

    def transaction_ended(self, transaction: Transaction) -> None:
        """Forget the profiles of a transaction."""
        self.profiles = {
            number: one
            for number, one in self.profiles.items()
            if one.purpose != TX or one.evse_id != transaction.evse_id
        }

    # Memory

    def dump(self) -> list[Any]:
        """Return what survives a loss of power."""
        return [
            [one.evse_id, one.profile, one.set_at.isoformat(), one.source]
            for one in self.profiles.values()
        ]

    def load(self, kept: list[Any]) -> None:
        """Take what survived."""
        for evse_id, profile, set_at, source in kept:
            self.profiles[profile["id"]] = Stored(
                evse_id=evse_id,
                profile=profile,
                set_at=datetime.fromisoformat(set_at),
                source=source,
            )


def _raised(limit: Reading, generated: Reading | None) -> Reading:
    """Return a limit of the whole station with what it generates itself added (K27)."""
    if generated is None:
        return limit
    amps = limit.amps(PHASES) + generated.amps(PHASES)
    return replace(limit, limit=amps, unit="A")
