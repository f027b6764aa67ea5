"""Sightings: transactions that meter values name and nobody knows."""

from datetime import datetime, timedelta

from .adapter import StationContext
from .quirks import quirks_of

type Reading = tuple[int, datetime]
"""A register in Wh, and when it was read."""


class Sightings:
    """Decides which of them are believed to run."""

    def __init__(self, context: StationContext) -> None:
        """Know of none yet."""
        self._context = context
        self._first: dict[int, tuple[str, Reading]] = {}

    def counting(
        self, evse_id: int, transaction_id: str | None, reading: Reading
    ) -> Reading | None:
        """Return the reading that counts for a transaction, None if it is doubtful.

        Of some stations two readings that are some time apart have to name one that
        nobody knows; it counts from the first of them (Easee, row N5).
        """
        after = quirks_of(self._context.station.info.value).adopts_after
        transactions = self._context.transactions
        if (
            after is None
            or transaction_id is None
            or transactions.find(transaction_id) is not None
            or transactions.running(evse_id) is not None
        ):
            return reading
        named, first = self._first.get(evse_id, ("", reading))
        if named != transaction_id or reading[1] < first[1]:
            self._first[evse_id] = transaction_id, reading
            return None
        return first if reading[1] - first[1] >= timedelta(seconds=after) else None
