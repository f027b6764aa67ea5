"""Flexible charging: what a station asks and tells about it (OCPP 2.1 K22, K28)."""

from collections.abc import Mapping
from typing import Any

from ...station.profiles.model import Kind, Period
from ..adapter import StationContext
from ..blocks import Answer
from ..charging_profiles import number
from ..oddities import Oddities
from ..rpc import Reply
from .two_way import update_fields


class FlexibleCharging:
    """Dynamic schedules that a station asks for, and priority that it tells of."""

    def __init__(self, context: StationContext, oddities: Oddities) -> None:
        """Serve the station of `context`."""
        self._context = context
        self._oddities = oddities

    @property
    def answers(self) -> Mapping[str, Answer]:
        """Return what answers, by the name of the message."""
        return {
            "NotifyPriorityCharging": self.priority,
            "PullDynamicScheduleUpdate": self.pull,
        }

    def priority(self, payload: dict[str, Any]) -> Reply:
        """Take note that a session goes before others, or not any more (K22)."""
        station = self._context.station
        for evse in station.evses.values():
            session = evse.transaction
            if session and session.transaction_id == payload["transactionId"]:
                evse.priority.set(payload["activated"] is True)
                break
        else:
            self._oddities.note("priority of a transaction that is not open")
        return Reply({})

    def pull(self, payload: dict[str, Any]) -> Reply:
        """Answer what a dynamic profile of ours says now (K28.FR.11, FR.12)."""
        ledger = self._context.station.ledger
        for one in ledger.entries if ledger is not None else ():
            profile = one.installed.profile
            if (
                profile.id == payload["chargingProfileId"]
                and profile.kind is Kind.DYNAMIC
            ):
                update = _update(profile.schedule.periods[0])
                return Reply({"status": "Accepted", "scheduleUpdate": update})
        info = {"reasonCode": "InvalidProfile"}
        return Reply({"status": "Rejected", "statusInfo": info})


def _update(period: Period) -> dict[str, Any]:
    """Return a ChargingScheduleUpdate that says what a period says (2.1 2.12)."""
    if period.two_way is not None:
        return update_fields(period.two_way)
    return {"limit": number(period.limit)}
