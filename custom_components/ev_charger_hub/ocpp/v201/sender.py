"""Sender: one call to a station of OCPP 2.x, and what it says of its variables."""

from dataclasses import replace
from typing import Any, override

from ...station.outcome import Outcome
from ...station.profiles.ledger import dialect_of
from ...station.profiles.replacement import Dialect
from ...station.secrets import MASK, names_secret
from ..adapter import StationContext
from ..sender import TIMEOUT, CallSender
from .names import read_name
from .reports import Reports

_MAX_DETAIL = 500


class Sender(CallSender):
    """What all commands of a station are sent by."""

    def __init__(self, context: StationContext, reports: Reports) -> None:
        """Carry commands over `context.call`; what they ask for comes to `reports`."""
        super().__init__(context)
        self._reports = reports
        self.device_model = reports.device_model
        """What is known of the station's variables."""

    @property
    def dialect(self) -> Dialect:
        """Return the version that is spoken: what is only in 2.1 needs to know."""
        return dialect_of(self._context.station)

    @staticmethod
    @override
    def concealed(answer: dict[str, Any]) -> dict[str, Any]:
        """Return an answer with the values of secret variables masked."""
        results = answer.get("getVariableResult")
        if not isinstance(results, list):
            return answer
        return {**answer, "getVariableResult": [_concealed(one) for one in results]}

    @override
    async def send(
        self, action: str, payload: dict[str, Any], timeout: float = TIMEOUT
    ) -> Outcome:
        """Send one call and return what became of it, with the station's reason."""
        outcome = await super().send(action, payload, timeout)
        if (
            detail := reason(outcome.response.get("statusInfo"))
        ) and not outcome.detail:
            return replace(outcome, detail=detail)
        return outcome


def reason(info: object) -> str:
    """Return what a StatusInfo says (2.0.1 2.49), nothing if it says nothing."""
    if not isinstance(info, dict):
        return ""
    told = (info.get("reasonCode"), info.get("additionalInfo"))
    words = [one for one in told if isinstance(one, str) and one]
    return ": ".join(words)[:_MAX_DETAIL]


def _concealed(result: Any) -> Any:
    if not isinstance(result, dict) or not result.get("attributeValue"):
        return result
    name = read_name(result)
    if name is not None and names_secret(name.variable):
        return {**result, "attributeValue": MASK}
    return result
