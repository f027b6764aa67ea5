"""The facts of a journal in memory."""

from collections import Counter
import json
from typing import Any


class MemoryJournal:
    """The facts of a journal, as JSON like the real one."""

    def __init__(self) -> None:
        """Remember nothing."""
        self.facts: dict[tuple[str, str], str] = {}
        self.writes: Counter[str] = Counter()
        self.numbers: Counter[str] = Counter()

    async def load(self, identity: str, name: str) -> Any | None:
        """Return a fact."""
        return json.loads(self.facts.get((identity, name), "null"))

    async def store(self, identity: str, name: str, value: Any) -> None:
        """Keep a fact, and count how often that is done."""
        self.store_soon(identity, name, value)

    def store_soon(self, identity: str, name: str, value: Any) -> None:
        """Keep a fact at once."""
        self.facts[identity, name] = json.dumps(value)
        self.writes[name] += 1

    async def next_number(self, name: str) -> int:
        """Return the next number of a series."""
        self.numbers[name] += 1
        return self.numbers[name]
