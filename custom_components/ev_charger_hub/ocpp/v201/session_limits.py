"""Limits of sessions in the words of OCPP 2.1: transactionLimit (E16)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ...station.session_limit import LimitKind, SessionLimit
from ...station.transaction import Transaction
from ...station.transaction_events import EventKind, TransactionEvent
from ..adapter import StationContext
from ..charging_profiles import amount, number
from .device_model import Key
from .link import V201Link

type Json = dict[str, Any]

WORDS: Mapping[LimitKind, str] = {
    LimitKind.COST: "maxCost",
    LimitKind.DURATION: "maxTime",
    LimitKind.ENERGY: "maxEnergy",
    LimitKind.SOC: "maxSoC",
}
"""The fields of TransactionLimitType."""


class SessionLimitWords:
    """What an answer says of the limit of a session, once for each change."""

    def __init__(self, context: StationContext, link: V201Link) -> None:
        """Speak for the station of `context`."""
        self._context = context
        self._link = link

    def addition(
        self, transaction: Transaction, event: TransactionEvent, payload: Json
    ) -> Json:
        """Return the limit that the station has not heard yet; hear what it says."""
        limits = self._context.station.session_limits
        if limits is None or self._link.dialect != "2.1" or event.offline:
            return {}
        told = (payload.get("transactionInfo") or {}).get("transactionLimit")
        if isinstance(told, dict):
            limits.confirmed(transaction, read(told))
        kept = limits.of(transaction)
        if kept is None or kept.told or event.kind is EventKind.ENDED:
            return {}
        limits.told(transaction)
        limit = kept.limit.only(self._supported)
        if not limit and kept.limit:
            return {}
        return {"transactionLimit": words(limit)}

    @property
    def _supported(self) -> frozenset[LimitKind]:
        """Return what the station says that it can watch; all if it says nothing."""
        names = self._link.device_model.items(Key.SESSION_LIMITS)
        if names is None:
            return frozenset(LimitKind)
        known = {name.strip().lower() for name in names}
        return frozenset(
            kind
            for kind, word in WORDS.items()
            if {word.lower(), word.lower().removeprefix("max")} & known
        )


def words(limit: SessionLimit) -> Json:
    """Return a TransactionLimitType."""
    told = {word: getattr(limit, kind) for kind, word in WORDS.items()}
    return {
        word: number(value) if isinstance(value, Decimal) else value
        for word, value in told.items()
        if value is not None
    }


def read(told: Json) -> SessionLimit:
    """Return a limit that a station tells of."""
    energy, duration, soc, cost = (
        amount(told.get(word)) for word in ("maxEnergy", "maxTime", "maxSoC", "maxCost")
    )
    return SessionLimit(
        energy=None if energy is None else int(energy),
        duration=None if duration is None else int(duration),
        soc=None if soc is None else int(soc),
        cost=cost,
    )
