"""Event numbers: which events of a transaction have come, and how many are missing."""

from dataclasses import dataclass, field
from typing import Any

MAX_SPANS = 64
"""So many gaps are told apart; stations that leave more count in no order at all."""

_MAX_NUMBER = 2**31


@dataclass(slots=True)
class EventNumbers:
    """The sequence numbers of a transaction, as spans without a gap (OCPP 2.x E01).

    They begin anew with each transaction, or go on from the one before. A span is its
    first and its last number.
    """

    spans: list[list[int]] = field(default_factory=list)

    def add(self, number: int | None) -> None:
        """Take note of an event; None and numbers that none can have tell nothing."""
        if number is None or not 0 <= number < _MAX_NUMBER:
            return
        spans: list[list[int]] = []
        for first, last in sorted([*self.spans, [number, number]]):
            if spans and first <= spans[-1][1] + 1:
                spans[-1][1] = max(spans[-1][1], last)
            else:
                spans.append([first, last])
        while len(spans) > MAX_SPANS:
            spans[:2] = [[spans[0][0], spans[1][1]]]
        self.spans = spans

    @property
    def missing(self) -> int:
        """Return how many numbers between the first and the last have not come."""
        ends = zip(self.spans, self.spans[1:], strict=False)
        return sum(after[0] - before[1] - 1 for before, after in ends)

    def dump(self) -> list[list[int]]:
        """Return what JSON can carry."""
        return self.spans

    @classmethod
    def restore(cls, kept: Any) -> EventNumbers:
        """Return what was dumped."""
        return cls([list(span) for span in kept or ()])
