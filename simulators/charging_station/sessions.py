"""Sessions: transactions as the station begins and ends them (OCPP 1.6 4.8, 4.10)."""

from typing import TYPE_CHECKING, Any

from .clock import stamp
from .connector import Connector, LocalTransaction
from .misbehaviour import Misbehaviour

if TYPE_CHECKING:
    from .v16 import ChargingStation16


class Sessions:
    """The part of a station that charges vehicles."""

    def __init__(self, station: ChargingStation16) -> None:
        """Serve one station."""
        self._station = station

    async def start(
        self, connector: Connector, id_tag: str, profile: dict[str, Any] | None = None
    ) -> None:
        """Begin to charge (OCPP 1.6 4.8)."""
        station = self._station
        now = station.clock()
        transaction = LocalTransaction(
            connector_id=connector.id,
            id_tag=id_tag,
            started_at=now,
            meter_start=round(connector.meter.register),
        )
        connector.transaction = transaction
        connector.authorized = None
        profile, connector.prepared = profile or connector.prepared, None
        connector.since_sample = 0
        payload: dict[str, Any] = {
            "connectorId": connector.id,
            "idTag": id_tag,
            "meterStart": transaction.meter_start,
            "timestamp": stamp(now),
        }
        if (reservation := station.reservations.use(connector, id_tag)) is not None:
            payload["reservationId"] = reservation
        station.enqueue("StartTransaction", payload, transaction)
        if profile is not None:
            station.charging.install(connector.id, profile)
        station.charging.offer()
        await station.set_status(connector, connector.flow)

    async def started(
        self, transaction: LocalTransaction, answer: dict[str, Any]
    ) -> None:
        """Take the id the central system gave, and obey if it refused the token."""
        station = self._station
        transaction.id = answer["transactionId"]
        station.tokens.learn(transaction.id_tag, answer["idTagInfo"])
        if answer["idTagInfo"]["status"] != "Accepted" and not transaction.stopped:
            connector = station.connectors[transaction.connector_id]
            await self.stop(connector, "DeAuthorized")

    async def stop(
        self, connector: Connector, reason: str, *, id_tag: str | None = None
    ) -> None:
        """End what runs on a connector (OCPP 1.6 4.10)."""
        station = self._station
        if (transaction := connector.transaction) is None:
            return
        transaction.stopped = True
        connector.transaction = None
        connector.meter.current = 0
        connector.offered = 0
        connector.limited_by = None
        now = stamp(station.clock())
        station.profiles.end_transaction(connector.id)
        if Misbehaviour.LOSE_STOP not in station.misbehaviours:
            payload: dict[str, Any] = {
                "meterStop": round(connector.meter.register),
                "timestamp": now,
                "reason": reason,
                "idTag": id_tag or transaction.id_tag,
            }
            measurands = station.metering.measurands("StopTxnSampledData")
            if values := connector.sampled_values(measurands, "Transaction.End"):
                payload["transactionData"] = [
                    {"timestamp": now, "sampledValue": values}
                ]
            station.enqueue("StopTransaction", payload, transaction)
        if connector.after_transaction is not None:
            connector.operative = connector.after_transaction
            connector.after_transaction = None
        status = "Finishing" if connector.vehicle else connector.idle
        await station.set_status(connector, status)
