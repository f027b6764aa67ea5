"""Signed meter values: found in messages, archived before the answer (OCPP 1.6 7.33, 2.x J01)."""

import logging
from typing import Any

from ..station import signed_values
from ..station.journal import NO_IDS
from ..station.secrets import shortened
from ..station.signed_values import MAX_LENGTH, Owner, SignedValue
from ..station.transaction import Transaction
from .adapter import StationContext

_LOGGER = logging.getLogger(__name__)

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

    def __init__(self, context: StationContext) -> None:
        """Keep them in the journal of `context`."""
        self._context = context
        self._warned = False

    async def of_meter_values(
        self, evse_id: int, transaction_id: str, values: list[dict[str, Any]]
    ) -> None:
        """Archive what MeterValues holds, durable when it returns.

        The session is the one it names, or else the one that runs at its EVSE, or none.
        """
        if found := signed_in(values):
            await self._keep(await self._owner(evse_id, transaction_id), found)

    async def _owner(self, evse_id: int, transaction_id: str) -> Owner:
        context = self._context
        identity = context.station.identity
        if transaction_id in NO_IDS:
            transaction_id = ""
        session = context.transactions.find(transaction_id)
        if session is None and transaction_id:
            owner = await signed_values.owner_of(
                context.journal, identity, transaction_id
            )
            if owner is not None:
                return owner
        session = session or context.transactions.running(evse_id)
        if session is None:
            return Owner(identity=identity, transaction_id=transaction_id, key=None)
        return _of(session)

    async def of_session(
        self, session: Transaction, data: list[dict[str, Any]]
    ) -> None:
        """Archive what a message of a session holds, durable when it returns."""
        if found := signed_in(data):
            await self._keep(_of(session), found)

    async def _keep(self, owner: Owner, found: list[SignedValue]) -> None:
        context = self._context
        if not (self._warned or all(signed_values.fits(one) for one in found)):
            self._warned = True
            _LOGGER.warning(
                "%s: signed meter values of more than %d bytes are not kept",
                shortened(owner.identity),
                MAX_LENGTH,
            )
        await signed_values.keep(context.journal, owner, found, context.clock())


def _of(session: Transaction) -> Owner:
    return Owner(
        identity=session.identity,
        transaction_id=session.transaction_id,
        key=session.key,
    )
