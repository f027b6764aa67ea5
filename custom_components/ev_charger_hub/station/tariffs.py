"""Tariffs: what charging costs, as a station of OCPP 2.1 is told (I07 to I12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from .outcome import Outcome


@dataclass(kw_only=True, slots=True, frozen=True)
class TariffAssignment:
    """A tariff that a station has: for whom, and where; `evse_ids` empty is everywhere.

    `kind` is the station's word in snake case.
    """

    tariff_id: str
    kind: str
    valid_from: datetime | None = None
    evse_ids: tuple[int, ...] = ()
    id_tokens: tuple[str, ...] = ()


@dataclass(kw_only=True, slots=True, frozen=True)
class ClearedTariff:
    """What became of a tariff that was to be cleared; `status` in snake case."""

    tariff_id: str | None
    status: str


class TariffLink(Protocol):
    """The part of a link that gives tariffs to a station.

    A tariff is in the words of OCPP 2.1 (TariffType): it is the user's, and passed on.
    """

    async def set_default(self, evse_id: int, tariff: dict[str, Any]) -> Outcome:
        """Have a tariff hold at an EVSE, or with 0 at all of them (I07)."""

    async def tariffs(self, evse_id: int) -> tuple[Outcome, list[TariffAssignment]]:
        """Return the tariffs of an EVSE, or with 0 of all (I09); none is no error."""

    async def clear(
        self, tariff_ids: Sequence[str], evse_id: int | None
    ) -> tuple[Outcome, list[ClearedTariff]]:
        """Clear these tariffs, or all (I10)."""

    async def change(self, transaction_id: str, tariff: dict[str, Any]) -> Outcome:
        """Have another tariff hold for a transaction that runs (I11)."""

    async def web_payment_started(self, evse_id: int, timeout: int) -> Outcome:
        """Tell that somebody pays by the web, for `timeout` s at most (I13)."""
