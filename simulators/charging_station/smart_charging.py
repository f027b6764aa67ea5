"""Smart charging: what the station answers about limits, and what it makes of them."""

from datetime import datetime, timedelta
from fractions import Fraction
import math
from typing import TYPE_CHECKING, Any

from ocpp.exceptions import NotImplementedError as NotImplementedOnStation

from .allowance import (
    STATION_MAX,
    TX,
    TX_DEFAULT,
    Allowance,
    Box,
    allow,
    lead,
    own_readings,
    share,
    turning_points,
)
from .connector import Connector
from .misbehaviour import Misbehaviour
from .schedules import Installed, exact
from .vehicle import VOLTAGE

if TYPE_CHECKING:
    from .v16 import ChargingStation16

SLOWNESS = timedelta(seconds=90)
"""How long a slow station takes from accepting a profile to following it."""


class SmartCharging:
    """The part of a station that knows of limits."""

    def __init__(self, station: ChargingStation16) -> None:
        """Serve one station."""
        self._station = station

    # What the central system asks for

    async def set_profile(self, payload: dict[str, Any]) -> dict[str, Any]:
        """OCPP 1.6 5.16."""
        station = self._station
        number, profile = payload["connectorId"], payload["csChargingProfiles"]
        if number not in (0, *station.connectors):
            return {"status": "Rejected"}
        connector = station.connectors.get(number)
        transaction = connector.transaction if connector else None
        running = transaction.id if transaction else None
        if self.refuses(number, profile, transaction=running):
            return {"status": "Rejected"}
        self.install(number, profile)
        station.later(station.apply_limits())
        return {"status": "Accepted"}

    async def clear_profile(self, payload: dict[str, Any]) -> dict[str, Any]:
        """OCPP 1.6 5.5."""
        station = self._station
        if not station.profiles.clear(payload, station.clock(), delay=self._delay):
            return {"status": "Unknown"}
        station.later(station.apply_limits())
        return {"status": "Accepted"}

    async def composite_schedule(self, payload: dict[str, Any]) -> dict[str, Any]:
        """OCPP 1.6 5.7, to the second."""
        station = self._station
        if Misbehaviour.NO_COMPOSITE in station.misbehaviours:
            raise NotImplementedOnStation(description="No GetCompositeSchedule here")
        number, duration = payload["connectorId"], payload["duration"]
        if number not in (0, *station.connectors):
            return {"status": "Rejected"}
        native = "A" if "Current" in station.vendor.rate_units else "W"
        unit = payload.get("chargingRateUnit", native)
        start = station.clock().replace(microsecond=0)
        from_now = start.isoformat().replace("+00:00", "Z")
        return {
            "status": "Accepted",
            "connectorId": number,
            "scheduleStart": from_now,
            "chargingSchedule": {
                "duration": duration,
                "startSchedule": from_now,
                "chargingRateUnit": unit,
                "chargingSchedulePeriod": self._periods(number, start, duration, unit),
            },
        }

    def refuses(
        self,
        connector_id: int,
        profile: dict[str, Any],
        *,
        transaction: int | None = None,
        starting: bool = False,
    ) -> str | None:
        """Return why the station does not accept a profile, or None."""
        return self._station.profiles.refuses(
            connector_id,
            profile,
            transaction=transaction,
            starting=starting,
            misbehaviours=self._station.misbehaviours,
        )

    def install(self, connector_id: int, profile: dict[str, Any]) -> None:
        """Keep an accepted profile, unless the station only pretends to."""
        station = self._station
        if (
            Misbehaviour.DROP_TX_PROFILE in station.misbehaviours
            and profile["chargingProfilePurpose"] == TX
        ):
            return
        now = station.clock()
        station.profiles.install(connector_id, profile, now, delay=self._delay)

    # What the station does about it

    def allowed(self, connector: Connector) -> Allowance:
        """Return what the profiles leave to a connector, with a transaction or not."""
        now = self._station.clock()
        return self._allowance(connector, now, self._followed(connector, now))

    def offer(self) -> None:
        """Work out what every connector with a transaction may offer its vehicle."""
        now = self._station.clock()
        busy = {
            number: connector
            for number, connector in self._station.connectors.items()
            if connector.transaction is not None
        }
        allowed = {
            number: self._allowance(connector, now, self._followed(connector, now))
            for number, connector in busy.items()
        }
        shares = self._shares({one: each.amps for one, each in allowed.items()}, now)
        for number, connector in busy.items():
            connector.limited_by = allowed[number].by
            connector.offer(float(shares[number]), allowed[number].phases)

    def _shares(
        self, wanted: dict[int, Fraction], now: datetime
    ) -> dict[int, Fraction]:
        """Return what is left to each connector when all together obey the maximum."""
        station = self._station
        profiles = self._followed(None, now)
        if (most := lead(profiles, STATION_MAX, 0, now, None)) is None:
            return wanted
        return share(most.amps(station.vendor.phases), wanted)

    @property
    def _delay(self) -> timedelta:
        """Return how long a change takes to count."""
        slow = Misbehaviour.SLOW_LIMIT in self._station.misbehaviours
        return SLOWNESS if slow else timedelta()

    def _followed(
        self, connector: Connector | None, now: datetime
    ) -> tuple[Installed, ...]:
        """Return the profiles that the station goes by, whatever it says."""
        station = self._station
        moods = station.misbehaviours
        if Misbehaviour.IGNORE_LIMIT in moods:
            return ()
        transaction = connector.transaction if connector else None

        def followed(one: Installed) -> bool:
            if one.purpose == TX:
                return Misbehaviour.IGNORE_TX_PROFILE not in moods
            if one.purpose == TX_DEFAULT and transaction is not None:
                return (
                    Misbehaviour.TX_DEFAULT_NEXT_TIME not in moods
                    or one.set_at <= transaction.started_at
                )
            return True

        return tuple(one for one in station.profiles.counting(now) if followed(one))

    def _box(self, connector: Connector) -> Box:
        """Return what the hardware of a connector, and its vehicle, can do."""
        vendor = self._station.vendor
        phases = vendor.phases
        if connector.vehicle is not None:
            phases = min(phases, connector.vehicle.phases)
        return Box(
            maximum=exact(vendor.maximum_current),
            phases=phases,
            switching=vendor.phase_switching,
        )

    def _allowance(
        self,
        connector: Connector,
        moment: datetime,
        profiles: tuple[Installed, ...],
        *,
        with_maximum: bool = True,
    ) -> Allowance:
        """Return what some profiles leave to a connector at a moment."""
        moods = self._station.misbehaviours
        readings = own_readings(
            profiles,
            connector.id,
            moment,
            connector.started_at,
            default_caps=Misbehaviour.TX_DEFAULT_CAPS in moods,
        )
        if with_maximum and (most := lead(profiles, STATION_MAX, 0, moment, None)):
            readings.append(most)
        return allow(readings, self._box(connector))

    def _periods(
        self, number: int, start: datetime, duration: int, unit: str
    ) -> list[dict[str, Any]]:
        """Return the periods of a composite schedule, each unlike the one before."""
        station = self._station
        profiles = station.profiles.counting(start)
        started = {one.started_at for one in station.connectors.values()}
        periods: list[dict[str, Any]] = []
        for second in turning_points(profiles, start, duration, started):
            moment = start + timedelta(seconds=second)
            period = self._period(number, moment, profiles, unit)
            if not periods or {**periods[-1], "startPeriod": second} != (
                period | {"startPeriod": second}
            ):
                periods.append({"startPeriod": second} | period)
        return periods

    def _period(
        self, number: int, moment: datetime, profiles: tuple[Installed, ...], unit: str
    ) -> dict[str, Any]:
        """Return limit and phases that hold from a moment on."""
        if number:
            connector = self._station.connectors[number]
            allowed = self._allowance(connector, moment, profiles)
            amps, phases = allowed.amps, allowed.phases
        else:
            amps, phases = self._total(moment, profiles)
        limit = amps * exact(VOLTAGE) * phases if unit == "W" else amps
        # One decimal at most (7.14), and never more than is offered.
        period: dict[str, Any] = {"limit": math.floor(limit * 10) / 10}
        if self._station.vendor.phase_switching:
            period["numberPhases"] = phases
        return period

    def _total(
        self, moment: datetime, profiles: tuple[Installed, ...]
    ) -> tuple[Fraction, int]:
        """Return what the whole station may take, in A per phase, and the phases."""
        station = self._station
        each = [
            self._allowance(one, moment, profiles, with_maximum=False)
            for one in station.connectors.values()
        ]
        total = sum((one.amps for one in each), Fraction())
        phases = max(one.phases for one in each)
        if most := lead(profiles, STATION_MAX, 0, moment, None):
            total = min(total, most.amps(phases))
        return total, phases
