"""Charging profiles that change while they count, and those of the hurried (K21 to K28)."""

from typing import TYPE_CHECKING

from ..clock import stamp
from ..rpc import TROUBLE
from .profiles import Stored
from .uplink import CallError
from .values import Json

if TYPE_CHECKING:
    from .station import ChargingStation

DYNAMIC = "Dynamic"
PRIORITY = "PriorityCharging"


class Dynamic:
    """The part of a station whose profiles are not written in stone."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station where nobody is in a hurry."""
        self._station = station
        self.hurried: set[str] = set()
        """The transactions for which priority charging is on."""
        self.handlers = {
            "UpdateDynamicSchedule": self._update,
            "UsePriorityCharging": self._use_priority,
        }

    # Dynamic profiles

    async def _update(self, payload: Json) -> Json:
        """OCPP 2.1 K28."""
        if not self._station.charging.supports("DynamicProfiles"):
            raise CallError("NotImplemented")
        stored = self._station.charging.profiles.get(payload["chargingProfileId"])
        if stored is None or stored.profile["chargingProfileKind"] != DYNAMIC:
            info = {"reasonCode": "InvalidProfile"}
            return {"status": "Rejected", "statusInfo": info}
        self._change(stored, payload["scheduleUpdate"])
        self._station.afterwards(self._station.box.apply_limits)
        return {"status": "Accepted"}

    def _change(self, stored: Stored, update: Json) -> None:
        (schedule,) = stored.profile["chargingSchedule"]
        (period,) = schedule["chargingSchedulePeriod"]
        period |= update
        stored.profile["dynUpdateTime"] = stamp(self._station.clock())
        self._station.remember()

    def follow(self, stored: Stored) -> None:
        """Ask for a new value again and again, where the profile says so (K28.FR.10)."""
        interval = stored.profile.get("dynUpdateInterval", 0)
        if stored.profile["chargingProfileKind"] != DYNAMIC or interval <= 0:
            return
        number = stored.profile["id"]

        async def ask() -> None:
            if self._station.charging.profiles.get(number) is stored:
                self._station.later(self._pull(stored))
                self._station.timers.after(interval, ask)

        self._station.timers.after(interval, ask)

    async def _pull(self, stored: Stored) -> None:
        payload = {"chargingProfileId": stored.profile["id"]}
        try:
            answer = await self._station.queue.post(
                "PullDynamicScheduleUpdate", payload
            )
        except TROUBLE:
            return
        if answer["status"] == "Accepted" and (update := answer.get("scheduleUpdate")):
            self._change(stored, update)
            await self._station.box.apply_limits()

    # Priority charging

    async def _use_priority(self, payload: Json) -> Json:
        """OCPP 2.1 K21: by request of the central system, so nothing is told of it."""
        station = self._station
        purposes = station.model.members(
            "SmartChargingCtrlr.SupportedAdditionalPurposes"
        )
        if PRIORITY not in purposes:
            raise CallError("NotImplemented")
        transaction = station.transactions.find(payload["transactionId"])
        if transaction is None:
            return {"status": "Rejected", "statusInfo": {"reasonCode": "TxNotFound"}}
        if not self._has_profile(transaction.evse_id):
            return {"status": "NoProfile"}
        self._switch(transaction.id, on=payload["activate"])
        station.afterwards(station.box.apply_limits)
        return {"status": "Accepted"}

    def _has_profile(self, evse_id: int) -> bool:
        return any(
            one.purpose == PRIORITY and one.evse_id in (0, evse_id)
            for one in self._station.charging.profiles.values()
        )

    def _switch(self, transaction_id: str, *, on: bool) -> None:
        if on:
            self.hurried.add(transaction_id)
        else:
            self.hurried.discard(transaction_id)

    async def hurry(self, evse_id: int, *, on: bool = True) -> None:
        """Have the driver ask for priority charging at the station (K22)."""
        transaction = self._station.transactions.running[evse_id]
        self._switch(transaction.id, on=on)
        await self._station.box.apply_limits()
        await self._station.queue.post(
            "NotifyPriorityCharging",
            {"activated": on, "transactionId": transaction.id},
        )
