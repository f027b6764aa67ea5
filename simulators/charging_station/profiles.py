"""The charging profiles a station has, and which it takes (OCPP 1.6 3.13, 5.16)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from .allowance import STATION_MAX, TX, TX_DEFAULT
from .misbehaviour import Misbehaviour
from .schedules import Installed, exact

type Profile = dict[str, Any]

UNITS = {"Current": "A", "Power": "W"}


def _limits(profile: Profile) -> list[float]:
    """Return the limits of all periods."""
    periods = profile["chargingSchedule"]["chargingSchedulePeriod"]
    return [period["limit"] for period in periods]


REFUSED: dict[Misbehaviour, Callable[[Profile], bool]] = {
    Misbehaviour.INTEGERS_ONLY: lambda one: any(limit % 1 for limit in _limits(one)),
    Misbehaviour.ONLY_ABSOLUTE: lambda one: one["chargingProfileKind"] != "Absolute",
    Misbehaviour.REJECT_ALL_PROFILES: lambda one: True,
    Misbehaviour.REJECT_DURATION: lambda one: "duration" in one["chargingSchedule"],
    Misbehaviour.REJECT_RELATIVE: lambda one: one["chargingProfileKind"] == "Relative",
    Misbehaviour.REJECT_STACK_LEVELS: lambda one: one["stackLevel"] > 0,
    Misbehaviour.REJECT_STATION_MAX: lambda one: (
        one["chargingProfilePurpose"] == STATION_MAX
    ),
    Misbehaviour.REJECT_TX_DEFAULT: lambda one: (
        one["chargingProfilePurpose"] == TX_DEFAULT
    ),
    Misbehaviour.REJECT_TX_PROFILE: lambda one: one["chargingProfilePurpose"] == TX,
}
"""What each of the stubborn stations refuses."""


class ProfileStore:
    """All profiles of one station: those it has, and those that count by now."""

    def __init__(
        self,
        *,
        max_stack_level: int,
        units: tuple[str, ...],
        max_periods: int,
        max_profiles: int,
    ) -> None:
        """Create an empty store."""
        self._max_stack_level = max_stack_level
        self._units = {UNITS[unit] for unit in units}
        self._max_periods = max_periods
        self._max_profiles = max_profiles
        self.profiles: list[Installed] = []
        self._history: list[tuple[datetime, tuple[Installed, ...]]] = []
        """From when on which profiles count, oldest first."""

    def refuses(
        self,
        connector_id: int,
        profile: Profile,
        *,
        transaction: int | None,
        starting: bool = False,
        misbehaviours: set[Misbehaviour],
    ) -> str | None:
        """Return why a profile cannot be accepted, or None.

        `starting` is for the profile of a RemoteStartTransaction, whose transaction is
        yet to come.
        """
        purpose = profile["chargingProfilePurpose"]
        kind = profile["chargingProfileKind"]
        schedule = profile["chargingSchedule"]
        there = [one for one in self.profiles if one.connector_id == connector_id]
        rules = (
            *_schedule_rules(schedule, self._max_periods),
            (not 0 <= profile["stackLevel"] <= self._max_stack_level, "stack level"),
            (schedule["chargingRateUnit"] not in self._units, "unit"),
            (purpose == STATION_MAX and connector_id != 0, "connector 0 only"),
            (purpose == STATION_MAX and kind == "Relative", "never relative"),
            (purpose == TX and connector_id == 0, "TxProfile has a connector"),
            (purpose == TX and transaction is None and not starting, "no transaction"),
            (
                purpose == TX
                and profile.get("transactionId") not in (None, transaction),
                "another transaction",
            ),
            (starting and purpose != TX, "only TxProfile comes with a start"),
            (kind != "Relative" and "startSchedule" not in schedule, "no start"),
            (
                kind == "Relative" and "startSchedule" in schedule,
                "relative has no start",
            ),
            (kind == "Recurring" and "recurrencyKind" not in profile, "recurrencyKind"),
            (
                Misbehaviour.ONE_TX_PROFILE in misbehaviours
                and purpose == TX
                and any(one.purpose == TX for one in there),
                "one TxProfile at a time",
            ),
            (
                len(self._without(connector_id, profile)) >= self._max_profiles,
                "no room for another profile",
            ),
            *(
                (one in misbehaviours and no(profile), one)
                for one, no in REFUSED.items()
            ),
        )
        return next((why for broken, why in rules if broken), None)

    def install(
        self,
        connector_id: int,
        profile: Profile,
        now: datetime,
        *,
        delay: timedelta = timedelta(),
    ) -> None:
        """Keep a profile in place of its like; it counts after `delay`."""
        one = Installed(connector_id=connector_id, profile=profile, set_at=now)
        self._keep([*self._without(connector_id, profile), one], now, delay)

    def clear(
        self, criteria: dict[str, Any], now: datetime, *, delay: timedelta = timedelta()
    ) -> bool:
        """Remove what fits every given criterion; return whether anything did."""

        def fits(one: Installed) -> bool:
            return all(
                (
                    criteria.get("id") in (None, one.id),
                    criteria.get("connectorId") in (None, one.connector_id),
                    criteria.get("chargingProfilePurpose") in (None, one.purpose),
                    criteria.get("stackLevel") in (None, one.stack_level),
                )
            )

        kept = [one for one in self.profiles if not fits(one)]
        if len(kept) == len(self.profiles):
            return False
        self._keep(kept, now, delay)
        return True

    def end_transaction(self, connector_id: int) -> None:
        """Forget the TxProfiles of a connector, at once."""

        def stays(one: Installed) -> bool:
            return one.connector_id != connector_id or one.purpose != TX

        self.profiles = [one for one in self.profiles if stays(one)]
        self._history = [
            (since, tuple(one for one in kept if stays(one)))
            for since, kept in self._history
        ]

    def forget(self) -> None:
        """Forget every profile."""
        self.profiles.clear()
        self._history.clear()

    def counting(self, now: datetime) -> tuple[Installed, ...]:
        """Return the profiles that the station goes by."""
        return next(
            (kept for since, kept in reversed(self._history) if since <= now), ()
        )

    def _without(self, connector_id: int, profile: Profile) -> list[Installed]:
        """Return what stays when a profile takes the place of its like (3.13.2)."""
        place = (
            connector_id,
            profile["chargingProfilePurpose"],
            profile["stackLevel"],
        )
        return [
            one
            for one in self.profiles
            if one.id != profile["chargingProfileId"]
            and (one.connector_id, one.purpose, one.stack_level) != place
        ]

    def _keep(self, profiles: list[Installed], now: datetime, delay: timedelta) -> None:
        """Have these from now on, and go by them after a while."""
        self.profiles = profiles
        # Schedules are told to the second, so it counts from the one that runs now.
        since = now.replace(microsecond=0) + delay
        past = [one for one in self._history if one[0] <= now][-1:]
        coming = [one for one in self._history if now < one[0] < since]
        self._history = [*past, *coming, (since, tuple(profiles))]


def _schedule_rules(
    schedule: dict[str, Any], max_periods: int
) -> tuple[tuple[bool, str], ...]:
    """Return what can be wrong with a schedule (7.13, 7.14), and whether it is."""
    periods = schedule["chargingSchedulePeriod"]
    starts = [period["startPeriod"] for period in periods]
    limits = [exact(period["limit"]) for period in periods]
    return (
        (not periods or starts[0] != 0, "first period starts at 0"),
        (starts != sorted(set(starts)), "periods ascend"),
        (len(periods) > max_periods, "too many periods"),
        (any(limit < 0 for limit in limits), "a limit below 0"),
        (any((limit * 10).denominator != 1 for limit in limits), "one decimal"),
    )
