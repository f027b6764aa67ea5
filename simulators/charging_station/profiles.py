"""Charging profiles as a strict station keeps and follows them (OCPP 1.6 3.13)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .vehicle import VOLTAGE

PERIOD = {"Daily": timedelta(days=1), "Weekly": timedelta(weeks=1)}


@dataclass(kw_only=True, slots=True)
class Installed:
    """One profile, where it was put, and when."""

    connector_id: int
    profile: dict[str, Any]
    set_at: datetime

    @property
    def purpose(self) -> str:
        """Return the purpose in OCPP's words."""
        purpose: str = self.profile["chargingProfilePurpose"]
        return purpose


def parse(text: str) -> datetime:
    """Return a moment from OCPP's text."""
    return datetime.fromisoformat(text)


class ProfileStore:
    """All profiles of one station."""

    def __init__(self, *, max_stack_level: int, units: tuple[str, ...]) -> None:
        """Create an empty store."""
        self._max_stack_level = max_stack_level
        self._units = {{"Current": "A", "Power": "W"}[unit] for unit in units}
        self.profiles: list[Installed] = []

    def refuses(
        self, connector_id: int, profile: dict[str, Any], transaction: int | None
    ) -> str | None:
        """Return why a profile cannot be accepted, or None."""
        purpose = profile["chargingProfilePurpose"]
        schedule = profile["chargingSchedule"]
        periods = schedule["chargingSchedulePeriod"]
        kind = profile["chargingProfileKind"]
        starts = [period["startPeriod"] for period in periods]
        rules = (
            (not periods or starts[0] != 0, "first period starts at 0"),
            (starts != sorted(set(starts)), "periods ascend"),
            (profile["stackLevel"] > self._max_stack_level, "stack level"),
            (profile["stackLevel"] < 0, "stack level"),
            (schedule["chargingRateUnit"] not in self._units, "unit"),
            (
                purpose == "ChargePointMaxProfile" and connector_id != 0,
                "station maximum is for connector 0",
            ),
            (
                purpose == "ChargePointMaxProfile" and kind == "Relative",
                "station maximum is never relative",
            ),
            (purpose == "TxProfile" and connector_id == 0, "TxProfile has a connector"),
            (
                purpose == "TxProfile" and transaction is None,
                "TxProfile needs a transaction",
            ),
            (
                purpose == "TxProfile"
                and profile.get("transactionId") not in (None, transaction),
                "TxProfile names the transaction",
            ),
            (
                kind in ("Absolute", "Recurring") and "startSchedule" not in schedule,
                "startSchedule",
            ),
            (kind == "Relative" and "startSchedule" in schedule, "no startSchedule"),
            (kind == "Recurring" and "recurrencyKind" not in profile, "recurrencyKind"),
        )
        return next((why for broken, why in rules if broken), None)

    def install(
        self, connector_id: int, profile: dict[str, Any], now: datetime
    ) -> None:
        """Keep a profile; one with the same id, or purpose and level, goes."""
        self.profiles = [
            one
            for one in self.profiles
            if one.profile["chargingProfileId"] != profile["chargingProfileId"]
            and not (
                one.connector_id == connector_id
                and one.purpose == profile["chargingProfilePurpose"]
                and one.profile["stackLevel"] == profile["stackLevel"]
            )
        ]
        self.profiles.append(
            Installed(connector_id=connector_id, profile=profile, set_at=now)
        )

    def clear(self, criteria: dict[str, Any]) -> bool:
        """Remove what fits every given criterion; return whether anything did."""

        def fits(one: Installed) -> bool:
            return all(
                (
                    criteria.get("id") in (None, one.profile["chargingProfileId"]),
                    criteria.get("connectorId") in (None, one.connector_id),
                    criteria.get("chargingProfilePurpose") in (None, one.purpose),
                    criteria.get("stackLevel") in (None, one.profile["stackLevel"]),
                )
            )

        before = len(self.profiles)
        self.profiles = [one for one in self.profiles if not fits(one)]
        return len(self.profiles) < before

    def end_transaction(self, connector_id: int) -> None:
        """Forget the TxProfiles of a connector."""
        self.profiles = [
            one
            for one in self.profiles
            if not (one.connector_id == connector_id and one.purpose == "TxProfile")
        ]

    def limit(
        self,
        connector_id: int,
        now: datetime,
        *,
        started_at: datetime | None,
        phases: int,
    ) -> float | None:
        """Return the limit in A that holds now, or None without any."""
        best: dict[str, tuple[int, int, float]] = {}
        for one in self.profiles:
            if one.connector_id not in (0, connector_id):
                continue
            if (amps := _amps(one, now, started_at, phases)) is None:
                continue
            rank = (one.profile["stackLevel"], one.connector_id)
            if one.purpose not in best or rank > best[one.purpose][:2]:
                best[one.purpose] = (*rank, amps)
        limits = [
            best[purpose][2]
            for purpose in ("ChargePointMaxProfile",)
            if purpose in best
        ]
        for purpose in ("TxProfile", "TxDefaultProfile"):
            if purpose in best:
                limits.append(best[purpose][2])
                break
        return min(limits, default=None)


def _amps(
    one: Installed, now: datetime, started_at: datetime | None, phases: int
) -> float | None:
    """Return the limit in A that one profile states for this moment, if any."""
    profile = one.profile
    if "validFrom" in profile and now < parse(profile["validFrom"]):
        return None
    if "validTo" in profile and now >= parse(profile["validTo"]):
        return None
    schedule = profile["chargingSchedule"]
    match profile["chargingProfileKind"]:
        case "Relative":
            start = started_at or one.set_at
        case "Recurring":
            start = parse(schedule["startSchedule"])
            start += (
                (now - start)
                // PERIOD[profile["recurrencyKind"]]
                * PERIOD[profile["recurrencyKind"]]
            )
        case _:
            start = parse(schedule["startSchedule"])
    elapsed = (now - start).total_seconds()
    if elapsed < 0 or elapsed >= schedule.get("duration", elapsed + 1):
        return None
    period = [
        one
        for one in schedule["chargingSchedulePeriod"]
        if one["startPeriod"] <= elapsed
    ][-1]
    limit = float(period["limit"])
    if schedule["chargingRateUnit"] == "W":
        limit /= VOLTAGE * min(period.get("numberPhases", phases), phases)
    return limit
