"""Metering: the meter values of an OCPP 1.6 station (OCPP 1.6 4.7)."""

from collections.abc import Awaitable
from typing import Any

from ..adapter import StationContext
from ..metering import Meters
from ..oddities import Oddities
from ..rpc import Reply
from ..signed import SignedArchive


class MeterValues(Meters):
    """The meter values of a station and of its transactions."""

    def __init__(
        self, context: StationContext, archive: SignedArchive, oddities: Oddities
    ) -> None:
        """Feed the station and the transactions of `context`."""
        super().__init__(context, oddities)
        self._archive = archive

    def meter_values(self, payload: dict[str, Any]) -> Reply | Awaitable[Reply]:
        """Take meter values; those of connector 0 are of the station.

        What is signed is archived before the answer.
        """
        transaction_id = payload.get("transactionId")
        signed = self.take(
            payload["connectorId"],
            None if transaction_id is None else str(transaction_id),
            payload["meterValue"],
        )
        return self._archived(payload) if signed else Reply({})

    async def _archived(self, payload: dict[str, Any]) -> Reply:
        named = payload.get("transactionId")
        await self._archive.of_meter_values(
            payload["connectorId"],
            "" if named is None else str(named),
            payload["meterValue"],
        )
        return Reply({})
