"""Customers: what a station knows of somebody, told or forgotten (2.x N09, N10)."""

from typing import Any

from ...station.monitoring import Customer, CustomerInformation
from ...station.outcome import Outcome
from ..requests import hash_data
from .sender import Sender
from .tokens import token_payload

MAX_DATA = 65_536
"""Characters that are kept of what a station tells of somebody."""


class CustomerCommands(Sender):
    """The part of a link that asks what a station knows of somebody."""

    async def customer_information(
        self, customer: Customer, *, report: bool, clear: bool
    ) -> tuple[Outcome, CustomerInformation | None]:
        """Send CustomerInformation and return what the parts of its answer bring."""
        request_id = await self._reports.next_id()
        payload: dict[str, Any] = {
            "requestId": request_id,
            "report": report,
            "clear": clear,
            **self._selector(customer),
        }
        with self._reports.customers(request_id) as parts:
            outcome = await self.send("CustomerInformation", payload)
            if not outcome.ok or not report:
                return outcome, None
            complete = await parts.complete()
            text = "".join(text for _, text in sorted(parts.items))
        whole = complete and len(text) <= MAX_DATA
        found = CustomerInformation(data=text[:MAX_DATA], complete=whole)
        return outcome, found

    def _selector(self, customer: Customer) -> dict[str, Any]:
        """Return who is meant, by exactly one of the three (N09.FR.03)."""
        if customer.id_token is not None:
            return {"idToken": token_payload(self._context, customer.id_token)}
        if customer.certificate is not None:
            return {"customerCertificate": hash_data(customer.certificate)}
        return {"customerIdentifier": customer.identifier}
