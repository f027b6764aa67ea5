"""Signed meter values: found in messages, archived before the answer (OCPP 1.6 7.33)."""

from typing import Any

from ...station import signed_values
from ...station.journal import NO_IDS
from ...station.signed_values import Owner, SignedValue
from ...station.transaction import Transaction
from ..adapter import StationContext
from .mapping import Oddities

SIGNED = "SignedData"


def signed_in(values: list[dict[str, Any]]) -> list[SignedValue]:
    """Return what was signed in a list of MeterValue."""
    return [
        SignedValue(
            measured_at=value.get("timestamp"),
            context=sample.get("context"),
            value=sample["value"],
        )
        for value in values
        for sample in value.get("sampledValue") or ()
        if sample.get("format") == SIGNED
    ]


class SignedArchive:
    """The signed meter values of a station."""

    def __init__(self, context: StationContext, oddities: Oddities) -> None:
        """Keep them in the journal of `context`."""
        self._context = context
        self._oddities = oddities

    async def of_meter_values(self, payload: dict[str, Any]) -> None:
        """Archive what MeterValues holds, durable when it returns.

        The session is the one it names, or else the one that runs on its connector.
        """
        transactions = self._context.transactions
        named = payload.get("transactionId")
        transaction_id = "" if named is None else str(named)
        if (session := transactions.find(transaction_id)) is None:
            session = transactions.running(payload["connectorId"])
            if session is not None or transaction_id in NO_IDS:
                transaction_id = "" if session is None else session.transaction_id
        if not transaction_id:
            self._oddities.note("signed meter values of no session are not kept")
            return
        key = None if session is None else session.key
        await self._keep(transaction_id, key, payload["meterValue"])

    async def of_stop(self, session: Transaction, data: list[dict[str, Any]]) -> None:
        """Archive what StopTransaction holds, durable when it returns."""
        await self._keep(session.transaction_id, session.key, data)

    async def _keep(
        self, transaction_id: str, key: int | None, data: list[dict[str, Any]]
    ) -> None:
        if not (found := signed_in(data)):
            return
        context = self._context
        identity = context.station.identity
        owner = Owner(identity=identity, transaction_id=transaction_id, key=key)
        await signed_values.keep(context.journal, owner, found, context.clock())
