"""Known: what is known of a station's settings, by whatever they are called."""

from abc import ABC, abstractmethod
from typing import Any


class Known(ABC):
    """The values of a station's settings by their names."""

    @abstractmethod
    def get(self, key: str) -> object | None:
        """Return what is known of a setting, None if it is not known to exist."""

    @abstractmethod
    def text(self, key: str) -> str | None:
        """Return the value of a setting, or None."""

    @abstractmethod
    def readonly(self, key: str) -> bool:
        """Return whether the station says that a setting cannot be written."""

    @abstractmethod
    def dump(self) -> Any:
        """Return everything known as JSON, for the journal."""

    def number(self, key: str) -> int | None:
        """Return the value of a setting as a whole number, or None if it is none."""
        try:
            return int(float(self.text(key) or ""))
        except ValueError, OverflowError:
            return None

    def flag(self, key: str) -> bool:
        """Return whether a setting says yes."""
        return (self.text(key) or "").strip().lower() == "true"

    def items(self, key: str) -> list[str] | None:
        """Return the members of a comma-separated list, or None if it is unknown."""
        if (text := self.text(key)) is None:
            return None
        return list(
            dict.fromkeys(part for raw in text.split(",") if (part := raw.strip()))
        )

    def differs(self, key: str, value: str) -> bool:
        """Return whether a setting would change, or might, by writing `value`."""
        known = self.text(key)
        return known is None or known.strip() != value
