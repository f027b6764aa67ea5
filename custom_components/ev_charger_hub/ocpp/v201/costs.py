"""Costs: what a station of OCPP 2.x shows a driver, and what it counts itself (I02, I03)."""

from decimal import Decimal
from typing import Any, override

from ...station.costs import CostLink
from ...station.outcome import Outcome
from ...station.transaction import Transaction
from ...station.transaction_events import EventKind, TransactionEvent
from .device_model import Key
from .sender import Sender

type Json = dict[str, Any]


class CostCommands(Sender, CostLink):
    """What tells drivers what they pay."""

    @property
    @override
    def shows_cost(self) -> bool:
        """Return what TariffCostCtrlr says."""
        known = self.device_model
        return known.flag(Key.COST_ENABLED) or (
            known.flag(Key.COST_AVAILABLE) and not known.says_no(Key.COST_ENABLED)
        )

    @property
    @override
    def currency(self) -> str | None:
        """Return what TariffCostCtrlr.Currency says."""
        said = (self.device_model.text(Key.CURRENCY) or "").strip().upper()
        return said or None

    @override
    async def cost_updated(self, transaction_id: str, total: Decimal) -> Outcome:
        """Send CostUpdated (I02)."""
        payload = {"transactionId": transaction_id, "totalCost": float(total)}
        return await self.send("CostUpdated", payload)

    def addition(
        self, transaction: Transaction, event: TransactionEvent, payload: Json
    ) -> Json:
        """Return the total cost for the answer to an event (I02, I03).

        0.00 is free; what is not known is left out (I03.FR.04). While it goes on only
        2.1 has room for it there.
        """
        if (costs := self._context.station.costs) is None:
            return {}
        over = event.kind is EventKind.ENDED
        if over and (total := _total(payload.get("costDetails"))) is not None:
            costs.told(transaction, total)
        elif not over and self._context.station.version.value != "2.1":
            return {}
        if self.currency not in {None, costs.currency}:
            return {}
        cost = costs.settle(transaction)
        return {} if cost is None else {"totalCost": float(cost)}


def _total(details: object) -> object:
    """Return the total of CostDetails (2.1 2.22), with taxes if they are told."""
    if not isinstance(details, dict):
        return None
    total = details.get("totalCost")
    price = total.get("total") if isinstance(total, dict) else None
    if not isinstance(price, dict):
        return None
    return price.get("inclTax", price.get("exclTax"))
