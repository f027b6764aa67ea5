"""Charging profiles as JSON, for the journal."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..enums import RateUnit
from . import two_way
from .model import ChargingProfile, Kind, Period, Purpose, Recurrence, Schedule


def dump(profile: ChargingProfile) -> dict[str, Any]:
    """Return a profile as JSON can carry it."""
    schedule = profile.schedule
    return {
        "id": profile.id,
        "purpose": profile.purpose.value,
        "kind": profile.kind.value,
        "stack_level": profile.stack_level,
        "recurrence": profile.recurrence and profile.recurrence.value,
        "valid_from": _text(profile.valid_from),
        "valid_to": _text(profile.valid_to),
        "transaction_id": profile.transaction_id,
        "unit": schedule.unit.value,
        "start": _text(schedule.start),
        "duration": schedule.duration,
        "minimum_rate": _digits(schedule.minimum_rate),
        "use_local_time": schedule.use_local_time,
        "random_delay": schedule.random_delay,
        "limit_at_soc": (soc := schedule.limit_at_soc) and [soc[0], _digits(soc[1])],
        "max_offline": profile.max_offline,
        "invalid_after_offline": profile.invalid_after_offline,
        "update_interval": profile.update_interval,
        "periods": [
            [
                one.start,
                _digits(one.limit),
                one.phases,
                one.phase_to_use,
                two_way.dump(one.two_way),
            ]
            for one in schedule.periods
        ],
    }


def parse(kept: Mapping[str, Any]) -> ChargingProfile:
    """Return the profile that was dumped; ValueError, KeyError or TypeError if none."""
    return ChargingProfile(
        id=kept["id"],
        purpose=Purpose(kept["purpose"]),
        kind=Kind(kept["kind"]),
        stack_level=kept["stack_level"],
        recurrence=kept["recurrence"] and Recurrence(kept["recurrence"]),
        valid_from=moment(kept["valid_from"]),
        valid_to=moment(kept["valid_to"]),
        transaction_id=kept["transaction_id"],
        schedule=Schedule(
            unit=RateUnit(kept["unit"]),
            start=moment(kept["start"]),
            duration=kept["duration"],
            minimum_rate=kept["minimum_rate"] and Decimal(kept["minimum_rate"]),
            use_local_time=kept["use_local_time"],
            random_delay=kept.get("random_delay"),
            limit_at_soc=(soc := kept.get("limit_at_soc"))
            and (soc[0], Decimal(soc[1])),
            periods=tuple(
                Period(
                    start=start,
                    limit=Decimal(limit),
                    phases=phases,
                    phase_to_use=phase_to_use,
                    two_way=two_way.parse(more[0]) if more else None,
                )
                for start, limit, phases, phase_to_use, *more in kept["periods"]
            ),
        ),
        # What was written before there was OCPP 2.1 has none of these.
        max_offline=kept.get("max_offline"),
        invalid_after_offline=kept.get("invalid_after_offline", False),
        update_interval=kept.get("update_interval"),
    )


def moment(text: str | None) -> datetime | None:
    """Return the moment that a text tells, if there is one."""
    return None if text is None else datetime.fromisoformat(text)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _digits(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
