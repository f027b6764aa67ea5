"""Costs: what a station of OCPP 2.x shows a driver, and what it counts itself (I02, I03)."""

from decimal import Decimal
from typing import Any, override

from ...station.costs import CostLink, Costs
from ...station.outcome import Outcome
from ...station.transaction import Transaction
from ...station.transaction_events import EventKind, TransactionEvent
from ..adapter import StationContext
from .device_model import Key
from .reports import Reports
from .sender import Sender

type Json = dict[str, Any]

_MAX_TOLD = 64
"""Transactions whose driver is known to have read the price: no station has more."""


class CostCommands(Sender, CostLink):
    """What tells drivers what they pay."""

    def __init__(self, context: StationContext, reports: Reports) -> None:
        """Carry commands over `context.call`."""
        super().__init__(context, reports)
        self._read: dict[str, str] = {}
        """The price that drivers were told of, by transaction."""

    @property
    @override
    def shows_cost(self) -> bool:
        """Return what TariffCostCtrlr says of costs."""
        return self._on(Key.COST_AVAILABLE, Key.COST_ENABLED)

    @property
    def shows_tariff(self) -> bool:
        """Return what TariffCostCtrlr says of prices."""
        return self._on(Key.TARIFF_AVAILABLE, Key.TARIFF_ENABLED)

    def _on(self, available: Key, enabled: Key) -> bool:
        known = self.device_model
        return known.flag(enabled) or (
            known.flag(available) and not known.says_no(enabled)
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

    def greet(self, answer: Json) -> Json:
        """Return the answer to who may charge, with price and tariff (I01, 2.1 I08)."""
        costs = self._context.station.costs
        if costs is None or not self.shows_tariff:
            return answer
        if (text := costs.price_text) is not None:
            info = answer["idTokenInfo"] | {"personalMessage": _message(text)}
            answer = answer | {"idTokenInfo": info}
        if costs.driver_tariff is not None and self._in_2_1:
            answer = answer | {"tariff": costs.driver_tariff}
        return answer

    @property
    def _in_2_1(self) -> bool:
        return self._context.station.version.value == "2.1"

    def addition(
        self, transaction: Transaction, event: TransactionEvent, payload: Json
    ) -> Json:
        """Return price and total cost for the answer to an event (I02, I03, I06).

        0.00 is free; what is not known is left out (I03.FR.04). While it goes on only
        2.1 has room for a cost there.
        """
        if (costs := self._context.station.costs) is None:
            return {}
        counted = _total(payload.get("costDetails"), costs.currency)
        if counted is not None:
            costs.told(transaction, counted)
        if event.offline:
            return {}
        over = event.kind is EventKind.ENDED
        price = self._price(costs.price_text, transaction.transaction_id, over=over)
        return price | self._cost(costs, transaction, over=over)

    def _price(self, text: str | None, transaction_id: str, *, over: bool) -> Json:
        """Return the price if the driver does not know it yet."""
        if over:
            self._read.pop(transaction_id, None)
            return {}
        known = self._read.get(transaction_id)
        if text is None or text == known or not self.shows_tariff:
            return {}
        if known is None and len(self._read) >= _MAX_TOLD:
            del self._read[next(iter(self._read))]
        self._read[transaction_id] = text
        return {"updatedPersonalMessage": _message(text)}

    def _cost(self, costs: Costs, transaction: Transaction, *, over: bool) -> Json:
        if not over and not self._in_2_1:
            return {}
        if self.currency not in {None, costs.currency}:
            return {}
        cost = costs.settle(transaction)
        return {} if cost is None else {"totalCost": float(cost)}


def _message(text: str) -> Json:
    return {"format": "UTF8", "content": text}


def _total(details: object, currency: str | None) -> object:
    """Return the total of CostDetails (2.1 2.22), with taxes if they are told.

    None if the station could not count it, or has counted in another currency.
    """
    if not isinstance(details, dict) or details.get("failureToCalculate") is True:
        return None
    total = details.get("totalCost")
    if not isinstance(total, dict) or not isinstance(price := total.get("total"), dict):
        return None
    if currency is not None and total.get("currency", currency) != currency:
        return None
    return price.get("inclTax", price.get("exclTax"))
