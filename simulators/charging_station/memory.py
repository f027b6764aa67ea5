"""What a station keeps over a loss of power: one JSON file, written whole or not."""

import json
import os
from pathlib import Path
from typing import Any


class Memory:
    """A file of state; without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        """Remember in a file, if one is given."""
        self._path = path
        self._text: str | None = None

    @property
    def used(self) -> bool:
        """Return whether anything is kept at all."""
        return self._path is not None

    def read(self) -> dict[str, Any]:
        """Return what was kept; nothing if there was never anything."""
        if self._path is None or not self._path.exists():
            return {}
        self._text = self._path.read_text(encoding="utf-8")
        state: dict[str, Any] = json.loads(self._text)
        return state

    def write(self, state: dict[str, Any]) -> None:
        """Keep a state, durably before this returns.

        Blocks on purpose: an answer that tells of a change must not go out before.
        """
        if self._path is None:
            return
        text = json.dumps(state, indent=1)
        if text == self._text:
            return
        draft = self._path.with_name(f"{self._path.name}.new")
        draft.touch(0o600)
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        self._text = text
