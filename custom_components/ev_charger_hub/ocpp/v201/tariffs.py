"""Tariffs and payments of OCPP 2.1: given to a station, and told by it (I07 to I13)."""

from collections.abc import Mapping, Sequence
from typing import Any, override

from ...station.events import Settlement
from ...station.outcome import Outcome, OutcomeStatus
from ...station.tariffs import ClearedTariff, TariffAssignment, TariffLink
from .. import timestamps
from ..blocks import Answer
from ..rpc import Reply
from ..words import snake
from .sender import Sender

_MAX_LINES = 200
_MAX_TEXT = 255
_NONE = "notariff"


class TariffCommands(Sender, TariffLink):
    """The tariffs of a station, and what it tells of payments."""

    @property
    def answers(self) -> Mapping[str, Answer]:
        """Return what answers, by the name of the message."""
        return {
            "NotifySettlement": self._settled,
            "VatNumberValidation": self._vat_number,
        }

    @override
    async def set_default(self, evse_id: int, tariff: dict[str, Any]) -> Outcome:
        """Send SetDefaultTariff (I07, I08)."""
        return await self.send(
            "SetDefaultTariff", {"evseId": evse_id, "tariff": tariff}
        )

    @override
    async def tariffs(self, evse_id: int) -> tuple[Outcome, list[TariffAssignment]]:
        """Send GetTariffs (I09)."""
        outcome = await self.send("GetTariffs", {"evseId": evse_id})
        if outcome.answer.lower() == _NONE:
            return Outcome(status=OutcomeStatus.ACCEPTED, answer=outcome.answer), []
        listed = outcome.response.get("tariffAssignments")
        lines = listed[:_MAX_LINES] if isinstance(listed, list) else []
        return outcome, [_assignment(one) for one in lines if isinstance(one, dict)]

    @override
    async def clear(
        self, tariff_ids: Sequence[str], evse_id: int | None
    ) -> tuple[Outcome, list[ClearedTariff]]:
        """Send ClearTariffs (I10)."""
        payload: dict[str, Any] = {}
        if tariff_ids:
            payload["tariffIds"] = [*tariff_ids]
        if evse_id is not None:
            payload["evseId"] = evse_id
        outcome = await self.send("ClearTariffs", payload)
        listed = outcome.response.get("clearTariffsResult")
        lines = listed[:_MAX_LINES] if isinstance(listed, list) else []
        return outcome, [_cleared(one) for one in lines if isinstance(one, dict)]

    @override
    async def change(self, transaction_id: str, tariff: dict[str, Any]) -> Outcome:
        """Send ChangeTransactionTariff (I11)."""
        payload = {"transactionId": transaction_id, "tariff": tariff}
        return await self.send("ChangeTransactionTariff", payload)

    @override
    async def web_payment_started(self, evse_id: int, timeout: int) -> Outcome:
        """Send NotifyWebPaymentStarted (I13)."""
        payload = {"evseId": evse_id, "timeout": timeout}
        return await self.send("NotifyWebPaymentStarted", payload)

    def _settled(self, payload: dict[str, Any]) -> Reply:
        """Take what became of a payment (NotifySettlement), which we give no receipt for."""
        self._context.station.emit(
            Settlement(
                status=snake(payload["status"]),
                amount=payload["settlementAmount"],
                transaction_id=payload.get("transactionId"),
                at=timestamps.parse(payload.get("settlementTime")),
                receipt=(payload.get("receiptId") or "")[:_MAX_TEXT] or None,
            )
        )
        return Reply({})

    def _vat_number(self, payload: dict[str, Any]) -> Reply:
        """Answer that nobody here knows companies by their number."""
        echo: dict[str, Any] = {"vatNumber": payload["vatNumber"][:_MAX_TEXT]}
        if "evseId" in payload:
            echo["evseId"] = payload["evseId"]
        info = {"reasonCode": "NotSupported"}
        return Reply(echo | {"status": "Rejected", "statusInfo": info})


def _assignment(line: dict[str, Any]) -> TariffAssignment:
    evses, tokens = line.get("evseIds"), line.get("idTokens")
    return TariffAssignment(
        tariff_id=str(line.get("tariffId", ""))[:_MAX_TEXT],
        kind=snake(str(line.get("tariffKind", "")))[:_MAX_TEXT],
        valid_from=timestamps.parse(line.get("validFrom")),
        evse_ids=tuple(evses[:_MAX_LINES]) if isinstance(evses, list) else (),
        id_tokens=tuple(tokens[:_MAX_LINES]) if isinstance(tokens, list) else (),
    )


def _cleared(line: dict[str, Any]) -> ClearedTariff:
    number = line.get("tariffId")
    return ClearedTariff(
        tariff_id=str(number)[:_MAX_TEXT] if number else None,
        status=snake(str(line.get("status", ""))),
    )
