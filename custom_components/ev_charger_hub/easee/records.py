"""Records: what SignalR sends, cut out of the frames in which it comes."""

from typing import Final

SEPARATOR: Final = "\x1e"
MAX_RECORD: Final = 1024 * 1024


class Records:
    """A frame may hold several records, or parts of some; each ends with 0x1e."""

    def __init__(self, longest: int = MAX_RECORD) -> None:
        """Let records of more than so many characters fall."""
        self.dropped = 0
        """How many were too long."""
        self._longest = longest
        self._parts: list[str] = []
        self._length = 0

    def feed(self, frame: str) -> list[str]:
        """Take a frame in, and return the records that are complete by that."""
        *ends, rest = frame.split(SEPARATOR)
        records = []
        for end in ends:
            self._add(end)
            if record := self._take():
                records.append(record)
        self._add(rest)
        return records

    def _add(self, part: str) -> None:
        self._length += len(part)
        if self._length > self._longest:
            self._parts.clear()
        elif part:
            self._parts.append(part)

    def _take(self) -> str:
        """Return the record that ends here, nothing if it was too long."""
        record = "".join(self._parts)
        self.dropped += self._length > self._longest
        self._parts.clear()
        self._length = 0
        return record
