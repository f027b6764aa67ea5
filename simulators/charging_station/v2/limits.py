"""Limits of a transaction: energy, time, cost, and how full the vehicle gets (E16)."""

from datetime import datetime
from typing import TYPE_CHECKING

from .transactions import Transaction
from .values import Json, Reason, TriggerReason

if TYPE_CHECKING:
    from .station import ChargingStation

REACHED = {
    "maxCost": (Reason.LOCAL_OUT_OF_CREDIT, TriggerReason.COST_LIMIT_REACHED),
    "maxEnergy": (Reason.ENERGY_LIMIT_REACHED, TriggerReason.ENERGY_LIMIT_REACHED),
    "maxSoC": (Reason.SOC_LIMIT_REACHED, TriggerReason.SOC_LIMIT_REACHED),
    "maxTime": (Reason.TIME_LIMIT_REACHED, TriggerReason.TIME_LIMIT_REACHED),
}


class TransactionLimits:
    """The part of a station that ends a transaction when it had enough."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station where nobody has a limit."""
        self._station = station

    def _supported(self, limit: Json) -> Json:
        """Return those limits that the station knows."""
        names = self._station.model.members("TxCtrlr.SupportedLimits")
        known = {name.lower() for name in names}
        return {name: one for name, one in limit.items() if name.lower() in known}

    def take(self, transaction: Transaction, limit: Json) -> None:
        """Take the limits of the central system, and confirm them (E16.FR.02)."""
        if self._station.version == "2.1":
            self.set(transaction, limit)

    def set(self, transaction: Transaction, limit: Json) -> None:
        """Have limits, and tell of them where they are new (LimitSet)."""
        known = self._supported(limit)
        if known and known != transaction.limit:
            transaction.limit = known
            self._station.transactions.update(
                transaction, TriggerReason.LIMIT_SET, info={"transactionLimit": known}
            )

    async def advance(self) -> None:
        """End what reached its limit."""
        for evse_id, transaction in [*self._station.transactions.running.items()]:
            used = self._used(transaction)
            for name, most in (transaction.limit or {}).items():
                if used[name] >= most:
                    reason, trigger = REACHED[name]
                    await self._station.box.stop(evse_id, reason, trigger)
                    break

    def _used(self, transaction: Transaction) -> dict[str, float]:
        station = self._station
        since = station.clock() - datetime.fromisoformat(transaction.started_at)
        vehicle = station.box.places[transaction.evse_id].vehicle
        energy = station.metering.energy(transaction.evse_id) - transaction.began_at
        own = station.tariffs.cost(transaction)
        return {
            "maxCost": max(own, station.transactions.costs.get(transaction.id, 0.0)),
            "maxEnergy": energy,
            "maxSoC": vehicle.soc if vehicle else 0.0,
            "maxTime": since.total_seconds(),
        }
