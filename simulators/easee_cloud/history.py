"""Sessions and hourly usage: what was charged, when, by whom, at which price."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import hashlib
import json
from typing import Any

from .clock import whole


@dataclass(kw_only=True, slots=True)
class Price:
    """What a kWh costs at a site."""

    currency: str = "EUR"
    including_vat: float = 0.3
    vat: float = 25.0

    @property
    def excluding_vat(self) -> float:
        """Return the price without VAT."""
        return round(self.including_vat / (1 + self.vat / 100), 6)


@dataclass(kw_only=True, slots=True)
class ChargingSession:
    """From plugging in, or being authorized, to the end of that."""

    id: int
    start: datetime
    meter_start: float
    auth: str = ""
    auth_reason: int = 0
    stop: datetime | None = None
    energy: float = 0.0
    """kWh."""
    seconds: float = 0.0
    first_energy: datetime | None = None
    last_energy: datetime | None = None

    def charged(self, energy: float, seconds: float, now: datetime) -> None:
        """Add what was charged in the last so many seconds."""
        if energy > 0:
            self.first_energy = self.first_energy or now - timedelta(seconds=seconds)
            self.last_energy = now
            self.energy += energy
            self.seconds += seconds

    def started(self) -> str:
        """Return the text of observation 223."""
        return json.dumps(
            {
                "Id": self.id,
                "MeterValue": round(self.meter_start, 3),
                "Start": whole(self.start),
                "Auth": self.auth,
                "AuthReason": self.auth_reason,
            }
        )

    def ended(self) -> str:
        """Return the text of observation 129."""
        return json.dumps(
            {
                "Id": self.id,
                "Start": whole(self.start),
                "Stop": whole(self.stop or self.start),
                "EnergyKwh": round(self.energy, 3),
                "MeterValueStart": round(self.meter_start, 3),
                "MeterValueStop": round(self.meter_start + self.energy, 3),
                "Auth": self.auth,
                "AuthReason": self.auth_reason,
            }
        )

    def signed(self, serial: str) -> str:
        """Return the text of observation 60: what a MID meter signs, in OCMF."""
        data = json.dumps(
            {
                "FV": "1.0",
                "GS": serial,
                "PG": f"T{self.id}",
                "RD": [
                    {"TM": whole(self.start), "RV": round(self.meter_start, 3)},
                    {
                        "TM": whole(self.stop or self.start),
                        "RV": round(self.meter_start + self.energy, 3),
                    },
                ],
            }
        )
        signature = hashlib.sha256(data.encode()).hexdigest()
        return f'OCMF|{data}|{{"SD":"{signature}"}}'

    def _cost(self, price: Price) -> dict[str, Any]:
        return {
            "pricePrKwhIncludingVat": price.including_vat,
            "pricePerKwhExcludingVat": price.excluding_vat,
            "vatPercentage": price.vat,
            "costIncludingVat": round(self.energy * price.including_vat, 4),
            "costExcludingVat": round(self.energy * price.excluding_vat, 4),
        }

    def usage(self, serial: str, price: Price) -> dict[str, Any]:
        """Return what `sessions/ongoing` and `sessions/latest` say."""
        return {
            "chargerId": serial,
            "sessionEnergy": round(self.energy, 3),
            "sessionStart": whole(self.start),
            "sessionEnd": _or_none(self.stop),
            "sessionId": self.id,
            "chargeDurationInSeconds": int(self.seconds),
            "firstEnergyTransferPeriodStart": _or_none(self.first_energy),
            "lastEnergyTransferPeriodEnd": _or_none(self.last_energy),
            "currencyId": price.currency,
            **self._cost(price),
        }

    def listed(self, serial: str, price: Price) -> dict[str, Any]:
        """Return a line of the list of sessions."""
        return {
            "id": self.id,
            "chargerId": serial,
            "carConnected": whole(self.start),
            "carDisconnected": _or_none(self.stop),
            "kiloWattHours": round(self.energy, 6),
            "actualDurationSeconds": int(self.seconds),
            "firstEnergyTransferPeriodStarted": _or_none(self.first_energy),
            "lastEnergyTransferPeriodEnd": _or_none(self.last_energy),
            "isComplete": self.stop is not None,
            "authToken": self.auth or None,
            "currency": price.currency,
            **self._cost(price),
        }


def _or_none(moment: datetime | None) -> str | None:
    return None if moment is None else whole(moment)


class History:
    """What one charger did."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.sessions: list[ChargingSession] = []
        self.hours: dict[datetime, float] = {}
        """kWh by the hour that they were charged in."""

    def charged(self, energy: float, at: datetime) -> None:
        """Count energy in the hour of a moment."""
        hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        self.hours[hour] = self.hours.get(hour, 0.0) + energy

    def next_id(self) -> int:
        """Return the number of the next session."""
        return self.sessions[-1].id + 1 if self.sessions else 1

    def between(self, start: datetime, end: datetime) -> list[ChargingSession]:
        """Return the finished sessions that began in a span of time."""
        return [
            session
            for session in self.sessions
            if session.stop is not None and start <= session.start < end
        ]

    def usage(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Return the energy of every hour in a span of time."""
        hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        rows: list[dict[str, Any]] = []
        while hour < end:
            following = hour + timedelta(hours=1)
            rows.append(
                {
                    "from": whole(hour),
                    "to": whole(following),
                    "totalEnergy": round(self.hours.get(hour, 0.0), 4),
                }
            )
            hour = following
        return rows

    def remember(self, now: datetime, days: int, register: float) -> None:
        """Make up a past: every second evening a session, its energy ending in `register`."""
        evenings = [
            (now - timedelta(days=back)).replace(hour=18, minute=0, second=0)
            for back in range(days, 0, -2)
        ]
        energies = [round(5.5 + day % 7, 3) for day in range(len(evenings))]
        meter = register - sum(energies)
        for start, energy in zip(evenings, energies, strict=True):
            hours = energy / 5.5
            session = ChargingSession(
                id=self.next_id(),
                start=start,
                stop=start + timedelta(hours=14),
                meter_start=meter,
                auth="DEMO0001",
                energy=energy,
                seconds=hours * 3600,
                first_energy=start,
                last_energy=start + timedelta(hours=hours),
            )
            meter += energy
            self.sessions.append(session)
            for index in range(int(hours) + 1):
                at = start + timedelta(hours=index)
                if (part := min(5.5, energy - index * 5.5)) > 0:
                    self.charged(part, at)
